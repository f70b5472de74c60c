"""Takes out of a page what its reader would not see: hidden text is where instructions to models are put."""

import re

from lxml import etree
from lxml.html import HtmlElement

_UNSEEN_TAGS = ("script", "style", "template", "noscript", "iframe", "object", "svg", "head")
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0*(?:\.0+)?\s*(?:;|!|$)"
    r"|font-size\s*:\s*0+(?:\.0+)?\s*(?:px|pt|em|rem|%)?\s*(?:;|!|$)"
    r"|(?:left|top|right|text-indent)\s*:\s*-\d{3,}|clip\s*:\s*rect\(\s*0|clip-path\s*:\s*inset\(\s*(?:50|100)%",
    re.IGNORECASE,
)
_COLOUR = re.compile(r"(?<![\w-])(color|background(?:-color)?)\s*:\s*([^;!]+)", re.IGNORECASE)
_WHITE = frozenset({"white", "#fff", "#ffffff", "rgb(255,255,255)", "hsl(0,0%,100%)"})
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_FOR_PRINT = re.compile(r"@media[^{}]*\bprint\b[^{}]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
_SELECTOR = re.compile(r"([a-z][\w-]*)?((?:[.#][\w-]+)*)", re.IGNORECASE)


def remove_hidden(page: HtmlElement) -> None:
    """Remove comments, scripts and hidden elements from a page, in place; text behind them stays."""
    hiding = _hiding_selectors(page)
    white_paper = b"background" not in etree.tostring(page)
    unseen = list(page.iter(etree.Comment, etree.ProcessingInstruction))
    unseen += [element for element in page.iter(etree.Element) if _is_hidden(element, hiding)]
    unseen += [
        element for element in page.iterfind(".//*[@style]") if _is_camouflaged(element, white_paper=white_paper)
    ]
    for element in unseen:
        if element.getparent() is not None:
            element.drop_tree()


def _is_hidden(element: HtmlElement, hiding: list[tuple[str, frozenset[str]]]) -> bool:
    if element.tag in _UNSEEN_TAGS:
        return True
    if "hidden" in element.attrib or element.get("aria-hidden", "").lower() == "true":
        return True
    if element.tag == "dialog" and "open" not in element.attrib:
        return True
    if _HIDING.search(element.get("style", "")):
        return True
    names = {f".{name}" for name in element.get("class", "").split()} | {f"#{element.get('id', '')}"}
    return any(tag in ("", element.tag) and wanted <= names for tag, wanted in hiding)


def _is_camouflaged(element: HtmlElement, *, white_paper: bool) -> bool:
    """Tell whether an element's text has the colour of what is behind it."""
    found = {name.lower()[:10]: "".join(value.lower().split()) for name, value in _COLOUR.findall(element.get("style"))}
    colour, behind = (_plain(found.get(name)) for name in ("color", "background"))
    if colour is None:
        return False
    return colour in ("transparent", behind) or (white_paper and colour == "white")


def _plain(colour: str | None) -> str | None:
    return "white" if colour in _WHITE else colour


def _hiding_selectors(page: HtmlElement) -> list[tuple[str, frozenset[str]]]:
    """Return the tag and the classes or ids of the simple style-sheet rules that hide what they match."""
    sheet = _FOR_PRINT.sub("", "\n".join(style.text or "" for style in page.iter("style")))
    found = []
    for selectors, declarations in _RULE.findall(re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)):
        if not _HIDING.search(declarations):
            continue
        for selector in selectors.split(","):
            simple = _SELECTOR.fullmatch(selector.strip())
            if simple and simple[0]:
                found.append(((simple[1] or "").lower(), frozenset(re.findall(r"[.#][\w-]+", simple[2]))))
    return found
