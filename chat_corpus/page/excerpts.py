"""Excerpts of texts of a corpus: cut to a maximum length, made visible, and marked where a change is."""

from __future__ import annotations

from html import escape
from itertools import takewhile

from chat_corpus.messages import visible
from chat_corpus.page.material import Material
from chat_corpus.page.model import Excerpt
from chat_corpus.statistics.schema import FullStatistics

#: Maximum length in characters of an excerpt, and of one of the most frequent texts.
LONGEST, _FREQUENT = 200, 40
#: Limits that are tried in turn until the texts of a page are small enough. Then follow their maximum size in bytes on
#: a page without and with full statistics, and the number of sources above which the maximum grows.
_LIMITS, _BYTES, _FULL_BYTES, _SOURCES = (LONGEST, 150, 100, 70, 50, 30, 20, 15, 10), 120_000, 42_000, 11


def text_limit(material: Material) -> int:
    """Return the maximum number of characters of a text with which the texts do not make a page too large."""
    samples = material.samples.values()
    texts = [text for one in samples for pair in one.pairs for text in (pair.query, pair.answer)]
    texts += [reject.raw for one in samples for reject in one.rejects]
    if material.cleaning is not None:
        steps = material.cleaning.steps.values()
        texts += [str(one) for step in steps for one in excerpts(step.before, step.after, LONGEST)]
        texts += [text for one in material.cleaning.filters.values() for text in (one.text, one.message)]
    return _limit(texts, material.full)


def frequent_limit(full: FullStatistics | None) -> int:
    """Return the result of `text_limit` for a page that has only frequent texts."""
    return _limit([], full)


def _limit(texts: list[str], full: FullStatistics | None) -> int:
    sources = full.sources.values() if full else ()
    frequent = [
        one.text for source in sources for side in (source.queries, source.answers) for one in side.most_frequent
    ]
    most = (_FULL_BYTES if full else _BYTES) * max(len(sources), _SOURCES) // _SOURCES
    for limit in _LIMITS:
        shown = [*(cut(text, limit) for text in texts), *(cut_frequent(text, limit) for text in frequent)]
        if sum(len(escape(text).encode()) for text in shown) <= most:
            break
    return limit


def cut(text: str, limit: int) -> str:
    """Return the beginning of a text with at most `limit` characters, as `visible` shows them."""
    shown = visible(text[: limit + 1])
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def cut_frequent(text: str, limit: int) -> str:
    """Return the beginning of a frequent text, for which the limit may be lower."""
    return cut(text, min(limit, _FREQUENT))


def excerpts(before: str, after: str, limit: int) -> tuple[Excerpt, Excerpt]:
    """Return excerpts, with at most `limit` characters, of a text before and after a change, around the difference.

    >>> for one in excerpts("真的！！！！！吗", "真的！！！吗", 200):
    ...     print(one.head, one.part, one.tail)
    真的！！！ ！！ 吗
    真的！！！  吗
    """
    first = _equal(before, after)
    last = _equal(before[first:][::-1], after[first:][::-1])
    return _excerpt(before, first, len(before) - last, limit), _excerpt(after, first, len(after) - last, limit)


def _equal(one: str, other: str) -> int:
    """Return the length of the common prefix of two texts."""
    return sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(one, other, strict=False)))


def _excerpt(text: str, first: int, end: int, limit: int) -> Excerpt:
    """Return an excerpt: up to a fifth of the limit before the difference, and up to three fifths for its part."""
    most = limit // 5
    head = visible(text[max(0, first - most) : first])
    if first > most or len(head) > most:
        head = "…" + head[1 - most :]
    part = cut(text[first:end], 3 * limit // 5)
    return Excerpt(head=head, part=part, tail=cut(text[end:], limit - len(head) - len(part)))
