"""Signatures recognise a corpus by the first bytes of a file: by patterns and their numbers of matches.

A signature is declared with its source. It is deliberately narrow: the user gets a message about a file that no
signature fits, but a file that fits by mistake would be read as the wrong corpus.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from math import inf

HAN = "[\u4e00-\u9fff]{2}"
KANA = "[\u3041-\u3096\u30a1-\u30fa]"
#: Frequent characters of traditional script that simplified script lacks.
TRADITIONAL = "[們個這說會來時為對沒還過嗎麼後見讓]"
#: A line of two fields.
ONE_TAB = "^[^\\t\\n]*\\t[^\\t\\n]*$"
#: Words with blanks between them.
SEGMENTED = "[\u4e00-\u9fff] [\u4e00-\u9fff]"
#: A file does not have a layout if a smaller share of its lines matches the pattern of the layout.
_PLAUSIBLE = 0.1
#: Minimum number of lines for a decision about a layout.
FEW = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """A regular expression (`^` and `$` match at every line), and its minimum and maximum of matches per record."""

    pattern: str
    least: float = 0.0
    most: float = inf


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """The beginning of a file fits if every pattern of `holds` is found, and each rate is within its limits.

    `record` matches once per record; a text with fewer than `fewest` records does not fit. `file_index` is the index of
    the file among the files that are read together. A signature with `needs_partner` is not enough alone: if one part
    is recognised, and this signature fits exactly one file in the same folder, with as many records, that file is the
    missing part. A signature with an `ending` applies only to files with that ending.
    """

    holds: tuple[str, ...] = ()
    rates: tuple[Rate, ...] = ()
    record: str = r"\n"
    fewest: int = 8
    file_index: int = 0
    needs_partner: bool = False
    ending: str = ""

    def fits(self, text: str, name: str = "") -> bool:
        """Return whether the beginning of a file fits; `name` is its name without the ending of a compression."""
        records = len(_compiled(self.record).findall(text))
        return (
            records >= self.fewest
            and name.lower().endswith(self.ending)
            and all(_compiled(pattern).search(text) for pattern in self.holds)
            and all(
                rate.least <= len(_compiled(rate.pattern).findall(text)) / records <= rate.most for rate in self.rates
            )
        )


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE)


def share(layout: str, text: str, *, fewest: int = FEW) -> float | None:
    """Return the share of non-blank lines that the pattern of a layout matches; None if there are too few lines."""
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) < fewest:
        return None
    return sum(_compiled(layout).search(line) is not None for line in lines) / len(lines)


def contradicts(layout: str, text: str, fewest: int = FEW) -> bool:
    """Return whether a text does not have a layout; False if it has fewer than `fewest` lines."""
    matching = share(layout, text, fewest=fewest) if layout else None
    return matching is not None and matching < _PLAUSIBLE
