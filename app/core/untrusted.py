"""Text that Gnomon did not write, made safe to put into a prompt: data, never instructions.

Documents and questions may hold chat-template tokens, tags of prompts and tools, forged keys, doubles of all these,
or characters that show nothing. What such text asks for in plain words stays: no pattern knows an order from a report.
"""

import re
import secrets
import unicodedata
from collections.abc import Callable

_TEMPLATE_TOKEN = re.compile(
    r"<\|[^<>|\n]{1,40}\|>|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>|#{2,}"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT)\]",
    re.IGNORECASE,
)
_TAG = re.compile(r"<(\s{0,3}/?\s{0,3}[A-Za-z][\w:.-]{0,40}(?:\s[^<>=]{0,60}=[^<>]{0,200})?\s{0,3}/?)>")
_BRACKETED_KEY = re.compile(r"\[(\s*(?:[A-Za-z]?\d{1,4}|[A-Za-z])\s*)\]")
_KEPT_CONTROLS = "\n\t"
_UNSEEN_CATEGORIES = ("Cc", "Cf", "Cs", "Co", "Cn")
# letters and marks that show nothing: joiners, fillers, selectors of variants
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_ALIKE = {
    double: plain
    for doubles, plains in (
        ("\u2039\u2329\u27e8\u3008\u276c\u276e\u02c2\u1438", "<<<<<<<<"),
        ("\u203a\u232a\u27e9\u3009\u276d\u276f\u02c3\u1433", ">>>>>>>>"),
        ("\u3010\u3014\u27e6\u2772\u2045", "[[[[["),
        ("\u3011\u3015\u27e7\u2773\u2046", "]]]]]"),
        ("\u2223\u01c0\u2502\u2758\uffe8\u2044\u2215\u29f8", "|||||///"),
        ("\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u0456\u0455\u0458\u04bb\u0501", "aeopcxyisjhd"),  # Cyrillic
        ("\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0405", "ABEKMHOPCTXIS"),
        ("\u03b1\u03bf\u03c1\u03bd\u03b9\u0391\u0395\u0397\u0399\u039d\u039f\u03a1\u03a4", "aopviAEHINOPT"),  # Greek
    )
    for double, plain in zip(doubles, plains, strict=True)
}


class _Table(dict[int, str]):
    """A table for `str.translate` that asks its function for each character once."""

    def __init__(self, of: Callable[[str], str]) -> None:
        self._of = of

    def __missing__(self, code: int) -> str:
        return self.setdefault(code, self._of(chr(code)))


def neutralise(text: str) -> str:
    """Return the text without template tokens and unseen characters, `[1]` as `(1)`, `<tag>` as `(tag)`; for prompts.

    A look-alike, such as a full-width bracket, counts as what it looks like; elsewhere it stays.
    """
    visible = text.translate(_VISIBLE)
    previous = None
    while previous != visible:
        previous, visible = visible, _replaced(_TEMPLATE_TOKEN, visible, lambda _inner: " ")
        visible = _replaced(_TAG, visible, lambda inner: f"({inner})")
    return _replaced(_BRACKETED_KEY, visible, lambda inner: f"({inner.strip()})")


def new_nonce() -> str:
    """Return eight hexadecimal characters that no document can foresee."""
    return secrets.token_hex(4)


def _replaced(pattern: re.Pattern[str], text: str, by: Callable[[str], str]) -> str:
    """Return the text with what looks like the pattern replaced; `by` is given what stands inside the brackets."""
    pieces, end = [], 0
    for match in pattern.finditer(text.translate(_PLAIN)):  # of the same length, so its places are the text's
        pieces += [text[end : match.start()], by(text[match.start() + 1 : match.end() - 1])]
        end = match.end()
    return "".join([*pieces, text[end:]])


def _visible(character: str) -> str:
    if character in _KEPT_CONTROLS:
        return character
    is_unseen = unicodedata.category(character) in _UNSEEN_CATEGORIES or _UNSEEN.match(character)
    return "" if is_unseen else character


def _plain(character: str) -> str:
    """Return the ASCII character that one looks like, else itself."""
    folded = _ALIKE.get(character) or unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 and folded.isascii() else character


_VISIBLE = _Table(_visible)
_PLAIN = _Table(_plain)
