"""How fast documents become published passages, embedding left out: read, split, store, save.

Usage: python benchmarks/bench_ingest.py PATH... [--tokenizer FILE]
`FILE` is a tokenizer.json; without one, words and marks are counted.
"""

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.core.run import Run
from app.core.settings import Ingest
from app.core.types import Passage, PassageId
from app.ingest.pipeline import Pipeline
from app.store.collections import Collections
from app.store.database import Database


class IdIndex:
    """An index that knows ids and finds nothing."""

    def __init__(self) -> None:
        self.generation = 0
        self._ids: set[PassageId] = set()

    def add(self, passages: Iterable[Passage], *, run: Run) -> None:
        """Keep the ids."""
        self._ids.update(passage.passage_id for passage in passages)

    def delete(self, passage_ids: Iterable[PassageId]) -> None:
        """Forget the ids."""
        self._ids.difference_update(passage_ids)

    def live_ids(self) -> frozenset[PassageId]:
        """Return the ids."""
        return frozenset(self._ids)

    def save(self, folder: Path) -> None:
        """Write the ids."""
        (folder / "ids.json").write_text(json.dumps(sorted(self._ids)))

    def load(self, folder: Path) -> None:
        """Read the ids."""
        self._ids = set(json.loads((folder / "ids.json").read_text()))

    def compact(self) -> None:
        """Do nothing."""

    def search(self, texts: Sequence[str], **_options: Any) -> list[list[Any]]:
        """Find nothing."""
        return [[] for _ in texts]


class Counter:
    """Counts tokens with a tokenizer file, or words and marks."""

    max_tokens = 256

    def __init__(self, file: Path | None) -> None:
        self._tokenizer: Any = None
        if file is not None:
            from tokenizers import Tokenizer

            self._tokenizer = Tokenizer.from_file(str(file))
            self._tokenizer.no_truncation()
            self._tokenizer.no_padding()

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text, two special ones included."""
        if self._tokenizer is None:
            return [2 + len(re.findall(r"\w+|[^\w\s]", text)) for text in texts]
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts))]


def main() -> None:
    """Ingest each path into a collection of its own, twice, and print seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--tokenizer", type=Path)
    arguments = parser.parse_args()
    counter = Counter(arguments.tokenizer)
    for path in arguments.paths:
        with tempfile.TemporaryDirectory() as folder:
            database = Database.open(Path(folder) / "gnomon.db")
            Collections(database).create("bench")
            for attempt in ("first", "again"):
                pipeline = Pipeline(
                    collection_id="bench",
                    database=database,
                    indexes={"lexical": IdIndex(), "dense": IdIndex()},
                    counter=counter,
                    settings=Ingest(),
                    folder=Path(folder) / "collections" / "bench",
                )
                started = time.perf_counter()
                report = pipeline.run([path], run=Run())
                seconds = time.perf_counter() - started
                documents = report.added + report.replaced + report.unchanged
                print(
                    f"{path.parent.name}/{path.name} {attempt}: {documents} documents, {report.passages} passages, "
                    f"{len(report.failed)} failed, {seconds:.2f} s, {report.passages / seconds:.0f} passages/s"
                )
                for failure in report.failed[:5]:
                    print(f"  {failure}")
            database.close()


if __name__ == "__main__":
    main()
