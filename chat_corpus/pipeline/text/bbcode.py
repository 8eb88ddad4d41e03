"""BBCode, the markup of forums (the dialect of Discuz): tags go, and what is between them stays."""

from __future__ import annotations

import re
import sys
from bisect import bisect
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from chat_corpus.pipeline.character_scan import Sign
from chat_corpus.pipeline.text.gates import Part
from chat_corpus.pipeline.text.lazy_patterns import lazy
from chat_corpus.pipeline.text.options import Policy, TextOptions
from chat_corpus.schema import Traits

_CODE = ("code", "mw_shl_code", "php", "html")
# Between their tags is an address, or the text of one that the tag names.
_LINKS = ("url", "email")
_MEDIA = ("img", "media", "flash", "audio", "video")
# Between their tags is a number, or a file, of the forum's own.
_INTERNAL = ("attach", "attachimg", "postbg")
_BLOCKS = (
    *("align", "center", "left", "right", "indent", "p", "h1", "h2", "h3", "h4", "h5", "h6", "quote", "hide", "free"),
    *_CODE,
)
_FORMATS = "backcolor color del float font password qq size strike sub sup b i s u".split()  # noqa: SIM905 a list of words
_NAMES = (*_LINKS, *_MEDIA, *_INTERNAL, *_BLOCKS, *_FORMATS, "hr", "list", "table", "td", "th", "tr")
_TAG = lazy(
    rf"\[(?:(?P<close>/?)(?P<name>{'|'.join(_NAMES)})(?:=(?P<value>[^\[\]\n]{{0,1000}}))?|\*)\]",
    re.IGNORECASE | re.ASCII,
)
# What comes apart where these tags were: items, rows and cells.
_APART = {"list": "\n", "/list": "\n", "table": "\n", "/table": "\n", "hr": "\n", "/tr": "\n", "/td": " ", "/th": " "}
# What comes after an index in code.
_OPERATED = lazy(r"[ \t]*(?:[=+\-*/%<>&|^?:;,.)\]}]|!=)")
# A value that is none, as in the message of an interpreter.
_NO_VALUES = ("undefined", "null", "nan", "none", "true", "false")
# What begins a text, or comes after another tag, before Han characters, where no list is lettered so.
_BEGUN = ("b", "i", "u", "s", "strike", "del")
_BEFORE_HAN = lazy(r"(?:\[[a-z][^\[\]\n]{0,40}\]){0,8}[\u4E00-\u9FFF]", re.IGNORECASE | re.ASCII)
_LETTER = lazy(r"\[(?![bipsu]\])[a-z]\]", re.IGNORECASE | re.ASCII)
_ADDRESS = lazy(r"(?:https?://|www\.|[\w-]+@)[!-Z\\^-~]+|[!-Z\\^-~]+[./?][!-Z\\^-~]+", re.IGNORECASE | re.ASCII)
_BEGINS = lazy(r"(?:https?://|www\.)", re.IGNORECASE)
_INTERNAL_NAME = lazy(r"\s*[\w.,:/-]*\s*", re.ASCII)
# Beside these no blank is written.
_MARKS = "，。！？；：、）】》」』”’…"
_OPENING = "（【《「『“‘("
# How Discuz shortens an address that is its own text.
_CUT = lazy(r" ?(?:\.{2,}|…) ?")

#: A text that `strip_bbcode` changes matches it.
GATE = r"\[(?:/?[A-Za-z]|\*)"
#: What it holds.
SIGN = Sign(characters=r"\[", then="/A-Za-z*")


@dataclass(kw_only=True, slots=True)
class _Tag:
    """A tag in a text.

    `indexes` where a letter, a digit or a bracket that ends no tag stands before it, as before an index in code;
    `operated` where an operator comes after it besides, so that it can be nothing else. `first` at the beginning of the
    text or behind a tag.
    """

    begin: int
    end: int
    name: str
    closes: bool
    value: str | None
    indexes: bool
    operated: bool
    first: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Edit:
    """What stands from `begin` to `end` becomes `text`, apart from what is before it and after it."""

    begin: int
    end: int
    before: str = ""
    text: str = ""
    after: str = ""


def parts(options: TextOptions, _traits: Traits) -> tuple[Part, ...]:
    """`strip_bbcode`, with addresses as the options say of links."""
    return ((GATE, partial(strip_bbcode, links=options.links)),)


def strip_bbcode(text: pl.Expr, *, links: Policy = Policy.KEEP) -> pl.Expr:
    r"""Remove the tags of BBCode, in any case of letters, and keep what is between them; nothing is read inside code.

    A link keeps its address, after its text, as `links` says of addresses, and so does an image, of which nothing else
    is there to be kept. Numbers of attachments go, and the note on who edited a post. Items, rows, cells and blocks,
    such as quotes and code, come apart.

    What is not balanced goes if it cannot be anything else: a closing tag, one with a value, `[url]` before an address,
    `[b]` where a text in Chinese begins. `a[i]`, `[b]` elsewhere, `[1]` and `[哈哈]` stay, and so do both of `a[i] = 1;
    //[/i]`, and a code tag around what would be taken for BBCode without it.

    >>> pl.select(strip_bbcode(pl.lit("[b]看[/b][url=http://a.cn/]文档[/url]，[code]x = a[i];[/code]"))).item()
    '看文档 http://a.cn/，\nx = a[i];'
    """
    return text.map_elements(partial(_strip, links=links), return_dtype=pl.String)


def _strip(text: str, *, links: Policy) -> str:
    tags = list(_tags(text))
    if not tags:
        return text
    edits: list[_Edit] = []
    pairs, alone = _paired(list(_outside_code(text, tags, edits, links)))
    lists = _spans((begin.end, end.begin) for begin, end in pairs if begin.name == "list")
    cells = _spans((begin.end, end.begin) for begin, end in pairs if begin.name in ("td", "th"))
    for begin, end in pairs:
        within = begin.name in _BLOCKS and _lies_in(cells, begin.begin)
        edits += [replace(edit, after=" ") if within else edit for edit in _of_pair(text, begin, end, links)]
    lettered = bool(alone) and _LETTER().search(text) is not None
    edits += [_removed(tag) for tag in alone if _is_markup(text, tag, lists, lettered=lettered)]
    return _edited(text, edits)


def _tags(text: str) -> Iterator[_Tag]:
    last: _Tag | None = None
    for match in _TAG().finditer(text):
        begin = match.start()
        before = text[begin - 1] if begin else ""
        if behind := last is not None and last.end == begin:
            indexes = last is not None and last.indexes and not last.closes
        else:
            indexes = before.isascii() and (before.isalnum() or (before != "" and before in "_$)]"))
        bare = match["close"] != "/" and match["value"] is None
        last = _Tag(
            begin=begin,
            end=match.end(),
            name=(match["name"] or "*").lower(),
            closes=match["close"] == "/",
            value=match["value"],
            indexes=indexes,
            operated=indexes and bare and _OPERATED().match(text, match.end()) is not None,
            first=begin == 0 or (behind and not indexes),
        )
        yield last


def _outside_code(text: str, tags: list[_Tag], edits: list[_Edit], links: Policy) -> Iterator[_Tag]:
    """Yield the tags outside code, and add the edits that take away those around it."""
    ends = {name: [at for at, tag in enumerate(tags) if tag.closes and tag.name == name] for name in _CODE}
    at = 0
    while at < len(tags):
        tag, closing = tags[at], ends.get(tags[at].name, [])
        following = bisect(closing, at)
        if tag.closes or tag.operated or following == len(closing):
            yield tag
            at += 1
            continue
        end = tags[closing[following]]
        inside = text[tag.end : end.begin]
        if _strip(inside, links=links) == inside:
            edits += [_removed(tag), _removed(end)]
        at = closing[following] + 1


def _paired(tags: list[_Tag]) -> tuple[list[tuple[_Tag, _Tag]], list[_Tag]]:
    """Pair each closing tag with the last open one of its name, an index only if there is no other; and the rest.

    Where only what must be an index is there to be closed, the text is of code, and neither is a tag.
    """
    opened: defaultdict[tuple[str, bool], list[_Tag]] = defaultdict(list)
    operated = set()
    pairs, alone = [], []
    for tag in tags:
        if tag.operated:
            operated.add(tag.name)
        elif not tag.closes:
            opened[tag.name, tag.indexes and tag.value is None].append(tag)
        elif last := opened[tag.name, False] or opened[tag.name, True]:
            pairs.append((last.pop(), tag))
        elif tag.name not in operated:
            alone.append(tag)
    return pairs, alone + [tag for rest in opened.values() for tag in rest]


def _of_pair(text: str, begin: _Tag, end: _Tag, links: Policy) -> list[_Edit]:
    """The edits that take away two tags, and what between them is not the author's."""
    tags = [_removed(begin), _removed(end)]
    if begin.name in _LINKS and begin.value is not None:
        return _of_link(text, begin, end, links) or tags
    inside = text[begin.end : end.begin] if begin.name in (*_LINKS, *_MEDIA, *_INTERNAL) or begin.value == "s" else ""
    note = begin.name == "i" and begin.value == "s" and "编辑" in inside  # who edited the post, and when
    if note or (begin.name in _INTERNAL and _INTERNAL_NAME().fullmatch(inside)):
        return [_Edit(begin=begin.begin, end=end.end)]
    if begin.name in (*_LINKS, *_MEDIA) and _ADDRESS().fullmatch(inside.strip()):
        return [_address(begin.begin, end.end, inside.strip(), links)]
    return tags


def _of_link(text: str, begin: _Tag, end: _Tag, links: Policy) -> list[_Edit]:
    """The edits for a link with a text: its address comes after it, or in its place if it is the same."""
    address = (begin.value or "").strip(" '\x22").removeprefix("mailto:")
    if not _ADDRESS().fullmatch(address):
        return []
    if end.begin - begin.end <= len(address) + 10 and _is_same(text[begin.end : end.begin].strip(), address):
        return [_address(begin.begin, end.end, address, links)]
    return [_removed(begin), _address(end.begin, end.end, address, links)]


def _is_same(label: str, address: str) -> bool:
    """Whether a link's text is its address; scheme, last slash or a piece in the middle may be missing."""
    first, *rest = _CUT().split(label.rstrip("/"))
    whole = address.rstrip("/")
    bare = _BEGINS().sub("", whole, count=1)
    if not rest:
        return first in ("", whole, bare)
    return (whole.startswith(first) or bare.startswith(first)) and whole.endswith(rest[-1])


def _address(begin: int, end: int, address: str, links: Policy) -> _Edit:
    if links is Policy.REMOVE:
        return _Edit(begin=begin, end=end)
    shown = "<LINK>" if links is Policy.PLACEHOLDER else address
    return _Edit(begin=begin, end=end, before=" ", text=shown, after=" ")


def _spans(pairs: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans that may lie in each other as spans that do not."""
    spans: list[tuple[int, int]] = []
    for begin, end in sorted(pairs):
        if not spans or begin >= spans[-1][1]:
            spans.append((begin, end))
    return spans


def _lies_in(spans: list[tuple[int, int]], place: int) -> bool:
    at = bisect(spans, (place, sys.maxsize)) - 1
    return at >= 0 and place < spans[at][1]


def _is_markup(text: str, tag: _Tag, lists: list[tuple[int, int]], *, lettered: bool) -> bool:
    """Whether a tag without its counterpart can be nothing else; not so in a list that is `lettered` [a], [b], [c]."""
    if tag.name == "*":
        return _lies_in(lists, tag.begin)
    if tag.closes:
        return True
    if tag.indexes:
        return False
    if tag.value is not None:
        operand = text[max(0, tag.begin - 8) : tag.begin].rstrip(" \t")[-1:] in tuple("=(,+")
        return not operand and tag.value.strip().lower() not in _NO_VALUES
    if tag.name in _BEGUN and tag.first and not lettered:
        return _BEFORE_HAN().match(text, tag.end) is not None
    return tag.name == "hr" or (tag.name in (*_LINKS, *_MEDIA) and _BEGINS().match(text, tag.end) is not None)


def _removed(tag: _Tag) -> _Edit:
    apart = "\n" if tag.name == "*" or tag.name in _BLOCKS else _APART.get("/" * tag.closes + tag.name, "")
    return _Edit(begin=tag.begin, end=tag.end, after=apart)


def _edited(text: str, edits: list[_Edit]) -> str:
    """The text with edits made; blanks and breaks between parts are written only where there are two parts and none."""
    parts: list[str] = []
    apart, at = "", 0

    def put(part: str) -> None:
        nonlocal apart
        if not part:
            return
        together = not parts or parts[-1][-1].isspace() or part[0].isspace()
        together = together or (apart == " " and (part[0] in _MARKS or parts[-1][-1] in _MARKS + _OPENING))
        parts.extend([part] if together else [apart, part])
        apart = ""

    for edit in sorted(edits, key=lambda one: (one.begin, -one.end)):
        if edit.begin < at:
            continue
        put(text[at : edit.begin])
        apart = max(apart, edit.before, key=_strength)
        put(edit.text)
        apart = max(apart, edit.after, key=_strength)
        at = edit.end
    put(text[at:])
    return "".join(parts)


def _strength(apart: str) -> int:
    return ("", " ", "\n").index(apart)
