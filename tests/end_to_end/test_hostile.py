"""Content made to hurt: each costs bounded memory and time, and ends in rejects or in a message that says where."""

from __future__ import annotations

import gzip
import json
import os
import pty
import re
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from chat_corpus import sources
from chat_corpus.cli.terminal import safe_json
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.exports import tsv
from chat_corpus.files.raw_file import RawFile
from chat_corpus.formats import chatterbot_yaml, cornell, response_selection, xml_messages
from chat_corpus.formats.base import Format
from chat_corpus.formats.csv_pairs import quoted
from chat_corpus.formats.instructions import instruction_turns
from chat_corpus.formats.json_records import json_array, json_lines
from chat_corpus.pipeline import process as pipeline
from chat_corpus.pipeline.filters import table as filter_table
from chat_corpus.pipeline.shard import Shard
from chat_corpus.runs import cutting, planner
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.settings.loading import load
from chat_corpus.settings.model import Settings
from chat_corpus.settings.yaml_lines import load as load_yaml
from tests.conftest import ROOT, slow_from
from tests.formats import laws
from tests.helpers import invoke, put
from tests.pipeline.processed import process

MESSAGES = xml_messages.xml_messages("message", "text")
LINES, ARRAY = json_lines(instruction_turns), json_array(instruction_turns)
MANY = 200_000
ENTITIES = '<!ENTITY a "甲"><!ENTITY b SYSTEM "file:///etc/passwd">'


def hurting(many: int) -> dict[str, tuple[Format, str, list[str]]]:
    """Content by its kind, of so many of what hurts, with its format and the reasons that it is rejected for."""
    return {
        "csv of quotes": (quoted("question,answer"), '"甲\n' * many, ["fields"]),
        "csv of opened fields": (quoted("question,answer"), '甲,"乙\n' * many, ["fields"]),
        "csv with one quote": (quoted("question,answer"), '"' + "甲,乙\n" * many, ["fields"]),
        "csv of doubled quotes": (quoted("question,answer"), '甲,"' + '""' * many, ["fields"]),
        "json nested deep": (LINES, '{"instruction": ' * many + "\n", ["layout"]),
        "json array nested deep": (ARRAY, "[" + '{"instruction": ' * many, ["layout"]),
        "json of a huge number": (LINES, '{"output": ' + "9" * many + "}\n", ["layout"]),
        "json of a huge exponent": (LINES, '{"instruction": 1e999999999, "output": "乙"}\n', ["layout"]),
        "json of a huge key": (LINES, '{"' + "k" * many + '": 1}\n', ["layout"]),
        "json of many keys": (LINES, "{" + ", ".join(f'"{n}": 1' for n in range(many)) + "}\n", ["layout"]),
        "json of a doubled key": (LINES, '{"instruction": "甲", "output": "乙", "output": "丙"}\n', ["layout"]),
        "json of backslashes": (ARRAY, '[{"output": "' + "\\" * many, ["layout"]),
        "xml nested deep": (MESSAGES, "<message><text>" + "<a>" * many + "</message>", ["layout"]),
        "xml of a huge attribute": (MESSAGES, f'<message a="{"x" * (1 << 20)}"><text>甲</text></message>', ["layout"]),
        "xml entities": (
            MESSAGES,
            f"<!DOCTYPE m [{ENTITIES}]><m><message><text>&a;</text></message><message><text>&b;</text></message></m>",
            ["layout", "layout"],
        ),
        "xml entities inside": (
            MESSAGES,
            '<message><!DOCTYPE m [<!ENTITY a "甲">]><text>&a;</text></message>',
            ["layout"],
        ),
        "yaml flow nested deep": (chatterbot_yaml.CORPUS_YAML, "conversations:\n- - " + "[" * many, ["layout"]),
        "yaml lists nested deep": (chatterbot_yaml.CORPUS_YAML, "conversations:\n" + "- " * many + "甲\n", ["layout"]),
        "yaml keys nested deep": (
            chatterbot_yaml.CORPUS_YAML,
            "conversations:\n- - " + "? " * many + "甲\n",
            ["layout"],
        ),
        "yaml aliases": (
            chatterbot_yaml.CORPUS_YAML,
            "conversations:\n- - &a [甲, 甲]\n  - &b [*a, *a]\n  - &c [*b, *b]\n  - *c\n",
            ["layout"],
        ),
        "yaml with a tag": (
            chatterbot_yaml.CORPUS_YAML,
            "conversations:\n- - !!python/object/apply:os.system [ls]\n",
            ["layout"],
        ),
        "labels and a line of tabs": (response_selection.LABELLED, "1\t甲" + "\t" * many + "乙\n", ["fields"]),
    }


@pytest.mark.parametrize("many", slow_from(1, [MANY // 20, MANY]))
@pytest.mark.parametrize("name", hurting(1))
def test_content_made_to_hurt_a_reader_is_rejected(name: str, many: int) -> None:
    format_, content, reasons = hurting(many)[name]
    reading = laws.read(format_, content)
    assert sorted({reason for _, reason in reading.rejects}) == sorted(set(reasons))
    details = [message for frame in reading.frames for message in frame["message"].drop_nulls()]
    assert max(map(len, details)) < 500


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ptt-77w/Gossiping-QA-Dataset-2_0.csv", b"\n"),
        ("douban-multiturn-100w/train.txt", b"\n"),
        ("a/lost.conv", b"E\n"),
        ("tieba-305w/tieba.dialogues", b"\0\n"),
        ("belle/a.json", b"\n"),
    ],
)
def test_a_million_lines_of_nothing_are_accounted_for(name: str, content: bytes, tmp_path: Path) -> None:
    outcomes = _processed(tmp_path, name, content * 1_000_000, Settings())
    assert sum(one.counts.records.read for one in outcomes) == 1_000_000
    assert sum(one.counts.records.used for one in outcomes) == 0


def _processed(folder: Path, name: str, content: bytes, settings: Settings) -> list[pipeline.ShardResult]:
    return [process(shard, settings) for shard in _shards(folder, name, content, settings)]


def _shards(folder: Path, name: str, content: bytes, settings: Settings) -> list[Shard]:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    (found,) = (one for one in discover_sources(folder, sources.load()).values() if one.groups)
    return list(ShardPlanner(found=found, settings=settings).shards())


def test_a_turn_longer_than_any_is_rejected_before_anything_is_done_to_it(tmp_path: Path) -> None:
    long = filter_table.LONGEST_TURN
    content = f"甲\t{'x' * long}\n乙\t{'x' * (long + 1)}\n".encode()
    (outcome,) = _processed(tmp_path, "tieba-305w/tieba.dialogues", content, Settings())
    assert outcome.rejects.select("record", "reason").rows() == [(2, "length")]
    assert outcome.rejects["raw"].str.len_bytes().item() > long
    assert outcome.pairs["query"].to_list() == ["甲"]


def test_the_raw_text_of_a_record_is_shown_with_its_first_rejects_only(tmp_path: Path) -> None:
    content = ("1\t甲" + "\t" * 5000 + "乙\n").encode()
    (outcome,) = _processed(tmp_path, "douban-multiturn-100w/train.txt", content, Settings())
    assert len(outcome.rejects) == 4999
    assert [raw is None for raw in outcome.rejects["raw"]] == [False] * 8 + [True] * 4991


def test_lists_that_name_one_utterance_again_and_again_do_not_grow_the_corpus() -> None:
    lists = "1 +++$+++ [" + ", ".join(["1"] * 1000) + "]\n"
    reading = laws.read(cornell.LINE_IDS, "1 +++$+++ 甲 +++$+++ " + "好" * 1000 + "\n", lists)
    assert len(reading.turns) == cornell.MAX_LISTED
    assert {reason for _, reason in reading.rejects} == {"layout"}
    assert len(reading.rejects) == 1000 - cornell.MAX_LISTED


def test_a_file_that_is_read_whole_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "MAX_WHOLE_RECORDS", 100)
    with pytest.raises(ChatCorpusError, match=r"a\.yml: 101 lines in a layout that is read whole"):
        _shards(tmp_path, "chatterbot/chinese/a.yml", b"\n" * 101, Settings())


def test_the_second_of_two_parallel_files_has_a_limit_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "MAX_RECORD_BYTES", 1000)
    put(tmp_path, {"weibo/stc_weibo_train_response": "x" * 5000})
    with pytest.raises(ChatCorpusError, match=r"response: no record ends within 1,000 bytes after byte 0"):
        _shards(tmp_path, "weibo/stc_weibo_train_post", b"a\n" * 9, Settings(shard_bytes=20))


BOMBS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "a gigabyte without a line break": ("a/lost.conv", lambda path: _sparse(path)),
    "one that unpacks from a megabyte": ("a/lost.conv.gz", lambda path: path.write_bytes(_zeros())),
    "as the second of two files": ("weibo/stc_weibo_train_response", lambda path: _sparse(path)),
    "in a file that mixes two encodings": ("a/lost.conv.gz", lambda path: path.write_bytes(_after(MIXED, b"x"))),
    "of bytes that are no text in its encoding": (
        "a/lost.conv.gz",
        lambda path: path.write_bytes(_after("gb18030", b"\xff")),
    ),
}
MIXED = "utf-8+gb18030"


def _sparse(path: Path) -> None:
    """A gigabyte that begins with text: a file of nothing but zeros is known for damaged when it is found."""
    path.write_bytes(b"M " + b"x" * 100_000)
    os.truncate(path, 1 << 30)


def _zeros() -> bytes:
    """A gigabyte of zeros behind some text, compressed: members of a stream may follow each other."""
    return gzip.compress(b"M " + b"x" * 100_000, 9) + gzip.compress(bytes(1 << 24), 9) * 64


def _after(encoding: str, byte: bytes) -> bytes:
    """A gigabyte of one byte behind more text than is sampled, in lines of an encoding or two by turns, compressed."""
    text = b"".join("E\nM 今天天气怎么样\nM 不错，出去走走\n".encode(name) for name in encoding.split("+")) * 10_000
    return gzip.compress(text, 1) + gzip.compress(byte * (1 << 24), 9) * 64


@pytest.mark.slow
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_gigabyte_without_a_record_costs_bounded_memory(bomb: str, tmp_path: Path) -> None:
    name, write = BOMBS[bomb]
    put(tmp_path / "raw", {name: ""} | ({"weibo/stc_weibo_train_post": "a\n"} if "weibo" in name else {}))
    write(tmp_path / "raw" / name)
    command = [sys.executable, str(ROOT / "main.py"), "--raw", str(tmp_path / "raw"), "--out", str(tmp_path / "out")]
    limit = 2 << 30  # of address space, most of which is never touched: Polars alone reserves some

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limited,
        env={**os.environ, "POLARS_MAX_THREADS": "1"},
    )
    assert done.returncode == 1, done.stderr[-2000:]
    assert re.search(
        r"error: .*no record ends within 67,108,864 bytes after byte [\d,]+\. .* get it again", done.stderr
    )


def _laughs(levels: int) -> str:
    first = "a0: &a0 [哈, 哈, 哈, 哈, 哈, 哈, 哈, 哈, 哈]\n"
    return first + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, levels))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (_laughs(9), "more than 100,000 values"),
        ("a: &a [*a]\n", "more than 100,000 values"),
        ("a: " + "[" * MANY, "invalid YAML"),
        ("- " * MANY, "invalid YAML"),
        ("- " * 60, "sections in sections more than 50 deep"),
        ("a: !!python/object/apply:os.system [ls]\n", "invalid YAML"),
    ],
    ids=["billion laughs", "in itself", "very deep", "very deep lists", "deep", "tag"],
)
def test_a_config_made_to_hurt_is_a_usage_error(content: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text(content, "utf-8")
    with pytest.raises(UsageError, match=f"my.yaml.*{expected}"):
        load_yaml(tmp_path / "my.yaml")


def test_aliases_that_share_a_section_are_fine(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("sources:\n  ptt: &a {filters: {max_chars: 9}}\n  tieba: *a\n", "utf-8")
    settings = load([tmp_path / "my.yaml"])
    assert settings.of("tieba").filters.max_chars == settings.of("ptt").filters.max_chars == 9


ROWS = "".join(f"问{n}\t答{n}\n" for n in range(30))
CHANGES: dict[str, Callable[[Path], object]] = {
    "grows": lambda path: path.write_bytes(path.read_bytes() + "又\t来\n".encode()),
    "shrinks": lambda path: os.truncate(path, 50),
    "is replaced by one as long": lambda path: path.write_bytes(
        path.read_bytes().replace("问".encode(), "门".encode())
    ),
    "vanishes": lambda path: path.unlink(),
}


@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_between_two_shards_is_reported(change: str, after: int, tmp_path: Path) -> None:
    settings = Settings(shard_bytes=100)
    shards = _shards(tmp_path, "tieba-305w/tieba.dialogues", ROWS.encode(), settings)
    for shard in shards[:after]:
        process(shard, settings)
    path = tmp_path / "tieba-305w/tieba.dialogues"
    facts = path.stat()
    CHANGES[change](path)
    if path.exists():
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    with pytest.raises(ChatCorpusError, match=r"tieba\.dialogues: .*(changed|gone|cannot be read).*"):
        process(shards[after], settings)


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_while_it_is_planned_fails_the_run_and_loses_nothing(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, out = put(tmp_path / "raw", {"tieba.dialogues": "旧\t有\n"}), tmp_path / "out"
    assert invoke("--raw", raw, "--out", out).exit_code == 0
    before = (out / "tieba.tsv").read_bytes()
    path = put(raw, {"tieba.dialogues": ROWS}) / "tieba.dialogues"
    facts = path.stat()
    sample = planner.sample_text

    def changing(file: RawFile) -> bytes:
        read = sample(file)
        CHANGES[change](path)
        if path.exists():
            os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
        return read

    monkeypatch.setattr(planner, "sample_text", changing)
    done = invoke("--raw", raw, "--out", out)
    assert done.exit_code == 1
    assert re.search(r"error: .*tieba\.dialogues: .*(changed|gone|cannot be read)", done.stderr)
    assert (out / "tieba.tsv").read_bytes() == before


EVIL = "\x1b]0;甲\x07\u009b2J\u202e"


def test_json_for_a_terminal_is_the_same_json_without_controls() -> None:
    printed = safe_json({"file": EVIL + "\n\U000e0001"})
    assert json.loads(printed) == {"file": EVIL + "\n\U000e0001"}
    assert all(character.isprintable() or character == "\n" for character in printed)


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("check", "--json"),
        ("list",),
        ("--dry-run",),
        ("--dry-run", "--json"),
        (),
        ("--json",),
        ("--log-json",),
    ],
    ids=" ".join,
)
def test_names_of_files_cannot_steer_a_terminal(arguments: tuple[str, ...], tmp_path: Path) -> None:
    names = {f"{EVIL}/tieba.dialogues": "甲\t乙\n", f"{EVIL}/b.zip": "no zip", f"{EVIL}/stc_weibo_train_post": "甲\n"}
    raw = put(tmp_path / "raw", {**names, f"{EVIL}/belle/a{EVIL}.json": '{"instruction": "\x1b[2J"}\n'})
    with zipfile.ZipFile(raw / f"b{EVIL}.zip", "w") as archive:
        archive.writestr(f"{EVIL}/lost.conv", "E\nM 甲\nM 乙\n")
    options = ["--out", str(tmp_path / "out")] if arguments[:1] not in (("check",), ("list",)) else []
    done = invoke(*arguments, "--raw", raw, *options)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert "Traceback" not in done.stderr
    assert [c for c in done.stdout + done.stderr if not c.isprintable() and c not in "\n\t"] == []


def test_a_conversion_sample_cannot_steer_a_terminal(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"Gossiping-QA-Dataset.txt": f"{EVIL}頭髮\t{EVIL}乾淨\n"})
    text = put(tmp_path, {"raw.yaml": "text: {invisible: false}\n"}) / "raw.yaml"
    done = invoke("--raw", raw, "--out", tmp_path / "out", "--explain-conversion", 5, "--config", text)
    assert [c for c in done.stdout + done.stderr if not c.isprintable() and c not in "\n\t"] == []


def test_the_filter_cannot_steer_a_terminal(tmp_path: Path) -> None:
    parent, child = pty.openpty()
    quiet = put(tmp_path, {"off.yaml": "text: {invisible: false}\n"}) / "off.yaml"
    command = [sys.executable, str(ROOT / "main.py"), "normalize", "--config", str(quiet)]
    lines = f"{EVIL}好\u3000吗\n".encode() + b"\xff\x1b[2J\n"
    done = subprocess.run(command, input=lines, stdout=child, stderr=subprocess.PIPE, check=False)
    os.close(child)
    shown = os.read(parent, 4096).decode()
    os.close(parent)
    assert done.returncode == 1
    assert "好" in shown
    assert "\\xff\\x1b[2J" in shown
    assert [c for c in shown if not c.isprintable() and c not in "\r\n\t\u3000"] == []


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_a_formula_is_written_as_it_is(formula: str, tmp_path: Path) -> None:
    (outcome,) = _processed(tmp_path, "tieba-305w/tieba.dialogues", f"{formula}\t{formula}\n".encode(), Settings())
    assert tsv.encode(outcome.pairs).decode() == f"{formula}\t{formula}\n"
