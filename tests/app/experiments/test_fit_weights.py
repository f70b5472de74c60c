"""Weights fitted on hand-made scores, and on a tiny data set with a model whose figures follow from words."""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scored import ReadableModel

from app.cli.context import Cli
from app.cli.main import main
from app.core.errors import ConfigError, InvalidDataset, ModelError, UnknownComponent
from app.core.run import Run
from app.core.settings import Settings, load_settings
from app.core.types import Offsets, Prompt
from app.engine import Engine
from app.evaluation.ranking import retrieval_values
from app.experiments.datasets import read_dataset
from app.experiments.fit_weights import Told, Weights, fit_weights, fitted
from app.experiments.rerank_run import rerank_run
from rerankers.fused import COMPARABLE, Options, Signal, WeightFile

PASSAGES = {
    "a": "Luna 9 landed on the Moon in 1966.",
    "b": "Mir was launched by a Proton.",
    "c": "Skylab fell in 1979.",
    "d": "Vostok 1 flew once around the Earth.",
}
QUESTIONS = {"q1": ("Which probe landed on the Moon?", "d"), "q2": ("What fell?", "c"), "q3": ("What flew?", "d")}


class Model(ReadableModel):
    """Names its bytes."""

    digest = "1" * 64


class Blind(Model):
    """Cannot be read for one question."""

    def suffix_attention(
        self,
        prefix: Prompt,
        *,
        suffixes: Sequence[str],
        spans: Sequence[Offsets],
        run: Run,
        heads: Sequence[tuple[int, int]] | None = None,
    ) -> list[list[NDArray[np.float32]]]:
        if "fell" in suffixes[0]:
            raise ModelError("no")
        return super().suffix_attention(prefix, suffixes=suffixes, spans=spans, run=run, heads=heads)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "lakes"
    root.mkdir()
    rows = [{"_id": key, "title": "", "text": text} for key, text in PASSAGES.items()]
    (root / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = [{"_id": key, "text": text} for key, (text, _) in QUESTIONS.items()]
    (root / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    judged = "".join(f"{key}\t{doc_id}\t1\n" for key, (_, doc_id) in QUESTIONS.items())
    (root / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    lines = [f"{key} Q0 {doc} {n} {9 - n}.0 x\n" for key in QUESTIONS for n, doc in enumerate(PASSAGES, start=1)]
    (root / "candidates.trec").write_text("".join(lines))
    return root


def set_to(tmp_path: Path, **reranker: Any) -> Settings:
    overrides: dict[str, Any] = {
        "data_dir": tmp_path / "data",
        "models": {"embedder": {"name": "hashing_embedder"}, "scorer": None},
        "search": {"reranker": reranker or {"name": "identity"}},
    }
    return load_settings(environment={}, overrides=overrides)


def fit(folder: Path, given: Settings, *signals: str, model: type[ReadableModel] = Model, depth: int = 20) -> Weights:
    made: list[Engine] = []

    def open_engine(settings: Settings) -> Engine:
        made.append(Engine.open(settings, generator=model()))
        return made[-1]

    return fit_weights(read_dataset(folder), given, signals=signals, depth=depth, open_engine=open_engine)


def told(scores: Mapping[str, Sequence[float]], grades: Sequence[int]) -> Told:
    ids = [f"d{place}" for place in range(len(grades))]
    voices = {name: COMPARABLE["zscore"](np.array(one, dtype=np.float64)) for name, one in scores.items()}
    return Told(voices=voices, doc_ids=ids, relevant=dict(zip(ids, grades, strict=True)))


def of(questions: Sequence[Told], *names: str) -> Weights:
    options = Options(signals=tuple(Signal(name=name) for name in names))
    return fitted(questions, options, models=(), left_out=0)


def perfect_and_noise(count: int, size: int, seed: int = 7) -> list[Told]:
    numbers = np.random.default_rng(seed)
    return [
        told(
            {
                "perfect": [float(grade) for grade in grades],
                "noise": numbers.normal(size=size).tolist(),
                "first_stage": numbers.normal(size=size).tolist(),
            },
            grades,
        )
        for grades in (numbers.permutation(size).tolist() for _ in range(count))
    ]


def test_noise_beside_a_perfect_signal_gets_next_to_nothing() -> None:
    found = of(perfect_and_noise(30, 20), "noise", "perfect")

    assert found.weights["perfect"] >= 0.9
    assert found.weights["noise"] <= 0.06
    assert found.first_stage <= 0.06
    assert found.figures["perfect"] == found.figures["fitted"] == pytest.approx(1.0)
    assert found.figures["noise"] < 0.8


def test_a_signal_is_worth_what_it_is_alone() -> None:
    # relevant is d1: the first stage has it second, the signal first
    found = of([told({"signal": [0, 2, 1], "first_stage": [3, 2, 1]}, [0, 1, 0])] * 2, "signal")

    assert found.figures["first_stage"] == pytest.approx(1 / np.log2(3))
    assert found.figures["signal"] == found.figures["fitted"] == found.figures["cross_validated"] == 1.0


numbers = st.lists(st.floats(-9.0, 9.0), min_size=5, max_size=5)
questions = st.lists(
    st.builds(
        lambda x, y, z, grades: told({"x": x, "y": y, "first_stage": z}, grades),
        numbers,
        numbers,
        numbers,
        st.permutations([2, 1, 0, 0, 0]),
    ),
    min_size=2,
    max_size=5,
)


@settings(max_examples=50, deadline=None)
@given(questions)
def test_the_laws_of_a_fit(drawn: list[Told]) -> None:
    try:
        found = of(drawn, "x", "y")
    except InvalidDataset:  # as they may be drawn, there is nothing to choose
        reject()
    assert sum(found.weights.values()) + found.first_stage == pytest.approx(1.0)
    alone = [found.figures[name] for name in ("x", "y", "first_stage")]
    assert found.figures["fitted"] >= max(alone) - 1e-12

    turned = of(drawn, "y", "x")
    assert list(turned.weights) == ["y", "x"]
    assert turned.weights == found.weights
    assert turned.figures == found.figures


def test_questions_that_tell_nothing_are_refused() -> None:
    same = told({"signal": [1, 1], "first_stage": [2, 2]}, [1, 0])

    with pytest.raises(InvalidDataset, match="2 judged questions do not tell one weight from another"):
        of([same, same], "signal")
    with pytest.raises(InvalidDataset, match="0 judged questions"):
        of([], "signal")


# On a data set, with a model that is read.


def test_what_is_fitted_is_what_fused_then_does(folder: Path, tmp_path: Path) -> None:
    found = fit(folder, set_to(tmp_path))

    assert sorted(found.weights) == ["attention", "likelihood"]
    assert found.questions == 3
    assert [(model.model_id, model.model_digest) for model in found.models] == [("readable", "1" * 64)]
    path = tmp_path / "weights.json"
    write(path, found)

    def fused(**options: Any) -> Settings:
        return set_to(tmp_path, name="fused", options=options)

    assert figure_of(folder, fused(weights=path)) == pytest.approx(found.figures["fitted"])
    assert figure_of(folder, set_to(tmp_path)) == pytest.approx(found.figures["first_stage"])
    for name in found.weights:
        alone = fused(signals=[{"name": name}], first_stage=0)
        assert figure_of(folder, alone) == pytest.approx(found.figures[name])


def figure_of(folder: Path, given: Settings) -> float:
    """Return the mean nDCG@10 of the reranker that the settings name over the data set's questions."""
    dataset = read_dataset(folder)
    with closing(Engine.open(given, generator=Model())) as engine:
        found = rerank_run(folder / "candidates.trec", dataset, engine.reranker(None), run=Run())
    values = retrieval_values(dataset.golds, found.rankings, names=("nDCG@10",))
    return float(np.mean([value["nDCG@10"] or 0.0 for value in values.values()]))


def write(path: Path, found: Weights) -> None:
    WeightFile(
        method=found.method,
        weights=found.weights,
        first_stage=found.first_stage,
        figures=found.figures,
        models=found.models,
        made_from="a test",
        command="none",
    ).write(path)


def test_the_candidates_are_found_where_none_are_given(folder: Path, tmp_path: Path) -> None:
    (folder / "candidates.trec").unlink()

    assert fit(folder, set_to(tmp_path), "likelihood").questions == 3


def test_only_the_first_candidates_count(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidDataset, match="3 judged questions do not tell"):
        fit(folder, set_to(tmp_path), depth=2)  # nothing relevant is among them


def test_a_question_that_a_signal_could_not_order_is_left_out_and_counted(folder: Path, tmp_path: Path) -> None:
    found = fit(folder, set_to(tmp_path), model=Blind)

    assert (found.questions, found.left_out) == (2, 1)


def test_options_and_method_are_as_the_settings_say_for_fused(folder: Path, tmp_path: Path) -> None:
    signals = [{"name": "likelihood", "weight": 7.0}, {"name": "pointwise", "options": {"words": 3}}]
    given = set_to(tmp_path, name="fused", options={"signals": signals, "method": "rrf", "first_stage": 3.0})

    found = fit(folder, given)

    assert list(found.weights) == ["likelihood", "pointwise"]
    assert found.method == "rrf"


@pytest.mark.parametrize(
    ("signals", "error"),
    [
        (("attention", "attention"), ConfigError),
        (("attention", "likelihood", "pointwise", "pairwise", "setwise"), ConfigError),
        (("attenton",), UnknownComponent),
    ],
)
def test_signals_that_cannot_be_fitted_are_refused_before_any_work(
    folder: Path, tmp_path: Path, signals: tuple[str, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        fit(folder, set_to(tmp_path), *signals)
    assert not (tmp_path / "data").exists()


def test_the_command_stores_the_weights_and_shows_what_they_are_worth(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "weights.json"
    globally = ["--data-dir", str(tmp_path / "data"), "--set", "models.scorer=null"]

    def run(*more: str) -> str:
        arguments = [*globally, "rerankers", "fit-weights", str(folder), "-o", str(output), *more]
        opened = lambda given: Engine.open(given, generator=Model())  # noqa: E731
        assert main(arguments, start=Cli(open_engine=opened)) == 0
        return capfd.readouterr()[0]

    rows = [line.split("\t") for line in run("--signals", "likelihood, attention").splitlines()]
    file = WeightFile.model_validate_json(output.read_text())

    assert [row[0] for row in rows[:-1]] == [
        "", "first_stage", "likelihood", "attention", "fitted", "cross_validated"
    ]  # fmt: skip
    assert float(rows[1][1]) + float(rows[2][1]) + float(rows[3][1]) == pytest.approx(1.0)
    assert rows[4][2] == f"{file.figures['fitted']:.4f}"
    assert rows[-1] == [f"{output}: 3 questions"]
    digest = read_dataset(folder).digest
    assert file.made_from == f"lakes {digest}, 3 questions, first 20 candidates"
    assert file.made_on
    assert json.loads(run("--json")) == json.loads(output.read_text())
