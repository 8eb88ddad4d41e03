"""Every reason has words of its own in both languages, singular and plural."""

from __future__ import annotations

import re

import pytest

from chat_corpus.cli.words import dropped, left_out_records, left_out_turns
from chat_corpus.exports.dialogues import DropReason
from chat_corpus.messages import Message, load_catalogue
from chat_corpus.schema import Reason

HELD = ("duplicate", "held_cap", "held_twin", "held_mix")
HAN = re.compile("[\u4e00-\u9fff]")


def both(text: Message) -> tuple[str, str]:
    return str(text), text.translated(load_catalogue("zh"))


@pytest.mark.parametrize("reason", [*Reason, *DropReason])
@pytest.mark.parametrize("number", [1, 2, 1234])
def test_a_reason_has_words_in_both_languages(reason: str, number: int) -> None:
    english, chinese = both(left_out_turns(str(reason), number))
    assert f"{number:,}" in english
    assert f"{number:,}" in chinese
    assert "rejected as" not in english, "no words for this reason"
    assert len(HAN.findall(chinese)) >= 3
    assert re.search(r"[a-z]{6}", chinese) is None, "English is left"


@pytest.mark.parametrize("make", [dropped, left_out_turns, left_out_records])
def test_no_two_reasons_have_the_same_words(make: object) -> None:
    reasons = {dropped: [*Reason], left_out_turns: [*Reason, *DropReason], left_out_records: HELD}[make]  # type: ignore[index]
    for language in (0, 1):
        words = [both(make(str(one), 7))[language] for one in reasons]  # type: ignore[operator]
        assert len(set(words)) == len(words)


@pytest.mark.parametrize("reason", [*Reason, *DropReason])
def test_one_is_singular(reason: str) -> None:
    one, two = (str(left_out_turns(str(reason), number)) for number in (1, 2))
    nouns = r"\b(turn|record|pair|line|sample|answer|dialogue)s?\b"
    assert re.search(nouns, one.split(" with ")[0].split(" in ")[0])[0].endswith("s") is False  # type: ignore[index]
    assert two.replace("2", "1") != one


@pytest.mark.parametrize("reason", HELD)
def test_records_that_an_export_leaves_out_have_words(reason: str) -> None:
    english, chinese = both(left_out_records(reason, 1234))
    assert "1,234 " in english
    assert "1,234 个样本" in chinese or "1,234 个重复样本" in chinese
    assert "rejected as" not in english


@pytest.mark.parametrize("make", [dropped, left_out_turns, left_out_records])
def test_a_reason_of_a_plugin_is_named_as_the_plugin_names_it(make: object) -> None:
    english, chinese = both(make("advertisement", 3))  # type: ignore[operator]
    assert (english, chinese) == ("3 rejected as advertisement", "3 条因 advertisement 被舍弃")
