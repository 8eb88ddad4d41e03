"""How many rows each source gives to a sample, and what counts as changed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.lineage.sample_model import SampledText, SampleRequest, allot, without_rows
from tests.conftest import examples

AVAILABLE = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 30), max_size=6)


@settings(max_examples=examples(60))
@given(st.integers(0, 80), AVAILABLE)
def test_rows_are_spread_as_evenly_as_the_sources_allow(count: int, available: dict[str, int]) -> None:
    shares = allot(count, available)
    assert list(shares) == list(available)
    assert sum(shares.values()) == min(count, sum(available.values()))
    assert all(0 <= shares[name] <= available[name] for name in available)
    # Whoever has fewer than somebody else has no more to give, but for one that cannot be split.
    most = max(shares.values(), default=0)
    assert all(shares[name] >= most - 1 or shares[name] == available[name] for name in available)


@settings(max_examples=examples(30))
@given(st.integers(0, 80), AVAILABLE)
def test_the_order_of_the_sources_changes_no_more_than_where_the_rest_goes(
    count: int, available: dict[str, int]
) -> None:
    forth, back = allot(count, available), allot(count, dict(reversed(available.items())))
    assert sorted(forth.values()) == sorted(back.values())


def test_sources_that_were_named_and_have_nothing_are_remarked_once() -> None:
    request = SampleRequest(sources=("ptt", "sms", "sms", "gone"), places={})
    remarks = without_rows(request, {"ptt": 3, "sms": 0, "tieba": 0})
    assert list(map(str, remarks)) == ["sms: nothing to draw from", "gone: nothing to draw from"]
    assert without_rows(SampleRequest(places={}), {"sms": 0}) == []


@pytest.mark.parametrize(("before", "after", "expected"), [
    ("這", "这", True), ("这", "这", False), (None, "这", False), ("廣告", None, True), (None, None, False),
    ("", "", False),
])  # fmt: skip
def test_a_text_is_changed_if_it_is_known_and_differs(before: str | None, after: str | None, expected: bool) -> None:
    assert SampledText(role="query", address=None, before=before, after=after).changed is expected
