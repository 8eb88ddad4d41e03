"""Personal data is masked, and numbers that are nobody's stay as they are."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.pipeline.filters.personal import (
    CANDIDATE,
    Personal,
    candidates,
    first_in,
    is_identity_number,
    mask,
    mask_text,
)
from tests.conftest import examples

#: `text TAB expected`, `=` where the text must stay. All numbers and names are invented.
CASES = [
    tuple(line.split("\t")) for line in (Path(__file__).parent / "personal_cases.tsv").read_text("utf-8").splitlines()
]
STAYS = [text for text, expected in CASES if expected == "="]
MASKED = [(text, expected) for text, expected in CASES if expected != "="]


@pytest.mark.parametrize("text", STAYS)
def test_what_is_nobodys_stays(text: str) -> None:
    counts: Counter[str] = Counter()
    assert (mask_text(text, counts), counts) == (text, Counter())


@pytest.mark.parametrize(("text", "expected"), MASKED)
def test_what_is_personal_is_masked_and_counted(text: str, expected: str) -> None:
    counts: Counter[str] = Counter()
    assert mask_text(text, counts) == expected
    assert counts == Counter(
        {str(kind): number for kind in Personal if (number := expected.count(f"<{kind.upper()}>"))}
    )


def test_the_table_is_large_and_half_of_it_stays() -> None:
    assert len(CASES) == len({text for text, _ in CASES}) >= 120
    assert len(STAYS) >= 60
    assert len(MASKED) >= 60


def test_a_column_gives_what_its_texts_give_alone() -> None:
    texts = [text for text, _ in CASES]
    masked, counts = mask(pl.Series([*texts, None]))
    alone: Counter[str] = Counter()
    assert masked.to_list() == [*(mask_text(text, alone) for text in texts), None]
    assert counts == alone


_PIECES = st.sampled_from(
    (
        *(
            "加我",
            "QQ",
            "qq",
            "扣扣",
            "企鹅号",
            "Q群",
            "群号",
            "群",
            "这个",
            "微信",
            "vx",
            "号",
            "是",
            "：",
            "(",
            "吧",
            "，",
            "\n",
            "-",
            " ",
            " " * 20,
        ),
        *("139", "1234", "5678", "13912345678", "123456789", "12345", "abc_12", "a@b.cn"),
    )
)


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(_PIECES, max_size=8).map("".join))
def test_the_prefilter_stops_no_text_that_a_detector_would_change(text: str) -> None:
    # `first_in` has no prefilter, unlike `mask_text`.
    found = [first_in(text, kind) for kind in Personal]
    assert found == [None] * len(found) or (candidates(pl.Series([text]))[0] and re.search(CANDIDATE, text))


_WIDE = " " * 20
_FAR = [
    f"QQ{_WIDE}：{_WIDE}123456789",
    f"123456789{_WIDE}({_WIDE}QQ)",
    f"群{_WIDE}123456789",
    f"微信{_WIDE}：{_WIDE}abc_123",
]


@pytest.mark.parametrize("text", [*(text for text, _ in MASKED), *_FAR])
def test_the_prefilter_lets_known_personal_data_through(text: str) -> None:
    assert candidates(pl.Series([text]))[0]


def test_any_number_of_blanks_may_be_before_a_number() -> None:
    assert mask(pl.Series(_FAR))[1] == {"qq": 3, "wechat": 1}


def test_masking_twice_changes_nothing() -> None:
    once, _ = mask(pl.Series([text for text, _ in MASKED]))
    twice, counts = mask(once)
    assert twice.to_list() == once.to_list()
    assert not counts


def test_nothing_to_mask_gives_the_same_column() -> None:
    texts = pl.Series(["你好", "在吗", None, ""])
    masked, counts = mask(texts)
    assert masked is texts
    assert not counts


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("999999199001010016", True),
        ("99999919900101001X", False),
        ("999999190002290019", False),  # 1900 had no 29 February
    ],
)
def test_an_identity_number_has_a_real_date_and_a_check_digit(number: str, valid: bool) -> None:
    assert is_identity_number(number) is valid
