import json
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ConfigError
from app.experiments.score import score


def an_answer(
    query_id: str, status: str, short: str = "", docs: tuple[str, ...] = (), tokens: int = 100
) -> dict[str, Any]:
    return {
        "query_id": query_id,
        "status": status,
        "short": short,
        "citations": [{"doc_id": doc} for doc in docs],
        "usage": {"prompt_tokens": tokens},
        "trace": {"steps": [{"seconds": 2.0}, {"seconds": 1.0}]},
    }


GOLD = [
    {"query_id": "q1", "question": "?", "answers": ["Saturn V"], "type": "single_fact", "documents": ["a"]},
    {"query_id": "q2", "question": "?", "answers": ["1967"], "type": "two_hop", "documents": ["a", "b"]},
    {"query_id": "q3", "question": "?", "answers": ["x"], "type": "single_fact", "documents": ["c"]},
    {"query_id": "q4", "question": "?", "answers": [], "type": "unanswerable", "documents": []},
]
GIVEN = [
    an_answer("q1", "answered", "the Saturn V", ("a", "z")),
    an_answer("q2", "answered", "in 1967", ("b",)),
    an_answer("q3", "abstained"),
    an_answer("q4", "abstained", tokens=0),
]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    return path


def test_each_figure_is_what_it_says(tmp_path: Path) -> None:
    scores = score(write(tmp_path / "answers.jsonl", GIVEN), write(tmp_path / "questions.jsonl", GOLD))

    everything = scores["all"]
    assert (everything.questions, everything.answerable, everything.failed) == (4, 3, 0)
    assert everything.exact_match == pytest.approx(1 / 3)
    assert everything.token_f1 == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert everything.citation_precision == pytest.approx((0.5 + 1.0) / 2)
    assert everything.citation_recall == pytest.approx((1.0 + 0.5) / 2)
    assert everything.abstained_on_answerable == pytest.approx(1 / 3)
    assert everything.abstained_on_unanswerable == 1.0
    assert everything.median_seconds == 3.0
    assert everything.mean_prompt_tokens == 75.0
    assert set(scores) == {"all", "single_fact", "two_hop", "unanswerable"}
    assert scores["unanswerable"].exact_match is None


def test_a_batch_that_is_not_whole_is_never_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="lacks 1 of 4 questions, first q4"):
        score(write(tmp_path / "answers.jsonl", GIVEN[:3]), write(tmp_path / "questions.jsonl", GOLD))


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "answers.jsonl"
    broken.write_text("{")
    with pytest.raises(ConfigError, match=r"answers\.jsonl"):
        score(broken, write(tmp_path / "questions.jsonl", GOLD))
