"""The detected encoding of files from two characters to a megabyte, and when the detector is needed."""

from __future__ import annotations

import gzip
import io
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.errors import ChatCorpusError
from chat_corpus.files.encoding_detection import Decision, choose_encoding, detected
from chat_corpus.files.encodings import CODECS, MIXTURES
from chat_corpus.files.lines import BOM
from chat_corpus.files.raw_file import RawFile
from chat_corpus.files.transcoding import utf8
from chat_corpus.schema import Script
from tests.conftest import examples, slow_from

HANS = "今天天气怎么样\t不错，我们出去走走吧！\n你吃饭了吗\t还没有，一起去吃火锅\n他说 OK 没问题\t好的，明天见～\n"
HANT = "今天天氣怎麼樣\t不錯，我們出去走走吧！\n你吃飯了嗎\t還沒有，一起去吃火鍋\n他說 OK 沒問題\t好的，明天見～\n"
MARKS = {"utf-8": BOM, "utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
SMALL = {
    "utf-8": "你好", "gb18030": "你好", "big5": "你好", "utf-16-le": "你\t好\n", "utf-16-be": "你\t好\n",
}  # fmt: skip


def seeded(seed: int) -> random.Random:
    return random.Random(seed)


def written(folder: Path, data: bytes, name: str = "file.txt") -> RawFile:
    path = folder / name
    path.write_bytes(data)
    return RawFile(path=str(path), name=name, size=len(data))


def encoding_of(data: bytes, script: Script = Script.MIXED) -> str:
    return detected([data], script, whole=True).encoding


@pytest.fixture
def without_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "chardet", None)


def encoded(text: str, encoding: str, *, marked: bool) -> bytes:
    data = text.encode("cp950" if encoding == "big5" else CODECS[encoding])
    return MARKS.get(encoding, b"") + data if marked else data


CASES = [(name, marked) for name in CODECS for marked in (False, True) if name in MARKS or not marked]


@pytest.mark.parametrize(("encoding", "marked"), CASES)
@pytest.mark.parametrize(("text", "end"), [(HANS, "\n"), (HANT, "\r\n")], ids=["simplified, LF", "traditional, CRLF"])
@pytest.mark.parametrize("cut", slow_from(1, [1, 0]), ids=["cut", "whole"])
def test_the_encoding_of_a_large_file_is_detected(
    encoding: str, text: str, end: str, cut: int, *, marked: bool, tmp_path: Path
) -> None:
    if encoding == "big5" and text == HANS:
        text = HANT
    large = text.replace("\n", end) * (300_000 // len(text.encode()))
    data = encoded(large + "你好", encoding, marked=marked)
    decision = choose_encoding(written(tmp_path, data[: len(data) - cut]), Script.MIXED)
    assert (decision.encoding, decision.doubt) == (encoding, "")


@pytest.mark.parametrize(("encoding", "marked"), CASES)
@pytest.mark.parametrize("end", ["", "\n", "\r\n"], ids=["no line end", "LF", "CRLF"])
def test_the_encoding_of_two_characters_is_detected(encoding: str, end: str, *, marked: bool) -> None:
    assert encoding_of(encoded(SMALL[encoding] + end, encoding, marked=marked)) == encoding


@pytest.mark.parametrize(("encoding", "marked"), CASES)
def test_the_encoding_of_lines_cut_inside_a_character_is_detected(encoding: str, *, marked: bool) -> None:
    assert encoding_of(encoded(HANT + "你好", encoding, marked=marked)[:-1]) == encoding


@pytest.mark.parametrize("encoding", ["gb18030", "big5"])
def test_samples_cut_inside_characters_suffice_without_line_breaks(encoding: str, tmp_path: Path) -> None:
    data = b"x" + encoded(HANT.replace("\n", "。") * 5000, encoding, marked=False)
    assert choose_encoding(written(tmp_path, data), Script.MIXED).encoding == encoding


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "utf-16-le"])
def test_a_compressed_file_is_sampled_at_its_beginning(encoding: str, tmp_path: Path) -> None:
    data = gzip.compress(encoded(HANT * 5000, encoding, marked=False))
    assert choose_encoding(written(tmp_path, data, "file.txt.gz"), Script.MIXED).encoding == encoding


@pytest.mark.usefixtures("without_detector")
@pytest.mark.parametrize("end", ["\n", "。"], ids=["lines", "no line break"])
@pytest.mark.parametrize("before", [b"", BOM, b"x"], ids=["plain", "marked", "odd"])
def test_utf_8_needs_no_detector(end: str, before: bytes, tmp_path: Path) -> None:
    data = before + (HANS + "😀é\n").replace("\n", end).encode() * 3000
    decision = choose_encoding(written(tmp_path, data), Script.HANS)
    assert decision.encoding == "utf-8"
    assert decision.evidence.startswith("all of ")
    gzipped = written(tmp_path, gzip.compress(data), "file.gz")
    assert choose_encoding(gzipped, Script.HANS).evidence.startswith("all of ")


@pytest.mark.usefixtures("without_detector")
def test_a_detector_that_is_not_installed_is_named() -> None:
    with pytest.raises(ChatCorpusError, match="needs chardet: run python -m pip install"):
        encoding_of(HANS.encode("gbk"))


@pytest.mark.parametrize("encoding", ["gb18030", "big5"])
def test_a_bad_byte_does_not_silence_the_detector(encoding: str) -> None:
    data = encoded(HANT, encoding, marked=False) * 50 + b"\xff\x80\n"
    decision = detected([data], Script.MIXED, whole=True)
    assert decision.encoding == encoding
    assert f"chardet says {encoding}" in decision.evidence


DAMAGE = [b"\xff\xfe\xff", b"\xe4\xbd", b"\xc4\xe3\xba\xc3", "你好".encode()[:-1], "今天天气".encode("gbk"), b"\0\0"]


@pytest.mark.usefixtures("without_detector")
@pytest.mark.parametrize("lines", [1, 3, 2000])
def test_utf_8_with_a_few_bad_bytes_needs_no_detector(lines: int) -> None:
    draw = seeded(lines)
    data = HANS.encode() * lines
    for damage in DAMAGE[: 2 + lines]:
        at = draw.randrange(len(data))
        data = data[:at] + damage + data[at:]
    assert encoding_of(data) == "utf-8"


@pytest.mark.usefixtures("without_detector")
@pytest.mark.parametrize("data", [b"", b"\n\n", b"plain\0text\n", BOM, b"OK\tfine\n"])
def test_data_that_are_not_chinese_need_no_detector(data: bytes) -> None:
    assert encoding_of(data) == "utf-8"


def test_every_line_of_utf_8_may_be_damaged() -> None:
    assert encoding_of(b"\xff\n".join(HANS.encode().split(b"\n")) * 100) == "utf-8"


@pytest.mark.parametrize(
    ("text", "codec", "most", "other"),
    [
        (HANS, "gb18030", "utf-8", "utf-8+gb18030"),
        (HANT, "cp950", "utf-8", "utf-8+big5"),
        (HANS, "gb18030", "other", "gb18030+utf-8"),
        (HANT, "cp950", "other", "big5+utf-8"),
    ],
)
def test_a_mixture_is_detected_if_enough_lines_agree(text: str, codec: str, most: str, other: str) -> None:
    few, many = text.encode(codec) * 2, text.encode() * 20
    data = few + many if most == "utf-8" else text.encode(codec) * 20 + text.encode() * 2
    assert encoding_of(data) == other
    if most == "utf-8":
        assert encoding_of(text.encode(codec) + many) == "utf-8"  # three lines are no proof


@pytest.mark.usefixtures("without_detector")
def test_lines_in_no_encoding_are_damage() -> None:
    draw = seeded(1)
    assert encoding_of(HANS.encode() * 20 + b"".join(draw.randbytes(30) + b"\n" for _ in range(40))) == "utf-8"


@settings(max_examples=examples(100), deadline=None)
@given(data=st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(DAMAGE)).map(b"\n".join)), whole=st.booleans())
def test_any_content_is_read_in_some_encoding(data: bytes, *, whole: bool) -> None:
    decision = detected([data], Script.HANS, whole=whole)
    assert decision.encoding in (*CODECS, *MIXTURES)
    with utf8(io.BytesIO(data), decision.encoding) as stream:
        assert stream.read() or not data


@pytest.mark.parametrize("size", [30, 1000, 100_000])
def test_noise_is_in_no_encoding_and_raises_a_doubt(size: int) -> None:
    decision = detected([seeded(size).randbytes(size)], Script.HANS, whole=True)
    assert decision.encoding == "utf-8"
    assert re.fullmatch(r"(\d+) of \d+ sampled lines are not UTF-8, GB18030, Big5 or UTF-16", decision.doubt)


JAPANESE = "今日の天気はどうですか\tとてもいいですね、散歩に行きましょう！\n猫はどこにいますか\tここにいるよ\n"


@pytest.mark.parametrize("script", [Script.HANS, Script.TAIWAN])
@pytest.mark.parametrize("lines", [1, 100])
def test_japanese_raises_a_doubt_in_any_encoding(script: Script, lines: int) -> None:
    decision = detected([JAPANESE.encode("euc_jp") * lines], script, whole=True)
    assert decision.encoding in ("gb18030", "big5")
    assert re.fullmatch(r"it may be Japanese \(EUC-JP\): \d\d% of the characters are kana in gb18030", decision.doubt)


@pytest.mark.parametrize("encoding", ["gb18030", "big5"])
def test_some_kana_in_chinese_raise_no_doubt(encoding: str) -> None:
    data = encoded((HANT + "好の\t可愛いです\n") * 9, encoding, marked=False)
    decision = detected([data], Script.MIXED, whole=True)
    assert (decision.encoding, decision.doubt) == (encoding, "")


@pytest.mark.parametrize("text", ["謝謝", "什麼", "睡覺"])
def test_the_source_decides_for_a_few_characters(text: str) -> None:
    """Their bytes are common characters in either encoding, and the detector takes them for GB18030."""
    data = text.encode("big5")
    assert {encoding_of(data, script) for script in (Script.TAIWAN, Script.HANT)} == {"big5"}
    assert {encoding_of(data, script) for script in (Script.HANS, Script.MIXED)} == {"gb18030"}


@pytest.mark.parametrize(
    ("chosen", "encoding"),
    [("gbk", "gb18030"), ("cp950", "big5"), ("utf-16", "utf-16-le"), ("utf8", "utf-8"), ("utf-8+big5", "utf-8+big5")],
)
def test_a_chosen_encoding_is_used_with_a_doubt_if_it_does_not_fit(chosen: str, encoding: str, tmp_path: Path) -> None:
    looks = {"gb18030": "gb18030", "big5": "big5", "utf-16-le": "utf-16-le"}.get(encoding, "utf-8")
    right = choose_encoding(written(tmp_path, encoded(HANT * 20, looks, marked=False)), Script.MIXED, chosen)
    assert (right.encoding, right.doubt) == (encoding, "")
    other = "gb18030" if looks != "gb18030" else "big5"
    wrong = choose_encoding(written(tmp_path, encoded(HANT * 20, other, marked=False)), Script.MIXED, chosen)
    assert wrong.encoding == encoding
    assert wrong.doubt.startswith(f"it looks like {other}: chardet says {other}")
    assert wrong.evidence.startswith(f"as chosen; detection gives {other}: chardet says {other}")


@pytest.mark.parametrize(
    ("chosen", "doubt"), [("utf-8", "it looks like utf-8+gb18030: "), ("utf-8+gb18030", ""), ("gb18030+utf-8", "")]
)
def test_half_of_a_mixture_raises_a_doubt_if_it_loses_lines(chosen: str, doubt: str, tmp_path: Path) -> None:
    mixed = written(tmp_path, HANS.encode("gb18030") * 2 + HANS.encode() * 20)
    assert choose_encoding(mixed, Script.HANS).encoding == "utf-8+gb18030"
    raised = choose_encoding(mixed, Script.HANS, chosen).doubt
    assert raised.startswith(doubt)
    assert bool(raised) == bool(doubt)


def test_a_mixture_that_loses_no_lines_raises_no_doubt(tmp_path: Path) -> None:
    damaged = written(tmp_path, HANS.encode() * 20 + b"\xff\n")
    assert choose_encoding(damaged, Script.HANS).encoding == "utf-8"
    assert choose_encoding(damaged, Script.HANS, "utf-8+gb18030").doubt == ""


def test_utf_16_follows_the_byte_order_mark(tmp_path: Path) -> None:
    file = written(tmp_path, b"\xfe\xff" + "é".encode("utf-16-be"))
    assert choose_encoding(file, Script.HANS, "utf-16").encoding == "utf-16-be"


def test_the_evidence_is_readable(tmp_path: Path) -> None:
    file = written(tmp_path, (HANS * 20).encode("gb18030"))
    assert choose_encoding(replace(file), Script.HANS) == Decision(
        encoding="gb18030",
        evidence="chardet says gb18030, 100.0% of the characters are common Chinese in 1,999 bytes of lines that are "
        "not UTF-8",
    )
