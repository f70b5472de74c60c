"""Orders by asking which of a few passages is best (setwise, arXiv 2310.09497; Rank-R1, arXiv 2503.06034, section 3).

With `reason` the model thinks before it picks, which is for larger models and costs a chain of thought a pick.

Cost: a reply a pick, one after the other; for the best 10 of 20 about 17 picks of 10 passages.
"""

from collections.abc import Callable, Generator, Sequence

from pydantic import Field

from app.core.prompts import load_prompt
from app.core.protocols import LanguageModel, Reranker
from app.core.registry import ComponentOptions, Resources
from app.core.run import Run
from app.core.types import Completion, Hit, Prompt, Query, Reranking, Sampling
from rerankers._common.cache import Remembered, key_of
from rerankers._common.heapsort import Group, heapsort
from rerankers._common.labels import labelled, numbers
from rerankers._common.passages import WORDS, shown, shown_query
from rerankers._common.replies import pick_in, pick_schema
from rerankers._common.scoring import LOWEST_COVERAGE
from rerankers._common.steps import REMEMBERED, Asked, Steps, Verdict, rerank_in_step

_TOKENS_OF_A_PICK = 16

Picks = dict[Group, int | None]


class Options(ComponentOptions):
    """How much is sorted, and how the model is asked."""

    depth: int = Field(default=20, ge=1, le=1000, description="candidates that are reranked; the rest follow in order")
    top: int = Field(default=10, ge=1, le=1000, description="places that are sorted; the rest follow as they came")
    children: int = Field(default=9, ge=1, le=25, description="passages in one prompt, less one")
    reason: bool = Field(default=False, description="the model reasons before each pick")
    reason_tokens: int = Field(default=512, ge=16, le=8192, description="most tokens of a reason and its pick")
    words: int = Field(default=WORDS, ge=1, le=10_000, description="words of a passage that the model reads")


class SetwiseReranker:
    """Sorts with a heap; passages stand in a prompt as the first stage had them, so nobody is favoured by a swap."""

    def __init__(self, model: LanguageModel, options: Options) -> None:
        self._model = model
        self._options = options
        self._prompt = load_prompt("rerankers", "setwise_reason" if options.reason else "setwise")
        tokens = options.reason_tokens if options.reason else _TOKENS_OF_A_PICK
        self._sampling = Sampling(max_tokens=tokens)
        self._memory: Remembered[Verdict] = Remembered(REMEMBERED)

    def rerank(self, query: Query, hits: Sequence[Hit], *, top_k: int, run: Run) -> Reranking:
        """Return the best `top_k` hits; the score is minus the rank, and coverage the share of picks that were told."""
        return self.rerank_many([(query, hits)], top_k=top_k, run=run)[0]

    def rerank_many(self, pairs: Sequence[tuple[Query, Sequence[Hit]]], *, top_k: int, run: Run) -> list[Reranking]:
        """Return one reranking per pair; picks of different questions are asked in one call."""

        def ask(prompts: Sequence[Prompt]) -> Sequence[Completion]:
            return self._model.generate(prompts, sampling=self._sampling, run=run)

        asked = [self._asked(query, hits, min(top_k, self._options.top)) for query, hits in pairs]
        return rerank_in_step(asked, ask, memory=self._memory, name="setwise", top_k=top_k)

    def _asked(self, query: Query, hits: Sequence[Hit], top: int) -> Asked[Completion]:
        seen = hits[: self._options.depth]
        key = key_of(self._prompt.digest, query.text, seen, self._options, top)
        return Asked(hits=hits, key=key, begin=lambda: self._steps(query, seen, top))

    def _steps(self, query: Query, hits: Sequence[Hit], top: int) -> Steps[Completion]:
        texts = [shown(hit.passage, words=self._options.words) for hit in hits]
        picks: Picks = {}
        pick = self._picker(shown_query(query.text), texts, picks)
        order = yield from heapsort(len(texts), top=top, children=self._options.children, pick=pick)
        told = sum(picked is not None for picked in picks.values())
        coverage = told / len(picks) if picks else 1.0
        if coverage < LOWEST_COVERAGE:
            return Verdict(coverage=coverage, reason="unparsable")
        return Verdict(order=tuple(order), coverage=coverage)

    def _picker(
        self, query: str, texts: Sequence[str], picks: Picks
    ) -> Callable[[Group], Generator[list[Prompt], Sequence[Completion], int]]:
        """Return what picks from a group, asked once for each; where the reply tells none, the first stage's best."""

        def pick(group: Group) -> Generator[list[Prompt], Sequence[Completion], int]:
            if group not in picks:
                [reply] = yield [self._ask_for(query, [texts[place] for place in group])]
                picks[group] = pick_in(reply.text, len(group))
            picked = picks[group]
            return group[0 if picked is None else picked]

        return pick

    def _ask_for(self, query: str, texts: Sequence[str]) -> Prompt:
        passages = labelled(texts, numbers(len(texts)))
        schema = pick_schema(len(texts), reason=self._options.reason)
        return self._prompt.render(schema=schema, query=query, passages=passages)


def build(options: Options, resources: Resources) -> Reranker:
    """Return the reranker."""
    return SetwiseReranker(resources.model_with(LanguageModel), options)
