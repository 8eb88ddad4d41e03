"""Rows traced to raw records and records explained back: both tell the same story as the outputs, all of it."""

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
from chat_corpus.lineage.trace import Record, TurnTrace, explain, trace
from chat_corpus.pipeline.counts import RecordCounts
from chat_corpus.pipeline.filters import table as filter_table
from chat_corpus.schema import Reason
from tests.helpers import HARD, put
from tests.lineage.made import Made, made

NAMES = sorted(sources.load())


def agrees(made: Made, records: dict[tuple[str, int], Record]) -> None:
    """All records together are the report's accounts, the rejects, and each row as query and as answer once."""
    told = made.report
    turns = [turn for record in records.values() for turn in record.turns]
    used = [any(_usable(turn.said) for turn in one.turns) for one in records.values() if one.turns]
    assert told.records == RecordCounts(
        read=len(records),
        non_turns=sum(not one.turns for one in records.values()),
        used=sum(used),
        rejected=len(used) - sum(used),
    )
    assert told.turns.read == len(turns)
    assert told.turns.kept == sum(turn.said.reason is None for turn in turns)
    assert told.turns.rejected == Counter(turn.said.reason for turn in turns if turn.said.reason)
    for side in ("query", "answer"):
        pairs = [pair for turn in turns for pair in turn.pairs if pair.side == side]
        assert len(pairs) == told.pairs.possible
        assert sorted(pair.row for pair in pairs if pair.row) == list(range(1, told.pairs.written + 1))
        reasons = Counter(pair.reason for pair in pairs if pair.reason)
        assert reasons == +Counter({**told.pairs.rejected, Reason.DUPLICATE: told.pairs.duplicates})
    assert Counter(_rejects(records)) == Counter(
        tuple(one[name] for name in ("file", "record", "reason", "message", "raw")) for one in made.rejects
    )


def _usable(said: TurnTrace) -> bool:
    """Whether its format gave a turn as one to use: rejected, if at all, by a filter."""
    return said.reason is None or said.filter_name is not None


def _rejects(records: dict[tuple[str, int], Record]) -> Iterator[tuple[Any, ...]]:
    for at, record in records.items():
        for turn in record.turns:
            if turn.said.reason:
                yield *at, turn.said.reason, turn.said.message, record.raw
            for pair in turn.pairs:
                if pair.side == "query" and pair.reason == Reason.DUPLICATE:
                    yield *at, pair.reason, pair.message, record.raw


def there_and_back(made: Made, row: int, records: dict[tuple[str, int], Record]) -> None:
    """A row's records are the ones that tell of that row, as query and as answer."""
    told = trace(made.written, row)
    assert told.line == made.written.tsv.read_bytes().split(b"\n")[row - 1].decode()
    for side, said in (("query", told.query), ("answer", told.answer)):
        record = records[said.at.file, said.at.record]
        assert record.raw == said.raw
        found = [turn.said for turn in record.turns for pair in turn.pairs if (pair.side, pair.row) == (side, row)]
        assert found == [said]
        assert [change.before for change in said.changes[1:]] == [change.after for change in said.changes[:-1]]
        assert said.changes == () or (said.changes[0].before, said.changes[-1].after) == (said.read, said.text)


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


#: Relatives of other variants, in layout or in settings.
RELATIVES = {"belle", "douban", "limit", "qingyun", "repeats left out", "repeats written", "sms", "xiaohuangji"}


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        pytest.param(*variant, id=label, marks=[pytest.mark.slow] if label in RELATIVES else [])
        for label, variant in VARIANTS.items()
    ],
)
def test_every_record_of_a_hard_sample_is_accounted_for(name: str, flags: dict[str, Any], tmp_path: Path) -> None:
    done = made(HARD / name / "raw", tmp_path, name, **flags)
    limit = flags.get("read", {}).get("limit")
    read = [at for at in done.records() if not limit or at[1] <= limit]
    records = {at: explain(done.written, *at) for at in read}
    agrees(done, records)
    rows = range(1, done.written.rows + 1)
    for row in Random(7).sample(rows, min(len(rows), 5)):
        there_and_back(done, row, records)


def test_repeats_lead_to_the_row_where_their_pair_stands(tmp_path: Path) -> None:
    """Whatever shard that is in, and though other pairs are written alike: one has a line break, one two characters."""
    lines = [("甲", r"乙\n丙"), ("甲", "乙{br}丙"), ("丁", "戊"), ("甲", r"乙\n丙"), ("甲", "乙{br}丙"), ("丁", "戊")]
    raw = put(tmp_path / "raw", {"qingyun/a.csv": "".join(f"{q} | {a}\n" for q, a in lines)})
    for size in (1, 50, 1000):
        done = made(raw, tmp_path / str(size), "qingyun", shard_bytes=size, dedup={"exact": "always"})
        assert done.written.tsv.read_text("utf-8") == "甲\t乙\\n丙\n甲\t乙\\n丙\n丁\t戊\n"
        fates = [explain(done.written, "qingyun/a.csv", record).turns[0].pairs[0] for record in range(1, 7)]
        assert [fate.row for fate in fates] == [1, 2, 3, None, None, None]
        assert [fate.first for fate in fates] == [None, None, None, 1, 2, 3]
        assert fates[4].message == "the same pair stands at qingyun/a.csv:2"
        assert trace(done.written, 2).query.at.record == 2


def test_a_turn_rejected_at_reading_is_not_put_down_to_a_rule_of_the_same_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filter may say of a turn what its reader has said, and reject it for the same reason."""
    empty, *others = filter_table.FILTERS
    alike = replace(empty, message=pl.lit("a turn without text"))
    monkeypatch.setattr(filter_table, "FILTERS", (alike, *others))
    raw = put(tmp_path / "raw", {"tieba.dialogues": "甲\t \n丙\t\u200b\n戊\t己\n"})
    done = made(raw, tmp_path / "out", "tieba")
    told = [explain(done.written, "tieba.dialogues", record).turns[1].said for record in (1, 2, 3)]
    assert [(said.reason, said.filter_name) for said in told] == [("empty", None), ("empty", "empty"), (None, None)]
    assert [said.passed for said in told[:2]] == [(), ()]


def test_what_was_not_read_is_no_record(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "甲\t乙\n丙\t丁\n戊\t己\n"})
    done = made(raw, tmp_path / "out", "tieba", read={"limit": 2})
    for record in (3, 4):
        with pytest.raises(UsageError, match=rf"tieba\.dialogues:{record}: no such record .* 1 to 2 \(read\.limit\)"):
            explain(done.written, "tieba.dialogues", record)
    with pytest.raises(UsageError, match=r"tieba\.tsv:3: no such row; there are 2"):
        trace(done.written, 3)


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_real_excerpts_lead_there_and_back(name: str, realdata: Path, tmp_path: Path) -> None:
    done = made(realdata / "raw_chat_corpus", tmp_path, name, shard_bytes=2_000_000)
    few = Random(11)
    for row in few.sample(range(1, done.written.rows + 1), min(done.written.rows, 3)):
        told = trace(done.written, row)
        at = [(said.at.file, said.at.record) for said in (told.query, told.answer)]
        there_and_back(done, row, {one: explain(done.written, *one) for one in at})
    for reject in few.sample(done.rejects, min(len(done.rejects), 3)):
        record = explain(done.written, reject["file"], reject["record"])
        rejects = list(_rejects({(reject["file"], reject["record"]): record}))
        assert tuple(reject[name] for name in ("file", "record", "reason", "message", "raw")) in rejects
