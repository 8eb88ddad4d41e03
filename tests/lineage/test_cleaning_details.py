"""Conversions and examples of an output: those of its texts before cleaning, whatever the shards and the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from chat_corpus.lineage import cleaning_details as details_module
from chat_corpus.lineage import open_run
from chat_corpus.lineage.cleaning_details import RawLocation, blocks, cleaning_details
from chat_corpus.lineage.trace import explain
from chat_corpus.outputs.report import FinishedSource, read_report
from chat_corpus.page.material import CleaningDetails, statistics_of
from chat_corpus.statistics.conversions import ConversionTally
from tests.conftest import SAMPLES
from tests.helpers import invoke, put


def details(out: Path) -> CleaningDetails:
    report = read_report(out)
    assert report is not None
    return cleaning_details(out, report, RawLocation())


def made(out: Path, *options: object) -> Path:
    """The output of a run over the bundled samples in one process."""
    assert invoke("-q", "--raw", SAMPLES, "--out", out, "--workers", 1, *options).exit_code == 0
    return out


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output with dialogue stores."""
    return made(tmp_path_factory.mktemp("stored") / "out", "--store-dialogues")


def finished(out: Path) -> dict[str, FinishedSource]:
    report = read_report(out)
    assert report is not None
    return {name: one for name, one in report.sources.items() if isinstance(one, FinishedSource)}


def test_conversions_are_counted_one_for_one_and_masked_texts_are_left_out() -> None:
    tally = ConversionTally()
    tally.add(pl.Series(["這裡", None, "同", "加我12345", "這"]), pl.Series(["这里", "好", "同", "加我<QQ>", "这"]))
    assert (tally.turns, tally.converted, dict(tally.counts)) == (5, 2, {"這这": 2, "裡里": 1})
    assert [(one.before, one.count, one.share) for one in tally.summary().most_frequent] == [
        ("這", 2, 0.666667), ("裡", 1, 0.333333),
    ]  # fmt: skip
    masked = ConversionTally()
    masked.add(
        pl.Series(["加我微信abc123或者扣扣123456都可以的", "電話1234567", "<QQ>這"]),
        pl.Series(["加我微信<WECHAT>或者扣扣<QQ>都可以的", "电话<PHONE>", "<QQ>这"]),
    )
    assert [len("加我微信abc123或者扣扣123456都可以的"), len("電話1234567")] == [
        len("加我微信<WECHAT>或者扣扣<QQ>都可以的"), len("电话<PHONE>")
    ]  # fmt: skip
    assert (dict(masked.counts), masked.converted) == ({"這这": 1}, 1)


def brute_force(out: Path) -> Iterator[tuple[str, str]]:
    for store in sorted((out / "dialogues").glob("*.parquet")):
        for before, after in pl.read_parquet(store).select("before_conversion", "text").drop_nulls().iter_rows():
            assert len(before) == len(after)
            yield from ((a, b) for a, b in zip(before, after, strict=True) if a != b)


@pytest.mark.slow
def test_conversions_and_examples_are_the_same_with_and_without_a_store_and_for_all_shards(
    stored: Path, tmp_path: Path
) -> None:
    found = details(stored)
    assert found.faults == ()
    assert not found.sampled
    counts = Counter(brute_force(stored))
    assert found.conversions.characters == counts.total() > 50
    assert {(one.before, one.after): one.count for one in found.conversions.most_frequent}.items() <= counts.items()
    assert [one.count for one in found.conversions.most_frequent] == sorted(counts.values(), reverse=True)[:30]
    entries = finished(stored).values()
    assert found.conversions.converted_turns == sum(one.turns.changed_by_conversion for one in entries)
    for number, size in enumerate((1000, 6_000_000)):
        config = put(tmp_path, {"c.yaml": f"shard_bytes: {size}\n"}) / "c.yaml"
        again = details(made(tmp_path / str(number), "--config", config))
        conversions = again.conversions
        assert conversions.most_frequent == found.conversions.most_frequent
        assert replace(again, conversions=found.conversions) == found


@pytest.mark.slow
def test_each_step_and_filter_that_did_something_has_an_example_that_trace_confirms(stored: Path) -> None:
    found, entries = details(stored), finished(stored)
    steps = {step for one in entries.values() for step, count in one.turns.changed_by_step.items() if count}
    counted = [statistics for entry in entries.values() if (statistics := statistics_of(entry))]
    filters = {name for each in counted for name, count in each.rejected_by_filter.items() if count}
    assert found.steps.keys() == steps
    assert found.filters.keys() == filters
    assert len(steps) > 5
    for step, one in found.steps.items():
        file, _, record = one.address.rpartition(":")
        outcomes = explain(open_run.load(stored, one.source), file, int(record)).turns
        changes = [change for turn in outcomes for change in turn.said.changes if change.step == step]
        assert (one.before, one.after) in [(change.before, change.after) for change in changes]
        most = max(entry.turns.changed_by_step[step] for entry in entries.values())
        assert entries[one.source].turns.changed_by_step[step] == most
    for name, example in found.filters.items():
        file, _, record = example.address.rpartition(":")
        outcomes = explain(open_run.load(stored, example.source), file, int(record)).turns
        assert (name, example.message) in [(turn.said.filter_name, turn.said.message) for turn in outcomes]


@pytest.mark.slow
def test_a_sample_is_that_of_turns_not_of_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(details_module, "_TURNS", 60)
    monkeypatch.setattr(details_module, "_BLOCK", 7)
    samples = []
    for size in (700, 6_000_000):
        config = put(tmp_path, {"c.yaml": f"shard_bytes: {size}\n"}) / "c.yaml"
        samples.append(details(made(tmp_path / str(size), "--config", config)))
    assert samples[0] == samples[1]
    assert samples[0].sampled
    assert 60 <= samples[0].conversions.turns <= 60 + 12


@pytest.mark.parametrize(
    ("total", "count"), [(0, 0), (1, 1), (1000, 1000), (1000, 1), (10**6, 120_001), (60_000, 59_999)]
)
def test_blocks_are_apart_and_have_the_number_asked_for(total: int, count: int) -> None:
    spans = blocks(total, count, "ptt")
    assert sum(size for _, size in spans) == min(total, count)
    ends = [0, *(first + size for first, size in spans)]
    assert all(end <= first for end, (first, _) in zip(ends, spans, strict=False))
    assert ends[-1] <= total


@pytest.mark.slow
def test_raw_files_that_are_gone_cost_conversions_and_say_so(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "這是什麼！！！！！\t好的\n" * 30})
    out = tmp_path / "out"
    assert invoke("-q", "--raw", raw, "--out", out).exit_code == 0
    raw.rename(tmp_path / "elsewhere")
    missing = invoke("report", out, "--full")
    assert missing.exit_code == 3
    assert "no conversions and examples from tieba" in missing.stderr
    assert "--raw" in missing.stderr
    given = invoke("report", out, "--full", "--raw", tmp_path / "elsewhere")
    assert (given.exit_code, given.stderr) == (0, "")
    page = (out / "report.html").read_text("utf-8")
    assert '<td class="sample">這</td><td class="sample">这</td><td>30</td>' in page
    assert "<mark>！！</mark>" in page


@pytest.mark.slow
def test_an_example_shows_no_data_that_the_settings_mask(tmp_path: Path) -> None:
    lines = "請加我QQ：123456789！！！！！\t好的，電話13800138000！！！！！\n" * 30 + "可以！！！！！\t好\n"
    raw = put(tmp_path / "raw", {"tieba.dialogues": lines})
    config = put(tmp_path, {"c.yaml": "filters: {qq: mask, phone: mask}\n"}) / "c.yaml"
    out = tmp_path / "out"
    for store in ((), ("--store-dialogues",)):
        assert invoke("-q", "--raw", raw, "--out", out, "--config", config, *store).exit_code == 0
        found = details(out)
        assert {step: (one.before, one.after) for step, one in found.steps.items()} == {
            "punctuation": ("可以！！！！！", "可以！！！")
        }
        assert found.conversions.converted_turns == (0 if store else 60)


@pytest.mark.parametrize("store", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_page_shows_no_data_that_the_settings_mask_after_conversion_or_in_rejects(
    tmp_path: Path, *, store: bool
) -> None:
    long = "電話13812345678，" + "這是一個很長的句子" * 3
    lines = f"QQ號碼是123456789！！！！！\t{long}\n" * 30 + "可以！！！！！\t" + "長長的句子沒有號碼，" * 4 + "\n"
    raw = put(tmp_path / "raw", {"tieba.dialogues": lines})
    config = put(tmp_path, {"c.yaml": "filters: {qq: mask, phone: mask, max_chars: 25}\n"}) / "c.yaml"
    out = tmp_path / "out"
    options = ("--store-dialogues",) if store else ()
    assert invoke("-q", "--raw", raw, "--out", out, "--config", config, *options).exit_code == 0
    pages = [(out / "report.html").read_text("utf-8")]
    assert invoke("report", out, "--full").exit_code == 0
    pages.append((out / "report.html").read_text("utf-8"))
    for page in pages:
        assert "13812345678" not in page
        assert "123456789" not in page
    found = details(out)
    assert found.steps["punctuation"].before.startswith("可以")
    assert found.filters["max_chars"].text.startswith("長長的")


@pytest.mark.slow
def test_a_plugin_filter_of_dialogues_has_an_example_and_a_missing_store_is_made_up_for(tmp_path: Path) -> None:
    plugin = """
import polars as pl
from chat_corpus.plugins import Filter, Scope

FILTER = Filter(
    name="opening",
    reason="opening",
    scope=Scope.DIALOGUE,
    rejects=lambda *_: (pl.len().over("file_index", "dialogue_id") > 1) & pl.col("text").str.contains("第1"),
    message=pl.lit("first"),
)
"""
    lines = "".join(f"這是第{number}句\t好的\n" for number in range(30))
    files = put(tmp_path, {"raw/tieba.dialogues": lines, "p.py": plugin})
    out = tmp_path / "out"
    arguments = ("-q", "--raw", files / "raw", "--out", out, "--plugin", files / "p.py", "--store-dialogues")
    assert invoke(*arguments).exit_code == 0
    report = read_report(out)
    assert report is not None
    location = RawLocation(plugins=(str(files / "p.py"),))
    found = cleaning_details(out, report, location)
    assert found.faults == ()
    assert (found.filters["opening"].message, found.filters["opening"].text[:3]) == ("first", "這是第")
    (out / "dialogues" / "tieba.parquet").unlink()
    assert replace(cleaning_details(out, report, location), sampled=found.sampled) == found
