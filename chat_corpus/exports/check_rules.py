"""Verify the rows of a Parquet file, with the rules as expressions over a frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from chat_corpus.exports import special_tokens, splitting
from chat_corpus.exports.dialogues import DIALOGUES
from chat_corpus.exports.manifest import ExportFile, ExportSummary
from chat_corpus.exports.records import PARQUET_COLUMNS
from chat_corpus.exports.relatedness import RELATEDNESS, RELATEDNESS_TYPE, has_relatedness
from chat_corpus.messages import Message, joined, message

#: The columns of a Parquet file, without and with scores.
PARQUET = pl.Schema({name: DIALOGUES[name] for name in PARQUET_COLUMNS})
SCORED = pl.Schema({**PARQUET, RELATEDNESS: RELATEDNESS_TYPE})

#: The ids of occurrences with numbers below this are computed for all rows at a time.
_FIRST_NUMBERS = 9
#: The rule that a row breaks and the message, by fault.
_FAULTS: Mapping[str, tuple[str, Message]] = MappingProxyType(
    {
        "null": ("R1", message("a role or content is null")),
        "blank": ("R2", message("a content is blank")),
        "roles": ("R3", message("roles do not alternate from user")),
        "odd": ("R3", message("the number of turns is odd, or none")),
        "source": ("R5", message("source is not one of the export")),
        "score": ("R5", message("relatedness is not a finite number")),
        "special": ("R8", message("a content holds a special token")),
        "none": ("R9", message("no messages")),
        "id": ("id", message("id is not its source, a hyphen and 16 hexadecimal digits")),
    }
)


def parquet_schema(summary: ExportSummary) -> pl.Schema:
    """Return the columns of the Parquet files of an export."""
    return SCORED if has_relatedness(summary) else PARQUET


def has_records(lazy: pl.LazyFrame) -> bool:
    """Return whether a Parquet file has the columns of records, with or without scores."""
    return lazy.collect_schema() in (PARQUET, SCORED)


def counted(counts: Mapping[str, int]) -> Message:
    """Return counts by name as a text such as `train 90, test 10`; `none` without counts."""
    items = [f"{name} {number:,}" for name, number in counts.items()]
    return joined(", ", items) if items else message("none")


@dataclass(frozen=True, kw_only=True, slots=True)
class Offence:
    """A place in an export that breaks a rule.

    `path` is relative to the folder of the export; `line` is the line or row, from 1, or None for the whole file.
    """

    path: str
    rule: str
    message: Message
    line: int | None = None

    @property
    def text(self) -> Message:
        """The offence as a line for the terminal."""
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return message("{place}: {rule}: {fault}", place=place, rule=self.rule, fault=self.message)


def offences(frame: pl.DataFrame, file: ExportFile, before: int, sources: Sequence[str]) -> Iterator[Offence]:
    """Yield the offences of rows with the schema `PARQUET` or `SCORED`.

    `before` is the number of rows before them in their file; `sources` are the names that their `source` may have.
    """
    faults = pl.concat([_of_messages(frame), _of_columns(frame, sources)]).unique().sort("at", "fault")
    for at, fault in faults.iter_rows():
        rule, text = _FAULTS[fault]
        if fault == "source" and len(sources) == 1:
            text = message("source is not {source}", source=sources[0])
        yield Offence(path=file.path, line=before + at + 1, rule=rule, message=text)


def wrong_ids(frame: pl.DataFrame, file: ExportFile, before: int, summary: ExportSummary) -> Iterator[Offence]:
    """Yield an offence for each row with an id that is not the hash of its messages.

    Rows that break a rule of `offences` are skipped: they are reported already.
    """
    broken = pl.concat([_of_messages(frame), _of_columns(frame, [one.name for one in summary.sources])]).select("at")
    rows = frame.with_row_index("at").join(broken, on="at", how="anti", maintain_order="left").drop_nulls(list(PARQUET))
    rows = rows.with_columns(key=splitting.content_keys(rows["messages"]))
    for number in range(1, _FIRST_NUMBERS):  # an export may have equal records, which differ in their numbers
        numbers = pl.repeat(number, len(rows), dtype=pl.UInt32, eager=True)
        rows = rows.filter(rows["id"].str.tail(17) != splitting.record_ids("", rows["key"], numbers))
    most = sum(one.ledger.records for one in summary.sources)
    for at in range(len(rows)):
        if not splitting.is_id_of(f"-{rows['id'][at][-16:]}", rows["key"][at : at + 1], most):
            fault = message("id is not the hash of its messages")
            yield Offence(path=file.path, line=before + rows["at"][at] + 1, rule="id", message=fault)


def _of_columns(frame: pl.DataFrame, sources: Sequence[str]) -> pl.DataFrame:
    rows = frame.with_row_index("at")
    length = pl.col("messages").list.len().fill_null(0)
    is_known = pl.col("source").is_in(list(sources)).fill_null(value=False)
    is_id = pl.col("id").str.contains("^.+-[0-9a-f]{16}$") & (pl.col("id").str.head(-17) == pl.col("source"))
    checks = (
        ("none", length == 0),
        ("source", ~is_known),
        ("id", ~is_id.fill_null(value=False)),
        *([("score", ~pl.col(RELATEDNESS).is_finite())] if RELATEDNESS in rows.columns else []),
    )
    return _faults(rows, checks)


def _of_messages(frame: pl.DataFrame) -> pl.DataFrame:
    rows = frame.select("messages").with_row_index("at").filter(pl.col("messages").list.len() > 0)
    flat = rows.explode("messages").unnest("messages")
    begins = (pl.col("at") != pl.col("at").shift(1)).fill_null(value=True)
    number = pl.int_range(pl.len(), dtype=pl.Int64)
    is_system = (pl.col("role") == "system").fill_null(value=False)
    flat = flat.with_columns(
        begins=begins,
        position=number - pl.when(begins).then(number).forward_fill(),
        prompt=pl.when(begins).then(is_system).forward_fill(),
        ends=(pl.col("at") != pl.col("at").shift(-1)).fill_null(value=True),
        special=special_tokens.holds_special_token(flat["content"]),
    )
    spoken = pl.col("position") - pl.col("prompt").cast(pl.Int64)
    expected = pl.when(spoken % 2 == 0).then(pl.lit("user")).otherwise(pl.lit("assistant"))
    is_prompt = pl.col("begins") & pl.col("prompt")
    checks = (
        ("null", pl.col("role").is_null() | pl.col("content").is_null()),
        ("blank", pl.col("content").str.strip_chars() == ""),
        ("roles", ~is_prompt & (pl.col("role") != expected)),
        ("odd", pl.col("ends") & (spoken % 2 == 0) | (is_prompt & pl.col("ends"))),
        ("special", pl.col("special")),
    )
    return _faults(flat, checks)


def _faults(rows: pl.DataFrame, checks: Sequence[tuple[str, pl.Expr]]) -> pl.DataFrame:
    """Return `at, fault` for each row and each check that is true for it; faults are keys of `_FAULTS`."""
    return pl.concat(rows.filter(wrong).select("at", fault=pl.lit(fault)) for fault, wrong in checks)


def disorder(keys: pl.Series, last: int | None, file: ExportFile, before: int) -> Iterator[Offence]:
    """Yield an offence for the first row with an order key below that of the row before it.

    `last` is the key of the row before the first one of `keys`; None if there is none.
    """
    previous = keys.shift(1)
    wrong = (keys < previous).fill_null(value=False)
    at = wrong.arg_max() if wrong.any() else None
    if last is not None and len(keys) and keys[0] is not None and int(keys[0]) < last:
        at = 0
    if at is not None:
        fault = message("not in the order of manifest.json (shuffled by id)")
        yield Offence(path=file.path, line=before + at + 1, rule="R10", message=fault)


def groups(frame: pl.DataFrame, before: int) -> pl.DataFrame:
    """Return `group, row`: the content group (UInt64) of each record of at least two turns, and its row, from 1."""
    first = pl.col("messages").list.get(0, null_on_oob=True).struct.field("role") == "system"
    begin = first.cast(pl.UInt32).fill_null(0)
    texts = frame.with_row_index("row", offset=before + 1).select(
        "row",
        opener=pl.col("messages").list.get(begin, null_on_oob=True).struct.field("content"),
        reply=pl.col("messages").list.get(begin + 1, null_on_oob=True).struct.field("content"),
    )
    texts = texts.drop_nulls()
    return texts.select(pl.Series("group", splitting.group_hashes(texts["opener"], texts["reply"])), "row")
