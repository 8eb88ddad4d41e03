"""Links and personal data become placeholders where the settings say so, and stay where another kind drops the turn."""

from __future__ import annotations

import polars as pl
import pytest

from chat_corpus.pipeline.filters.masking import mask_personal
from chat_corpus.pipeline.filters.options import FilterOptions

CASES = [
    (FilterOptions(qq="mask"), "加我QQ：123456789", "加我QQ：<QQ>", {"qq": 1}),
    (FilterOptions(phone="mask"), "打13812345678或13912345678", "打<PHONE>或<PHONE>", {"phone": 1}),
    (FilterOptions(phone="mask"), "微信13812345678", "微信<PHONE>", {"phone": 1}),
    (FilterOptions(phone="mask", wechat="drop"), "微信13812345678", "微信13812345678", {}),
    (FilterOptions(url="mask", email="mask"), "看 www.example.org 或 a@example.org",
     "看 <LINK> 或 <EMAIL>", {"url": 1, "email": 1}),
    (FilterOptions(url="mask"), "加我QQ：123456789", "加我QQ：123456789", {}),
    (FilterOptions(id="mask"), "11010519491231002X", "<ID>", {"id": 1}),
    (FilterOptions(wechat="mask"), "微信红包", "微信红包", {}),
    (FilterOptions(qq="drop"), "加我QQ：123456789", "加我QQ：123456789", {}),
    (FilterOptions(), "加我QQ：123456789", "加我QQ：123456789", {}),
]  # fmt: skip


@pytest.mark.parametrize(("options", "text", "expected", "counts"), CASES)
def test_a_kind_is_masked_if_the_settings_say_so(
    options: FilterOptions, text: str, expected: str, counts: dict[str, int]
) -> None:
    masked, changed = mask_personal(pl.Series([text, "好", None]), options)
    assert masked.to_list() == [expected, "好", None]
    assert dict(changed) == counts


def test_what_is_masked_decides_what_cleaning_depends_on() -> None:
    assert FilterOptions(phone="drop", min_chars=5).masking == FilterOptions()
    assert FilterOptions(phone="mask", qq="drop", min_chars=5).masking == FilterOptions(phone="mask", qq="drop")
