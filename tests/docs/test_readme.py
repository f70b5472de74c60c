"""The README's example is what a run of `make demo` printed, and its quotes stand in the sample documents."""

import re
from pathlib import Path

from app.ingest.readers import read

ROOT = Path(__file__).parents[2]
DOCUMENTS = ROOT / "samples" / "spaceflight" / "documents"
README = (ROOT / "README.md").read_text(encoding="utf-8")
TRANSCRIPT = (ROOT / "docs" / "transcripts" / "demo.txt").read_text(encoding="utf-8")
_QUOTE = re.compile(r"“([^”]+)”", re.DOTALL)


def one_line(text: str) -> str:
    return " ".join(text.split())


def test_the_example_is_part_of_the_transcript() -> None:
    example = re.search(r"```text\n(.*?)```", README, re.DOTALL)

    assert example is not None
    assert example[1].strip()
    assert example[1].strip() in TRANSCRIPT


def test_every_quote_of_the_transcript_stands_in_the_document_it_names() -> None:
    documents = [document for path in sorted(DOCUMENTS.iterdir()) for document in read(path)]
    texts = {one_line(document.title): one_line(document.text) for document in documents}
    by_file = {path.name: one_line(" ".join(d.text for d in read(path))) for path in DOCUMENTS.iterdir()}
    sources = re.split(r"\n(?=\[\d+\] )", TRANSCRIPT)
    checked = 0
    for part in sources[1:]:
        title = one_line(part.split("] ", 1)[1].split(" · ")[0])
        for quote in _QUOTE.findall(part.split("\n\n")[0]):
            assert one_line(quote) in texts[title]
            checked += 1
    for quote in _QUOTE.findall(TRANSCRIPT):
        assert any(one_line(quote) in text for text in by_file.values())
    assert checked >= 2


def test_the_transcript_holds_no_path_of_a_machine() -> None:
    assert not re.search(r"(?:^|\s)/(?:home|root|work|tmp|Users)/", TRANSCRIPT)


def test_the_commands_of_the_readme_exist_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
