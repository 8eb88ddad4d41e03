"""The page in headless Chromium: nothing is fetched, both languages, light and dark, a telephone, and A4.

Runs where CHAT_CORPUS_BROWSER is set; needs chromium, and for A4 the programs of poppler-utils.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SAMPLES
from tests.helpers import invoke
from tests.page.browser import Browser, executable, started
from tests.page.parsed import parse
from tests.page.test_page import hostile

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("CHAT_CORPUS_BROWSER"), reason="CHAT_CORPUS_BROWSER is not set"),
]
#: Millimetres at the edges of a printed page that stay white.
_MARGIN = 10


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of all bundled corpora, with full statistics."""
    out = tmp_path_factory.mktemp("browser") / "out"
    assert invoke("-q", "--raw", SAMPLES, "--out", out).exit_code == 0
    assert invoke("report", out, "--full").exit_code == 0
    return out / "report.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert executable(), "CHAT_CORPUS_BROWSER is set, but there is no chromium"
    with started() as browser:
        yield browser


def visible_text(browser: Browser) -> str:
    return str(browser.evaluate("document.body.innerText"))


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_asks_for_nothing_and_fits(dark: bool, width: int, page: Path, browser: Browser) -> None:
    browser.open(page, width=width, dark=dark)
    browser.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert browser.requests == [page.as_uri()]
    assert browser.console == []
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    colour = browser.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    red = int(re.findall(r"\d+", colour)[0])
    assert red < 64 if dark else red > 192
    outside = """[...document.querySelectorAll('h1, h2, h3, p, summary, li, dd')].filter(one => {
        const box = one.getBoundingClientRect();
        return box.width && (box.left < 0 || box.right > document.documentElement.clientWidth + 1);
    }).map(one => one.textContent)"""
    assert browser.evaluate(outside) == []


def test_the_language_is_chosen_with_keys(page: Path, browser: Browser) -> None:
    browser.open(page)
    assert "From records to pairs" in visible_text(browser)
    assert "从记录到问答对" not in visible_text(browser)
    browser.press("Tab")
    assert browser.evaluate("document.activeElement.className") == "skip"
    browser.press("Tab")
    assert browser.evaluate("document.activeElement.id") == "language-en"
    assert browser.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.press("ArrowRight")
    assert browser.evaluate("document.activeElement.id") == "language-zh"
    assert "从记录到问答对" in visible_text(browser)
    assert "From records to pairs" not in visible_text(browser)
    assert browser.evaluate("getComputedStyle(document.querySelector('text tspan[lang=en]')).display") == "none"


def test_folds_open_with_keys(page: Path, browser: Browser) -> None:
    browser.open(page)
    browser.evaluate("document.querySelector('summary').focus()")
    browser.press("Enter")
    assert browser.evaluate("document.querySelector('details').open")


def test_texts_that_could_do_harm_do_none(tmp_path: Path, browser: Browser) -> None:
    harmful = hostile(tmp_path) / "report.html"
    browser.open(harmful)
    browser.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert browser.requests == [harmful.as_uri()]
    assert browser.console == []
    assert browser.evaluate("document.querySelectorAll('script, img, h1:not(header h1)').length") == 0
    shown = visible_text(browser)
    assert "<script>alert(1)</script>" in shown
    assert "\\u202eabc" in shown


def test_a_script_that_came_into_the_page_would_not_run(tmp_path: Path, page: Path, browser: Browser) -> None:
    """The policy is a second wall: it is tried with a script that no text of a corpus can bring in."""
    copy = tmp_path / "page.html"
    text = page.read_text("utf-8").replace("</body>", "<script>document.title = 'run'</script><p style='color: red'>")
    copy.write_text(text, "utf-8")
    browser.open(copy)
    assert browser.evaluate("document.title") != "run"
    assert any("Content Security Policy" in line for line in browser.console)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_table_is_cut_on_paper(language: str, page: Path, tmp_path: Path, browser: Browser) -> None:
    to_images, to_text = shutil.which("pdftoppm"), shutil.which("pdftotext")
    if to_images is None or to_text is None:
        pytest.skip("poppler-utils is not installed")
    browser.open(page)
    browser.evaluate(f"document.getElementById('language-{language}').click()")
    browser.pdf(tmp_path / "page.pdf")
    subprocess.run([to_images, "-r", "50", "-gray", "page.pdf", "page"], cwd=tmp_path, check=True)
    images = sorted(tmp_path.glob("page-*.pgm"))
    assert 8 <= len(images) <= 30
    for image in images:
        assert margins_are_white(image.read_bytes()), image.name
    if language == "en":
        text = subprocess.run([to_text, "-layout", "page.pdf", "-"], cwd=tmp_path, check=True, capture_output=True)
        sheets = [" ".join(sheet.split()) for sheet in text.stdout.decode().split("\f")]
        whole, checked = " ".join(sheets), 0
        for table in parse(page.read_text("utf-8")).all("table"):
            rows = [" ".join(" ".join(cell.text for cell in row.children).split()) for row in table.all("tr")]
            first, last = rows[1], rows[-1]
            if len(rows) < 30 and whole.count(first) == whole.count(last) == 1:
                checked += 1
                assert any(first in sheet and last in sheet for sheet in sheets), last
        assert checked > 10


def margins_are_white(data: bytes) -> bool:
    """Whether nothing is printed at the edges of a page, as where a table is wider than the paper."""
    header, pixels = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", data), b""
    assert header
    width, height = int(header[1]), int(header[2])
    pixels = data[header.end() :]
    edge = round(_MARGIN * 50 / 25.4)
    rows = [pixels[at : at + width] for at in range(0, width * height, width)]
    sides = b"".join(row[:edge] + row[-edge:] for row in rows)
    return min(sides + b"".join(rows[:edge] + rows[-edge:])) == 255
