"""Each filter: what it rejects and, as often, what must stay."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.errors import ChatCorpusError
from chat_corpus.formats.base import turns_frame
from chat_corpus.pipeline.filters.options import KINDS, TRIAL, FilterOptions, with_trial
from chat_corpus.pipeline.filters.table import (
    FILTERS,
    active_filters,
    apply_filters,
    apply_pair_filters,
    evaluate_filters,
    evaluate_pair_filters,
    rejections,
)
from chat_corpus.pipeline.pairing import pair
from chat_corpus.schema import PAIR_REASON, Pairing, Reason
from chat_corpus.sources.base import Filter, Scope, Source
from tests.conftest import examples

SOURCE = Source(name="某源", inputs=())
#: Per filter: options, texts that it rejects, texts that stay.
TURNS: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "min_chars": ({"min_chars": 2}, ["嗯", "a", "😀"], ["好的", "ab", "？！"]),
    "max_chars": ({"max_chars": 3}, ["一二三四", "abcd", "好 的吗"], ["一二三", "", "好"]),
    "min_han": (
        {"min_han": 0.5},
        ["hello", "好的 thank you", "12345", "愛してるよ"],
        ["你好", "用C++写", "？！", "好a", "😀"],
    ),
    "no_marks": (
        {"no_marks": True},
        ["■", "，", "******", "□□□", "¥", "■ ■", "、"],
        ["？", "！！", "……", "。。。", "~", "😀", "❤", "=。=", "好", "■□"],
    ),
    "no_symbols": (
        {"no_symbols": True},
        ["=。=", "……", "^_^", "■", "😀", "？", "<>"],
        ["好。", "a!", "1", "①", "あ", "²", ""],
    ),
    "url": (
        {"url": "drop"},
        ["看 http://example.org/a", "www.example.org", "HTTPS://EXAMPLE.ORG", "去ftp://a.b吧"],
        ["example", "www", "http 协议", "a://b", "wwww...", "好"],
    ),
    "phone": (
        {"phone": "drop"},
        ["打13812345678", "+86 138 1234 5678", "1381234-5678找我"[:7] + " 138-1234-5678"],
        ["打10086", "10000000", "2008年8月8日", "3.1415926535", "订单13812345678901"],
    ),
    "id": (
        {"id": "drop"},
        ["证号11010519491231002X", "11010519491231002x", "身份证 110105 19491231 002X"],
        ["110105194912310021", "11010519491331002X", "12345678", "好"],
    ),
    "qq": ({"qq": "drop"}, ["加我QQ：123456789", "qq是595577505", "Q群 415744274"], ["QQ飞车", "qq", "扣扣", "10:30"]),
    "wechat": (
        {"wechat": "drop"},
        ["微信：zfy_daqian", "vx 13812345678", "薇信abc_12345"],
        ["微信红包", "微信支付", "wx", "加微信"],
    ),
    "email": (
        {"email": "drop"},
        ["a@example.org", "写信到 a.b-c@mail.example.com 吧"],
        ["@张三", "a@b", "3@4", "a@2x.png"],
    ),
    "max_repetition": (
        {"max_repetition": 0.5},
        ["我爱你我爱你我爱你我爱你", "hiahiahiahiahia", "*" * 12],
        ["哈哈哈哈", "今天天气不错，去哪里玩呢", "好", "一二三四五六七八九十一二"],
    ),
}  # fmt: skip


def turns(texts: list[str], turn: int = 1) -> pl.DataFrame:
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    rows = turns_frame(frame.with_columns(record=pl.int_range(1, pl.len() + 1), turn_index=pl.lit(turn)))
    return rows.with_columns(raw="text", reason=pl.lit(None, pl.String), message=pl.lit(None, pl.String))


def names(rows: pl.DataFrame, options: FilterOptions, source: Source = SOURCE) -> list[list[str]]:
    """The filters that reject each turn."""
    messages = evaluate_filters(rows, options, source)
    return [[name for name in messages.columns if row[name] is not None] for row in messages.iter_rows(named=True)]


@pytest.mark.parametrize("name", TURNS)
def test_a_filter_rejects_what_it_is_for_and_lets_the_rest_stay(name: str) -> None:
    values, rejected, kept = TURNS[name]
    options, default = FilterOptions(**values), FilterOptions()
    rows = turns([*rejected, *kept])
    flagged = [name in found for found in names(rows, options)]
    assert flagged == [True] * len(rejected) + [False] * len(kept), list(zip(rows["text"], flagged, strict=True))
    assert not any(name in found for found in names(rows, default)), "it is off by default"
    reason = next(str(item.reason) for item in FILTERS if item.name == name)
    checked = apply_filters(turns(rejected), options, SOURCE)
    assert checked["reason"].to_list() == [reason] * len(rejected)
    assert apply_filters(turns([text for text in kept if text]), options, SOURCE)["reason"].null_count() == len(
        [text for text in kept if text]
    )


def test_the_tables_of_cases_and_of_trial_values_have_every_filter() -> None:
    always = {"empty", "no_answer", "max_damaged"}
    assert {*TURNS, *always, "deny"} == {item.name for item in FILTERS if item.scope is Scope.TURN}
    tried = {item.name for item in active_filters(TRIAL, SOURCE)}
    assert tried | {"no_answer", "deny"} == {item.name for item in FILTERS}
    assert {item.reason.startswith(PAIR_REASON) for item in FILTERS if item.scope is Scope.PAIR} == {True}


def test_what_matched_is_in_the_message() -> None:
    options = FilterOptions(qq="drop", url="drop", max_repetition=0.5, min_han=0.6)
    rows = turns(["加我QQ：123456789", "看 http://example.org/a 吧", "好a", "我爱你我爱你我爱你我爱你"])
    messages = evaluate_filters(rows, options, SOURCE).drop("empty", "max_damaged")
    assert {name: messages[name].drop_nulls().to_list() for name in messages.columns} == {
        "min_han": [
            "2 of 13 letters and digits are Han",
            "2 of 17 letters and digits are Han",
            "1 of 2 letters and digits are Han",
        ],
        "url": ["a link: http://example.org/a"],
        "qq": ["a QQ number: QQ：123456789"],
        "max_repetition": ["67% of its sequences of 4 characters are repeated"],
    }


def dialogues(*lengths: int, alternatives: int = 1) -> pl.DataFrame:
    """Dialogues of so many turns; the last turn of each has alternatives."""
    rows = [
        (number, turn)
        for number, length in enumerate(lengths)
        for turn in range(length)
        for _ in range(alternatives if turn == length - 1 else 1)
    ]
    frame = pl.DataFrame(rows, schema={"dialogue_id": pl.UInt32, "turn_index": pl.UInt32}, orient="row")
    frame = frame.with_columns(text=pl.lit("好"), record=pl.int_range(1, pl.len() + 1, dtype=pl.UInt32))
    rows_ = turns_frame(frame)
    return rows_.with_columns(
        raw="text", dialogue_id=frame["dialogue_id"], reason=pl.lit(None, pl.String), message=pl.lit(None, pl.String)
    )


@pytest.mark.parametrize(("options", "kept"), [
    (FilterOptions(min_turns=2), [False, True, True]),
    (FilterOptions(max_turns=2), [True, True, False]),
    (FilterOptions(min_turns=2, max_turns=2), [False, True, False]),
    (FilterOptions(), [True, True, True]),
])  # fmt: skip
def test_a_dialogue_is_rejected_with_all_its_turns(options: FilterOptions, kept: list[bool]) -> None:
    for alternatives in (1, 3):
        rows = dialogues(1, 2, 3, alternatives=alternatives)
        checked = apply_filters(rows, options, SOURCE)
        assert checked["reason"].is_null().to_list() == [kept[number] for number in rows["dialogue_id"]]
        assert set(checked["reason"].drop_nulls()) <= {"turns"}


def test_a_rejected_turn_counts_in_its_dialogue_and_a_turn_in_no_dialogue_has_no_length() -> None:
    rows = dialogues(2).with_columns(text=pl.Series(["", "好"]))
    assert apply_filters(rows, FilterOptions(min_turns=2), SOURCE)["reason"].to_list() == ["empty", None]
    alone = dialogues(1).with_columns(dialogue_id=pl.lit(None, pl.UInt32))
    assert apply_filters(alone, FilterOptions(min_turns=2), SOURCE)["reason"].to_list() == [None]
    assert names(alone, FilterOptions(min_turns=2)) == [[]]


def pairs(*texts: tuple[str, str]) -> pl.DataFrame:
    rows = pl.concat(turns([text for both in texts for text in both], turn=0) for _ in range(1))
    number = pl.int_range(pl.len(), dtype=pl.UInt32)
    return pair(rows.with_columns(dialogue_id=number // 2, turn_index=number % 2), Pairing.ADJACENT)


#: Options, pairs that are rejected, pairs that stay.
PAIRS: list[tuple[dict[str, Any], list[tuple[str, str]], list[tuple[str, str]]]] = [
    ({"min_query_chars": 2}, [("嗯", "好的")], [("好的", "嗯"), ("在吗", "在")]),
    ({"max_query_chars": 2}, [("在不在", "在")], [("在", "当然在"), ("在吗", "在")]),
    ({"min_answer_chars": 2}, [("在吗", "在")], [("在", "在的"), ("在吗", "在的")]),
    ({"max_answer_chars": 2}, [("在", "当然在")], [("当然在", "在"), ("在", "在的")]),
    ({"echo": "exact"}, [("你好", "你好")], [("你好", "你好！"), ("你好", "你")]),
    (
        {"echo": "loose"},
        [("你好", "你好！"), ("OK 吗", "ok吗？"), ("你好", "你好"), ("Ａ b", "ab")],
        [("你好", "你好吗"), ("……", "？"), ("c++", "c#"), ("3.5", "35"), ("好👍", "好😭")],
    ),
]


@pytest.mark.parametrize(("values", "rejected", "kept"), PAIRS, ids=lambda value: str(value)[:30])
def test_a_filter_of_pairs_rejects_the_pair_alone(
    values: dict[str, Any], rejected: list[tuple[str, str]], kept: list[tuple[str, str]]
) -> None:
    options, frame = FilterOptions(**values), pairs(*rejected, *kept)
    checked = apply_pair_filters(frame, options, SOURCE)
    assert checked["reason"].is_null().to_list() == [False] * len(rejected) + [True] * len(kept)
    assert checked["message"].is_null().equals(checked["reason"].is_null())
    assert checked["reason"].drop_nulls().str.starts_with(PAIR_REASON).all()
    assert checked.drop("reason", "message").equals(frame.drop("reason"))


def test_a_pair_of_a_rejected_turn_keeps_the_reason_of_the_turn() -> None:
    frame = pairs(("嗯", "好")).with_columns(reason=pl.lit("empty"))
    checked = apply_pair_filters(frame, FilterOptions(min_query_chars=2), SOURCE)
    assert (checked["reason"].item(), checked["message"].item()) == ("empty", None)


_TEXTS = st.text(alphabet="好的嗯QQ：1 38a.。■？", max_size=14)
_OPTIONS = st.builds(
    FilterOptions,
    min_han=st.sampled_from([0.0, 0.5]),
    no_marks=st.booleans(),
    no_symbols=st.booleans(),
    max_repetition=st.sampled_from([1.0, 0.3]),
    min_turns=st.sampled_from([1, 2]),
    max_turns=st.sampled_from([0, 2]),
    max_answer_chars=st.sampled_from([0, 5]),
    echo=st.sampled_from(["keep", "exact", "loose"]),
    **{kind: st.sampled_from(["keep", "drop"]) for kind in KINDS},
)


@given(st.lists(st.lists(_TEXTS, min_size=1, max_size=4), min_size=1, max_size=6), _OPTIONS)
@settings(max_examples=examples(40), deadline=None)
def test_what_each_filter_flags_decides_what_a_run_rejects(
    dialogue_texts: list[list[str]], options: FilterOptions
) -> None:
    rows = dialogues(*map(len, dialogue_texts))
    flat = [text for texts in dialogue_texts for text in texts]
    rows = rows.with_columns(text=pl.Series(flat, dtype=pl.String), raw=pl.Series(flat, dtype=pl.String))
    checked, messages = apply_filters(rows, options, SOURCE), evaluate_filters(rows, options, SOURCE)
    by_name = {item.name: item for item in active_filters(options, SOURCE)}
    firsts = [next((name for name in messages.columns if row[name] is not None), None)
              for row in messages.iter_rows(named=True)]  # fmt: skip
    assert checked["reason"].to_list() == [None if name is None else str(by_name[name].reason) for name in firsts]
    for name in messages.columns:
        found = rejections(rows, by_name[name], options, SOURCE)
        assert found["row"].to_list() == messages[name].is_not_null().arg_true().to_list()
        assert found["message"].to_list() == messages[name].drop_nulls().to_list()
    possible = pair(checked, Pairing.ADJACENT)
    filtered, of_pairs = apply_pair_filters(possible, options, SOURCE), evaluate_pair_filters(possible, options, SOURCE)
    for before, after, row in zip(
        possible["reason"],
        filtered["reason"],
        of_pairs.iter_rows() if of_pairs.width else [()] * len(possible),
        strict=True,
    ):
        assert (after is not None) == (before is not None or any(message is not None for message in row))


def test_a_filter_of_a_plugin_that_fails_is_named() -> None:
    bad = Filter(name="bad", reason="bad", rejects=lambda _options, _source: pl.col("nothing") > 1, message=pl.lit("!"))
    source = Source(name="某源", inputs=(), filters=(bad,))
    with pytest.raises(ChatCorpusError, match="filter bad: "):
        apply_filters(turns(["好"]), FilterOptions(), source)


def test_a_filter_of_a_plugin_can_be_switched_off_and_reads_its_value() -> None:
    own = Filter(
        name="ads",
        reason="ads",
        rejects=lambda options, _source: pl.col("text").str.contains(str(options.custom.get("ads", "广告"))),
        message=pl.lit("an ad"),
    )
    source = Source(name="某源", inputs=(), filters=(own,))
    rows = turns(["看广告", "好"])
    for custom, reasons in (
        ({}, ["ads", None]), ({"ads": False}, [None, None]), ({"ads": "好"}, [None, "ads"])
    ):  # fmt: skip
        assert apply_filters(rows, FilterOptions(custom=custom), source)["reason"].to_list() == reasons


@pytest.mark.parametrize("values", [
    {"min_turns": 3, "max_turns": 2}, {"min_query_chars": 3, "max_query_chars": 2}, {"min_chars": 2, "max_chars": 1},
])  # fmt: skip
def test_limits_that_nothing_meets_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is less than"):
        FilterOptions(**values)


def test_trial_values_leave_the_limits_of_the_user_alone() -> None:
    options = with_trial(FilterOptions(min_chars=500, max_turns=1, phone="mask", echo="exact"))
    assert (options.min_chars, options.max_chars, options.max_turns, options.min_turns) == (500, 0, 1, 1)
    assert (options.phone, options.qq, options.echo, options.min_han) == ("mask", "drop", "exact", TRIAL.min_han)
    assert with_trial(FilterOptions()).deny == ()


def test_reasons_have_their_scope() -> None:
    assert [str(reason) for reason in Reason if reason.startswith(PAIR_REASON)] == ["pair_length", "pair_echo"]
