"""Custom sources: a Python file that the command line or a config names, or an entry point of a package."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.runs.task import ShardTask, run_shard
from chat_corpus.settings.model import Settings
from chat_corpus.sources import plugin_digest
from tests.conftest import ROOT, slow_from
from tests.helpers import PLUGIN, invoke, plugin, put


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw" / "deep"
    folder.mkdir(parents=True)
    (folder / "ours1.txt").write_text("在嗎|在\n你好\n好|嗯\n", "utf-8")
    return folder.parent


def _forget() -> None:
    """Clear the caches, as a new process would."""
    sources.declared.cache_clear()
    plugin_digest.code.cache_clear()


@pytest.fixture
def _forgotten() -> Iterator[None]:
    """A process loads entry points once; a test that fakes some begins and ends with empty caches."""
    _forget()
    yield
    _forget()


def test_a_file_on_the_command_line_is_a_source(raw: Path, tmp_path: Path) -> None:
    file = str(plugin(tmp_path))
    out = tmp_path / "out"
    result = invoke("-s", "ours", "--plugin", file, "--raw", raw, "--out", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert (out / "ours.tsv").read_text("utf-8") == "在吗\t在\n好\t嗯\n"
    assert '"record":2,"reason":"fields"' in (out / "rejects" / "ours.jsonl").read_text("utf-8")
    listed = {row["name"]: row for row in json.loads(invoke("list", "--json", "--plugin", file, "--raw", raw).stdout)}
    assert (listed["ours"]["state"], listed["ours"]["title"]) == ("found", "Ours")


def test_a_file_in_a_config_is_a_source_with_settings(raw: Path, tmp_path: Path) -> None:
    config = tmp_path / "my.yaml"
    config.write_text(
        f"plugins: [{plugin(tmp_path)}]\nsources: {{ours: {{filters: {{min_chars: 2}}, script: {{mode: none}}}}}}\n"
    )
    out = tmp_path / "out"
    assert invoke("--config", config, "--raw", raw, "--out", out).exit_code == 0
    assert (out / "ours.tsv").read_text("utf-8") == ""
    assert '"reason":"length"' in (out / "rejects" / "ours.jsonl").read_text("utf-8")


def test_a_changed_plugin_runs_again(raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for no_answer, expected in (("-", "在吗\t在\n好\t嗯\n"), ("嗯", "在吗\t在\n")):
        file = plugin(tmp_path, no_answer=no_answer)
        _forget()
        assert invoke("--plugin", file, "--raw", raw, "--out", out).exit_code == 0
        assert (out / "ours.tsv").read_text("utf-8") == expected


def test_a_package_registers_a_source_as_an_entry_point(raw: Path, tmp_path: Path) -> None:
    site, out = tmp_path / "site", tmp_path / "out"
    info = site / "ours-1.0.dist-info"
    info.mkdir(parents=True)
    plugin(site, file="ours_corpus.py")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ours\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[chat_corpus.sources]\nours = ours_corpus\n")
    done = subprocess.run(
        [sys.executable, ROOT / "main.py", "-s", "ours", "--raw", raw, "--out", out],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(site)},
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert (out / "ours.tsv").read_text("utf-8") == "在吗\t在\n好\t嗯\n"


@pytest.mark.usefixtures("_forgotten")
@pytest.mark.parametrize("value", ["ours_corpus", "ours_corpus:SOURCE"], ids=["the module", "the source in it"])
def test_an_entry_point_names_a_module_or_the_source_in_it(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin(tmp_path, file="ours_corpus.py")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "ours_corpus", raising=False)
    point = EntryPoint(name="ours", value=value, group=sources.ENTRY_POINT_GROUP)
    monkeypatch.setattr(sources, "entry_points", lambda group: [point] if group == point.group else [])
    assert sources.load()["ours"].title == "Ours"
    assert list(sources.load()) == sorted(sources.load())
    monkeypatch.delitem(sys.modules, "ours_corpus")


@pytest.mark.usefixtures("_forgotten")
def test_an_entry_point_that_cannot_be_loaded_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint(name="ours", value="no_such_module_of_ours", group=sources.ENTRY_POINT_GROUP)
    monkeypatch.setattr(sources, "entry_points", lambda group: [point])  # noqa: ARG005 the caller passes it by name
    with pytest.raises(UsageError, match="entry point no_such_module_of_ours: cannot be loaded: ModuleNotFoundError"):
        sources.load()


# id, name and content of the file, what the message says
FAULTY = [
    ("without SOURCE", "p.py", "x = 1\n", "defines no SOURCE of type chat_corpus.plugins.Source"),
    ("SOURCE of another type", "p.py", "SOURCE = {'name': 'ours'}\n", "defines no SOURCE of type"),
    ("a name that is taken", "p.py", PLUGIN.format(name="ptt", no_answer=""), "a source named 'ptt' already exists"),
    (
        "a name that is a path",
        "p.py",
        PLUGIN.format(name="../ours", no_answer=""),
        "'../ours' cannot be the name of a source",
    ),
    ("a name with a comma", "p.py", PLUGIN.format(name="a,b", no_answer=""), "'a,b' cannot be the name of a source"),
    ("no name", "p.py", PLUGIN.format(name="", no_answer=""), "'' cannot be the name of a source"),
    ("not Python", "p.py", "SOURCE = (\n", "cannot be loaded: SyntaxError"),
    ("an import that fails", "p.py", "import no_such_module_of_ours\n", "cannot be loaded: ModuleNotFoundError"),
    (
        "a pattern for a tuple of patterns",
        "p.py",
        "from chat_corpus.plugins import Input\nInput(files='m*', format=None)\n",
        "files='m*': expected a tuple of patterns",
    ),
    ("an error of its own", "p.py", "1 / 0\n", "cannot be loaded: ZeroDivisionError: division by zero"),
    ("an end of the program", "p.py", "import sys\nsys.exit(0)\n", "cannot be loaded: SystemExit: 0"),
    ("another kind of file", "p.txt", "SOURCE = 1\n", "not a Python file; expected one that defines a SOURCE"),
]


@pytest.mark.parametrize(("name", "text", "expected"), [pytest.param(*case[1:], id=case[0]) for case in FAULTY])
@pytest.mark.parametrize("verb", ["run", "list", "check", "normalize"])
def test_a_faulty_plugin_is_named_and_exits_2(verb: str, name: str, text: str, expected: str, tmp_path: Path) -> None:
    file = plugin(tmp_path, text, file=name)
    result = invoke(verb, "--plugin", file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {file}: ")
    assert expected in result.stderr


@pytest.mark.parametrize("name", ["absent.py", "folder.py", ""])
def test_a_plugin_that_is_not_a_file_exits_2(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    result = invoke("list", "--plugin", tmp_path / name)
    assert result.exit_code == 2
    assert "not a Python file; expected one that defines a SOURCE" in result.stderr


def test_the_same_plugin_twice_is_an_error(tmp_path: Path) -> None:
    file = plugin(tmp_path)
    result = invoke("list", "--plugin", file, "--plugin", file)
    assert result.exit_code == 2
    assert "a source named 'ours' already exists" in result.stderr


def test_a_plugin_may_define_dataclasses(tmp_path: Path) -> None:
    definition = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n\n@dataclass\nclass Own:\n    x: int\n"
    )
    assert "ours" in sources.load((str(plugin(tmp_path, definition + PLUGIN.format(name="ours", no_answer=""))),))


def _started(raw: Path, out: Path, *flags: str | Path, site: Path) -> str:
    """Run the program in a new process, which finds modules in `site`; return its messages."""
    done = subprocess.run(
        [sys.executable, ROOT / "main.py", "-v", "-s", "ours", "--raw", raw, "--out", out, *flags],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(site)},
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


IMPORTS = {
    "at the top": "from helper_of_ours.deep import WORD",
    "in a function": "def word():\n    import helper_of_ours.deep as deep\n    return deep.WORD\nWORD = word()",
    "by other means": "import importlib\nhelper = importlib.import_module('helper_of_ours.deep')\nWORD = helper.WORD",
}


@pytest.mark.parametrize("means", slow_from(0, [*IMPORTS, "of a package"]))
def test_a_module_that_a_plugin_or_package_imports_is_part_of_the_digest(means: str, raw: Path, tmp_path: Path) -> None:
    """If it changes, neither the output nor shards count as unchanged."""
    site, out = tmp_path / "site", tmp_path / "out"
    (site / "helper_of_ours").mkdir(parents=True)
    helper = site / "helper_of_ours" / "deep.py"
    text = PLUGIN.replace('{{"{no_answer}"}}', "{{WORD}}").format(name="ours")
    text = text.replace("SOURCE =", f"{IMPORTS.get(means, IMPORTS['at the top'])}\nSOURCE =")
    file = plugin(site if means == "of a package" else tmp_path, text, file="ours_corpus.py")
    flags: tuple[str | Path, ...] = ("--plugin", file)
    if means == "of a package":
        flags, info = (), site / "ours-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ours\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[chat_corpus.sources]\nours = ours_corpus\n")
    helper.write_text("WORD = '-'\n", "utf-8")
    _started(raw, out, *flags, site=site)
    assert (out / "ours.tsv").read_text("utf-8") == "在吗\t在\n好\t嗯\n"
    assert "ours: unchanged since" in _started(raw, out, *flags, site=site)
    before = json.loads((out / "report.json").read_text("utf-8"))["sources"]["ours"]["fingerprint"]
    helper.write_text("WORD = '嗯'\n", "utf-8")
    messages = _started(raw, out, *flags, site=site)
    assert "unchanged" not in messages
    assert (out / "ours.tsv").read_text("utf-8") == "在吗\t在\n"
    after = json.loads((out / "report.json").read_text("utf-8"))["sources"]["ours"]["fingerprint"]
    assert {key for key in before if before[key] != after[key]} == {"source"}


def test_the_name_of_a_part_depends_on_the_code_of_the_source(raw: Path, tmp_path: Path) -> None:
    settings = Settings(plugins=(str(plugin(tmp_path)),))
    (shard,) = ShardPlanner(
        found=discover_sources(raw, sources.load(settings.plugins))["ours"], settings=settings
    ).shards()
    task = ShardTask(shard=shard, settings=settings, folder=tmp_path, code="one")
    assert task.part != replace(task, code="other").part


def test_bundled_sources_have_no_plugin_digest(tmp_path: Path) -> None:
    plugins = (str(plugin(tmp_path)),)
    assert (plugin_digest.code("ptt", plugins), plugin_digest.code("ptt", ())) == ("", "")
    assert plugin_digest.code("ours", plugins)


FUNCTIONS = {
    "raises": ("return value['missing']", "layout", r"KeyError: 'missing' \(ours\.py:\d+, in turns\)"),
    "raises deep": ("return helper(value)", "layout", r"ZeroDivisionError: .*\(ours\.py:\d+, in helper\)"),
    "raises in a library": ("import re; re.compile(3)", "layout", r"TypeError: .*\(ours\.py:\d+, in turns\)"),
    "raises without text": ("raise Silent(1)", "layout", r"Silent: <no text> \(ours\.py:\d+, in turns\)"),
    "none": ("return None", "layout", r"NoneType given \(ours\.py:\d+, turns\), a list of texts expected .*"),
    "a number": ("return 3", "layout", r"int given .*, a list of texts expected .*"),
    "a text": ("return 'text'", "layout", r"str given .*, a list of texts expected .*"),
    "numbers": ("return ['a', 3]", "layout", r"int given .*, a list of texts expected .*"),
    "bytes": ("return [b'a']", "layout", r"bytes given .*, a list of texts expected .*"),
    "nothing": ("return []", "empty", "a dialogue without turns"),
    "nobody": ("return [None]", "empty", "a dialogue without turns"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_a_plugin_that_fails_rejects_the_record_only(name: str, tmp_path: Path) -> None:
    code, reason, message = FUNCTIONS[name]
    (tmp_path / "ours.py").write_text(RECORDS.format(code=code, format="json_lines"), "utf-8")
    raw = put(tmp_path / "raw", {"ours.jsonl": '{"q": "好", "a": "不"}\n{"bad": 1}\n["是", "吗"]\n' * 4})
    done = invoke("-q", "--plugin", tmp_path / "ours.py", "-s", "ours", "--raw", raw, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "out" / "ours.tsv").read_text("utf-8") == "好\t不\n是\t吗\n" * 4
    rejects = [json.loads(line) for line in (tmp_path / "out/rejects/ours.jsonl").read_text("utf-8").splitlines()]
    assert [(reject["record"], reject["reason"]) for reject in rejects] == [(3 * n + 2, reason) for n in range(4)]
    assert all(re.fullmatch(message, reject["message"]) for reject in rejects), rejects[0]


#: A source of JSON records with a function that treats bad records in its own way.
RECORDS = """
from chat_corpus.plugins import Input, Source, json_array, json_lines

class Silent(Exception):
    def __str__(self):
        raise AttributeError

def helper(value):
    return 1 / 0

def turns(value):
    if isinstance(value, list):
        return value
    if "bad" in value:
        {code}
    return [value["q"], value["a"]]

SOURCE = Source(
    name="ours", title="", url="", licence="", obtain="",
    inputs=(Input(files=("ours*",), format={format}(turns)),),
)
"""


ARRAYS = {
    "lines": ("json_lines(turns)", '["好", "不"]\n["是]", "吗["]\n'),
    "an array": ("json_array(turns)", '[["好", "不"], ["是]", "吗["]]'),
    "an array over lines": ("json_array(turns)", '\ufeff[\n [\n"好",\n"不"],\n ["是]", "吗["]\n]\n'),
}


@pytest.mark.parametrize("shard", [1, 7, 1000])
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_texts_are_read_by_a_declaration(name: str, shard: int, tmp_path: Path) -> None:
    """LCCC and others are lists of lists."""
    format_, content = ARRAYS[name]
    code = RECORDS.format(code="pass", format="json_lines")
    (tmp_path / "ours.py").write_text(code.replace("json_lines(turns)", format_), "utf-8")
    (tmp_path / "small.yaml").write_text(f"shard_bytes: {shard}\n", "utf-8")
    raw = put(tmp_path / "raw", {"ours.json": content})
    flags = ("--raw", raw, "--out", tmp_path / "out", "--config", tmp_path / "small.yaml", "--workers", "1")
    done = invoke("-q", "--plugin", tmp_path / "ours.py", "-s", "ours", *flags)
    assert (done.exit_code, done.stderr) == (0, "")
    assert (tmp_path / "out" / "ours.tsv").read_text("utf-8") == "好\t不\n是]\t吗[\n"
    assert (tmp_path / "out" / "rejects" / "ours.jsonl").read_text() == ""


ELSEWHERE = {
    "accepts": "accepts=lambda head: 1 / 0",
    "count": "count=lambda data: 1 / 0",
    "split": "split=lambda data, first: 1 / 0",
    "read": "read=lambda parts: 1 / 0",
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_function_of_a_format_that_fails_fails_its_source_and_is_named(name: str, tmp_path: Path) -> None:
    code = RECORDS.format(code="pass", format="json_lines").replace(
        "from chat_corpus.plugins", "import dataclasses\nfrom chat_corpus.plugins"
    )
    code = code.replace(
        "format=json_lines(turns)",
        f"format=dataclasses.replace(json_lines(turns), {ELSEWHERE[name]})",
    )
    (tmp_path / "ours.py").write_text(code, "utf-8")
    raw = put(tmp_path / "raw", {"ours.jsonl": '{"q": "好", "a": "不"}\n', "tieba.dialogues": "问\t答\n"})
    done = invoke("--plugin", tmp_path / "ours.py", "--raw", raw, "--out", tmp_path / "out", "--workers", "1")
    assert done.exit_code == 1
    assert re.search(r"ours.*ZeroDivisionError: division by zero \(ours\.py:\d+, in <lambda>\)", done.stderr)
    assert (tmp_path / "out" / "tieba.tsv").read_text("utf-8") == "问\t答\n"


#: Faulty functions of a format, and the message about each.
MISBEHAVING = {
    "read ends the program": ("read=lambda parts: sys.exit(0)", "SystemExit: 0 (ours.py:N, in <lambda>)"),
    "accepts ends the program": ("accepts=lambda head: sys.exit(0)", "SystemExit: 0 (ours.py:N, in <lambda>)"),
    "cut ends the program": ("cut=lambda data: sys.exit(0)", "SystemExit: 0 (ours.py:N, in <lambda>)"),
    "read raises an error of ours": ("read=fails", "records 1 to 2: ChatCorpusError: why (ours.py:N, in fails)"),
    "read raises what cannot be pickled": ("read=fails_odd", "records 1 to 2: Odd: why (ours.py:N, in fails_odd)"),
    "read gives nothing": (
        "read=lambda parts: None",
        "records 1 to 2: read (ours.py:N, <lambda>) returned NoneType; expected a Reading",
    ),
    "read gives no rows": ("read=rowless", "read (ours.py:N, rowless) returned int; expected a frame as rows"),
    "read gives other columns": ("read=textless", "columns returned by read (ours.py:N, textless): text is missing"),
    "read gives columns of other types": (
        "read=numbers",
        "returned by read (ours.py:N, numbers): text is Int64, expected String",
    ),
    "read gives no non_turns": (
        "read=unstructured",
        "read (ours.py:N, unstructured) returned NoneType; expected a tuple with one series",
    ),
    "read gives odd fields": (
        "read=nameless",
        "read (ours.py:N, nameless) returned tuple; expected pairs of a record number",
    ),
    "split gives nothing": ("split=lambda data, first: None", "split (ours.py:N, <lambda>) returned NoneType; "),
    "split gives other columns": ("split=splits", "split (ours.py:N, splits) returned DataFrame; "),
    "count gives nothing": ("count=lambda data: None", "ours.jsonl: count (ours.py:N, <lambda>) returned None; "),
    "count gives a float": ("count=lambda data: 2.0", "ours.jsonl: count (ours.py:N, <lambda>) returned 2.0; "),
    "count gives less than none": ("count=lambda data: -1", "ours.jsonl: count (ours.py:N, <lambda>) returned -1; "),
    "cut gives nothing": ("cut=lambda data: None", "ours.jsonl: cut (ours.py:N, <lambda>) returned None; "),
    "cut gives a truth": ("cut=lambda data: True", "ours.jsonl: cut (ours.py:N, <lambda>) returned True; "),
    "cut gives less than nothing": ("cut=lambda data: -1", "ours.jsonl: cut (ours.py:N, <lambda>) returned -1; "),
    "cut gives more than all": ("cut=lambda data: 1 << 40", "cut (ours.py:N, <lambda>) returned "),
}
BEHAVIOUR = """
import dataclasses, sys
import polars as pl
from chat_corpus.errors import ChatCorpusError
from chat_corpus.plugins import Format, Input, Reading, Source, delimited

plain = delimited("|")

class Odd(ChatCorpusError):
    def __init__(self, text, number):
        super().__init__(text)

def fails(parts):
    raise ChatCorpusError("why")

def fails_odd(parts):
    raise Odd("why", 2)

def rowless(parts):
    return dataclasses.replace(plain.read(parts), rows=3)

def textless(parts):
    reading = plain.read(parts)
    return dataclasses.replace(reading, rows=reading.rows.drop("text"))

def numbers(parts):
    reading = plain.read(parts)
    return dataclasses.replace(reading, rows=reading.rows.with_columns(text=pl.lit(1, dtype=pl.Int64)))

def unstructured(parts):
    return dataclasses.replace(plain.read(parts), non_turns=None)

def nameless(parts):
    return dataclasses.replace(plain.read(parts), unread=[(1, None)])

def splits(data, first):
    return pl.DataFrame({{"record": [1]}})

SOURCE = Source(
    name="ours", title="", url="", licence="", obtain="",
    inputs=(Input(files=("ours.jsonl",), format=dataclasses.replace(plain, {change})),),
)
"""


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", MISBEHAVING)
def test_the_results_of_a_function_of_a_format_are_checked(name: str, workers: int, tmp_path: Path) -> None:
    """The source fails with a message that names the function; other sources finish."""
    change, message = MISBEHAVING[name]
    (tmp_path / "ours.py").write_text(BEHAVIOUR.format(change=change), "utf-8")
    (tmp_path / "small.yaml").write_text("shard_bytes: 1\n", "utf-8")
    content = "问" * 40_000 + "|答\n好|不\n"  # longer than the head of a file, so that only a run reads all of it
    raw = put(tmp_path / "raw", {"ours.jsonl": content, "tieba.dialogues": "问\t答\n"})
    flags = ("--raw", raw, "--out", tmp_path / "out", "--config", tmp_path / "small.yaml", "--workers", str(workers))
    done = invoke("--plugin", tmp_path / "ours.py", *flags)
    assert done.exit_code == 1, done.stderr
    assert re.sub(r"ours\.py:\d+", "ours.py:N", message) in re.sub(r"ours\.py:\d+", "ours.py:N", done.stderr)
    assert "Traceback" not in done.stderr
    assert "died" not in done.stderr
    assert (tmp_path / "out" / "tieba.tsv").read_text("utf-8") == "问\t答\n"


def test_a_worker_with_an_earlier_version_of_a_plugin_fails_the_shard(raw: Path, tmp_path: Path) -> None:
    """A worker of a cluster may have started before the plugin was edited."""
    file, out = plugin(tmp_path), tmp_path / "out"
    settings = Settings(raw=str(raw), out=str(out), plugins=(str(file),))
    out.mkdir()
    discovered = discover_sources(raw, sources.load(settings.plugins))["ours"]
    shard = next(ShardPlanner(found=discovered, settings=settings).shards())
    task = ShardTask(shard=shard, settings=settings, folder=out, code=plugin_digest.code("ours", (str(file),)))
    assert run_shard(task).pairs.written == 2
    plugin(tmp_path, no_answer="在")
    with pytest.raises(ChatCorpusError, match=r"records 1 to 3: the code of the source changed since the run began"):
        run_shard(replace(task, code="that of the file now"))
