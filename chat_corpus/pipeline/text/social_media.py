"""Text that people and platforms put around their words: links, mentions, reposts, hashtags, emoticons."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import polars as pl

from chat_corpus.pipeline.character_scan import Sign
from chat_corpus.pipeline.text.gates import Part
from chat_corpus.pipeline.text.lazy_patterns import lazy
from chat_corpus.pipeline.text.options import Policy, TextOptions
from chat_corpus.row_masks import apply_where, matches
from chat_corpus.schema import Traits

_NAME = r"[A-Za-z0-9_\x{B7}\x{4E00}-\x{9FFF}-]{1,30}"

_REPOST = r"(^|[^:])// ?@[^\s:：@/]{1,30} ?[:：]"
_BETWEEN = "\ufddf"  # a noncharacter: Unicode reserves these for internal use

# The separate word `alink`: not part of a longer word, a user name or an address. After a single underscore it is part
# of a word; two or more underscores are a blank to fill in.
_ALINK = (
    r"(?<![A-Za-z0-9@])(?<!@ )(?<![^_]_)(?<!^_)(?<![A-Za-z0-9]-)"
    r"alink(?![A-Za-z0-9_]|-[A-Za-z0-9]|@[A-Za-z0-9]|\.[A-Za-z0-9]| ?\. ?(?:com|cn|net|org)(?![A-Za-z]))"
)
# An address, which stays; brackets or quotes around `alink` and at most a label (译自：); or a bare `alink`.
_ALINKS = lazy(
    r"(?P<address>(?:(?:https?|ftp)://|www ?\. ?)[!-~]+)"
    rf"|[(（【\[「『《“‘](?P<label> ?(?:[^\s()（）【】\[\]「」『』《》“”‘’:：,，.。!！?？]{{1,8}} ?[:：])? ?)"
    rf"{_ALINK}(?: ?{_ALINK})* ?[)）】\]」』》”’]"
    rf'|" ?{_ALINK} ?"|{_ALINK}',
    re.MULTILINE,
)

# Fast path: most links end a text, after a non-ASCII character, which is not part of an address or a user name.
_LAST_ALINK = r"([^\x00-\x7F] ?)alink$"

# For each kind, its pattern, the part of the match that stays, and its placeholder, which reposts do not have.
_KINDS = {
    "reposts": (rf"(?s){_REPOST}.*", "${1}", ""),
    "links": (r"(?i)(?:(?:https?|ftp)://|www\.)[A-Za-z0-9_.~:/?#\[\]@!$&'()*+,;=%-]+|_url_", "", "<LINK>"),
    "link_words": ("alink", "", "<LINK>"),
    "mentions": (rf"(^|[^A-Za-z0-9._%+-])(?:@{_NAME} ?)+", "${1}", "<USER>"),
    "hashtags": (r"#[^#\n]{1,40}#", "", "<TOPIC>"),
    "emoticons": (r"\[[A-Za-z0-9\x{4E00}-\x{9FFF}]{1,8}\]", "", "<FACE>"),
}

#: Gates: every text that a step changes matches the pattern of the step.
GATES = {kind: pattern for kind, (pattern, _, _) in _KINDS.items()}

#: Signs: every such text of plain characters (`gates.PLAIN`) has at least one of the signs of the step.
SIGNS = {
    "links": (Sign(characters="/", then="/"), Sign(characters="Ww", then="Ww"), Sign(characters="_", then="Uu")),
    "link_words": (Sign(characters="n", then="k"),),
    "hashtags": (Sign(characters="#"),),
    "emoticons": (Sign(characters=r"\["),),
}


def parts(options: TextOptions, _traits: Traits, *, kind: str) -> tuple[Part, ...]:
    """Return `remove` or `replace` for one kind, depending on its option."""
    change = replace if getattr(options, kind) is Policy.PLACEHOLDER else remove
    return ((GATES[kind], partial(change, kind=kind)),)


def remove(text: pl.Expr, *, kind: str) -> pl.Expr:
    """Remove one kind: `reposts`, `links`, `link_words`, `mentions`, `hashtags` or `emoticons`.

    The newest comment of a repost chain stays, because it is the turn. Brackets and quotes around nothing but `alink`
    are removed with it, also if they contain a label: （译自：alink）. Only the separate word `alink` is removed: it
    stays in alink.com, alink-2, @alink and Woalink. An `@` inside an address is not a mention.

    >>> pl.select(remove(pl.lit("好可爱//@小明:转发//@小红:哈哈"), kind="reposts")).item()
    '好可爱'
    """
    pattern, rest, _ = _KINDS[kind]
    if kind == "link_words":
        return _each_alink(text.str.replace(_LAST_ALINK, "${1}"), _address)
    return text.str.replace_all(pattern, rest)


def replace(text: pl.Expr, *, kind: str) -> pl.Expr:
    """Replace each match of one kind by a placeholder (`<LINK>`, `<USER>`, `<TOPIC>`, `<FACE>`); see `remove`.

    >>> pl.select(replace(pl.lit("看 https://example.org/a?b=1 吧"), kind="links")).item()
    '看 <LINK> 吧'
    """
    pattern, rest, placeholder = _KINDS[kind]
    if kind == "link_words":
        return _each_alink(text, _placeholder)
    return text.str.replace_all(pattern, rest + placeholder)


def _each_alink(text: pl.Expr, written: Callable[[re.Match[str]], str]) -> pl.Expr:
    def each(posts: pl.Series) -> pl.Series:
        return pl.Series(posts.name, [_ALINKS().sub(written, post) for post in posts], dtype=pl.String)

    return text.map_batches(lambda posts: apply_where(posts, matches(posts, "alink"), each), return_dtype=pl.String)


def _address(link: re.Match[str]) -> str:
    return link["address"] or ""


def _placeholder(link: re.Match[str]) -> str:
    label = link["label"] or ""
    if label.strip():
        return f"{link[0][0]}{label}<LINK>{link[0][-1]}"
    return link["address"] or "<LINK>"


def comments(text: pl.Expr) -> pl.Expr:
    """Return the comments of a repost chain as a list, oldest first; any other text is a list of itself.

    >>> pl.select(comments(pl.lit("好可爱//@小明:转发//@小红:哈哈"))).item().to_list()
    ['哈哈', '转发', '好可爱']
    """
    marked = text.str.replace_all(_BETWEEN, "", literal=True).str.replace_all(_REPOST, f"${{1}}{_BETWEEN}")
    return marked.str.split(_BETWEEN).list.reverse()
