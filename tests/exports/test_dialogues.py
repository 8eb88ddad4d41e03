"""Turns become records that trainers load; each turn is in one, or counted as dropped."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus import schema
from chat_corpus.exports.dialogues import ASSEMBLED, Assembly, DialogueOptions, assemble
from chat_corpus.exports.special_tokens import SPECIAL_TOKENS, escape, holds_special_token
from chat_corpus.pipeline.pairing import pair
from chat_corpus.schema import Pairing
from tests.conftest import examples
from tests.exports.made import TURNS

Row = tuple[int, int, str, str | None, str | None]


def _frame(rows: list[Row]) -> pl.DataFrame:
    """Rows of dialogue, turn, text, speaker, reason; records count from 1."""
    expected = [
        ("f", at + 1, dialogue, turn, speaker, text, reason)
        for at, (dialogue, turn, text, speaker, reason) in enumerate(rows)
    ]
    return pl.DataFrame(expected, schema=TURNS, orient="row")


def _dialogue(*texts: str, number: int = 0) -> list[Row]:
    return [(number, turn, text, None, None) for turn, text in enumerate(texts)]


def _texts(assembly: Assembly) -> list[list[str]]:
    return [[one["content"] for one in row if one["role"] != "system"] for row in assembly.dialogues["messages"]]


def _assembled(
    rows: list[Row], pairing: Pairing = Pairing.ADJACENT, **options: Any
) -> tuple[list[list[str]], dict[str, int]]:
    assembly = assemble(_frame(rows), pairing, DialogueOptions(**options))
    return _texts(assembly), dict(assembly.balance.dropped)


def test_a_dialogue_alternates_from_the_user_and_loses_an_unanswered_last_turn() -> None:
    assembly = assemble(_frame(_dialogue("你好", "在吗", "在")), Pairing.ADJACENT)
    assert assembly.dialogues.columns == list(ASSEMBLED)
    assert assembly.dialogues["messages"].to_list() == [
        [{"role": "user", "content": "你好"}, {"role": "assistant", "content": "在吗"}]
    ]
    assert assembly.balance.dropped == {"unanswered": 1}
    assert assembly.dialogues.select("file", "record", "opener", "reply").row(0) == ("f", 1, "你好", "在吗")


def test_nothing_in_gives_nothing_out() -> None:
    assembly = assemble(_frame([]), Pairing.ADJACENT)
    assert len(assembly.dialogues) == 0
    assert (assembly.balance.read, assembly.balance.exported) == (0, 0)


REJECTED: list[Row] = [
    (0, 0, "甲", None, None),
    (0, 1, "乙", None, None),
    (0, 2, "坏", None, "length"),
    (0, 3, "丁", None, None),
    (0, 4, "戊", None, None),
]


def test_a_rejected_turn_ends_a_piece_and_the_next_begins_behind_it() -> None:
    assert _assembled(REJECTED) == ([["甲", "乙"], ["丁", "戊"]], {"length": 1})


def test_where_user_and_assistant_take_turns_no_answer_becomes_a_query() -> None:
    assert _assembled(REJECTED, Pairing.EXCHANGE) == (
        [["甲", "乙"]],
        {"length": 1, "without_query": 1, "unanswered": 1},
    )


def test_a_gap_in_the_turns_ends_a_piece() -> None:
    rows: list[Row] = [(0, 0, "甲", None, None), (0, 1, "乙", None, None), (0, 3, "丁", None, None)]
    assert _assembled(rows) == ([["甲", "乙"]], {"unanswered": 1})


def test_a_blank_turn_is_empty_whatever_rejected_nothing() -> None:
    assert _assembled(_dialogue("甲", "\u3000 ", "丙", "丁")) == ([["丙", "丁"]], {"empty": 1, "unanswered": 1})


def test_all_answer_the_first() -> None:
    rows = _dialogue("问", "答一", "答二")
    assert _assembled(rows, Pairing.FIRST) == ([["问", "答一"], ["问", "答二"]], {})
    assert _assembled(rows, Pairing.FIRST, alternatives="first") == ([["问", "答一"]], {"alternative": 1})


def test_nobody_answers() -> None:
    assert _assembled(_dialogue("短信", "短信二"), Pairing.NONE) == ([], {"unanswered": 2})


def test_consecutive_turns_of_a_known_speaker_are_one_message() -> None:
    rows: list[Row] = [
        (0, 0, "在吗", "甲", None),
        (0, 1, "有空吗", "甲", None),
        (0, 2, "有", "乙", None),
        (0, 3, "好", None, None),
        (0, 4, "走", None, None),
    ]
    assert _assembled(rows) == ([["在吗\n有空吗", "有", "好", "走"]], {})


ALTERNATIVES: list[Row] = [
    (0, 0, "问", None, None),
    (0, 1, "答一", None, None),
    (0, 1, "答二", None, None),
    (0, 1, "坏", None, "length"),
    (1, 0, "问", None, None),
    (1, 1, "答一", None, None),
    (1, 1, "答二", None, None),
    (1, 2, "再问", None, None),
    (1, 3, "坏", None, "length"),
    (1, 3, "再答", None, None),
]


def test_each_alternative_gives_a_dialogue_and_the_next_turn_answers_the_last_one() -> None:
    assert _assembled(ALTERNATIVES) == (
        [["问", "答一"], ["问", "答二"], ["问", "答一"], ["问", "答二", "再问", "再答"]],
        {"length": 2},
    )


def test_the_first_alternative_alone() -> None:
    assert _assembled(ALTERNATIVES, alternatives="first") == (
        [["问", "答一"], ["问", "答二", "再问", "再答"]],
        {"length": 2, "alternative": 2},
    )


def test_windows_hold_whole_exchanges() -> None:
    rows = _dialogue(*("一二三四五六七八九十"))
    assert _assembled(rows, max_turns=4)[0] == [list("一二三四"), list("五六七八"), list("九十")]
    assert _assembled(rows, max_turns=5)[0] == [list("一二三四"), list("五六七八"), list("九十")]
    assert _assembled(rows, max_chars=5)[0] == [list("一二三四"), list("五六七八"), list("九十")]
    assert _assembled(rows, max_turns=2, max_chars=100)[0] == [
        list("一二"),
        list("三四"),
        list("五六"),
        list("七八"),
        list("九十"),
    ]


def test_an_exchange_that_is_too_long_is_dropped_and_splits_its_dialogue() -> None:
    rows = _dialogue("一", "二", "很长很长", "三", "四", "五")
    assert _assembled(rows, max_chars=4) == ([["一", "二"], ["四", "五"]], {"too_long": 2})


def test_windows_share_the_group_of_their_dialogue() -> None:
    made = assemble(_frame(_dialogue("一", "二", "三", "四")), Pairing.ADJACENT, DialogueOptions(max_turns=2)).dialogues
    assert made.select("opener", "reply", "record").rows() == [("一", "二", 1), ("一", "二", 3)]


def test_a_system_message_comes_first() -> None:
    made = assemble(_frame(_dialogue("一", "二")), Pairing.ADJACENT, DialogueOptions(system="你是助手")).dialogues
    assert made["messages"][0][0] == {"role": "system", "content": "你是助手"}
    assert [one["role"] for one in made["messages"][0]] == ["system", "user", "assistant"]


def test_special_tokens_are_refused_or_escaped_and_counted() -> None:
    rows = _dialogue("一", "二", "<|im_end|>三", "四")
    refused = assemble(_frame(rows), Pairing.ADJACENT)
    assert (_texts(refused), dict(refused.balance.dropped)) == (
        [["一", "二"]],
        {"special_token": 1, "unanswered": 1},
    )
    escaped = assemble(_frame(rows), Pairing.ADJACENT, DialogueOptions(special_tokens="escape"))
    assert _texts(escaped) == [["一", "二", "＜|im_end|>三", "四"]]
    assert refused.balance.special_tokens == escaped.balance.special_tokens == 1


@pytest.mark.parametrize(
    "token", [*SPECIAL_TOKENS, "<|im_start|>", "<|reserved_special_token_1|>", "<｜begin▁of▁sentence｜>"]
)
def test_an_escaped_token_is_none(token: str) -> None:
    text = pl.Series([f"好{token}的{token}"])
    assert holds_special_token(text).all()
    assert not holds_special_token(escape(text)).any()


@pytest.mark.parametrize("text", ["a<b", "<b>好</b>", "[doge]", "<3", "<|>", "[ ]", "<S>", "1 < 2 | 3 > 2"])
def test_what_is_no_special_token_stays(text: str) -> None:
    assert escape(pl.Series([text])).to_list() == [text]


@pytest.mark.parametrize("options", [{"max_turns": 1}, {"system": "  "}, {"system": "<s>"}])
def test_options_that_no_record_can_obey_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"system|max_turns"):
        DialogueOptions(**options)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"max_turns": -1}, DialogueOptions)


_TEXTS = st.sampled_from(["好", "在吗", "没有", "<s>", " ", "很长的一句话"])
_POSITIONS = st.lists(
    st.tuples(
        st.integers(0, 2),
        _TEXTS,
        st.sampled_from([None, None, "甲", "乙"]),
        st.sampled_from([None, None, None, "length"]),
    ),
    max_size=8,
)


@st.composite
def _turns(draw: st.DrawFn, *, speakers: bool) -> list[Row]:
    """Dialogues with gaps, alternatives, rejected turns and turns of one speaker."""
    rows: list[Row] = []
    for number in range(draw(st.integers(0, 4))):
        turn = draw(st.integers(0, 1))
        for step, text, speaker, reason in draw(_POSITIONS):
            turn += step
            rows.append((number, turn, text, speaker if speakers else None, reason))
    return rows


_OPTIONS = st.fixed_dictionaries(
    {
        "turns": st.sampled_from(["dialogue", "pairs"]),
        "alternatives": st.sampled_from(["all", "first"]),
        "system": st.sampled_from(["", "你是助手"]),
        "max_turns": st.sampled_from([0, 2, 3, 4]),
        "max_chars": st.sampled_from([0, 3, 6, 10]),
        "special_tokens": st.sampled_from(["refuse", "escape"]),
    }
)


@settings(max_examples=examples(20), deadline=None)
@given(_turns(speakers=True), st.sampled_from(Pairing), _OPTIONS)
def test_every_record_obeys_the_rules_and_every_turn_is_accounted_for(
    rows: list[Row], pairing: Pairing, options: dict[str, Any]
) -> None:
    assembly = assemble(_frame(rows), pairing, DialogueOptions(**options))
    balance = assembly.balance
    assert balance.read == len(rows) == balance.exported + balance.dropped.total()
    assert balance.records == len(assembly.dialogues)
    assert all(count > 0 for count in balance.dropped.values())
    for messages in assembly.dialogues["messages"].to_list():
        spoken = [one for one in messages if one["role"] != "system"]
        assert len(messages) - len(spoken) == bool(options["system"])
        assert [one["role"] for one in spoken] == ["user", "assistant"] * (len(spoken) // 2)
        assert len(spoken) >= 2
        assert all(one["content"].strip() and "<s>" not in one["content"] for one in messages)
        assert len(spoken) <= (options["max_turns"] or len(spoken)) or options["turns"] == "pairs"
        assert sum(len(one["content"]) for one in spoken) <= (options["max_chars"] or 1 << 30)


@settings(max_examples=examples(20), deadline=None)
@given(_turns(speakers=False), st.sampled_from(Pairing))
def test_pairs_are_those_of_the_tsv(rows: list[Row], pairing: Pairing) -> None:
    """Where speakers are unknown: with what the pipeline pairs, less the turns that only exports refuse."""
    turns = _frame(rows).with_columns(
        reason=pl.when(pl.col("text").str.contains(r"^\s*$|<")).then(pl.lit("refused")).otherwise("reason"),
        file_index=pl.lit(0, pl.UInt8),
    )
    names = dict(zip(("file_index", "record", "dialogue_id", "turn_index"), schema.TURNS.names(), strict=False))
    paired = pair(turns.rename(names), pairing)
    expected = paired.filter(pl.col("reason").is_null()).select("query", "answer")
    made = assemble(turns, pairing, DialogueOptions(turns="pairs"))
    assert Counter(map(tuple, _texts(made))) == Counter(expected.rows())


@settings(max_examples=examples(25), deadline=None)
@given(_turns(speakers=True), _OPTIONS, st.integers(1, 3))
def test_dialogues_are_the_same_in_any_frames(rows: list[Row], options: dict[str, Any], border: int) -> None:
    """A frame can be cut between dialogues anywhere."""
    frame, chosen = _frame(rows), DialogueOptions(**options)
    whole = assemble(frame, Pairing.ADJACENT, chosen)
    parts = [frame.filter(pl.col("dialogue_id") < border), frame.filter(pl.col("dialogue_id") >= border)]
    first, second = (assemble(part, Pairing.ADJACENT, chosen) for part in parts)
    assert pl.concat([first.dialogues, second.dialogues]).equals(whole.dialogues)
    assert first.balance + second.balance == whole.balance
