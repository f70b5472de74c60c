"""A language model that says what a test told it; it has no `build`, so no preset can name it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.core.errors import ModelError
from app.core.run import Run
from app.core.types import Completion, Prompt, Sampling, Usage
from app.models._common import chat


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Answers prompts whose template name ends in `name` and whose user part contains every text of `contains`.

    `replies` are given in turn, the last one again and again unless `once`; `logprobs` answers first-token questions.
    """

    name: str = ""
    contains: str | tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    logprobs: Mapping[str, float] = field(default_factory=dict)
    once: bool = False

    def fits(self, prompt: Prompt) -> bool:
        """Tell whether this rule speaks for a prompt."""
        texts = (self.contains,) if isinstance(self.contains, str) else self.contains
        return prompt.name.endswith(self.name) and all(text in prompt.user for text in texts)


class ScriptedModel:
    """Deterministic model for tests; `seen` holds every prompt in the order it came."""

    def __init__(self, *rules: Rule, model_id: str = "scripted") -> None:
        self.model_id = model_id
        self.seen: list[Prompt] = []
        self._rules = rules
        self._used = [0] * len(rules)

    def generate(self, prompts: Sequence[Prompt], *, sampling: Sampling, run: Run) -> list[Completion]:
        """Return the scripted reply of each prompt.

        Raises:
            ModelError: no rule speaks for a prompt, or its replies are used up.
        """
        return [self._complete(prompt, run) for prompt in prompts]

    def stream(self, prompt: Prompt, *, sampling: Sampling, run: Run) -> Iterator[str]:
        """Yield the scripted reply word by word."""
        for word in self._complete(prompt, run).text.splitlines(keepends=True):
            yield from _words(word)

    def first_token_logprobs(
        self, prompts: Sequence[Prompt], *, choices: Sequence[str], run: Run
    ) -> NDArray[np.float32]:
        """Return the scripted natural logs, shape (len(prompts), len(choices)); -inf where the rule has none."""
        rows = []
        for prompt in prompts:
            run.check()
            self.seen.append(prompt)
            logprobs = self._rules[self._rule_of(prompt)].logprobs
            rows.append([logprobs.get(choice, -np.inf) for choice in choices])
            self._book(prompt, "", run)
        return np.array(rows, dtype=np.float32).reshape(len(prompts), len(choices))

    def _complete(self, prompt: Prompt, run: Run) -> Completion:
        run.check()
        self.seen.append(prompt)
        text = self._reply(prompt)
        return Completion(text=text, stop="stop", usage=self._book(prompt, text, run))

    def _reply(self, prompt: Prompt) -> str:
        index = self._rule_of(prompt)
        replies, used = self._rules[index].replies, self._used[index]
        self._used[index] += 1
        return replies[min(used, len(replies) - 1)]

    def _rule_of(self, prompt: Prompt) -> int:
        for index, rule in enumerate(self._rules):
            exhausted = rule.once and self._used[index] >= len(rule.replies)
            if rule.fits(prompt) and not exhausted and (rule.replies or rule.logprobs):
                return index
        raise ModelError(f"the script has no reply to prompt '{prompt.name}': {prompt.user[:200]!r}")

    def _book(self, prompt: Prompt, text: str, run: Run) -> Usage:
        words = len(prompt.system.split()) + len(prompt.user.split())
        usage = Usage(calls=1, prompt_tokens=words, completion_tokens=len(text.split()))
        chat.book(run, model=self.model_id, prompt=prompt, usage=usage, stop="stop")
        return usage


def _words(line: str) -> Iterator[str]:
    head, *rest = line.split(" ")
    yield head
    for word in rest:
        yield f" {word}"
