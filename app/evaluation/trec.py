"""TREC's files: runs (`qid Q0 docid rank score tag`) and qrels (`qid 0 docid grade`, or BEIR's table with a header).

The order of a ranking is trec_eval's, here and in every metric: highest score first, scores compared as 32-bit floats,
equal ones by document id, last id first. The rank column and the order of the lines say nothing
(trec_eval 9, form_res_rels.c, comp_sim_docno).
"""

from array import array
from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from pathlib import Path
from typing import TypeVar

from app.core.errors import InvalidDataset
from app.core.files import write_whole
from app.evaluation.records import Ranking

_Value = TypeVar("_Value", int, float)

_BEIR_HEADER = ["query-id", "corpus-id", "score"]
_BEIR_COLUMNS = 3
_RUN_COLUMNS = 6
_QRELS_COLUMNS = 4
_HIGHEST_GRADE = 1000  # trec_eval keeps a counter for every grade up to the highest: 10**8 take it seconds


def in_trec_order(hits: Iterable[tuple[str, float]]) -> Ranking:
    """Return the hits in trec_eval's order, each with the score it came with."""
    listed = list(hits)
    compared = array("f", [score for _, score in listed])
    return tuple([hit for _, hit in sorted(zip(compared, listed, strict=True), reverse=True)])


def read_run(path: Path) -> dict[str, Ranking]:
    """Return each question's ranking in trec_eval's order, questions as they first come.

    Raises:
        InvalidDataset: the file cannot be read, holds nothing or a bad line.
    """
    found = _collect(path, _lines(path), _run_row)
    return {query_id: in_trec_order(scores.items()) for query_id, scores in found.items()}


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Return each question's judged documents with their grades, 0 and below included.

    TREC's columns end at white space, those of BEIR at tabs, so BEIR's ids may hold spaces.

    Raises:
        InvalidDataset: the file cannot be read, holds nothing or a bad line.
    """
    lines = _lines(path)
    if lines[0][1].split() == _BEIR_HEADER:
        return _collect(path, lines[1:], _beir_row)
    return _collect(path, lines, _qrels_row)


def write_run(path: Path, rankings: Mapping[str, Ranking], tag: str) -> None:
    """Write the rankings in trec_eval's order, ranks from 1, in one step; an empty one leaves no line.

    Raises:
        InvalidDataset: an id or the tag is empty or holds white space, or a score is not finite.
    """
    _write(
        path,
        (
            (query_id, "Q0", doc_id, str(rank), _written(path, query_id, score), tag)
            for query_id, ranking in rankings.items()
            for rank, (doc_id, score) in enumerate(in_trec_order(ranking), start=1)
        ),
    )


def write_qrels(path: Path, qrels: Mapping[str, Mapping[str, int]]) -> None:
    """Write the grades in TREC's four columns in one step; a question without any leaves no line.

    Raises:
        InvalidDataset: an id is empty or holds white space.
    """
    _write(path, ((query_id, "0", doc, str(grade)) for query_id, docs in qrels.items() for doc, grade in docs.items()))


def _lines(path: Path) -> list[tuple[int, str]]:
    """Return the lines that are not blank, each with its number from 1."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidDataset(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise InvalidDataset(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line and not line.isspace()]
    if not lines:
        raise InvalidDataset(f"{path}: line 1: the file is empty; write it anew")
    return lines


def _collect(
    path: Path, lines: Iterable[tuple[int, str]], read_row: Callable[[str], tuple[str, str, _Value]]
) -> dict[str, dict[str, _Value]]:
    found: dict[str, dict[str, _Value]] = {}
    for number, line in lines:
        try:
            query_id, doc_id, value = read_row(line)
        except ValueError as error:
            raise InvalidDataset(f"{path}: line {number}: {error}") from error
        of_question = found.setdefault(query_id, {})
        if doc_id in of_question:
            raise InvalidDataset(
                f"{path}: line {number}: question '{query_id}' has document '{doc_id}' twice; remove one of the lines"
            )
        of_question[doc_id] = value
    if not found:
        raise InvalidDataset(f"{path}: line 1: a header and nothing below it; add the judgements")
    return found


def _run_row(line: str) -> tuple[str, str, float]:
    columns = line.split()
    if len(columns) != _RUN_COLUMNS:
        raise ValueError(f"has {len(columns)} columns; write the six 'qid Q0 docid rank score tag'")
    return columns[0], columns[2], _score(columns[4])


def _qrels_row(line: str) -> tuple[str, str, int]:
    columns = line.split()
    if len(columns) != _QRELS_COLUMNS:
        header = "<tab>".join(_BEIR_HEADER)
        raise ValueError(
            f"has {len(columns)} columns; write the four 'qid 0 docid grade', or begin a BEIR file with '{header}'"
        )
    return columns[0], columns[2], _grade(columns[3])


def _beir_row(line: str) -> tuple[str, str, int]:
    columns = line.split("\t")
    if len(columns) != _BEIR_COLUMNS or not all(columns):
        raise ValueError(f"has {sum(map(bool, columns))} columns; write three, with a tab between two")
    return columns[0], columns[1], _grade(columns[2])


def _score(text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        raise ValueError(f"the score '{text}' is no number; write one") from None
    if not isfinite(score):
        raise ValueError(f"the score '{text}' is not finite; write a finite one or remove the line")
    return score


def _grade(text: str) -> int:
    try:
        grade = int(text)
    except ValueError:
        raise ValueError(f"the grade '{text}' is no integer; write one, 0 for not relevant") from None
    if abs(grade) > _HIGHEST_GRADE:
        raise ValueError(f"the grade {text} is beyond {_HIGHEST_GRADE}; write a smaller one")
    return grade


def _written(path: Path, query_id: str, score: float) -> str:
    if not isfinite(score):
        raise InvalidDataset(f"{path}: question '{query_id}' has the score {score}; give it finite ones")
    return repr(float(score))  # the shortest that reads back as the same number


def _write(path: Path, rows: Iterable[tuple[str, ...]]) -> None:
    lines = []
    for row in rows:
        for word in row:
            if word.split() != [word]:
                raise InvalidDataset(f"{path}: '{word}' is empty or holds white space, as no column may; rename it")
        lines.append(" ".join(row) + "\n")
    write_whole(path, "".join(lines))
