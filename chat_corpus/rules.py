"""When a turn is not kept. Each rule fills in the reason of the turns it rejects; no row is removed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
import polars as pl

from chat_corpus.schema import Reason
from chat_corpus.source import Source

#: Bytes of the longest turn: text steps need up to a hundred times as much memory for one text.
_LONGEST = 1 << 20
_LOST = "\N{REPLACEMENT CHARACTER}"


class RuleOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a turn must be to be kept."""

    #: Reject a turn when more than this share of its characters is U+FFFD, the mark of a character lost before us.
    max_damaged: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.25
    #: Reject a turn with fewer characters than this.
    min_chars: Annotated[int, msgspec.Meta(ge=1)] = 1
    #: Reject a turn with more characters than this; 0 for no limit.
    max_chars: Annotated[int, msgspec.Meta(ge=0)] = 0

    def __post_init__(self) -> None:
        if 0 < self.max_chars < self.min_chars:
            raise ValueError(f"max_chars {self.max_chars} is less than min_chars {self.min_chars}: no turn is kept")


def bound(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `schema.TURNS` with a reason instead of a text where a turn is longer than any stage should be given."""
    bytes_ = rows["text"].str.len_bytes()
    long = bytes_ > _LONGEST
    if not long.any():
        return rows
    told = pl.format("{} bytes, more than the {} of the longest turn there can be", bytes_, pl.lit(_LONGEST))
    return rows.with_columns(
        text=pl.when(~long).then("text"),
        reason=pl.when(long & pl.col("reason").is_null()).then(pl.lit(str(Reason.LENGTH))).otherwise("reason"),
        detail=pl.when(long & pl.col("reason").is_null()).then(told).otherwise("detail"),
    )


def check(rows: pl.DataFrame, options: RuleOptions, source: Source) -> pl.DataFrame:
    """Rows with `reason` and `detail` of the turns not kept.

    `rows` are those of `schema.TURNS` plus `raw`, the text as it was read, and `notable`: of rows that are not, as
    `text.steps.sift` tells them, it is known that they hold nothing but plain text.
    """
    at = rows.select("text", "raw", "turn", "reason", "notable").with_row_index("at")
    if options.min_chars == 1 and not options.max_chars:  # nearly every turn is kept, as two glances show
        at = at.filter(_suspect(source)).filter(_doubtful(source))
    at = at.filter(pl.col("reason").is_null())
    if at.is_empty():
        return rows
    found = list(_verdicts(options, source))
    judged = at.select(
        "at",
        reason=pl.coalesce(*(pl.when(bad).then(pl.lit(str(why))) for _, bad, why, _ in found)),
        detail=pl.coalesce(*(pl.when(bad).then(told) for _, bad, _, told in found)),
    ).drop_nulls("reason")
    changed = {name: rows[name].clone().scatter(judged["at"], judged[name]) for name in ("reason", "detail")}
    return rows.with_columns(**changed)


def _suspect(source: Source) -> pl.Expr:
    """What a turn that `_doubtful` is true of has in common, or one that is this source's word for no answer."""
    said = [pl.col("raw").str.strip_chars().is_in(sorted(source.no_answer))] if source.no_answer else []
    return pl.any_horizontal("notable", *said)


def _doubtful(source: Source) -> pl.Expr:
    """What a turn that some rule rejects has in common, but for its length."""
    text = pl.col("text")
    doubtful = (text == "") | text.str.contains(_LOST, literal=True)
    return doubtful | pl.col("raw").str.contains_any(sorted(source.no_answer)) if source.no_answer else doubtful


def verdicts(rows: pl.DataFrame, options: RuleOptions, source: Source) -> pl.DataFrame:
    """Each rule that can reject a turn, as a column of its name: the detail of turns it rejects, null for the others.

    `rows` are as for `check`, the columns in the order in which rules are asked. A rule that an option steers has the
    option's name.
    """
    return rows.select(pl.when(bad).then(told).alias(rule) for rule, bad, _, told in _verdicts(options, source))


def _verdicts(options: RuleOptions, source: Source) -> Iterator[tuple[str, pl.Expr, Reason, pl.Expr]]:
    """Each rule that can reject a turn: its name, which rows it rejects, for which reason, told how."""
    text = pl.col("text")
    chars = text.str.len_chars()
    yield "empty", text == "", Reason.EMPTY, pl.lit("nothing left of the turn once it was cleaned")
    if source.no_answer:
        said = pl.col("raw").str.strip_chars().is_in(sorted(source.no_answer)) & (pl.col("turn") > 0)
        yield "no_answer", said, Reason.NO_ANSWER, pl.lit("this source's word for having no answer")
    damaged = text.str.count_matches(_LOST, literal=True)
    told = pl.format("{} of {} characters lost", damaged, chars)
    if options.max_damaged < 1:
        yield "max_damaged", damaged > chars * options.max_damaged, Reason.DAMAGED, told
    if options.min_chars > 1:
        bad = chars < options.min_chars
        yield "min_chars", bad, Reason.LENGTH, pl.format("{} characters, fewer than min_chars", chars)
    if options.max_chars:
        bad = chars > options.max_chars
        yield "max_chars", bad, Reason.LENGTH, pl.format("{} characters, more than max_chars", chars)
