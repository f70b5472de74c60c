import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidDataset
from app.evaluation.trec import in_trec_order, read_qrels, read_run, write_qrels, write_run

words = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=8)
scores = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, 1.0, 1.0 + 1e-12])
rankings = st.dictionaries(words, scores, min_size=1, max_size=6).map(lambda hits: tuple(hits.items()))


def a_file(folder: Path, content: str) -> Path:
    path = folder / "file.txt"
    path.write_text(content, encoding="utf-8")
    return path


def test_a_run_is_ordered_by_its_scores_and_not_by_ranks_or_lines(tmp_path: Path) -> None:
    path = a_file(tmp_path, "q2 Q0 x 1 -0.5 t\nq1 Q0 low 1 2 t\n\nq1\tQ0\thigh  2 1e1 t\r\nq2 Q0 y 2 0.5 t\n")

    assert read_run(path) == {"q2": (("y", 0.5), ("x", -0.5)), "q1": (("high", 10.0), ("low", 2.0))}


def test_equal_scores_are_ordered_by_document_id_last_first(tmp_path: Path) -> None:
    path = a_file(tmp_path, "q Q0 d10 1 7 t\nq Q0 d9 2 7 t\nq Q0 é 3 7 t\nq Q0 z 4 7 t\n")

    assert [doc for doc, _ in read_run(path)["q"]] == ["é", "z", "d9", "d10"]


def test_scores_that_a_32_bit_float_cannot_tell_apart_are_equal() -> None:
    nearest = 1.0 + 2**-23  # the next 32-bit float after 1

    assert in_trec_order([("a", 1.0 + 1e-12), ("b", 1.0)]) == (("b", 1.0), ("a", 1.0 + 1e-12))
    assert in_trec_order([("a", nearest), ("b", 1.0)]) == (("a", nearest), ("b", 1.0))
    assert in_trec_order([("a", 1e300), ("b", 1e200)]) == (("b", 1e200), ("a", 1e300))  # both beyond it: infinite
    assert in_trec_order([]) == ()


@given(st.dictionaries(words, rankings, min_size=1, max_size=4))
def test_a_run_is_read_as_it_was_written(run: dict[str, tuple[tuple[str, float], ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.trec"
        write_run(path, run, "tag")

        assert read_run(path) == {query_id: in_trec_order(ranking) for query_id, ranking in run.items()}


@given(st.dictionaries(words, st.dictionaries(words, st.integers(-2, 9), min_size=1), min_size=1, max_size=4))
def test_qrels_are_read_as_they_were_written(qrels: dict[str, dict[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "qrels.txt"
        write_qrels(path, qrels)

        assert read_qrels(path) == qrels


def test_a_written_run_has_the_columns_of_trec_and_ranks_from_1(tmp_path: Path) -> None:
    write_run(tmp_path / "run.trec", {"q": (("a", 0.1), ("b", 3.0)), "nothing found": ()}, "gnomon")

    assert (tmp_path / "run.trec").read_text() == "q Q0 b 1 3.0 gnomon\nq Q0 a 2 0.1 gnomon\n"
    assert [file.name for file in tmp_path.iterdir()] == ["run.trec"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_beir_qrels_are_known_by_their_header(tmp_path: Path, mark: str) -> None:
    path = a_file(tmp_path, f"{mark}query-id\tcorpus-id\tscore\nq1\tSaturn V\t2\nq1\tMir\t0\r\n")

    assert read_qrels(path) == {"q1": {"Saturn V": 2, "Mir": 0}}


def test_trec_qrels_have_four_columns_and_grades_below_0(tmp_path: Path) -> None:
    path = a_file(tmp_path, "q1 0 a 3\nq2 0 a 0\nq1 0 spam -2\n")

    assert read_qrels(path) == {"q1": {"a": 3, "spam": -2}, "q2": {"a": 0}}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("q Q0 a 1 2 t\nq Q0 b 2 1\n", "line 2: has 5 columns; write the six 'qid Q0 docid rank score tag'"),
        ("q Q0 the id 1 2 t\n", "line 1: has 7 columns"),
        ("\nq Q0 a 1 nan t\n", "line 2: the score 'nan' is not finite; write a finite one or remove the line"),
        ("q Q0 a 1 -inf t\n", "line 1: the score '-inf' is not finite"),
        ("q Q0 a 1 1e999 t\n", "line 1: the score '1e999' is not finite"),
        ("q Q0 a 1 high t\n", "line 1: the score 'high' is no number; write one"),
        ("q Q0 a 1 2 t\np Q0 a 1 2 t\nq Q0 a 2 1 t\n", "line 3: question 'q' has document 'a' twice; remove one of"),
        (" \n\n", "line 1: the file is empty; write it anew"),
    ],
)
def test_a_bad_run_is_refused_with_file_line_and_remedy(tmp_path: Path, content: str, problem: str) -> None:
    path = a_file(tmp_path, content)

    with pytest.raises(InvalidDataset) as refused:
        read_run(path)

    assert str(refused.value).startswith(f"{path}: {problem}")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("q 0 a 1\nq a 1\n", "line 2: has 3 columns; write the four 'qid 0 docid grade', or begin a BEIR file with"),
        ("q 0 a 1.0\n", "line 1: the grade '1.0' is no integer; write one, 0 for not relevant"),
        ("q 0 a 100000000\n", "line 1: the grade 100000000 is beyond 1000; write a smaller one"),
        ("q 0 a 1\nq 0 a 0\n", "line 2: question 'q' has document 'a' twice; remove one of the lines"),
        ("", "line 1: the file is empty; write it anew"),
        ("query-id\tcorpus-id\tscore\n", "line 1: a header and nothing below it; add the judgements"),
        ("query-id\tcorpus-id\tscore\nq a 1\n", "line 2: has 1 columns; write three, with a tab between two"),
        ("query-id\tcorpus-id\tscore\nq\t\t1\n", "line 2: has 2 columns; write three, with a tab between two"),
        ("query-id\tcorpus-id\tscore\nq\ta\thigh\n", "line 2: the grade 'high' is no integer"),
    ],
)
def test_bad_qrels_are_refused_with_file_line_and_remedy(tmp_path: Path, content: str, problem: str) -> None:
    path = a_file(tmp_path, content)

    with pytest.raises(InvalidDataset) as refused:
        read_qrels(path)

    assert str(refused.value).startswith(f"{path}: {problem}")


def test_a_file_that_is_absent_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.trec").write_bytes("q Q0 é 1 2 t\n".encode("latin-1"))

    with pytest.raises(InvalidDataset, match=r"none\.trec: cannot be read \(No such file or directory\); check the"):
        read_run(tmp_path / "none.trec")
    with pytest.raises(InvalidDataset, match=r"latin\.trec: byte 5 is not UTF-8; save the file as UTF-8"):
        read_qrels(tmp_path / "latin.trec")


@pytest.mark.parametrize(
    ("query_id", "doc_id", "score", "tag", "problem"),
    [
        ("q", "Saturn V", 1.0, "t", "'Saturn V' is empty or holds white space, as no column may; rename it"),
        ("q", "a\u00a0b", 1.0, "t", "holds white space"),
        ("", "a", 1.0, "t", "'' is empty"),
        ("q", "a", 1.0, "my run", "'my run' is empty or holds white space"),
        ("q", "a", float("nan"), "t", "question 'q' has the score nan; give it finite ones"),
    ],
)
def test_what_a_run_cannot_hold_is_not_written_and_the_file_stays(
    tmp_path: Path, query_id: str, doc_id: str, score: float, tag: str, problem: str
) -> None:
    path = a_file(tmp_path, "q Q0 a 1 2 t\n")

    with pytest.raises(InvalidDataset, match=problem):
        write_run(path, {"before": (("a", 1.0),), query_id: ((doc_id, score),)}, tag)

    assert path.read_text() == "q Q0 a 1 2 t\n"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_qrels_with_white_space_in_an_id_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataset, match=r"qrels\.txt: 'Saturn V' is empty or holds white space"):
        write_qrels(tmp_path / "qrels.txt", {"q": {"Saturn V": 1}})
