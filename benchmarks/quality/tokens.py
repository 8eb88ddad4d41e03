"""Texts as numbers for the small models: frequent characters are one token each, others are their bytes in UTF-8.

All inputs share one vocabulary, and every text has a spelling, so bits per character can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Integers = NDArray[np.int64]

#: Characters that are one token each.
CHARACTERS = 4_000
#: Tokens of no character: at the beginning of a pair, between its texts, after it. The 256 bytes follow them.
BEGIN, BETWEEN, END = 0, 1, 2
_BYTES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """The characters that are one token each; the first one has the number `3 + 256`."""

    characters: tuple[str, ...]

    @property
    def size(self) -> int:
        """The number of tokens."""
        return _BYTES + 256 + len(self.characters)

    def encode(self, pairs: pl.DataFrame) -> list[list[int]]:
        """The tokens of each pair, from BEGIN to END."""
        first = _BYTES + 256
        numbers = {character: (first + at,) for at, character in enumerate(self.characters)}
        encoded = []
        for query, answer in pairs.select("query", "answer").iter_rows():
            tokens = [BEGIN]
            for text, mark in ((query, BETWEEN), (answer, END)):
                for character in text:
                    if character not in numbers:
                        numbers[character] = tuple(_BYTES + byte for byte in character.encode())
                    tokens += numbers[character]
                tokens.append(mark)
            encoded.append(tokens)
        return encoded


def vocabulary(inputs: Sequence[pl.DataFrame]) -> Vocabulary:
    """The most frequent characters of all inputs; each input counts the same, however large it is."""
    shares: dict[str, float] = {}
    for pairs in inputs:
        texts = pl.concat([pairs["query"], pairs["answer"]]).str.split("").explode(empty_as_null=False)
        counts = texts.value_counts().sort(texts.name)
        for character, count in counts.iter_rows():
            if character:
                shares[character] = shares.get(character, 0.0) + count / len(texts)
    ordered = sorted(shares, key=lambda character: (-round(shares[character], 12), character))
    return Vocabulary(characters=tuple(ordered[:CHARACTERS]))
