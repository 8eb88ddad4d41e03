"""Rows traced to raw records and records explained: both agree with the outputs completely."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from chat_corpus import sources
from chat_corpus.errors import UsageError
from chat_corpus.lineage.trace import explain, trace
from chat_corpus.lineage.trace_model import Record, TurnTrace
from chat_corpus.pipeline.counts import RecordCounts
from chat_corpus.pipeline.filters import table as filter_table
from chat_corpus.schema import Reason
from tests.helpers import HARD, invoke, put
from tests.lineage.made import Made, made

NAMES = sorted(sources.load())


def agrees(made: Made, records: dict[tuple[str, int], Record]) -> None:
    """All records together give the counts of the report, the rejects, and each row once as query and as answer."""
    report = made.report
    turns = [turn for record in records.values() for turn in record.turns]
    used = [any(_usable(turn.said) for turn in record.turns) for record in records.values() if record.turns]
    assert report.records == RecordCounts(
        read=len(records),
        non_turns=sum(not record.turns for record in records.values()),
        used=sum(used),
        rejected=len(used) - sum(used),
    )
    assert report.turns.read == len(turns)
    assert report.turns.kept == sum(turn.said.reason is None for turn in turns)
    assert report.turns.rejected == Counter(turn.said.reason for turn in turns if turn.said.reason)
    for side in ("query", "answer"):
        pairs = [pair for turn in turns for pair in turn.pairs if pair.side == side]
        assert len(pairs) == report.pairs.possible
        assert sorted(pair.row for pair in pairs if pair.row) == list(range(1, report.pairs.written + 1))
        reasons = Counter(pair.reason for pair in pairs if pair.reason)
        assert reasons == +Counter({**report.pairs.rejected, Reason.DUPLICATE: report.pairs.duplicates})
    assert Counter(_rejects(records)) == Counter(
        tuple(reject[name] for name in ("file", "record", "reason", "message", "raw")) for reject in made.rejects
    )


def _usable(turn: TurnTrace) -> bool:
    """Whether the format read a turn as usable, so that only a filter may have rejected it."""
    return turn.reason is None or turn.filter_name is not None


def _rejects(records: dict[tuple[str, int], Record]) -> Iterator[tuple[Any, ...]]:
    for at, record in records.items():
        for turn in record.turns:
            if turn.said.reason:
                yield *at, turn.said.reason, turn.said.message, record.raw
            for pair in turn.pairs:
                if pair.side == "query" and pair.reason == Reason.DUPLICATE:
                    yield *at, pair.reason, pair.message, record.raw


def there_and_back(made: Made, row: int, records: dict[tuple[str, int], Record]) -> None:
    """The records of a row lead back to that row, as query and as answer."""
    traced = trace(made.run, row)
    assert traced.line == made.run.tsv.read_bytes().split(b"\n")[row - 1].decode()
    for side, turn in (("query", traced.query), ("answer", traced.answer)):
        record = records[turn.at.file, turn.at.record]
        assert record.raw == turn.raw
        outcomes = [
            outcome for outcome in record.turns for pair in outcome.pairs if (pair.side, pair.row) == (side, row)
        ]
        assert [outcome.said for outcome in outcomes] == [turn]
        assert [change.before for change in turn.changes[1:]] == [change.after for change in turn.changes[:-1]]
        assert turn.changes == () or (turn.changes[0].before, turn.changes[-1].after) == (turn.read, turn.text)


VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, {}) for name in NAMES},
    "limit": ("egret", {"read": {"limit": 9}}),
    "limit of parallel files": ("weibo", {"read": {"limit": 5}}),
    "repost chains": ("weibo", {"read": {"reposts": "dialogue"}}),
    "each answers the first": ("douban", {"pairs": {"mode": "first"}}),
    "repeats left out": ("subtitle", {"dedup": {"exact": "always"}}),
    "repeats written": ("ptt", {"dedup": {"exact": "never"}}),
    "other steps and filters": ("tieba", {"text": {"links": "remove"}, "filters": {"min_chars": 3, "max_chars": 9}}),
}


#: Variants similar to others in layout or settings; slow.
SIMILAR = {"belle", "douban", "limit", "qingyun", "repeats left out", "repeats written", "sms", "xiaohuangji"}


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        pytest.param(*variant, id=label, marks=[pytest.mark.slow] if label in SIMILAR else [])
        for label, variant in VARIANTS.items()
    ],
)
def test_every_record_of_a_hard_sample_can_be_explained(name: str, flags: dict[str, Any], tmp_path: Path) -> None:
    done = made(HARD / name / "raw", tmp_path, name, **flags)
    limit = flags.get("read", {}).get("limit")
    read = [at for at in done.records() if not limit or at[1] <= limit]
    records = {at: explain(done.run, *at) for at in read}
    agrees(done, records)
    rows = range(1, done.run.rows + 1)
    for row in Random(7).sample(rows, min(len(rows), 5)):
        there_and_back(done, row, records)


def test_repeats_lead_to_the_row_of_the_same_pair(tmp_path: Path) -> None:
    """In any shard, and although other pairs look the same: one has a line break, one a backslash and an n."""
    lines = [("甲", r"乙\n丙"), ("甲", "乙{br}丙"), ("丁", "戊"), ("甲", r"乙\n丙"), ("甲", "乙{br}丙"), ("丁", "戊")]
    raw = put(tmp_path / "raw", {"qingyun/a.csv": "".join(f"{q} | {a}\n" for q, a in lines)})
    for size in (1, 50, 1000):
        done = made(raw, tmp_path / str(size), "qingyun", shard_bytes=size, dedup={"exact": "always"})
        assert done.run.tsv.read_text("utf-8") == "甲\t乙\\n丙\n甲\t乙\\n丙\n丁\t戊\n"
        outcomes = [explain(done.run, "qingyun/a.csv", record).turns[0].pairs[0] for record in range(1, 7)]
        assert [outcome.row for outcome in outcomes] == [1, 2, 3, None, None, None]
        assert [outcome.first for outcome in outcomes] == [None, None, None, 1, 2, 3]
        assert outcomes[4].message == "the same pair is at qingyun/a.csv:2"
        assert trace(done.run, 2).query.at.record == 2


def test_a_filter_is_not_the_cause_of_a_turn_rejected_at_reading_with_the_same_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filter may have the same message and reason as the reader."""
    empty, *others = filter_table.FILTERS
    alike = replace(empty, message=pl.lit("a turn without text"))
    monkeypatch.setattr(filter_table, "FILTERS", (alike, *others))
    raw = put(tmp_path / "raw", {"tieba.dialogues": "甲\t \n丙\t\u200b\n戊\t己\n"})
    done = made(raw, tmp_path / "out", "tieba")
    turns = [explain(done.run, "tieba.dialogues", record).turns[1].said for record in (1, 2, 3)]
    assert [(turn.reason, turn.filter_name) for turn in turns] == [("empty", None), ("empty", "empty"), (None, None)]
    assert [turn.passed for turn in turns[:2]] == [(), ()]


def test_a_record_that_was_not_read_is_a_usage_error(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "甲\t乙\n丙\t丁\n戊\t己\n"})
    done = made(raw, tmp_path / "out", "tieba", read={"limit": 2})
    for record in (3, 4):
        with pytest.raises(UsageError, match=rf"tieba\.dialogues:{record}: no such record; .* 1 to 2 \(read\.limit\)"):
            explain(done.run, "tieba.dialogues", record)
    with pytest.raises(UsageError, match=r"tieba\.tsv:3: no such row; the file has 2 rows"):
        trace(done.run, 3)


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_real_excerpts_lead_to_records_and_back(name: str, realdata: Path, tmp_path: Path) -> None:
    done = made(realdata / "raw_chat_corpus", tmp_path, name, shard_bytes=2_000_000)
    random = Random(11)
    for row in random.sample(range(1, done.run.rows + 1), min(done.run.rows, 3)):
        traced = trace(done.run, row)
        addresses = [(turn.at.file, turn.at.record) for turn in (traced.query, traced.answer)]
        there_and_back(done, row, {address: explain(done.run, *address) for address in addresses})
    for reject in random.sample(done.rejects, min(len(done.rejects), 3)):
        record = explain(done.run, reject["file"], reject["record"])
        rejects = list(_rejects({(reject["file"], reject["record"]): record}))
        assert tuple(reject[name] for name in ("file", "record", "reason", "message", "raw")) in rejects


def test_a_raw_folder_that_was_moved_with_the_output_is_found(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    put(before / "raw", {"tieba.dialogues": "在吗\t在\n你好\t好\n"})
    assert invoke("-q", "--raw", before / "raw", "--out", before / "out").exit_code == 0
    before.rename(after)
    assert invoke("trace", after / "out" / "tieba.tsv:2").exit_code == 0
    assert invoke("explain", after / "raw" / "tieba.dialogues:1", "--out", after / "out").exit_code == 0
