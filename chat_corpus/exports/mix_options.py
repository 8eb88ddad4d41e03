"""Options of a mix of sources: shares and sizes of subsets, and how their texts are parsed."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated

import msgspec

from chat_corpus.errors import UsageError
from chat_corpus.messages import message

#: Kinds of mixes besides `weights`.
NATURAL, EQUAL, TEMPERATURE = "natural", "equal", "temperature"
#: The subset of all records of train.
ALL = "all"
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([km]?)", re.ASCII)
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000}


class MixOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How sources are mixed in train, and the subsets of the mix."""

    #: Shares of the sources: natural, equal, temperature=0.5, or weights as ptt=2,tieba=1; empty: natural.
    shares: str = ""
    #: Largest share that a source may have of train, above 0; 1 for no limit. Records above it are held.
    max_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    #: Sizes of nested subsets of train, as 200k, 600k, 1m, or all. Records after the largest one are held.
    subsets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        try:
            parse_shares(self.shares)
            subset_sizes(self.subsets)
        except UsageError as error:
            raise ValueError(str(error)) from error

    @property
    def is_mixed(self) -> bool:
        """Whether all sources are written to the same files."""
        return bool(self.shares or self.subsets) or self.max_share < 1


def parse_shares(text: str) -> tuple[str, dict[str, float]]:
    """Return the kind of mix (natural, equal, temperature or weights) and its numbers.

    The numbers are the weights by source, or the temperature under `temperature`. Raises UsageError for other texts.

    >>> parse_shares("ptt=2, tieba=1")
    ('weights', {'ptt': 2.0, 'tieba': 1.0})
    """
    if text in ("", NATURAL, EQUAL):
        return text or NATURAL, {}
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, equals, value = (word.strip() for word in part.partition("="))
        if not equals or not name:
            raise UsageError(
                message(
                    "--mix {text}: '{part}' found; use natural, equal, temperature=0.5, or weights as ptt=2,tieba=1",
                    text=text, part=part,
                )
            )  # fmt: skip
        if name in weights:
            raise UsageError(message("--mix {text}: {name} is given twice", text=text, name=name))
        weights[name] = _weight(text, value)
    if list(weights) == [TEMPERATURE]:
        if weights[TEMPERATURE] > 1:
            raise UsageError(message("--mix {text}: a temperature is a number above 0 and at most 1", text=text))
        return TEMPERATURE, weights
    return "weights", weights


def _weight(text: str, value: str) -> float:
    try:
        weight = float(value)
    except ValueError:
        weight = math.nan
    if not 0 < weight < math.inf:
        raise UsageError(message("--mix {text}: '{value}' is not a number above 0", text=text, value=value))
    return weight


def parse_subsets(text: str) -> tuple[str, ...]:
    """Return the sizes in a text such as 200k,600k,1m, as lower-case names. Raises UsageError for an invalid size.

    >>> parse_subsets("200K, 1m")
    ('200k', '1m')
    """
    names = tuple(part.strip().lower() for part in text.split(","))
    subset_sizes(names)
    return names


def subset_sizes(names: Sequence[str]) -> dict[str, int | None]:
    """Return the number of records of each subset by the name of its config, smallest first; None for `all`.

    Raises UsageError for an invalid size, or a size that occurs twice.

    >>> subset_sizes(["1.5m", "200k", "all"])
    {'n200k': 200000, 'n1.5m': 1500000, 'all': None}
    """
    sizes: dict[str, int | None] = {}
    for name in names:
        found = _SIZE.fullmatch(name)
        size = Fraction(found[1]) * _UNITS[found[2]] if found else Fraction(0)
        if name != ALL and (not size or size.denominator > 1):
            raise UsageError(message("--subset: '{name}' is no size; use 200k, 1m, 5000 or all", name=name))
        if name == ALL:
            sizes[ALL] = None
            continue
        if int(size) in sizes.values():
            raise UsageError(message("--subset: {name} is given twice", name=name))
        sizes[f"n{name}"] = int(size)
    return dict(sorted(sizes.items(), key=lambda one: math.inf if one[1] is None else one[1]))


def largest_subset(options: MixOptions) -> int | None:
    """Return the size of the largest subset; None if there is no subset, or one of all records."""
    sizes = subset_sizes(options.subsets)
    known = [size for size in sizes.values() if size is not None]
    return None if len(known) < len(sizes) or not known else max(known)
