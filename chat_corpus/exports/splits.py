"""The splits of an export: their shares, and the split of each group hash (`splitting.group_hashes`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
import polars as pl

from chat_corpus.errors import UsageError
from chat_corpus.exports.splitting import SPLITS
from chat_corpus.messages import error_text, message

#: In place of a split: for groups that are in no split because their split has reached its cap.
HELD = "held"
_RANGE = 1 << 64


class SplitOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shares of the content groups in test and validation; the rest is train."""

    #: Share of the groups in test, from 0 to less than 1.
    test: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0
    #: Share of the groups in validation, from 0 to less than 1.
    validation: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0
    #: Most groups of a source in test, and in validation; 0 for no limit. Groups above it are in no split.
    max_groups: Annotated[int, msgspec.Meta(ge=0)] = 2000

    def __post_init__(self) -> None:
        if self.test + self.validation >= 1:
            fault = message(
                "test {test:g} and validation {validation:g} leave nothing for train; their sum must be less than 1",
                test=self.test,
                validation=self.validation,
            )
            raise ValueError(fault)


def parse_split(text: str) -> SplitOptions:
    """Return the shares in a text such as `test=0.01,validation=0.01`. Raises UsageError for an invalid text.

    >>> parse_split("test=0.01")
    SplitOptions(test=0.01, validation=0.0, max_groups=2000)
    """
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, equals, value = (word.strip() for word in part.partition("="))
        if name == "train":
            raise UsageError(message("--split {text}: remove train; it gets what test and validation leave", text=text))
        if name not in SPLITS or not equals:
            fault = message(
                "--split {text}: '{part}' found, test=SHARE or validation=SHARE expected", text=text, part=part
            )
            raise UsageError(fault)
        if name in shares:
            raise UsageError(message("--split {text}: {name} is given twice", text=text, name=name))
        try:
            shares[name] = float(value)
        except ValueError:
            fault = message("--split {text}: '{value}' is not a number such as 0.01", text=text, value=value)
            raise UsageError(fault) from None
    try:
        return msgspec.convert(shares, SplitOptions)
    except msgspec.ValidationError as error:
        fault = message("--split {text}: {error}", text=text, error=error_text(error.__cause__ or error))
        raise UsageError(fault) from error


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitLimits:
    """The ranges of group hashes, from 0 to 2**64, of the splits of a source. Ends are exclusive.

    Test has the hashes below `test_end`, validation those from `validation_begin` on, and train those from `test_held`
    to `validation_held`. Groups from `test_end` to `test_held`, and from `validation_held` to `validation_begin`, are
    above the cap and in no split.
    """

    test_end: int
    test_held: int
    validation_held: int
    validation_begin: int


def split_limits(options: SplitOptions, hashes: pl.Series | None = None) -> SplitLimits:
    """Return the limits for a source with dialogues of these group hashes (UInt64).

    Hashes are needed for the cap `max_groups` only, so limits do not depend on other sources. Without hashes there is
    no cap.
    """
    test, validation = round(options.test * _RANGE), _RANGE - round(options.validation * _RANGE)
    test_end, validation_begin = test, validation
    if hashes is not None and options.max_groups:
        in_test = hashes.filter(_below(hashes, test)).unique().sort()
        in_validation = hashes.filter(~_below(hashes, validation)).unique().sort(descending=True)
        if len(in_test) > options.max_groups:
            test_end = int(in_test[options.max_groups])
        if len(in_validation) > options.max_groups:
            validation_begin = int(in_validation[options.max_groups - 1])
    return SplitLimits(test_end=test_end, test_held=test, validation_held=validation, validation_begin=validation_begin)


def assign_split(hashes: pl.Series, limits: SplitLimits) -> pl.Series:
    """Return the split of each dialogue by its group hash: train, validation, test, or held for none."""
    ends = (
        (limits.test_end, "test"),
        (limits.test_held, HELD),
        (limits.validation_held, "train"),
        (limits.validation_begin, HELD),
    )
    frame = pl.DataFrame({str(number): _below(hashes, end) for number, (end, _) in enumerate(ends)})
    names = [pl.when(str(number)).then(pl.lit(name)) for number, (_, name) in enumerate(ends)]
    return frame.select(split=pl.coalesce(*names, pl.lit("validation"))).to_series()


def is_in_split(hashes: pl.Series, limits: SplitLimits, split: str) -> pl.Series:
    """Return whether each dialogue is in a split, by its group hash: a mask."""
    begin, end = {
        "test": (0, limits.test_end),
        "train": (limits.test_held, limits.validation_held),
        "validation": (limits.validation_begin, _RANGE),
    }[split]
    return ~_below(hashes, begin) & _below(hashes, end)


def _below(hashes: pl.Series, end: int) -> pl.Series:
    if end >= _RANGE:  # 2**64 does not fit in 64 bits
        return pl.repeat(value=True, n=len(hashes), eager=True)
    return hashes.to_frame("hash").select(pl.col("hash") < pl.lit(end, pl.UInt64)).to_series()
