"""`gnomon eval fit-confidence` and `fit-budget` on runs of the real engine around a scripted model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from measured import a_beir_set

from agents.confidence import SIGNS
from agents.confidence_files import confidence_from
from app.cli.context import Cli
from app.cli.main import main
from app.engine import Engine
from app.models.scripted import Rule, ScriptedModel

LAKES = [f"{letter}olari" for letter in "BCDFGHJKLMNPQRSTVWXZ"]
PASSAGES = {name: (name, f"The lake {name} was mapped by {name[0]}essa Brandt in 1871.") for name in LAKES}
ROWS = [
    {
        "id": name,
        "text": f"Who mapped the lake {name}?",
        "answers": [f"{name[0]}essa Brandt" if place % 2 else "Karl Weiss"],  # the model is wrong on the others
        "documents": [name],
    }
    for place, name in enumerate(LAKES)
]
Evaluate = Callable[..., tuple[int, str, str]]


def a_model() -> ScriptedModel:
    return ScriptedModel(
        Rule(name="plan", replies=(json.dumps({"steps": []}),)),
        *(
            Rule(
                name="note",
                contains=f"Question: Who mapped the lake {name}?",
                replies=(json.dumps({"sentences": [1], "claim": text, "answer": f"{name[0]}essa Brandt"}),),
            )
            for name, (_, text) in PASSAGES.items()
        ),
    )


@pytest.fixture
def lakes(tmp_path: Path) -> Path:
    return a_beir_set(tmp_path / "lakes", rows=ROWS, passages=PASSAGES)


@pytest.fixture
def evaluate(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Evaluate:
    def run(*arguments: object, settings: tuple[str, ...] = ()) -> tuple[int, str, str]:
        own = ["--data-dir", str(tmp_path / "data"), "--set", "models.embedder.name=hashing_embedder"]
        more = [part for one in settings for part in ("--set", one)]
        given = [*own, *more, "eval", *map(str, arguments)]
        code = main(given, start=Cli(open_engine=lambda settings: Engine.open(settings, generator=a_model())))
        return code, *capfd.readouterr()

    return run


def ran(evaluate: Evaluate, lakes: Path, *settings: str) -> dict[str, Any]:
    """Return what a run says of itself, with its folder."""
    code, out, err = evaluate("run", lakes, "--json", settings=settings)
    assert code == 0, err
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found | {"folder": Path(found["result"]).parent}


def test_a_confidence_is_fitted_to_a_run_stored_and_used_by_the_next(
    evaluate: Evaluate, lakes: Path, tmp_path: Path
) -> None:
    run = ran(evaluate, lakes)
    file = tmp_path / "confidence.json"

    code, out, err = evaluate("fit-confidence", lakes, "--run", run["folder"].name, "-o", file)

    assert (code, err) == (0, "")
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[0] for row in rows[1:11]] == list(SIGNS)
    assert [row[0] for row in rows[14:18]] == ["answer_probability", "shipped", "fitted", "cross_validated"]
    assert out.splitlines()[-1] == f"{file}: 20 drafts, 10 right"
    stored = json.loads(file.read_text())
    assert stored["made_from"].startswith("lakes ")
    assert stored["made_from"].endswith(f", 20 drafts of {run['folder'].name}, 10 right")
    assert stored["command"].startswith("gnomon ")
    assert stored["models"] == {role: run["digests"][role] for role in ("generator", "embedder")}

    fitted = ran(evaluate, lakes, f"agent.confidence={file}", "agent.odds=99")
    raws = [json.loads(line) for line in (fitted["folder"] / "records.jsonl").read_text().splitlines()]
    for raw in raws:
        assert raw["answer"]["status"] == "abstained"
        [checked] = [step for step in raw["answer"]["trace"]["steps"] if step["node"] == "verify"]
        told = f"its confidence is {confidence_from(file).probability(checked['details']['signs']):.2f}"
        assert told in raw["answer"]["detail"]

    code, out, _ = evaluate("fit-confidence", lakes, "--run", fitted["folder"], "-o", file, "--json")
    assert (code, json.loads(out)["weights"]) == (0, stored["weights"])  # withheld drafts teach as told ones do


def test_a_file_that_cannot_be_used_fails_the_question_and_tells_why(
    evaluate: Evaluate, lakes: Path, tmp_path: Path
) -> None:
    code, _, err = evaluate("run", lakes, settings=(f"agent.confidence={tmp_path / 'none.json'}",))

    assert code != 0
    assert "cannot read the confidence weights in" in err


def test_runs_with_several_settings_tell_what_passages_are_worth(evaluate: Evaluate, lakes: Path) -> None:
    names = ",".join(ran(evaluate, lakes, f"agent.passages={most}")["folder"].name for most in (1, 2, 4))

    code, out, err = evaluate("fit-budget", lakes, "--runs", names, "--tokens", "100000")

    assert (code, err) == (0, "")
    rows = [line.split("\t") for line in out.splitlines()]
    assert rows[0] == ["run", "passages", "samples", "searches", "questions", "right", "predicted", "tokens"]
    assert [row[1:6] for row in rows[1:4]] == [[most, "1", "1", "20", "0.500"] for most in ("1", "2", "4")]
    assert rows[6][:5] == ["logit of right", "0.000", "0.000", "0.000", "0.000"]
    assert out.splitlines()[-1].startswith(
        "cheapest within a point of the best of at most 100000 tokens: 1 passages, 1 samples, 1 searches; right 0.500,"
    )
    code, out, _ = evaluate("fit-budget", lakes, "--runs", names, "--json")
    told = json.loads(out)
    assert (told["budget"], told["cheapest"]["passages"]) == (8000, 1.0)


def test_a_run_that_is_not_there_or_of_another_set_is_refused(evaluate: Evaluate, lakes: Path, tmp_path: Path) -> None:
    run = ran(evaluate, lakes)
    others = a_beir_set(tmp_path / "others")
    retrieved = json.loads(evaluate("run", lakes, "--system", "lexical", "--json")[1].splitlines()[-1])

    for arguments, problem in (
        ((lakes, "--run", "nothing"), "no such result"),
        ((others, "--run", run["folder"]), "is none of others's"),
        ((lakes, "--run", Path(retrieved["result"]).parent), "'lexical' answers nothing"),
    ):
        code, _, err = evaluate("fit-confidence", *arguments, "-o", tmp_path / "file.json")
        assert code != 0
        assert problem in err
