"""The documents are true: generated parts are current, examples run, and what they show is what comes out."""

from __future__ import annotations

import json
import re
import shlex
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from chat_corpus import errors, normalize, sources
from chat_corpus.cli import main
from chat_corpus.discovery.inventory import survey
from chat_corpus.lineage.run_differences import RunDifferences, Setting
from chat_corpus.runs.progress import silent
from chat_corpus.runs.runner import run
from chat_corpus.schema import Reason, State
from chat_corpus.settings.loading import load
from chat_corpus.settings.model import Settings
from tests.conftest import ROOT, SAMPLES, SOME_BY_DEFAULT, Golden
from tests.helpers import invoke, put
from tests.lineage.made import CAUSES
from tests.project import references
from tests.project.documents import (
    CHINESE,
    DOCUMENTS,
    ENGLISH,
    PAGES,
    READMES,
    anchor,
    blocks,
    headings,
    language,
    links,
    marked,
    pages,
    target,
    text,
)

TWO_COMMANDS = ("python -m pip install .", "python main.py")
DEVELOPMENT = ('python -m pip install -e ".[dev]"', "python -m pytest")
#: Packages that examples import and that need not be installed.
OPTIONAL = ("pandas", "datasets")

Maker = Callable[[str], str]


def _facts(name: str) -> Maker:
    return lambda language: references.facts(name, language)


GENERATED: list[tuple[str, str, Maker]] = [
    *((document, "corpora", references.corpora) for document in READMES),
    *((document, "commands", references.commands) for document in pages("cli")),
    *((document, "settings", references.configuration) for document in pages("configuration")),
    *((document, "api", references.python_api) for document in pages("api")),
    *((document, f"facts {name}", _facts(name)) for document in pages("corpora") for name in sources.load()),
]


def _between(document: str, mark: str) -> tuple[str, str, str]:
    """What is before, in and behind the generated part of a document."""
    before, opening, rest = text(document).partition(f"<!-- {mark} -->\n")
    made, closing, after = rest.partition(f"<!-- /{mark.split()[0]} -->\n")
    assert opening, f"{document} has no part '{mark}'"
    assert closing, f"{document}: '{mark}' has no end"
    return before + opening, made, closing + after


@pytest.mark.parametrize(("document", "mark", "make"), GENERATED, ids=lambda one: getattr(one, "__name__", str(one)))
def test_generated_parts_are_current(document: str, mark: str, make: Maker, golden: Golden) -> None:
    before, _, after = _between(document, mark)
    gap = "" if make(language(document)).startswith("|") else "\n"
    golden.check(ROOT / document, (before + gap + make(language(document)) + "\n" + gap + after).encode())


@pytest.mark.parametrize("document", pages("outputs"))
def test_every_key_of_the_report_has_its_type_and_a_meaning(document: str, golden: Golden) -> None:
    before, rows, after = _between(document, "report")
    meanings = dict(re.findall(r"^\| `([^`]+)` \| [^|]+ \| (.*) \|$", rows, re.MULTILINE))
    made = references.report(meanings, language(document))
    golden.check(ROOT / document, (before + made + "\n" + after).encode())
    assert [key for key in references.report_keys() if not meanings.get(key)] == []


def test_the_keys_of_the_report_are_those_of_a_report(outcome: Path) -> None:
    written = json.loads((outcome / "clean_chat_corpus" / "report.json").read_text("utf-8"))
    assert set(_paths(written, "")) <= set(references.report_keys())


def _paths(value: object, at: str) -> set[str]:
    """The keys of a report as the page names them; below free mappings there are no more."""
    found: set[str] = set()
    known = references.report_keys()
    for key, below in value.items() if isinstance(value, Mapping) else ():
        name = {"sources": "<name>", "records_by_file": "<file>"}.get(at.rpartition(".")[2], key)
        path = f"{at}.{name}".lstrip(".")
        if at in known and name == key and not any(one.startswith(f"{at}.") for one in known):
            continue
        found |= {path} - {"sources.<name>", "sources.<name>.records_by_file.<file>"}
        found |= _paths(below, path)
        for one in below if isinstance(below, list) else ():
            found |= _paths(one, f"{path}[]")
    return found


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundled samples and what the main job makes of them."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "raw_chat_corpus").symlink_to(SAMPLES, target_is_directory=True)
    found = survey(folder / "raw_chat_corpus", sources.load())
    assert all(one.sample for one in found.values())
    run(found, Settings(out=str(folder / "clean_chat_corpus"), workers=1), silent)
    return folder


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
        bare = [[re.sub(r"\s+# .*", "", block) for block in blocks(name, kind)] for name in (english, chinese)]
        assert bare[0] == bare[1]


@pytest.mark.parametrize("document", ["README.zh-CN.md", *CHINESE])
def test_a_chinese_paragraph_is_one_line(document: str) -> None:
    """A line break between two Chinese characters would show as a blank."""
    bare = re.sub(r"^```.*?^```$|^<!--.*?-->$", "", text(document), flags=re.MULTILINE | re.DOTALL)
    han = "[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef”’]"
    assert re.findall(rf".*{han}\n *(?![-*|#<\n]|\d+\. ).+", bare) == []


@pytest.mark.parametrize("document", READMES)
def test_a_readme_is_two_screens(document: str) -> None:
    assert 6_000 <= len(text(document).encode()) <= 8_192


@pytest.mark.parametrize("document", READMES)
def test_the_lines_before_and_after_are_what_the_program_makes(document: str) -> None:
    part = text(document).partition("<!-- before and after -->\n")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", part, re.MULTILINE)
    assert len(rows) == 3
    for name, before, after in rows:
        assert normalize([before], traits=sources.load()[name].traits).to_list() == [after]


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


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_line_shown_is_one(document: str) -> None:
    shells = ("sh", "powershell", "bat")
    for line in (line for kind in shells for block in blocks(document, kind) for line in block.splitlines()):
        words = shlex.split(line, comments=True, posix="\\" not in line)
        starts = [at for at, word in enumerate(words) if word in ("main.py", "chat-corpus")]
        if not starts or "pip" in words or "=" in words[0]:
            continue
        given = words[starts[0] + 1 :]
        verb = given.pop(0) if given and given[0] in main.main.commands else "run"
        known = {name for option in main.main.commands[verb].params for name in option.opts}
        group = {name for option in main.main.params for name in option.opts} | {"--help", "-h"}
        assert {word for word in given if word.startswith("-")} <= known | group, line


@pytest.mark.parametrize("document", PAGES)
def test_settings_shown_are_settings(document: str, tmp_path: Path) -> None:
    for block in blocks(document, "yaml"):
        assert isinstance(yaml.safe_load(block), dict), block
        load([put(tmp_path, {"shown.yaml": block}) / "shown.yaml"])


@pytest.mark.parametrize("document", [*READMES, *PAGES])
def test_output_shown_is_what_comes_out(document: str, outcome: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(outcome)
    written = json.loads(Path("clean_chat_corpus/report.json").read_text("utf-8"))["sources"]
    for mark, block in marked(document):
        kind, _, rest = mark.partition(" ")
        if kind == "lines":
            assert block in (Path("clean_chat_corpus") / rest).read_text("utf-8")
        elif kind == "excerpt":
            excerpt, source = json.loads(block), written[rest]
            same = {part: {key: source[part][key] for key in figures} for part, figures in excerpt.items()}
            assert same == excerpt
        elif kind == "summary":
            rows = [line.split(maxsplit=6) for line in block.splitlines()[2:-1]]
            assert [[name, *figures[:3], why] for name, *figures, why in rows] == [
                _row(name, one) for name, one in written.items()
            ]
        elif kind == "stdout":
            _with_settings(document)
            assert block in invoke(*shlex.split(rest)).stdout


def _with_settings(document: str) -> None:
    """Write the settings that a page shows first to my.yaml, and what a run of tieba makes with them to `mine`."""
    settings = [block for block in blocks(document, "yaml") if "max_chars" in block]
    if settings and not Path("mine").exists():
        Path("my.yaml").write_text(settings[0], "utf-8")
        assert invoke("-q", "-s", "tieba", "--config", "my.yaml", "--out", "mine").exit_code == 0


def _row(name: str, told: Mapping[str, Any]) -> list[str]:
    why = {**told["turns"]["rejected"], "duplicate": told["pairs"]["duplicates"]}
    reasons = ", ".join(f"{reason} {count}" for reason, count in why.items() if count)
    figures = (told["records"]["read"], told["turns"]["kept"], told["pairs"]["written"])
    return [name, *map(str, figures), reasons or "-"]


@pytest.mark.filterwarnings("default")  # other people's packages warn of what they like
@pytest.mark.parametrize("document", ["README.md", *ENGLISH])
def test_the_python_examples_run(document: str, outcome: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the Chinese pages are the same; signatures of the reference are no examples."""
    monkeypatch.chdir(outcome)
    monkeypatch.setenv("HF_HOME", str(outcome / "cache"))
    ran: dict[str, Any] = {}
    generated = _between(document, "api")[1] if document == "docs/api.md" else ""
    for block in blocks(document, "python"):
        if block in generated:
            continue
        try:
            exec(compile(block, document, "exec"), ran)  # noqa: S102 our own document
        except ModuleNotFoundError as error:
            assert error.name in OPTIONAL  # noqa: PT017 that one is not installed is no failure
            continue
        if "qingyun.tsv" in block:
            lines = Path("clean_chat_corpus/qingyun.tsv").read_text("utf-8").splitlines()
            written = [line.split("\t")[1].replace(r"\n", "\n") for line in lines]
            assert any("\n" in answer for answer in written)
            assert list(ran["pairs"]["answer"]) == written


@pytest.mark.parametrize("document", ["README.md"])
def test_the_three_commands_process_the_data_of_a_user(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sources.declared.cache_clear()  # plugins of other tests have the same name
    (plugin,) = (block for block in blocks(document, "python") if "SOURCE" in block)
    put(tmp_path, {"mine.py": plugin, "my_data/mine.txt": "在吗\t在\n這裡有人嗎\t有\n"})
    (commands,) = (block for block in blocks(document, "sh") if "mine.py" in block)
    done = [invoke(*shlex.split(line)[1:]) for line in commands.splitlines()]
    sources.declared.cache_clear()
    assert [one.exit_code for one in done] == [0, 0, 0]
    assert Path("my_clean/mine.tsv").read_text("utf-8") == "在吗\t在\n这里有人吗\t有\n"
    assert "my_data" not in done[2].stdout
    assert "mine.txt:1" in done[2].stdout


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
    told = text("ARCHITECTURE.md")
    assert [folder for folder in sorted(folders) if f"`{folder}`" not in told] == []
    named = re.findall(r"`((?:\w+/)*\w+\.py)`", told)
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
