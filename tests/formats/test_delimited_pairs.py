"""One exchange a line, fields with a separator between them that occurs exactly once."""

from __future__ import annotations

import pytest

from chat_corpus.formats.delimited_pairs import delimited
from chat_corpus.schema import Reason
from tests.formats.laws import read

TABBED, BARRED = delimited("\t"), delimited(" | ")


def test_blanks_stay_inside_their_field() -> None:
    assert read(TABBED, "= = 真的 嗎\t\u3000真 的\n").pairs() == [("= = 真的 嗎", "\u3000真 的")]


@pytest.mark.parametrize(
    ("line", "pair"),
    [
        ("|(^o^)|（≧∇≦） | 有你真好", ("|(^o^)|（≧∇≦）", "有你真好")),
        ("这都不会 | 不会嘛=。=|||", ("这都不会", "不会嘛=。=|||")),
        ("行吧||| | 就这样", ("行吧|||", "就这样")),
    ],
    ids=["bars around the query", "bars at the end of the answer", "bars at the end of the query"],
)
def test_bars_of_a_kaomoji_are_not_separators(line: str, pair: tuple[str, str]) -> None:
    assert read(BARRED, line).pairs() == [pair]


@pytest.mark.parametrize("line", ["没有分隔", "三\t个\t字段", "四\t\t个\t"])
def test_a_line_with_another_number_of_fields_rejects_only_itself(line: str) -> None:
    result = read(TABBED, f"早\t好\n{line}\n又问\t又答")
    assert result.pairs() == [("早", "好"), ("又问", "又答")]
    assert result.rejects == [(2, Reason.FIELDS)]


def test_a_bad_byte_rejects_its_line() -> None:
    result = read(TABBED, "早\t好\n".encode() + b"\xe4\xbd\t\xff\n" + "又问\t又答".encode())
    assert result.pairs() == [("早", "好"), ("又问", "又答")]
    assert result.rejects == [(2, Reason.ENCODING)]


def test_an_empty_field_rejects_the_pair() -> None:
    result = read(BARRED, "问了 | \n | 答了\n")
    assert result.pairs() == []
    assert result.rejects == [(1, Reason.EMPTY), (2, Reason.EMPTY)]
    assert result.used == 2


def test_blank_lines_are_non_turns_and_a_lone_separator_is_not() -> None:
    result = read(TABBED, "\n  \n\t\n问\t答")
    assert result.non_turns == [{1, 2}]
    assert result.rejects == [(3, Reason.EMPTY), (3, Reason.EMPTY)]


def test_two_lines_are_two_dialogues() -> None:
    assert read(TABBED, "一\t二\n二\t三\n").pairs() == [("一", "二"), ("二", "三")]
    assert read(TABBED, "一\t二\n三\t四\n").pairs() == [("一", "二"), ("三", "四")]


def test_a_file_with_only_a_byte_order_mark_is_one_blank_line() -> None:
    assert read(TABBED, "\ufeff").non_turns == [{1}]


def test_a_carriage_return_at_the_end_of_a_line_is_not_part_of_the_text() -> None:
    assert read(TABBED, "问\t答\r").pairs() == [("问", "答")]
    assert read(TABBED, b"\xff\n" + "问\t答\r".encode()).pairs() == [("问", "答")]
