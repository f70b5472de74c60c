from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from measured import PASSAGES, a_beir_set, a_folder_of_documents, write_rows

from app.core.errors import Cancelled, InvalidDataset
from app.core.run import Run
from app.core.types import Hit, Query, QueryId
from app.experiments.candidates import given_lists
from app.experiments.datasets import chosen, read_dataset

LISTS = {"q1": ["como", "orta"], "q2": ["iseo", "brandt", "weiss"]}


def found(folder: Path, *query_ids: str) -> list[list[Hit]]:
    """The hits of questions by the lists of a data set."""
    find = given_lists(read_dataset(folder))
    return find([Query(query_id=QueryId(query_id), text="?") for query_id in query_ids], Run())


def a_set(folder: Path, lists: Mapping[str, Sequence[str]] = LISTS) -> Path:
    return a_beir_set(folder, candidates=lists)


def test_a_list_is_hits_with_their_passages_in_order(tmp_path: Path) -> None:
    [second, first] = found(a_set(tmp_path), "q2", "q1")

    assert [(hit.passage.doc_id, hit.rank, hit.score, hit.source) for hit in second] == [
        ("iseo", 1, 1.0, "candidates"),
        ("brandt", 2, 1 / 2, "candidates"),
        ("weiss", 3, 1 / 3, "candidates"),
    ]
    assert [(hit.passage.title, hit.passage.text) for hit in first] == [PASSAGES["como"], PASSAGES["orta"]]


def test_the_order_is_that_of_the_scores(tmp_path: Path) -> None:
    folder = a_set(tmp_path)
    (folder / "candidates.trec").write_text("q1 Q0 orta 1 0.5 run\nq1 Q0 como 2 0.75 run\nq1 Q0 iseo 3 0.5 run\n")

    [hits] = found(folder, "q1")

    assert [hit.passage.doc_id for hit in hits] == ["como", "orta", "iseo"]


def test_a_question_without_a_list_has_no_hits(tmp_path: Path) -> None:
    assert found(a_set(tmp_path), "q3") == [[]]


def test_a_passage_without_text_stays_in_its_list(tmp_path: Path) -> None:
    folder = a_set(tmp_path, {"q1": ["blank", "orta"]})
    rows = [{"_id": key, "text": text} for key, (_, text) in PASSAGES.items()]
    write_rows(folder / "corpus.jsonl", [*rows, {"_id": "blank", "title": "Blank"}])

    [hits] = found(folder, "q1")

    assert [(hit.passage.doc_id, hit.passage.title, bool(hit.passage.text)) for hit in hits] == [
        ("blank", "Blank", False),
        ("orta", "", True),
    ]


def test_a_stopped_run_looks_nothing_up(tmp_path: Path) -> None:
    find = given_lists(read_dataset(a_set(tmp_path)))

    with pytest.raises(Cancelled):
        find([Query(query_id=QueryId("q1"), text="?")], Run(cancelled=lambda: True))


def test_lists_over_another_corpus_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataset, match=r"candidates.trec: 'msmarco_1' is not in the corpus"):
        found(a_set(tmp_path, {"q1": ["orta", "msmarco_1"]}), "q1")


def test_lists_of_other_questions_are_refused(tmp_path: Path) -> None:
    folder = a_set(tmp_path, {"2082": ["orta"]})

    with pytest.raises(InvalidDataset, match=r"candidates.trec: has none of the questions"):
        found(folder, "q1")


def test_lists_of_questions_that_are_not_asked_are_not_looked_at(tmp_path: Path) -> None:
    dataset = read_dataset(a_set(tmp_path, {"q1": ["orta"], "q2": ["msmarco_1"]}))

    find = given_lists(chosen(dataset, limit=1, sample=None, seed=0))

    [[hit]] = find([Query(query_id=QueryId("q1"), text="?")], Run())
    assert hit.passage.doc_id == "orta"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("", "line 1: the file is empty"),
        ("q1 Q0 orta 1 nan run\n", "line 1: the score 'nan' is not finite"),
        ("q1 Q0 orta 1 0.5\n", "line 1: has 5 columns"),
        ("q1 Q0 orta 1 2 run\nq1 Q0 orta 2 1 run\n", "line 2: question 'q1' has document 'orta' twice"),
    ],
)
def test_a_broken_run_is_one_line(tmp_path: Path, lines: str, told: str) -> None:
    folder = a_set(tmp_path)
    (folder / "candidates.trec").write_text(lines)

    with pytest.raises(InvalidDataset) as raised:
        found(folder, "q1")

    assert str(raised.value).startswith(f"{folder / 'candidates.trec'}: {told}")


def test_without_lists_or_passages_another_system_is_advised(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataset, match=r"bare has no candidates.trec; choose another system"):
        given_lists(read_dataset(a_beir_set(tmp_path / "bare")))
    documents = a_folder_of_documents(tmp_path / "documents")
    (documents / "candidates.trec").write_text("q1 Q0 orta.md 1 1 run\n")
    with pytest.raises(InvalidDataset, match=r"has candidates.trec and no corpus.jsonl; add it"):
        given_lists(read_dataset(documents))
