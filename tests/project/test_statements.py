"""What tables and sentences of the documents state is what the program has: names, columns, keys, limits."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from chat_corpus.exports.mix_options import EQUAL, NATURAL, TEMPERATURE
from chat_corpus.exports.records import FORMATS
from chat_corpus.formats.layouts import LAYOUTS
from chat_corpus.outputs.dialogue_store import SCORED
from chat_corpus.pipeline.filters.options import FilterOptions
from chat_corpus.schema import State
from tests.conftest import ROOT, SAMPLES
from tests.helpers import invoke
from tests.project.documents import pages, text

#: The last column of a table may end with a blank; names in it are in code.
CODE = re.compile(r"`([^`]+)`")


def first_cells(document: str, heading: str) -> list[str]:
    """The names in the first cells of the rows below a heading, up to the next one of any level."""
    part = text(document).split(f"\n{heading}\n")[1]
    part = re.split(r"^#{1,6} ", part, maxsplit=1, flags=re.MULTILINE)[0]
    rows = [line for line in part.splitlines() if re.match(r"\| `(?!--)", line)]
    return [name for row in rows for name in CODE.findall(row.split("|")[1])]


def section(names: tuple[str, str], english: str, chinese: str) -> list[tuple[str, str]]:
    """A section of a page in both languages: document and heading."""
    return list(zip(names, (english, chinese), strict=True))


@pytest.mark.parametrize(
    ("exports", "research"),
    [("docs/exports.md:## Formats", "docs/splits.md:## Formats of research projects"),
     ("docs/zh/exports.md:## 格式", "docs/zh/splits.md:## 研究项目的格式")],
)  # fmt: skip
def test_every_format_of_an_export_is_in_a_table_once(exports: str, research: str) -> None:
    names = first_cells(*exports.split(":", 1)) + first_cells(*research.split(":", 1))
    assert sorted(names) == sorted(["hf", *FORMATS])


@pytest.mark.parametrize("document", pages("exports"))
def test_formats_without_ids_are_those_with_a_file_of_ids(document: str) -> None:
    (row,) = (line for line in text(document).splitlines() if line.startswith("| `<"
              ) and ".ids.jsonl`" in line)  # fmt: skip
    named = [name for name in CODE.findall(row) if name in FORMATS]
    assert sorted(named) == sorted(name for name, one in FORMATS.items() if not one.carries_id)


@pytest.mark.parametrize(("document", "heading"), section(pages("outputs"), "## The dialogue store", "## 对话库"))
def test_the_columns_of_a_dialogue_store_are_in_their_order(document: str, heading: str) -> None:
    assert first_cells(document, heading) == SCORED.names()


@pytest.mark.parametrize(("document", "heading"), section(pages("splits"), "## Mixes", "## 混合"))
def test_every_kind_of_mix_is_in_the_table(document: str, heading: str) -> None:
    kinds = [name.partition("=")[0] for name in first_cells(document, heading)]
    assert kinds == [NATURAL, EQUAL, TEMPERATURE, "ptt"]


@pytest.mark.parametrize(("document", "heading"), section(pages("corpora"), "### States", "### 状态"))
def test_every_state_of_a_source_is_in_the_table(document: str, heading: str) -> None:
    assert set(first_cells(document, heading)) == {str(one) for one in State} - {"failed"}


@pytest.mark.parametrize("document", pages("own-data"))
def test_every_layout_is_in_the_table_with_its_other_names(document: str) -> None:
    rows = [line.split("|") for line in text(document).splitlines() if line.startswith("| `")]
    table = {CODE.findall(row[1])[0]: CODE.findall(row[2]) for row in rows}
    for layout in LAYOUTS:
        assert table[layout.name] == list(layout.aliases)


@pytest.mark.parametrize(("document", "heading"), section(pages("cleaning"), "## Filters", "## 过滤器"))
def test_every_filter_is_in_a_table_of_the_page(document: str, heading: str) -> None:
    named = first_cells(document, heading)
    assert set(named) == {"empty", "no_answer", *FilterOptions.__struct_fields__} - {"custom"}
    assert len(named) == len(set(named))


def events() -> set[str]:
    """The texts in the code that may be names of events."""
    files = (ROOT / "chat_corpus").rglob("*.py")
    return {name for file in files for name in re.findall(r'"([a-z]+(?:\.[a-z]+)?)"', file.read_text("utf-8"))}


@pytest.mark.parametrize(("document", "heading"), section(pages("scripting"), "## Logs", "## 日志"))
def test_every_event_in_the_table_is_one(document: str, heading: str) -> None:
    named = first_cells(document, heading)
    assert len(named) > 15
    assert set(named) <= events() | {f"source.{state}" for state in State}


#: Numbers in the code, and how the pages in English and Chinese state them, each with the unit that they count in.
LIMITS: list[tuple[str, str, int, str, str, str]] = [
    ("files.compression", "INFLATION", 1, "corpora", "more than {}-fold", "超过 {} 倍"),
    ("files.compression", "HARMLESS", 1 << 20, "corpora", "{} MiB", "{} MiB"),
    ("files.archives", "MAX_MEMBERS", 1, "corpora", "{}", "超过一万"),
    ("files.raw_file", "HEAD_BYTES", 1024, "corpora", "first {} kB", "开头 {} kB"),
    ("files.encoding_detection", "_SAMPLE_BYTES", 1024 // 8, "encodings", "{} KiB", "{} KiB"),  # eight samples
    ("lineage.cleaning_details", "_TURNS", 1, "report", "up to {} turns", "不超过 {} 个轮次"),
    ("exports.splits", "SplitOptions.max_groups", 1, "splits", "at most {} groups", "最多 {} 组"),
]


def limit(module: str, name: str) -> int:
    value: Any = importlib.import_module(f"chat_corpus.{module}")
    first, _, field = name.partition(".")
    value = getattr(value, first)
    return int(getattr(value(), field) if field else value)


@pytest.mark.parametrize(
    ("module", "name", "unit", "page", "english", "chinese"), [pytest.param(*one, id=one[1]) for one in LIMITS]
)
def test_a_limit_is_stated_as_it_is(module: str, name: str, unit: int, page: str, english: str, chinese: str) -> None:
    value = limit(module, name)
    assert value % unit == 0
    for document, statement in zip(pages(page), (english, chinese), strict=True):
        assert statement.format(f"{value // unit:,}") in text(document), document


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("output") / "out"
    assert invoke("--raw", SAMPLES, "--out", out, "-s", "ptt,sms", "-q").exit_code == 0
    return out


#: Commands that print JSON, by how the table names them, with their arguments.
PRINTS: dict[str, tuple[str, ...]] = {
    "run --dry-run": ("--dry-run", "--out", "{0}/new"),
    "list": ("list",),
    "check": ("check",),
    "preview": ("preview", "-s", "ptt"),
    "report": ("report", "{0}"),
    "sample": ("sample", "{0}"),
}


def printed(name: str, output: Path) -> Any:
    arguments = [word.format(output) for word in PRINTS[name]]
    raw = () if name in ("report", "sample") else ("--raw", SAMPLES)
    done = invoke(*arguments, *raw, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("name", PRINTS)
def test_json_has_the_keys_that_the_tables_name(name: str, output: Path) -> None:
    """What a script reads by the documents is there, and nothing is there that they do not name."""
    value = printed(name, output)
    first = value[0] if isinstance(value, list) else value
    keys = set(first) | {key for view in first.get("views", ())[:1] for key in view}
    keys |= {key for view in first.get("views", ()) for table in view["tables"] for key in table} - {"total"}
    keys |= {key for one in first.get("texts", ()) for key in one}
    headings = section(pages("scripting"), "## Output for programs", "## 供程序读取的输出")
    for document, heading in headings:
        part = text(document).split(f"\n{heading}\n")[1]
        row = next(line for line in part.splitlines() if line.startswith(f"| `{name}` |"))
        assert set(CODE.findall(row.split("|")[2])) - {"read", "write"} == keys, document


@pytest.mark.slow
@pytest.mark.parametrize("document", pages("scripting"))
def test_the_keys_of_check_are_those_of_its_table(document: str, output: Path) -> None:
    value = printed("check", output)
    part = text(document).split("`check --json`")[1].split("`preview --json`")[0]
    named = set(CODE.findall(part))
    source, file = value["sources"][0], value["sources"][0]["files"][0]
    assert {f"sources[].{key}" for key in ("name", "files[]", "bytes", "missing", "obtain")} <= named
    known = {name.removeprefix("sources[].").removesuffix("[]") for name in named}
    assert set(source) | set(file) - {"sha256", "damage"} <= known


@pytest.mark.slow
@pytest.mark.parametrize("document", pages("report"))
def test_the_tables_of_a_page_are_those_that_the_page_on_it_names(document: str, output: Path) -> None:
    done = invoke("report", output, "--full", "--json")
    assert done.exit_code == 0, done.stderr
    found = {table["name"] for view in json.loads(done.stdout)["views"] for table in view["tables"]}
    rows = [
        line.split("|")[3] for line in text(document).splitlines() if line.startswith("| ") and line.count("|") == 4
    ]
    named = {name for cell in rows for name in CODE.findall(cell)}
    assert found <= named
    assert named - found <= {"overlap", "filters", "reading", "generic", "settings"}  # these are empty
