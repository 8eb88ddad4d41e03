"""What people and platforms put around their words: links, mentions, reposts, hashtags, emoticons."""

from __future__ import annotations

import polars as pl

_NAME = r"[A-Za-z0-9_\x{B7}\x{4E00}-\x{9FFF}-]{1,30}"

_REPOST = r"(^|[^:])// ?@[^\s:：@/]{1,30} ?[:：]"
_BETWEEN = "\ufddf"  # a noncharacter, which Unicode reserves for such internal use

# Each kind's pattern, what the part of the match that stays is, and its placeholder.
_KINDS = {
    "reposts": (rf"(?s){_REPOST}.*", "${1}", ""),
    "links": (r"(?i)(?:(?:https?|ftp)://|www\.)[A-Za-z0-9_.~:/?#\[\]@!$&'()*+,;=%-]+|_url_", "", "<LINK>"),
    "alinks": (r"[(（] ?alink ?[)）]|(?-u:\b)alink(?-u:\b)", "", "<LINK>"),
    "mentions": (rf"(^|[^A-Za-z0-9._%+-])(?:@{_NAME} ?)+", "${1}", "<USER>"),
    "hashtags": (r"#[^#\n]{1,40}#", "", "<TOPIC>"),
    "emoticons": (r"\[[A-Za-z0-9\x{4E00}-\x{9FFF}]{1,8}\]", "", "<FACE>"),
}

#: A text that a step changes matches the step's gate.
GATES = {kind: pattern for kind, (pattern, _, _) in _KINDS.items()}


def remove(text: pl.Expr, *, kind: str) -> pl.Expr:
    """Remove one kind: `reposts`, `links`, `alinks`, `mentions`, `hashtags` or `emoticons`.

    Of a repost chain the newest comment stays: it is the turn. Brackets around nothing but `alink` go with it. An `@`
    within an address is no mention.

    >>> pl.select(remove(pl.lit("好可爱//@小明:转发//@小红:哈哈"), kind="reposts")).item()
    '好可爱'
    """
    pattern, rest, _ = _KINDS[kind]
    return text.str.replace_all(pattern, rest)


def replace(text: pl.Expr, *, kind: str) -> pl.Expr:
    """Write a placeholder for each of one kind (`<LINK>`, `<USER>`, `<TOPIC>`, `<FACE>`); see `remove`.

    >>> pl.select(replace(pl.lit("看 https://example.org/a?b=1 吧"), kind="links")).item()
    '看 <LINK> 吧'
    """
    pattern, rest, placeholder = _KINDS[kind]
    return text.str.replace_all(pattern, rest + placeholder)


def comments(text: pl.Expr) -> pl.Expr:
    """The comments of a repost chain as a list, the oldest first; a text that is no chain as a list of itself.

    >>> pl.select(comments(pl.lit("好可爱//@小明:转发//@小红:哈哈"))).item().to_list()
    ['哈哈', '转发', '好可爱']
    """
    marked = text.str.replace_all(_BETWEEN, "", literal=True).str.replace_all(_REPOST, f"${{1}}{_BETWEEN}")
    return marked.str.split(_BETWEEN).list.reverse()
