"""A sealed file is the one that was written under its name, to the last bit, or it is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.outputs.sealed import seal, unseal
from tests.conftest import examples

DATA = st.binary(max_size=40)


@settings(max_examples=examples(50))
@given(DATA, st.text(max_size=10))
def test_what_was_sealed_is_read_back(data: bytes, name: str) -> None:
    assert unseal(seal(data, name), name) == data


@settings(max_examples=examples(60))
@given(DATA, st.data())
def test_one_bit_that_flipped_is_found_wherever_it_is(data: bytes, choice: st.DataObject) -> None:
    sealed = bytearray(seal(data, "ptt-3"))
    bit = choice.draw(st.integers(0, 8 * len(sealed) - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ValueError, match="digest at its end"):
        unseal(bytes(sealed), "ptt-3")


@settings(max_examples=examples(40))
@given(DATA, st.data())
def test_a_part_of_a_file_is_refused(data: bytes, choice: st.DataObject) -> None:
    sealed = seal(data, "ptt-3")
    for part in (sealed[: choice.draw(st.integers(0, len(sealed) - 1))], sealed + b"\0", b"\0" + sealed, b""):
        with pytest.raises(ValueError, match="digest at its end"):
            unseal(part, "ptt-3")


@pytest.mark.parametrize("name", ["ptt-4", "ptt-33", "ptt", "", "PTT-3", "ptt-3 "])
def test_a_file_under_the_name_of_another_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="digest at its end"):
        unseal(seal(b"turns", "ptt-3"), name)
