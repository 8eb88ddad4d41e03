"""The documents are true: generated parts are current, links lead somewhere, both languages say the same."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from chat_corpus import errors, sources
from chat_corpus.cli import main
from chat_corpus.lineage.run_differences import RunDifferences, Setting
from chat_corpus.schema import Reason, State
from tests.conftest import ROOT, SOME_BY_DEFAULT, Golden
from tests.lineage.made import CAUSES
from tests.project import api_reference, command_reference, references, report_reference
from tests.project.documents import (
    CHINESE,
    DOCUMENTS,
    ENGLISH,
    PAGES,
    READMES,
    anchor,
    between,
    blocks,
    headings,
    language,
    links,
    pages,
    target,
    text,
)

#: A block with what the terminal shows, below a mark for the test that compares it with the program.
_SCREEN = re.compile(
    r"^<!-- (?:summary|normalize|(?:stdout|layout) [^\n]+) -->\n+```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
TWO_COMMANDS = ("python -m pip install .", "python main.py")
DEVELOPMENT = ('python -m pip install -e ".[dev]"', "python -m pytest")

Maker = Callable[[str], str]


def _facts(name: str) -> Maker:
    return lambda language: references.facts(name, language)


GENERATED: list[tuple[str, str, Maker]] = [
    *((document, "corpora", references.corpora) for document in READMES),
    *((document, "commands", command_reference.commands) for document in pages("cli")),
    *((document, "settings", command_reference.configuration) for document in pages("configuration")),
    *((document, "api", api_reference.python_api) for document in pages("api")),
    *((document, f"facts {name}", _facts(name)) for document in pages("corpora") for name in sources.load()),
]


@pytest.mark.parametrize(("document", "mark", "make"), GENERATED, ids=lambda one: getattr(one, "__name__", str(one)))
def test_generated_parts_are_current(document: str, mark: str, make: Maker, golden: Golden) -> None:
    before, _, after = between(document, mark)
    gap = "" if make(language(document)).startswith("|") else "\n"
    golden.check(ROOT / document, (before + gap + make(language(document)) + "\n" + gap + after).encode())


@pytest.mark.parametrize("document", pages("outputs"))
def test_every_key_of_the_report_has_its_type_and_a_meaning(document: str, golden: Golden) -> None:
    before, rows, after = between(document, "report")
    meanings = dict(re.findall(r"^\| `([^`]+)` \| [^|]+ \| (.*) \|$", rows, re.MULTILINE))
    made = report_reference.report(meanings, language(document))
    golden.check(ROOT / document, (before + made + "\n" + after).encode())
    assert [key for key in report_reference.report_keys() if not meanings.get(key)] == []


def test_every_text_about_a_setting_has_its_chinese_and_none_is_left_over() -> None:
    assert command_reference.settings_in_chinese().keys() == command_reference.settings_texts()


def test_both_languages_have_the_same_pages() -> None:
    names = [Path(page).name for page in ENGLISH]
    assert names == [Path(page).name for page in CHINESE]
    assert "index.md" in names


@pytest.mark.parametrize(
    ("english", "chinese"),
    [READMES, *((page, page.replace("docs/", "docs/zh/")) for page in ENGLISH)],
)
def test_both_languages_have_the_same_sections_and_the_same_examples(english: str, chinese: str) -> None:
    levels = [[heading.partition(" ")[0] for heading in headings(document)] for document in (english, chinese)]
    assert levels[0] == levels[1]
    for kind in ("python", "sh", "yaml", "json", "text", "powershell", "bat"):
        # What the terminal shows is in the language of the page.
        screens = [block for name in (english, chinese) for block in _SCREEN.findall(text(name))]
        bare = [
            [re.sub(r"\s+# .*", "", block) for block in blocks(name, kind) if block not in screens]
            for name in (english, chinese)
        ]
        assert bare[0] == bare[1]


@pytest.mark.parametrize("document", ["README.zh-CN.md", *CHINESE])
def test_a_chinese_paragraph_is_one_line(document: str) -> None:
    """A line break between two Chinese characters would show as a blank."""
    bare = re.sub(r"^```.*?^```$|^<!--.*?-->$", "", text(document), flags=re.MULTILINE | re.DOTALL)
    han = "[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef”’]"
    assert re.findall(rf".*{han}\n *(?![-*|#<\n]|\d+\. ).+", bare) == []


@pytest.mark.parametrize("document", ["README.zh-CN.md", *CHINESE])
def test_a_chinese_page_has_one_word_for_one_thing(document: str) -> None:
    """目录, 脱敏, 提问, 回答, 段对话 and 数据集卡片, as in the messages; others would be taken for something else."""
    bare = re.sub(r"^```.*?^```$|`[^`\n]*`", "", text(document), flags=re.MULTILINE | re.DOTALL)
    assert re.findall("字体|话轮|数据源|文件夹|遮盖|问句|答句|个对话|特殊标记|数据卡片|数据集说明", bare) == []


@pytest.mark.parametrize("document", READMES)
def test_a_readme_is_two_screens(document: str) -> None:
    assert 6_000 <= len(text(document).encode()) <= 8_192


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_within_the_repository_lead_somewhere(document: str) -> None:
    for link in links(document):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, fragment = target(document, link)
        assert path.exists(), f"{document}: {link}"
        assert document not in PAGES or path.is_relative_to(ROOT / "docs"), f"{link}: not on the site"
        if fragment:
            name = path.relative_to(ROOT).as_posix()
            assert fragment in [anchor(heading) for heading in headings(name)], f"{document}: {link}"


@pytest.mark.parametrize("document", READMES)
def test_a_readme_leads_to_every_page_of_its_language(document: str) -> None:
    own = CHINESE if language(document) == "zh" else ENGLISH
    named = {link.partition("#")[0] for link in links(document)}
    assert [page for page in own if page not in named] == []


@pytest.mark.parametrize("document", READMES)
def test_two_commands_do_everything_and_ci_runs_them(document: str) -> None:
    assert tuple(blocks(document, "sh")[0].splitlines()) == TWO_COMMANDS
    assert tuple(blocks("CONTRIBUTING.md", "sh")[0].splitlines()) == DEVELOPMENT
    assert all(" && ".join(commands) in text(".ci/run") for commands in (TWO_COMMANDS, DEVELOPMENT))
    assert (ROOT / ".ci" / "run").stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize("document", pages("cli"))
def test_every_option_of_run_and_every_command_is_mentioned(document: str) -> None:
    options = [option for option in main.main.commands["run"].params if isinstance(option, click.Option)]
    names = [f"`{name}`" for option in options for name in option.opts]
    assert [
        name for name in (*names, *(f"`{verb}`" for verb in main.main.commands)) if name not in text(document)
    ] == []


def _explained(document: str) -> set[str]:
    """The words that begin rows of tables."""
    return set(re.findall(r"^\| `?([\w]+)`? \|", text(document), re.MULTILINE))


@pytest.mark.parametrize(("document", "words"), [
    *((page, {str(reason) for reason in Reason}) for page in pages("outputs")),
    *((page, {str(state) for state in State} - {"failed"}) for page in pages("corpora")),
])  # fmt: skip
def test_every_reason_and_every_state_is_explained(document: str, words: set[str]) -> None:
    assert words <= _explained(document)


@pytest.mark.parametrize("document", pages("scripting"))
def test_every_exit_code_is_explained(document: str) -> None:
    kinds: list[type[errors.ChatCorpusError]] = [errors.ChatCorpusError, *errors.ChatCorpusError.__subclasses__()]
    codes = {word for word in _explained(document) if word.isdecimal()}
    assert codes - {"129", "130", "143"} == {"0", *(str(kind.exit_code) for kind in kinds)}


@pytest.mark.parametrize("document", pages("tracing"))
def test_every_cause_that_compare_may_name_is_explained(document: str) -> None:
    alone = [
        RunDifferences(known=True, settings=(Setting(key="a", old=1, new=2),)),
        RunDifferences(known=True, code=("a", "b")),
        RunDifferences(known=True, inputs=("a",)),
        RunDifferences(known=True, plugins=True),
    ]
    stages = {cause.partition(" ")[0] for _, _, expected in CAUSES.values() for cause, _, _ in expected}
    causes = sorted({*(str(one.only()) for one in alone), *stages})
    assert len(causes) == len(alone) + 7
    assert [cause for cause in causes if not re.search(rf"`{cause}(?: NAME)?`", text(document))] == []


def test_the_architecture_names_every_folder_and_only_files_that_are_there() -> None:
    folders = {path.name + "/" * path.is_dir() for path in (ROOT / "chat_corpus").iterdir()}
    folders = {folder for folder in folders if folder.endswith((".py", "/")) and not folder.startswith("__")}
    document = text("ARCHITECTURE.md")
    assert [folder for folder in sorted(folders) if f"`{folder}`" not in document] == []
    named = re.findall(r"`((?:\w+/)*\w+\.py)`", document)
    assert [name for name in named if not any((ROOT / at / name).exists() for at in ("chat_corpus", "."))] == []


def test_every_threat_names_a_test_that_exists() -> None:
    rows = [line for line in text("SECURITY.md").splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 10
    for row in rows:
        file, _, name = row.split(" | ")[-1].strip(" |`").partition("::")
        assert f"\ndef {name}(" in text(file), row


def test_the_tests_of_which_some_cases_run_by_default_are_there() -> None:
    known = "\n".join(file.read_text("utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name in SOME_BY_DEFAULT if f"def {name}(" not in known] == []
