"""The passes over all pairs of a source, in order, and the pairs that they drop.

A pass drops a pair because of other pairs of the source. It uses only the pairs that the passes before it did not drop,
and the first pass that drops a pair gives the reason. So the result depends only on the pairs and their order, not on
shards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from chat_corpus.pipeline.dedup import exact
from chat_corpus.pipeline.pair_passes.pass_input import DROPPED, PairFacts, PassInput, as_dropped
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.schema import Reason
from chat_corpus.sources.base import Source


@dataclass(frozen=True, kw_only=True, slots=True)
class PairPass:
    """A pass over all pairs.

    name     its setting, such as `dedup.near`
    reason   the reason of the pairs that it drops
    facts    names in `facts.FACTS` of the facts that it needs from each shard
    is_on    whether the settings switch it on
    find     returns the pairs that it drops: `DROPPED`
    message  returns an expression for the message about a dropped pair, from the columns `value` and `file, record`,
             the address of the pair that it repeats
    """

    name: str
    reason: Reason
    facts: tuple[str, ...]
    is_on: Callable[[SourceSettings, Source], bool]
    find: Callable[[PassInput], pl.DataFrame]
    message: Callable[[SourceSettings], pl.Expr]


@dataclass(frozen=True, kw_only=True, slots=True)
class Dropped:
    """The pairs that passes drop.

    passes  the passes, in order
    starts  the number of the first pair of each shard, and then the number of all pairs
    rows    `DROPPED`, and `number: u8`, the index of the pass in `passes`; sorted by row
    """

    passes: Sequence[PairPass]
    starts: Sequence[int]
    rows: pl.DataFrame

    def count(self, reason: Reason) -> int:
        """Return the number of pairs that are dropped for a reason."""
        numbers = [number for number, each in enumerate(self.passes) if each.reason is reason]
        return int(self.rows["number"].is_in(numbers).sum())


def enabled(settings: SourceSettings, source: Source) -> tuple[PairPass, ...]:
    """Return the passes that the settings of a source switch on, in order."""
    return tuple(each for each in PASSES if each.is_on(settings, source))


def needed_facts(passes: Sequence[PairPass]) -> tuple[str, ...]:
    """Return the names in `facts.FACTS` of the facts that passes need from each shard."""
    return tuple(sorted({"keys", *(name for each in passes for name in each.facts)})) if passes else ()


def find_dropped(
    passes: Sequence[PairPass], parts: Sequence[PairFacts], settings: SourceSettings, work: Path
) -> Dropped:
    """Return the pairs that passes drop, which run one after the other.

    `work` is a folder for temporary files, on the disk of the parts.
    """
    starts = _starts(parts)
    frames: list[pl.DataFrame] = []
    for number, each in enumerate(passes):
        given = PassInput(parts=parts, starts=starts, settings=settings, work=work, dropped=tuple(frames))
        frames.append(each.find(given).with_columns(number=pl.lit(number, pl.UInt8)))
    empty = DROPPED.to_frame().with_columns(number=pl.lit(None, pl.UInt8))
    rows = pl.concat([empty, *frames]).sort("row")
    return Dropped(passes=passes, starts=starts, rows=rows)


def _starts(parts: Sequence[PairFacts]) -> list[int]:
    return exact.row_offsets([part["keys"] for part in parts])


def find_alone(pair_pass: PairPass, parts: Sequence[PairFacts], settings: SourceSettings, work: Path) -> pl.DataFrame:
    """Return the pairs that a pass drops if it is the only one: `DROPPED`, sorted by row."""
    return pair_pass.find(PassInput(parts=parts, starts=_starts(parts), settings=settings, work=work)).sort("row")


def _drops_exact(settings: SourceSettings, source: Source) -> bool:
    return settings.dedup.exact == "always" or (settings.dedup.exact == "source" and source.overlapping)


def _duplicates(given: PassInput) -> pl.DataFrame:
    return as_dropped(given.repeats("keys"))


def _dialogues(given: PassInput) -> pl.DataFrame:
    """Return the pairs of dialogues that repeat an earlier dialogue; `first` is the same pair in the earlier one."""
    repeats = given.repeats("dialogues").sort("row")
    frames = [repeats.clear()]
    for start, dialogues in given.frames("dialogues"):
        lengths = dialogues.select(pl.col("row") + start, "pairs")
        frames.append(repeats.join(lengths, on="row").with_columns(at=pl.int_ranges("pairs", dtype=pl.UInt32)))
    pairs = pl.concat(frames, how="diagonal")
    if "at" not in pairs.columns:
        return as_dropped(repeats)
    return as_dropped(pairs.explode("at").select(pl.col("row") + pl.col("at"), pl.col("first") + pl.col("at")))


def _near(given: PassInput) -> pl.DataFrame:
    from chat_corpus.pipeline.pair_passes import near

    return near.find_near(given)


def _per_query(given: PassInput) -> pl.DataFrame:
    return as_dropped(given.repeats("queries", given.settings.dedup.answers_per_query))


def _per_answer(given: PassInput) -> pl.DataFrame:
    return as_dropped(given.repeats("answers", given.settings.dedup.queries_per_answer))


def _unrelated(given: PassInput) -> pl.DataFrame:
    from chat_corpus.pipeline.pair_passes import relatedness

    return relatedness.find_unrelated(given)


def _scores(settings: SourceSettings, _source: Source) -> bool:
    options = settings.relatedness
    return options.drop_lowest > 0 or options.min is not None or options.column


def _but_for(settings: SourceSettings) -> str:
    return "" if settings.dedup.ignoring == "nothing" else ", but for case, punctuation and blanks,"


def _unrelated_message(settings: SourceSettings) -> pl.Expr:
    options = settings.relatedness
    limits = [f"the lowest {options.drop_lowest * 100:g}%"] if options.drop_lowest else []
    limits += [] if options.min is None else [f"all below {options.min:g}"]
    value = pl.col("value").cast(pl.Float64).round(4)
    return pl.format(f"relatedness {{}}; dropped are {' and '.join(limits)}", value)


_AT = ("file", "record")
_SIMILARITY = pl.col("value").cast(pl.Float64).round(4)

#: All passes, in the order in which they run.
PASSES = (
    PairPass(
        name="dedup.dialogues",
        reason=Reason.DUPLICATE_DIALOGUE,
        facts=("dialogues",),
        is_on=lambda settings, _source: settings.dedup.dialogues,
        find=_dialogues,
        message=lambda settings: pl.format(
            f"the same pair of the same dialogue{_but_for(settings)} is at {{}}:{{}}", *_AT
        ),
    ),
    PairPass(
        name="dedup.exact",
        reason=Reason.DUPLICATE,
        facts=(),
        is_on=_drops_exact,
        find=_duplicates,
        message=lambda settings: pl.format(f"the same pair{_but_for(settings)} is at {{}}:{{}}", *_AT),
    ),
    PairPass(
        name="dedup.near",
        reason=Reason.NEAR_DUPLICATE,
        facts=("canonical", "texts"),
        is_on=lambda settings, _source: settings.dedup.near > 0,
        find=_near,
        message=lambda _settings: pl.format("a pair with a similarity of {} is at {}:{}", _SIMILARITY, *_AT),
    ),
    PairPass(
        name="dedup.answers_per_query",
        reason=Reason.ANSWERS_PER_QUERY,
        facts=("queries",),
        is_on=lambda settings, _source: settings.dedup.answers_per_query > 0,
        find=_per_query,
        message=lambda settings: pl.format(
            f"pairs with this query before it: at least {settings.dedup.answers_per_query}, the first at {{}}:{{}}",
            *_AT,
        ),
    ),
    PairPass(
        name="dedup.queries_per_answer",
        reason=Reason.QUERIES_PER_ANSWER,
        facts=("answers",),
        is_on=lambda settings, _source: settings.dedup.queries_per_answer > 0,
        find=_per_answer,
        message=lambda settings: pl.format(
            f"pairs with this answer before it: at least {settings.dedup.queries_per_answer}, the first at {{}}:{{}}",
            *_AT,
        ),
    ),
    PairPass(
        name="relatedness",
        reason=Reason.UNRELATED,
        facts=("characters", "texts"),
        is_on=_scores,
        find=_unrelated,
        message=_unrelated_message,
    ),
)
