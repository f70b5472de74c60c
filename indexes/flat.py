"""Exact dense search: inner products over all vectors, through FAISS (Johnson et al., arXiv 1702.08734)."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.core.digest import corpus_digest
from app.core.protocols import Embedder, PassageSource
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from app.core.types import Filter, Hit, Passage, PassageId
from indexes._common.hits import passage_text, to_hits
from indexes._common.manifest import Manifest, check_content, read_manifest, reading

_NAME = "flat"
_parameters: Any = faiss.SearchParameters  # its keywords are added at run time


class Options(ComponentOptions):
    """Where the vectors are searched."""

    gpu: bool = Field(default=True, description="search on the first GPU where FAISS sees one")


class FlatIndex:
    """Implements Index over unit vectors; scores are cosines."""

    def __init__(self, options: Options, *, embedder: Embedder, passages: PassageSource) -> None:
        self.generation = 0
        self._embedder = embedder
        self._passages = passages
        self._on_gpu = options.gpu and _gpu_count() > 0
        self._ids: dict[int, PassageId] = {}
        self._rows: dict[PassageId, int] = {}
        self._next_row = 0
        self._vectors: Any = None
        self._searched: Any = None

    def add(self, passages: Iterable[Passage], *, run: Run) -> None:
        """Embed passages and keep their vectors; a known id is replaced."""
        batch = list({p.passage_id: p for p in passages}.values())
        if not batch:
            return
        vectors = self._embedder.embed([passage_text(p.title, p.text) for p in batch], run=run)
        self.delete(p.passage_id for p in batch)
        rows = np.arange(self._next_row, self._next_row + len(batch), dtype=np.int64)
        self._storage().add_with_ids(vectors, rows)
        self._next_row += len(batch)
        for row, passage in zip(rows.tolist(), batch, strict=True):
            self._ids[row] = passage.passage_id
            self._rows[passage.passage_id] = row
        self._changed()

    def delete(self, passage_ids: Iterable[PassageId]) -> None:
        """Remove vectors; flat storage gives their space back at once."""
        rows = [self._rows.pop(key) for key in set(passage_ids) if key in self._rows]
        if not rows:
            return
        for row in rows:
            del self._ids[row]
        self._storage().remove_ids(np.array(rows, dtype=np.int64))
        self._changed()

    def search(self, texts: Sequence[str], *, top_k: int, run: Run, allowed: Filter | None = None) -> list[list[Hit]]:
        """Return the hits of each text by cosine."""
        run.check()
        if not self._ids or not texts:
            return [[] for _ in texts]
        queries = self._embedder.embed(texts, run=run)
        live = None if allowed is None else self._passages.select(allowed) & self._rows.keys()
        found = [
            [(self._ids[row], score) for row, score in one] for one in self._nearest(queries, top_k=top_k, live=live)
        ]
        return to_hits(found, name=_NAME, passages=self._passages)

    def live_ids(self) -> frozenset[PassageId]:
        """Return the ids of all passages."""
        return frozenset(self._rows)

    def compact(self) -> None:
        """Do nothing: no tombstones are kept."""

    def save(self, folder: Path) -> None:
        """Write vectors, ids and the manifest."""
        faiss.write_index(self._storage(), str(folder / "vectors.faiss"))
        content = {"rows": list(self._ids), "ids": list(self._ids.values()), "next_row": self._next_row}
        (folder / "content.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        Manifest(
            component=_NAME,
            recipe=self._recipe(),
            corpus_digest=corpus_digest(self._rows),
            passages=len(self._rows),
            generation=self.generation,
        ).write(folder)

    def load(self, folder: Path) -> None:
        """Take over what `save` wrote; raises StaleIndex when it does not fit."""
        manifest = read_manifest(folder, component=_NAME, recipe=self._recipe())
        with reading(folder):
            content = json.loads((folder / "content.json").read_text(encoding="utf-8"))
            self._vectors = faiss.read_index(str(folder / "vectors.faiss"))
            self._ids = dict(zip(content["rows"], content["ids"], strict=True))
            self._rows = {key: row for row, key in self._ids.items()}
            self._next_row = content["next_row"]
        check_content(manifest, self._rows, folder)
        self._changed()
        self.generation = manifest.generation

    def _recipe(self) -> dict[str, Any]:
        return {"embedder": self._embedder.fingerprint, "dim": self._embedder.dim}

    def _storage(self) -> Any:
        if self._vectors is None:
            self._vectors = faiss.IndexIDMap2(faiss.IndexFlatIP(self._embedder.dim))
        return self._vectors

    def _changed(self) -> None:
        self._searched = None
        self.generation += 1

    def _nearest(
        self, queries: NDArray[np.float32], *, top_k: int, live: frozenset[PassageId] | None
    ) -> list[list[tuple[int, float]]]:
        if self._on_gpu:
            return self._nearest_by_overfetching(queries, top_k=top_k, live=live)
        k = min(top_k, len(self._ids) if live is None else len(live))
        if k == 0:
            return [[] for _ in queries]
        parameters = None
        if live is not None:
            rows = np.fromiter((self._rows[key] for key in live), dtype=np.int64, count=len(live))
            parameters = _parameters(sel=faiss.IDSelectorBatch(rows))
        scores, rows = self._storage().search(queries, k, params=parameters)
        return [
            list(zip(found.tolist(), cosines.tolist(), strict=True))
            for found, cosines in zip(rows, scores, strict=True)
        ]

    def _nearest_by_overfetching(
        self, queries: NDArray[np.float32], *, top_k: int, live: frozenset[PassageId] | None
    ) -> list[list[tuple[int, float]]]:
        """Search without a selector, which stock GPU indexes ignore, and fetch more until enough are live.

        SEE: https://github.com/facebookresearch/faiss/issues/3114
        """
        if self._searched is None:
            self._searched = _to_gpu(self._storage()) if self._on_gpu else self._storage()
        wanted = min(top_k, len(self._ids) if live is None else len(live))
        fetched = min(len(self._ids), top_k)
        while True:
            scores, rows = self._searched.search(queries, fetched)
            kept = [
                [
                    pair
                    for pair in zip(r.tolist(), s.tolist(), strict=True)
                    if live is None or self._ids[pair[0]] in live
                ]
                for r, s in zip(rows, scores, strict=True)
            ]
            if fetched == len(self._ids) or all(len(one) >= wanted for one in kept):
                return [one[:top_k] for one in kept]
            fetched = min(len(self._ids), fetched * 4)


def build(options: Options, resources: Resources) -> FlatIndex:
    """Return an empty index over the collection in hand."""
    return FlatIndex(options, embedder=resources.embedder, passages=resources.passages)


def _gpu_count() -> int:
    return int(faiss.get_num_gpus()) if hasattr(faiss, "StandardGpuResources") else 0


def _to_gpu(index: Any) -> Any:
    return faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
