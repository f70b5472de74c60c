"""The page in a real browser: Chromium, where the system has one."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from served import COLLECTION, FakeEngine

from app.store.answers import Answers

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
QUESTION = "slow: who commanded Apollo 11, and who led NASA when it flew?"

# where a browser is required, its absence fails the tests instead of skipping them
pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "GNOMON_REQUIRE_BROWSER" not in os.environ,
    reason=f"no browser: none of {', '.join(NAMES)} is in PATH",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=30_000)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def site(address: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true"]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "ui" / "home.py"), *options]
    environment = {**os.environ, "GNOMON_API": address, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield _ready(f"http://127.0.0.1:{port}")
        process.terminate()


def _ready(site: str) -> str:
    for _ in range(300):
        try:
            httpx.get(f"{site}/_stcore/health").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return site
    raise AssertionError("the page's server did not start")


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """A page that may speak with this machine alone; whatever else it asks for fails the test."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    outside: list[str] = []
    local = re.compile(r"^(https?|wss?)://127\.0\.0\.1[:/]|^data:|^blob:")
    page.on("request", lambda request: None if local.match(request.url) else outside.append(request.url))
    page.goto(site)
    yield page
    context.close()
    assert outside == []


def test_a_question_is_followed_through_a_reload_to_its_answer(page: Page, engine: FakeEngine) -> None:
    page.get_by_placeholder("Ask 3 documents").fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Searching \u2018Apollo 11 commander NASA administrator\u2019")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    address = page.url
    assert "answer=" in address

    page.reload()

    assert page.url == address
    expect(page.get_by_role("heading", name=QUESTION)).to_be_visible()
    expect(page.get_by_text("Searching \u2018Apollo 11 commander NASA administrator\u2019")).to_be_visible()
    engine.gate.set()
    answer = page.locator(".gn-answer")
    expect(answer).to_contain_text("Apollo 11 was commanded by Neil Armstrong")
    expect(page.locator(".gn-chip")).to_have_text(["1", "2"])
    expect(page.locator("#source-1 mark")).to_have_text("Neil Armstrong commanded the mission.")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    assert len(Answers(engine.database).list()) == 1


def test_a_chip_leads_to_its_card(page: Page) -> None:
    page.get_by_placeholder("Ask 3 documents").fill("Who commanded Apollo 11?")
    page.get_by_role("button", name="Ask", exact=True).click()

    page.locator(".gn-chip").nth(1).click()

    expect(page).to_have_url(re.compile(r"answer=[0-9a-f]+#source-2$"))
    expect(page.locator(".gn-card:target .gn-title")).to_have_text("Administrators of NASA")


def test_an_answer_is_stopped_by_its_button(page: Page) -> None:
    page.get_by_placeholder("Ask 3 documents").fill(QUESTION)
    page.keyboard.press("Enter")

    page.get_by_role("button", name="Stop").click()

    expect(page.get_by_role("heading", name="Stopped")).to_be_visible()


def test_files_are_uploaded_and_listed(page: Page) -> None:
    page.get_by_role("link", name="Documents").click()
    page.locator("input[type=file]").set_input_files(
        [{"name": "sputnik.txt", "mimeType": "text/plain", "buffer": b"Sputnik was first."}]
    )
    expect(page.get_by_role("button", name="Remove sputnik.txt")).to_be_visible()
    page.get_by_role("button", name=f"Add to {COLLECTION}").click()

    expect(page.get_by_text("sputnik.txt \u2014 ready")).to_be_visible()
    expect(page.get_by_text("4 documents \u00b7 4 passages can be found")).to_be_visible()


def test_what_a_document_holds_never_becomes_markup(page: Page, engine: FakeEngine) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page.get_by_placeholder("Ask 3 documents").fill("<img src=x onerror=alert(1)> [x](http://evil.invalid) who?")
    page.keyboard.press("Enter")

    expect(
        page.get_by_role("heading", name="<img src=x onerror=alert(1)> [x](http://evil.invalid) who?")
    ).to_be_visible()
    expect(page.locator(".gn-answer")).to_be_visible()
    assert page.locator("a[href*=evil]").count() == 0
    assert dialogs == []
