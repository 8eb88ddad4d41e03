"""ChatterBot's YAML: conversations as lists of utterances, taken as their author wrote them."""

from __future__ import annotations

import pytest

from chat_corpus.formats.chatterbot_yaml import CORPUS_YAML
from chat_corpus.schema import Reason
from tests.formats.laws import read

HEAD = "categories:\n- 闲聊\nconversations:\n"


def test_a_long_conversation_is_one_dialogue() -> None:
    result = read(CORPUS_YAML, HEAD + "- - 你好\n  - 你也好\n  - 吃了吗\n  - 吃了\n- - 再见\n  - 明天见\n")
    assert result.pairs() == [("你好", "你也好"), ("你也好", "吃了吗"), ("吃了吗", "吃了"), ("再见", "明天见")]
    assert result.non_turns == [{1, 2, 3}]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("1963", "1963"),
        ("'1963'", "1963"),
        ("0x1F", "0x1F"),
        ("yes", "yes"),
        ("null", "null"),
        ("~", "~"),
        ("2015-03-09", "2015-03-09"),
        ('"「我不知道。」"', "「我不知道。」"),
        ("他说: 好", "他说: 好"),
        ("1:30", "1:30"),
        ("!!python/object/apply:os.getcwd []", None),
        ("!!python/name:os.system 好", "好"),
        ("{a: b}", None),
        ("[甲, 乙]", None),
        ("😀 # 笑", "😀"),
        ("'它''s'", "它's"),
    ],
)
def test_a_scalar_is_read_as_written_and_nothing_is_constructed(written: str, text: str | None) -> None:
    result = read(CORPUS_YAML, f"{HEAD}- - 问\n  - {written}\n")
    assert [text_ for _, text_ in result.turns] == (["问"] if text is None else ["问", text])
    assert result.rejects == ([(5, Reason.LAYOUT)] if text is None else [])


def test_an_alias_is_not_followed() -> None:
    result = read(CORPUS_YAML, HEAD + "- - &甲 好\n  - 好吗\n- - &a 早\n  - *a\n- - 晚\n  - 安\n")
    assert result.pairs() == [("晚", "安")]
    assert result.rejects == [(4, Reason.LAYOUT), (6, Reason.LAYOUT)]


def test_a_bomb_of_aliases_rejects_only_its_conversation() -> None:
    bomb = "\n".join(f"  - &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))
    result = read(CORPUS_YAML, HEAD + f"- - &a0 哈\n{bomb}\n- - 问\n  - 答\n")
    assert result.pairs() == [("问", "答")]
    assert result.rejects == [(4, Reason.LAYOUT)]


def test_a_malformed_conversation_rejects_only_itself() -> None:
    result = read(
        CORPUS_YAML, HEAD + '- - 问\n  - 答\n- - "没有关\n  - 答二\n- - 问三\n  - 答三\n- 不是列表\n- - 末\n  - 尾'
    )
    assert result.pairs() == [("问", "答"), ("问三", "答三"), ("末", "尾")]
    assert result.rejects == [(6, Reason.LAYOUT), (10, Reason.LAYOUT)]


def test_a_bad_byte_rejects_its_turn_and_no_pair_bridges_it() -> None:
    result = read(CORPUS_YAML, HEAD.encode() + "- - 甲\n  - ".encode() + b"\xff\n" + "  - 丙\n  - 丁\n".encode())
    assert result.pairs() == [("丙", "丁")]
    assert result.rejects == [(5, Reason.ENCODING)]


def test_an_utterance_of_several_lines_is_one_turn() -> None:
    result = read(CORPUS_YAML, HEAD + "- - 一行\n    又一行\n  - 'a\n\n    b'\n  - |\n    码\n    字\n")
    assert result.turns == [(4, "一行 又一行"), (6, "a\nb"), (9, "码\n字")]
    assert result.non_turns == [{1, 2, 3, 5, 7, 8, 10, 11}]


def test_any_indent_of_the_list_is_read() -> None:
    result = read(CORPUS_YAML, "conversations:\n  - - 问\n    - 答\n  -\n    - 又问\n    - 又答\n")
    assert result.pairs() == [("问", "答"), ("又问", "又答")]


def test_a_remark_before_the_first_conversation_is_a_non_turn() -> None:
    result = read(CORPUS_YAML, "conversations:\n# 备注\n\n- - 问\n  - 答\n# 又一条\n")
    assert result.pairs() == [("问", "答")]
    assert result.rejects == []
    assert result.non_turns == [{1, 2, 3, 6}]


def test_a_section_after_the_conversations_is_not_a_conversation() -> None:
    result = read(CORPUS_YAML, "conversations:\n- - 问\n  - 答\ncategories:\n- 闲聊\n")
    assert result.pairs() == [("问", "答")]
    assert result.rejects == []


def test_an_empty_turn_is_empty() -> None:
    result = read(CORPUS_YAML, HEAD + "- - 问\n  -\n  - ''\n")
    assert result.rejects == [(5, Reason.EMPTY), (6, Reason.EMPTY)]


@pytest.mark.parametrize("deep", ["- - " + "[" * 20_000, "- - " + "- " * 20_000], ids=["flow", "block"])
def test_deep_nesting_raises_nothing(deep: str) -> None:
    assert read(CORPUS_YAML, HEAD + deep).rejects == [(4, Reason.LAYOUT)]


def test_line_breaks_of_yaml_do_not_change_the_numbers_of_lines() -> None:
    result = read(CORPUS_YAML, HEAD + "- - '一\u2028   二'\n  - 答\n- - 坏\x85的\n  - 答\n- - 问\n  - 答\n")
    assert [line for line, _ in result.turns] == [4, 5, 8, 9]
    assert result.rejects == [(6, Reason.LAYOUT)]
