"""Prompts → tokens, by the model's own chat template and tokenizer."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.core.errors import ModelError
from app.core.types import Offsets, Prompt

_SYSTEM, _USER = "gnomon_system_text", "gnomon_user_text"  # stand for the texts while the template is read


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A prompt as text; `contents` are the characters that are data, `user` those of the user's text."""

    text: str
    user: Offsets
    contents: tuple[Offsets, ...]

    def followed_by(self, text: str) -> "Rendered":
        """Return it with more data after its end."""
        end = len(self.text)
        return Rendered(text=self.text + text, user=self.user, contents=(*self.contents, (end, end + len(text))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Token ids, and the characters of the text that each covers, half-open."""

    ids: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def beyond(self, character: int) -> int:
        """Return the first token that covers something at or after a character; a token across it is one."""
        return int(np.argmax(self.ends > character)) if (self.ends > character).any() else len(self.ids)

    def within(self, start: int, end: int) -> NDArray[np.int64]:
        """Return the places of the tokens that overlap these characters; no characters, no tokens."""
        return np.flatnonzero((self.starts < end) & (self.ends > start) & (start < end))


class ChatTokens:
    """Renders and tokenises; safe to use from several threads. `own` are the ids of the model's own marks.

    The template is read once, with marks in place of the texts: a text never reaches the template's language, and its
    place among the characters is known.
    """

    def __init__(self, tokenizer: Any, *, model_id: str) -> None:
        self._tokenizer = tokenizer
        self._model_id = model_id
        self._backend = tokenizer.backend_tokenizer
        self._backend.no_truncation()
        self._backend.no_padding()
        self.own = np.array(sorted(self._backend.get_added_tokens_decoder()), dtype=np.int64)

    def render(self, prompt: Prompt) -> Rendered:
        """Return the text that the model is sent, its own turn opened and begun with the prefill.

        Raises:
            ModelError: the model has no chat template, or one that cannot be used.
        """
        before, between, after = self._with_system if prompt.system else self._without_system
        system_start, user_start = len(before), len(before) + len(prompt.system) + len(between)
        user = (user_start, user_start + len(prompt.user))
        text = f"{before}{prompt.system}{between}{prompt.user}{after}{prompt.prefill}"
        contents = ((system_start, system_start + len(prompt.system)), user)
        return Rendered(text=text, user=user, contents=contents)

    def tokenise(self, texts: Sequence[Rendered]) -> list[Tokens]:
        """Return the tokens of each text as a whole; data is never read as one of the model's own tokens."""
        encodings = self._backend.encode_batch([one.text for one in texts], add_special_tokens=False)
        found = [_tokens(encoding) for encoding in encodings]
        return [
            self._in_pieces(text) if self._is_forged(text, tokens) else tokens
            for text, tokens in zip(texts, found, strict=True)
        ]

    def choice(self, text: str) -> list[int]:
        """Return every token that says a choice, with or without space around it.

        Raises:
            ModelError: none does.
        """
        if ids := self._by_text.get(text.strip()):
            return ids
        raise ModelError(f"{self._model_id} has no single token for '{text}'; choose marks that are one token")

    def text_of(self, ids: Sequence[int]) -> str:
        """Return the text of tokens, the model's own marks left out."""
        return str(self._backend.decode(list(ids), skip_special_tokens=True))

    @cached_property
    def plain(self) -> Any:
        """The tokenizer without the tokens that were added to its vocabulary: it reads them as any text."""
        import json

        from tokenizers import Tokenizer

        return Tokenizer.from_str(json.dumps(json.loads(self._backend.to_str()) | {"added_tokens": []}))

    @cached_property
    def _by_text(self) -> dict[str, list[int]]:
        size = self._backend.get_vocab_size()
        texts = self._backend.decode_batch([[number] for number in range(size)], skip_special_tokens=True)
        found: dict[str, list[int]] = {}
        for number, text in enumerate(texts):
            found.setdefault(text.strip(), []).append(number)
        found.pop("", None)
        return found

    @cached_property
    def _with_system(self) -> tuple[str, str, str]:
        import jinja2

        messages = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": _USER}]
        try:
            text = self._applied(messages)
        except jinja2.TemplateError:  # a model without a system role: it is said in the user's turn
            text = self._applied([{"role": "user", "content": f"{_SYSTEM}\n\n{_USER}"}])
        before, rest = self._parted(text, _SYSTEM)
        return before, *self._parted(rest, _USER)

    @cached_property
    def _without_system(self) -> tuple[str, str, str]:
        before, after = self._parted(self._applied([{"role": "user", "content": _USER}]), _USER)
        return before, "", after

    def _applied(self, messages: list[dict[str, str]]) -> str:
        if not self._tokenizer.chat_template:
            raise ModelError(f"{self._model_id} has no chat template; choose a model that follows instructions")
        return str(self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))

    def _parted(self, text: str, mark: str) -> tuple[str, str]:
        before, found, after = text.partition(mark)
        if not found or mark in after:
            raise ModelError(f"the chat template of {self._model_id} does not show its texts once, as they are")
        return before, after

    def _is_forged(self, text: Rendered, tokens: Tokens) -> bool:
        """Tell whether one of the model's own tokens was read in the data."""
        own = np.flatnonzero(np.isin(tokens.ids, self.own))
        return any(
            bool(((tokens.starts[own] < end) & (tokens.ends[own] > start)).any()) for start, end in text.contents
        )

    def _in_pieces(self, text: Rendered) -> Tokens:
        """Return the tokens of a text whose data looks like the model's own tokens, piece by piece."""
        pieces, at = [], 0
        for start, end in text.contents:
            pieces += [
                self._piece(self._backend, text.text, at, start),
                self._piece(self.plain, text.text, start, end),
            ]
            at = end
        pieces.append(self._piece(self._backend, text.text, at, len(text.text)))
        ids, starts, ends = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
        return Tokens(ids=ids, starts=starts, ends=ends)

    def _piece(
        self, backend: Any, text: str, start: int, end: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        tokens = _tokens(backend.encode(text[start:end], add_special_tokens=False))
        return tokens.ids, tokens.starts + start, tokens.ends + start


def _tokens(encoding: Any) -> Tokens:
    offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
    return Tokens(ids=np.array(encoding.ids, dtype=np.int64), starts=offsets[:, 0], ends=offsets[:, 1])
