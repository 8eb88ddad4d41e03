"""The documents are true: their tables are current, their examples run, and what they show is what comes out."""

from __future__ import annotations

import json
import re
import shlex
import stat
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import pytest

from chat_corpus import errors, sources
from chat_corpus.cli import main
from chat_corpus.discovery.inventory import survey
from chat_corpus.lineage.run_differences import RunDifferences, Setting
from chat_corpus.runs.progress import silent
from chat_corpus.runs.runner import run
from chat_corpus.schema import Pairing, Reason, Script
from chat_corpus.settings.model import Settings
from chat_corpus.sources.base import Source
from tests.conftest import ROOT, SAMPLES, SOME_BY_DEFAULT, Golden
from tests.helpers import invoke
from tests.lineage.made import CAUSES

READMES = ("README.md", "README.zh-CN.md")
DOCUMENTS = (*READMES, "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
COMMANDS = (
    ("python -m pip install .", "python main.py"),
    ('python -m pip install -e ".[dev]"', "python -m pytest"),
)

HEADS = {
    "README.md": ("Name", "Corpus", "Files looked for", "Layout", "Script", "Pairs", "Licence"),
    "README.zh-CN.md": ("名称", "语料", "查找的文件", "格式", "字体（简/繁）", "配对", "许可"),
}
#: What the Chinese table says for a word of the declarations; what is missing here stands there as it is declared.
CHINESE = {
    Script.HANS: "简体",
    Script.HANT: "繁体",
    Script.TAIWAN: "繁体（台湾）",
    Script.MIXED: "混合",
    Pairing.ADJACENT: "相邻",
    Pairing.EXCHANGE: "一问一答",
    Pairing.FIRST: "首轮",
    Pairing.NONE: "无",
    "not stated": "未说明",
    "free for research; see the origin": "可用于研究，见来源",
    "research use; see the origin": "供研究使用，见来源",
    "GPL-3.0; research use only": "GPL-3.0，仅供研究",
}


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def blocks(document: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text(document), re.MULTILINE | re.DOTALL)


def shown(document: str, mark: str) -> str:
    """The fenced block below the comment `<!-- mark -->`."""
    found = re.search(rf"^<!-- {mark} -->\n```\w*\n(.*?)^```$", text(document), re.MULTILINE | re.DOTALL)
    assert found, f"{document} has no block '{mark}'"
    return found[1]


def table(rows: Sequence[tuple[str, ...]]) -> str:
    head, *body = (f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *body])


def module(function: Any) -> str:
    """The layout that a format's reader is of: the name of its module."""
    while isinstance(function, partial):
        function = function.func
    return str(function.__module__).rpartition(".")[2]


def corpora(document: str) -> str:
    word: Callable[[str], str] = (lambda told: CHINESE.get(told, told)) if "zh" in document else str
    rows: list[tuple[str, ...]] = [HEADS[document]]
    for name, source in sources.load().items():
        patterns = dict.fromkeys(pattern for wanted in source.inputs for pattern in wanted.files)
        layouts = dict.fromkeys(module(wanted.format.read) for wanted in source.inputs)
        rows.append(
            (
                f"`{name}`",
                f"[{source.title}]({source.url})",
                ", ".join(f"`{pattern}`" for pattern in patterns),
                ", ".join(f"[{layout}](chat_corpus/formats/{layout}.py)" for layout in layouts),
                word(source.traits.script),
                word(source.pairing),
                word(source.licence),
            )
        )
    return table(rows)


def run_options() -> list[click.Option]:
    return [option for option in main.main.commands["run"].params if isinstance(option, click.Option)]


def options(_: str) -> str:
    rows: list[tuple[str, ...]] = [("Option", "Meaning")]
    for option in run_options():
        value = ", ".join(option.type.choices) if isinstance(option.type, click.Choice) else option.metavar
        names = ", ".join(f"`{name}`" for name in option.opts)
        rows.append((f"{names} `{value}`" if value else names, f"{option.help}"))
    return table(rows)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundled samples and what the main job makes of them."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "raw_chat_corpus").symlink_to(SAMPLES, target_is_directory=True)
    found = survey(folder / "raw_chat_corpus", sources.load())
    assert all(one.sample for one in found.values())
    run(found, Settings(out=str(folder / "clean_chat_corpus"), workers=1), silent)
    return folder


@pytest.mark.parametrize(("document", "mark", "made"), [
    *((document, "corpora", corpora) for document in READMES), ("README.md", "options", options),
])  # fmt: skip
def test_generated_tables_are_current(document: str, mark: str, made: Callable[[str], str], golden: Golden) -> None:
    before, opening, rest = text(document).partition(f"<!-- {mark} -->\n")
    _, closing, after = rest.partition(f"<!-- /{mark} -->\n")
    assert opening
    assert closing
    golden.check(ROOT / document, (before + opening + made(document) + "\n" + closing + after).encode())


@pytest.mark.parametrize("document", READMES)
def test_every_option_of_run_and_every_verb_is_mentioned(document: str) -> None:
    names = [f"`{name}`" for option in run_options() for name in option.opts]
    assert [
        name for name in (*names, *(f"`{verb}`" for verb in main.main.commands)) if name not in text(document)
    ] == []


@pytest.mark.parametrize("document", READMES)
def test_every_reason_and_every_exit_code_is_explained(document: str) -> None:
    kinds: list[type[errors.ChatCorpusError]] = [errors.ChatCorpusError, *errors.ChatCorpusError.__subclasses__()]
    explained = re.findall(r"^\| `?([\w]+)`? \|", text(document), re.MULTILINE)
    assert {str(reason) for reason in Reason} <= set(explained)
    assert {"0", *(str(kind.exit_code) for kind in kinds)} == {word for word in explained if word.isdecimal()}


@pytest.mark.parametrize("document", READMES)
def test_every_cause_that_compare_may_name_is_told(document: str) -> None:
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


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_within_the_repository_lead_somewhere(document: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", text(document)):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        assert (ROOT / path).exists(), target
        heads = re.findall(r"^#+ (.+)$", text(path or document), re.MULTILINE) if anchor else []
        assert not anchor or anchor in [head.lower().replace(" ", "-") for head in heads], target


def test_both_readmes_have_the_same_sections_and_the_same_examples() -> None:
    english, chinese = (re.findall(r"^(#+) ", text(document), re.MULTILINE) for document in READMES)
    assert english == chinese
    for language in ("python", "sh", "yaml", "json", "text"):
        bare = [[re.sub(r"\s+# .*", "", block) for block in blocks(name, language)] for name in READMES]
        assert bare[0] == bare[1]


@pytest.mark.parametrize("document", READMES)
def test_two_commands_do_everything_and_ci_runs_them(document: str) -> None:
    assert tuple(tuple(block.splitlines()) for block in blocks(document, "sh")[:2]) == COMMANDS
    assert all(" && ".join(commands) in text(".ci/run") for commands in COMMANDS)
    assert (ROOT / ".ci" / "run").stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_line_shown_is_one(document: str) -> None:
    lines = [line for block in blocks(document, "sh") for line in block.splitlines()]
    for line in lines:
        words = shlex.split(line, comments=True)
        if "main.py" not in words or "pip" in words:
            continue
        own = words[words.index("main.py") + 1 :]
        verb = own.pop(0) if own and own[0] in main.main.commands else "run"
        known = {name for option in main.main.commands[verb].params for name in option.opts}
        assert {word for word in own if word.startswith("-")} <= known, line


@pytest.mark.parametrize("document", READMES)
def test_the_output_shown_is_what_comes_out(document: str, outcome: Path) -> None:
    clean = outcome / "clean_chat_corpus"
    for name in ("ptt.tsv", "rejects/ptt.jsonl"):
        assert shown(document, f"lines {name}") in (clean / name).read_text("utf-8")
    told = json.loads((clean / "report.json").read_text("utf-8"))["sources"]
    excerpt = json.loads(shown(document, "excerpt ptt"))
    assert {part: {key: told["ptt"][part][key] for key in figures} for part, figures in excerpt.items()} == excerpt
    rows = [line.split(maxsplit=6) for line in shown(document, "summary").splitlines()[1 : len(told) + 1]]
    assert [[name, *figures[:4]] for name, *figures in rows] == [_row(name, one) for name, one in told.items()]


@pytest.mark.parametrize("document", READMES)
def test_what_is_shown_of_looking_back_is_what_is_printed(
    document: str, outcome: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(outcome)
    (settings,) = (block for block in blocks(document, "yaml") if "max_chars" in block)
    Path("my.yaml").write_text(settings, "utf-8")
    assert invoke("-q", "-s", "tieba", "--config", "my.yaml", "--out", "mine").exit_code == 0
    verbs = ["trace clean_chat_corpus/ptt.tsv:37", "explain ptt-42w/Gossiping-QA-Dataset.txt:3"]
    for verb in (*verbs, "compare clean_chat_corpus mine --examples 1"):
        assert shown(document, verb.split()[0]) in invoke(*verb.split()).stdout


def _row(name: str, told: Mapping[str, Any]) -> list[str]:
    dropped = sum(told["turns"]["rejected"].values()) + told["pairs"]["duplicates"]
    return [name, *map(str, (told["records"]["read"], told["turns"]["kept"], told["pairs"]["written"], dropped))]


@pytest.mark.filterwarnings("default")  # other people's packages warn of what they like
def test_the_python_examples_run(outcome: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(outcome)
    monkeypatch.setenv("HF_HOME", str(outcome / "cache"))
    lines = (outcome / "clean_chat_corpus" / "qingyun.tsv").read_text("utf-8").splitlines()
    written = [line.split("\t")[1].replace(r"\n", "\n") for line in lines]
    assert any("\n" in answer for answer in written)
    ran: dict[str, Any] = {}
    for block in blocks("README.md", "python"):
        try:
            exec(compile(block, "README.md", "exec"), ran)  # noqa: S102 our own document
        except ModuleNotFoundError as error:
            assert error.name in ("pandas", "datasets")  # noqa: PT017 that one is not installed is no failure
            continue
        if "qingyun.tsv" in block:
            assert list(ran["pairs"]["answer"]) == written
    assert isinstance(ran["SOURCE"], Source)
    assert '{"query":' in (outcome / "qingyun.jsonl").read_text("utf-8")


def test_the_source_shown_is_read_from_its_file(tmp_path: Path) -> None:
    (module_file := tmp_path / "mine.py").write_text(blocks("README.md", "python")[-1], "utf-8")
    (tmp_path / "mine.conv").write_text("E\nM 在吗\nM 在\n", "utf-8")
    known = sources.load((str(module_file),))
    assert survey(tmp_path, known)["mine"].state == "found"


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
