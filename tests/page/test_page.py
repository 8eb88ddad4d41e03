"""report.html: its numbers are those of report.json, nothing is fetched or run, and a report always gives one page.

Texts of a corpus are harmless in it, and it can be read aloud, in light and dark.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from chat_corpus.exports.dialogues import DropReason
from chat_corpus.outputs.report import FinishedSource, Report, decode, read_report
from chat_corpus.page import writing
from chat_corpus.page.build import build
from chat_corpus.page.drawing import draw_samples
from chat_corpus.page.formats import format_number
from chat_corpus.page.material import (
    CleaningDetails,
    FilterExample,
    Material,
    SampledPair,
    SampledReject,
    SourceSamples,
    StepExample,
    statistics_of,
)
from chat_corpus.page.model import Kind, Number
from chat_corpus.page.rendering import html
from chat_corpus.page.views.reasons import REASONS
from chat_corpus.page.views.splits import TURN_REASONS
from chat_corpus.schema import Reason
from chat_corpus.statistics.schema import (
    Conversion,
    Conversions,
    DistinctShare,
    FrequentText,
    FullStatistics,
    Overlap,
    RareCharacter,
    SourceRepetition,
    TextStatistics,
)
from tests.conftest import ROOT, SAMPLES
from tests.helpers import invoke, put
from tests.page.parsed import Element, parse

_CSS = (ROOT / "chat_corpus" / "page" / "templates" / "page.css").read_text("utf-8")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a run over three of the bundled corpora."""
    folder = tmp_path_factory.mktemp("page")
    assert invoke("-q", "--raw", SAMPLES, "--out", folder / "out", "-s", "ptt,tieba,douban").exit_code == 0
    return folder / "out"


@pytest.fixture(scope="module")
def page(out: Path) -> Element:
    return parse((out / "report.html").read_text("utf-8"))


def report_of(out: Path) -> Report:
    report = read_report(out)
    assert report is not None
    return report


def value_of(report: Any, key: str) -> Any:
    """The value at a key such as `sources.ptt.files.0.bytes`."""
    for part in key.split("."):
        report = report[int(part)] if isinstance(report, list) else report[part]
    return report


def test_every_number_of_a_table_is_that_of_the_report_at_its_key(out: Path, page: Element) -> None:
    report = json.loads((out / "report.json").read_bytes())
    cells = [cell for cell in page.all("td") if "title" in cell.attributes]
    assert len(cells) > 150
    for cell in cells:
        value = value_of(report, cell.attributes["title"])
        shown = {format_number(Number(value=value), kind) for kind in (Kind.COUNT, Kind.DECIMAL)}
        assert cell.text in shown, cell.attributes["title"]


def test_numbers_without_a_key_follow_from_those_of_the_report(out: Path, page: Element) -> None:
    report = json.loads((out / "report.json").read_bytes())["sources"]
    for table in page.all("table"):
        footer = table.all("tfoot")
        if not footer:
            continue
        rows = [[cell.text for cell in row.children] for row in table.all("tbody")[0].all("tr")]
        for column, text in enumerate(cell.text for cell in footer[0].all("tr")[0].children):
            if re.fullmatch(r"[\d,]+", text):
                assert number(text) == sum(number(row[column]) for row in rows)
    turns = page_table(page, "turns")
    for row in turns.all("tbody")[0].all("tr"):
        name, *cells = (cell.text for cell in row.children)
        counts = report[name]["turns"]
        assert number(cells[5]) == sum(counts["rejected"].values())
        assert cells[7] == format_number(Number(value=counts["kept"] / counts["read"]), Kind.SHARE)


def test_numbers_of_sentences_are_those_of_the_report_or_their_sums(out: Path, page: Element) -> None:
    sources = json.loads((out / "report.json").read_bytes())["sources"].values()

    def total(*keys: str) -> int:
        return sum(value_of(source, ".".join(keys)) for source in sources)

    claims = {one.attributes["id"]: one.all("p")[0].text for one in page.all("section")}
    sides = ("query_chars", "answer_chars")
    expected = {
        "ledger": (
            total("records", "read"), total("turns", "read"),
            total("turns", "read") - total("turns", "kept"), total("pairs", "possible"), total("pairs", "written"),
            total("pairs", "duplicates"),
        ),
        "lengths": (
            sum(total("statistics", side, "count") for side in sides),
            sum(total("statistics", side, "sum") for side in sides),
            max(value_of(one, f"statistics.{side}.max") for one in sources for side in sides),
        ),
        "dialogues": (
            total("statistics", "turns_per_dialogue", "count"), total("statistics", "turns_per_dialogue", "sum"),
            total("statistics", "single_turn_dialogues"),
        ),
        "script": (total("turns", "changed_by_conversion"),),
        "changes": (total("turns", "changed_by_normalization"), total("turns", "read")),
    }  # fmt: skip
    for name, numbers in expected.items():
        assert tuple(number(one) for one in re.findall(r"\d[\d,]*", claims[name])) == numbers, claims[name]


def number(text: str) -> int:
    return 0 if text == "–" else int(text.replace(",", ""))


def page_table(page: Element, name: str) -> Element:
    (found,) = (one for one in page.all("table") if one.attributes["aria-labelledby"] == f"table-{name}")
    return found


def test_bars_have_the_lengths_of_their_numbers(out: Path, page: Element) -> None:
    pairs = {name: one.pairs for name, one in report_of(out).sources.items() if isinstance(one, FinishedSource)}
    rects = {rect.all("title")[0].text: rect for rect in page.all("rect") if rect.all("title")}
    for name, counts in pairs.items():
        parts = {"written": counts.written, "duplicates": counts.duplicates, "rejected": counts.rejected.total()}
        titles = {part: f"{name}, {part}: {count:,}" for part, count in parts.items() if count}
        widths = {part: float(rects[title].attributes["width"]) for part, title in titles.items()}
        for part, width in widths.items():
            assert width / sum(widths.values()) == pytest.approx(parts[part] / counts.possible, abs=0.002)


def test_nothing_is_fetched_and_nothing_runs(page: Element) -> None:
    tags = {element.tag for element in everything(page)}
    assert not tags & {"script", "iframe", "object", "embed", "img", "form", "base", "audio", "video", "foreignobject"}
    for element in everything(page):
        assert not [name for name in element.attributes if name.startswith("on") or name in ("src", "style")]
        if "href" in element.attributes and element.tag != "a":
            assert element.attributes["href"] == "data:,"
        if element.tag == "a" and not element.attributes["href"].startswith("#"):
            assert element.parent is not None
            assert element.parent.attributes["class"] == "link"  # of the table of origins
    (policy,) = (one for one in page.all("meta") if "http-equiv" in one.attributes)
    assert policy.attributes["content"].startswith("default-src 'none'; style-src 'sha256-")
    assert "url(" not in _CSS.replace("url(#", "")


def everything(element: Element) -> list[Element]:
    return [element, *(one for child in element.children for one in everything(child))]


def test_headings_figures_and_tables_can_be_read_aloud(page: Element) -> None:
    headings = [one for one in everything(page) if re.fullmatch("h[1-6]", one.tag)]
    levels = [int(one.tag[1]) for one in headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    identifiers = [one.attributes["id"] for one in everything(page) if "id" in one.attributes]
    assert len(identifiers) == len(set(identifiers))
    for figure in page.all("figure"):
        (drawing,) = (one for one in figure.all("svg") if one.attributes.get("role") == "img")
        assert [one.tag for one in drawing.children[:2]] == ["title", "desc"]
        assert all(one.text for one in drawing.children[:2])
        assert figure.all("figcaption")[0].text
    for element in everything(page):
        for name in element.attributes.get("aria-labelledby", "").split():
            assert name in identifiers
        if element.attributes.get("class") == "scroll":
            assert element.attributes["tabindex"] == "0"  # so that arrow keys scroll it
    assert all(cell.attributes.get("scope") in ("row", "col") for cell in page.all("th"))
    assert [one.attributes["type"] for one in page.all("input")] == ["radio", "radio"]


def test_each_figure_has_a_table(page: Element) -> None:
    for section in page.all("section"):
        if section.all("figure"):
            assert section.all("table")


def test_each_reason_has_a_meaning() -> None:
    assert set(REASONS) == set(Reason)
    assert set(TURN_REASONS) == {*Reason, *DropReason}


def test_all_words_are_in_both_languages(page: Element) -> None:
    for element in everything(page):
        languages = [one.attributes.get("lang") for one in element.children if one.tag in ("span", "tspan")]
        if set(languages) & {"en", "zh-Hans"}:
            assert sorted(filter(None, languages)) == ["en", "zh-Hans"]
    chinese = "".join(re.findall(r'lang="zh-Hans">([^<]*)', html(build(empty())), flags=re.DOTALL))
    assert len(re.findall("[一-鿿]", chinese)) > 100


def empty() -> Material:
    """A report of no sources."""
    report = (
        b'{"chat_corpus": "0", "python": "3", "packages": {}, "script_conversion": {}, "settings": {}, "sources": {}, '
        b'"run": {"started": "", "samples": false, "seconds": 1.0}}'
    )
    return Material(report=decode(report))


def test_the_same_report_gives_the_same_page_and_the_language_is_a_choice(out: Path) -> None:
    report = report_of(out)
    material = Material(report=report, samples=draw_samples(out, report.sources))
    text = html(build(material))
    assert text.encode() == (out / "report.html").read_bytes()
    chinese = html(build(material), "zh")
    assert 'id="language-zh" checked' in chinese
    assert 'id="language-en" checked' in text


@pytest.mark.slow
def test_the_page_of_all_samples_is_small(tmp_path: Path) -> None:
    assert invoke("-q", "--raw", SAMPLES, "--out", tmp_path / "out").exit_code == 0
    assert (tmp_path / "out" / "report.html").stat().st_size < 400_000


@pytest.mark.slow
@pytest.mark.parametrize(("size", "workers"), [(2_000, 1), (10_000_000, 2)])
def test_the_page_does_not_depend_on_shards_and_workers(size: int, workers: int, out: Path, tmp_path: Path) -> None:
    config = put(tmp_path, {"c.yaml": f"shard_bytes: {size}\nworkers: {workers}\n"}) / "c.yaml"
    args = ("-q", "--raw", SAMPLES, "-s", "ptt,tieba,douban", "--config", config)
    assert invoke(*args, "--out", tmp_path / "out").exit_code == 0
    assert timeless(tmp_path / "out") == timeless(out)


def timeless(out: Path) -> str:
    """The page of a report without times, and with the settings of any other."""
    report = report_of(out)
    sources = {
        name: msgspec.structs.replace(one, seconds=1.0, megabytes_per_second=None)
        for name, one in report.sources.items()
    }
    run = msgspec.structs.replace(report.run, started="", seconds=1.0)
    report = msgspec.structs.replace(report, sources=sources, run=run, settings={})
    return html(build(Material(report=report, samples=draw_samples(out, sources))))


def test_a_report_of_an_earlier_version_gives_a_page_that_says_what_is_missing(out: Path) -> None:
    report = report_of(out)
    sources = {
        name: msgspec.structs.replace(one, statistics=UNSET) if isinstance(one, FinishedSource) else one
        for name, one in report.sources.items()
    }
    page = parse(html(build(Material(report=msgspec.structs.replace(report, sources=sources)))))
    claims = {one.attributes["id"]: one.text for one in page.all("section")}
    assert "This report has no statistics." in claims["lengths"]
    assert "douban, ptt, tieba" in claims["characters"]
    assert page_table(page, "turns")


HOSTILE = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</td></table><h1>x", "&lt;b&gt; \"' `", "\u202eabc",
    "\u05d0\u05d1", "\u200b\u2060\ufeff", "x\u3164\u2800x", "\x1b[31m\x07", "长文本" * 2000, "{{ 7 * 7 }}{% raw %}",
)  # fmt: skip


def hostile(tmp_path: Path) -> Path:
    """The output of a run over texts that could do harm, with nothing cleaned away."""
    lines = "".join(f"{text}{number}\t好\n" for number, text in enumerate(HOSTILE))
    raw = put(tmp_path / "raw", {"tieba.dialogues": lines})
    steps = "{invisible: false, whitespace: false, entities: false, tags: false, templates: {enabled: false}}"
    config = put(tmp_path, {"c.yaml": f"text: {steps}\n"}) / "c.yaml"
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out", "--config", config).exit_code == 0
    return tmp_path / "out"


def test_texts_of_a_corpus_are_harmless(tmp_path: Path) -> None:
    text = (hostile(tmp_path) / "report.html").read_text("utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "{{ 7 * 7 }}" in text
    for shown in (r"\u202eabc", r"\u05d0\u05d1", r"\u3164\u2800", r"\x1b[31m"):
        assert shown in text
    unsafe = re.findall("[\u0590-\u08ff\u3164\u2800\u200b\u2060\ufeff]", text)
    assert not [*unsafe, *(c for c in text if not c.isprintable() and c != "\n")]
    tags = {element.tag for element in everything(parse(text))}
    assert not tags & {"script", "img"}
    cells = [cell.text for cell in parse(text).all("td") if cell.attributes.get("class") == "sample"]
    assert max(map(len, cells)) == 200


@pytest.mark.slow
def test_texts_before_cleaning_are_harmless(tmp_path: Path) -> None:
    lines = "".join(f"{text}{number}\t好\n" for number, text in enumerate(HOSTILE))
    raw = put(tmp_path / "raw", {"tieba.dialogues": f"{lines}臺<灣\t{{{{ 7 * 7 }}}}\n"})
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == 0
    assert invoke("report", tmp_path / "out", "--full").exit_code == 0
    text = (tmp_path / "out" / "report.html").read_text("utf-8")
    rows = page_table(parse(text), "step-examples").all("tr")[1:]
    examples = {row.children[0].text: [cell.text for cell in row.children[2:]] for row in rows}
    assert examples["invisible"] == [r"\u202eabc4", "abc4"]
    assert examples["tags"] == ["<img src=x onerror=alert(1)>1", "1"]
    assert "<mark>&lt;img src=x onerror=alert(1)&gt;</mark>1" in text
    assert not {element.tag for element in everything(parse(text))} & {"script", "img"}
    assert not [c for c in text if not c.isprintable() and c != "\n"]
    assert not re.findall("[\u0590-\u08ff\u3164\u2800\u200b\u2060\ufeff]", text)
    assert max(len(cell) for cells in examples.values() for cell in cells) <= 200


def test_no_page_is_written_where_none_is_wanted_and_no_older_one_stays(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "在吗\t在的\n"})
    args = ("-q", "--raw", raw, "--out", tmp_path / "out")
    assert invoke(*args).exit_code == 0
    assert (tmp_path / "out" / "report.html").is_file()
    assert invoke(*args, "--no-page").exit_code == 0
    assert not (tmp_path / "out" / "report.html").exists()


def test_a_page_that_cannot_be_made_is_a_warning_and_leaves_no_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "在吗\t在的\n"})
    args = ("-q", "--raw", raw, "--out", tmp_path / "out")
    assert invoke(*args).exit_code == 0

    def fails(*_: object) -> None:
        raise ValueError("no such view")

    monkeypatch.setattr(writing, "build", fails)
    result = invoke(*args, "--fresh")
    assert result.exit_code == 0
    assert "report.html: not made: ValueError: no such view" in result.stderr
    assert not (tmp_path / "out" / "report.html").exists()
    (tmp_path / "out" / "report.html").mkdir()
    result = invoke(*args, "--fresh")
    assert (result.exit_code, (tmp_path / "out" / "tieba.tsv").read_text("utf-8")) == (0, "在吗\t在的\n")
    assert "report.html" in result.stderr


def test_missing_and_edited_files_cost_samples_and_no_page(out: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(out, tmp_path / "out"))
    (copy / "rejects" / "ptt.jsonl").unlink()
    (copy / "tieba.tsv").write_text("no column\n" * 100, "utf-8")
    result = invoke("report", copy)
    assert result.exit_code == 3
    notes = parse((copy / "report.html").read_text("utf-8")).all("p")
    for words in ("ptt: no samples: ptt.jsonl", "tieba: no samples"):
        (note,) = (one.text for one in notes if one.text.startswith(words))
        assert f"warning: {note}" in result.stderr
        assert note.endswith("run again")


def longest(out: Path) -> Material:
    """What a page shows of eleven sources of which every text is long, and needs escapes."""
    text = "讀<&>\u202e" * 100
    report = report_of(out)
    (entry,) = (one for name, one in report.sources.items() if name == "ptt" and isinstance(one, FinishedSource))
    steps = {f"step_{number}": 10**9 for number in range(30)}
    entry = msgspec.structs.replace(
        entry, turns=msgspec.structs.replace(entry.turns, changed_by_step=Counter(steps)), files=entry.files * 3
    )
    names = [f"source-{number:05}" for number in range(11)]
    samples = SourceSamples(
        pairs=(SampledPair(address="source.tsv:12345678", query=text, answer=text),) * 12,
        rejects=(SampledReject(address="folder/file-of-records.txt:12345678", reason="no_answer", raw=text),) * 12,
    )
    distinct = DistinctShare(distinct=1, total=10**9, share=0.5)
    side = TextStatistics(
        texts=distinct,
        distinct_1=distinct,
        distinct_2=distinct,
        most_frequent=(FrequentText(text=text, count=10**8, share=0.123),) * 30,
        over_1000=10**6,
        over_1000_pairs=10**8,
        over_1000_share=0.5,
    )
    counted = statistics_of(entry)
    assert counted is not None
    source = SourceRepetition(
        pairs=side.texts, queries=side, answers=side, canonical_pairs=1, canonical_queries=1,
        answers_per_query=counted.query_chars,
        rarest_han=(RareCharacter(text="龘", count=1),) * 30,
    )  # fmt: skip
    overlap = tuple(Overlap(first=a, second=b, pairs=10**6, queries=10**6) for a, b in combinations(names, 2))
    example = StepExample(source="ptt", address="folder/file-of-records.txt:12345678", before=text + "a", after=text)
    rejected = FilterExample(source="ptt", address="folder/file-of-records.txt:12345678", text=text, message=text)
    conversion = Conversion(before="臺", after="台", count=10**8, share=0.1)
    return Material(
        report=msgspec.structs.replace(report, sources=dict.fromkeys(names, entry)),
        samples=dict.fromkeys(names, samples),
        full=FullStatistics(version=1, sources=dict.fromkeys(names, source), overlap=overlap),
        cleaning=CleaningDetails(
            conversions=Conversions(
                turns=10**9, converted_turns=10**9, characters=10**9, distinct=5000, most_frequent=(conversion,) * 30
            ),
            sampled=True,
            steps=dict.fromkeys(steps, example),
            filters={f"filter_{number}": rejected for number in range(20)},
        ),
    )


def test_no_page_of_eleven_sources_is_larger_than_400_kb(out: Path) -> None:
    full = longest(out)
    for material in (full, replace(full, full=None, cleaning=None)):
        size = len(html(build(material)).encode())
        assert 250_000 < size < 400_000


def luminance(colour: str) -> float:
    """The relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("number", [0, 1], ids=["light", "dark"])
def test_colours_have_enough_contrast(number: int) -> None:
    block = re.findall(r":root \{(.*?)\n\s*\}", _CSS, flags=re.DOTALL)[number]
    colours = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", block))
    assert len(colours) == 23
    ground = colours["ground"]
    for text in ("text", "muted", "link"):
        assert contrast(colours[text], ground) >= 4.5, text
        assert contrast(colours[text], colours["level0"]) >= 4.5, text
    for part in range(1, 10):
        assert contrast(colours[f"c{part}"], ground) >= 3, part
        assert contrast(colours["inside"], colours[f"c{part}"]) >= 4.5, part
    for level, on in ((1, "on-light"), (2, "on-light"), (3, "on-dark"), (4, "on-dark")):
        assert contrast(colours[on], colours[f"level{level}"]) >= 4.5, level
