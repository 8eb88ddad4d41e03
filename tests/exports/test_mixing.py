"""Mixes have the shares they are given, subsets are nested, and another source leaves the order of the others."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.errors import UsageError
from chat_corpus.exports.mix_options import MixOptions, largest_subset, parse_shares, parse_subsets, subset_sizes
from chat_corpus.exports.mixing import MixPlan, plan_mix
from tests.conftest import examples


def _order(sizes: dict[str, int], weights: dict[str, float]) -> list[str]:
    """The order as its definition has it, with fractions."""
    times = [(Fraction(2 * rank + 1) / Fraction(weights[name]), name) for name in sizes for rank in range(sizes[name])]
    return [name for _, name in sorted(times)]


_SIZES = st.dictionaries(st.sampled_from(["ptt", "tieba", "weibo", "sms"]), st.integers(0, 40), min_size=1)
_WEIGHTS = st.fixed_dictionaries(dict.fromkeys(["ptt", "tieba", "weibo", "sms"], st.sampled_from([0.5, 1, 2, 3, 7])))


@settings(max_examples=examples(80), deadline=None)
@given(_SIZES, _WEIGHTS, st.data())
def test_the_order_is_what_its_definition_says(
    sizes: dict[str, int], weights: dict[str, float], data: st.DataObject
) -> None:
    plan = MixPlan(sizes=dict(sorted(sizes.items())), weights=weights)
    expected = _order(sizes, weights)
    assert plan.sources(0, plan.total) == expected
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, plan.total)] * 2)))
    assert plan.sources(first, last) == expected[first:last]
    assert Counter(expected[:first]) == +Counter(plan.ranks(first))


@settings(max_examples=examples(100), deadline=None)
@given(_SIZES, _WEIGHTS)
def test_another_source_leaves_the_others_in_their_order(sizes: dict[str, int], weights: dict[str, float]) -> None:
    plan = MixPlan(sizes=dict(sorted(sizes.items())), weights=weights)
    more = MixPlan(sizes=dict(sorted({**sizes, "new": 25}.items())), weights={**weights, "new": 1.7})
    assert [name for name in more.sources(0, more.total) if name != "new"] == plan.sources(0, plan.total)


@pytest.mark.parametrize("size", [10, 100, 1_000, 7_000])
def test_prefixes_have_the_exact_shares(size: int) -> None:
    plan = plan_mix(MixOptions(shares="a=6,b=3,c=1"), {"a": 50_000, "b": 3_000, "c": 700})
    assert plan.ranks(size) == {"a": size * 6 // 10, "b": size * 3 // 10, "c": size // 10}


def test_many_records_are_as_quick_as_few() -> None:
    plan = plan_mix(MixOptions(), {"a": 10**12, "b": 3 * 10**12, "c": 7})
    assert plan.ranks(4 * 10**9) == {"a": 10**9, "b": 3 * 10**9, "c": 0}
    assert Counter(plan.sources(10**12, 10**12 + 4_000)) == {"a": 1_000, "b": 3_000}


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ("natural", {"a": 800, "b": 100, "c": 100}),
        ("", {"a": 800, "b": 100, "c": 100}),
        ("equal", {"a": 334, "b": 333, "c": 333}),
        ("temperature=0.5", {"a": 585, "b": 207, "c": 208}),
        ("a=1,b=1,c=2", {"a": 250, "b": 250, "c": 500}),
    ],
)
def test_shares_of_every_kind(shares: str, expected: dict[str, int]) -> None:
    found = plan_mix(MixOptions(shares=shares), {"a": 8_000, "b": 1_000, "c": 1_000}).ranks(1_000)
    assert all(abs(found[name] - number) <= 1 for name, number in expected.items())


def test_where_a_source_runs_out_is_known() -> None:
    plan = plan_mix(MixOptions(shares="equal"), {"a": 10, "b": 4, "c": 10})
    assert plan.first_to_end() == ("b", 13)
    assert plan.sources(0, 16) == [*"abc" * 4, "a", "c", "a", "c"]
    assert plan_mix(MixOptions(shares="natural"), {"a": 10, "b": 4, "c": 10}).first_to_end() is None
    assert plan_mix(MixOptions(), {}).first_to_end() is None


@settings(max_examples=examples(60), deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcde"), st.integers(1, 5_000), min_size=4, max_size=5),
    st.sampled_from(["0.25", "0.3", "0.5", "0.99"]),
    st.sampled_from(["natural", "equal", "temperature=0.5"]),
)
def test_no_source_has_more_than_the_largest_share(sizes: dict[str, int], share: str, shares: str) -> None:
    plan = plan_mix(MixOptions(shares=shares, max_share=float(share)), sizes)
    assert all(size <= Fraction(share) * plan.total for size in plan.sizes.values())
    assert all(0 < size <= sizes[name] for name, size in plan.sizes.items())
    whole = sum(plan.weights.values())
    assert all(weight <= float(share) * whole * 1.000001 for weight in plan.weights.values())
    # As many as possible: with one record more of each limited source, one of them would have too much.
    limited = [name for name in sizes if plan.sizes[name] < sizes[name]]
    assert not limited or max(plan.sizes.values()) + 1 > Fraction(share) * (plan.total + 1)


def test_a_source_that_is_half_of_all_is_held_to_its_share() -> None:
    plan = plan_mix(MixOptions(max_share=0.3), {"a": 4_600, "b": 2_400, "c": 2_000, "d": 1_000})
    assert plan.sizes == {"a": 2_250, "b": 2_250, "c": 2_000, "d": 1_000}
    assert plan.ranks(300) == {"a": 90, "b": 90, "c": 80, "d": 40}


def test_sizes_of_subsets() -> None:
    assert subset_sizes(parse_subsets("1m,200K,all")) == {"n200k": 200_000, "n1m": 1_000_000, "all": None}
    assert largest_subset(MixOptions(subsets=("200k", "1m"))) == 1_000_000
    assert largest_subset(MixOptions(subsets=("200k", "all"))) is None
    assert largest_subset(MixOptions()) is None


@pytest.mark.parametrize("text", ["", "0", "1g", "-5", "1.0005k", "10,10", "1k,1000", "200k;600k"])
def test_sizes_that_cannot_be_are_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="--subset"):
        parse_subsets(text)


@pytest.mark.parametrize(
    "text", ["even", "ptt", "ptt=0", "ptt=-1", "ptt=nan", "ptt=inf", "ptt=1,ptt=2", "=1", "temperature=2", "ptt=x", ","]
)
def test_shares_that_cannot_be_are_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="--mix"):
        parse_shares(text)


def test_weights_must_name_exactly_the_sources() -> None:
    with pytest.raises(UsageError, match="no weight for tieba, weibo"):
        plan_mix(MixOptions(shares="ptt=1"), {"ptt": 1, "tieba": 0, "weibo": 1})
    with pytest.raises(UsageError, match="weibo is not among"):
        plan_mix(MixOptions(shares="ptt=1,weibo=1"), {"ptt": 1})
    with pytest.raises(UsageError, match=r"3 sources cannot all .* 0\.334 or more"):
        plan_mix(MixOptions(max_share=0.3), {"a": 5, "b": 5, "c": 5})


def test_settings_are_looked_at_too() -> None:
    for wrong in ({"shares": "even"}, {"subsets": ["x"]}, {"max_share": 0}, {"max_share": 1.1}):
        with pytest.raises((msgspec.ValidationError, UsageError)):
            msgspec.convert(wrong, MixOptions)
