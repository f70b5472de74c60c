"""A lexical index around any BM25 library: passages in, stems kept, scores fitted anew when they changed."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.core.digest import corpus_digest
from app.core.protocols import PassageSource
from app.core.run import Run
from app.core.types import Filter, Hit, Passage, PassageId
from indexes._common.hits import best_rows, passage_text, to_hits
from indexes._common.manifest import Manifest, check_content, read_manifest, reading
from indexes._common.tokens import Tokenizer


class Scorer(Protocol):
    """BM25 over a fixed list of texts."""

    def scores(self, tokens: Sequence[str]) -> NDArray[np.float32]:
        """Return one score per text, higher is better, 0 for a text without a query token."""
        ...


Fit = Callable[[list[list[str]]], Scorer]


class LexicalIndex:
    """Implements Index. A change costs nothing until the next search fits the scores anew."""

    def __init__(self, *, name: str, fit: Fit, recipe: Mapping[str, Any], passages: PassageSource) -> None:
        self.generation = 0
        self._name = name
        self._fit = fit
        self._tokenizer = Tokenizer()
        self._recipe = {**recipe, "tokenizer": self._tokenizer.recipe}
        self._passages = passages
        self._tokens: dict[PassageId, list[str]] = {}
        self._fitted: tuple[list[PassageId], Scorer] | None = None

    def add(self, passages: Iterable[Passage], *, run: Run) -> None:
        """Tokenise passages and keep their stems; a known id is replaced."""
        run.check()
        batch = list(passages)
        tokens = self._tokenizer.tokenize([passage_text(p.title, p.text) for p in batch])
        self._change({**self._tokens, **{p.passage_id: t for p, t in zip(batch, tokens, strict=True)}})

    def delete(self, passage_ids: Iterable[PassageId]) -> None:
        """Forget passages."""
        gone = set(passage_ids)
        self._change({key: tokens for key, tokens in self._tokens.items() if key not in gone})

    def search(self, texts: Sequence[str], *, top_k: int, run: Run, allowed: Filter | None = None) -> list[list[Hit]]:
        """Return the hits of each text by BM25; a passage without a query word is no hit."""
        run.check()
        if not any(self._tokens.values()) or not texts:
            return [[] for _ in texts]
        ids, scorer = self._scorer()
        mask = None
        if allowed is not None:
            live = self._passages.select(allowed)
            mask = np.fromiter((key in live for key in ids), dtype=np.bool_, count=len(ids))
        found = []
        for tokens in self._tokenizer.tokenize(texts):
            scores = scorer.scores(tokens) if tokens else np.zeros(len(ids), dtype=np.float32)
            rows = best_rows(scores, top_k=top_k, mask=mask)
            found.append([(ids[row], float(scores[row])) for row in rows])
        return to_hits(found, name=self._name, passages=self._passages)

    def live_ids(self) -> frozenset[PassageId]:
        """Return the ids of all passages."""
        return frozenset(self._tokens)

    def compact(self) -> None:
        """Do nothing: no tombstones are kept."""

    def save(self, folder: Path) -> None:
        """Write ids and stems, as numbers into a vocabulary, and the manifest."""
        vocabulary: dict[str, int] = {}
        numbers = [
            vocabulary.setdefault(token, len(vocabulary)) for tokens in self._tokens.values() for token in tokens
        ]
        np.savez(
            folder / "tokens.npz",
            numbers=np.array(numbers, dtype=np.uint32),
            lengths=np.array([len(tokens) for tokens in self._tokens.values()], dtype=np.uint32),
        )
        content = {"ids": list(self._tokens), "vocabulary": list(vocabulary)}
        (folder / "content.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        Manifest(
            component=self._name,
            recipe=self._recipe,
            corpus_digest=corpus_digest(self._tokens),
            passages=len(self._tokens),
            generation=self.generation,
        ).write(folder)

    def load(self, folder: Path) -> None:
        """Take over what `save` wrote; raises StaleIndex when it does not fit."""
        manifest = read_manifest(folder, component=self._name, recipe=self._recipe)
        with reading(folder):
            content = json.loads((folder / "content.json").read_text(encoding="utf-8"))
            with np.load(folder / "tokens.npz", allow_pickle=False) as arrays:
                words = np.array(content["vocabulary"], dtype=object)[arrays["numbers"]]
                pieces = np.split(words, np.cumsum(arrays["lengths"])[:-1]) if len(content["ids"]) else []
            self._tokens = {key: piece.tolist() for key, piece in zip(content["ids"], pieces, strict=True)}
        check_content(manifest, self._tokens, folder)
        self._fitted = None
        self.generation = manifest.generation

    def _change(self, tokens: dict[PassageId, list[str]]) -> None:
        self._tokens = tokens
        self._fitted = None
        self.generation += 1

    def _scorer(self) -> tuple[list[PassageId], Scorer]:
        if self._fitted is None:
            self._fitted = (list(self._tokens), self._fit(list(self._tokens.values())))
        return self._fitted
