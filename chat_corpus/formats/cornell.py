"""Utterances with ids in one file, conversations as lists of ids in a second one, `` +++$+++ `` between the fields.

Layout: the Cornell Movie-Dialogs Corpus, as the Egret corpus uses it. In the first file, a line without an id at its
beginning continues the utterance before it. The lines of the second file contain no text.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from chat_corpus.files.lines import printable
from chat_corpus.formats.base import Format, Reading, Records, mark_empty, rejected, turns_frame, undecodable
from chat_corpus.schema import Reason

_LINE = r"(?s)^([0-9]+) \+\+\+\$\+\+\+ (.*?) \+\+\+\$\+\+\+ ?(.*)$"
#: Maximum number of times that an utterance is listed: repeated lists would expand a small file without bound.
MAX_LISTED = 16
_IDS = r"\+\+\+\$\+\+\+ \[([0-9, ]*)\]\s*$"


def _read(parts: Sequence[Records]) -> Reading:
    lines, conversations = parts
    records, continuing = _records(lines)
    utterances = records.drop_nulls("id").unique("id", keep="first", maintain_order=True)
    listed, unlisted = _listed(conversations)
    rows = listed.join(utterances, on="id", how="left", maintain_order="left")
    missing, again = pl.col("record").is_null(), pl.int_range(pl.len()).over("id") >= MAX_LISTED
    rows = rows.with_columns(missing=missing, bad=missing | again).with_columns(
        file_index=pl.when("bad").then(1).otherwise(0),
        record=pl.when("bad").then("conversation").otherwise("record"),
        text=pl.when(~pl.col("bad")).then("text"),
        reason=pl.when("bad").then(pl.lit(str(Reason.LAYOUT))),
        message=pl.when("missing")
        .then(pl.format("names the utterance {}, which is not there", "id"))
        .when("bad")
        .then(pl.format("names the utterance {}, which was named {} times before", "id", pl.lit(MAX_LISTED))),
    )
    lone = utterances.join(listed, on="id", how="anti", maintain_order="left")
    whole = turns_frame(
        rows, rejected(lone, Reason.UNPAIRED, "in no conversation"), _malformed(records, utterances), unlisted
    )
    with_rows = whole.filter(pl.col("file_index") == 1)["record"]
    lists = conversations.filter(~pl.col("record").is_in(with_rows.implode()))["record"]
    return Reading(rows=mark_empty(whole), non_turns=(continuing, lists))


def _records(lines: Records) -> tuple[pl.DataFrame, pl.Series]:
    """Return records as `record, text, id, speaker`, with a null id if malformed, and the numbers of continuing lines.

    A record with an invalid line has no text, because the rest would be an incomplete utterance.
    """
    shown = pl.Series([None if data is None else printable(data) for data in lines["bytes"]], dtype=pl.String)
    begins = pl.coalesce("text", shown).str.contains(r"^[0-9]+ \+\+\+\$\+\+\+ ")
    grouped = lines.with_columns(entry=begins.cum_sum(), continues=~begins & (begins.cum_sum() > 0))
    # A line before the first id continues nothing, so it is a record.
    orphan = pl.when(pl.col("entry") == 0).then(-pl.col("record").cast(pl.Int64)).otherwise(pl.col("entry"))
    joined = grouped.group_by(orphan.alias("entry"), maintain_order=True).agg(
        pl.col("record").first(), pl.col("text").str.join("\n", ignore_nulls=False)
    )
    fields = joined.with_columns(fields=pl.col("text").str.extract_groups(_LINE))
    identity = pl.col("fields").struct["1"].cast(pl.Int64, strict=False)
    records = fields.select(
        "record", "text", id=identity, speaker=pl.col("fields").struct["2"], utterance=pl.col("fields").struct["3"]
    )
    return (
        records.with_columns(text=pl.when(pl.col("id").is_null()).then("text").otherwise("utterance")).drop(
            "utterance"
        ),
        grouped.filter("continues")["record"],
    )


def _malformed(records: pl.DataFrame, utterances: pl.DataFrame) -> pl.DataFrame:
    """Return rejected rows for malformed records and for utterances with a repeated id."""
    other = records.join(utterances, on="record", how="anti", maintain_order="left")
    undecoded = pl.col("text").is_null()
    layout = rejected(other.filter(~undecoded), Reason.LAYOUT, "a new 'id +++$+++ user +++$+++ text' expected")
    return pl.concat([layout, undecodable(other)])


def _listed(conversations: Records) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the ids of conversations (`conversation, dialogue_id, turn_index, id`), and rows for lines without ids."""
    ids = pl.col("text").str.extract(_IDS).str.extract_all("[0-9]+").cast(pl.List(pl.Int64), strict=False)
    lines = conversations.with_columns(ids=ids)
    sound = (pl.col("ids").list.len() > 0) & (pl.col("ids").list.drop_nulls().list.len() == pl.col("ids").list.len())
    listed = lines.filter(sound).select(
        "ids",
        conversation="record",
        dialogue_id=pl.int_range(pl.len(), dtype=pl.UInt32),
        turn_index=pl.int_ranges(0, pl.col("ids").list.len(), dtype=pl.UInt32),
    )
    blank = pl.col("text").str.strip_chars() == ""
    bad = rejected(lines.filter(~sound.fill_null(value=False) & ~blank), Reason.LAYOUT, "no list of ids at its end")
    unlisted = pl.concat([bad, undecodable(conversations)]).with_columns(file_index=pl.lit(1, dtype=pl.UInt8))
    return listed.explode("ids", "turn_index").rename({"ids": "id"}), unlisted


LINE_IDS = Format(read=_read, cut=None, parts=2)
