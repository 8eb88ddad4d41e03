"""Nothing in an output or work folder is trusted: no name, no content, no time."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from chat_corpus.outputs.layout import WORK
from chat_corpus.outputs.parts import Part
from tests.conftest import slow_from
from tests.helpers import invoke, put, visible

ROWS = "".join(f"問題{n}\t答案{n}\n" for n in range(40))


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return put(tmp_path / "raw", {"tieba.dialogues": ROWS})


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a run over the same."""
    folder = tmp_path_factory.mktemp("written")
    assert invoke("-q", "--raw", put(folder / "raw", {"tieba.dialogues": ROWS}), "--out", folder / "out").exit_code == 0
    return folder / "out"


@pytest.fixture
def out(written: Path, tmp_path: Path) -> Path:
    """A copy of it, of a raw folder that is none of the test's."""
    return Path(shutil.copytree(written, tmp_path / "out"))


def _report(out: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((out / "report.json").read_text("utf-8"))
    return report


NAMES = ["../victim", "/etc/victim", "..", "a/b", "a\\b", "C:victim", "con", "nul", "", "a\0b", "Tieba", "a.tsv", "\n"]


@pytest.mark.parametrize("name", NAMES)
def test_a_report_that_names_what_is_no_source_deletes_nothing(name: str, raw: Path, out: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim.tsv"
    victim.write_text("mine\n")
    report = _report(out)
    entry = {**report["sources"]["tieba"], "state": "sample"}
    fact = victim.stat()
    entry["outputs"] = {f"{name}.tsv": [fact.st_size, fact.st_mtime_ns]}
    report["sources"][name] = entry
    (out / "report.json").write_text(json.dumps(report), "utf-8")
    before = visible(out)
    for verb in (("--raw", raw, "--out", out), ("--raw", raw, "--out", out, "--force", "--fresh")):
        done = invoke(*verb)
        assert "Traceback" not in done.stderr
        assert victim.read_text() == "mine\n"
        if "--force" not in verb:
            assert done.exit_code == 2
            assert "report.json: not a report of this version of chat-corpus" in done.stderr
            assert visible(out) == before
    assert invoke("trace", out / "tieba.tsv:1").exit_code == 0, "the forced run wrote a report of its own"


@pytest.mark.parametrize("outputs", [{"../victim.tsv": [5, 1]}, {"tieba.tsv": [1, 1], "x/../../victim.tsv": [5, 1]}])
def test_outputs_of_a_source_are_those_that_have_its_name(outputs: dict[str, Any], raw: Path, out: Path) -> None:
    report = _report(out)
    report["sources"]["tieba"]["outputs"] = outputs
    (out / "report.json").write_text(json.dumps(report), "utf-8")
    done = invoke("--raw", raw, "--out", out)
    assert (done.exit_code, "sources.tieba.outputs: " in done.stderr) == (2, True)


def test_a_work_folder_that_is_a_link_is_refused(raw: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    put(victim, {"tieba/mine.txt": "mine"})
    out = tmp_path / "out"
    out.mkdir()
    (out / WORK).symlink_to(victim)
    done = invoke("--raw", raw, "--out", out, "--fresh", "--force")
    assert (done.exit_code, "Remove the link" in done.stderr) == (2, True)
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
def test_a_report_of_any_other_shape_is_a_message(content: bytes, raw: Path, out: Path) -> None:
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
        patched.setattr("chat_corpus.runs.merge.Merge.finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert invoke("--raw", raw, "--out", out, "--config", config).exit_code == 130
    assert list((out / WORK / "tieba").glob("*.json"))
    file = raw / "tieba.dialogues"
    facts = file.stat()
    file.write_text(ROWS.replace("答", "荅"), "utf-8")
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert invoke("-q", "--raw", raw, "--out", out, "--config", config).exit_code == 0
    assert "答" not in (out / "tieba.tsv").read_text("utf-8")


def test_a_configuration_of_another_package_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`configs/default.yaml` beside an installed package may belong to any package."""
    import chat_corpus.cli.main

    fake = tmp_path / "site-packages" / "chat_corpus" / "cli.py"
    put(
        tmp_path / "site-packages",
        {"configs/default.yaml": "filters: {min_chars: 99}\n", "chat_corpus/cli/main.py": ""},
    )
    monkeypatch.setattr(chat_corpus.cli.main, "__file__", str(fake))
    raw = put(tmp_path / "raw", {"tieba.dialogues": ROWS})
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == 0
    assert (tmp_path / "out" / "tieba.tsv").read_text("utf-8").count("\n") == 40


#: Places in an output folder, as of a run on tieba.
WITHIN = [
    f"{WORK}/tieba", f"{WORK}/tieba.turns", f"{WORK}/other", f"{WORK}/.holder", f"{WORK}/tieba/settings",
    f"{WORK}/tieba/pairs.writing", f"{WORK}/tieba/rejects.writing", f"{WORK}/tieba/index.writing",
]  # fmt: skip


LINKS, OTHERS = ("link", "dangling"), ("hard link", "fifo")
#: First, by turns, each place with two kinds of what may be there; then with the two others.
TURNS = [(LINKS, OTHERS)[number % 2] for number in range(len(WITHIN) + 1)]
LYING = [
    (place, kind) for turns in (TURNS, TURNS[1:]) for place, kinds in zip(WITHIN, turns, strict=False) for kind in kinds
]


@pytest.mark.usefixtures("never_hangs")
@pytest.mark.parametrize(("place", "kind"), slow_from(len(LYING) // 2, LYING))
def test_what_no_run_puts_into_the_work_folder_leads_nowhere(place: str, kind: str, raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    files = {f".a.{'0' * 32}.writing": "mine", "000000-a.arrow": "mine", "settings": "mine"}
    folder = put(tmp_path / "victim", files)
    (out / place).parent.mkdir(parents=True)
    if kind == "fifo":
        os.mkfifo(out / place)
    elif kind == "hard link":
        (out / place).hardlink_to(folder / "settings")
    else:
        inside = place.count("/") > 1 or place.endswith(".holder")
        (out / place).symlink_to(folder / ("new" if kind == "dangling" else "settings") if inside else folder)
    for flags in ((), ("--force", "--store-dialogues"), ("--force", "--fresh", "--store-dialogues")):
        done = invoke("-q", "--raw", raw, "--out", out, *flags)
        assert (done.exit_code, done.stderr) == (0, "")
    assert {path.name: path.read_text() for path in folder.iterdir()} == files


@pytest.mark.parametrize("place", ["rejects", "index"])
def test_a_folder_of_outputs_that_is_a_link_is_refused(place: str, raw: Path, tmp_path: Path) -> None:
    out, victim = tmp_path / "out", put(tmp_path / "victim", {"tieba.jsonl": "mine"})
    out.mkdir()
    (out / place).symlink_to(victim)
    done = invoke("--raw", raw, "--out", out, "--force")
    assert (done.exit_code, "Remove the link" in done.stderr) == (2, True)
    assert (victim / "tieba.jsonl").read_text() == "mine"


@pytest.mark.usefixtures("never_hangs")
@pytest.mark.parametrize("place", ["report.json", "tieba.tsv", "rejects/tieba.jsonl", "index/tieba.jsonl"])
def test_a_fifo_in_place_of_an_output_is_never_waited_for(place: str, raw: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert invoke("-q", "--raw", raw, "--out", out).exit_code == 0
    (out / place).unlink()
    os.mkfifo(out / place)
    for verb in (("trace", out / "tieba.tsv:1"), ("explain", "tieba.dialogues:1", "--out", out), ("compare", out, out)):
        done = invoke(*verb)
        assert done.exit_code in (0, 1, 2)
        assert "it hangs" not in done.stderr
    assert invoke("-q", "--raw", raw, "--out", out, "--force").exit_code == 0
    assert invoke("trace", out / "tieba.tsv:1").exit_code == 0


@pytest.mark.parametrize("place", ["tieba", "tieba/pairs.writing", "tieba/index.writing", "tieba/settings"])
def test_what_is_in_the_way_of_one_source_fails_no_other(place: str, raw: Path, tmp_path: Path) -> None:
    put(raw, {"xiaohuangji50w_nofenci.conv": "E\nM 问\nM 答\n"})
    way = tmp_path / "out" / WORK / place
    way.parent.mkdir(parents=True)
    if place == "tieba":
        way.touch()
    else:
        way.mkdir()
    done = invoke("--raw", raw, "--out", tmp_path / "out", "--workers", "1")
    assert (done.exit_code, done.stderr.count(f"error: {way}: cannot be written: ")) == (1, 1)
    assert (tmp_path / "out" / "xiaohuangji.tsv").read_text("utf-8") == "问\t答\n"


def test_a_part_of_another_shard_is_not_taken_for_its_own(raw: Path, tmp_path: Path) -> None:
    """Of the same source, interrupted: the files of two parts change their names, digests and all."""
    out, config = tmp_path / "out", tmp_path / "small.yaml"
    config.write_text("shard_bytes: 200\nworkers: 1\n")
    flags = ("--raw", raw, "--out", out, "--config", config)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("chat_corpus.runs.merge.Merge.finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert invoke(*flags).exit_code == 130
    parts = sorted((out / WORK / "tieba").glob("*.json"))
    one, other = (Part(folder=path.parent, stem=path.stem) for path in parts[:2])
    assert None not in (one.counts(), other.counts())
    for path, ours in ((other.pairs, one.pairs), (other.rejects, one.rejects), (other.counts_file, one.counts_file)):
        shutil.copy(path, ours)
    assert one.counts() is None
    assert invoke("-q", *flags).exit_code == 0
    assert (out / "tieba.tsv").read_text("utf-8").startswith("问题0\t答案0\n问题1\t")
