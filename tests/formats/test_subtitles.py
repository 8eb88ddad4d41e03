"""Subtitles: cues, dashes, scenes, damaged times; and that an independent reader sees the same cues."""

from __future__ import annotations

import re

import pysubs2
import pytest

from chat_corpus.formats.subtitles import subrip, substation
from tests.formats import laws

SRT = """1
00:00:01,000 --> 00:00:02,500
- 在吗
- 在

2
00:00:03,000 --> 00:00:04,000
今天
天气好
3
00:00:05,000 --> 00:00:06,000
-你好 -再见

4
00:01:05,000 --> 00:01:06,000
——新的一幕
1963

5
00:01:07,000 --> 00:01:08,000

"""
ASS = r"""[Script Info]
Title: 例子

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,注释
Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,第二句,对吗
Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,- 第一句\N- 嗯
Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\p1}m 0 0 l 1 1
Dialogue: 坏
Dialogue: 0,0:01:01.00,0:01:02.00,Default,,0,0,0,,第三句\N还没完
"""


def test_cues_are_turns_and_dashes_change_the_speaker() -> None:
    reading = laws.read(subrip(), SRT)
    assert reading.turns == [
        (3, "在吗"), (4, "在"), (8, "今天 天气好"), (12, "你好"), (12, "再见"), (16, "——新的一幕 1963"),
    ]  # fmt: skip
    assert ("再见", "——新的一幕 1963") not in reading.pairs()
    assert ("再见", "——新的一幕 1963") in laws.read(subrip(gap=3600), SRT).pairs()


def test_shards_are_cut_before_a_scene() -> None:
    content = "".join(f"{n}\n00:{n:02d}:01,000 --> 00:{n:02d}:02,000\n第{n}句\n\n" for n in range(1, 40))
    reading = laws.read(subrip(), content, shard_bytes=200)
    assert len(reading.frames) > 5
    assert reading.turns == laws.read(subrip(), content).turns


def test_a_damaged_time_is_rejected_and_its_text_stays_a_turn() -> None:
    reading = laws.read(subrip(), "1\n00:00:01,000 -> 00:00:02,000\n在吗\n\n2\n00:00:03,000 --> 00:00:04,000\n在\n")
    assert reading.rejects == [(2, "layout")]
    assert reading.turns == [(3, "在吗"), (7, "在")]


def test_text_before_the_first_time_and_bad_bytes_are_rejected_alone() -> None:
    content = "片头\n1\n00:00:01,000 --> 00:00:02,000\n坏\n\n2\n00:00:03,000 --> 00:00:04,000\n在\n".encode()
    reading = laws.read(subrip(), content.replace("坏".encode(), b"\xff"))
    assert reading.rejects == [(1, "layout"), (4, "encoding")]
    assert reading.turns == [(8, "在")]


def test_webvtt_has_a_header_and_notes_that_are_no_turns() -> None:
    content = "WEBVTT - 例\n\nNOTE 译者注\n\n00:01.000 --> 00:02.000 line:0\n在吗\n\nNOTE\n两行的注\n"
    reading = laws.read(subrip(), content)
    assert reading.turns == [(6, "在吗")]
    assert reading.rejects == []


def test_events_are_read_in_the_order_of_their_times() -> None:
    reading = laws.read(substation(), ASS)
    assert reading.turns == [(8, "第一句"), (8, "嗯"), (7, "第二句,对吗"), (11, "第三句 还没完")]
    assert reading.rejects == [(9, "empty"), (10, "layout")]
    assert reading.pairs() == [("第一句", "嗯"), ("嗯", "第二句,对吗")]


@pytest.mark.parametrize("ending", ["srt", "ass", "vtt"])
def test_another_reader_sees_the_same_text(ending: str) -> None:
    file = pysubs2.SSAFile()
    for number in range(50):
        start = number * 2000 + 20_000 * (number // 10)
        file.append(
            pysubs2.SSAEvent(start=start, end=start + 1500, text=rf"第{number}句\N后半" if number % 3 else "好")
        )
    format_ = substation() if ending == "ass" else subrip()
    reading = laws.read(format_, file.to_string(ending))
    assert [text for _, text in reading.turns] == [re.sub(r"\\N|\n", " ", event.plaintext) for event in file]
    assert len(reading.pairs()) == 50 - 5
