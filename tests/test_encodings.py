"""Streams of UTF-8 made of files in another encoding: wherever blocks end, and no odd byte becomes text."""

from __future__ import annotations

import io
from typing import IO, cast, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.detection import CHOICES
from chat_corpus.encodings import CODECS, MIXTURES, UTF8, common, decoded, strictly, utf8, utf8_share
from chat_corpus.settings import Encoding
from tests.conftest import examples

OTHERS = [*(name for name in CODECS if name != UTF8), *MIXTURES]
BYTEWISE = ["gb18030", "big5"]
_TEXT = '你好～頭龘\U00020000😀ァ€嘅a\t|\\"\r\n\n\x00\ufeff'
_PIECES = [
    *(one.encode(codec, "ignore") for codec in CODECS.values() for one in _TEXT),
    *(b"\xff", b"\x80", b"\xc4\x85", b"\xc4", b"\x85", b"\xe4\xbd", b"\x81\x30", b"\x81\x30\x81", b"\xa3\xe1", b"\xf9"),
    *(b"\xd8\x3d", b"\x3d\xd8", b"\xdc\x0a", b"\x0a\xdc", b"\x0a\xd8", b"\xd8\x85"),
]
DATA = st.lists(st.sampled_from(_PIECES), max_size=30).map(b"".join)


class Dribble(io.BytesIO):
    """A stream that gives as much at a time as it likes."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        super().__init__(data)
        self._sizes = sizes

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._sizes.pop() if self._sizes else size)


def whole(data: bytes, encoding: str) -> bytes:
    with utf8(io.BytesIO(data), encoding) as stream:
        return stream.read()


@settings(max_examples=examples(150), deadline=None)
@given(
    data=DATA,
    encoding=st.sampled_from(OTHERS),
    given=st.lists(st.integers(1, 5), max_size=40),
    asked=st.lists(st.integers(1, 5), max_size=40),
)
def test_where_blocks_end_changes_nothing(data: bytes, encoding: str, given: list[int], asked: list[int]) -> None:
    stream = utf8(Dribble(data, given), encoding)
    parts = [stream.read(size) for size in asked]
    before = b"".join(parts)
    assert before == whole(data, encoding)[: sum(asked)]
    assert stream.tell() == len(before)
    assert before + stream.read() == whole(data, encoding)


@settings(max_examples=examples(60), deadline=None)
@given(text=st.text(st.sampled_from(_TEXT)), encoding=st.sampled_from(list(CODECS)))
def test_text_goes_through_unchanged(text: str, encoding: str) -> None:
    codec = "cp950" if encoding == "big5" else CODECS[encoding]
    if encoding == "big5":
        text = text.replace("ァ", "")  # Python's cp950 has kana where no other has them
    data = text.encode(codec, "ignore")
    assert whole(data, encoding) == data.decode(codec).encode()


@settings(max_examples=examples(150), deadline=None)
@given(data=DATA, encoding=st.sampled_from(BYTEWISE))
def test_a_line_is_text_afterwards_if_and_only_if_it_was(data: bytes, encoding: str) -> None:
    lines, made = data.split(b"\n"), whole(data, encoding).split(b"\n")
    assert len(made) == len(lines)
    for line, now in zip(lines, made, strict=True):
        assert strictly(now, UTF8) == strictly(line, encoding)


@settings(max_examples=examples(100), deadline=None)
@given(data=DATA, encoding=st.sampled_from(["utf-16-le", "utf-16-be"]))
def test_utf_16_is_text_afterwards_if_and_only_if_it_was(data: bytes, encoding: str) -> None:
    made = whole(data, encoding)
    assert strictly(made, UTF8) == strictly(data, encoding)
    units = [data[at : at + 2] for at in range(0, len(data) - 1, 2)]
    broken = len(data) % 2 and data.endswith(b"\n")
    assert made.count(b"\n") == units.count("\n".encode(encoding)) + broken


@settings(max_examples=examples(100), deadline=None)
@given(data=DATA, encoding=st.sampled_from(MIXTURES))
def test_a_mixture_of_lines_keeps_its_lines_and_makes_up_none(data: bytes, encoding: str) -> None:
    lines, made = data.split(b"\n"), whole(data, encoding).split(b"\n")
    assert len(made) == len(lines)
    for line, now in zip(lines, made, strict=True):
        readings = [strictly(line, one) for one in encoding.split("+")]
        text = strictly(now, UTF8)
        assert text in readings
        if encoding.startswith(UTF8) and readings[0] is not None:
            assert now == line


@pytest.mark.parametrize(
    ("encoding", "data", "expected"),
    [
        ("gb18030", "好".encode("gbk") + b"\xff\n", "好".encode() + b"\xff\n"),
        ("gb18030", b"\xc4\n", b"\xc4\n"),
        ("big5", b"\xc4\x85\n", b"\xff\xc4\x85\n"),
        ("big5", b"\xc4", b"\xc4"),
        ("utf-16-le", b"\x0a\xd8\x0a\x00", b"\xed\xa0\x8a\n"),
        ("utf-16-be", b"\xd8\x0a", b"\xed\xa0\x8a"),
        ("utf-16-le", b"a\x00b", b"a\xffb"),
        ("utf-16-be", b"\xd8\x3d\xde\x00", "😀".encode()),
    ],
    ids=["no lead byte", "half a character", "UTF-8 by accident", "half at the end", "half a pair, a line feed in it",
         "half a pair", "an odd byte", "a pair"],
)  # fmt: skip
def test_what_does_not_decode_stays_as_it_is(encoding: str, data: bytes, expected: bytes) -> None:
    assert whole(data, encoding) == expected


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"\xa1\xe3", "～"), (b"\xc6\xe7\xc7\xba", "ぁゾ"), (b"\xa3\xe1", "€"), (b"\x9d\xf7", "咗"),
     (b"\xa1\x45", "‧"), (b"\xc6\xa1", "①")],
    ids=["the wave as typed on Windows", "kana of ETEN", "euro", "HKSCS", "a dot", "a circled digit of ETEN"],
)  # fmt: skip
def test_big5_is_read_as_it_was_typed(data: bytes, text: str) -> None:
    assert decoded(data, "big5") == strictly(data, "big5") == text


@pytest.mark.parametrize(
    ("main", "line", "text"),
    [
        ("utf-8+gb18030", "今天天气".encode("gbk"), "今天天气"),
        ("utf-8+gb18030", "今天天气".encode(), "今天天气"),
        ("utf-8+gb18030", "天气".encode("gbk"), None),
        ("utf-8+gb18030", "今天天气".encode() + b"\xc4\xe3", None),
        ("utf-8+gb18030", "今天天气龘".encode("gbk"), None),
        ("utf-8+big5", "今天天氣".encode("big5"), "今天天氣"),
        ("gb18030+utf-8", "今天天气".encode("gbk"), "今天天气"),
        ("gb18030+utf-8", "今天".encode(), "今天"),
        ("gb18030+utf-8", "今天天".encode(), "今天天"),
        ("gb18030+utf-8", "模糊".encode("gbk"), "模糊"),
        ("gb18030+utf-8", b"\xff\xff", None),
        ("big5+utf-8", "你好嗎".encode(), "你好嗎"),
    ],
)
def test_a_line_of_a_mixture_is_read_where_that_is_provable(main: str, line: bytes, text: str | None) -> None:
    assert strictly(whole(line, main), UTF8) == text


def test_common_characters_are_those_of_everyday_text() -> None:
    assert set("你好頭气，。！？（）「」～ァ") <= common()
    assert set("龘浣\ue000\u0400é") & common() == set()


@pytest.mark.parametrize("encoding", BYTEWISE)
def test_text_in_another_encoding_is_hardly_utf_8(encoding: str) -> None:
    text = "今天天氣不錯我們出去走走吧" * 3
    assert utf8_share(text.encode(encoding)) < 0.2 < 0.9 < utf8_share(text.encode() + b"\xff\xc4")
    assert utf8_share(b"plain") == 1


def test_plain_utf_8_has_no_stream_in_between() -> None:
    stream = cast("IO[bytes]", io.BytesIO())
    assert utf8(stream, UTF8) is stream


def test_settings_know_the_same_names_as_the_command_line() -> None:
    assert sorted(get_args(Encoding)) == sorted(CHOICES)
