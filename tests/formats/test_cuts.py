"""Awkward places for a cut, by name: a file that is cut is read as in one piece."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from chat_corpus.files.lines import BOM
from chat_corpus.formats.base import Format
from tests.formats import laws
from tests.formats.laws import FORMATS

LONG = "很长的话" * 100


@dataclass(frozen=True)
class Layout:
    """The lines of a file of each part, with `TEXT` in the second last record; `cut` if it gives several shards."""

    files: tuple[list[str], ...]
    cut: bool = True

    def contents(self, text: str, end: str = "\n") -> tuple[bytes, ...]:
        return tuple("".join(line.replace("TEXT", text) + end for line in lines).encode() for lines in self.files)


def _chat_message(hour: str, text: str) -> str:
    return f'{{"from": "甲", "date": "2024-01-01T{hour}:00:00", "text": "{text}"}}'


LAYOUTS = {
    "conv": Layout((["E", "M 在吗", "M 在", "E", "M TEXT", "M 好", "E", "M 谁", "M 我"],)),
    "tabbed": Layout((["在吗\t在", "TEXT\t好", "谁\t我"],)),
    "barred": Layout((["在吗 | 在", "TEXT | 好", "谁 | 我"],)),
    "chained": Layout((["在吗\t在", "在\t好", "TEXT\t好", "谁\t我", "甲\t乙"],)),
    "labelled": Layout((["1\t在吗\t在\t好", "0\t在吗\t在\t坏", "1\tTEXT\t嗯\t好", "1\t谁\t我\t你"],)),
    "parallel": Layout((["在吗", "TEXT", "谁"], ["在", "好", "我"])),
    "quoted": Layout((["question,answer", '在吗,"在,嗯"', '"TEXT","他说""好"""', "谁,我"],)),
    "json lines": Layout(([f'{{"instruction": "{text}", "output": "好"}}' for text in ("在吗", "TEXT", "谁")],)),
    "json array": Layout(
        (
            [
                "[",
                *(f'{{"instruction": "{text}", "output": "好"}},' for text in ("在吗", "TEXT")),
                '{"input": "谁"}',
                "]",
            ],
        )
    ),
    "xml": Layout((["<c>", *(f"<message><text>{text}</text></message>" for text in ("在吗", "TEXT", "谁")), "</c>"],)),
    "blank lines": Layout((["在吗", "在", "", "TEXT", "好", "", "谁", "我"],)),
    "chat export": Layout(
        (["2024-01-01 08:00 甲: 在吗", "在么", "2024-01-01 10:00 甲: TEXT", "好", "2024-01-01 12:00 甲: 谁"],)
    ),
    "chat of LINE": Layout(
        (
            [
                "2024/1/1(一)",
                "8:00\t甲\t在吗",
                "在么",
                "2024/1/2(二)",
                "8:00\t甲\tTEXT",
                "好",
                "2024/1/3(三)",
                "9:00\t甲\t谁",
            ],
        )
    ),
    "chat as JSON": Layout(
        ([f"[{_chat_message('08', '在吗')},", f"{_chat_message('10', 'TEXT')},", f"{_chat_message('12', '谁')}]"],)
    ),
    "chat as JSON lines": Layout(
        ([_chat_message("08", "在吗"), _chat_message("10", "TEXT"), _chat_message("12", "谁")],)
    ),
    "subrip": Layout(
        (
            [
                *("1", "00:00:01,000 --> 00:00:02,000", "在吗", ""),
                *("2", "00:01:01,000 --> 00:01:02,000", "TEXT", "好", ""),
                *("3", "00:02:01,000 --> 00:02:02,000", "谁"),
            ],
        )
    ),
    "substation": Layout(
        (
            [
                "[Events]",
                *(
                    f"Dialogue: 0,0:0{minute}:01.00,0:0{minute}:02.00,D,,0,0,0,,{text}"
                    for minute, text in enumerate(("在吗", "TEXT", "谁"))
                ),
            ],
        ),
        cut=False,
    ),
    "messages": Layout((["dialogue,speaker,text", "1,甲,在吗", "1,乙,在", "2,甲,TEXT", "2,乙,好", "3,甲,谁"],)),
    "characters": Layout(([f'{{"instruction": "{text}", "output": "好"}}' for text in ("在吗", "TEXT", "谁")],)),
    "yaml": Layout((["conversations:", "- - 在吗", "  - 在", "- - TEXT", "  - 好"],), cut=False),
    "line ids": Layout(
        (["1 +++$+++ 甲 +++$+++ TEXT", "2 +++$+++ 乙 +++$+++ 在"], ["1 +++$+++ 甲 +++$+++ [1, 2]"]),
        cut=False,
    ),
}


def _sizes_at(pattern: bytes, contents: tuple[bytes, ...]) -> set[int]:
    """Return the shard sizes that end at each byte of the first occurrences of a pattern."""
    first = contents[0]
    starts = [at for at in range(len(first)) if first.startswith(pattern, at)]
    return {start + inside for start in starts[:3] for inside in range(len(pattern) + 1)} - {0}


#: What makes the contents awkward, and the shard sizes that cut them there.
CASES: dict[str, tuple[Callable[[Layout], tuple[bytes, ...]], Callable[[tuple[bytes, ...]], set[int]]]] = {
    "a record longer than a shard": (lambda layout: layout.contents(LONG), lambda _: {16, 100, 500}),
    "a cut between CR and LF": (
        lambda layout: layout.contents("在么", "\r\n"),
        lambda contents: _sizes_at(b"\r\n", contents),
    ),
    "no line break at the end": (
        lambda layout: tuple(content[:-1] for content in layout.contents("在么")),
        lambda contents: {contents[0].rfind(b"\n") + 1, len(contents[0]) - 1, len(contents[0])},
    ),
    "a mark at the beginning": (
        lambda layout: tuple(BOM + content for content in layout.contents("在么")),
        lambda _: {1, 2, 3, 4, 20},
    ),
    "a cut inside a character": (
        lambda layout: layout.contents("😀"),
        lambda contents: _sizes_at("😀".encode(), contents) | _sizes_at("在".encode(), contents),
    ),
    "an empty file": (lambda layout: tuple(b"" for _ in layout.files), lambda _: {1}),
    "a file of line breaks": (lambda layout: tuple(b"\n" * 7 for _ in layout.files), lambda _: {1, 2, 3}),
    "a file of both line breaks": (lambda layout: tuple(b"\r\n\n\r\n" for _ in layout.files), lambda _: {1, 2, 3}),
}


def _same(format_: Format, contents: tuple[bytes, ...], sizes: list[int]) -> tuple[laws.Result, int]:
    """Return what is read in one piece, and the maximum number of shards; check that all sizes read the same."""
    whole = laws.read(format_, *contents)
    rows, pairs = whole.anywhere(), whole.addressed()
    most = 1
    for size in sizes:
        shards = laws.read(format_, *contents, shard_bytes=size)
        assert shards.anywhere() == rows, size
        assert shards.addressed() == pairs, size
        assert shards.non_turns == whole.non_turns, size
        most = max(most, len(shards.frames))
    return whole, most


@pytest.mark.parametrize("tried", [slice(2), pytest.param(slice(None), marks=pytest.mark.slow)], ids=["some", "all"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", LAYOUTS)
def test_cuts_do_not_change_what_is_read(name: str, case: str, tried: slice) -> None:
    layout, (make, sizes) = LAYOUTS[name], CASES[case]
    contents = make(layout)
    whole, most = _same(FORMATS[name][0], contents, sorted(sizes(contents))[tried])
    texts = [text for _, text in whole.turns]
    if any(contents) and any(content.strip() for content in contents):
        plain = laws.read(FORMATS[name][0], *layout.contents("好吗"))
        assert len(texts) == len(plain.turns) > 1
        assert (most > 1) == layout.cut
        assert not [text for text in texts if text.strip() != text or "\ufeff" in text]
    else:
        assert texts == []


def test_every_format_has_awkward_cuts() -> None:
    assert set(LAYOUTS) == set(FORMATS)
