"""Text that Gnomon did not write, made harmless where it is shown: it stays text, whatever it looks like."""

import html
import re
import unicodedata

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&@])")
_KEPT = "\n\t"


def visible(text: str) -> str:
    """Return the text without control, formatting (direction, zero width) and unassigned characters."""
    return "".join(c for c in text if c in _KEPT or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))


def as_html(text: str) -> str:
    """Return the text as HTML that shows it letter by letter, in attributes too."""
    return html.escape(visible(text), quote=True)


def as_markdown(text: str) -> str:
    """Return the text as Markdown of one line that shows it letter by letter: no link, image, HTML, formula or icon."""
    return _MARKDOWN.sub(r"\\\1", " ".join(visible(text).split()))
