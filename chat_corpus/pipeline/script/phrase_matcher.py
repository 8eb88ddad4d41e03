"""Replace dictionary phrases in many texts at once, by either of the two rules that OpenCC's ports follow.

- *Leftmost longest* (OpenCC): go from left to right; at each place take the longest phrase that begins there.
- *Globally longest* (opencc-python-reimplemented): take the longest phrase anywhere, the leftmost of equals, then do
  the same to the left and to the right of it.

In much text, both are done by tables (`phrase_table`), which are leftmost longest. The two rules differ only where a
phrase is overlapped at its end by a longer one: if no such overlap is in a text, then nothing that overlaps the
leftmost phrase is longer than it, so the global rule takes it as well, and so on to the right. Texts with one are done
by the plain functions below, which are also what the tests compare the tables with.
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
    """Replace by OpenCC's rule, in plain Python; `reach` is how long the keys are that begin with a character."""
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
    """One group of dictionaries, compiled for one of the two rules."""

    def __init__(self, group: Sequence[Mapping[str, str]], *, globally: bool = False) -> None:
        self.entries = _merge(group)
        self._globally = globally
        self._reach = _reach(filter(self._matters, self.entries))
        self._overlaps = sorted(_overlaps(self.entries)) if globally else []

    def _matters(self, key: str) -> bool:
        """Say whether matching cannot do without a key: a single character that stays as it is shadows nothing."""
        return len(key) > 1 or self.entries[key] != key

    @cached_property
    def gate(self) -> set[str]:
        """One character of every entry that changes something: a text without any of them stays as it is."""
        return _changed(self.entries)

    @cached_property
    def _table(self) -> PhraseTable:
        from chat_corpus.pipeline.script.phrase_table import PhraseTable  # NumPy takes a while to import

        entries = {key: self.entries[key] for key in filter(self._matters, self.entries)}
        return PhraseTable(entries, lambda text: leftmost_longest(text, entries, self._reach))

    def replace_one(self, text: str) -> str:
        """Replace in one text, in plain Python."""
        if text in self.entries:  # by both rules: no longer phrase is in it
            return self.entries[text]
        if self._globally:
            return globally_longest(text, self.entries, max(self._reach.values(), default=1))
        return leftmost_longest(text, self.entries, self._reach)

    def replace(self, texts: pl.Series, keep: Keep | None = None) -> pl.Series:
        """Replace in every text; null stays null. Without null, `keep` gets what is counted of the changes."""
        size = int(texts.str.len_bytes().sum() or 0)
        # The second of the rules is slow in plain Python.
        if not numpy_pays(size) and not (self._globally and size > LITTLE):
            return per_row(texts, self.replace_one)
        keep = None if texts.null_count() else keep
        fast = apply_where(texts, texts.is_not_null(), partial(self._table.replace, keep=keep))
        if not self._overlaps:
            return fast
        return patch(fast, texts.str.contains_any(self._overlaps), texts, self.replace_one)


class Pipeline:
    """One of OpenCC's conversions, compiled: exactly what its own package makes of every text.

    One deviation, for OpenCC's rule: ideographic description sequences (⿰亻車) get no protection.
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
    """Cut as OpenCC's `mmseg` does: the longest word that begins at a place, and whatever lies between two words."""
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
    """Write a regular expression that matches any one of these characters, none of which is ASCII punctuation."""
    return "[" + "".join(sorted(set(characters))) + "]"


def patch(fast: pl.Series, mask: pl.Series, texts: pl.Series, exact: Callable[[str], str]) -> pl.Series:
    """Take the exact way for the rows of a mask, the fast way's result (which is changed) for the others."""
    return fast.scatter(row_numbers(mask), per_row(texts.filter(mask), exact)) if mask.any() else fast


def per_row(texts: pl.Series, function: Callable[[str], str]) -> pl.Series:
    """Apply a Python function to each text; null stays null."""
    return pl.Series(texts.name, [text if text is None else function(text) for text in texts], dtype=pl.String)


def _merge(group: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Merge dictionaries of which the first that matches wins.

    One table of them all is the same only if the later ones hold single characters, which cannot outbid a phrase.
    """
    for entries in group[1:]:
        if any(len(key) > 1 for key in entries):
            raise UsageError(
                "script.dictionaries: a dictionary of phrases stands after another in a group; not supported"
            )
    return {key: value for entries in reversed(group) for key, value in entries.items()}


def _reach(keys: Iterable[str]) -> dict[str, int]:
    """Map the first character of keys to the length of the longest one."""
    return {key[0]: len(key) for key in sorted(keys, key=len)}


def _changed(entries: Mapping[str, str]) -> set[str]:
    singles = {key for key, value in entries.items() if len(key) == 1 and key != value}
    for key, value in entries.items():
        if key != value and singles.isdisjoint(key):
            singles.add(next((old for old, new in zip(key, value, strict=False) if old != new), key[-1]))
    return singles


def _overlaps(entries: Mapping[str, str]) -> set[str]:
    """Return every string in which a phrase is overlapped at its end by a longer one."""
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
