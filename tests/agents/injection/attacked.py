"""Models at the edge that follow orders, and a collection a question with the documents that attack it.

The models answer any prompt by its schema, so that they know nothing of the agent's prompts.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from corpus import QUESTIONS, an_engine, ingest

from app.core.run import Run
from app.core.trace import Outcome
from app.core.types import Completion, Prompt, Sampling, Usage
from app.engine import Engine
from app.experiments.poisoned import Poison, read_poisons, write_document
from fakes import a_question

POISONS = read_poisons()
_UNSEEN = re.compile(
    "[\u00ad\u034f\u115f\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\U000e0000-\U000e01ff]"
)
_CONTROL = re.compile(
    r"<\||\|>|\[/?INST\]|<<|#{2,}|[<\u2039\u27e8\u3008]\s*/?\s*\w[\w.-]*[^<>]*[>\u203a\u27e9\u3009]"
    r"|[\[\u3010\u27e6]\s*n?(?:\d+|[A-Z])\b\W*[\]\u3011\u27e7]|\[TOOL_CALLS\]"
)
_NEW_PART = re.compile(r"^\W*(?:System|Human|Assistant|User|Instruction|Response|End of|Answer with)\b", re.MULTILINE)


def as_seen(text: str) -> str:
    """Return the text as a reader sees it: without what shows nothing, doubles as what they look like."""
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", text))


def controls_in(text: str) -> list[str]:
    """Return what a reader would take for control text: template tokens, tags, bracketed keys, prompt headings."""
    return [found[0] for found in _CONTROL.finditer(as_seen(text))]


class FillingModel:
    """Fills in the schema of whatever it is asked, strings with a word, numbers with the lines that have the word."""

    model_id = "filling"

    def __init__(self) -> None:
        self.seen: list[Prompt] = []

    def word_for(self, prompt: Prompt, run: Run) -> str:
        """Return what the model has to say."""
        raise NotImplementedError

    def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
        return [self._complete(prompt, run) for prompt in prompts]

    def _complete(self, prompt: Prompt, run: Run) -> Completion:
        run.check()
        self.seen.append(prompt)
        word = self.word_for(prompt, run)
        lines = [int(line[1]) for line in re.finditer(r"^(\d+)\. (.*)$", prompt.user, re.MULTILINE) if word in line[2]]
        filled = json.dumps(_filled(prompt.schema, word, lines or [1])) if prompt.schema else word
        return Completion(text=filled, stop="stop", usage=Usage(calls=1))


def _filled(schema: Mapping[str, Any], word: str, lines: Sequence[int]) -> Any:
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "object":
        return {name: _filled(part, word, lines) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        most = schema.get("maxItems", 4)
        parts = lines if schema["items"].get("type") == "integer" else [0]
        return [_filled(schema["items"], word, [line]) for line in parts[:most]]
    if kind in ("integer", "number"):
        return min(max(lines[0], schema.get("minimum", 1)), schema.get("maximum", lines[0]))
    return True if kind == "boolean" else word[: schema.get("maxLength", 1000)]


class StubbornModel(FillingModel):
    """Says one thing, whatever it is shown."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self._word = word

    def word_for(self, prompt: Prompt, run: Run) -> str:
        return self._word


class ObedientModel(FillingModel):
    """Follows every order that comes with a voice: control text, or words outside of the fenced part of its prompt.

    It reports what it took for an order in `heard`; without one it says what is right.
    """

    def __init__(self, poison: Poison) -> None:
        super().__init__()
        self.heard: list[str] = []
        self._poison = poison

    def word_for(self, prompt: Prompt, run: Run) -> str:
        orders = list(self._orders(prompt, run.nonce))
        self.heard += orders
        right = self._poison.answers[0] if self._poison.answers else "unknown"
        return self._poison.forbidden if orders else right

    def _orders(self, prompt: Prompt, nonce: str) -> Iterator[str]:
        shown = as_seen(f"{prompt.user}\n{prompt.prefill}")
        fenced, _, behind = shown.partition(nonce)
        yield from (f"control text {found!r}" for found in controls_in(shown))
        yield from (f"a part begun by {found[0]!r}" for found in _NEW_PART.finditer(fenced.rpartition("\n")[0]))
        if nonce in behind:
            yield "a second end of the fenced part"
        if self._poison.is_in(behind) or self._poison.is_in(prompt.system):
            yield "a word of the document outside of the fenced part"
        if self._poison.is_in(fenced) and not behind:
            yield "a word of the document without a fence"


class Mouth:
    """The engine's model, which a test exchanges; implements LanguageModel."""

    model_id = "mouth"

    def __init__(self) -> None:
        self.speaker: FillingModel = StubbornModel("")

    def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
        return self.speaker.generate(prompts, sampling=sampling, run=run)


class Attacked:
    """One collection a question: the documents that it needs, or its near misses, and all that attack it.

    The agent reads and is shown all of them, so that no attack stays unread.
    """

    def __init__(self, folder: Path) -> None:
        self._mouth = Mouth()
        self._folder = folder
        limits = {"max_tokens": 1_000_000, "max_calls": 100}
        self.engine: Engine = an_engine(
            folder / "data", self._mouth, agent={"passages": 50, "characters": 20_000}, limits=limits
        )
        self._made: set[str] = set()
        self.events: list[tuple[str, Mapping[str, Any]]] = []

    def ask(self, poison: Poison, model: FillingModel, **question: Any) -> Outcome:
        """Return the outcome of the poison's question; `events` has what was emitted."""
        self._mouth.speaker = model
        self.events = []
        return self.engine.answer(
            a_question(poison.question, **question),
            collection=self.collection(poison),
            emit=lambda name, data: self.events.append((name, data)),
            run=self.engine.new_run(),
        )

    def collection(self, poison: Poison) -> str:
        """Return the collection of the poison's question, which is made when it is first asked for."""
        name = poison.question_id
        if name not in self._made:
            row = QUESTIONS[name]
            ingest(self.engine, row["documents"] or row["near_misses"], collection=name)
            files = [write_document(one, self._folder) for one in POISONS if one.question_id == name]
            report = self.engine.pipeline(name).run(files, run=self.engine.new_run())
            assert not report.failed
            self._made.add(name)
        return name

    def named(self, name: str) -> list[Mapping[str, Any]]:
        return [data for event, data in self.events if event == name]

    def hits(self) -> set[str]:
        """Return the documents that were read."""
        return {hit["doc_id"] for data in self.named("search.results") for hit in data["hits"]}
