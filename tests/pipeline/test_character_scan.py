"""One scan finds every sign that any text holds, in little text and in much."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat_corpus.pipeline import character_scan
from chat_corpus.pipeline.character_scan import ANY, CharacterScan, Sign, code_points
from chat_corpus.pipeline.text.gates import PLAIN, PLAIN_CJK
from tests.conftest import examples
from tests.pipeline.signs import holds

CLASSES = ["a", "ab", r"\]\-^", r"b-d\x{1F600}", r"\x41\n", "，。", ANY]
CHARACTERS = st.sampled_from("aabbcd]-^A\n，。😀\ufdd0\0 好")
TEXTS = st.lists(
    st.none()
    | st.lists(st.tuples(CHARACTERS, st.integers(1, 14)).map(lambda one: one[0] * one[1]), max_size=5).map("".join),
    max_size=8,
)
SIGNS = st.one_of(
    st.builds(Sign, characters=st.sampled_from(CLASSES)),
    st.builds(Sign, characters=st.sampled_from(CLASSES[:-1]), then=st.sampled_from(CLASSES[:-1])),
    st.builds(Sign, characters=st.sampled_from(CLASSES[:-1]), edge=st.just(True)),
    st.builds(Sign, characters=st.sampled_from(CLASSES), length=st.integers(2, 13), same=st.booleans()),
)


@pytest.fixture(params=[False, True], ids=["little", "much"])
def much(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(character_scan, "numpy_pays", lambda size: size > 0 and request.param)
    return bool(request.param)


@settings(deadline=None, max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(SIGNS, max_size=2), min_size=1, max_size=4), TEXTS)
def test_what_a_text_holds_is_found(much: bool, groups: list[list[Sign]], texts: list[str | None]) -> None:
    scan = CharacterScan({str(number): signs for number, signs in enumerate(groups)})
    found = scan.find(pl.Series("text", texts, dtype=pl.String))
    assert found.dtype == pl.UInt32
    for text, bits in zip(texts, found.to_list(), strict=True):
        for number, signs in enumerate(groups):
            held, flagged = any(holds(text or "", sign) for sign in signs), bool(bits & scan.bits(str(number)))
            assert flagged >= held, (text, signs)
            if all(sign.single for sign in signs):
                assert flagged == held, (text, signs)
            # Only little text is looked at roughly, and long rows.
            if much and "\ufdd0" not in str(texts) and all(sign.length < 8 or sign.same for sign in signs):
                assert flagged == held, (text, signs)


@pytest.mark.parametrize("characters", [PLAIN, PLAIN_CJK, f"^{PLAIN}", *CLASSES[:-1]])
def test_a_class_has_the_members_that_polars_finds_in_it(characters: str) -> None:
    letters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    members, excluded = set(code_points(characters)), characters.startswith("^")
    matched = pl.Series(letters).filter(pl.Series(letters).str.contains(f"[{characters}]")).to_list()
    assert matched == [letter for letter in letters if (ord(letter) in members) is not excluded]


def test_pieces_of_much_text_are_put_together_in_order() -> None:
    texts = ["好" * 50, "a", "", None, "aa" * 40] * 2_000
    scan = CharacterScan({"a": [Sign(characters="a")], "run": [Sign(characters="a", length=3)]})
    found = scan.find(pl.Series(texts, dtype=pl.String))
    assert found.to_list() == [0, 1, 0, 0, 3] * 2_000
