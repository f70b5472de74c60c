import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import InvalidDataset, StorageError
from app.core.ledger import ModelCall
from app.core.types import Usage
from app.evaluation.records import Cited, Hop
from app.experiments.records import RecordFile, has_failed, reading_order, to_record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "records.jsonl"


def retrieved(query_id: str, **more: Any) -> dict[str, Any]:
    return {"query_id": query_id, "ranking": [["orta", 2.0], ["como", 1.0]], "stage_seconds": {"search": 0.25}, **more}


def answered(query_id: str, *, status: str = "answered", **more: Any) -> dict[str, Any]:
    return {"query_id": query_id, "answer": {"status": status, **more}, "cited_passages": {}}


def written(path: Path, *raws: dict[str, Any]) -> Path:
    with closing(RecordFile(path)) as file:
        file.extend(raws)
    return path


def kept(path: Path) -> list[str]:
    """The questions that a new run need not ask again."""
    with closing(RecordFile(path)) as file:
        return list(file.raw())


def test_records_are_there_for_the_next_run(path: Path) -> None:
    written(path, retrieved("é 1"), retrieved("q2"))

    with closing(RecordFile(path)) as file:
        assert file.raw() == {"é 1": retrieved("é 1"), "q2": retrieved("q2")}
        file.extend([retrieved("q3")])
        assert file.lines() == {"é 1": 1, "q2": 2, "q3": 3}
    assert [json.loads(line)["query_id"] for line in path.read_text().splitlines()] == ["é 1", "q2", "q3"]


@pytest.mark.parametrize("bytes_left", [1, 20, -1])
def test_a_last_line_that_was_cut_off_is_let_go(path: Path, bytes_left: int) -> None:
    written(path, retrieved("q1"))
    whole = path.read_bytes()
    torn = json.dumps(answered("q2")).encode()
    path.write_bytes(whole + torn[:bytes_left])

    assert kept(path) == ["q1"]
    assert path.read_bytes() == whole


def test_what_is_cut_off_may_be_half_a_character(path: Path) -> None:
    written(path, retrieved("q1"))
    with path.open("ab") as stream:
        stream.write('{"query_id": "é'.encode()[:-1])

    assert kept(path) == ["q1"]


def test_failures_are_made_again(path: Path) -> None:
    written(path, answered("q1"), answered("q2", status="failed"), answered("q3", status="cancelled"))

    assert kept(path) == ["q1"]
    assert path.read_text().count("\n") == 1


@pytest.mark.parametrize(
    "line", ["not JSON", "[1]", "7", '{"ranking": []}', '{"query_id": "q", "answer": {"text": "x"}}', ""]
)
def test_a_line_in_the_middle_that_is_no_record_is_told(path: Path, line: str) -> None:
    written(path, retrieved("q1"))
    path.write_text(path.read_text() + line + "\n" + json.dumps(retrieved("q3")) + "\n")

    with pytest.raises(InvalidDataset, match=r"records.jsonl: line 2 is no record of a run; delete the file"):
        RecordFile(path)
    path.unlink()
    assert kept(path) == []  # it was unlocked


def test_only_one_process_may_write(path: Path) -> None:
    with closing(RecordFile(path)), pytest.raises(StorageError, match=r"records.jsonl: another run writes it"):
        RecordFile(path)
    assert kept(path) == []


@pytest.mark.parametrize(
    ("raw", "failed"),
    [
        (retrieved("q"), False),
        (answered("q"), False),
        (answered("q", status="abstained"), False),
        (answered("q", status="failed"), True),
        (answered("q", status="cancelled"), True),
    ],
)
def test_an_abstention_is_no_failure(raw: dict[str, Any], failed: bool) -> None:
    assert has_failed(raw) is failed


def test_a_retrieval_is_a_ranking_and_its_seconds() -> None:
    record = to_record(retrieved("q1"))

    assert (record.query_id, record.ranking) == ("q1", (("orta", 2.0), ("como", 1.0)))
    assert (record.first_stage, record.given, record.degraded) == (None, None, None)
    assert (dict(record.stage_seconds), record.seconds) == ({"search": 0.25}, 0.25)


def test_a_reranking_keeps_the_first_stage_and_its_calls() -> None:
    usage = Usage(calls=1, prompt_tokens=7, completion_tokens=1, seconds=0.5)
    call = {"model": "m", "purpose": "rank", "prompt_digest": "d", "usage": asdict(usage), "stop": "stop"}
    raw = retrieved("q1", first_stage=[], degraded="deadline", calls=[call])
    raw["stage_seconds"]["rerank"] = 0.5

    record = to_record(raw)

    assert (record.first_stage, record.degraded, record.seconds) == ((), "deadline", 0.75)
    assert record.calls == (ModelCall(model="m", purpose="rank", prompt_digest="d", usage=usage, stop="stop"),)


@pytest.fixture
def body() -> dict[str, Any]:
    usage = {"calls": 1, "prompt_tokens": 9, "cached_tokens": 0, "completion_tokens": 2, "seconds": 1.0}
    call = {"model": "m", "purpose": "note", "prompt_digest": "d", "usage": usage, "stop": "stop"}
    hits = [{"doc_id": "iseo"}, {"doc_id": "iseo"}, {"doc_id": "como"}]
    steps = [
        {
            "node": "search",
            "seconds": 0.25,
            "details": {"query": "a", "found": ["como", "iseo"], "hits": hits},
            "calls": [],
        },
        {"node": "note", "seconds": 1.0, "details": {}, "calls": [call]},
        {"node": "search", "seconds": 0.5, "details": {"query": "b", "found": ["weiss"], "hits": []}, "calls": []},
        {"node": "search", "seconds": 0.125, "details": {}, "calls": []},  # the budget ended it
    ]
    citation = {"marker": 1, "doc_id": "iseo", "quote": "Karl", "passage_id": "iseo@0#0"}
    return {
        "status": "answered",
        "short": "Graz",
        "text": "Graz [1].",
        "confidence": 0.5,
        "citations": [citation, {**citation, "marker": 2, "passage_id": "gone@0#0"}],
        "notes": [{"doc_id": "iseo"}, {"doc_id": "weiss"}, {"doc_id": "iseo"}],
        "trace": {"steps": steps},
    }


def test_an_answer_is_its_hops_calls_and_citations_with_their_passages(body: dict[str, Any]) -> None:
    record = to_record({"query_id": "q2", "answer": body, "cited_passages": {"iseo@0#0": "Karl mapped it."}})

    assert record.hops == (
        Hop(query="a", found=("como", "iseo"), read=("iseo", "como")),
        Hop(query="b", found=("weiss",), read=()),
    )
    assert [call.purpose for call in record.calls] == ["note"]
    assert (dict(record.stage_seconds), record.seconds) == ({"search": 0.875, "note": 1.0}, 1.875)
    given = record.given
    assert given is not None
    assert (given.status, given.short, given.text, given.confidence) == ("answered", "Graz", "Graz [1].", 0.5)
    assert given.cited == (
        Cited(marker=1, doc_id="iseo", quote="Karl", passage="Karl mapped it."),
        Cited(marker=2, doc_id="iseo", quote="Karl", passage=""),
    )
    assert given.noted == ("iseo", "weiss")


def test_a_question_that_could_not_be_asked_is_a_failure_without_hops() -> None:
    record = to_record(answered("q1", status="failed", detail="too long"))

    assert (record.ranking, record.hops, record.calls, record.seconds) == ((), (), (), 0.0)
    assert record.given is not None
    assert record.given.status == "failed"


def test_an_agents_ranking_is_what_it_read_and_then_what_it_only_found() -> None:
    first = Hop(query="a", found=("como", "iseo", "orta"), read=("iseo",))
    second = Hop(query="b", found=("weiss", "como"), read=("weiss", "iseo"))

    assert reading_order((first, second)) == (("iseo", 0.0), ("weiss", -1.0), ("como", -2.0), ("orta", -3.0))
    assert reading_order(()) == ()
