"""Ids, splits and order of records. They depend on the content of the record only (version 1).

Nothing here depends on row numbers, other sources or random numbers, so a record has the same id and the same split
in every export. Hashes are 64-bit BLAKE2b, with their purpose as key.

- canonical form: NFKC, case folded, letters and digits only, repeated characters once (哈哈哈 is 哈)
- content group: the canonical form of the first message; if it has fewer than 6 characters, also that of the second
- split: by the hash of the content group, so a group is never in two splits
- id: the source, a hyphen, and the hash of the contents; for the n-th record (n > 1) of a source with these contents,
  the hash of this hash and n
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from hashlib import blake2b

import polars as pl

from chat_corpus.row_masks import apply_where, matches, row_mask

#: Version of these rules, which manifest.json states.
VERSION = 1
SPLITS = ("train", "validation", "test")
#: Number of occurrence numbers for which ids are computed at a time.
_NUMBERS = 1 << 16
#: Separator of the parts of a hashed text.
_SEPARATOR = "\x1f"
_SPLIT_KEY, _ID_KEY = (f"chat-corpus {purpose} {VERSION}".encode() for purpose in ("split", "id"))
#: Least characters of a first message that alone determines the group: 什么 alone would be a group of 600 dialogues.
_LEAST = 6
_RANGE = 1 << 64
#: Marks with a meaning: symbols such as < + 👍, but not ~, which only shows a tone; and points, hyphens and other marks
#: within, before or after numbers and names. The first pattern matches texts that may have one, of any width. The
#: second matches the marks in NFKC.
_MEANINGFUL = r"[\p{S}&&[^~～]]|[.．\-－#＃%％*＊/／:：]"
_MARK = re.compile(
    r"[^\w\s~!-/:-@\[-`{-\x7f\u00a1-\u00bf\u2010-\u2027\u2030-\u205e\u3000-\u303f\ufe10-\ufe6f]|[$+<=>^|]"
    r"|[.*/:](?=[0-9A-Za-z])(?<=[0-9A-Za-z].)|[.\-](?=[0-9])|-(?=[A-Za-z])(?<=[0-9A-Za-z].)|[#%](?<=[0-9A-Za-z].)"
    r"|#(?=[0-9A-Za-z])"
)
#: A pattern without look-around, which Polars lacks: it matches every text in which `_MARK` has a match.
_MAYBE_MARK = (
    r"[^\p{L}\p{N}_\s\x1c-\x1f~!-/:-@\[-`{-\x7f\u00a1-\u00bf\u2010-\u2027\u2030-\u205e\u3000-\u303f\ufe10-\ufe6f]"
    r"|[$+<=>^|]|[.*/:][0-9A-Za-z]|[.\-][0-9]|-[A-Za-z]|[0-9A-Za-z][#%]|#[0-9A-Za-z]"
)
#: Characters that `fold` drops, before or after NFKC: ASCII marks and common full-width ones.
_MARKS = r"\x00-/:-@\[-`{-\x7f·‐-―‘-”…\u3000-。〈-】！-／：-＠～"
_DROPPED = f"[{_MARKS}]+"
_DROPPED_BETWEEN = _DROPPED.replace(r"\x00-/", r"\x00-\x1e\x20-/")
#: `_MARKS`, ASCII letters and digits, and common Han characters. Nearly all texts have no other characters.
PLAIN = rf"{_MARKS}0-9A-Za-z\u4e00-\u9fa5"
_SMALL = PLAIN.replace("A-Za-z", "a-z")
#: Runs of characters that are neither letters nor digits.
_NEITHER = r"[^\p{L}\p{N}]+"
#: Matches joined texts that have an empty part.
_EMPTY_PART = f"^{_SEPARATOR}|{_SEPARATOR}{_SEPARATOR}|{_SEPARATOR}$|^$"
_RUN = re.compile(r"(.)\1+")


def fold(texts: pl.Series) -> pl.Series:
    """Return texts without differences of width and letter case, without blanks, punctuation, symbols and marks.

    A text stays unchanged if nothing would be left of it.

    >>> fold(pl.Series(["Ｏｋ，好 的！", "……"])).to_list()
    ['ok好的', '……']
    """
    folded = apply_where(texts.str.replace_all(_DROPPED, ""), matches(texts, "[A-Z]"), _lower)
    folded = _set_where(folded, texts, matches(texts, f"[^{PLAIN}]"), fold_any)
    return folded.zip_with(folded != "", texts)


def _lower(texts: pl.Series) -> pl.Series:
    return texts.str.to_lowercase()


def fold_any(texts: pl.Series) -> pl.Series:
    """Return the result of `fold` for texts with any characters, except that a text may become empty."""
    return _folded(texts, _NEITHER)


def _folded(texts: pl.Series, dropped: str) -> pl.Series:
    folded = texts.str.normalize("NFKC").str.to_lowercase()
    # Letters that case folding changes although they are lower-case, such as ß and ς.
    special = matches(folded, r"\p{CWCF}")
    return apply_where(folded, special, _case_folded).str.replace_all(dropped, "")


def _set_where(
    done: pl.Series, texts: pl.Series, where: pl.Series, work: Callable[[pl.Series], pl.Series]
) -> pl.Series:
    """Return `done` with the rows of the mask `where` replaced by the result of `work` for these texts."""
    if not where.any():
        return done
    whole: pl.Series = done.clone().scatter(where.arg_true(), work(texts.filter(where)))
    return whole


def canonical(texts: pl.Series) -> pl.Series:
    """Return the canonical form of texts: `fold`, and each repeated character once.

    >>> canonical(pl.Series(["哈哈哈，Good!", "Strasse", "Straße"])).to_list()
    ['哈god', 'strase', 'strase']
    """
    folded = fold(texts)
    plain = matches(folded, r"^[\p{L}\p{N}]+$")  # others have neither letters nor digits, and stay as they are
    return apply_where(folded, plain, _without_runs)


def _case_folded(texts: pl.Series) -> pl.Series:
    return pl.Series([text.casefold() for text in texts], dtype=pl.String)


def _without_runs(texts: pl.Series) -> pl.Series:
    characters = texts.str.split("").explode()
    repeated = (characters == characters.shift(1)).arg_true()
    # A text that begins with the last character of the text before is included needlessly; it does not change.
    rows = texts.str.len_chars().cum_sum().search_sorted(repeated, side="right").unique()
    return apply_where(texts, row_mask(len(texts), rows), _each_once)


def _each_once(texts: pl.Series) -> pl.Series:
    # One pass over all texts, in Python: regular expressions of Polars have no back-references.
    return pl.Series(_RUN.sub(r"\1", "\n".join(texts)).split("\n"), dtype=pl.String)


def content_groups(opener: pl.Series, reply: pl.Series) -> pl.Series:
    """Return the content group of each dialogue as text, from its first two messages."""
    first = canonical(opener)
    short = first.str.len_chars() < _LEAST
    if not short.any():
        return first
    second = canonical(reply.filter(short))
    return first.clone().scatter(short.arg_true(), first.filter(short) + _SEPARATOR + second)


def group_hashes(opener: pl.Series, reply: pl.Series) -> pl.Series:
    """Return the hash (UInt64) of the content group of each dialogue, from its first two messages."""
    return _hashed(content_groups(opener, reply), _SPLIT_KEY)


def _hashed(texts: pl.Series, key: bytes) -> pl.Series:
    """Return the keyed 64-bit BLAKE2b hash of each text and a separator, read as a big-endian number: UInt64."""
    copy = blake2b(digest_size=8, key=key).copy  # a copy is faster than a new object for each text
    digests = []
    for data in (texts + _SEPARATOR).cast(pl.Binary):
        digest = copy()
        digest.update(data)
        digests.append(digest.digest())
    return pl.Series(digests, dtype=pl.Binary).bin.reinterpret(dtype=pl.UInt64, endianness="big")


def content_keys(messages: pl.Series) -> pl.Series:
    """Return a hash (UInt64) of the contents of each record, without system messages.

    `messages` is the column of `dialogues.DIALOGUES`.
    """
    return hash_contents(contents_of(messages))


def hash_contents(contents: pl.Series) -> pl.Series:
    """Return the `content_keys` of records from their contents, as `contents_of` returns them."""
    return _hashed(contents, _ID_KEY)


def equal_keys(messages: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return two keys (UInt64) that records share if they differ only in case, width, punctuation and blanks (`fold`).

    Marks with a meaning count: 3.5 is not 35, C++ is not C#, and 好👍 is not 好😭. The hash function depends on the
    version of Polars, so the keys are valid within one export only.

    >>> rows = pl.Series([[{"role": "user", "content": text}] for text in ("用 C++。", "用c++", "用C#")])
    >>> equal_keys(rows)[0].n_unique()
    2
    """
    return equal_keys_of(contents_of(messages))


def equal_keys_of(contents: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return the `equal_keys` of records from their contents, as `contents_of` returns them."""
    texts = fold_spelled(contents)
    return texts.hash(seed=1), texts.hash(seed=2)


def fold_spelled(texts: pl.Series) -> pl.Series:
    r"""Return `fold` of texts, or of each part of texts joined by U+001F, but with marks that have a meaning.

    Each of these marks is written as its code point between two letters ǂ, so that `fold` keeps it.

    >>> fold_spelled(pl.Series(["好 的！\x1fOK", "3.5", "35"])).str.len_chars().to_list()
    [5, 6, 2]
    >>> fold_spelled(pl.Series(["……", "？"])).to_list()
    ['……', '？']
    """
    return _fold_each(apply_where(texts, matches(texts, _MEANINGFUL), _spelled))


def _spelled(texts: pl.Series) -> pl.Series:
    """Return texts with marks that have a meaning written as letters and digits, which `fold` keeps."""
    normalized = texts.str.normalize("NFKC")
    return apply_where(normalized, matches(normalized, _MAYBE_MARK), _marks_as_letters)


def _marks_as_letters(texts: pl.Series) -> pl.Series:
    return pl.Series([_MARK.sub(_as_letters, text) for text in texts], dtype=pl.String)


def _as_letters(mark: re.Match[str]) -> str:
    return f"\N{LATIN LETTER ALVEOLAR CLICK}{ord(mark[0]):x}\N{LATIN LETTER ALVEOLAR CLICK}"


def _fold_each(joined: pl.Series) -> pl.Series:
    """Return `fold` of each part of texts joined by `_SEPARATOR`."""
    unusual = matches(joined, f"[^{_SMALL}]")
    capital, others = (matches(joined, pattern, unusual) for pattern in ("[A-Z]", f"[^{PLAIN}]"))
    folded = apply_where(joined.str.replace_all(_DROPPED_BETWEEN, ""), capital, _lower)
    folded = _set_where(folded, joined, others, _fold_joined)
    return _set_where(folded, joined, matches(folded, _EMPTY_PART), _fold_parts)


def _fold_joined(joined: pl.Series) -> pl.Series:
    """Return `fold_any` of each part of joined texts: no character is combined with one of a different part."""
    return _folded(joined, _NEITHER.replace("^", f"^{_SEPARATOR}"))


def _fold_parts(joined: pl.Series) -> pl.Series:
    parts = (
        joined.to_frame("text").with_row_index("at").with_columns(pl.col("text").str.split(_SEPARATOR)).explode("text")
    )
    folded = parts.with_columns(fold(parts["text"])).group_by("at", maintain_order=True)
    return folded.agg(pl.col("text").str.join(_SEPARATOR))["text"]


def occurrences(keys: pl.Series) -> pl.Series:
    """Return the occurrence number of each content key of a whole source: n for the n-th record with the same key.

    Records with the same key have the same contents, so their order does not matter.
    """
    return keys.to_frame("key").select(pl.int_range(1, pl.len() + 1).over("key")).to_series()


def record_ids(source: str | pl.Series, keys: pl.Series, numbers: pl.Series | None = None) -> pl.Series:
    """Return the ids of records from source (one for all, or one for each), content keys and occurrence numbers.

    Without `numbers`, all are 1. Ids are unique in a source unless 64-bit hashes collide, and do not depend on other
    contents of the export.
    """
    return source + "-" + _hexadecimal(keys if numbers is None else occurrence_keys(keys, numbers))


def occurrence_keys(keys: pl.Series, numbers: pl.Series) -> pl.Series:
    """Return the number that each id has in hexadecimal: the content key itself for the first occurrence."""
    again = numbers > 1
    if not again.any():
        return keys
    texts = keys.filter(again).cast(pl.String) + _SEPARATOR + numbers.filter(again).cast(pl.String)
    other: pl.Series = keys.clone().scatter(again.arg_true(), _hashed(texts, _ID_KEY))
    return other


def is_id_of(record_id: str, key: pl.Series, most: int) -> bool:
    """Return whether an id is that of the n-th record with a content key (one row), for any n from 1 to `most`."""
    name = record_id.rpartition("-")[0]
    for start in range(1, most + 1, _NUMBERS):
        numbers = pl.int_range(start, min(start + _NUMBERS, most + 1), dtype=pl.UInt32, eager=True)
        if record_id in record_ids(name, key.new_from_index(0, len(numbers)), numbers):
            return True
    return False


def order_keys(ids: pl.Series) -> pl.Series:
    """Return the sort key of each record (UInt64), which is the number in its id; null for a malformed id.

    The numbers are hashes, so the order is pseudo-random. They are the content keys, except for repeated contents. Ties
    are sorted by id.
    """
    return ids.str.tail(16).str.to_integer(base=16, dtype=pl.UInt64, strict=False)


@cache
def _digits() -> pl.Series:
    """Return all 16-bit numbers as four hexadecimal digits."""
    return pl.Series([f"{number:04x}" for number in range(1 << 16)], dtype=pl.String)


def _hexadecimal(keys: pl.Series) -> pl.Series:
    parts = {str(shift): _digits().gather((keys // (1 << shift)) % (1 << 16)) for shift in (48, 32, 16, 0)}
    return pl.DataFrame(parts).select(pl.concat_str(pl.all())).to_series()


def contents_of(messages: pl.Series) -> pl.Series:
    """Return the contents of the messages of each record, without system messages, joined by U+001F."""
    frame = messages.to_frame("messages")
    content = pl.col("messages").list.eval(pl.element().struct.field("content"))
    is_system = pl.col("messages").list.first().struct.field("role") == "system"
    spoken = content.list.slice(is_system.cast(pl.Int64)) if frame.select(is_system.any()).item() else content
    return frame.select(spoken.list.join(_SEPARATOR)).to_series()
