import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.escaping import as_html, as_markdown, visible

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "[click](http://evil.invalid)",
    "![beacon](http://evil.invalid/x.png)",
    "<http://evil.invalid>",
    "# heading",
    "$\\frac{1}{2}$",
    ":red[hot] :material/home:",
    "`code` **bold** ~~gone~~ | a | b |",
    "1. item",
    "- item",
]


@given(st.text())
def test_html_shows_the_visible_text_letter_by_letter(text: str) -> None:
    shown = as_html(text)

    assert not set("<>\"'") & set(shown)
    assert html.unescape(shown).replace("\r", "\n") == visible(text).replace("\r", "\n")


@pytest.mark.parametrize("text", HOSTILE)
def test_every_sign_with_a_meaning_is_escaped_in_markdown(text: str) -> None:
    shown = as_markdown(text)

    assert not re.search(r"(?<!\\)(?:\\\\)*[<>\[\]()`*_#$:|~!]", shown)
    assert re.sub(r"\\(.)", r"\1", shown) == text


@given(st.text())
def test_markdown_is_one_line(text: str) -> None:
    assert "\n" not in as_markdown(text)


def test_invisible_and_direction_characters_are_dropped() -> None:
    assert visible("a\u202eb\u200bc\x1b[0m\ud800\n") == "abc[0m\n"
