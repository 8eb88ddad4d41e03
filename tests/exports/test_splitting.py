"""Ids and splits depend on the content of a record, and on nothing else."""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.errors import UsageError
from chat_corpus.exports import splits, splitting
from chat_corpus.exports.dialogues import MESSAGE
from chat_corpus.exports.splits import SplitOptions, parse_split
from tests.conftest import examples


def _canonical(text: str) -> str:
    """The canonical form as its definition has it, one character after another."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    plain = "".join(char for char in folded if unicodedata.category(char)[0] in "LN")
    return re.sub(r"(.)\1+", r"\1", plain) or text


_CHARACTERS = st.sampled_from("哈哈哈，。！ Ａａaß①_=。=？ﬁΣς\u3000\u0301é½ĳ\x1f𠮷😀٣\n")


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(st.text(_CHARACTERS, max_size=8), max_size=5))
def test_the_canonical_form_is_what_its_definition_says(texts: list[str]) -> None:
    assert splitting.canonical(pl.Series(texts, dtype=pl.String)).to_list() == [_canonical(text) for text in texts]


def test_what_nothing_is_left_of_stays() -> None:
    assert splitting.canonical(pl.Series(["……", "！！", "=。="])).to_list() == ["……", "！！", "=。="]


def test_a_group_is_the_first_message_and_of_short_ones_the_second_too() -> None:
    opener = pl.Series(["今天天气怎么样？", "什么", "什么！"])
    reply = pl.Series(["很好", "没什么", "没什么。"])
    assert splitting.content_groups(opener, reply).to_list() == ["今天气怎么样", "什么\x1f没什么", "什么\x1f没什么"]


def test_a_hash_is_the_keyed_blake2b_of_the_group() -> None:
    """Written out, so that no change of the code can change a split unseen."""
    (found,) = splitting.group_hashes(pl.Series(["今天天气怎么样？"]), pl.Series(["很好"]))
    digest = blake2b("今天气怎么样\x1f".encode(), digest_size=8, key=b"chat-corpus split 1").digest()
    assert found == int.from_bytes(digest, "big")


def _messages(*dialogues: list[str]) -> pl.Series:
    roles = ("user", "assistant")
    rows = [[{"role": roles[at % 2], "content": text} for at, text in enumerate(one)] for one in dialogues]
    return pl.Series(rows, dtype=pl.List(MESSAGE))


def test_ids_are_fixed() -> None:
    keys = splitting.content_keys(_messages(["你好", "在"], ["你好", "在"], ["你好", "不在"]))
    ids = splitting.record_ids("ptt", keys, splitting.occurrences(keys)).to_list()
    assert ids == ["ptt-e6d8768768a671f6", "ptt-c63920e3cf7b816f", "ptt-2289ac103340f7ce"]
    assert all(re.fullmatch("ptt-[0-9a-f]{16}", one) for one in ids)


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(st.lists(st.sampled_from("好在不"), min_size=2, max_size=3), min_size=1, max_size=12), st.data())
def test_ids_are_unique_and_stay_when_data_are_added(dialogues: list[list[str]], data: st.DataObject) -> None:
    def ids(of: list[list[str]]) -> list[str]:
        keys = splitting.content_keys(_messages(*of))
        return splitting.record_ids("ptt", keys, splitting.occurrences(keys)).to_list()

    whole = ids(dialogues)
    assert len(set(whole)) == len(whole)
    some = [one for one in dialogues if data.draw(st.booleans())]
    assert set(ids(some)) <= set(whole)


def test_a_system_message_changes_no_id() -> None:
    plain = _messages(["你好", "在"])
    prompt = [{"role": "system", "content": "你是助手"}, *plain.to_list()[0]]
    assert (
        splitting.content_keys(pl.Series([prompt], dtype=pl.List(MESSAGE))).to_list()
        == splitting.content_keys(plain).to_list()
    )


def test_records_are_equal_but_for_case_punctuation_and_blanks() -> None:
    low, high = splitting.equal_keys(
        _messages(["你好！", "OK 的"], ["你好", "ok的。"], ["你好", "ok"], ["……", "ok"], ["！！", "ok"], ["你", "好ok"])
    )
    for keys in (low, high):
        assert keys[0] == keys[1]
        assert keys[1:].n_unique() == 5
    assert not (low == high).any()


DIFFERENT = [
    "a>b a<b",
    "3.5元 35元",
    "-5 5",
    "C++ C#",
    "好👍 好😭",
    "50% 50",
    "1:30 130",
    "well-known wellknown",
    "x=1 x1",
]
EQUAL = [
    "好！ 好",
    "OK. ok",
    "好~ 好",
    "Ｃ＋＋ c++",
    "你好。。。 你好",
    "《书》 书",
    "哈-哈 哈哈",
    "“好” 好",
    "3．5 3.5",
    "好： 好",
]


@pytest.mark.parametrize(("pair", "equal"), [*((pair, 0) for pair in DIFFERENT), *((pair, 1) for pair in EQUAL)])
def test_marks_with_a_meaning_are_not_punctuation(pair: str, equal: int) -> None:
    first, second = pair.split(" ")
    keys, _ = splitting.equal_keys(_messages(["问", first], ["问", second]))
    assert (keys[0] == keys[1]) == bool(equal)


_PARTS = st.text(st.sampled_from("好哈aAＡßΣς①é한，。！…～\u3000\n"), max_size=6)


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(_PARTS, min_size=2, max_size=4))
def test_each_part_of_joined_texts_is_folded_as_by_itself(parts: list[str]) -> None:
    whole = splitting.fold_spelled(pl.Series(["\x1f".join(parts)]))
    assert whole.to_list() == ["\x1f".join(splitting.fold(pl.Series(parts)))]


def test_the_fast_way_to_fold_changes_nothing() -> None:
    """Every character that `fold` treats as plain is folded as any other is."""
    plain = re.compile(f"[{splitting.PLAIN}]")
    characters = pl.Series([chr(code) for code in range(0x110000) if plain.match(chr(code))])
    assert len(characters) > 20_000
    expected = splitting.fold_any(characters)
    assert splitting.fold(characters).equals(expected.zip_with(expected != "", characters))


@settings(max_examples=examples(25), deadline=None)
@given(
    st.lists(st.integers(0, (1 << 64) - 1), max_size=40),
    st.floats(0, 0.49),
    st.floats(0, 0.49),
    st.sampled_from([0, 1, 3]),
)
def test_splits_are_ranges_of_hashes(hashes: list[int], test: float, validation: float, most: int) -> None:
    options = SplitOptions(test=test, validation=validation, max_groups=most)
    column = pl.Series(hashes, dtype=pl.UInt64)
    limits = splits.split_limits(options, column)
    found = splits.assign_split(column, limits).to_list()
    for name in splitting.SPLITS:
        assert splits.is_in_split(column, limits, name).to_list() == [split == name for split in found]
    uncapped = splits.assign_split(column, splits.split_limits(options)).to_list()
    for split, before, value in zip(found, uncapped, hashes, strict=True):
        share = value / (1 << 64)
        assert before == ("test" if share < test else "validation" if share >= 1 - validation else "train") or (
            min(abs(share - test), abs(share - 1 + validation)) < 1e-9
        )
        assert split in (before, "held")
        assert before != "train" or split == "train"
    for name in ("test", "validation"):
        groups = {value for split, value in zip(found, hashes, strict=True) if split == name}
        assert len(groups) <= (most or len(groups))


def test_more_test_moves_no_row_out_of_test_and_none_from_validation() -> None:
    column = pl.Series([number << 56 for number in range(256)], dtype=pl.UInt64)
    small, large = (
        splits.assign_split(column, splits.split_limits(parse_split(text)))
        for text in ("test=0.1,validation=0.1", "test=0.2,validation=0.1")
    )
    assert large.filter(small == "test").unique().to_list() == ["test"]
    assert small.filter(large == "validation").unique().to_list() == ["validation"]
    assert (large == "test").sum() == 52


@pytest.mark.parametrize(
    "text",
    [
        "test=1",
        "test=0.5,validation=0.5",
        "test=-0.1",
        "train=0.9",
        "dev=0.1",
        "test",
        "test=x",
        "test=0.1,test=0.2",
        "",
        "test=nan",
    ],
)
def test_a_split_that_cannot_be_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="--split"):
        parse_split(text)


def test_the_sum_is_looked_at_in_settings_too() -> None:
    with pytest.raises(msgspec.ValidationError, match="less than 1"):
        msgspec.convert({"test": 0.6, "validation": 0.4}, SplitOptions)
