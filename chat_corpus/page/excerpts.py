"""Excerpts of texts of a corpus: cut to a maximum length, in which nothing hides, with the place of a change."""

from __future__ import annotations

from itertools import takewhile

from chat_corpus.messages import visible
from chat_corpus.page.model import Excerpt

#: Characters of an excerpt, of its part that differs, and of what precedes it.
_LIMIT, _PART, _HEAD = 200, 120, 40


def cut(text: str, limit: int) -> str:
    """Return the first `limit` characters of a text, in which nothing hides or moves other text."""
    shown = visible(text[: limit + 1])
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def excerpts(before: str, after: str) -> tuple[Excerpt, Excerpt]:
    """Return excerpts of a text before and after a change, around the part that differs; 200 characters at most.

    >>> for one in excerpts("真的！！！！！吗", "真的！！！吗"):
    ...     print(one.head, one.part, one.tail)
    真的！！！ ！！ 吗
    真的！！！  吗
    """
    first = _equal(before, after)
    last = _equal(before[first:][::-1], after[first:][::-1])
    return _excerpt(before, first, len(before) - last), _excerpt(after, first, len(after) - last)


def _equal(one: str, other: str) -> int:
    """Return how many characters two texts begin with in common."""
    return sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(one, other, strict=False)))


def _excerpt(text: str, first: int, end: int) -> Excerpt:
    head = visible(text[max(0, first - _HEAD) : first])
    if first > _HEAD or len(head) > _HEAD:
        head = "…" + head[1 - _HEAD :]
    part = cut(text[first:end], _PART)
    return Excerpt(head=head, part=part, tail=cut(text[end:], _LIMIT - len(head) - len(part)))
