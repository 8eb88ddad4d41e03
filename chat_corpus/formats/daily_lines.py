"""Lines of a chat below a line with the date, as LINE exports them: time of day, tab, speaker, tab, message.

A line with a date looks like ``2026/11/29（日）`` or ``Sun, 11/29/2026``. A message of several lines is in double
quotes.
"""

from __future__ import annotations

import polars as pl

from chat_corpus.formats import times

_MARKS = r"[\x{200e}\x{200f}\x{202a}\x{202c}\x{feff}]*"
_WEEKDAY = r"(?:(?:周|週|星期)?[一二三四五六日天月火水木金土]|[A-Za-z]{3})(?:曜日)?"
#: A line with a date, and its three numbers.
DATE = (
    rf"^{_MARKS}(?:[A-Za-z]{{3,9}}, ?)?(\d{{1,4}})[/.](\d{{1,2}})[/.](\d{{1,4}})"
    rf"(?: ?[(（]{_WEEKDAY}[)）])?[ \t\r]*$"
)
#: Half of the day, hour, minute, half of the day, speaker, message; a notice of the program has no second tab.
_MESSAGE = rf"^{_MARKS}({times.HALF})? ?(\d{{1,2}}):(\d\d) ?({times.HALF})?\t([^\t]*)(?:\t(.*))?$"


def parsed(lines: pl.Series, order: times.Order) -> pl.DataFrame:
    """Return lines as `stamp` (seconds), `speaker`, `content`; all null without a time of day or a date above the line.

    A notice of the program has a stamp and no speaker.
    """
    frame = lines.to_frame("line").select(
        date=pl.col("line").str.extract_groups(DATE), message=pl.col("line").str.extract_groups(_MESSAGE)
    )
    date, message = frame["date"].struct, frame["message"].struct
    fields = {str(place): date.field(str(place)).forward_fill() for place in (1, 2, 3)}
    times_of_day = {"4": "1", "5": "2", "6": "3", "8": "4"}
    fields |= {place: message.field(group) for place, group in times_of_day.items()}
    nothing = pl.Series("7", [None], dtype=pl.String).new_from_index(0, len(lines))
    stamps = pl.DataFrame({**fields, "7": nothing}).select(
        stamp=times.seconds(pl.struct(pl.col(str(place)) for place in range(1, times.GROUPS + 1)), order)
    )
    has_text = message.field("6").is_not_null()
    return stamps.with_columns(
        speaker=pl.select(pl.when(has_text & stamps["stamp"].is_not_null()).then(message.field("5"))).to_series(),
        content=pl.select(pl.when(stamps["stamp"].is_not_null()).then(message.field("6"))).to_series(),
    )


def order_of(lines: pl.Series) -> times.Order:
    """Return the order of day and month in the lines with a date."""
    dates = lines.to_frame("line").select(date=pl.col("line").str.extract_groups(DATE))["date"].struct
    halves = pl.Series([None], dtype=pl.String)
    one, two = dates.field("1"), dates.field("2")
    # Programs that name the day of the week in English before the date write the month first.
    if lines.str.contains(rf"^{_MARKS}[A-Za-z]{{3,9}}, ?\d{{1,2}}[/.]").any():
        halves = pl.Series(["AM"])
    return times.order_of(one, two, halves)


def unquoted(text: pl.Expr) -> pl.Expr:
    """Return an expression that removes the quotes around texts of several lines; two quotes inside become one."""
    inner = text.str.strip_prefix('"').str.strip_suffix('"').str.replace_all('""', '"', literal=True)
    is_quoted = text.str.contains("\n", literal=True) & text.str.starts_with('"') & text.str.ends_with('"')
    return pl.when(is_quoted).then(inner).otherwise(text)


def first_of_day(lines: pl.DataFrame) -> pl.DataFrame:
    """Return the record number of the first message below each date (`record`), and of the line with the date (`date`).

    `lines` has the columns `record`, `text`, `speaker`.
    """
    frame = lines.select(
        "record",
        is_message=pl.col("speaker").is_not_null(),
        date=pl.when(pl.col("text").str.contains(DATE)).then("record").forward_fill(),
    )
    messages = frame.filter("is_message")
    before = messages["record"].shift(1).fill_null(0)
    return messages.filter(pl.col("date").is_not_null() & (messages["date"] > before)).select("record", "date")
