"""Ten mutants by default, ninety more with the slow tests; `python -m tests.fuzz` makes as many as one likes."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat_corpus import sources
from tests.conftest import slow_from
from tests.fuzz.__main__ import bundled
from tests.fuzz.check import check
from tests.fuzz.mutants import mutant

SAMPLES = bundled()


@pytest.mark.parametrize("first", slow_from(1, range(0, 100, 10)))
def test_damage_ends_in_rejects_or_in_a_message_and_nothing_is_lost(first: int, tmp_path: Path) -> None:
    for number in range(first, first + 10):
        check(mutant(SAMPLES, 20, number), tmp_path / str(number))


def test_mutants_are_reported_by_their_number_and_come_from_every_source() -> None:
    some = [mutant(SAMPLES, 1, number) for number in range(200)]
    assert some == [mutant(SAMPLES, 1, number) for number in range(200)]
    assert {one.sample.source for one in some} == set(sources.load())
    assert len({one.contents for one in some}) > 150
    assert mutant(SAMPLES, 2, 0) != some[0]


def test_a_broken_law_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*_: object) -> None:
        raise ZeroDivisionError

    made = next(one for one in (mutant(SAMPLES, 3, number) for number in range(500)) if one.sample.source == "tieba")
    check(made, tmp_path)
    monkeypatch.setattr("chat_corpus.pipeline.filters.table.apply_filters", dies)
    with pytest.raises(ZeroDivisionError):
        check(made, tmp_path)
