"""The mix of all sources in train: which rows are in which file, and where its subsets end."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from chat_corpus.errors import DEFECT, LedgerError
from chat_corpus.exports.manifest import ExportFile, ExportMix, MixSubset
from chat_corpus.exports.mix_options import MixOptions, largest_subset, subset_sizes
from chat_corpus.exports.mixing import MixPlan, plan_mix
from chat_corpus.exports.ordering import BUCKETS, keys_of_ranks
from chat_corpus.runs.export.job import SourceExport
from chat_corpus.runs.export.selection import PartRows, rows_between, selected
from chat_corpus.runs.export.twins import TrainRecords


@dataclass(frozen=True, kw_only=True)
class TrainMix:
    """The first `rows` records of a plan, and the subsets that are not larger, by name, from the smallest."""

    options: MixOptions
    plan: MixPlan
    rows: int
    subsets: Mapping[str, int]

    def cuts(self, bytes_of_record: Mapping[str, float], bytes_of_file: int) -> list[int]:
        """Return the rows at which files begin, and then `rows`; wherever a subset ends, a file ends.

        Files between the ends of two subsets have about the same number of bytes. These are estimated from the average
        bytes of a record of each source, since the shares of sources change where a source ends.
        """

        def size(row: int) -> float:
            return sum(rank * bytes_of_record[name] for name, rank in self.plan.ranks(row).items())

        found = {0, self.rows}
        for first, last in pairwise(sorted({0, self.rows, *self.subsets.values()})):
            before, whole = size(first), size(last) - size(first)
            files = max(1, -int(-whole // bytes_of_file))
            ends = (before + whole * number / files for number in range(1, files))
            found |= {last, *(first + bisect_left(range(first, last), end, key=size) for end in ends)}
        return sorted(found)


def plan_train(options: MixOptions, left: Mapping[str, Sequence[TrainRecords]]) -> TrainMix:
    """Return the mix of the records that the parts of each source have left. Raises UsageError as `mixing.plan_mix`."""
    plan = plan_mix(options, {name: sum(one.rows for one in parts) for name, parts in left.items()})
    largest = largest_subset(options)
    rows = plan.total if largest is None else min(largest, plan.total)
    sizes = {name: size for name, size in subset_sizes(options.subsets).items() if size is not None and size <= rows}
    return TrainMix(options=options, plan=plan, rows=rows, subsets=sizes)


def ranges_of_cuts(
    mix: TrainMix, cuts: Sequence[int], found: Sequence[SourceExport], left: Mapping[str, Sequence[TrainRecords]]
) -> list[tuple[PartRows, ...]]:
    """Return the records of each file, between neighbouring cuts, and set `train_end` of each source.

    Raises LedgerError if two records have the same place in the order.
    """
    ranks = [mix.plan.ranks(cut) for cut in cuts]
    ranges: list[list[PartRows]] = [[] for _ in cuts[1:]]
    for one in found:
        if one.name not in mix.plan.sizes:
            continue
        counts = sum((part.buckets for part in left[one.name]), np.zeros(BUCKETS, np.int64))
        keys = (selected(part, one.limits, "train")["order"].to_numpy() for part in one.parts)
        try:
            places = keys_of_ranks(counts, [rank[one.name] for rank in ranks], keys)
        except ValueError as error:
            raise LedgerError(f"{one.name}: {error}; {DEFECT}") from error
        one.train_end = places[-1]
        for own, rows in zip(ranges, rows_between(one.parts, places), strict=True):
            own += rows
    return [tuple(own) for own in ranges]


def described(mix: TrainMix, files: Sequence[ExportFile]) -> ExportMix:
    """Return the mix for the manifest; `files` are those of all sources together."""
    end = mix.plan.first_to_end()
    exact = min(end[1], mix.rows) if end else mix.rows
    return ExportMix(
        shares=mix.options.shares,
        max_share=mix.options.max_share,
        available=dict(mix.plan.sizes),
        weights=dict(mix.plan.weights),
        sources=mix.plan.ranks(mix.rows),
        exact_rows=exact,
        ends_first=end[0] if end and exact < mix.rows else None,
        subsets=tuple(_subsets(mix, [one for one in files if one.format == "hf" and one.split == "train"])),
    )


def _subsets(mix: TrainMix, files: Sequence[ExportFile]) -> Iterator[MixSubset]:
    for name, size in mix.subsets.items():
        rows, paths = 0, []
        for file in files:
            if rows < size:
                rows += file.rows or 0
                paths.append(file.path)
        if rows != size:
            raise LedgerError(f"subset {name}: {size} rows planned, {rows} written; {DEFECT}")
        yield MixSubset(name=name, rows=size, files=tuple(paths), sources=mix.plan.ranks(size))
