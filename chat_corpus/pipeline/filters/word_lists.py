"""Deny and allow lists: files of words and regexes. One pass finds all words, however many there are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import polars as pl

from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.messages import displayed, message
from chat_corpus.pipeline.filters.options import FilterOptions, WordList
from chat_corpus.row_masks import matches
from chat_corpus.schema import Reason
from chat_corpus.sources.base import Filter
from chat_corpus.system_texts import system_text

#: Prefix of a line with a regex.
_EXPRESSION = "re:"
#: Number of expressions that are combined in one search for candidates.
_TOGETHER = 50
#: Letters below this code point belong to scripts that put spaces between words.
_FIRST_CJK = "\u2e80"
#: Marks around a match of an expression; texts that have them get `\x02` instead.
_BEGIN, _END = "\x00", "\x01"
_WIDEST = 4  # maximum number of bytes of a character in UTF-8
#: Words are looked up by this many first bytes, those of one Han character.
_KEY = 3

#: A match of an entry: begin and end in bytes, the matched text, and the location of the entry, `file:line`.
Hit = tuple[int, int, str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """The entries of lists, mapped to their locations, `file:line`: words, in lower-case ASCII, and expressions."""

    words: dict[str, str] = field(default_factory=dict)
    expressions: dict[str, str] = field(default_factory=dict)


def digested(path: str) -> WordList:
    """Return the list in a file, with its digest. Raise UsageError if the file or an entry cannot be read."""
    data = _content(path)
    _parsed(path, data)
    return WordList(path=path, sha256=hashlib.sha256(data).hexdigest())


def _content(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        fault = message(
            "{file}: the word list cannot be read: {error}",
            file=displayed(path),
            error=system_text(error),
        )
        raise UsageError(fault) from error


@cache
def load(lists: Sequence[WordList]) -> Words:
    """Return the entries of lists; the first of equal entries counts.

    Raise ChatCorpusError if a file differs from the digest in the settings, UsageError as `digested` does.
    """
    whole = Words()
    for item in lists:
        data = _content(item.path)
        if item.sha256 and hashlib.sha256(data).hexdigest() != item.sha256:
            fault = message(
                "{file}: the word list changed since the run began, or since the output was made; run again",
                file=displayed(item.path),
            )
            raise ChatCorpusError(fault)
        words = _parsed(item.path, data)
        for entries, added in ((whole.words, words.words), (whole.expressions, words.expressions)):
            entries.update({entry: place for entry, place in added.items() if entry not in entries})
    return whole


def _parsed(path: str, data: bytes) -> Words:
    """Return the entries of a file. Raise UsageError, with the line, for invalid UTF-8, NUL and bad expressions."""
    words, name = Words(), Path(path).name
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        try:
            entry = line.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            fault = message("{file}:{line}: not UTF-8; save the word list as UTF-8", file=displayed(path), line=number)
            raise UsageError(fault) from error
        if "\0" in entry:
            raise UsageError(
                message(
                    "{file}:{line}: a NUL character, as in UTF-16; save the word list as UTF-8",
                    file=displayed(path),
                    line=number,
                )
            )
        if not entry or entry.startswith("#"):
            continue
        if not entry.startswith(_EXPRESSION):
            words.words.setdefault(_small(entry), f"{name}:{number}")
            continue
        expression = entry.removeprefix(_EXPRESSION).strip()
        _check_expression(expression, path, number)
        words.expressions.setdefault(expression, f"{name}:{number}")
    return words


def _check_expression(expression: str, path: str, line: int) -> None:
    try:
        finds_nothing = pl.select(pl.lit("").str.contains(expression)).item()
    except pl.exceptions.PolarsError as error:
        lines = [part.strip(" ^") for part in str(error).splitlines()]
        reason = next((part for part in lines if part.startswith("error:")), lines[0]).removeprefix("error:").strip()
        fault = message(
            "{file}:{line}: not a regular expression: {error}", file=displayed(path), line=line, error=reason
        )
        raise UsageError(fault) from error
    if finds_nothing:
        fault = message(
            "{file}:{line}: the expression matches the empty text, and so every turn", file=displayed(path), line=line
        )
        raise UsageError(fault)


def _small(text: str) -> str:
    """Return a text with ASCII letters in lower case; other characters stay, so that byte offsets do not change."""
    return text.translate({code: code + 32 for code in range(ord("A"), ord("Z") + 1)})


def find_hits(texts: pl.Series, lists: Sequence[WordList], *, first_only: bool = False) -> dict[int, list[Hit]]:
    """Return the hits of lists in texts, by row number; rows without hits are left out.

    With `first_only`, only the first word that hits in a text is returned, but still all hits of expressions.
    """
    entries = load(tuple(lists))
    hits: dict[int, list[Hit]] = {}
    for row, found in _word_hits(texts, entries.words, first_only=first_only):
        hits.setdefault(row, []).append(found)
    for row, found in _expression_hits(texts, entries.expressions):
        hits.setdefault(row, []).append(found)
    return hits


def _word_hits(texts: pl.Series, words: Mapping[str, str], *, first_only: bool) -> Iterator[tuple[int, Hit]]:
    """Yield the row number and the hit of each word, found in one pass with an automaton of all words.

    A Latin word counts only if no letter is next to it. Polars returns the offsets of words, but not which words they
    are, so they are looked up in `_Index`. With `first_only`, yield only the first hit of each text.
    """
    if not words:
        return
    index = _Index(words)
    begins = texts.str.find_many(list(words), ascii_case_insensitive=True, overlapping=True)
    rows = (begins.list.len() > 0).fill_null(value=False).arg_true()
    columns = (rows.to_list(), texts.gather(rows).to_list(), begins.gather(rows).to_list())
    for row, text, places in zip(*columns, strict=True):
        for found in index.hits(_small(text).encode(), places):
            yield row, found
            if first_only:
                break


class _Index:
    """An index of words by their first bytes, to look up the words that begin at an offset."""

    def __init__(self, words: Mapping[str, str]) -> None:
        #: The location of each word, and whether a letter or digit next to it may make it part of a longer word.
        self._words = {
            word.encode(): (place, any(_is_latin(end) or end.isdigit() for end in (word[0], word[-1])))
            for word, place in words.items()
        }
        lengths: dict[bytes, set[int]] = {}
        for word in self._words:
            lengths.setdefault(word[:_KEY], set()).add(len(word))
        self._lengths = {key: sorted(some) for key, some in lengths.items()}

    def hits(self, data: bytes, begins: Sequence[int]) -> Iterator[Hit]:
        """Yield the hits in a text, given as UTF-8 with ASCII in lower case, by the byte offsets `begins`."""
        for begin in sorted(set(begins)):
            for size in range(1, min(_KEY, len(data) - begin) + 1):
                for length in self._lengths.get(data[begin : begin + size], ()):
                    end = begin + length
                    word, whole = data[begin:end], end <= len(data) and (size == _KEY or length == size)
                    if whole and (found := self._words.get(word)):
                        place, may_be_part = found
                        if not may_be_part or _is_bounded(data, begin, end):
                            yield begin, end, word.decode(), place


def _is_bounded(data: bytes, begin: int, end: int) -> bool:
    """Whether a word is not part of a longer one: no letter is next to its letters, no digit next to its digits."""
    before = data[max(0, begin - _WIDEST) : begin].decode(errors="ignore")[-1:]
    after = data[end : end + _WIDEST].decode(errors="ignore")[:1]
    word = data[begin:end].decode()
    return not _joins(before, word[0]) and not _joins(word[-1], after)


def _joins(left: str, right: str) -> bool:
    return (_is_latin(left) and _is_latin(right)) or (left.isdigit() and right.isdigit())


def _is_latin(character: str) -> bool:
    return character.isalpha() and character < _FIRST_CJK


def _expression_hits(texts: pl.Series, expressions: Mapping[str, str]) -> Iterator[tuple[int, Hit]]:
    listed = list(expressions)
    for start in range(0, len(listed), _TOGETHER):
        some = listed[start : start + _TOGETHER]
        rows = matches(texts, "|".join(f"(?:{expression})" for expression in some)).arg_true()
        chosen = texts.gather(rows)
        for expression in some if len(rows) else ():
            yield from _hits_of(rows, chosen, expression, expressions[expression])


def _hits_of(rows: pl.Series, texts: pl.Series, expression: str, place: str) -> Iterator[tuple[int, Hit]]:
    """Yield the matches of an expression. Polars does not return their positions, so it puts marks around them."""
    clean = texts.str.replace_all(f"[{_BEGIN}{_END}]", "\x02")
    marked = clean.str.replace_all(f"(?:{expression})", f"{_BEGIN}${{0}}{_END}")
    for row, text in zip(rows, marked, strict=True):
        at = 0
        for number, piece in enumerate(re.split(f"[{_BEGIN}{_END}]", text)):
            size = len(piece.encode())
            if number % 2 and size:
                yield row, (at, at + size, piece, place)
            at += size


def denied(texts: pl.Series, options: FilterOptions) -> pl.Series:
    """Return for each text a message with the first hit of a deny list that is not inside a hit of an allow list.

    The message is null if there is none.
    """
    hits = find_hits(texts, options.deny, first_only=not options.allow)
    rows = sorted(hits)
    allowed = find_hits(texts.gather(rows), options.allow) if rows and options.allow else {}
    found = [_first_denied(hits[row], allowed.get(at, ())) for at, row in enumerate(rows)]
    result = pl.Series(texts.name, [None], dtype=pl.String).new_from_index(0, len(texts))
    return result.scatter(rows, pl.Series(found, dtype=pl.String)) if rows else result


def _first_denied(hits: Sequence[Hit], allowed: Sequence[Hit]) -> str | None:
    for begin, end, text, place in sorted(hits):
        if not any(first <= begin and end <= last for first, last, *_ in allowed):
            return f"denied by {place}: {text}"
    return None


DENY = Filter(
    name="deny",
    reason=Reason.DENIED,
    rejects=lambda options, _source: pl.col("text").map_batches(
        partial(denied, options=options), return_dtype=pl.String
    ),
    applies=lambda options, _source: bool(options.deny),
)
