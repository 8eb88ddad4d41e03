"""The examples of README and docs: commands are valid, Python runs, and the output shown is what comes out."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from chat_corpus import normalize, sources
from chat_corpus.cli import main
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.formats.layouts import LAYOUTS
from chat_corpus.runs.progress import silent
from chat_corpus.runs.runner import run
from chat_corpus.settings.loading import load
from chat_corpus.settings.model import Settings
from chat_corpus.sources.definitions import Definition
from tests.conftest import SAMPLES
from tests.helpers import invoke, put
from tests.project import report_reference
from tests.project.documents import (
    DOCUMENTS,
    ENGLISH,
    PAGES,
    READMES,
    between,
    blocks,
    language,
    marked,
    pages,
    text,
)

#: Packages that examples import and that need not be installed.
OPTIONAL = ("pandas", "datasets", "trl", "unsloth")


def test_the_keys_of_the_report_are_those_of_a_report(outcome: Path) -> None:
    written = json.loads((outcome / "clean_chat_corpus" / "report.json").read_text("utf-8"))
    known = set(report_reference.report_keys())
    found = set(_paths(written, "", known))
    assert found <= known
    assert "sources.<name>.records_by_file.<file>.used" in found


def _paths(value: object, at: str, known: set[str]) -> Iterator[str]:
    """The keys in a report as the page names them; what is below a free mapping, such as counts by reason, has none."""
    for one in value if isinstance(value, list) else ():
        yield from _paths(one, f"{at}[]", known)
    any_name = {"sources": "<name>", "records_by_file": "<file>"}.get(at.rpartition(".")[2])
    documented = not at or any(key.startswith(f"{at}.") for key in known)
    for key, below in value.items() if isinstance(value, Mapping) and documented else ():
        path = f"{at}.{any_name or key}".lstrip(".")
        if any_name is None:
            yield path
        yield from _paths(below, path, known)


#: The data of a user, in the layout json.
_EXCHANGE = [{"role": "user", "content": "這裡有人嗎"}, {"role": "assistant", "content": "有"}]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundled samples and what the main job makes of them."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "raw_chat_corpus").symlink_to(SAMPLES, target_is_directory=True)
    found = discover_sources(folder / "raw_chat_corpus", sources.load())
    assert all(one.sample for one in found.values())
    here = Settings(raw=str(folder / "raw_chat_corpus"), out=str(folder / "clean_chat_corpus"), workers=1)
    run(found, here, silent)
    return folder


@pytest.mark.parametrize("document", READMES)
def test_the_lines_before_and_after_are_what_the_program_makes(document: str) -> None:
    part = text(document).partition("<!-- before and after -->\n")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", part, re.MULTILINE)
    assert len(rows) == 3
    for name, before, after in rows:
        assert normalize([before], traits=sources.load()[name].traits).to_list() == [after]


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
            rows = [line.split()[:5] for line in block.splitlines() if line.split()[:1] in [[name] for name in written]]
            assert rows == [_row(name, source) for name, source in written.items()]
        elif kind == "stdout":
            _with_settings(document)
            assert block in invoke("--lang", language(document), *shlex.split(rest)).stdout
        elif kind == "layout":
            put(outcome, {"chat.jsonl": json.dumps({"messages": _EXCHANGE}) + "\n"})
            assert block in invoke("--lang", language(document), *shlex.split(rest)).stderr


def _with_settings(document: str) -> None:
    """Write the settings that a page shows first to my.yaml, and what a run of tieba makes with them to `mine`."""
    settings = [block for block in blocks(document, "yaml") if "max_chars" in block]
    if settings and not Path("mine").exists():
        Path("my.yaml").write_text(settings[0], "utf-8")
        assert invoke("-q", "-s", "tieba", "--config", "my.yaml", "--out", "mine").exit_code == 0


def _row(name: str, entry: Mapping[str, Any]) -> list[str]:
    dropped = sum(entry["turns"]["rejected"].values()) + entry["pairs"]["duplicates"]
    return [name, *map(str, (entry["records"]["read"], entry["turns"]["kept"], entry["pairs"]["written"], dropped))]


@pytest.mark.filterwarnings("default")  # other people's packages warn of what they like
@pytest.mark.parametrize("document", ["README.md", *ENGLISH])
def test_the_python_examples_run(document: str, outcome: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the Chinese pages are the same; signatures of the reference are no examples."""
    monkeypatch.chdir(outcome)
    ran: dict[str, Any] = {}
    generated = between(document, "api")[1] if document == "docs/api.md" else ""
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


@pytest.mark.parametrize("document", READMES)
def test_the_three_commands_process_the_data_of_a_user(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path, {"chat.jsonl": json.dumps({"messages": _EXCHANGE})})
    (commands,) = (block for block in blocks(document, "sh") if "--add" in block)
    done = [invoke(*shlex.split(line)[1:]) for line in commands.splitlines()]
    assert [one.exit_code for one in done] == [0, 0, 0]
    assert Path("my_clean/mine.tsv").read_text("utf-8") == "这里有人吗\t有\n"
    assert "chat.jsonl:1" in done[2].stdout


@pytest.mark.parametrize("document", pages("own-data"))
def test_the_corpora_of_the_page_on_own_data_are_read(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = re.findall(r"^<!-- file (\S+) -->\n\n```\w*\n(.*?)^```$", text(document), re.MULTILINE | re.DOTALL)
    put(tmp_path, dict(files))
    assert invoke("-q", "--config", "my.yaml").exit_code == 0
    made = {path.name: path.read_text("utf-8") for path in Path("clean_chat_corpus").glob("*.tsv")}
    assert made == {"group.tsv": "今天吃什么\t火锅吧\n", "film.tsv": "在吗\t在\n", "pairs.tsv": "几点走\t五点\n"}


@pytest.mark.parametrize("document", pages("own-data"))
def test_the_page_on_own_data_names_every_layout_and_key(document: str) -> None:
    rows = text(document)
    for layout in LAYOUTS:
        aliases = ", ".join(f"`{alias}`" for alias in layout.aliases)
        assert f"| `{layout.name}` | {aliases}{' ' if aliases else ''}|" in rows
    assert [key for key in Definition.__struct_fields__ if f"`{key}`" not in rows] == []
