"""Chats exported as text by WhatsApp, WeChat, QQ, LINE and similar programs: a time, a speaker, a message.

The style of a file is detected in its first bytes: the message follows the speaker on the same line, or is on the lines
below. LINE writes the date on a separate line (`formats.daily_lines`). Lines without time and speaker continue the
message before. Sessions end at a gap, and consecutive messages of one speaker merge (`formats.sessions`). Lines in
place of pictures and other media are not part of the turn, and neither are notices (`formats.placeholders`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial

import polars as pl

from chat_corpus.files.lines import BOM, numbered_lines, printable
from chat_corpus.formats import daily_lines, sessions, times
from chat_corpus.formats.base import NOT_UTF8, Format, Reading, Records, mark_empty, rejected, turns_frame, undecodable
from chat_corpus.formats.placeholders import MEDIA, NOTICE, PROGRAM
from chat_corpus.schema import Reason

#: Seconds without a message that end a session.
GAP = 3600
#: Invisible marks of the writing direction before a time.
_MARKS = r"[\x{200e}\x{200f}\x{202a}\x{202c}\x{feff}]*"
_NAME = r"[^:：\n]{1,60}?"
_SAID = rf"{_MARKS}(?:({_NAME})[:：](?: |$))?{_MARKS}(.*)"
_SAID_CLOSELY = rf"{_MARKS}(?:({_NAME})(?:[:：](?: |$)|：))?{_MARKS}(.*)"
#: The styles: the pattern of a line with time and speaker, and the numbers of its groups for speaker and text.
_STYLES: dict[str, tuple[str, int, int]] = {
    "bracket": (rf"^{_MARKS}\[{times.STAMP}\] ?{_SAID_CLOSELY}$", 9, 10),  # [31/12/2023, 21:15:33] 小明: 在吗
    "dash": (rf"^{_MARKS}{times.STAMP} [-–] {_SAID}$", 9, 10),  # 2023/12/31 下午9:15 - 小明: 在吗
    "inline": (rf"^{_MARKS}{times.STAMP}[ \t]+({_NAME})[:：][ \t]?(.*)$", 9, 10),  # 2023-12-31 21:15:33 小明: 在吗
    "tabs": (rf"^{_MARKS}{times.STAMP}\t([^\t\n]{{1,60}})\t(.*)$", 9, 10),  # 2023-12-31 21:15:33<TAB>小明<TAB>在吗
    "parenthesis": (  # 小明(2023-12-31 21:15:33)：在吗
        rf"^{_MARKS}(\S.{{0,60}}?) ?[(（]{times.STAMP}[)）][:：]? ?(.*)$",
        1,
        10,
    ),
    "bracket above": (  # [12/31/2023 9:15 PM] 小明
        rf"^{_MARKS}\[{times.STAMP}\] ([^\s\-–].{{0,60}})()$",
        9,
        10,
    ),
    "above": (rf"^{_MARKS}{times.STAMP}[ \t]+([^\s\-–].{{0,60}})()$", 9, 10),  # 2023-12-31 21:15:33 小明(10001)
    "below": (rf"^{_MARKS}(\S.{{0,60}}?)[ \t]+{times.STAMP}()[ \t]*$", 1, 10),  # 小明 2023-12-31 21:15:33
}
#: The style of LINE, with dates on separate lines.
_DAILY = "daily"
#: Styles with the message on the lines below.
_BELOW = ("above", "below", "bracket above")
#: Minimum number of lines with time and speaker in the first bytes of an export, and their minimum share of the lines
#: that are not blank.
_FEWEST, _SHARE = 2, 0.2
#: A later style must match this many times as many lines as the best earlier one, because it also matches lines of
#: earlier styles, with the message as part of the name.
_CLEARLY = 1.5
#: Whether the speaker of a line is a person; notices of the program have no speaker, or the program as the speaker.
_IS_MESSAGE = ~pl.col("speaker").str.contains(PROGRAM)
#: Lines that describe the export itself.
_FRAME = (
    r"^(?:[=\-—_*]{5,}|消息记录.*|消息分组[:：].*|消息对象[:：].*|导出.{0,40}|.{0,60}的聊天(?:记录|記錄)|\[LINE\].{0,100}"
    r"|(?:保存|儲存)(?:日期|时间|時間)[:：].*|Saved on[:：].*|)[ \t\r]*$"
)
#: A notice without a speaker, in styles in which only messages with a speaker are found by their time.
_TIMED_NOTICE = rf"^{_MARKS}\[?[0-9]{{1,4}}[-/.年][-/.:,0-9年月日上下午AaPpMm ]{{6,30}}\]?[ \t]+{NOTICE}[ \t]*$"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Style:
    """The style of a file: a key of `_STYLES` or `_DAILY`, and the order of day and month."""

    name: str
    order: times.Order = times.Order.DAY_FIRST

    def parsed(self, records: Records) -> pl.DataFrame:
        """Return lines as `record, text, bytes, stamp, speaker, content`.

        The last three are null for a line without time and speaker. A notice of the program has a stamp and no speaker.
        A line that is not UTF-8 is parsed with escapes for invalid bytes, so that it does not continue the message
        before.
        """
        shown = records["text"]
        if shown.null_count():
            data = records["bytes"].to_list()
            shown = shown.fill_null(
                pl.Series([None if one is None else printable(one) for one in data], dtype=pl.String)
            )
        if self.name == _DAILY:
            return records.select("record", "text", "bytes").with_columns(daily_lines.parsed(shown, self.order))
        pattern, speaker, content = _STYLES[self.name]
        groups = shown.to_frame("line").select(groups=pl.col("line").str.extract_groups(pattern))["groups"]
        fields = groups.struct.unnest()
        offset = 1 if speaker == 1 else 0  # the groups of the time follow the group of the speaker
        moved = pl.struct(pl.col(str(place + offset)).alias(str(place)) for place in range(1, times.GROUPS + 1))
        found = fields.select(
            stamp=times.seconds(moved, self.order),
            speaker=pl.col(str(speaker)).str.strip_chars(" \t\u200e\u200f\u202a\u202c"),
            content=pl.col(str(content)),
        )
        known = found["stamp"].is_not_null()
        found = found.with_columns(pl.when(known).then(pl.col(name)).alias(name) for name in ("speaker", "content"))
        return records.select("record", "text", "bytes").with_columns(found)

    def dates(self, lines: pl.DataFrame) -> pl.Series:
        """Return a mask of the lines that hold only a date; they end the message before."""
        if self.name != _DAILY:
            return pl.repeat(value=False, n=len(lines), dtype=pl.Boolean, eager=True)
        return lines["text"].str.contains(daily_lines.DATE).fill_null(value=False)


def _read(parts: Sequence[Records], *, style: _Style, gap: int) -> Reading:
    (records,) = parts
    lines = style.parsed(records)
    timed = lines["stamp"].is_not_null()
    dates = style.dates(lines)
    lines = lines.with_columns(group=(timed | dates).cum_sum())
    framing = (lines["text"].str.contains(_FRAME).fill_null(value=False) | dates) & ~timed
    is_inside = lines.select(pl.col("stamp").first().over("group").is_not_null()).to_series()
    before, inside = lines.filter(~is_inside & ~framing), lines.filter(is_inside & ~framing)
    messages = _messages(inside, style)
    rows, merged = sessions.turns_of_messages(messages, gap)
    lost = rejected(
        before.filter(pl.col("text").is_not_null()),
        Reason.LAYOUT,
        "text before a line with a time and a speaker",
    )
    rows = mark_empty(turns_frame(rows, lost, undecodable(before)))
    others = inside.filter(~pl.col("record").is_in(messages["record"].implode()))["record"]
    return Reading(rows=rows, non_turns=(pl.concat([lines.filter(framing)["record"], others, merged]),))


def _messages(lines: pl.DataFrame, style: _Style) -> pl.DataFrame:
    """Return the messages in lines as `sessions.MESSAGES`, without notices of the program."""
    begins = pl.col("stamp").is_not_null()
    below = style.name in _BELOW
    content = pl.when(begins).then(pl.lit("") if below else pl.col("content")).otherwise("text")
    counted = lines.with_columns(content=content, bad=pl.col("text").is_null())
    is_blank = begins & (pl.col("content") == "")
    dropped = is_blank | pl.col("content").str.contains(MEDIA) | pl.col("content").str.contains(_TIMED_NOTICE)
    shown = pl.col("content").filter(~dropped)
    grouped = counted.group_by("group", maintain_order=True).agg(
        pl.col("record", "stamp", "speaker").first(), bad=pl.col("bad").any(), text=shown.str.join("\n")
    )
    bad, text = pl.col("bad"), pl.col("text").str.strip_chars("\n")
    return grouped.filter(_IS_MESSAGE).select(
        "record",
        "speaker",
        "stamp",
        key=pl.lit(None, dtype=pl.String),
        text=pl.when(~bad).then(daily_lines.unquoted(text) if style.name == _DAILY else text),
        reason=pl.when(bad).then(pl.lit(str(Reason.ENCODING))),
        message=pl.when(bad).then(pl.lit(NOT_UTF8)),
    )


def _cut(data: bytes, *, style: _Style, gap: int) -> int:
    """Return the offset of the last message that begins a session, or of the date above it; 0 if there is none."""
    lines = style.parsed(numbered_lines(sessions.whole_lines(data), 1))
    # As in `_read`, notices of the program are not messages, so the gaps are between other lines.
    messages = lines.filter(_IS_MESSAGE).with_columns(key=pl.lit(None, dtype=pl.String))
    if messages.is_empty():
        return 0
    begins = messages.filter(sessions.session_starts(messages, gap))["record"]
    if style.name == _DAILY:  # a shard must begin with the date
        first = daily_lines.first_of_day(lines)
        begins = first.filter(first["record"].is_in(begins.implode()))["date"]
    return sessions.cut_before(data, begins)


@lru_cache(maxsize=8)
def style_of(head: bytes) -> _Style | None:
    """Return the style of the file with these first bytes; None if too few lines have a time and a speaker."""
    records = numbered_lines(sessions.whole_lines(head) or head, 1)
    filled = len(records) - int((records["text"].str.strip_chars() == "").sum())
    best, most = None, 0
    for name in (*_STYLES, _DAILY):
        style = _Style(name=name, order=_order(records, name))
        found = len(records) - style.parsed(records)["speaker"].null_count()
        if found > most * (_CLEARLY if best else 1):
            best, most = style, found
    return best if most >= max(_FEWEST, _SHARE * filled) else None


def _order(records: Records, name: str) -> times.Order:
    if name == _DAILY:
        return daily_lines.order_of(records["text"])
    pattern, speaker, _ = _STYLES[name]
    offset = 2 if speaker == 1 else 1
    groups = records.select(groups=pl.col("text").str.extract_groups(pattern))["groups"].struct
    halves = pl.select(pl.coalesce(groups.field(str(offset + 3)), groups.field(str(offset + 7)))).to_series()
    return times.order_of(groups.field(str(offset)), groups.field(str(offset + 1)), halves)


def chat_export(gap: int = GAP) -> Format:
    """Return the format of exported chats. A session ends after `gap` seconds without a message."""

    def in_dialect(dialect: str) -> Format:
        facts = json.loads(dialect)
        style = _Style(name=facts["name"], order=times.Order(facts["order"]))
        if style.name not in (*_STYLES, _DAILY):
            raise ValueError(f"no style '{style.name}'")
        return Format(read=partial(_read, style=style, gap=gap), cut=partial(_cut, style=style, gap=gap))

    def dialect_of(head: bytes) -> str:
        return json.dumps(asdict(style_of(head.removeprefix(BOM)) or _Style(name="inline")))

    return Format(
        read=partial(_read, style=_Style(name="inline"), gap=gap),
        cut=partial(_cut, style=_Style(name="inline"), gap=gap),
        accepts=lambda head: style_of(head.removeprefix(BOM)) is not None,
        dialect_of=dialect_of,
        in_dialect=in_dialect,
    )
