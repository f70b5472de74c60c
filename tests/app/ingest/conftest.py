import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.core.run import Run
from app.core.settings import Ingest
from app.core.types import DocId, Filter, Passage, PassageId
from app.ingest.pipeline import Pipeline
from app.ingest.records import IngestReport
from app.store.collections import Collections
from app.store.database import Database
from app.store.documents import Documents
from app.store.passages import Passages


class RecordingIndex:
    """Keeps ids; `before_add` and `before_save` stand for what can go wrong."""

    def __init__(self) -> None:
        self.generation = 0
        self.ids: set[PassageId] = set()
        self.added: list[PassageId] = []
        self.before_add: Callable[[], None] = lambda: None
        self.before_save: Callable[[], None] = lambda: None

    def add(self, passages: Iterable[Passage], *, run: Run) -> None:
        self.before_add()
        run.check()
        for passage in passages:
            self.ids.add(passage.passage_id)
            self.added.append(passage.passage_id)

    def delete(self, passage_ids: Iterable[PassageId]) -> None:
        self.ids.difference_update(passage_ids)

    def live_ids(self) -> frozenset[PassageId]:
        return frozenset(self.ids)

    def save(self, folder: Path) -> None:
        (folder / "ids.json").write_text(json.dumps(sorted(self.ids)), encoding="utf-8")
        self.before_save()

    def load(self, folder: Path) -> None:
        self.ids = set(json.loads((folder / "ids.json").read_text(encoding="utf-8")))

    def compact(self) -> None: ...

    def search(self, texts: Sequence[str], **_options: Any) -> list[list[Any]]:
        return [[] for _ in texts]


class WordCounter:
    max_tokens = 256

    def count(self, texts: Sequence[str]) -> list[int]:
        return [2 + len(re.findall(r"\w+|[^\w\s]", text)) for text in texts]


@dataclass
class Desk:
    """A collection, a folder of files and the means to ingest them; each `ingest` is a new process's pipeline."""

    folder: Path
    data: Path
    database: Database
    first: RecordingIndex
    second: RecordingIndex

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def pipeline(self, **settings: Any) -> Pipeline:
        self.first, self.second = RecordingIndex(), RecordingIndex()
        return Pipeline(
            collection_id="space",
            database=self.database,
            indexes={"lexical": self.first, "dense": self.second},
            counter=WordCounter(),
            settings=Ingest(**settings),
            folder=self.data / "collections" / "space",
        )

    def ingest(self, *paths: Path, run: Run | None = None, force: bool = False, **settings: Any) -> IngestReport:
        return self.pipeline(**settings).run(list(paths) or [self.folder], run=run or Run(), force=force)

    @property
    def documents(self) -> Documents:
        return Documents(self.database, "space")

    def states(self) -> dict[DocId, str]:
        return {row.doc_id: row.state for row in self.documents.list()}

    def text(self, doc_id: str) -> str:
        return self.documents.get(DocId(doc_id)).text

    def check_published(self) -> None:
        """The published folder, the digest and the ready passages say the same."""
        collection = Collections(self.database).get("space")
        passages = Passages(self.database, "space")
        ready = passages.select(Filter())
        assert collection.index_digest == passages.digest()
        for name in ("lexical", "dense"):
            index = RecordingIndex()
            index.load(self.data / "collections" / "space" / "index" / str(collection.generation) / name)
            assert index.live_ids() == ready


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    database = Database.open(tmp_path / "data" / "gnomon.db", busy_seconds=0.2)
    Collections(database).create("space")
    folder = tmp_path / "files"
    folder.mkdir()
    yield Desk(folder, tmp_path / "data", database, RecordingIndex(), RecordingIndex())
    database.close()
