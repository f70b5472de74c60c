import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from measured import ROWS, a_beir_set, a_folder_of_documents, a_question_file, write_rows

from app.core.errors import InvalidDataset
from app.evaluation.records import Gold
from app.experiments.datasets import Dataset, chosen, describe, missing_documents, read_dataset
from app.experiments.files import rows_of


@pytest.fixture
def lakes(tmp_path: Path) -> Path:
    return a_beir_set(tmp_path / "lakes")


def a_gold(tmp_path: Path, **row: Any) -> Gold:
    """The gold of one question as its row tells it."""
    path = write_rows(tmp_path / "questions.jsonl", [{"question": "Which lake is deep?", **row}])
    (gold,) = read_dataset(path).golds
    return gold


def with_qrels(folder: Path, *rows: tuple[str, str, int]) -> Path:
    """Replace the judgements of a data set, and return its folder."""
    lines = [f"{query_id}\t{doc_id}\t{grade}\n" for query_id, doc_id, grade in rows]
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(lines))
    return folder


def test_all_forms_hold_the_same_questions_and_gold(tmp_path: Path, lakes: Path) -> None:
    beir = read_dataset(lakes)
    others = [
        a_folder_of_documents(tmp_path / "documents"),
        a_question_file(tmp_path / "q.jsonl"),
        a_question_file(tmp_path / "q.csv"),
    ]

    for dataset in map(read_dataset, others):
        assert dataset.asked == beir.asked
        for gold, same in zip(dataset.golds, beir.golds, strict=True):
            assert {doc_id.removesuffix(".md"): grade for doc_id, grade in gold.relevant.items()} == same.relevant
            assert (gold.answers, gold.answerable, gold.hops) == (same.answers, same.answerable, same.hops)
    assert [gold.answerable for gold in beir.golds] == [True, True, True, False, True, True]
    assert beir.golds[1].relevant == {"iseo": 1, "weiss": 1}
    assert (beir.golds[1].answers, beir.golds[1].hops, beir.golds[3].answers) == (("Graz",), 2, ())


@pytest.mark.parametrize(
    ("row", "answers", "answerable"),
    [
        ({"answers": ["Orta", "Lake Orta"]}, ("Orta", "Lake Orta"), True),
        ({"answers": "Orta"}, ("Orta",), True),
        ({"answer": " Orta "}, ("Orta",), True),
        ({"answers": "Orta| Lake Orta |"}, ("Orta", "Lake Orta"), True),
        ({"answers": 290}, ("290",), True),
        ({"answers": [290, 0.5]}, ("290", "0.5"), True),
        ({"answers": ["[unanswerable]"]}, (), False),
        ({"answers": "Insufficient information"}, (), False),
        ({"answers": ["Orta", "[unanswerable]"]}, ("Orta",), True),
        ({"answers": []}, (), False),
        ({"answers": [], "documents": ["orta"]}, (), None),
        ({"answers": None}, (), None),
        ({}, (), None),
        ({"answerable": False, "answers": ["Orta"]}, ("Orta",), False),
        ({"answerable": True}, (), True),
        ({"answerable": "False"}, (), False),
    ],
)
def test_gold_is_told_in_many_ways(
    tmp_path: Path, row: dict[str, Any], answers: tuple[str, ...], answerable: bool | None
) -> None:
    gold = a_gold(tmp_path, **row)

    assert (gold.answers, gold.answerable) == (answers, answerable)


@pytest.mark.parametrize(("told", "hops"), [(2, 2), ("3", 3), ("two", None), ("²", None), (0, None), (None, None)])
def test_hops_are_a_number_or_unknown(tmp_path: Path, told: Any, hops: int | None) -> None:
    assert a_gold(tmp_path, hops=told).hops == hops


def test_a_cell_of_a_table_lists_answers_and_says_whether_there_is_one(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_text('id,question,answers,answerable,hops\n1,"Who, and when?",Ada|Ada Brandt,,2\n2,Why?,,false,\n')

    first, second = read_dataset(path).golds

    assert (first.text, first.answers, first.answerable, first.hops) == (
        "Who, and when?",
        ("Ada", "Ada Brandt"),
        True,
        2,
    )
    assert (second.answers, second.answerable, second.hops) == ((), False, None)


def test_answers_at_other_times_are_those_to_the_other_questions_of_a_fact(tmp_path: Path) -> None:
    fact = {"question": "Who led the society then?", "page": "society", "relation": "leader", "time": {"start": "1901"}}
    told = [["Ada", "A. Brandt"], ["Karl"], ["[unanswerable]"], ["Ada"]]
    rows = [{**fact, "id": n, "answers": answers} for n, answers in enumerate(told, start=1)]
    rows.append({"id": 9, "question": "Who?", "page": "society", "answers": ["Ida"]})

    golds = read_dataset(write_rows(tmp_path / "q.jsonl", rows)).golds

    others = [gold.answers_at_other_times for gold in golds]
    assert others == [("Karl",), ("Ada", "A. Brandt"), ("Ada", "A. Brandt", "Karl"), ("A. Brandt", "Karl"), ()]
    assert [gold.has_time for gold in golds] == [True, True, True, True, False]


@pytest.mark.parametrize(
    ("highest", "told", "counted"), [(3, None, 2), (2, None, 1), (1, None, 1), (3, 1, 1), (1, 3, 3)]
)
def test_grades_count_from_2_on_the_scale_up_to_3(lakes: Path, highest: int, told: int | None, counted: int) -> None:
    with_qrels(lakes, ("q1", "orta", highest), ("q2", "iseo", 1), ("q2", "como", 0))

    dataset = read_dataset(lakes, relevant_from=told)

    assert dataset.relevant_from == counted
    assert dataset.golds[1].relevant == {"iseo": 1, "como": 0}


def test_a_question_may_have_dates(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "q.jsonl", [{"text": "Who?", "as_of": "2019-02", "asked_on": "2020-05-06"}])

    (asked,) = read_dataset(path).asked

    assert (asked.as_of, asked.asked_on) == (date(2019, 2, 28), date(2020, 5, 6))


def test_other_judgements_replace_those_of_the_folder(tmp_path: Path, lakes: Path) -> None:
    others = tmp_path / "others.txt"
    others.write_text("q1 0 como 1\n")

    dataset = read_dataset(lakes, qrels=others)

    assert dataset.golds[0].relevant == {"como": 1}
    assert dataset.golds[1].relevant == {}
    assert dataset.digest != read_dataset(lakes).digest


# What is odd and yet no error.


def test_judgements_of_passages_and_questions_that_are_not_there_are_told(lakes: Path) -> None:
    with_qrels(lakes, ("q1", "orta", 1), ("q2", "atlantis", 1), ("q7", "como", 1), ("q3", "el dorado", 0))

    dataset = read_dataset(lakes)

    assert dataset.golds[1].relevant == {"atlantis": 1}
    assert dataset.warnings == (
        "1 judged questions are not asked, first 'q7'; they are left out",
        f"1 relevant documents are not in {lakes / 'corpus.jsonl'}, first 'atlantis'; they count as not found",
    )


def test_questions_of_other_splits_are_not_chosen(tmp_path: Path) -> None:
    rows = [{key: row[key] for key in ("id", "text")} for row in ROWS]
    folder = with_qrels(a_beir_set(tmp_path / "lakes", rows=rows), ("q2", "iseo", 1), ("q5", "como", 0))

    whole = read_dataset(folder)
    dataset = chosen(whole, limit=None, sample=2, seed=0)

    assert (ids(whole), whole.warnings) == ([row["id"] for row in ROWS], ())
    assert ids(dataset) == ["q2", "q5"]
    assert dataset.warnings == ("4 questions are judged by nothing; they are not asked",)


def test_questions_of_a_file_without_judgements_are_all_chosen(tmp_path: Path) -> None:
    rows = [{key: row[key] for key in ("id", "text")} for row in ROWS]

    dataset = chosen(read_dataset(write_rows(tmp_path / "q.jsonl", rows)), limit=None, sample=None, seed=0)

    assert (len(ids(dataset)), dataset.warnings) == (6, ())


def test_windows_line_ends_and_byte_order_marks_change_nothing(tmp_path: Path, lakes: Path) -> None:
    windows = a_beir_set(tmp_path / "windows" / "lakes")
    for path in windows.iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))

    dataset, same = read_dataset(windows), read_dataset(lakes)

    assert (dataset.asked, dataset.golds, dataset.warnings) == (same.asked, same.golds, ())


def test_ids_may_hold_spaces(tmp_path: Path) -> None:
    rows = [
        {"id": "the first question", "text": "Who mapped Lake Orta?", "answers": ["Ada"], "documents": ["lake orta"]}
    ]
    folder = a_beir_set(tmp_path / "lakes", rows=rows, passages={"lake orta": ("Lake Orta", "Ada mapped it.")})

    (gold,) = read_dataset(folder).golds

    assert (gold.query_id, gold.relevant) == ("the first question", {"lake orta": 1})


def test_a_folder_may_be_named_by_a_dot_or_with_a_slash(lakes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lakes)

    assert read_dataset(Path()).name == read_dataset(Path(f"{lakes}{os.sep}")).name == "lakes"
    assert read_dataset(Path("queries.jsonl")).name == "queries"


def test_a_question_without_an_id_has_its_rows_number(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text('{"text": "Who?"}\n\n{"text": "Where?", "_id": 7}\n{"text": "When?"}\n')

    assert [one.query_id for one in read_dataset(path).asked] == ["1", "7", "4"]


def test_digests_name_the_content(tmp_path: Path, lakes: Path) -> None:
    whole = read_dataset(lakes)
    (lakes / "queries.jsonl").write_text((lakes / "queries.jsonl").read_text().replace("deep", "wide"))
    asked = read_dataset(lakes)
    (lakes / "corpus.jsonl").write_text((lakes / "corpus.jsonl").read_text().replace("1871", "1872"))
    searched = read_dataset(lakes)

    assert read_dataset(a_beir_set(tmp_path / "again" / "lakes")).digest == whole.digest
    assert (asked.digest != whole.digest, asked.corpus_digest == whole.corpus_digest) == (True, True)
    assert (searched.digest != asked.digest, searched.corpus_digest != asked.corpus_digest) == (True, True)


def test_a_folders_digest_is_of_the_files_that_are_ingested(tmp_path: Path) -> None:
    folder = a_folder_of_documents(tmp_path / "lakes")
    before = read_dataset(folder)
    (folder / "documents" / ".DS_Store").write_bytes(b"where the window was")
    hidden = read_dataset(folder)
    (folder / "documents" / "como.md").rename(folder / "documents" / "lario.md")

    assert hidden.digest == before.digest
    assert read_dataset(folder).corpus_digest != before.corpus_digest


# Which questions are asked.


def ids(dataset: Dataset) -> list[str]:
    assert [one.query_id for one in dataset.asked] == [gold.query_id for gold in dataset.golds]
    return [one.query_id for one in dataset.asked]


def test_a_sample_is_drawn_by_its_seed_and_keeps_the_order(lakes: Path) -> None:
    dataset = read_dataset(lakes)

    draws = {seed: ids(chosen(dataset, limit=None, sample=3, seed=seed)) for seed in range(20)}

    assert draws == {seed: ids(chosen(dataset, limit=None, sample=3, seed=seed)) for seed in range(20)}
    assert all(drawn == sorted(drawn) and len(set(drawn)) == 3 for drawn in draws.values())
    assert len({tuple(drawn) for drawn in draws.values()}) > 5
    assert {query_id for drawn in draws.values() for query_id in drawn} == set(ids(dataset))


def test_a_limit_takes_the_first_of_the_sample(lakes: Path) -> None:
    dataset = read_dataset(lakes)

    assert ids(chosen(dataset, limit=2, sample=None, seed=0)) == ["q1", "q2"]
    drawn = ids(chosen(dataset, limit=None, sample=4, seed=3))
    assert ids(chosen(dataset, limit=2, sample=4, seed=3)) == drawn[:2]


def test_a_sample_or_limit_beyond_the_set_is_all_of_it(lakes: Path) -> None:
    dataset = read_dataset(lakes)

    assert chosen(dataset, limit=100, sample=100, seed=5) == dataset


def test_a_data_set_is_described_by_its_counts(lakes: Path) -> None:
    dataset = read_dataset(lakes)

    assert describe(dataset) == {
        "name": "lakes",
        "questions": 6,
        "judged": 5,
        "answerable": 5,
        "unanswerable": 1,
        "candidates": False,
        "relevant_from": 1,
        "digest": dataset.digest,
        "corpus": dataset.corpus_digest,
    }


# What cannot be used: one line that names the file and the row.


def append(name: str, line: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        with (folder / name).open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (append("queries.jsonl", "{not JSON"), "queries.jsonl: row 7 is not JSON (Expecting property name"),
        (append("queries.jsonl", "[" * 100_000), "queries.jsonl: row 7 is not JSON"),
        (append("queries.jsonl", '["Who?"]'), "queries.jsonl: row 7 is no JSON object"),
        (append("queries.jsonl", '{"text": "Wh\\ud800?"}'), "queries.jsonl: row 7 is not JSON"),
        (append("queries.jsonl", '{"_id": "q3", "text": "Who?"}'), "queries.jsonl: row 7 has the id 'q3' of row 3"),
        (append("queries.jsonl", '{"_id": "q9"}'), "queries.jsonl: row 7: it has no 'question' or 'text'"),
        (append("queries.jsonl", '{"text": " "}'), "queries.jsonl: row 7: it has no 'question' or 'text'"),
        (append("queries.jsonl", '{"text": ["Who?"]}'), "queries.jsonl: row 7: it has no 'question' or 'text'"),
        (append("queries.jsonl", '{"text": "Who?", "as_of": "31.12.2020"}'), "row 7: the date '31.12.2020' cannot be"),
        (
            append("queries.jsonl", '{"text": "Who?", "answers": {"a": 1}}'),
            "row 7: 'answers' is neither text nor a list",
        ),
        (append("queries.jsonl", '{"text": "Who?", "answers": [["Ada"]]}'), "row 7: 'answers' is neither text nor a"),
        (append("queries.jsonl", '{"text": "Who?", "answers": [null]}'), "row 7: 'answers' is neither text nor a list"),
        (append("queries.jsonl", '{"text": "Who?", "answerable": "maybe"}'), "row 7: 'answerable' is 'maybe'; write"),
        (append("corpus.jsonl", '{"_id": "orta", "text": "x"}'), "corpus.jsonl: row 7 has the id 'orta' of row 1"),
        (append("corpus.jsonl", '{"text": "x"}'), "corpus.jsonl: row 7 has no '_id'"),
        (append("corpus.jsonl", "x"), "corpus.jsonl: row 7 is not JSON"),
        (append("qrels.tsv", "q1\torta"), "qrels.tsv: line 8: has 2 columns"),
        (append("qrels.tsv", "q1\tgarda\thigh"), "qrels.tsv: line 8: the grade 'high' is no integer"),
        (lambda folder: (folder / "queries.jsonl").write_text("\n"), "queries.jsonl: holds no question"),
        (lambda folder: (folder / "queries.jsonl").write_bytes(b'{"text": "\xff"}'), "queries.jsonl: is not UTF-8"),
        (lambda folder: (folder / "corpus.jsonl").write_text(""), "corpus.jsonl: holds no passage"),
        (lambda folder: (folder / "qrels.tsv").write_text(""), "qrels.tsv: line 1: the file is empty"),
        (lambda folder: (folder / "queries.jsonl").unlink(), "lakes: no questions; put one of queries.jsonl"),
        (lambda folder: (folder / "corpus.jsonl").unlink(), "lakes: nothing to search; put corpus.jsonl"),
    ],
)
def test_bad_input_is_one_line_with_file_and_row(lakes: Path, change: Callable[[Path], object], told: str) -> None:
    change(lakes)

    with pytest.raises(InvalidDataset) as raised:
        read_dataset(lakes)

    assert told in str(raised.value)
    assert "\n" not in str(raised.value)
    assert str(lakes) in str(raised.value)


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataset, match=r"cannot be read \(Is a directory\); check the path"):
        list(rows_of(tmp_path))


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataset, match="nowhere: no such file or folder; put one of"):
        read_dataset(tmp_path / "nowhere")


def test_judgements_of_another_corpus_are_refused(lakes: Path) -> None:
    with_qrels(lakes, ("q1", "msmarco_1", 1), ("q2", "msmarco_2", 1), ("q3", "orta", 0))

    with pytest.raises(
        InvalidDataset, match=r"'msmarco_1' first, is in .*corpus.jsonl; these are judgements of another"
    ):
        read_dataset(lakes)


def test_judgements_of_other_questions_are_refused(lakes: Path) -> None:
    with_qrels(lakes, ("2082", "orta", 1))

    with pytest.raises(InvalidDataset, match=r"qrels.tsv: no question of the data set is judged"):
        read_dataset(lakes)


def test_a_table_without_a_column_of_questions_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_text("id;question\n1;Who?\n")

    with pytest.raises(InvalidDataset, match=r"q.csv: row 1: it has no 'question' or 'text'"):
        read_dataset(path)


def test_a_broken_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_text(f'question\n"{"x" * 200_000}"\n')

    with pytest.raises(InvalidDataset, match=r"q.csv: is not CSV \(field larger"):
        read_dataset(path)


def test_documents_that_are_not_there_are_found_by_any_list_of_ids(tmp_path: Path) -> None:
    dataset = chosen(read_dataset(a_question_file(tmp_path / "q.jsonl")), limit=1, sample=None, seed=0)

    assert missing_documents(dataset, ["como.md"], where="here") == [
        "4 relevant documents are not in here, first 'brandt.md'; they count as not found"
    ]
    with pytest.raises(InvalidDataset, match=r"q: no relevant document, 'brandt.md' first, is in here"):
        missing_documents(dataset, [], where="here")
