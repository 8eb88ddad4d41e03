"""Points in time as chat programs write them, converted to seconds; only their differences are meaningful."""

from __future__ import annotations

from enum import StrEnum

import polars as pl

_SPACE = r"[ \t\x{a0}\x{202f}]"
#: Half of the day.
HALF = r"上午|下午|晚上|早上|中午|凌晨|[AaPp]\.?[Mm]\.?"
#: A date and a time of day, in eight groups: three of the date, half of the day, hour, minute, second, half of the day.
STAMP = (
    r"(\d{1,4})[-/.年](\d{1,2})[-/.月](\d{1,4})日?(?:[,，]|T)?"
    rf"{_SPACE}*(?:(?:周|週|星期)[一二三四五六日天]|\([一二三四五六日天]\))?{_SPACE}*"
    rf"({HALF})?{_SPACE}*(\d{{1,2}}):(\d\d)(?::(\d\d))?(?:[.,]\d{{1,9}})?(?:Z|[+-]\d\d:?\d\d)?{_SPACE}*({HALF})?"
)
#: Groups in `STAMP`.
GROUPS = 8
#: Halves of the day that add 12 to an hour below 12.
_AFTERNOON = r"^(?:下午|晚上|中午|[Pp])"
#: From these values on, a number is milliseconds, or microseconds, since 1970.
_MILLI, _MICRO = 100_000_000_000, 100_000_000_000_000
_MONTHS = 12


class Order(StrEnum):
    """The order of the numbers of a date that does not begin with the year."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


def seconds(groups: pl.Expr, order: Order) -> pl.Expr:
    """Return an expression for seconds (Int64) from the groups of `STAMP`; null for an invalid date or time.

    `groups` is a struct with the fields `1` to `8`.
    """

    def number(place: int) -> pl.Expr:
        return groups.struct.field(str(place)).cast(pl.Int64, strict=False)

    one, two, three = number(1), number(2), number(3)
    first = groups.struct.field("1").str.len_chars() == len("2024")
    day, month = (two, one) if order is Order.MONTH_FIRST else (one, two)
    year = pl.when(first).then(one).otherwise(pl.when(three < 100).then(three + 2000).otherwise(three))
    month, day = pl.when(first).then(two).otherwise(month), pl.when(first).then(three).otherwise(day)
    half = pl.coalesce(groups.struct.field("4"), groups.struct.field("8"))
    hour = number(5)
    hour = pl.when(half.str.contains(_AFTERNOON) & (hour < 12)).then(hour + 12).otherwise(hour)
    hour = pl.when(half.is_not_null() & ~half.str.contains(_AFTERNOON) & (hour == 12)).then(0).otherwise(hour)
    text = pl.format("{}-{}-{}", year, month, day)
    date = text.str.to_date("%Y-%m-%d", strict=False).cast(pl.Int32).cast(pl.Int64)
    valid = (hour < 24) & (number(6) < 60)
    return pl.when(valid).then(((date * 24 + hour) * 60 + number(6)) * 60 + number(7).fill_null(0))


def order_of(firsts: pl.Series, seconds_: pl.Series, halves: pl.Series) -> Order:
    """Return the order of dates that do not begin with the year: the one that the first two numbers of a date prove.

    Without proof, dates with AM or PM have the month first, as in the United States.
    """
    one, two = firsts.cast(pl.Int64, strict=False), seconds_.cast(pl.Int64, strict=False)
    if ((one > _MONTHS) & (one < 100)).any():
        return Order.DAY_FIRST
    if (two > _MONTHS).any() or halves.str.contains("^[AaPp]").any():
        return Order.MONTH_FIRST
    return Order.DAY_FIRST


def stamp_of(text: pl.Expr, order: Order) -> pl.Expr:
    """Return an expression for seconds (Int64) from text: a date with a time of day, or a number since 1970.

    The number is in seconds, milliseconds or microseconds. Other texts become null.

    >>> frame = pl.DataFrame({"time": ["2024-01-01 00:01", "1704067260", "1704067260000", "tea time"]})
    >>> frame.select(stamp_of(pl.col("time"), Order.DAY_FIRST)).to_series().to_list()
    [1704067260, 1704067260, 1704067260, None]
    """
    plain = text.str.strip_chars()
    count = plain.str.extract(r"^(\d{9,17})(?:\.\d+)?$", 1).cast(pl.Int64, strict=False)
    count = pl.when(count >= _MICRO).then(count // 1_000_000).when(count >= _MILLI).then(count // 1000).otherwise(count)
    return pl.coalesce(seconds(plain.str.extract_groups(f"^{STAMP}$"), order), count)
