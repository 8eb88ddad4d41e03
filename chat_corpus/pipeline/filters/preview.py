"""Preview the removals of each filter in a shard: counts of turns and rows, overlaps, and examples with the match.

A row is a pair that is written if no filter rejects anything. A filter of turns removes all rows with its turns. The
flags of a filter do not depend on other filters; a run removes each row that an enabled filter flags.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from chat_corpus.pipeline.filters.options import FilterOptions
from chat_corpus.pipeline.filters.table import active_filters, rejections
from chat_corpus.row_masks import row_mask
from chat_corpus.sources.base import Filter, Scope, Source


@dataclass(kw_only=True, slots=True)
class Figures:
    """Counts of turns and rows that one filter would remove.

    turns, rows              turns and rows that the filter flags
    alone_turns, alone_rows  those that no other filter of the preview flags
    given_turns, given_rows  those that get the reason of this filter in a run: it is the first enabled filter that
                             flags them; in a row, the reason of the query takes priority over that of the answer
    """

    turns: int = 0
    rows: int = 0
    alone_turns: int = 0
    alone_rows: int = 0
    given_turns: int = 0
    given_rows: int = 0

    def add(self, other: Figures) -> None:
        """Add the figures of another shard or source."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Example:
    """A turn or pair that a filter would remove; the examples with the smallest `key` are shown.

    For a turn, `before` is the previous turn of the dialogue; for a pair, `before` is the query and `text` the answer.
    """

    key: int
    file: str
    record: int
    before: str | None
    text: str
    message: str


@dataclass(kw_only=True, slots=True)
class FilterPreview:
    """Removals of all filters in a shard or source.

    turns, rows  turns after reading and cleaning, and the rows that they make without filters
    removed_turns, removed_rows  those that all enabled filters remove together
    filters      figures by the name of the filter
    overlaps     rows that two filters both flag, by the names of the filters in the order of the table
    masked       turns with masked personal data, by kind
    examples     examples by the name of the filter
    """

    turns: int = 0
    rows: int = 0
    removed_turns: int = 0
    removed_rows: int = 0
    filters: dict[str, Figures] = field(default_factory=dict)
    overlaps: Counter[tuple[str, str]] = field(default_factory=Counter)
    masked: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[Example]] = field(default_factory=dict)

    def add(self, other: FilterPreview, examples: int) -> None:
        """Add another shard or source; for each filter, `examples` examples with the smallest keys stay."""
        for name in ("turns", "rows", "removed_turns", "removed_rows"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name, figures in other.filters.items():
            self.filters.setdefault(name, Figures()).add(figures)
        self.overlaps += other.overlaps
        self.masked += other.masked
        for name, some in other.examples.items():
            self.examples[name] = sorted([*self.examples.get(name, []), *some])[:examples]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampling:
    """The number of examples to draw for each filter, and the seed of the draw."""

    examples: int
    seed: int


def preview_filters(
    turns: pl.DataFrame,
    pairs: pl.DataFrame,
    files: Sequence[str],
    source: Source,
    options: FilterOptions,
    *,
    on: Sequence[str],
    sampling: Sampling,
) -> FilterPreview:
    """Return the removals of each filter of the options in a shard.

    `turns` are clean turns before the filters, with the column `at`, the row number. `pairs` are the result of
    `pairing.pair`, with `query_at` and `answer_at`. `files` are the names of the raw files by index, and `on` are the
    names of the filters that a run applies.
    """
    pairs = pairs.filter(pl.col("reason").is_null())
    filters = active_filters(options, source)
    usable = turns["reason"].is_null()
    preview = FilterPreview(turns=int(usable.sum()), rows=len(pairs))
    by_turn: dict[str, pl.Series] = {}
    by_row: dict[str, pl.Series] = {}
    for item in filters:
        of_pairs = item.scope is Scope.PAIR
        found = rejections(pairs if of_pairs else turns, item, options, source)
        if not len(found):
            preview.filters[item.name] = Figures()
            continue
        flags = row_mask(len(pairs if of_pairs else turns), found["row"])
        if not of_pairs:
            by_turn[item.name] = flags
        by_row[item.name] = flags if of_pairs else flags.gather(pairs["query_at"]) | flags.gather(pairs["answer_at"])
        preview.examples[item.name] = _examples(found, item, turns, pairs, files, sampling)
    _count(preview, by_turn, by_row)
    _count_given(preview, [item.name for item in filters if item.name in on], by_turn, by_row, pairs)
    return preview


def _count(preview: FilterPreview, by_turn: Mapping[str, pl.Series], by_row: Mapping[str, pl.Series]) -> None:
    """Fill in the counts of flags, alone and in all, and the overlaps."""
    for kind, flags in (("turns", by_turn), ("rows", by_row)):
        sums = _sum(list(flags.values()))
        for name, flagged in flags.items():
            figures = preview.filters.setdefault(name, Figures())
            setattr(figures, kind, int(flagged.sum()))
            setattr(figures, f"alone_{kind}", int((flagged & (sums == 1)).sum()))
    names = list(by_row)
    for number, first in enumerate(names):
        for second in names[number + 1 :]:
            if both := int((by_row[first] & by_row[second]).sum()):
                preview.overlaps[first, second] = both


def _count_given(
    preview: FilterPreview,
    on: Sequence[str],
    by_turn: Mapping[str, pl.Series],
    by_row: Mapping[str, pl.Series],
    pairs: pl.DataFrame,
) -> None:
    """Fill in the turns and rows that a run removes, in all and by the filter that gives the reason."""
    of_turns = [name for name in on if name in by_turn]
    of_pairs = [name for name in on if name in by_row and name not in by_turn]
    rows = pl.Series([None], dtype=pl.String).new_from_index(0, len(pairs))
    if of_turns:
        turns = _first(by_turn, of_turns)
        preview.removed_turns = len(turns) - turns.null_count()
        _add_given(preview, turns, "given_turns")
        query, answer = (turns.gather(pairs[f"{side}_at"]) for side in ("query", "answer"))
        rows = query.zip_with(query.is_not_null(), answer)
    if of_pairs:
        rows = rows.zip_with(rows.is_not_null(), _first(by_row, of_pairs))
    preview.removed_rows = len(rows) - rows.null_count()
    _add_given(preview, rows, "given_rows")


def _first(flags: Mapping[str, pl.Series], names: Sequence[str]) -> pl.Series:
    """Return for each turn or row the name of the first filter that flags it; null if none does."""
    cases = (pl.when(pl.col(name)).then(pl.lit(name)) for name in names)
    return pl.DataFrame({name: flags[name] for name in names}).select(pl.coalesce(*cases)).to_series()


def _add_given(preview: FilterPreview, names: pl.Series, attribute: str) -> None:
    for name, number in names.drop_nulls().value_counts().iter_rows():
        setattr(preview.filters[name], attribute, number)


def _sum(flags: Sequence[pl.Series]) -> pl.Series:
    """Return the number of flags of each turn or row."""
    listed = [one.cast(pl.UInt16) for one in flags]
    total = listed[0] if listed else pl.Series(dtype=pl.UInt16)
    for one in listed[1:]:
        total = total + one
    return total


def _examples(
    found: pl.DataFrame,
    item: Filter,
    turns: pl.DataFrame,
    pairs: pl.DataFrame,
    files: Sequence[str],
    sampling: Sampling,
) -> list[Example]:
    """Draw examples by a hash of address and text, so that the examples of several shards can be merged."""
    if item.scope is Scope.PAIR:
        some = pairs[found["row"]].select(
            "query_record", "answer_record", file="query_file_index", before="query", text="answer"
        )
    else:
        same = pl.col("dialogue_id") == pl.col("dialogue_id").shift(1)
        some = turns.select(
            query_record="record",
            answer_record="turn_index",
            file="file_index",
            before=pl.when(same).then(pl.col("text").shift(1)),
            text="text",
        )[found["row"]]
    names = pl.Series("file", list(files), dtype=pl.String).gather(some["file"])
    address = pl.struct(pl.lit(item.name), "file", "query_record", "answer_record", "text")
    drawn = some.with_columns(names, found["message"])
    drawn = drawn.with_columns(key=address.hash(seed=sampling.seed)).bottom_k(sampling.examples, by="key")
    columns = ("key", "file", "query_record", "before", "text", "message")
    return sorted(
        Example(key=key, file=file, record=record, before=before, text=text, message=message)
        for key, file, record, before, text, message in drawn.select(columns).iter_rows()
    )
