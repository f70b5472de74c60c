"""Text that Gnomon did not write, made safe to put into a prompt: data, never instructions.

Documents and questions may hold chat-template tokens, tags of our own prompts, forged keys or invisible characters.
"""

import re
import secrets
import unicodedata

_TEMPLATE_TOKEN = re.compile(
    r"<\|[^<>|\n]{1,40}\|>|<\uff5c[^<>\n]{1,40}\uff5c>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>",
    re.IGNORECASE,
)
_BRACKETED_KEY = re.compile(r"\[\s*([A-Za-z]?\d{1,4}|[A-Za-z])\s*\]")
_KEPT_CONTROLS = "\n\t"


def neutralise(text: str) -> str:
    """Return the text without template tokens and invisible characters, `[1]` written `(1)`; for prompts only."""
    visible = "".join(c for c in text if c in _KEPT_CONTROLS or unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cn"))
    previous = None
    while previous != visible:
        previous, visible = visible, _TEMPLATE_TOKEN.sub(" ", visible)
    return _BRACKETED_KEY.sub(r"(\1)", visible)


def new_nonce() -> str:
    """Return eight hexadecimal characters that no document can foresee."""
    return secrets.token_hex(4)
