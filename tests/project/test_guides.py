"""The pages on cleaning, script conversion and plugins: tables are current, and every example is what comes out."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
import yaml

from chat_corpus import plugins, sources
from chat_corpus.cli.normalize_lines import Filter
from chat_corpus.formats.base import Format
from chat_corpus.formats.instructions import instruction_turns
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.pipeline.text import normalizer
from chat_corpus.pipeline.text.options import MaxRun, Policy, RepostPolicy, Templates, TextOptions
from chat_corpus.pipeline.text.steps import STEPS, Step
from chat_corpus.schema import Script, Traits
from chat_corpus.sources import plugin_digest
from chat_corpus.sources.base import Source
from tests.conftest import ROOT, Golden
from tests.helpers import invoke, put

PATHS = {"en": "docs/{}.md", "zh": "docs/zh/{}.md"}
HEADS = {
    "en": ("Step", "Default", "Values", "Sources"),
    "zh": ("步骤", "默认", "取值", "来源"),
}
WORDS = {
    "en": {"all": "all", "but": "all but {}", "any": "any", "default": "default", "same": "unchanged"},
    "zh": {"all": "全部", "but": "除 {} 外全部", "any": "任意", "default": "默认", "same": "不变"},
}
LANGUAGES = tuple(PATHS)
_ESCAPE = re.compile(r"\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|([nrt]))")


def page(name: str, language: str) -> str:
    return (ROOT / PATHS[language].format(name)).read_text("utf-8")


def files(document: str) -> dict[str, str]:
    """The blocks below comments `<!-- file NAME -->`, by name."""
    return dict(re.findall(r"^<!-- file (\S+) -->\n\n```\w*\n(.*?)^```$", document, re.MULTILINE | re.DOTALL))


def shown(document: str, mark: str) -> str:
    found = re.search(rf"^<!-- {re.escape(mark)} -->\n\n```\w*\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    assert found, mark
    return found[1]


def examples(name: str, language: str) -> list[tuple[str, str, dict[str, Any], str, str]]:
    """The rows of the tables of examples: section, source ("" for any), setting, text before and after."""
    words = WORDS[language]
    rows = []
    section = ""
    for line in page(name, language).splitlines():
        section = line.lstrip("# ") if line.startswith("#") else section
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        if len(cells) != len(HEADS[language]) or cells[0] not in (words["any"], *sources.load()):
            continue
        source, setting, before, after = cells
        chosen = {} if setting == words["default"] else yaml.safe_load(setting.strip("`"))
        rows.append((section, source.replace(words["any"], ""), chosen, _text(before), _text(after, before, language)))
    return rows


def _text(cell: str, before: str = "", language: str = "en") -> str:
    """The text of a cell; invisible characters are escapes."""
    if before and cell == WORDS[language]["same"]:
        return _text(before)
    assert re.fullmatch("`[^`]+`", cell), cell

    def character(found: re.Match[str]) -> str:
        code = found[1] or found[2]
        return chr(int(code, 16)) if code else {"n": "\n", "r": "\r", "t": "\t"}[found[3]]

    return _ESCAPE.sub(character, cell[1:-1])


def _values(setting: object) -> tuple[str, str]:
    """The default of a step's setting, and its possible values."""
    policies = ", ".join(f"`{policy}`" for policy in (RepostPolicy if isinstance(setting, RepostPolicy) else Policy))
    if isinstance(setting, bool):
        return f"`{str(setting).lower()}`", "`true`, `false`"
    if isinstance(setting, Policy | RepostPolicy):
        return f"`{setting}`", policies
    if isinstance(setting, Templates):
        return f"`faces: {setting.faces}`", f"`faces`: {policies}; `enabled: false`"
    assert isinstance(setting, MaxRun)
    return f"`limit: {setting.limit}`", "`limit: 1` … `limit: 100`; `enabled: false`"


def _switched_on(step: Step) -> TextOptions:
    setting = getattr(TextOptions(), step.name)
    chosen = {bool: True, Policy: Policy.REMOVE}.get(type(setting), setting)
    return msgspec.structs.replace(TextOptions(), **{step.name: chosen})


def _sources(step: Step, language: str) -> str:
    """The sources in which a step may change texts, once it is switched on."""
    options = _switched_on(step)
    having = [name for name, source in sources.load().items() if step.parts(options, source.traits)]
    lacking = [name for name in sources.load() if name not in having]
    if len(having) <= len(lacking):
        return ", ".join(f"`{name}`" for name in having)
    words = WORDS[language]
    return words["but"].format(", ".join(f"`{name}`" for name in lacking)) if lacking else words["all"]


def steps_table(language: str) -> str:
    rows: list[tuple[str, ...]] = [HEADS[language]]
    for step in STEPS:
        default, values = _values(getattr(TextOptions(), step.name))
        rows.append((f"[`{step.name}`](#{step.name})", default, values, _sources(step, language)))
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "| --- | --- | --- | --- |", *body])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_of_steps_is_current(language: str, golden: Golden) -> None:
    document = page("cleaning", language)
    before, opening, rest = document.partition("<!-- steps -->\n")
    _, closing, after = rest.partition("<!-- /steps -->\n")
    assert opening
    assert closing
    made = before + opening + steps_table(language) + "\n" + closing + after
    golden.check(ROOT / PATHS[language].format("cleaning"), made.encode())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_has_a_section_in_its_place_with_examples(language: str) -> None:
    rows = examples("cleaning", language)
    assert list(dict.fromkeys(section for section, *_ in rows)) == [step.name for step in STEPS]
    for step in STEPS:
        own = [row for row in rows if row[0] == step.name]
        assert any(before != after for *_, before, after in own)
    changed = {(name, *map(str, rest)) for name, *rest in rows}
    assert len(changed) == len(rows)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_steps_do_what_the_examples_say(language: str) -> None:
    for step, source, setting, before, after in examples("cleaning", language):
        traits = sources.load()[source].traits if source else Traits(script=Script.MIXED)
        options = msgspec.convert(setting, TextOptions)
        assert normalizer.normalize(pl.Series([before]), options, traits).item() == after, (step, before)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_conversion_does_what_the_examples_say(language: str) -> None:
    rows = examples("script", language)
    assert len(rows) > 30
    for _, source, setting, before, after in rows:
        settings = msgspec.convert({"script": setting}, SourceSettings)
        texts, _ = Filter.of(settings, sources.load().get(source)).texts(pl.Series("text", [before]))
        assert texts.item() == after, before


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_lines_shown_are_what_normalize_prints(language: str) -> None:
    document = page("cleaning", language)
    done = invoke("--lang", language, "normalize", "--explain", stdin=files(document)["lines.txt"].encode())
    assert (done.exit_code, done.stdout) == (0, shown(document, "normalize"))


def _commands(document: str, word: str) -> list[list[str]]:
    """The command lines shown that have a word, without the name of the program."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    return [shlex.split(line, comments=True)[1:] for block in blocks for line in block.splitlines() if word in line]


@pytest.fixture
def _forgotten() -> Iterator[None]:
    """Plugins are loaded once a process, by the name of their file: other tests have files of the same names."""
    sources.declared.cache_clear()
    plugin_digest.code.cache_clear()
    yield
    sources.declared.cache_clear()
    plugin_digest.code.cache_clear()


@pytest.mark.usefixtures("_forgotten")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_plugins_shown_read_the_files_shown(language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = page("plugins", language)
    monkeypatch.chdir(put(tmp_path, files(document)))
    commands = _commands(document, "--plugin")
    assert len(commands) > 4
    for command in commands:
        assert (done := invoke(*command)).exit_code == 0, done.output
    for name in re.findall(r"^<!-- written (\S+) -->$", document, re.MULTILINE):
        assert Path(name).read_text("utf-8") == shown(document, f"written {name}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_a_plugin_declares_is_explained(language: str) -> None:
    named = re.findall(r"`([\w.]+)", page("plugins", language))
    declared = {field.name for kind in (Source, Traits) for field in fields(kind)}
    formats = {name for name in plugins.__all__ if isinstance(getattr(plugins, name), Format)}
    assert declared | formats <= set(named)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_shape_of_json_shown_is_read(language: str) -> None:
    shapes = re.findall(r"^\| [^|]+ \| `([{\[].*[}\]])` \|$", page("plugins", language), re.MULTILINE)
    assert len(shapes) == 7
    for shape in shapes:
        record = shape
        for letter in "abcdefgh":
            record = record.replace("…", letter, 1)
        turns = instruction_turns(json.loads(record))
        assert sorted("".join(filter(None, turns)).replace("\n", "")) == sorted(re.findall(r'"([a-h])"', record))
