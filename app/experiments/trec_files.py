"""The rankings of a run in TREC's form, for `gnomon rerank` and every other tool that reads it."""

from collections.abc import Sequence
from pathlib import Path

from app.core.errors import InvalidDataset
from app.evaluation.records import Record
from app.evaluation.trec import write_run

FINAL, FIRST_STAGE = "run.trec", "first_stage.trec"


def write_runs(folder: Path, records: Sequence[Record], *, tag: str) -> list[str]:
    """Write the final rankings and, where a reranker made them, those that it was given; return what is odd.

    An id that TREC's columns cannot hold leaves its file unwritten, with a warning: the result is no worse for it.
    """
    finals = {one.query_id: one.ranking for one in records}
    firsts = {one.query_id: one.first_stage for one in records if one.first_stage is not None}
    odd = []
    for name, rankings in ((FINAL, finals), (FIRST_STAGE, firsts)):
        try:
            if rankings:
                write_run(folder / name, rankings, tag)
        except InvalidDataset as error:
            odd.append(f"{name} is not written: {error}")
    return odd


def remove_runs(folder: Path) -> None:
    """Remove what `write_runs` wrote, for it is of other records."""
    for name in (FINAL, FIRST_STAGE):
        (folder / name).unlink(missing_ok=True)
