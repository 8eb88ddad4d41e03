"""The rules that rows of a Parquet file must obey, as expressions over a frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from chat_corpus.exports import special_tokens, splitting
from chat_corpus.exports.dialogues import DIALOGUES
from chat_corpus.exports.manifest import MANIFEST, ExportFile
from chat_corpus.exports.records import PARQUET_COLUMNS
from chat_corpus.messages import Message, count_noun, message

#: The columns of a Parquet file.
PARQUET = pl.Schema({name: DIALOGUES[name] for name in PARQUET_COLUMNS})
#: A rule, the message for a row that breaks it, and the expression that is true of such a row.
_Check = tuple[str, Message, pl.Expr]


@dataclass(frozen=True, kw_only=True, slots=True)
class Offence:
    """A broken rule: the file as a path below the folder of the export, and the line or row from 1, if there is one."""

    path: str
    rule: str
    message: str
    line: int | None = None

    @property
    def described(self) -> Message:
        """The offence as one line: file, line, rule and message."""
        file = self.path if self.line is None else f"{self.path}:{self.line}"
        return message("{file}: {rule}: {fault}", file=file, rule=self.rule, fault=self.message)

    def __str__(self) -> str:
        return str(self.described)


def wrong_rows(rows: int, file: ExportFile) -> Message:
    """Return the message for a file that has a different number of rows than the manifest says."""
    return message(
        "has {rows}; {manifest} says {expected}", rows=count_noun(rows, "row"), manifest=MANIFEST, expected=file.rows
    )


def offences(frame: pl.DataFrame, file: ExportFile, before: int) -> Iterator[Offence]:
    """Yield the offences of rows with the schema `PARQUET`; `before` rows of the file come before the first."""
    of_messages, of_columns = _message_checks(), _column_checks(str(file.source))
    texts = {str(text): text for _, text, _ in (*of_messages, *of_columns)}
    faults = pl.concat([_faults(_exploded(frame), of_messages), _faults(frame.with_row_index("at"), of_columns)])
    for index, rule, text in faults.unique().sort("at", "rule", "message").iter_rows():
        yield Offence(path=file.path, line=before + index + 1, rule=rule, message=texts[text])


def _column_checks(source: str) -> tuple[_Check, ...]:
    return (
        ("R9", message("no messages"), pl.col("messages").list.len().fill_null(0) == 0),
        ("R5", message("source is not {source}", source=source), pl.col("source").ne_missing(source)),
        ("id", message("id is not {source}- and 16 hexadecimal digits", source=source), ~_is_id(source)),
    )


def _is_id(source: str) -> pl.Expr:
    return pl.col("id").str.contains(f"^{source}-[0-9a-f]{{16}}$").fill_null(value=False)


def _exploded(frame: pl.DataFrame) -> pl.DataFrame:
    """The messages of records, a row each, with the columns that `_message_checks` needs."""
    rows = frame.select("messages").with_row_index("at").filter(pl.col("messages").list.len() > 0)
    flat = rows.explode("messages").unnest("messages")
    begins = (pl.col("at") != pl.col("at").shift(1)).fill_null(value=True)
    number = pl.int_range(pl.len(), dtype=pl.Int64)
    is_system = (pl.col("role") == "system").fill_null(value=False)
    return flat.with_columns(
        begins=begins,
        position=number - pl.when(begins).then(number).forward_fill(),
        prompt=pl.when(begins).then(is_system).forward_fill(),
        ends=(pl.col("at") != pl.col("at").shift(-1)).fill_null(value=True),
        special=special_tokens.holds_special_token(flat["content"]),
    )


def _message_checks() -> tuple[_Check, ...]:
    turn = pl.col("position") - pl.col("prompt").cast(pl.Int64)
    expected = pl.when(turn % 2 == 0).then(pl.lit("user")).otherwise(pl.lit("assistant"))
    is_prompt = pl.col("begins") & pl.col("prompt")
    is_odd = pl.col("ends") & (turn % 2 == 0) | (is_prompt & pl.col("ends"))
    return (
        ("R1", message("a role or content is null"), pl.col("role").is_null() | pl.col("content").is_null()),
        ("R2", message("a content is blank"), pl.col("content").str.strip_chars() == ""),
        ("R3", message("roles do not alternate, beginning with user"), ~is_prompt & (pl.col("role") != expected)),
        ("R3", message("the number of turns is odd or zero"), is_odd),
        ("R8", message("a content has a special token"), pl.col("special")),
    )


def _faults(rows: pl.DataFrame, checks: Sequence[_Check]) -> pl.DataFrame:
    """`at, rule, message` of the rows that break a rule."""
    return pl.concat(
        rows.filter(wrong).select("at", rule=pl.lit(rule), message=pl.lit(str(text))) for rule, text, wrong in checks
    )


def disorder(keys: pl.Series, last: int | None, file: ExportFile, before: int) -> Iterator[Offence]:
    """The first row whose order key is less than the one before; `last` is the key before the first."""
    previous = keys.shift(1)
    wrong = (keys < previous).fill_null(value=False)
    index = wrong.arg_max() if wrong.any() else None
    if last is not None and len(keys) and int(keys[0]) < last:
        index = 0
    if index is not None:
        text = message("not in the order of {manifest} (shuffled by id)", manifest=MANIFEST)
        yield Offence(path=file.path, line=before + index + 1, rule="R10", message=text)


def groups(frame: pl.DataFrame, before: int) -> pl.DataFrame:
    """`group, row`: the content group of each record of at least two turns, and its number in the file."""
    first = pl.col("messages").list.get(0, null_on_oob=True).struct.field("role") == "system"
    begin = first.cast(pl.UInt32).fill_null(0)
    texts = frame.with_row_index("row", offset=before + 1).select(
        "row",
        opener=pl.col("messages").list.get(begin, null_on_oob=True).struct.field("content"),
        reply=pl.col("messages").list.get(begin + 1, null_on_oob=True).struct.field("content"),
    )
    texts = texts.drop_nulls()
    return texts.select(pl.Series("group", splitting.group_hashes(texts["opener"], texts["reply"])), "row")
