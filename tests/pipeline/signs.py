"""The plain definition of what a text holds."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from chat_corpus.pipeline.character_scan import Sign, code_points


def _member(characters: str) -> Callable[[str], bool]:
    codes, excluded = set(code_points(characters)), characters.startswith("^")
    return lambda character: (ord(character) in codes) is not excluded


def holds(text: str, sign: Sign) -> bool:
    """Whether a text holds what a sign declares."""
    first, then = _member(sign.characters), _member(sign.then)
    if sign.edge:
        return any(first(character) for character in text[:1] + text[-1:])
    if sign.then:
        return any(first(one) and then(other) for one, other in pairwise(text))
    rows = (text[begin : begin + sign.length] for begin in range(len(text) - sign.length + 1))
    return any(all(map(first, row)) and (not sign.same or len(set(row)) == 1) for row in rows)
