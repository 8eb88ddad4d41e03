"""Response selection sets: ``label TAB utterance TAB … TAB response``, where consecutive lines share one context.

The reader returns the context of a run of lines once, as turns of one dialogue at the first of the lines. A response
labelled 1 is an alternative turn after the context; a response labelled 0 is random, and is rejected as negative.
Layout: Wu et al., Sequential Matching Network, ACL 2017 (Douban Conversation Corpus).
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from chat_corpus.formats.base import Format, Reading, Records, mark_empty, rejected, turns_frame, undecodable
from chat_corpus.schema import Reason

_FIELDS = 3
#: Bytes of a label and the tab after it.
_LABEL = 2
#: Maximum number of fields, since each needs memory; the longest line of the Douban corpus has 100.
_MOST_FIELDS = 10_000


def _read(parts: Sequence[Records]) -> Reading:
    (records,) = (part.rechunk() for part in parts)  # filtering fields in several chunks takes twice as long
    text, count = pl.col("text"), pl.col("fields").list.len()
    written, blank = _split_by(records, records["text"].str.strip_chars() != "")
    fields = written.with_columns(fields=text.str.split("\t"))
    labelled = text.str.starts_with("0\t") | text.str.starts_with("1\t")
    sound = fields.select(labelled & count.is_between(_FIELDS, _MOST_FIELDS)).to_series()
    lines, other = _split_by(fields, sound)
    bad = rejected(
        other,
        Reason.FIELDS,
        pl.format(
            "a label 0 or 1, an utterance and a response expected, {} met, the first '{}'",
            count,
            pl.col("fields").list.first().str.head(20),
        ),
    )
    lines = lines.with_columns(response=pl.col("fields").list.last(), turns=count - 2)
    lines = lines.with_columns(opens=_opens(lines))
    lines = lines.with_columns(dialogue_id=pl.col("opens").cum_sum())
    rows = turns_frame(_contexts(lines), _responses(lines)).sort(
        "dialogue_id", "turn_index", "record", maintain_order=True
    )
    rows = turns_frame(mark_empty(rows), bad, undecodable(records))
    return Reading(rows=rows, non_turns=(blank["record"],))


def _split_by(rows: pl.DataFrame, mask: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows where a mask is true, and those where it is false; the latter are rare. Null is in neither."""
    if mask.all(ignore_nulls=False):
        return rows, rows.clear()
    return rows.filter(mask), rows.filter(~mask)


def _opens(lines: pl.DataFrame) -> pl.Series:
    """Return whether the context of each line, from its label to its response, differs from that of the line before."""
    data, response = (pl.col(name).cast(pl.Binary) for name in ("text", "response"))
    context = pl.col("context")
    contexts = lines.select(context=data.bin.slice(_LABEL, data.bin.size() - response.bin.size() - _LABEL))
    return contexts.select((context != context.shift(1)).fill_null(value=True)).to_series()


def _contexts(lines: pl.DataFrame) -> pl.DataFrame:
    utterances = pl.col("fields").list.slice(1, pl.col("turns"))
    turn = pl.int_ranges(0, pl.col("turns"), dtype=pl.UInt32)
    return (
        lines.filter("opens")
        .select("record", "dialogue_id", text=utterances, turn_index=turn)
        .explode("text", "turn_index")
    )


def _responses(lines: pl.DataFrame) -> pl.DataFrame:
    negative = pl.col("text").str.starts_with("0")
    return lines.select(
        "record",
        "dialogue_id",
        turn_index="turns",
        text="response",
        reason=pl.when(negative).then(pl.lit(str(Reason.NEGATIVE))),
        message=pl.when(negative).then(pl.lit("labelled 0: a response drawn at random")),
    )


def _context(line: bytes) -> bytes | None:
    """Return the context of a valid line, as `_read` compares it; None for other lines."""
    label, _, rest = line.removesuffix(b"\r").partition(b"\t")
    if label not in (b"0", b"1") or rest.count(b"\t") > _MOST_FIELDS - 2:
        return None
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return rest[: rest.rfind(b"\t") + 1] or None


def _cut(data: bytes) -> int:
    """Return the offset after the last line break between two contexts; 0 if there is none.

    A malformed line does not end a context.
    """
    end = data.rfind(b"\n")
    after = None
    while end >= 0:
        begin = data.rfind(b"\n", 0, end) + 1
        before = _context(data[begin:end])
        if after is not None and before is not None and before != after:
            return end + 1
        after, end = before or after, begin - 1
    return 0


LABELLED = Format(read=_read, cut=_cut, repeats=_MOST_FIELDS, labelled=True)
