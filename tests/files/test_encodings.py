"""Streams of UTF-8 from files in other encodings, independent of blocks; no invalid byte becomes text."""

from __future__ import annotations

import codecs
import io
from typing import IO, cast, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.files import transcoding
from chat_corpus.files.encoding_detection import CHOICES
from chat_corpus.files.encodings import CODECS, MIXTURES, UTF8, common, decoded, strictly, utf8_share
from chat_corpus.files.transcoding import utf8
from chat_corpus.pipeline.settings import Encoding
from tests.conftest import examples

OTHERS = [*(name for name in CODECS if name != UTF8), *MIXTURES]
BYTEWISE = ["gb18030", "big5"]
_TEXT = '你好～頭龘\U00020000😀ァ€嘅a\t|\\"\r\n\n\x00\ufeff'
_PIECES = [
    *(character.encode(codec, "ignore") for codec in CODECS.values() for character in _TEXT),
    *(b"\xff", b"\x80", b"\xc4\x85", b"\xc4", b"\x85", b"\xe4\xbd", b"\x81\x30", b"\x81\x30\x81", b"\xa3\xe1", b"\xf9"),
    *(b"\xd8\x3d", b"\x3d\xd8", b"\xdc\x0a", b"\x0a\xdc", b"\x0a\xd8", b"\xd8\x85"),
]
DATA = st.lists(st.sampled_from(_PIECES), max_size=30).map(b"".join)


class Dribble(io.BytesIO):
    """A stream that returns other sizes than requested."""

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
    requested=st.lists(st.integers(1, 5), max_size=40),
)
def test_the_ends_of_blocks_do_not_matter(data: bytes, encoding: str, given: list[int], requested: list[int]) -> None:
    stream = utf8(Dribble(data, given), encoding)
    parts = [stream.read(size) for size in requested]
    before = b"".join(parts)
    assert before == whole(data, encoding)[: sum(requested)]
    assert stream.tell() == len(before)
    assert before + stream.read() == whole(data, encoding)


@settings(max_examples=examples(75), deadline=None)
@given(
    data=DATA,
    encoding=st.sampled_from([*BYTEWISE, *MIXTURES]),
    given=st.lists(st.integers(1, 5), max_size=40),
    bound=st.integers(4, 8),  # a character has up to four bytes
)
def test_the_ends_of_blocks_do_not_matter_beyond_the_bound(
    data: bytes, encoding: str, given: list[int], bound: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transcoding, "BOUND", bound)
        with utf8(Dribble(data, given), encoding) as stream:
            assert stream.read() == whole(data, encoding)


def _one_byte(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    if error.encoding == "big5hkscs" and error.object[error.start : error.start + 2] == b"\xa3\xe1":
        return "€", error.start + 2
    return chr(0xDC00 + error.object[error.start]), error.start + 1


codecs.register_error("tests.one_byte", _one_byte)


@settings(max_examples=examples(125), deadline=None)
@given(
    data=st.one_of(DATA, st.binary(max_size=60), st.lists(st.sampled_from(b"\xff\x80\xc4\x85\xc8\x30\x81")).map(bytes)),
    encoding=st.sampled_from([*BYTEWISE, UTF8]),
)
def test_a_run_of_invalid_bytes_equals_its_single_bytes(data: bytes, encoding: str) -> None:
    expected = data.decode(CODECS[encoding], "tests.one_byte")
    lost = [[c for c in text if "\udbff" < c < "\ue000"] for text in (decoded(data, encoding), expected)]
    assert lost[0] == lost[1]
    assert len(decoded(data, encoding)) == len(expected)
    if encoding != "big5":
        assert decoded(data, encoding) == expected


LONG = 1 + transcoding.BOUND


@pytest.mark.parametrize(
    ("mixture", "encoding"),
    [("utf-8+gb18030", "gb18030"), ("utf-8+gb18030", "utf-8"), ("gb18030+utf-8", "utf-8"), ("big5+utf-8", "big5")],
)
@pytest.mark.parametrize("before", [b"", b"x"], ids=["even", "odd"])
def test_a_long_line_of_a_mixture_has_the_encoding_of_its_beginning(mixture: str, encoding: str, before: bytes) -> None:
    text = "今天天氣" * (LONG // 6)
    transcoded = whole(b"a\n" + before + text.encode(encoding) + "\n今天".encode(), mixture)
    assert transcoded.split(b"\n") == [b"a", before + text.encode(), "今天".encode()]


def test_at_most_the_bound_of_a_long_line_is_buffered() -> None:
    stream = utf8(io.BytesIO(bytes(4 * LONG)), "gb18030+utf-8")
    assert stream.read(1) == b"\0"
    consumed = cast("transcoding._Transcoding", stream)._stream.tell()
    assert consumed <= 2 * LONG


def test_a_long_run_that_is_utf_8_by_accident_is_not_text() -> None:
    run = "\u4000".encode() * (LONG // 2)
    assert decoded(run, "big5").isprintable() is False
    transcoded = whole(run + b"\n", "big5")
    assert strictly(transcoded, UTF8) is None
    assert transcoded.replace(b"\xff", b"") == run + b"\n"
    assert transcoded.count(b"\xff") == -(-len(run) // transcoding.BOUND) - 1


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
def test_a_line_is_valid_afterwards_if_and_only_if_it_was_before(data: bytes, encoding: str) -> None:
    lines, transcoded = data.split(b"\n"), whole(data, encoding).split(b"\n")
    assert len(transcoded) == len(lines)
    for line, now in zip(lines, transcoded, strict=True):
        assert strictly(now, UTF8) == strictly(line, encoding)


@settings(max_examples=examples(100), deadline=None)
@given(data=DATA, encoding=st.sampled_from(["utf-16-le", "utf-16-be"]))
def test_utf_16_is_valid_afterwards_if_and_only_if_it_was_before(data: bytes, encoding: str) -> None:
    transcoded = whole(data, encoding)
    assert strictly(transcoded, UTF8) == strictly(data, encoding)
    units = [data[at : at + 2] for at in range(0, len(data) - 1, 2)]
    broken = len(data) % 2 and data.endswith(b"\n")
    assert transcoded.count(b"\n") == units.count("\n".encode(encoding)) + broken


@settings(max_examples=examples(100), deadline=None)
@given(data=DATA, encoding=st.sampled_from(MIXTURES))
def test_a_mixture_has_the_same_lines_afterwards(data: bytes, encoding: str) -> None:
    lines, transcoded = data.split(b"\n"), whole(data, encoding).split(b"\n")
    assert len(transcoded) == len(lines)
    for line, now in zip(lines, transcoded, strict=True):
        readings = [strictly(line, name) for name in encoding.split("+")]
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
        ("gb18030", b"\x810\n", b"\x810\n"),
        ("utf-16-le", b"\x0a\xd8\x0a\x00", b"\xed\xa0\x8a\n"),
        ("utf-16-be", b"\xd8\x0a", b"\xed\xa0\x8a"),
        ("utf-16-le", b"a\x00b", b"a\xffb"),
        ("utf-16-be", b"\xd8\x3d\xde\x00", "😀".encode()),
    ],
    ids=["no lead byte", "half a character", "UTF-8 by accident", "half at the end",
         "a third of four bytes and a line end", "half a pair, a line feed in it",
         "half a pair", "an odd byte", "a pair"],
)  # fmt: skip
def test_invalid_bytes_do_not_change(encoding: str, data: bytes, expected: bytes) -> None:
    assert whole(data, encoding) == expected


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"\xa1\xe3", "～"), (b"\xc6\xe7\xc7\xba", "ぁゾ"), (b"\xa3\xe1", "€"), (b"\x9d\xf7", "咗"),
     (b"\xa1\x45", "‧"), (b"\xc6\xa1", "①")],
    ids=["the wave as typed on Windows", "kana of ETEN", "euro", "HKSCS", "a dot", "a circled digit of ETEN"],
)  # fmt: skip
def test_big5_has_the_symbols_that_people_typed(data: bytes, text: str) -> None:
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
def test_a_line_of_a_mixture_is_decoded_if_its_encoding_is_certain(main: str, line: bytes, text: str | None) -> None:
    assert strictly(whole(line, main), UTF8) == text


def test_common_characters_are_those_of_everyday_text() -> None:
    assert set("你好頭气，。！？（）「」～ァ") <= common()
    assert set("龘浣\ue000\u0400é") & common() == set()


@pytest.mark.parametrize("encoding", BYTEWISE)
def test_text_in_another_encoding_has_a_low_utf_8_share(encoding: str) -> None:
    text = "今天天氣不錯我們出去走走吧" * 3
    assert utf8_share(text.encode(encoding)) < 0.2 < 0.9 < utf8_share(text.encode() + b"\xff\xc4")
    assert utf8_share(b"plain") == 1


def test_utf_8_is_not_transcoded() -> None:
    stream = cast("IO[bytes]", io.BytesIO())
    assert utf8(stream, UTF8) is stream


def test_settings_and_command_line_have_the_same_encodings() -> None:
    assert sorted(get_args(Encoding)) == sorted(CHOICES)
