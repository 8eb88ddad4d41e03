"""What people and platforms put around their words: links, mentions, reposts, hashtags, emoticons."""

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
_BETWEEN = "\ufddf"  # a noncharacter, which Unicode reserves for such internal use

# A word of its own: no part of another, of a name, or of an address. Underscores are letters, but two or more of them
# are a line that one fills in.
_ALINK = (
    r"(?<![A-Za-z0-9@])(?<!@ )(?<![^_]_)(?<!^_)(?<![A-Za-z0-9]-)"
    r"alink(?![A-Za-z0-9_]|-[A-Za-z0-9]|@[A-Za-z0-9]|\.[A-Za-z0-9]| ?\. ?(?:com|cn|net|org)(?![A-Za-z]))"
)
# What stays, an address; brackets or quotes that hold nothing else, apart from whose link it is; or a link.
_ALINKS = lazy(
    r"(?P<address>(?:(?:https?|ftp)://|www ?\. ?)[!-~]+)"
    rf"|[(（【\[「『《“‘](?P<label> ?(?:[^\s()（）【】\[\]「」『』《》“”‘’:：,，.。!！?？]{{1,8}} ?[:：])? ?)"
    rf"{_ALINK}(?: ?{_ALINK})* ?[)）】\]」』》”’]"
    rf'|" ?{_ALINK} ?"|{_ALINK}',
    re.MULTILINE,
)

# Most are at the end, behind what is no part of an address or a name; the rest costs more to tell.
_LAST_ALINK = r"([^\x00-\x7F] ?)alink$"

# Each kind's pattern, the part of the match that stays, and its placeholder, which reposts do not have.
_KINDS = {
    "reposts": (rf"(?s){_REPOST}.*", "${1}", ""),
    "links": (r"(?i)(?:(?:https?|ftp)://|www\.)[A-Za-z0-9_.~:/?#\[\]@!$&'()*+,;=%-]+|_url_", "", "<LINK>"),
    "link_words": ("alink", "", "<LINK>"),
    "mentions": (rf"(^|[^A-Za-z0-9._%+-])(?:@{_NAME} ?)+", "${1}", "<USER>"),
    "hashtags": (r"#[^#\n]{1,40}#", "", "<TOPIC>"),
    "emoticons": (r"\[[A-Za-z0-9\x{4E00}-\x{9FFF}]{1,8}\]", "", "<FACE>"),
}

#: A text that a step changes matches the step's gate.
GATES = {kind: pattern for kind, (pattern, _, _) in _KINDS.items()}

#: One of which it holds, if it holds nothing but plain characters.
SIGNS = {
    "links": (Sign(characters="/", then="/"), Sign(characters="Ww", then="Ww"), Sign(characters="_", then="Uu")),
    "link_words": (Sign(characters="n", then="k"),),
    "hashtags": (Sign(characters="#"),),
    "emoticons": (Sign(characters=r"\["),),
}


def parts(options: TextOptions, _traits: Traits, *, kind: str) -> tuple[Part, ...]:
    """`remove` or `replace` of one kind, as the options say."""
    change = replace if getattr(options, kind) is Policy.PLACEHOLDER else remove
    return ((GATES[kind], partial(change, kind=kind)),)


def remove(text: pl.Expr, *, kind: str) -> pl.Expr:
    """Remove one kind: `reposts`, `links`, `alinks`, `mentions`, `hashtags` or `emoticons`.

    Of a repost chain the newest comment stays: it is the turn. Brackets and quotes around nothing but `alink` go with
    it, and so do those that only say whose it is: （译自：alink）. `alink` is a word of its own: in alink.com, alink-2,
    @alink and Woalink it stays. An `@` within an address is no mention.

    >>> pl.select(remove(pl.lit("好可爱//@小明:转发//@小红:哈哈"), kind="reposts")).item()
    '好可爱'
    """
    pattern, rest, _ = _KINDS[kind]
    if kind == "link_words":
        return _each_alink(text.str.replace(_LAST_ALINK, "${1}"), _address)
    return text.str.replace_all(pattern, rest)


def replace(text: pl.Expr, *, kind: str) -> pl.Expr:
    """Write a placeholder for each of one kind (`<LINK>`, `<USER>`, `<TOPIC>`, `<FACE>`); see `remove`.

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
    """The comments of a repost chain as a list, the oldest first; a text that is no chain as a list of itself.

    >>> pl.select(comments(pl.lit("好可爱//@小明:转发//@小红:哈哈"))).item().to_list()
    ['哈哈', '转发', '好可爱']
    """
    marked = text.str.replace_all(_BETWEEN, "", literal=True).str.replace_all(_REPOST, f"${{1}}{_BETWEEN}")
    return marked.str.split(_BETWEEN).list.reverse()
