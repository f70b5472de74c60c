"""The rerankers that read a model in this process against the plain ways to do the same, and what bounds them.

Usage: make bench ONLY=rerank [SCALE=0.1]; BENCH_MODEL names another model, or the path of one.

20 made-up passages of about 75 words a question, cut from the sample collection in order. Ours and the peers compute in
float32 on the processor unless a row names another format; a peer and ours take turns, the median of 3 counts. Each
question is new to ours: prefix cache and memory of answers are empty.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from _table import Row, in_turns, less, more, report, scaled

from app.core import registry
from app.core.errors import AppError
from app.core.protocols import Reranker
from app.core.run import Run
from app.core.settings import load_settings
from app.core.types import DocId, Hit, Passage, PassageId, Prompt, Query, QueryId, Reranking, Sampling, StageScore
from app.models import catalog
from app.models._common.gguf_folder import converted
from app.models._common.hub import be_quiet_and_offline
from app.models.hf_causal import HFCausal, Options

if TYPE_CHECKING:  # torch waits until the peaks of memory are measured: a child begins with its parent's
    from _rerank_peers import Plain

DOCUMENTS = Path(__file__).parents[1] / "samples" / "spaceflight" / "documents"
MODEL = os.environ.get("BENCH_MODEL") or "qwen2.5-coder-0.5b-instruct-q4_k_m"
FORMAT = "float32 where a row names no other"
EVERY_LAYER = (0.0, 1.0)  # as in the paper, and as what it is compared with
PASSAGES = 20
ALONE = scaled(PASSAGES, least=5)  # passages of the rows where each has a prompt of its own, and of several questions
REPEATS = scaled(3)
TOGETHER = scaled(8, least=2)
WORDS = scaled(75, least=2)
LONG_PROMPT = scaled(1500, least=16)
QUESTIONS = (
    "Which spacecraft made the first soft landing on the Moon?",
    "Who commanded the crew that rehearsed the landing?",
    "When did the station leave its orbit?",
    "What went wrong during the second launch attempt?",
    "Which rocket carried the probe to Jupiter?",
    "How long did the longest spacewalk of the mission last?",
    "Where did the capsule splash down, and which ship recovered it?",
    "Who was the head of the agency when the programme ended?",
)

Pair = tuple[Query, list[Hit]]
Works = dict[str, Callable[[Pair], object]]


class Ours:
    """The product's model in one number format, and its rerankers as they meet questions never seen."""

    def __init__(self, path: Path, dtype: str) -> None:
        self.model = HFCausal(path, Options.model_validate({"model": MODEL, "dtype": dtype, "device": "cpu"}))
        self.loaded = self.model._model(Run())
        self.loaded.ends = frozenset()  # so that a ranking is written to its end, whatever the model would do
        self.model.first_token_logprobs([], choices=("A",), run=Run())  # reads the vocabulary, once

    def forget(self, *, cache_mib: int = 512) -> None:
        """Empty the prefix cache and give it that room."""
        from app.models._common.prefix_cache import PrefixCache

        self.loaded.cache = PrefixCache(cache_mib * 2**20)

    def fresh(self, name: str, **options: object) -> Reranker:
        """Return a reranker over an empty prefix cache."""
        self.forget()
        resources = SimpleNamespace(model_with=lambda capability: self.model)
        built: Reranker = registry.build("rerankers", name, options, resources)
        return built

    def rerank(self, name: str, pair: Pair, **options: object) -> list[Hit]:
        """Return the hits of one question in a reranker's order."""
        return _whole(self.fresh(name, **options).rerank(*pair, top_k=PASSAGES, run=Run()))

    def read(self, prompt: Prompt) -> None:
        """Read a prompt."""
        self.forget()
        self.model.first_token_logprobs([prompt], choices=("A",), run=Run())

    def write(self, prompt: Prompt, tokens: int) -> None:
        """Write so many tokens after a prompt, the likeliest each."""
        self.forget()
        self.model.generate([prompt], sampling=Sampling(max_tokens=tokens, temperature=0.0), run=Run())


def pairs(count: int, *, passages: int = PASSAGES) -> list[Pair]:
    """Return that many questions, each with passages of its own."""
    words, found = _words(), []
    for number, text in enumerate(QUESTIONS[:count]):
        places = range(number * passages, (number + 1) * passages)
        texts = [" ".join(words[place * WORDS : (place + 1) * WORDS]) for place in places]
        hits = [_hit(text, place, rank) for rank, (place, text) in enumerate(zip(places, texts, strict=True), start=1)]
        found.append((Query(query_id=QueryId(f"q{number}"), text=text), hits))
    return found


def memory_row() -> Row:
    """Return the row of each one's peak in a process of its own, weights and their loading included."""
    peaks = []
    for whose in ("ours", "plain"):
        done = subprocess.run([sys.executable, __file__, "--peak", whose], check=True, stdout=subprocess.PIPE)
        peaks.append(json.loads(done.stdout))
    return less("ICR, peak memory, against two whole eager passes (MiB)", *peaks)


def peak(whose: str, path: Path, folder: Path) -> float:
    """Return the most memory that this process held while it reranked one question, in MiB."""
    [pair] = pairs(1)
    if whose == "ours":
        Ours(path, "float32").rerank("attention", pair, layers=EVERY_LAYER)
    else:
        plain_model(folder).icr(pair)
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, KiB on Linux
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def icr_rows(ours: Ours, plain: "Plain") -> tuple[list[Row], float]:
    """Return the rows of attention, and the tokens a second of a bare prefill."""
    asked = pairs(REPEATS)
    works: Works = {
        "ours": partial(ours.rerank, "attention", layers=EVERY_LAYER),
        "as it ships": partial(ours.rerank, "attention"),
        "eager": plain.icr,
        "prefill": plain.prefill,
    }
    own, shipped, eager, prefill = in_turns(works, asked).values()
    rows = [
        less("ICR against two whole eager passes (s)", own.seconds, eager.seconds, 5.0),
        less("ICR against one SDPA prefill of its prompt (s)", own.seconds, prefill.seconds, round(1 / 1.2, 3)),
        less("ICR, its default layers alone, against that prefill (s)", shipped.seconds, prefill.seconds),
        _tau_row("ICR and two whole eager passes, Kendall tau of the rankings", own.results, eager.results, 1.0),
    ]
    return rows, sum(prefill.results) / len(asked) / prefill.seconds


def first_token_rows(ours: Ours, tokenizer: Any) -> list[Row]:
    """Return the rows of FIRST in one order against writing the ranking."""
    from _rerank_peers import permutation_prompt, permutation_tokens

    tokens = permutation_tokens(tokenizer, PASSAGES)
    first = partial(ours.rerank, "first_token", orders=1)
    works: Works = {
        "uncalibrated": partial(first, calibrated=False),
        "calibrated": first,
        "two places": partial(first, query_first=True),
        "written": lambda pair: ours.write(permutation_prompt(pair), tokens),
        "read": lambda pair: ours.write(permutation_prompt(pair), 1),
    }
    timed = in_turns(works, pairs(REPEATS)).values()
    uncalibrated, calibrated, two_places, written, read = (one.seconds for one in timed)
    return [
        less(f"FIRST, one order, uncalibrated, against writing {tokens} tokens (s)", uncalibrated, written, 2.0),
        less(f"FIRST, one order, calibrated, against writing {tokens} tokens (s)", calibrated, written, 1.7),
        less("their bound, 1 + decode/prefill: reading against reading and writing (s)", read, written),
        less("FIRST, calibrated, against the paper's prompt with the question twice (s)", calibrated, two_places),
    ]


def loop_rows(ours: Ours) -> list[Row]:
    """Return the rows of the rerankers that read one passage a prompt."""
    from _rerank_peers import likelihood_loop, pointwise_loop

    rows = []
    for name, loop in (("likelihood", likelihood_loop), ("pointwise", pointwise_loop)):
        works: Works = {"ours": partial(ours.rerank, name), "loop": partial(_looped, ours, loop)}
        own, peer = in_turns(works, pairs(REPEATS, passages=ALONE)).values()
        rows.append(less(f"{name} against one call a prompt (s)", own.seconds, peer.seconds, 2.0))
    return rows


def together_rows(ours: Ours, prefill: float) -> list[Row]:
    """Return throughput for several questions; their new tokens a second beside a bare prefill's say what bounds it."""
    asked, rows = pairs(TOGETHER, passages=ALONE), []
    asking: dict[str, dict[str, object]] = {
        "attention": {"layers": EVERY_LAYER},
        "first_token": {"orders": 1},
        "likelihood": {},
    }
    for name, options in asking.items():
        fresh, run = partial(ours.fresh, name, **options), Run()
        ways = {"alone": partial(_one_by_one, fresh), "together": partial(_at_once, fresh, run)}
        alone, together = (one.seconds for one in in_turns(ways, [asked]).values())
        spent, count = run.ledger.total(), TOGETHER * ALONE
        speed = (spent.prompt_tokens - spent.cached_tokens) / together
        many = f"{name}, {TOGETHER} questions at once"
        rows += [
            more(f"{many}, against one at a time (passages/s)", count / together, count / alone),
            more(f"{many}, against a bare prefill, its bound (new tokens/s)", speed, prefill),
        ]
    return rows


def format_rows(ours: Ours, path: Path, tokenizer: Any) -> Iterator[Row]:
    """Yield the rows of other number formats against float32: the same ranking by attention, and speed of a prefill."""
    asked = pairs(REPEATS)
    exact = [ours.rerank("attention", pair, layers=EVERY_LAYER) for pair in asked]
    ids = tokenizer(" ".join(_words()), add_special_tokens=False).input_ids[:LONG_PROMPT]
    prompts = [Prompt(name="bench/long", digest="", system="", user=tokenizer.decode(ids))] * REPEATS
    for dtype in ("int8", "bfloat16"):
        other = Ours(path, dtype)
        found = [other.rerank("attention", pair, layers=EVERY_LAYER) for pair in asked]
        yield _tau_row(f"ICR in {dtype} and in float32, Kendall tau of the rankings", found, exact, 0.98)
        coarse, fine = in_turns({dtype: other.read, "float32": ours.read}, prompts).values()
        yield less(f"prefill of {len(ids)} tokens in {dtype} against float32 (s)", coarse.seconds, fine.seconds)


def plain_model(folder: Path) -> "Plain":
    """Return the model as transformers runs it."""
    be_quiet_and_offline()
    from _rerank_peers import Plain

    return Plain(folder)


def rows(path: Path, folder: Path) -> Iterator[Row]:
    """Yield every row; memory first, since a child's peak begins with its parent's."""
    yield memory_row()
    ours, plain = Ours(path, "float32"), plain_model(folder)
    tokenizer = plain.tokenizer
    found, prefill = icr_rows(ours, plain)
    yield from found
    del plain
    yield from first_token_rows(ours, tokenizer)
    yield from loop_rows(ours)
    yield from together_rows(ours, prefill)
    yield from format_rows(ours, path, tokenizer)


def main() -> None:
    """Print the table and write it to results/rerank.json; `--peak` prints one process's memory alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peak", choices=("ours", "plain"), help=argparse.SUPPRESS)
    whose = parser.parse_args().peak
    try:
        path = catalog.resolve(MODEL, load_settings().models_dir)
        folder = path if path.is_dir() else converted(path, digest=catalog.digest_of(MODEL, path), check=lambda: None)
    except AppError as error:
        sys.exit(str(error))
    if whose:
        print(json.dumps(peak(whose, path, folder)))
    else:
        found = []
        for row in rows(path, folder):  # told as they come: the whole takes minutes
            print(f"{row.what}: {row.ratio:.3g}", file=sys.stderr, flush=True)
            found.append(row)
        import torch

        report("rerank", found, format=FORMAT, threads=torch.get_num_threads(), model=path.stem)


def _looped(ours: Ours, loop: Callable[[HFCausal, Pair], None], pair: Pair) -> None:
    ours.forget(cache_mib=0)
    loop(ours.model, pair)


def _one_by_one(fresh: Callable[[], Reranker], asked: Sequence[Pair]) -> None:
    reranker = fresh()
    for pair in asked:
        _whole(reranker.rerank(*pair, top_k=PASSAGES, run=Run()))


def _at_once(fresh: Callable[[], Reranker], run: Run, asked: Sequence[Pair]) -> None:
    for found in fresh().rerank_many(asked, top_k=PASSAGES, run=run):
        _whole(found)


def _whole(found: Reranking) -> list[Hit]:
    """Return the hits; an order that the model did not make is no benchmark."""
    if found.degraded is not None:
        sys.exit(f"the model did not rerank: {found.degraded.reason}")
    return list(found.hits)


def _tau_row(what: str, ours: Sequence[list[Hit]], wanted: Sequence[list[Hit]], goal: float) -> Row:
    """Return the mean over questions."""
    from scipy.stats import kendalltau

    taus = []
    for own, right in zip(ours, wanted, strict=True):
        places = {hit.passage.passage_id: place for place, hit in enumerate(right)}
        taus.append(float(kendalltau(range(len(own)), [places[hit.passage.passage_id] for hit in own]).statistic))
    return more(what, sum(taus) / len(taus), 1.0, goal)


def _words() -> list[str]:
    """Return the words of the sample collection's Markdown documents, in order, without their front matter."""
    files = sorted(DOCUMENTS.glob("*.md"))
    return [word for file in files for word in file.read_text(encoding="utf-8").split("---", 2)[-1].split()]


def _hit(text: str, number: int, rank: int) -> Hit:
    passage = Passage(
        passage_id=PassageId(f"d{number}@0#0"),
        doc_id=DocId(f"d{number}"),
        document_version="1",
        title="",
        text=text,
        start=0,
        end=len(text),
    )
    return Hit(passage=passage, stages=(StageScore(name="bench", rank=rank, score=1.0 / rank),))


if __name__ == "__main__":
    main()
