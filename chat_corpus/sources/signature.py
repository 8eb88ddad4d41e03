"""What tells one corpus from all others of its layout by the first bytes of a file: patterns, and how often they occur.

A signature is data, declared with a source. It is narrow on purpose: a file that it misses is told to the user, one
that it takes by mistake would be read as another corpus.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from math import inf

HAN = "[\u4e00-\u9fff]{2}"
KANA = "[\u3041-\u3096\u30a1-\u30fa]"
#: Frequent characters that only traditional script has.
TRADITIONAL = "[們個這說會來時為對沒還過嗎麼後見讓]"
#: A line of two fields.
ONE_TAB = "^[^\\t\\n]*\\t[^\\t\\n]*$"
#: Words with blanks between them.
SEGMENTED = "[\u4e00-\u9fff] [\u4e00-\u9fff]"
#: Less than one line in ten of a file's layout, and it is not of that layout.
_PLAUSIBLE = 0.1
#: Of fewer lines nothing is said against a name.
FEW = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """A regular expression (`^` and `$` at every line), and how often it is found a record, at least and at most."""

    pattern: str
    least: float = 0.0
    most: float = inf


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """A head is this corpus's where every pattern of `holds` is found and every rate is kept.

    Records are what `record` finds; with less than `fewest` of them nothing is said. `part` is the file's place where
    several are read together. A signature that only holds in `company` tells nothing by itself: beside the other part,
    the one file in a folder that it fits, with as many records, is the part that is missing. One with an `ending` is
    for files whose names have it: there the layout alone says much.
    """

    holds: tuple[str, ...] = ()
    rates: tuple[Rate, ...] = ()
    record: str = r"\n"
    fewest: int = 8
    file_index: int = 0
    company: bool = False
    ending: str = ""

    def fits(self, text: str, name: str = "") -> bool:
        """Whether a head, as text, is this corpus's; `name` is that of its file, without a compression's ending."""
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
    """The share of a text's lines, blank ones aside, in which a layout's pattern is found; None of fewer lines."""
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) < fewest:
        return None
    return sum(_compiled(layout).search(line) is not None for line in lines) / len(lines)


def contradicts(layout: str, text: str, fewest: int = FEW) -> bool:
    """Whether a text cannot be of a layout, as far as it is known from at least `fewest` lines."""
    found = share(layout, text, fewest=fewest) if layout else None
    return found is not None and found < _PLAUSIBLE
