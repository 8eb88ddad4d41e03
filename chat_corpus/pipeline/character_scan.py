"""Scan every character of a column once, for all signs that the stages look for.

A `Sign` declares, as data, something that a text may have. Signs with the same meaning form a group, and each group has
a bit in the number that a scan returns for each text. One scan for all signs costs as much as one regex search for a
single sign.

A scan uses NumPy, which takes a while to import, for large columns, and plain Python for small ones.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import or_
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from chat_corpus.pipeline.code_points import Bits, CodePoints, Positions
    from chat_corpus.pipeline.counted_texts import CharacterCounter
    from chat_corpus.pipeline.decoded import Keep

#: Size of a column in bytes above which it pays to import NumPy, and above which NumPy pays if it is already imported.
MUCH, LITTLE = 1 << 18, 1 << 12
# Classes longer than this are the same in many scans, so their table is cached.
_LARGE = 100
_REPEATED = re.compile(r"(.)\1+", re.DOTALL)
# See `CharacterScan._places`.
_STRIDE = 4
#: Number of Unicode code points.
SIZE = 0x110000
#: The class of all characters, as the inside of a character class.
ANY = "^"
# One character in a class: `\x{…}`, `\x..`, escaped, or as itself.
_CHARACTER = r"(?:\\x\{([0-9A-Fa-f]+)\}|\\x([0-9A-Fa-f]{2})|\\(.)|(.))"
# A sequence of literal characters that does not begin a range, or else one character or range.
_MEMBERS = re.compile(rf"([^\\-]+)(?!-)|{_CHARACTER}(?:-{_CHARACTER})?", re.DOTALL)
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r"}


def numpy_pays(size: int) -> bool:
    """Whether NumPy is faster than plain Python for `size` bytes of text, including its import if it is still due."""
    return size > (LITTLE if "numpy" in sys.modules else MUCH)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sign:
    r"""Something that a text may have: a character, two that follow each other, or a run.

    characters  the inside of a character class, in the regex syntax of Polars: characters, ranges, `\x{…}`, `^`
    then        the same for the next character; any if empty
    length      minimum number of these characters in a row
    same        whether all characters of the run are the same character
    edge        whether the sign counts only as the first or last character of a text
    """

    characters: str
    then: str = ""
    length: int = 1
    same: bool = False
    edge: bool = False

    @property
    def single(self) -> bool:
        """Whether the sign is a single character, anywhere in a text."""
        return not self.then and self.length == 1 and not self.edge


@dataclass(frozen=True, kw_only=True, slots=True)
class _Placed:
    """A sign that depends on positions; `first` and `then` are bits of the table, `group` the bit in the result."""

    sign: Sign
    group: int
    first: int
    then: int


class CharacterScan:
    """Groups of signs, by name, compiled to one lookup table over all code points."""

    def __init__(self, groups: Mapping[str, Iterable[Sign]]) -> None:
        """Compile at most 16 groups. If there are more character classes than bits left, the last ones share a bit."""
        self._groups = {name: 1 << number for number, name in enumerate(groups)}
        self._singles = (1 << len(groups)) - 1
        sets: dict[str, int] = {}

        def bit(characters: str) -> int:
            return sets.setdefault(characters, 1 << min(len(groups) + len(sets), 31)) if characters else 0

        # The largest class comes first, so that it has the same bit in many scans and its cached table can be reused.
        bit(ANY)
        self._placed = [
            _Placed(sign=sign, group=self._groups[name], first=bit(sign.characters), then=bit(sign.then))
            for name, signs in groups.items()
            for sign in signs
            if not sign.single
        ]
        pairs = [(self._groups[name], one.characters) for name, signs in groups.items() for one in signs if one.single]
        self._table = _table([*pairs, *((number, characters) for characters, number in sets.items())])

    def bits(self, *names: str) -> int:
        """Return the bitmask of the named groups."""
        return reduce(or_, (self._groups[name] for name in names), 0)

    def find(self, texts: pl.Series, keep: Keep | None = None, changing: int = 0) -> pl.Series:
        """Return for each text a bitmask of the groups with a sign in it: u32, 0 for null.

        Signs of a single character are exact; others may have false positives. If the texts are decoded, `keep` is
        called with the counter of their characters. The counter leaves out texts that have one of the bits of
        `changing`, because the caller is about to change them.
        """
        texts = texts.fill_null("") if texts.null_count() else texts
        if not numpy_pays(int(texts.str.len_bytes().sum() or 0)):
            return pl.Series([self._find_one(text) for text in texts], dtype=pl.UInt32)
        from chat_corpus.pipeline.code_points import pieces
        from chat_corpus.pipeline.counted_texts import CharacterCounter

        counter = CharacterCounter() if keep else None
        found = [pl.Series(self._find_many(piece, counter, changing)) for piece in pieces(texts)]
        if keep and counter is not None:
            keep(counter)
        # One chunk: Polars runs each change once per chunk of the rows that a mask of several chunks selects.
        return pl.concat(found, rechunk=True)

    def _find_one(self, text: str) -> int:
        table = self._table
        held = reduce(or_, (table[ord(character)] for character in set(text)), 0)
        longest = max((len(run[0]) for run in _REPEATED.finditer(text)), default=1)
        some = (one for one in self._placed if held & one.first and (not one.sign.same or longest >= one.sign.length))
        return reduce(or_, (one.group for one in some), held & self._singles)

    def _find_many(self, texts: pl.Series, counter: CharacterCounter | None, changing: int) -> Bits:
        import numpy as np

        from chat_corpus.pipeline.code_points import CodePoints, lookup

        points = CodePoints(texts)
        bits = lookup(np.frombuffer(self._table, np.uint32), points.codes)
        bits[points.ends] = 0
        for one, places in self._places(points, bits):
            bits[places] |= one.group
        found: Bits = np.bitwise_or.reduceat(bits, points.starts) & np.uint32(self._singles)
        if counter is not None:
            counter.add(points, found & np.uint32(changing) != 0)
        return found

    def _places(self, points: CodePoints, bits: Bits) -> Iterator[tuple[_Placed, Positions]]:
        """Yield each sign that depends on positions, with positions inside the texts that have it."""
        import numpy as np

        def among(places: Positions, mask: int) -> Positions:
            chosen: Positions = places[(bits[places] & mask) != 0]
            return chosen

        same = [one for one in self._placed if one.sign.same]
        if same:
            shortest = min(one.sign.length for one in same)
            repeated = _in_a_row(points.codes[1:] == points.codes[:-1], shortest - 1)
            yield from ((one, _runs(among(repeated, one.first), one.sign.length - shortest + 1)) for one in same)
        edges = np.concatenate([points.starts, points.ends - 1])
        yield from ((one, among(edges, one.first)) for one in self._placed if one.sign.edge)
        for one in self._placed:
            if one.sign.same or one.sign.edge:
                continue
            # A long run has `length // 4` characters in a row among every fourth one, which is a quarter of the work.
            stride = _STRIDE if one.sign.length >= 2 * _STRIDE else 1
            holds = (bits[::stride] & np.uint32(one.first)) != 0
            places = stride * _in_a_row(holds, one.sign.length // stride)
            yield one, places[(bits[places + 1] & one.then) != 0] if one.then else places


def _in_a_row(holds: npt.NDArray[np.bool_], length: int) -> Positions:
    """Return the positions at which `length` true values in a row begin."""
    import numpy as np

    every = holds
    for shift in range(1, length):
        every = every[:-1] & holds[shift:]
    return np.flatnonzero(every)


def _runs(places: Positions, length: int) -> Positions:
    """Return those of the ascending positions that begin a run of `length` consecutive ones."""
    last = length - 1
    return places if not last else places[:-last][places[last:] - places[:-last] == last]


def _table(pairs: Iterable[tuple[int, str]]) -> array[int]:
    """Return the bits of each code point, from pairs of a bit and a class; one class per bit may begin with `^`."""
    pairs = sorted(pairs)
    large = tuple(pair for pair in pairs if len(pair[1]) > _LARGE or pair[1].startswith("^"))
    table = _large_table(large)[:]
    _add(table, set(pairs).difference(large))
    return table


@lru_cache(maxsize=2)
def _large_table(pairs: tuple[tuple[int, str], ...]) -> array[int]:
    excluding = [(bit, characters) for bit, characters in pairs if characters.startswith("^")]
    table = array("I", [reduce(or_, (bit for bit, _ in excluding), 0)]) * SIZE
    for bit, characters in excluding:
        for code in code_points(characters):
            table[code] &= ~bit
    _add(table, set(pairs).difference(excluding))
    return table


def _add(table: array[int], pairs: Iterable[tuple[int, str]]) -> None:
    for bit, characters in pairs:
        for code in code_points(characters):
            table[code] |= bit


def code_points(characters: str) -> Iterator[int]:
    r"""Yield the code points that the inside of a character class lists; a leading `^` is ignored.

    >>> bytes(code_points(r"a-c\x{41}\]")), bytes(code_points("^b"))
    (b'abcA]', b'b')
    """
    for found in _MEMBERS.finditer(characters.removeprefix("^")):
        if found[1]:
            yield from map(ord, found[1])
            continue
        first, last = (_code(*found.groups()[begin : begin + 4]) for begin in (1, 5))
        yield from range(first, max(first, last) + 1)


def _code(braced: str | None, short: str | None, escaped: str | None, plain: str | None) -> int:
    """Return the code point of a character from the groups of its match; 0 if all are None."""
    if braced or short:
        return int(braced or short or "", 16)
    return ord(_ESCAPED.get(escaped, escaped) if escaped else plain or "\0")
