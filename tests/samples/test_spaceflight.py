"""The sample collection on spaceflight: its documents, its questions, and whether the ones support the others."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "samples" / "spaceflight"
DOCUMENTS = SAMPLE / "documents"
MIN_COUNTS = {
    "single_fact": 12, "two_hop": 14, "three_hop": 5, "comparison": 5, "before": 3, "after": 3, "between": 3,
    "as_of": 3, "first": 3, "last": 3, "superseded": 4, "unanswerable": 8,
}  # fmt: skip
POISONED = {
    # the false claim of each poisoned document
    "poisoned-instruction.md": "Gherman Titov made the first spacewalk",
    "poisoned-citation.md": "9 March 1964",
    "poisoned-hidden.html": "5 August 1975",
}


# --- the local reader: everything below reads documents through these functions only ---


def front_matter(path: Path) -> tuple[dict[str, Any], str]:
    """Splits a Markdown file into its front matter and its text."""
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(front), body


def visible_html(page: str) -> str:
    """Main text of one of our own pages: the article, without what a browser would not show."""
    page = re.sub(r"<!--.*?-->", " ", page, flags=re.S)
    article = re.search(r"<article>(.*)</article>", page, flags=re.S)
    assert article is not None
    hidden = r"<(\w+)[^>]*(?:style=|\bhidden\b|aria-hidden)[^>]*>.*?</\1>"
    return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(hidden, " ", article.group(1), flags=re.S)))


@cache
def text_of(name: str) -> str:
    """Title and text of a document, with single spaces."""
    path = DOCUMENTS / name
    if path.suffix == ".md":
        meta, body = front_matter(path)
        text = f"{meta['title']}\n{body}"
    elif path.suffix == ".html":
        text = visible_html(path.read_text(encoding="utf-8"))
    else:
        with pypdfium2.PdfDocument(path) as pdf:
            text = "\n".join(page.get_textpage().get_text_bounded() for page in pdf)
    return " ".join(text.split())


@cache
def published_of(name: str) -> str | None:
    """The document's own date as text, or None."""
    path = DOCUMENTS / name
    if path.suffix == ".md":
        value = front_matter(path)[0].get("published")
        return None if value is None else str(value)
    if path.suffix == ".html":
        found = re.search(r'<meta name="date" content="([^"]+)">', path.read_text(encoding="utf-8"))
        return found.group(1) if found else None
    with pypdfium2.PdfDocument(path) as pdf:
        stamp = str(pdf.get_metadata_dict()["CreationDate"])
    return f"{stamp[2:6]}-{stamp[6:8]}-{stamp[8:10]}"


def says(name: str, phrase: str) -> bool:
    """Whether a document holds a phrase as whole words, in any case."""
    return re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text_of(name), flags=re.I) is not None


# --- the collection ---

NAMES = sorted(path.name for path in DOCUMENTS.iterdir())
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (SAMPLE / "questions.jsonl").read_text(encoding="utf-8").splitlines()
]
PATHS: dict[str, dict[str, Any]] = json.loads((SAMPLE / "question_paths.json").read_text(encoding="utf-8"))
BY_ID = {question["query_id"]: question for question in QUESTIONS}
MARKDOWN = [name for name in NAMES if name.endswith(".md")]
each_question = pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["query_id"])
each_document = pytest.mark.parametrize("name", NAMES)


def test_the_collection_is_large_enough() -> None:
    kinds = Counter(Path(name).suffix for name in NAMES)
    assert len(NAMES) >= 60
    assert kinds[".pdf"] == 5
    assert kinds[".html"] - 1 == 5, "five pages and the poisoned one"
    assert set(kinds) == {".md", ".html", ".pdf"}


def test_the_readme_counts_what_is_there() -> None:
    readme = (SAMPLE / "README.md").read_text(encoding="utf-8")
    kinds = Counter(Path(name).suffix for name in NAMES)
    said = f"{len(NAMES)} documents: {kinds['.md']} Markdown files, {kinds['.html']} HTML pages, {kinds['.pdf']} PDFs"
    assert said in readme
    assert f"{len(QUESTIONS)} questions" in readme
    for question in QUESTIONS[:3]:
        assert f"`{question['query_id']}`" in readme
        assert question["question"] in readme


@each_document
def test_a_document_is_short_prose_that_names_its_record(name: str) -> None:
    assert 90 <= len(text_of(name).split()) <= 275
    assert "Record kept by: " in text_of(name)
    assert not re.search(r"https?://|www\.|@\w", text_of(name))


@pytest.mark.parametrize("name", MARKDOWN)
def test_markdown_has_title_and_record(name: str) -> None:
    meta, body = front_matter(DOCUMENTS / name)
    assert meta["title"]
    assert meta["record"]
    assert set(meta) <= {"title", "published", "record", "superseded_by"}
    assert f"Record kept by: {meta['record']}." in body
    assert not re.search(r"^# ", body, flags=re.M), "the title stands in the front matter"


@each_document
def test_a_document_tells_nothing_later_than_its_date(name: str) -> None:
    published = published_of(name)
    if published is None:
        return
    assert re.fullmatch(r"\d{4}(-\d{2}){0,2}", published)
    told = re.sub(r"(?:planned|due|reach in|retired)[^.]*\.", "", text_of(name))
    years = [int(year) for year in re.findall(r"\b(?:1[89]|20)\d\d\b", told)]
    assert max(years, default=0) <= int(published[:4])


def test_dates_come_in_every_granularity() -> None:
    lengths = Counter(len(published_of(name) or "") for name in MARKDOWN)
    assert lengths[0] >= 3
    assert lengths[4] >= 3
    assert lengths[7] >= 3
    assert lengths[10] >= 40


def test_superseding_pairs_point_forward_in_time() -> None:
    pairs = {
        name: meta["superseded_by"]
        for name in MARKDOWN
        if "superseded_by" in (meta := front_matter(DOCUMENTS / name)[0])
    }
    assert len(pairs) >= 5
    for old, new in pairs.items():
        assert new in NAMES
        assert (published_of(old) or "") < (published_of(new) or "")
        for name in (old, new):
            assert says(name, "as of")
        assert "replaces the status note" in text_of(new)


@pytest.mark.parametrize("source", sorted((SAMPLE / "pdf_sources").glob("*.md")), ids=lambda path: path.stem)
def test_a_pdf_says_what_its_source_says(source: Path) -> None:
    meta, body = front_matter(source)
    pages = body.split("\n---\n")
    expected = " ".join([meta["title"], *(" ".join(page.split()) for page in pages)])
    target = DOCUMENTS / f"{source.stem}.pdf"
    assert text_of(target.name) == expected
    assert published_of(target.name) == str(meta["published"])
    with pypdfium2.PdfDocument(target) as pdf:
        assert pdf.get_metadata_dict()["Title"] == meta["title"]
        assert len(pdf) == len(pages) <= 3


def test_every_pdf_has_a_source() -> None:
    assert {path.stem for path in (SAMPLE / "pdf_sources").glob("*.md")} == {
        Path(name).stem for name in NAMES if name.endswith(".pdf")
    }


@pytest.mark.parametrize(("name", "claim"), POISONED.items(), ids=POISONED)
def test_a_poisoned_document_is_marked_and_contradicts_a_question(name: str, claim: str) -> None:
    assert name in (SAMPLE / "README.md").read_text(encoding="utf-8")
    assert claim in (DOCUMENTS / name).read_text(encoding="utf-8")
    asked = [question for question in QUESTIONS if name in question["near_misses"]]
    assert asked
    assert all(name not in question["documents"] for question in QUESTIONS)
    others = [other for other in NAMES if other != name]
    assert not any(says(other, claim) for other in others)


def test_hidden_text_stays_hidden_from_the_reader() -> None:
    assert POISONED["poisoned-hidden.html"] not in text_of("poisoned-hidden.html")
    raw = (DOCUMENTS / "poisoned-hidden.html").read_text(encoding="utf-8")
    for trick in ("display:none", "<!--", "font-size:0", "color:#ffffff;background-color:#ffffff"):
        assert trick in raw


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".html")])
def test_a_page_has_boilerplate_around_its_article(name: str) -> None:
    raw = (DOCUMENTS / name).read_text(encoding="utf-8")
    for tag in ("<title>", "<nav>", "<footer>", "<article>"):
        assert tag in raw
    assert "Cookie settings" not in text_of(name)
    assert published_of(name)


# --- the questions ---


def test_the_questions_are_numerous_and_of_every_type() -> None:
    counts = Counter(question["type"] for question in QUESTIONS)
    assert len(QUESTIONS) >= 60
    assert set(counts) == set(MIN_COUNTS)
    assert {kind: counts[kind] for kind, least in MIN_COUNTS.items() if counts[kind] < least} == {}
    assert len(BY_ID) == len(QUESTIONS)
    assert len({question["question"] for question in QUESTIONS}) == len(QUESTIONS)
    assert sum(question["answers"] == ["yes"] or question["answers"] == ["no"] for question in QUESTIONS) <= 2
    assert [question["query_id"] for question in QUESTIONS[:3]] == ["q001", "q002", "q003"]
    assert [question["type"] for question in QUESTIONS[:3]] == ["two_hop", "as_of", "unanswerable"]


@each_question
def test_a_question_names_existing_documents(question: dict[str, Any]) -> None:
    gold, near = question["documents"], question["near_misses"]
    assert set(gold) | set(near) <= set(NAMES)
    assert not set(gold) & set(near)
    assert len(set(gold)) == len(gold)
    assert len(set(near)) == len(near)
    assert set(question) - {"asked_on"} == {
        "query_id", "question", "answers", "type", "hops", "documents", "near_misses",
    }  # fmt: skip


@each_question
def test_the_gold_answer_stands_in_a_gold_document_and_in_no_near_miss(question: dict[str, Any]) -> None:
    if question["type"] == "unanswerable":
        assert question["answers"] == question["documents"] == []
        return
    assert question["answers"]
    if question["answers"] == ["yes"]:
        return
    assert any(says(name, question["answers"][0]) for name in question["documents"])
    for answer in question["answers"]:
        assert [name for name in question["near_misses"] if says(name, answer)] == []
        if question["type"] != "comparison":
            assert answer.lower() not in question["question"].lower()


@each_question
def test_hops_match_the_type_and_the_documents(question: dict[str, Any]) -> None:
    kind, hops, gold = question["type"], question["hops"], question["documents"]
    if kind == "unanswerable":
        return
    assert hops == {"two_hop": 2, "three_hop": 3, "comparison": 2}.get(kind, 1)
    assert len(gold) == hops, "one document a hop"


@pytest.mark.parametrize(
    "question",
    [q for q in QUESTIONS if q["type"] in {"two_hop", "three_hop"}],
    ids=lambda question: question["query_id"],
)
def test_no_single_document_answers_a_multi_hop_question(question: dict[str, Any]) -> None:
    way = PATHS[question["query_id"]]
    gold = question["documents"]
    anchor, bridges, answer = way["anchor"], way["bridges"], question["answers"][0]
    assert len(bridges) == len(gold) - 1
    for bridge in bridges:
        assert bridge.lower() not in question["question"].lower(), "the question must not name the bridge"
        assert any(says(name, bridge) for name in gold)
    parts = [anchor, *bridges, answer]
    assert says(gold[0], anchor)
    for name in gold:
        assert any(says(name, part) for part in parts), f"{name} contributes nothing"
        assert not says(name, answer) or name == gold[-1], f"{name} gives the answer before the last hop"
    for first, second, bridge in zip(gold, gold[1:], bridges, strict=False):
        assert says(first, bridge), f"{first} does not lead on"
        assert second != first
    assert [name for name in NAMES if all(says(name, part) for part in parts)] == []


@pytest.mark.parametrize(
    "question", [q for q in QUESTIONS if q["type"] == "unanswerable"], ids=lambda question: question["query_id"]
)
def test_what_an_unanswerable_question_needs_is_absent(question: dict[str, Any]) -> None:
    for phrase in PATHS[question["query_id"]]["absent"]:
        assert [name for name in question["near_misses"] if phrase.lower() in text_of(name).lower()] == []


@each_question
def test_an_older_version_is_no_gold_document_of_a_question_about_now(question: dict[str, Any]) -> None:
    if question["type"] != "superseded":
        return
    assert question["asked_on"] == "2026-01-15"
    old = [name for name in MARKDOWN if front_matter(DOCUMENTS / name)[0].get("superseded_by") in question["documents"]]
    assert old
    assert set(old) <= set(question["near_misses"])


# --- the facts for a second reader, and the small cut ---


def test_the_fact_list_names_existing_documents() -> None:
    lines = [line for line in (SAMPLE / "facts.md").read_text(encoding="utf-8").splitlines() if line.startswith("- ")]
    assert len(lines) == 40
    for line in lines:
        fact, _, name = line[2:].rpartition(" (")
        assert fact
        assert name.removesuffix(")") in NAMES


def test_the_small_cut_supports_its_questions() -> None:
    cut = yaml.safe_load((ROOT / "tests" / "corpora" / "tiny.yaml").read_text(encoding="utf-8"))
    assert set(cut) == {"documents", "questions"}
    assert len(set(cut["documents"])) == 12
    assert set(cut["documents"]) <= set(NAMES)
    kinds = Counter(BY_ID[query_id]["type"] for query_id in cut["questions"])
    assert kinds == {"two_hop": 2, "as_of": 1, "superseded": 1, "unanswerable": 1, "single_fact": 3}
    for query_id in cut["questions"]:
        assert set(BY_ID[query_id]["documents"]) <= set(cut["documents"])
