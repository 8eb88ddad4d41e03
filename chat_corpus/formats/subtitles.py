r"""Subtitles: SubRip (.srt), WebVTT (.vtt), and Advanced SubStation Alpha (.ass, .ssa).

A cue is a turn. If its lines begin with a dash, as in ``- 在吗\n- 在``, each dash begins a turn of a different speaker.
A scene, which is a dialogue, ends at a gap without text. Records are lines: a turn has the address of its first line;
times, numbers and blank lines are not turns. SubRip and WebVTT are read in file order and cut between scenes. Events of
SubStation Alpha may be in any order, so such a file is read as a whole and sorted by time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

import polars as pl

from chat_corpus.files.lines import BOM, numbered_lines
from chat_corpus.formats import sessions
from chat_corpus.formats.base import (
    NOT_UTF8,
    Format,
    Reading,
    Records,
    mark_empty,
    position_within,
    rejected,
    turns_frame,
    undecodable,
)
from chat_corpus.schema import Reason

#: Seconds without text that end a scene.
GAP = 10
_CLOCK = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:[,.](\d{1,3}))?"
_TIME = rf"^\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s.*)?$"
#: A line that should be the times of a cue. The lines after it belong to a new cue.
_ARROW = r"^\s*\d[\d:,. ]*-{1,2}>\s*\d[\d:,. ]*$"
_NUMBER = r"^\s*\d{1,7}\s*$"
#: The first lines of blocks of WebVTT that are not cues.
_BLOCK = r"^(?:NOTE|STYLE|REGION)(?:\s|$)"
#: Style tags, and a dash before words. Two dashes are an interrupted sentence, not the beginning of a turn.
_STYLE = r"(?:\{[^{}]*\}|<[^<>]*>|\s)*"
_DASH = rf"^({_STYLE})[-–—－]\s*([^-–—－\s].*)$"
_INNER = r"\s+[-–－]\s*"
#: Separates turns while a line is split; a noncharacter.
_APART = "\ufdd2"
_EVENT = (
    r"^Dialogue:\s*[^,]*,\s*(\d+):(\d+):(\d+)[.:](\d+)\s*,\s*(\d+):(\d+):(\d+)[.:](\d+)\s*,"
    r"[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,(.*)$"
)
_BREAK = r"\\[Nn]"
_DRAWING = r"\{[^{}]*\\p[1-9][^{}]*\}"
_TIMES = re.compile(rb"\d\d?:\d\d?[,.]\d{1,3}[ \t]*-->")
_EVENTS = re.compile(rb"(?mi)^(?:\[Script Info\]|\[Events\]|Dialogue: *[^,\n]*,\d+:\d\d:\d\d\.\d+,)")


def _seconds(groups: pl.Expr, first: int, fraction: float) -> pl.Expr:
    hour, minute, second, part = (groups.struct.field(str(first + place)) for place in range(4))
    whole = (hour.cast(pl.Float64).fill_null(0) * 60 + minute.cast(pl.Float64)) * 60 + second.cast(pl.Float64)
    return whole + part.cast(pl.Float64).fill_null(0) * fraction


def _timed(records: Records) -> pl.DataFrame:
    """Return the lines as `record, text, start, end, broken, opens`.

    `start` and `end` are in seconds, and null except for a line with the times of a cue. `broken` marks malformed
    times. `opens` marks the lines that begin a cue, with times of either kind.
    """
    text = pl.col("text")
    lines = records.select("record", "text", groups=text.str.extract_groups(_TIME), broken=text.str.contains(_ARROW))
    return lines.select(
        "record",
        "text",
        start=_seconds(pl.col("groups"), 1, 0.001),
        end=_seconds(pl.col("groups"), 5, 0.001),
        broken=pl.col("broken").fill_null(value=False) & pl.col("groups").struct.field("2").is_null(),
    ).with_columns(opens=pl.col("start").is_not_null() | pl.col("broken"))


def _scene_starts(cues: pl.DataFrame, gap: int) -> pl.Series:
    """Return a mask of the cues (`start`, `end`) that begin a scene.

    They start more than `gap` seconds after the end of the cue before, or more than `gap` seconds before its start.
    """
    start, end = cues["start"].forward_fill(), cues["end"].forward_fill()
    return ((start - end.shift(1) > gap) | (start < start.shift(1) - gap)).fill_null(value=False)


def _read(parts: Sequence[Records], *, gap: int) -> Reading:
    (records,) = parts
    lines = _timed(records)
    blank = (lines["text"].str.strip_chars() == "").fill_null(value=False)
    # The number of a cue is on the line before its times, with or without a blank line before it.
    number = (lines["text"].str.contains(_NUMBER) & lines["opens"].shift(-1)).fill_null(value=False)
    header = (lines["record"] == 1) & lines["text"].str.starts_with("WEBVTT").fill_null(value=False)
    lines = lines.with_columns(
        cue=lines["opens"].cum_sum(), block=blank.cum_sum(), plain=~(blank | number | header | lines["opens"])
    )
    later = (pl.col("block") > pl.col("opened")) | (pl.col("cue") == 0)
    aside = later & pl.col("text").first().over("cue", "block").str.contains(_BLOCK)
    lines = lines.with_columns(opened=pl.col("block").first().over("cue"))
    beside = lines.filter(pl.col("plain")).with_columns(aside=aside.fill_null(value=False))
    spoken = beside.filter((pl.col("cue") > 0) & ~pl.col("aside"))
    loose = beside.filter((pl.col("cue") == 0) & ~pl.col("aside"))
    cues = lines.filter(pl.col("opens")).select("cue", "start", "end")
    cues = cues.with_columns(dialogue_id=_scene_starts(cues, gap).cum_sum())
    rows, merged = _turns(spoken.join(cues.select("cue", "dialogue_id"), on="cue", how="left", maintain_order="left"))
    lost = rejected(loose.filter(pl.col("text").is_not_null()), Reason.LAYOUT, "text before the first time of a cue")
    broken = rejected(lines.filter("broken"), Reason.LAYOUT, "00:00:00,000 --> 00:00:00,000 expected")
    rows = turns_frame(rows, lost, undecodable(loose), broken)
    others = lines.filter(~pl.col("plain") & ~pl.col("broken"))["record"]
    return Reading(rows=mark_empty(rows), non_turns=(pl.concat([others, beside.filter("aside")["record"], merged]),))


def _turns(spoken: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Return the turns in lines of cues (`record, text, cue, dialogue_id`), and the records that continue a turn.

    The lines of a turn are joined by a space.
    """
    text = pl.col("text")
    dashed = text.str.contains(_DASH).fill_null(value=False)
    parted = text.str.replace(_DASH, "${1}${2}").str.replace_all(_INNER, _APART)
    pieces = spoken.with_columns(
        dashed=dashed, text=pl.when(dashed).then(parted).otherwise(text).str.split(_APART)
    ).explode("text")
    begins = (pl.col("cue") != pl.col("cue").shift(1)).fill_null(value=True) | pl.col("dashed")
    pieces = pieces.with_columns(turn=begins.cum_sum())
    bad = text.is_null().any()
    rows = pieces.group_by("turn", maintain_order=True).agg(
        pl.col("record", "dialogue_id").first(),
        text=pl.when(~bad).then(text.str.strip_chars().str.join(" ")),
        reason=pl.when(bad).then(pl.lit(str(Reason.ENCODING))),
        message=pl.when(bad).then(pl.lit(NOT_UTF8)),
    )
    merged = pieces.filter(~pl.col("record").is_in(rows["record"].implode()))["record"].unique(maintain_order=True)
    return rows.with_columns(turn_index=position_within("dialogue_id")), merged


def _cut(data: bytes, *, gap: int) -> int:
    """Return the offset of the last cue that begins a scene, or of its number if it has one; 0 if there is none."""
    lines = _timed(numbered_lines(sessions.whole_lines(data), 1))
    cues = lines.filter(pl.col("opens"))
    if cues.is_empty():
        return 0
    last = cues.filter(_scene_starts(cues, gap))["record"].max()
    if not isinstance(last, int):
        return 0
    # If the line before the times is not a number, it may be text of the cue before.
    before = lines["text"][last - 2]
    first = last - 1 if before is not None and re.match(_NUMBER, before) else last
    return sessions.cut_before(data, lines["record"].slice(first - 1, 1))


def _read_events(parts: Sequence[Records], *, gap: int) -> Reading:
    (records,) = parts
    events = records.with_columns(event=pl.col("text").str.starts_with("Dialogue:").fill_null(value=True))
    fields = pl.col("text").str.extract_groups(_EVENT)
    lines = events.filter("event").with_columns(fields=fields)
    spoken = pl.col("fields").struct.field("9")
    drawn = spoken.str.contains(_DRAWING).fill_null(value=False)
    cues = lines.filter(spoken.is_not_null() & ~drawn).select(
        "record",
        text=spoken.str.replace_all(r"\h", " ", literal=True).str.replace_all(_BREAK, "\n").str.split("\n"),
        start=_seconds(pl.col("fields"), 1, 0.01),
        end=_seconds(pl.col("fields"), 5, 0.01),
    )
    cues = cues.sort("start", maintain_order=True).with_columns(cue=pl.int_range(pl.len(), dtype=pl.UInt32))
    cues = cues.with_columns(dialogue_id=_scene_starts(cues, gap).cum_sum())
    rows, _ = _turns(cues.explode("text"))
    malformed = lines.filter(spoken.is_null() & pl.col("text").is_not_null())
    lost = rejected(malformed, Reason.LAYOUT, "an event of ten fields with two times expected")
    drawings = rejected(lines.filter(drawn), Reason.EMPTY, "a drawing, which is no text")
    rows = turns_frame(rows, lost, drawings, undecodable(lines))
    return Reading(rows=mark_empty(rows), non_turns=(events.filter(~pl.col("event"))["record"],))


def is_subrip(head: bytes) -> bool:
    """Return whether the first bytes of a file have times of cues, or the signature of WebVTT."""
    return _TIMES.search(head) is not None or head.removeprefix(BOM).startswith(b"WEBVTT")


def is_substation(head: bytes) -> bool:
    """Return whether the first bytes of a file have a section or an event of SubStation Alpha."""
    return _EVENTS.search(head) is not None


def subrip(gap: int = GAP) -> Format:
    """Return the format of SubRip and WebVTT. A scene ends after `gap` seconds without text."""
    return Format(read=partial(_read, gap=gap), cut=partial(_cut, gap=gap), accepts=is_subrip)


def substation(gap: int = GAP) -> Format:
    """Return the format of SubStation Alpha. A scene ends after `gap` seconds without text."""
    return Format(read=partial(_read_events, gap=gap), cut=None, accepts=is_substation)
