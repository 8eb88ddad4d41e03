"""Nothing that lies in an output or work folder is trusted: no name, no content, no time."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from chat_corpus.earlier import WORK
from tests.test_cli import invoke, put, visible

ROWS = "".join(f"問題{n}\t答案{n}\n" for n in range(40))


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return put(tmp_path / "raw", {"tieba.dialogues": ROWS})


def _report(out: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((out / "report.json").read_text("utf-8"))
    return told


NAMES = ["../victim", "/etc/victim", "..", "a/b", "a\\b", "C:victim", "con", "nul", "", "a\0b", "Tieba", "a.tsv", "\n"]


@pytest.mark.parametrize("name", NAMES)
def test_a_report_that_names_what_is_no_source_deletes_nothing(name: str, raw: Path, tmp_path: Path) -> None:
    out, victim = tmp_path / "out", tmp_path / "victim.tsv"
    assert invoke("-q", "--raw", raw, "--out", out).exit_code == 0
    victim.write_text("mine\n")
    told = _report(out)
    entry = {**told["sources"]["tieba"], "state": "sample"}
    fact = victim.stat()
    entry["outputs"] = {f"{name}.tsv": [fact.st_size, fact.st_mtime_ns]}
    told["sources"][name] = entry
    (out / "report.json").write_text(json.dumps(told), "utf-8")
    before = visible(out)
    for verb in (("--raw", raw, "--out", out), ("--raw", raw, "--out", out, "--force", "--fresh")):
        done = invoke(*verb)
        assert "Traceback" not in done.stderr
        assert victim.read_text() == "mine\n"
        if "--force" not in verb:
            assert done.exit_code == 2
            assert "report.json: not a report of chat-corpus" in done.stderr
            assert visible(out) == before
    assert invoke("trace", out / "tieba.tsv:1").exit_code == 0, "the forced run wrote a report of its own"


@pytest.mark.parametrize("outputs", [{"../victim.tsv": [5, 1]}, {"tieba.tsv": [1, 1], "x/../../victim.tsv": [5, 1]}])
def test_outputs_of_a_source_are_those_that_have_its_name(outputs: dict[str, Any], raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert invoke("-q", "--raw", raw, "--out", out).exit_code == 0
    told = _report(out)
    told["sources"]["tieba"]["outputs"] = outputs
    (out / "report.json").write_text(json.dumps(told), "utf-8")
    done = invoke("--raw", raw, "--out", out)
    assert (done.exit_code, "sources.tieba.outputs: " in done.stderr) == (2, True)


def test_a_work_folder_that_is_a_link_is_refused(raw: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    put(victim, {"tieba/mine.txt": "mine"})
    out = tmp_path / "out"
    out.mkdir()
    (out / WORK).symlink_to(victim)
    done = invoke("--raw", raw, "--out", out, "--fresh", "--force")
    assert (done.exit_code, "remove the link" in done.stderr) == (2, True)
    assert (victim / "tieba" / "mine.txt").read_text() == "mine"


def test_an_output_that_is_a_link_is_replaced_and_what_it_leads_to_stays(raw: Path, tmp_path: Path) -> None:
    out, victim = tmp_path / "out", tmp_path / "victim.tsv"
    out.mkdir()
    victim.write_text("mine\n")
    (out / "tieba.tsv").symlink_to(victim)
    assert invoke("-q", "--raw", raw, "--out", out, "--force").exit_code == 0
    assert victim.read_text() == "mine\n"
    assert not (out / "tieba.tsv").is_symlink()


@pytest.mark.parametrize(
    "content",
    [
        b"[]", b"null", b"{", b"\xff", b'{"sources": []}', b'{"sources": {"tieba": 3}}', b"[" * 100_000,
        b'{"sources": {"tieba": {"outputs": {}}}}', b'{"sources": NaN}', b"9" * 5000, b"",
    ],
)  # fmt: skip
def test_a_report_of_any_other_shape_is_a_message(content: bytes, raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert invoke("-q", "--raw", raw, "--out", out).exit_code == 0
    (out / "report.json").write_bytes(content)
    for verb in (("--raw", raw, "--out", out), ("trace", out / "tieba.tsv:1"), ("compare", out, out, "--raw", raw)):
        done = invoke(*verb)
        assert "Traceback" not in done.stderr
        assert done.exit_code in (0, 1, 2)
        assert done.exception is None or isinstance(done.exception, SystemExit)


def test_a_file_that_is_another_under_the_same_size_and_time_is_not_mixed_with_what_was_done(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run is interrupted, its input replaced, size and time kept: the next run does every shard again."""
    out, config = tmp_path / "out", tmp_path / "small.yaml"
    config.write_text("shard_bytes: 200\nworkers: 1\n")
    with monkeypatch.context() as patched:
        patched.setattr("chat_corpus.merge.Merge.finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert invoke("--raw", raw, "--out", out, "--config", config).exit_code == 130
    assert list((out / WORK / "tieba").glob("*.json"))
    file = raw / "tieba.dialogues"
    facts = file.stat()
    file.write_text(ROWS.replace("答", "荅"), "utf-8")
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert invoke("-q", "--raw", raw, "--out", out, "--config", config).exit_code == 0
    assert "答" not in (out / "tieba.tsv").read_text("utf-8")


def test_a_configuration_of_another_package_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`configs/default.yaml` beside an installed package is whose ever it is."""
    import chat_corpus.cli

    fake = tmp_path / "site-packages" / "chat_corpus" / "cli.py"
    put(tmp_path / "site-packages", {"configs/default.yaml": "rules: {min_chars: 99}\n", "chat_corpus/cli.py": ""})
    monkeypatch.setattr(chat_corpus.cli, "__file__", str(fake))
    raw = put(tmp_path / "raw", {"tieba.dialogues": ROWS})
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == 0
    assert (tmp_path / "out" / "tieba.tsv").read_text("utf-8").count("\n") == 40
