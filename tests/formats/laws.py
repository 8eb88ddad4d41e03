"""Laws of all formats, and a harness that reads bytes as a run does, shard by shard."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import strategies as st

from chat_corpus.discovery.model import DiscoveredSource, FileGroup
from chat_corpus.files.lines import BOM
from chat_corpus.files.raw_file import RawFile, read_range
from chat_corpus.formats.base import Format
from chat_corpus.formats.blank_lines import BLANK_LINES
from chat_corpus.formats.chat_exports import chat_export
from chat_corpus.formats.chat_json import chat_array, chat_lines
from chat_corpus.formats.chatterbot_yaml import CORPUS_YAML
from chat_corpus.formats.conv import CONV
from chat_corpus.formats.cornell import LINE_IDS
from chat_corpus.formats.csv_pairs import quoted
from chat_corpus.formats.delimited_pairs import delimited
from chat_corpus.formats.instructions import instruction_turns
from chat_corpus.formats.json_records import json_array, json_lines
from chat_corpus.formats.message_tables import message_table
from chat_corpus.formats.own_records import joined_characters, record_turns
from chat_corpus.formats.parallel_files import PARALLEL
from chat_corpus.formats.reply_chains import CHAINED
from chat_corpus.formats.response_selection import LABELLED
from chat_corpus.formats.subtitles import subrip, substation
from chat_corpus.formats.xml_messages import xml_messages
from chat_corpus.pipeline.ledger import check_reading
from chat_corpus.pipeline.pairing import pair
from chat_corpus.pipeline.settings import ReadOptions
from chat_corpus.pipeline.shard import Shard
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.schema import TURNS, Pairing
from chat_corpus.settings.model import Settings
from chat_corpus.sources.base import Input, Source
from tests.formats import invent

WHOLE = 1 << 24

#: (part, line, dialogue, turn, text, reason)
Row = tuple[int, int, "int | None", "int | None", "str | None", "str | None"]


@dataclass(kw_only=True)
class Result:
    """What was read from some files: the frames of the shards, and the counts of the ledger."""

    frames: list[pl.DataFrame] = field(default_factory=list)
    non_turns: list[set[int]] = field(default_factory=list)
    used: int = 0
    lost: int = 0

    @property
    def rows(self) -> list[Row]:
        columns = ("file_index", "record", "dialogue_id", "turn_index", "text", "reason")
        return [row for frame in self.frames for row in frame.select(columns).iter_rows()]

    @property
    def turns(self) -> list[tuple[int, str]]:
        """Record and text of the turns without a reason."""
        return [(line, text) for _, line, _, _, text, reason in self.rows if reason is None and text is not None]

    @property
    def rejects(self) -> list[tuple[int, str]]:
        """Record and reason of rejected rows, in the order of records."""
        return sorted((line, reason) for _, line, _, _, _, reason in self.rows if reason is not None)

    def pairs(self, pairing: Pairing = Pairing.ADJACENT) -> list[tuple[str, str]]:
        """Return the pairs without a reason."""
        return [(row["query"], row["answer"]) for row in self._pairs(pairing) if row["reason"] is None]

    def addressed(self, pairing: Pairing = Pairing.ADJACENT) -> list[tuple[Any, ...]]:
        """Return all possible pairs with their addresses and reasons."""
        return [tuple(row.values()) for row in self._pairs(pairing)]

    def _pairs(self, pairing: Pairing) -> Iterable[dict[str, Any]]:
        return (row for frame in self.frames for row in pair(frame, pairing).iter_rows(named=True))

    def anywhere(self) -> list[tuple[Any, ...]]:
        """Return all rows, sorted, without the numbers of dialogues, which depend on shards."""
        columns = ("file_index", "record", "turn_index", "text", "reason", "message")
        return sorted((row for frame in self.frames for row in frame.select(columns).iter_rows()), key=repr)


def plan(format_: Format, files: Sequence[RawFile], **options: Any) -> ShardPlanner:
    """Return a plan over files of one group; options are `shard_bytes` and those of `ReadOptions`."""
    source = Source(
        name="invented",
        title="",
        url="",
        licence="",
        obtain="",
        inputs=(Input(files=tuple(file.name for file in files), format=format_),),
    )
    discovered = DiscoveredSource(source=source, groups=[FileGroup(input=0, files=tuple(files))])
    shard_bytes = options.pop("shard_bytes", WHOLE)
    read = ReadOptions(**{"encoding": "utf-8", **options})  # no detection for random bytes
    return ShardPlanner(found=discovered, settings=Settings(shard_bytes=shard_bytes, read=read))


def written(folder: Path, *contents: bytes) -> tuple[RawFile, ...]:
    """Write contents as plain files named 0, 1, ... in a folder."""
    for number, content in enumerate(contents):
        folder.joinpath(str(number)).write_bytes(content)
    return tuple(
        RawFile(path=str(folder / str(number)), name=str(number), size=len(content))
        for number, content in enumerate(contents)
    )


def read(format_: Format, *contents: bytes | str, shard_bytes: int = WHOLE) -> Result:
    """Read files as a run does: plan, cut, split, read; check the ledger and the order of rows for each shard."""
    encoded = [content.encode() if isinstance(content, str) else content for content in contents]
    result = Result(non_turns=[set() for _ in contents])
    with tempfile.TemporaryDirectory() as folder:
        files = written(Path(folder), *encoded)
        planner = plan(format_, files, shard_bytes=shard_bytes, unequal_lengths="common", segmentation="none")
        shards = list(planner.shards())
        _check_cover(planner, shards, encoded, format_)
        for shard in shards:
            _read_shard(format_, shard, result)
    return result


def _read_shard(format_: Format, shard: Shard, result: Result) -> None:
    format_ = format_.of(shard.dialect)
    ranges = [read_range(piece.file, piece.start, piece.stop) for piece in shard.pieces]
    records = [format_.split(data, piece.first) for data, piece in zip(ranges, shard.pieces, strict=True)]
    reading = format_.read(records)
    assert reading.rows.schema in (TURNS, {**TURNS, "speaker": pl.String()})
    assert len(reading.non_turns) == format_.parts
    for part, piece in enumerate(shard.pieces):
        assert records[part]["record"].to_list() == list(range(piece.first, piece.first + piece.records))
        used, lost = check_reading(reading, part, piece.first, piece.records, "law")
        assert used + lost + len(reading.non_turns[part]) == piece.records
        result.non_turns[part].update(reading.non_turns[part].to_list())
        result.used, result.lost = result.used + used, result.lost + lost
    _check_order(reading.rows)
    result.frames.append(reading.rows)


def _check_cover(planner: ShardPlanner, shards: list[Shard], contents: Sequence[bytes], format_: Format) -> None:
    """Check that the pieces of each file cover it exactly, and number its records without gaps."""
    for part, (content, facts) in enumerate(zip(contents, planner.summaries, strict=True)):
        stop, following = 0, 1
        for shard in shards:
            piece = shard.pieces[part]
            assert piece.start == stop
            assert piece.first == following or not piece.records
            assert piece.records == format_.of(shard.dialect).count(content[piece.start : piece.stop])
            stop, following = piece.stop, following + piece.records
        assert stop == len(content)
        assert (facts.bytes, facts.records) == (len(content), following - 1)
        assert facts.digest == hashlib.sha256(content).hexdigest()


def _check_order(rows: pl.DataFrame) -> None:
    """Check that dialogues are in order, their turns begin at 0 or 1, and alternatives are next to each other."""
    placed = rows.filter(pl.col("dialogue_id").is_not_null()).select("dialogue_id", "turn_index").rows()
    before: tuple[int, int] | None = None
    for dialogue, turn in placed:
        if before is None or dialogue != before[0]:
            assert turn in (0, 1)  # an assistant who begins is turn 1
            assert before is None or dialogue > before[0]
        else:
            assert turn in (before[1], before[1] + 1)
        before = (dialogue, turn)
    assert all(
        (reason is None) == (message is None) for reason, message in rows.select("reason", "message").iter_rows()
    )
    assert rows.filter(pl.col("reason").is_null() & pl.col("text").is_null()).is_empty()
    assert rows.filter(pl.col("reason").is_null() & pl.col("dialogue_id").is_null()).is_empty()


def check_possible(result: Result) -> None:
    """Check that there are as many possible pairs as turns after the first of their dialogue."""
    placed = [
        (dialogue, turn) for _, _, dialogue, turn, _, _ in result.rows if dialogue is not None and turn is not None
    ]
    first = dict(reversed(placed))
    after = sum(1 for dialogue, turn in placed if turn > first[dialogue])
    odd = sum(1 for dialogue, turn in placed if turn > first[dialogue] and turn % 2)
    answering_first = sum(1 for dialogue, turn in placed if turn and first[dialogue] == 0)
    assert len(result.addressed(Pairing.ADJACENT)) == after
    assert len(result.addressed(Pairing.FIRST)) == answering_first
    assert len(result.addressed(Pairing.EXCHANGE)) == odd
    assert result.addressed(Pairing.NONE) == []


def raw_lines(content: bytes) -> list[str]:
    """Return the lines of a file, with replacement characters for invalid bytes."""
    lines = content.removeprefix(BOM).split(b"\n")
    return [line.removesuffix(b"\r").decode("utf-8", errors="replace") for line in lines]


def check_addresses(result: Result, contents: Sequence[bytes], *, reach: int = 1, doubled: bool = False) -> None:
    """Check that each text is in the raw line of its row, within `reach` lines from it, or as a CSV field."""
    lines = [raw_lines(content) for content in contents]
    for part, line, _, _, text, reason in result.rows:
        if text is not None:
            raw = "\n".join(lines[part][line - 1 : line - 1 + reach])
            assert text in raw or (doubled and text.replace('"', '""') in raw), (line, text, reason)


def _one(content: st.SearchStrategy[bytes]) -> st.SearchStrategy[tuple[bytes, ...]]:
    return st.tuples(content)


FORMATS: dict[str, tuple[Format, st.SearchStrategy[tuple[bytes, ...]]]] = {
    "conv": (CONV, _one(invent.CONV)),
    "tabbed": (delimited("\t"), _one(invent.TABBED)),
    "barred": (delimited(" | "), _one(invent.BARRED)),
    "chained": (CHAINED, _one(invent.CHAINED)),
    "labelled": (LABELLED, _one(invent.LABELLED)),
    "parallel": (PARALLEL, st.tuples(invent.SIDE, invent.SIDE)),
    "quoted": (quoted(), _one(invent.QUOTED)),
    "json lines": (json_lines(instruction_turns), _one(invent.JSON_LINES)),
    "json array": (json_array(instruction_turns), _one(invent.JSON_ARRAY)),
    "blank lines": (BLANK_LINES, _one(invent.BLANK_LINES)),
    "chat export": (chat_export(), _one(invent.CHATS)),
    "chat of LINE": (chat_export(), _one(invent.LINE_CHATS)),
    "chat as JSON": (chat_array(), _one(invent.JSON_CHATS)),
    "chat as JSON lines": (chat_lines(), _one(invent.CHAT_LINES)),
    "subrip": (subrip(), _one(invent.SUBRIP)),
    "substation": (substation(), _one(invent.SUBSTATION)),
    "messages": (message_table(), _one(invent.MESSAGES)),
    "characters": (joined_characters(json_lines(record_turns)), _one(invent.JSON_LINES)),
    "xml": (xml_messages("message", "text"), _one(invent.XML)),
    "yaml": (CORPUS_YAML, _one(invent.YAML)),
    "line ids": (LINE_IDS, st.tuples(invent.ID_LINES, invent.ID_LISTS)),
}
