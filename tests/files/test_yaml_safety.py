"""YAML from elsewhere is checked before it is composed: how deep it is, and whether it has aliases."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.files import yaml_safety
from chat_corpus.files.yaml_safety import LOADER, check_nesting
from tests.conftest import examples

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab:{}[]&*- \n'\"#", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab*&", max_size=3), inner, max_size=3),
    max_leaves=8,
)


def depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth, inner), default=0) if isinstance(value, dict | list) else 0


@settings(max_examples=examples(30))
@given(VALUES)
def test_plain_values_pass_whatever_marks_their_texts_hold(value: object) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    assert check_nesting(text) is ("&id" in text)
    assert yaml.load(text, Loader=LOADER) == value  # noqa: S506 a safe loader


@pytest.mark.parametrize("make", [
    lambda deep: "[" * deep + "]" * deep,
    lambda deep: "{a: " * deep + "1" + "}" * deep,
    lambda deep: "\n".join(" " * level + "a:" for level in range(deep)),
    lambda deep: "- " * deep + "1",
    lambda deep: "[{a: " * (deep // 2) + "1" + "}]" * (deep // 2),
], ids=["lists", "mappings", "blocks", "dashes", "both"])  # fmt: skip
def test_the_limit_of_depth_is_exact_in_every_notation(make: object) -> None:
    most = yaml_safety._DEEPEST
    assert check_nesting(make(most)) is False  # type: ignore[operator]
    with pytest.raises(ValueError, match=f"more than {most} deep"):
        check_nesting(make(most + 2))  # type: ignore[operator]


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "{a: " * 100_000], ids=["lists", "dashes", "mappings"])
def test_depth_is_found_before_anything_is_composed(text: str) -> None:
    """A hundred thousand levels would exhaust the C stack of a composer; libyaml has a limit of its own for some."""
    with pytest.raises((ValueError, yaml.YAMLError)):
        check_nesting(text)


@pytest.mark.parametrize(("text", "has_alias"), [
    ("a: &x 1\nb: *x", True),
    ("a: &x 1", False),
    ("a: '*x'", False),
    ("a: |\n  *x", False),
    ("- &x [*x]", True),
])  # fmt: skip
def test_an_alias_is_one_for_the_parser_not_a_star_in_the_text(text: str, has_alias: bool) -> None:
    assert check_nesting(text) is has_alias


@pytest.mark.parametrize("text", ["a: [", "\ta: 1", "a: 'x", "*x: {"])
def test_invalid_yaml_is_an_error_of_yaml(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        check_nesting(text)


@pytest.mark.parametrize("text", ["!!python/object/apply:os.getcwd []", "!!python/name:os.system", "!mine {}"])
def test_the_loader_makes_no_objects(text: str) -> None:
    with pytest.raises(yaml.constructor.ConstructorError):
        yaml.load(text, Loader=LOADER)  # noqa: S506 a safe loader
