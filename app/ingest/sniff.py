"""Whether a file is what its extension says."""

from pathlib import Path

from app.core.errors import UnreadableDocument

HEAD = 4096
_UNICODE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")
_TEXT_CONTROLS = frozenset(b"\t\n\r\x0b\x0c\x1b\x08")
_MAX_CONTROLS = 0.02
_KINDS = {"image": "image", "audio": "sound file", "video": "video", "font": "font"}
_PLAIN_NAMES = {
    b"PK\x03\x04": "a ZIP archive",
    b"PK\x05\x06": "an empty ZIP archive",
    b"%PDF-": "a PDF document",
    b"{\\rtf": "an RTF document",
    b"%!PS": "a PostScript document",
    b"SQLite format 3": "an SQLite database",
}
_AN = frozenset("AEFHILMNORSX")


def check_text(path: Path) -> None:
    """Return if the file may be text.

    Raises:
        UnreadableDocument: it is something else; says what.
    """
    head = _head(path)
    disguised = head.startswith((b"%PDF-", b"{\\rtf", b"%!PS"))
    if disguised or not (head.startswith(_UNICODE_MARKS) or _looks_like_text(head)):
        raise _wrong(head, "text")


def check_pdf(path: Path) -> None:
    """Return if the file begins as a PDF does."""
    head = _head(path)
    if b"%PDF-" not in head[:1024]:
        raise _wrong(head, "a PDF document")


def check_zip(path: Path) -> None:
    """Return if the file begins as a Word document, a ZIP archive, does."""
    head = _head(path)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableDocument("is an old or encrypted Word document; save it as .docx without a password")
    if not head.startswith(b"PK\x03\x04"):
        raise _wrong(head, "a Word document")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _looks_like_text(head: bytes) -> bool:
    if b"\x00" in head:
        return False
    odd = sum(byte < ord(" ") and byte not in _TEXT_CONTROLS for byte in head)
    return odd <= _MAX_CONTROLS * len(head)


def _wrong(head: bytes, expected: str) -> UnreadableDocument:
    return UnreadableDocument(f"is {_name(head)}, not {expected}; rename or remove it")


def _name(head: bytes) -> str:
    for magic, name in _PLAIN_NAMES.items():
        if head.startswith(magic):
            return name
    if not head.startswith(_UNICODE_MARKS) and _looks_like_text(head):
        return "plain text"
    return _guess(head)


def _guess(head: bytes) -> str:
    import puremagic  # 0.04 s that only a wrong file needs

    try:
        best = puremagic.magic_string(head)[0]
    except (puremagic.PureError, ValueError, IndexError):
        return "binary data"
    kind = _KINDS.get(best.mime_type.partition("/")[0], "file")
    letters = best.extension.lstrip(".").upper()
    if not letters:
        return "binary data"
    return f"{'an' if letters[0] in _AN else 'a'} {letters} {kind}"
