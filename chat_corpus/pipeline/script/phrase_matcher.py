"""Replace dictionary phrases in many texts at once, by one of the two matching rules of OpenCC and its ports.

- *Leftmost longest* (OpenCC): go from left to right; at each position take the longest phrase that begins there.
- *Globally longest* (opencc-python-reimplemented): take the longest phrase anywhere, the leftmost of equals, then do
  the same to the left and to the right of it.

For much text, both rules use lookup tables (`phrase_table`), which match leftmost longest. The two rules differ only if
a longer phrase overlaps the end of a phrase. Without such an overlap, no phrase that overlaps the leftmost one is
longer, so the global rule takes the leftmost one too, and so on to the right. Texts with an overlap are converted by
the plain functions below. The tests also compare the tables with these functions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial, reduce
from typing import TYPE_CHECKING

import polars as pl

from chat_corpus.errors import UsageError
from chat_corpus.pipeline.character_scan import LITTLE, numpy_pays
from chat_corpus.pipeline.decoded import Keep
from chat_corpus.pipeline.script.opencc_packages import Chain
from chat_corpus.row_masks import apply_where, matches, row_numbers

if TYPE_CHECKING:
    from chat_corpus.pipeline.script.phrase_table import PhraseTable


def leftmost_longest(text: str, entries: Mapping[str, str], reach: Mapping[str, int]) -> str:
    """Replace by OpenCC's rule, in plain Python; `reach` maps the first character of keys to their maximum length."""
    result = []
    done = 0
    for start, character in enumerate(text):
        longest = reach.get(character)
        if longest is None or start < done:
            continue
        for end in range(min(len(text), start + longest), start, -1):
            value = entries.get(text[start:end])
            if value is not None:
                result += [text[done:start], value]
                done = end
                break
    return "".join(result) + text[done:]


def globally_longest(text: str, entries: Mapping[str, str], longest: int) -> str:
    """Replace by opencc-python-reimplemented's rule, in plain Python; `longest` is the length of the longest key."""
    pending = [(0, len(text), longest)]
    found: list[tuple[int, int]] = []
    while pending:
        begin, stop, length = pending.pop()
        for size in range(min(length, stop - begin), 0, -1):
            start = next((i for i in range(begin, stop - size + 1) if text[i : i + size] in entries), None)
            if start is not None:
                found.append((start, start + size))
                pending += [(begin, start, size), (start + size, stop, size)]
                break
    result = []
    done = 0
    for start, end in sorted(found):
        result += [text[done:start], entries[text[start:end]]]
        done = end
    return "".join(result) + text[done:]


class Stage:
    """A group of dictionaries, compiled for one of the two rules."""

    def __init__(self, group: Sequence[Mapping[str, str]], *, globally: bool = False) -> None:
        self.entries = _merge(group)
        self._globally = globally
        self._reach = _reach(filter(self._matters, self.entries))
        self._overlaps = sorted(_overlaps(self.entries)) if globally else []

    def _matters(self, key: str) -> bool:
        """Whether matching needs a key: unchanged phrases block shorter ones, unchanged characters have no effect."""
        return len(key) > 1 or self.entries[key] != key

    @cached_property
    def gate(self) -> set[str]:
        """At least one character of every entry that changes text: a text without any of these stays as it is."""
        return _changed(self.entries)

    @cached_property
    def _table(self) -> PhraseTable:
        from chat_corpus.pipeline.script.phrase_table import PhraseTable  # NumPy takes a while to import

        entries = {key: self.entries[key] for key in filter(self._matters, self.entries)}
        return PhraseTable(entries, lambda text: leftmost_longest(text, entries, self._reach))

    def replace_one(self, text: str) -> str:
        """Replace in one text, in plain Python."""
        if text in self.entries:  # the longest possible phrase, so both rules take it
            return self.entries[text]
        if self._globally:
            return globally_longest(text, self.entries, max(self._reach.values(), default=1))
        return leftmost_longest(text, self.entries, self._reach)

    def replace(self, texts: pl.Series, keep: Keep | None = None) -> pl.Series:
        """Replace in every text; null stays null. If no text is null, `keep` may get the counter of the changes."""
        size = int(texts.str.len_bytes().sum() or 0)
        # The globally longest rule is slow in plain Python.
        if not numpy_pays(size) and not (self._globally and size > LITTLE):
            return per_row(texts, self.replace_one)
        keep = None if texts.null_count() else keep
        fast = apply_where(texts, texts.is_not_null(), partial(self._table.replace, keep=keep))
        if not self._overlaps:
            return fast
        return patch(fast, texts.str.contains_any(self._overlaps), texts, self.replace_one)


class Pipeline:
    """A compiled OpenCC conversion, with the same results as the package that it is from.

    There is one exception, under OpenCC's rule: ideographic description sequences (⿰亻車) are not protected.
    """

    def __init__(self, chain: Chain, *, globally: bool = False) -> None:
        self._first = [Stage(group, globally=globally) for group in chain.normalization]
        self._stages = [Stage(group, globally=globally) for group in chain.stages]
        self._words = chain.segmentation
        self._gate = character_class(set().union(*(stage.gate for stage in [*self._first, *self._stages])))

    def convert(self, texts: pl.Series) -> pl.Series:
        """Convert every text; null stays null."""
        return apply_where(texts, matches(texts, self._gate), self._convert)

    def _convert(self, texts: pl.Series) -> pl.Series:
        for stage in self._first:
            texts = apply_where(texts, matches(texts, character_class(stage.gate)), stage.replace)
        fast = reduce(lambda rows, stage: stage.replace(rows), self._stages, texts)
        if self._words is None:
            return fast
        return patch(fast, texts.str.contains_any(list(self._words)), texts, self._convert_words)

    def _convert_words(self, text: str) -> str:
        words = self._words or {}
        return "".join(
            reduce(lambda piece, stage: stage.replace_one(piece), self._stages, piece) for piece in cut(text, words)
        )


def cut(text: str, words: Mapping[str, str]) -> Iterator[str]:
    """Split a text as OpenCC's `mmseg` does: into the longest word at each position, and the text between words."""
    longest = max(map(len, words))
    rest = start = 0
    while start < len(text):
        ends = range(min(len(text), start + longest), start, -1)
        end = next((end for end in ends if text[start:end] in words), None)
        if end is None:
            start += 1
            continue
        if rest < start:
            yield text[rest:start]
        yield text[start:end]
        rest = start = end
    if rest < len(text):
        yield text[rest:]


def character_class(characters: Iterable[str]) -> str:
    """Return a regex that matches any one of these characters, none of which may be ASCII punctuation."""
    return "[" + "".join(sorted(set(characters))) + "]"


def patch(fast: pl.Series, mask: pl.Series, texts: pl.Series, exact: Callable[[str], str]) -> pl.Series:
    """Return `fast` with the rows of a mask replaced by `exact` of their texts; this modifies `fast`."""
    return fast.scatter(row_numbers(mask), per_row(texts.filter(mask), exact)) if mask.any() else fast


def per_row(texts: pl.Series, function: Callable[[str], str]) -> pl.Series:
    """Apply a Python function to each text; null stays null."""
    return pl.Series(texts.name, [text if text is None else function(text) for text in texts], dtype=pl.String)


def _merge(group: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Merge a group of dictionaries, of which the first with a match is used, into one table.

    The table is equivalent only if the later dictionaries have only single characters, which are never longer than a
    match of an earlier one. Raise UsageError if they have phrases.
    """
    for entries in group[1:]:
        if any(len(key) > 1 for key in entries):
            raise UsageError(
                "script.dictionaries: a dictionary of phrases stands after another in a group; not supported"
            )
    return {key: value for entries in reversed(group) for key, value in entries.items()}


def _reach(keys: Iterable[str]) -> dict[str, int]:
    """Map each first character of the keys to the length of the longest key that begins with it."""
    return {key[0]: len(key) for key in sorted(keys, key=len)}


def _changed(entries: Mapping[str, str]) -> set[str]:
    singles = {key for key, value in entries.items() if len(key) == 1 and key != value}
    for key, value in entries.items():
        if key != value and singles.isdisjoint(key):
            singles.add(next((old for old, new in zip(key, value, strict=False) if old != new), key[-1]))
    return singles


def _overlaps(entries: Mapping[str, str]) -> set[str]:
    """Return every string that consists of a phrase and a longer one that overlaps its end."""
    prefixes = defaultdict(list)
    for key in entries:
        for size in range(1, len(key)):
            prefixes[key[:size]].append(key)
    return {
        key + other[size:]
        for key in entries
        for size in range(1, len(key))
        for other in prefixes.get(key[-size:], ())
        if len(other) > len(key)
    }
