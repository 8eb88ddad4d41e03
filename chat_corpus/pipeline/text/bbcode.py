"""BBCode, the markup of forums, in the dialect of Discuz: tags are removed, and the text between them stays."""

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
# Tags around an address, or around a label if the tag has the address as its value.
_LINKS = ("url", "email")
_MEDIA = ("img", "media", "flash", "audio", "video")
# Tags around an internal number or file name of the forum.
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
# Separators that replace the tags of list items, rows and cells.
_APART = {"list": "\n", "/list": "\n", "table": "\n", "/table": "\n", "hr": "\n", "/tr": "\n", "/td": " ", "/th": " "}
# Operators and punctuation that follow an index in code.
_OPERATED = lazy(r"[ \t]*(?:[=+\-*/%<>&|^?:;,.)\]}]|!=)")
# Values that no BBCode tag has: they come from messages of interpreters.
_NO_VALUES = ("undefined", "null", "nan", "none", "true", "false")
# Tags that need no closing tag at the start of a text, or after another tag, if Han follows and the text has no list
# with the letters [a], [b], [c].
_BEGUN = ("b", "i", "u", "s", "strike", "del")
_BEFORE_HAN = lazy(r"(?:\[[a-z][^\[\]\n]{0,40}\]){0,8}[\u4E00-\u9FFF]", re.IGNORECASE | re.ASCII)
_LETTER = lazy(r"\[(?![bipsu]\])[a-z]\]", re.IGNORECASE | re.ASCII)
_ADDRESS = lazy(r"(?:https?://|www\.|[\w-]+@)[!-Z\\^-~]+|[!-Z\\^-~]+[./?][!-Z\\^-~]+", re.IGNORECASE | re.ASCII)
_BEGINS = lazy(r"(?:https?://|www\.)", re.IGNORECASE)
_INTERNAL_NAME = lazy(r"\s*[\w.,:/-]*\s*", re.ASCII)
# No space is written next to _MARKS, or after _OPENING.
_MARKS = "，。！？；：、）】》」』”’…"
_OPENING = "（【《「『“‘("
# The ellipsis with which Discuz shortens an address that is the text of its own link.
_CUT = lazy(r" ?(?:\.{2,}|…) ?")

#: The gate of `strip_bbcode`: every text that it changes matches.
GATE = r"\[(?:/?[A-Za-z]|\*)"
#: Every such text has this sign.
SIGN = Sign(characters=r"\[", then="/A-Za-z*")


@dataclass(kw_only=True, slots=True)
class _Tag:
    """A tag in a text.

    `indexes`: it may be an index in code, because it follows a letter, a digit or a bracket that is not part of a tag.
    `operated`: it must be an index, because an operator follows it too. `first`: it is at the beginning of the text, or
    right after another tag.
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
    """Replace the text from `begin` to `end` by `text`, with the separators `before` and `after` around it."""

    begin: int
    end: int
    before: str = ""
    text: str = ""
    after: str = ""


def parts(options: TextOptions, _traits: Traits) -> tuple[Part, ...]:
    """Return `strip_bbcode`, which treats addresses as the options say for links."""
    return ((GATE, partial(strip_bbcode, links=options.links)),)


def strip_bbcode(text: pl.Expr, *, links: Policy = Policy.KEEP) -> pl.Expr:
    r"""Remove BBCode tags, in upper or lower case, and keep the text between them; tags inside code are not parsed.

    The address of a link comes after its text and is treated as `links` says. So is the address of an image, which has
    nothing else to keep. Numbers of attachments are removed, and so is the note on who edited a post. Separators
    replace the tags of list items, rows, cells and blocks, such as quotes and code.

    An unpaired tag is removed only if it cannot be anything else: a closing tag, a tag with a value, `[url]` before an
    address, `[b]` at the start of a Chinese text. `a[i]`, `[b]` elsewhere, `[1]` and `[哈哈]` stay. So do both tags of
    `a[i] = 1; //[/i]`, and code tags around text that would be taken for BBCode without them.

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
    """Yield the tags outside code, and add the edits that remove the tags around it."""
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
    """Pair each closing tag with the last open tag of its name; return the pairs and the unpaired tags.

    A tag that may be an index is paired only if there is no other. If the only candidate must be an index, the text is
    code, and neither of the two is a tag.
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
    """Return the edits that remove two tags, and any text between them that the author did not write."""
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
    """Return the edits for a link with a text: its address follows the text, or replaces it if both are the same."""
    address = (begin.value or "").strip(" '\x22").removeprefix("mailto:")
    if not _ADDRESS().fullmatch(address):
        return []
    if end.begin - begin.end <= len(address) + 10 and _is_same(text[begin.end : end.begin].strip(), address):
        return [_address(begin.begin, end.end, address, links)]
    return [_removed(begin), _address(end.begin, end.end, address, links)]


def _is_same(label: str, address: str) -> bool:
    """Whether a link's text is its address; the scheme, the last slash or a piece in the middle may be missing."""
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
    """Return the spans in order, without those that begin inside another."""
    spans: list[tuple[int, int]] = []
    for begin, end in sorted(pairs):
        if not spans or begin >= spans[-1][1]:
            spans.append((begin, end))
    return spans


def _lies_in(spans: list[tuple[int, int]], place: int) -> bool:
    at = bisect(spans, (place, sys.maxsize)) - 1
    return at >= 0 and place < spans[at][1]


def _is_markup(text: str, tag: _Tag, lists: list[tuple[int, int]], *, lettered: bool) -> bool:
    """Whether an unpaired tag must be markup; `lettered` means that the text has list letters such as [a], [c]."""
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
    """Return the text with the edits made; a separator is written only between parts that have no whitespace there."""
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
