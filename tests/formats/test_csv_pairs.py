"""CSV of two fields with quotes around what needs them."""

from __future__ import annotations

import pytest

from chat_corpus.formats.csv_pairs import quoted
from chat_corpus.schema import Reason
from tests.formats.laws import read

CSV = quoted()


@pytest.mark.parametrize(
    ("record", "pair"),
    [
        ('"早安,各位",早', ("早安,各位", "早")),
        ('"他說""好"" ","嗯"', ('他說"好" ', "嗯")),
        ('"第一行\n第二行",好', ("第一行\n第二行", "好")),
        ('"第一行\r\n第二行","好\n壞"', ("第一行\n第二行", "好\n壞")),
        ('螢幕 15" 的,好', ('螢幕 15" 的', "好")),
        ('問,"""答"""', ("問", '"答"')),
        (" 前面有空白, 後面也有", (" 前面有空白", " 後面也有")),
    ],
    ids=["comma", "doubled quotes", "line break", "line breaks in both", "inch", "quotes all round", "blanks"],
)
def test_fields_are_unquoted(record: str, pair: tuple[str, str]) -> None:
    result = read(CSV, f"question,answer\n{record}\n下一題,下一答\n")
    assert result.pairs() == [pair, ("下一題", "下一答")]


@pytest.mark.parametrize("size", [1, 30, 1000])
def test_the_header_is_a_non_turn_on_the_first_line_only(size: int) -> None:
    result = read(CSV, "question,answer\r\n問,答\nquestion,answer\n", shard_bytes=size)
    assert result.non_turns == [{1}]
    assert result.pairs() == [("問", "答"), ("question", "answer")]


def test_a_file_without_header_loses_no_line() -> None:
    assert read(CSV, "問,答").pairs() == [("問", "答")]


def test_the_address_of_a_record_of_several_lines_is_its_first_line() -> None:
    result = read(CSV, '一,二\n"三\n\n四",五\n六,七')
    assert result.turns == [(1, "一"), (1, "二"), (2, "三\n\n四"), (2, "五"), (5, "六"), (5, "七")]
    assert result.non_turns == [{3, 4}]


def test_a_quote_that_never_closes_rejects_its_line() -> None:
    result = read(CSV, '一,二\n"三,四\n五,六\n七,八\n')
    assert result.pairs() == [("一", "二"), ("五", "六"), ("七", "八")]
    assert result.rejects == [(2, Reason.FIELDS)]


def test_a_stray_quote_does_not_match_a_distant_one() -> None:
    lines = ['"三,四', *(f"問{n},答{n}" for n in range(150)), '五",六', "末,尾"]
    for size in (1, 64, 1 << 20):
        result = read(CSV, "\n".join(lines), shard_bytes=size)
        assert len(result.pairs()) == 152
        assert result.rejects == [(1, Reason.FIELDS)]


@pytest.mark.parametrize("line", ["一個", "一,二,三", '"一"二,三', '"一,二"'])
def test_another_number_of_fields_rejects_its_line(line: str) -> None:
    result = read(CSV, f"一,二\n{line}\n三,四")
    assert result.pairs() == [("一", "二"), ("三", "四")]
    assert result.rejects == [(2, Reason.FIELDS)]


def test_a_bad_byte_in_a_record_of_two_lines_rejects_all_of_it() -> None:
    content = '一,二\n"三\n'.encode() + b"\xff" + '四",五\n六,七\n'.encode()
    result = read(CSV, content)
    assert result.pairs() == [("一", "二"), ("六", "七")]
    assert result.rejects == [(2, Reason.ENCODING)]
    assert result.non_turns == [{3}]
    shown = CSV.split(content, 1).filter(record=2)["bytes"].item()
    assert shown == '"三\n'.encode() + b"\xff" + '四",五'.encode()


def test_an_empty_field_is_empty() -> None:
    assert read(CSV, ',答\n問,""\n').rejects == [(1, Reason.EMPTY), (2, Reason.EMPTY)]


@pytest.mark.parametrize("breaks", [95, 99, 100])
@pytest.mark.parametrize("size", [1, 100, 390, 400])
def test_a_record_may_have_a_hundred_line_breaks_at_any_cut(breaks: int, size: int) -> None:
    field = "\n".join("字" for _ in range(breaks + 1))
    result = read(CSV, f'一,二\n"{field}",答\n三,四\n', shard_bytes=size)
    assert result.pairs() == [("一", "二"), (field, "答"), ("三", "四")]
