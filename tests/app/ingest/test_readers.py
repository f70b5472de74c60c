import io
import json
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docx
import pypdfium2
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer

from app.core.errors import UnreadableDocument
from app.ingest.readers import read, table
from app.ingest.records import Failure, ReadDocument

BODY = "Paragraphs are broken into lines that the reader has to join again, with every word kept as it was. "


def one(tmp_path: Path, name: str, content: str | bytes) -> ReadDocument:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (document,) = read(path)
    assert isinstance(document, ReadDocument)
    for mark in document.sections:
        assert document.text[mark.start : mark.end] == mark.name
    return document


def refusal(tmp_path: Path, name: str, content: bytes) -> str:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableDocument) as caught:
        list(read(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def items(tmp_path: Path, name: str, content: str | bytes) -> list[ReadDocument | Failure]:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read(path))


def failures(found: list[ReadDocument | Failure]) -> list[str]:
    return [str(item) for item in found if isinstance(item, Failure)]


# text


def test_lines_broken_for_width_are_joined(tmp_path: Path) -> None:
    lines = "The first line of this paragraph is long enough\nto have been broken for width.\n\n- item\n- item two\n"
    document = one(tmp_path, "my_notes.txt", lines)
    joined = "The first line of this paragraph is long enough to have been broken for width."
    assert document.text == f"{joined}\n\n- item\n- item two"
    assert (document.title, document.published) == ("my notes", None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks_are_understood(tmp_path: Path, encoding: str) -> None:
    assert one(tmp_path, "a.txt", "Žluťoučký kůň.".encode(encoding)).text == "Žluťoučký kůň."


def test_control_characters_are_dropped(tmp_path: Path) -> None:
    assert one(tmp_path, "a.txt", "a\x07b\u0085\ufeffc\r\nd" + " word" * 40).text.startswith("ab\nc\nd")


def test_invalid_utf8_is_named_by_its_byte(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a.txt", b"caf\xe9 au lait") == "byte 3 is not UTF-8; save the file as UTF-8"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"\x89PNG\r\n\x1a\n" + bytes(40), "is a PNG image, not text; rename or remove it"),
        ("a.html", b"%PDF-1.7\n1 0 obj", "is a PDF document, not text; rename or remove it"),
        ("a.pdf", b"PK\x03\x04" + bytes(60), "is a ZIP archive, not a PDF document; rename or remove it"),
        ("a.pdf", b"plain words", "is plain text, not a PDF document; rename or remove it"),
        ("a.docx", b"%PDF-1.7\n", "is a PDF document, not a Word document; rename or remove it"),
        ("a.csv", b"GIF89a\x00\x00" + bytes(20), "is a GIF image, not text; rename or remove it"),
        ("a.md", bytes(range(256)) * 4, "is binary data, not text; rename or remove it"),
        ("a.txt", b" \n\t", "holds no text; remove it or fill it"),
    ],
)
def test_a_file_of_another_type_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    assert refusal(tmp_path, name, content) == message


# markdown


def test_front_matter_becomes_metadata_and_headings_sections(tmp_path: Path) -> None:
    document = one(
        tmp_path,
        "a.md",
        "---\ntitle: Luna 9\npublished: 1966-02-03\nsuperseded_by: b.md\nrecord: NASA\nmass: 99\ntags: [x]\n---\n"
        "# Landing\n\nIt *landed* on the **Moon**, see [the log](http://x.org/a_(b)) and `code_it`.\n\n"
        "Second heading\n--------------\n\n> Quoted words.\n\n"
        "* item one\n* item two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
    )
    assert document.title == "Luna 9"
    assert str(document.published) == "1966-02-03"
    assert document.superseded_by == "b.md"
    assert document.metadata == {"record": "NASA", "mass": "99"}
    assert [mark.name for mark in document.sections] == ["Landing", "Second heading"]
    assert document.text == (
        "Landing\n\nIt landed on the Moon, see the log and code_it.\n\nSecond heading\n\nQuoted words.\n\n"
        "- item one\n- item two\n\na | b\n1 | 2"
    )


def test_hidden_markdown_stays_out_and_code_stays_whole(tmp_path: Path) -> None:
    document = one(
        tmp_path,
        "a.md",
        "Seen.<!-- secret -->\n<div style='display:none'>secret</div>\n<script>secret()</script>\n\n"
        "```\n# no heading\n\nx_y_z * 2\n```\n",
    )
    assert document.text == "Seen.\n\n# no heading\n\nx_y_z * 2"
    assert document.sections == ()


def test_snake_case_and_multiplication_survive(tmp_path: Path) -> None:
    text = "The name some_long_name and 2 * 3 * 4 and a\\*b stay."
    assert one(tmp_path, "a.md", text).text == "The name some_long_name and 2 * 3 * 4 and a*b stay."


def test_broken_front_matter_is_named_by_its_line(tmp_path: Path) -> None:
    message = refusal(tmp_path, "a.md", b"---\ntitle: x\nbad: [1, 2\n---\nText")
    assert message.startswith("line ")
    assert "front matter is not YAML" in message


def test_a_wrong_date_is_a_warning(tmp_path: Path) -> None:
    document = one(tmp_path, "a.md", "---\ndate: soon\n---\nText")
    assert document.published is None
    assert "'soon' is no date" in document.warnings[0]


# html


PAGE = """<!doctype html><html><head><title>Falcon 9 lands</title>{head}
<style>.ghost, p#x {{display: none}} .ok {{color: red}} @media print {{ .screen {{display:none}} }}</style>
<script>var secret = 1;</script></head><body><nav><a href="/">Home</a></nav><article><h1>Falcon 9 lands</h1>{line}
<p>The first stage of a <b>Falcon 9</b> landed at Cape Canaveral.<!-- secret --></p>{more}
<h2>Payload</h2><p class="screen">Eleven satellites<br>were carried.</p><ul><li>one</li><li>two</li></ul>
<table><tr><th>Year</th><th>Count</th></tr><tr><td>2015</td><td>11</td></tr></table></article>
<footer>Copyright 2020</footer></body></html>"""


def test_html_gives_its_main_text_with_sections(tmp_path: Path) -> None:
    document = one(tmp_path, "2011-03-04.html", PAGE.format(head="", line="", more=""))
    assert document.title == "Falcon 9 lands"
    assert document.published is None
    assert [mark.name for mark in document.sections] == ["Falcon 9 lands", "Payload"]
    assert document.text == (
        "Falcon 9 lands\n\nThe first stage of a Falcon 9 landed at Cape Canaveral.\n\nPayload\n\n"
        "Eleven satellites\nwere carried.\n\n- one\n- two\n\nYear | Count\n2015 | 11"
    )


@pytest.mark.parametrize(
    "hidden",
    [
        '<p style="display:none">secret</p>',
        '<p style="color:#fff;background:#FFFFFF">secret</p>',
        '<p style="color: white">secret</p>',
        '<p style="font-size:0px">secret</p>',
        '<p style="position:absolute; left:-9999px">secret</p>',
        '<p class="a ghost">secret</p>',
        '<p id="x">secret</p>',
        "<div hidden><p>secret</p></div>",
        '<span aria-hidden="true">secret</span>',
        "<template><p>secret</p></template>",
        "<noscript>secret</noscript>",
    ],
)
def test_hidden_html_never_comes_through(tmp_path: Path, hidden: str) -> None:
    text = one(tmp_path, "a.html", PAGE.format(head="", line="", more=hidden)).text
    assert "secret" not in text
    assert "Cape Canaveral" in text


@pytest.mark.parametrize(
    ("head", "line", "published"),
    [
        ('<meta property="article:published_time" content="2015-12-22T03:00:00Z">', "", "2015-12-22"),
        ('<meta name="date" content="2015-12">', "", "2015-12"),
        ('<script type="application/ld+json">{"@graph": [{"datePublished": "2015-12-22"}]}</script>', "", "2015-12-22"),
        ("", '<time itemprop="datePublished" datetime="2015-12-22">yesterday</time>', "2015-12-22"),
        ("", '<p class="byline">Published on 22 December 2015 by NASA</p>', "2015-12-22"),
        ('<meta property="og:image" content="https://x.org/2011/03/04/a.png">', "", "None"),
        ('<link rel="canonical" href="https://x.org/2011/03/04/a.html">', "", "None"),
        ("", "<p>It was built on 5 March 2011.</p>", "None"),
        ("", '<p class="byline" hidden>Published on 22 December 2015</p>', "None"),
    ],
)
def test_a_page_is_dated_by_its_markup_only(tmp_path: Path, head: str, line: str, published: str) -> None:
    document = one(tmp_path, "2011-03-04.html", PAGE.format(head=head, line=line, more=""))
    assert str(document.published) == published


def test_a_stated_charset_is_understood(tmp_path: Path) -> None:
    page = '<html><head><meta charset="iso-8859-1"></head><body><p>Le café est fermé.</p></body></html>'
    assert one(tmp_path, "a.html", page.encode("latin-1")).text == "Le café est fermé."


def test_a_page_without_text_is_refused(tmp_path: Path) -> None:
    assert "shows no text" in refusal(tmp_path, "a.html", b"<html><body><script>x()</script></body></html>")


# pdf


def a_pdf(*pages: list[str], title: str | None = "Luna", header: str = "") -> bytes:
    stream = io.BytesIO()
    style = getSampleStyleSheet()["BodyText"]

    def running(canvas: Canvas, _document: object) -> None:
        canvas.drawString(50, 820, f"{header} {canvas.getPageNumber()}" if header else "")

    story = []
    for number, page in enumerate(pages):
        story += [PageBreak()] if number else []
        for paragraph in page:
            story += [Paragraph(paragraph, style), Spacer(1, 12)]
    template = SimpleDocTemplate(stream, pagesize=A4, title=title)
    template.build(story, onFirstPage=running, onLaterPages=running)
    return stream.getvalue()


def test_a_pdf_gives_paragraphs_and_pages(tmp_path: Path) -> None:
    first = (BODY * 3).strip()
    document = one(tmp_path, "a.pdf", a_pdf([first, "Richard P. Feynman spoke."], ["The second page."]))
    assert document.text == f"{first}\n\nRichard P. Feynman spoke.\n\nThe second page."
    assert document.title == "Luna"
    assert [(document.text[mark.start :][:10], mark.name) for mark in document.pages] == [
        (first[:10], "1"),
        ("The second", "2"),
    ]
    assert document.published is not None  # reportlab writes the day of its making


def test_a_word_broken_at_a_line_end_is_made_whole(tmp_path: Path) -> None:
    stream = io.BytesIO()
    canvas = Canvas(stream)
    canvas.drawString(50, 700, "The lander was a masterpiece of engi-")
    canvas.drawString(50, 686, "neering and of patience.")
    canvas.save()
    document = one(tmp_path, "my-file.pdf", stream.getvalue())
    assert document.text == "The lander was a masterpiece of engineering and of patience."
    assert document.title == "my file"


def test_running_headers_are_left_out(tmp_path: Path) -> None:
    document = one(tmp_path, "a.pdf", a_pdf(["One."], ["Two."], ["Three."], header="Annual report"))
    assert document.text == "One.\n\nTwo.\n\nThree."


def test_an_encrypted_pdf_says_so(tmp_path: Path) -> None:
    stream = io.BytesIO()
    canvas = Canvas(stream, encrypt=StandardEncryption("secret"))
    canvas.drawString(50, 700, "Secret.")
    canvas.save()
    assert refusal(tmp_path, "a.pdf", stream.getvalue()) == "is encrypted; save it without a password"


def test_a_broken_pdf_says_so(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a.pdf", a_pdf(["One."])[:200]).startswith("is broken")


def test_a_pdf_without_text_says_so(tmp_path: Path) -> None:
    stream = io.BytesIO()
    document = pypdfium2.PdfDocument.new()
    document.new_page(200, 200)
    document.save(stream)
    assert refusal(tmp_path, "a.pdf", stream.getvalue()) == (
        "has 1 pages but no text layer; recognise its text (OCR) first"
    )


# docx


def test_word_documents_keep_their_order(tmp_path: Path) -> None:
    made = docx.Document()
    made.core_properties.title = "Landing report"
    made.core_properties.created = datetime(1966, 2, 4, 9, 30, tzinfo=UTC)
    made.add_heading("Result", level=1)
    paragraph = made.add_paragraph("It landed.")
    paragraph.add_run(" secret").font.hidden = True
    made.add_paragraph("first", style="List Bullet")
    table = made.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ["Year", "Count", "1966", "1"], strict=True):
        cell.text = text
    made.add_paragraph("The end.")
    made.save(str(tmp_path / "made.docx"))
    document = one(tmp_path, "a.docx", (tmp_path / "made.docx").read_bytes())
    assert document.text == "Result\n\nIt landed.\n- first\n\nYear | Count\n1966 | 1\n\nThe end."
    assert (document.title, str(document.published)) == ("Landing report", "1966-02-04")
    assert [mark.name for mark in document.sections] == ["Result"]


def test_the_date_of_a_template_is_no_date(tmp_path: Path) -> None:
    made = docx.Document()
    made.add_paragraph("Words.")
    made.save(str(tmp_path / "made.docx"))
    assert one(tmp_path, "a.docx", (tmp_path / "made.docx").read_bytes()).published is None


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b" " * 30_000_000)
    assert "zip bomb" in refusal(tmp_path, "a.docx", stream.getvalue())


def test_another_zip_is_no_word_document(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.txt", "x")
    assert refusal(tmp_path, "a.docx", stream.getvalue()).startswith("is a ZIP archive, not a Word document")


def test_a_cut_off_word_document_says_so(tmp_path: Path) -> None:
    made = docx.Document()
    made.save(str(tmp_path / "made.docx"))
    assert refusal(tmp_path, "a.docx", (tmp_path / "made.docx").read_bytes()[:5000]) == "is broken; save it anew"


# tables


def test_a_beir_corpus_is_read_row_by_row(tmp_path: Path) -> None:
    lines = [
        {"_id": "a#1@x", "title": "T", "text": "Words.", "date": "2019-03", "page": "P", "n": 3, "l": [1]},
        {"_id": "b", "text": "More."},
    ]
    first, second = items(tmp_path, "corpus.jsonl", "\n".join(json.dumps(line) for line in lines))
    assert isinstance(first, ReadDocument)
    assert (first.key, first.title, first.text, str(first.published)) == ("a#1@x", "T", "Words.", "2019-03")
    assert first.metadata == {"page": "P", "n": "3"}
    assert isinstance(second, ReadDocument)
    assert (second.key, second.title, second.published, second.row) == ("b", "", None, 2)


def test_a_bad_row_fails_alone(tmp_path: Path) -> None:
    content = (
        b'{"_id": "a", "text": "A."}\nnot json\n[1]\n{"_id": "b", "text": ""}\n{"_id": "a", "text": "again"}\n\xff\n'
    )
    content += b'{"_id": "", "text": "x"}\n{"_id": "c\\u0007", "text": "x"}\n{"_id": {}, "text": "x"}\n'
    content += b'{"_id": "' + b"d" * 201 + b'", "text": "x"}\n{"_id": "z", "text": "Z \\ud800."}\n{"_id": "e"}\n'
    found = items(tmp_path, "corpus.jsonl", content)
    assert [item.text for item in found if isinstance(item, ReadDocument)] == ["A.", "x", "Z ."]
    assert failures(found) == [
        "row 2: is not JSON (Expecting value: line 1 column 1 (char 0)); mend the row",
        "row 3: is not a JSON object; write one object a line",
        "row 4: has no text; fill it or remove the row",
        "row 5: has the id 'a' of row 1; give it another",
        "row 6: is not UTF-8; save the file as UTF-8",
        "row 8: has an id with control characters; take them out",
        "row 9: '_id' is neither text nor a number; mend the row",
        "row 10: has an id of 201 characters; shorten it to 200",
        "row 12: has none of text, content, body, passage; name its text one of them",
    ]


def test_a_row_too_long_to_hold_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "_LONGEST_ROW", 100)  # the real one would need files of 100 MB
    lines = [{"_id": key, "text": text} for key, text in (("a", "A."), ("b", "B" * 350), ("c", "C."))]
    found = items(tmp_path, "corpus.jsonl", "\n".join(json.dumps(line) for line in lines))
    assert [(item.key, item.row) for item in found if isinstance(item, ReadDocument)] == [("a", 1), ("c", 3)]
    assert failures(found)[0].startswith("row 2: has more than ")


def test_csv_rows_count_as_a_spreadsheet_does(tmp_path: Path) -> None:
    content = 'id;Title;Content;published;kind\nx;"A; b";"Two\nlines";2019;letter\ny;;;;\nz;;Words;;;;extra\n'
    found = items(tmp_path, "a.csv", "\ufeff" + content)
    document = found[0]
    assert isinstance(document, ReadDocument)
    assert (document.key, document.title, document.text, document.row) == ("x", "A; b", "Two\nlines", 2)
    assert document.metadata == {"kind": "letter"}
    assert failures(found) == [
        "row 3: has no text; fill it or remove the row",
        "row 4: has 7 cells, the header 5; quote cells that hold the separator",
    ]


def test_a_row_without_an_id_is_named_by_its_place(tmp_path: Path) -> None:
    (document,) = items(tmp_path, "a.csv", "text\nWords.\n")
    assert isinstance(document, ReadDocument)
    assert document.key == "a.csv:2"


def test_a_csv_without_a_text_column_names_its_columns(tmp_path: Path) -> None:
    message = refusal(tmp_path, "a.csv", b"id,headline\n1,x\n")
    assert message == (
        "has no text column (its columns: 'id', 'headline'); name one of them text, content, body, passage"
    )


def test_a_csv_with_an_open_quote_names_the_line(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a.csv", b'id,text\n1,"open\n2,x\n').startswith("line 3: ")


def test_a_table_without_a_readable_row_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("no\n")
    with pytest.raises(UnreadableDocument, match="holds no readable row"):
        list(read(path))


@pytest.mark.parametrize("content", ["_a_b " * 3900, "*a " * 100_000, "[x](" * 4900, "<!--" * 50_000, "`a" * 9000])
def test_marks_without_an_end_take_no_long_time(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.md"
    path.write_text(content + " seen")
    started = time.process_time()
    try:
        list(read(path))
    except UnreadableDocument:
        assert content.startswith("<!--")  # an open comment hides the rest
    assert time.process_time() - started < 3


def test_whatever_a_parser_raises_is_the_failure_of_its_file(desk: Any) -> None:
    made = docx.Document()
    made.add_paragraph("Words. " * 500)
    made.save(str(desk.folder / "a.docx"))
    content = bytearray((desk.folder / "a.docx").read_bytes())
    place = content.index(b"word/document.xml") + 60
    content[place : place + 40] = bytes(40)
    desk.write("a.docx", bytes(content))
    desk.write("b.txt", "Words.")
    report = desk.ingest()
    assert report.added == 1
    assert report.failed[0].where == "a.docx"
    assert "cannot be parsed (" in report.failed[0].why or "is broken" in report.failed[0].why
