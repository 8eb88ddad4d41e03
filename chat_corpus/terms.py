"""Names of values and texts of files for people: in English, the value or text itself; catalogues have translations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from string import Formatter

from chat_corpus.messages import Message, joined, message
from chat_corpus.schema import Pairing, Reason

_PAIRINGS: Mapping[str, Message] = {
    Pairing.ADJACENT: message("adjacent", "pairing"),
    Pairing.EXCHANGE: message("exchange", "pairing"),
    Pairing.FIRST: message("first", "pairing"),
    Pairing.NONE: message("none", "pairing"),
}
_REASONS: Mapping[str, Message] = {
    Reason.ENCODING: message("encoding", "reason"),
    Reason.LAYOUT: message("layout", "reason"),
    Reason.FIELDS: message("fields", "reason"),
    Reason.EMPTY: message("empty", "reason"),
    Reason.NO_ANSWER: message("no_answer", "reason"),
    Reason.NEGATIVE: message("negative", "reason"),
    Reason.UNPAIRED: message("unpaired", "reason"),
    Reason.DAMAGED: message("damaged", "reason"),
    Reason.LENGTH: message("length", "reason"),
    Reason.LITTLE_HAN: message("little_han", "reason"),
    Reason.SYMBOLS: message("symbols", "reason"),
    Reason.MARK: message("mark", "reason"),
    Reason.URL: message("url", "reason"),
    Reason.PHONE: message("phone", "reason"),
    Reason.ID: message("id", "reason"),
    Reason.QQ: message("qq", "reason"),
    Reason.WECHAT: message("wechat", "reason"),
    Reason.EMAIL: message("email", "reason"),
    Reason.REPETITION: message("repetition", "reason"),
    Reason.DENIED: message("denied", "reason"),
    Reason.TURNS: message("turns", "reason"),
    Reason.PAIR_LENGTH: message("pair_length", "reason"),
    Reason.PAIR_ECHO: message("pair_echo", "reason"),
    Reason.DUPLICATE: message("duplicate", "reason"),
    Reason.DUPLICATE_DIALOGUE: message("duplicate_dialogue", "reason"),
    Reason.NEAR_DUPLICATE: message("near_duplicate", "reason"),
    Reason.ANSWERS_PER_QUERY: message("answers_per_query", "reason"),
    Reason.QUERIES_PER_ANSWER: message("queries_per_answer", "reason"),
    Reason.UNRELATED: message("unrelated", "reason"),
}
_SCRIPTS: Mapping[str, Message] = {
    "simplified": message("simplified"),
    "traditional": message("traditional"),
    "mixed": message("mixed"),
    "neutral": message("neutral", "script"),
}
#: Frequent texts of the column `message` of rejects. A value is the name of its place.
_STORED = (
    message("a turn without text"),
    message("nothing is left after cleaning"),
    message("the text that this source has for no answer"),
    message("labelled 0: a response drawn at random"),
    message("names the utterance {id}, which is not there", id="{id}"),
    message("{lost} of {number} characters are lost", lost="{lost}", number="{number}"),
    message("{number} characters, fewer than min_chars", number="{number}"),
    message("{number} characters, more than max_chars", number="{number}"),
    message("{number} of {letters} letters and digits are Han", number="{number}", letters="{letters}"),
    message("one mark alone"),
    message("no letter and no digit"),
    message("a link: {text}", text="{text}"),
    message("a mobile number: {text}", text="{text}"),
    message("an identity number: {text}", text="{text}"),
    message("a QQ number: {text}", text="{text}"),
    message("a WeChat name: {text}", text="{text}"),
    message("an e-mail address: {text}", text="{text}"),
    message("{share} of its sequences of {number} characters are repeated", share="{share}", number="{number}"),
    message("denied by {place}: {text}", place="{place}", text="{text}"),
    message("a dialogue of {number} turns, fewer than min_turns", number="{number}"),
    message("a dialogue of {number} turns, more than max_turns", number="{number}"),
    message("the answer repeats the query"),
    message("the same pair is at {address}", address="{address}"),
    message("a pair with a similarity of {share} is at {address}", share="{share}", address="{address}"),
)


def pairing_name(pairing: str) -> Message:
    """Return the name of a `Pairing`.

    >>> pairing_name("exchange")
    'exchange'
    """
    return _PAIRINGS[Pairing(pairing)]


def script_name(script: str | None) -> str:
    """Return the name of the script of a turn, a key of `scripts` in reports; any other text unchanged."""
    return _SCRIPTS.get(script or "", script or "")


def reason_name(reason: str) -> str:
    """Return the name of a reason; that of a plugin unchanged."""
    return _REASONS.get(reason, reason)


def reason_counts(reasons: Mapping[str, int]) -> Message:
    """Return the names of reasons with their numbers, sorted by reason.

    >>> reason_counts({"layout": 7, "fields": 1_000})
    'fields 1,000, layout 7'
    """
    counts = (
        message("{reason} {number:,}", "reasons", reason=reason_name(reason), number=number)
        for reason, number in sorted(reasons.items())
    )
    return joined(", ", counts)


def stored_text(text: str) -> str:
    """Return a text of the column `message` of rejects as a message that can be translated, if it is a known one.

    >>> stored_text("7 characters, fewer than min_chars").template
    '{number} characters, fewer than min_chars'
    """
    if isinstance(text, Message):
        return text
    for known, pattern in _patterns():
        if found := pattern.fullmatch(text):
            return known.with_values(**found.groupdict())
    return text


@cache
def _patterns() -> tuple[tuple[Message, re.Pattern[str]], ...]:
    return tuple((known, re.compile(_pattern(known.template), re.DOTALL)) for known in _STORED)


def _pattern(template: str) -> str:
    parts = Formatter().parse(template)
    return "".join(re.escape(literal) + (f"(?P<{name}>.+?)" if name else "") for literal, name, _, _ in parts)
