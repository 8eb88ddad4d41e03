"""Identifiers, splits and order of records, by their content alone (version 1).

Nothing here depends on row numbers, on other sources or on random numbers: a record has the same id and the same split
in every export that holds it. Hashes are BLAKE2b of 64 bits, keyed with what they are for.

- canonical form: NFKC, case folded, letters and digits only, a run of one character once (哈哈哈 is 哈)
- content group: the canonical form of the first message, and of the second too if the first has fewer than 6 characters
- split: by the hash of the group, so that a group is never in two splits
- id: the source, a hyphen, and the hash of the contents; the n-th record of the same contents in a source hashes n too
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from hashlib import blake2b

import polars as pl

from chat_corpus.row_masks import apply_where, matches, row_mask

#: Number of these rules; it is in manifest.json.
VERSION = 1
#: The splits of an export, and what is in none of them because its split has reached its cap.
SPLITS = ("train", "validation", "test")
#: Occurrence numbers with ids that are computed together.
_NUMBERS = 1 << 16
#: Between the parts of a hashed text.
_SEPARATOR = "\x1f"
_SPLIT_KEY, _ID_KEY = (f"chat-corpus {purpose} {VERSION}".encode() for purpose in ("split", "id"))
#: Fewest characters of a first message that makes a group by itself: 什么 alone would be one of 600 dialogues.
_LEAST = 6
_RANGE = 1 << 64
#: Marks with a meaning: symbols such as < + 👍, but not the tone mark ~; points, hyphens and others within or before
#: numbers and names. The first pattern finds texts that may have one, in any width; the second finds the marks.
_MEANINGFUL = r"[\p{S}&&[^~～]]|[.．\-－#＃%％*＊/／:：]"
_MARK = re.compile(
    r"[^\w\s~!-/:-@\[-`{-\x7f\u00a1-\u00bf\u2010-\u2027\u2030-\u205e\u3000-\u303f\ufe10-\ufe6f]|[$+<=>^|]"
    r"|[.*/:](?=[0-9A-Za-z])(?<=[0-9A-Za-z].)|[.\-](?=[0-9])|-(?=[A-Za-z])(?<=[0-9A-Za-z].)|[#%](?<=[0-9A-Za-z].)"
    r"|#(?=[0-9A-Za-z])"
)
#: A text that has a match of `_MARK` matches this, which needs no look-around.
_MAYBE_MARK = (
    r"[^\p{L}\p{N}_\s\x1c-\x1f~!-/:-@\[-`{-\x7f\u00a1-\u00bf\u2010-\u2027\u2030-\u205e\u3000-\u303f\ufe10-\ufe6f]"
    r"|[$+<=>^|]|[.*/:][0-9A-Za-z]|[.\-][0-9]|-[A-Za-z]|[0-9A-Za-z][#%]|#[0-9A-Za-z]"
)
#: Characters that `fold` drops, and that have no other meaning for NFKC: ASCII marks, and the common wide ones.
_MARKS = r"\x00-/:-@\[-`{-\x7f·‐-―‘-”…\u3000-。〈-】！-／：-＠～"
_DROPPED = f"[{_MARKS}]+"
#: The same without `_SEPARATOR`.
_DROPPED_BETWEEN = _DROPPED.replace(r"\x00-/", r"\x00-\x1e\x20-/")
#: With these, ASCII letters and digits and the common Han characters: nearly all texts have no others.
PLAIN = rf"{_MARKS}0-9A-Za-z\u4e00-\u9fa5"
#: The same without capital letters.
_SMALL = PLAIN.replace("A-Za-z", "a-z")
#: What is no letter and no digit.
_NEITHER = r"[^\p{L}\p{N}]+"
#: Of a part of joined texts nothing is left.
_EMPTY_PART = f"^{_SEPARATOR}|{_SEPARATOR}{_SEPARATOR}|{_SEPARATOR}$|^$"
_RUN = re.compile(r"(.)\1+")


def fold(texts: pl.Series) -> pl.Series:
    """Texts without what two writers of the same words differ in: width, case, blanks, punctuation, symbols, marks.

    A text of nothing else stays as it is.

    >>> fold(pl.Series(["Ｏｋ，好 的！", "……"])).to_list()
    ['ok好的', '……']
    """
    folded = apply_where(texts.str.replace_all(_DROPPED, ""), matches(texts, "[A-Z]"), _lower)
    folded = _set_where(folded, texts, matches(texts, f"[^{PLAIN}]"), fold_any)
    return folded.zip_with(folded != "", texts)


def _lower(texts: pl.Series) -> pl.Series:
    return texts.str.to_lowercase()


def fold_any(texts: pl.Series) -> pl.Series:
    """What `fold` does to any text."""
    return _folded(texts, _NEITHER)


def _folded(texts: pl.Series, dropped: str) -> pl.Series:
    folded = texts.str.normalize("NFKC").str.to_lowercase()
    # Letters with a case folding that is more than their small letter: ß, ς, and the like.
    special = matches(folded, r"\p{CWCF}")
    return apply_where(folded, special, _case_folded).str.replace_all(dropped, "")


def _set_where(
    done: pl.Series, texts: pl.Series, where: pl.Series, work: Callable[[pl.Series], pl.Series]
) -> pl.Series:
    """What was `done`, but on the rows of a mask what `work` gives of the texts."""
    if not where.any():
        return done
    whole: pl.Series = done.clone().scatter(where.arg_true(), work(texts.filter(where)))
    return whole


def canonical(texts: pl.Series) -> pl.Series:
    """The canonical form: `fold`, and each run of one character once.

    >>> canonical(pl.Series(["哈哈哈，Good!", "Strasse", "Straße"])).to_list()
    ['哈god', 'strase', 'strase']
    """
    folded = fold(texts)
    plain = matches(folded, r"^[\p{L}\p{N}]+$")  # others are texts that folding leaves nothing of
    return apply_where(folded, plain, _without_runs)


def _case_folded(texts: pl.Series) -> pl.Series:
    return pl.Series([text.casefold() for text in texts], dtype=pl.String)


def _without_runs(texts: pl.Series) -> pl.Series:
    characters = texts.str.split("").explode()
    repeated = (characters == characters.shift(1)).arg_true()
    # A text that begins with the last character of the one before is looked at too, which changes nothing.
    rows = texts.str.len_chars().cum_sum().search_sorted(repeated, side="right").unique()
    return apply_where(texts, row_mask(len(texts), rows), _each_once)


def _each_once(texts: pl.Series) -> pl.Series:
    # One pass over all texts: an expression of Polars cannot refer to what it has matched.
    return pl.Series(_RUN.sub(r"\1", "\n".join(texts)).split("\n"), dtype=pl.String)


def content_groups(opener: pl.Series, reply: pl.Series) -> pl.Series:
    """The content group of each dialogue as text, by its first two messages."""
    first = canonical(opener)
    short = first.str.len_chars() < _LEAST
    if not short.any():
        return first
    second = canonical(reply.filter(short))
    return first.clone().scatter(short.arg_true(), first.filter(short) + _SEPARATOR + second)


def group_hashes(opener: pl.Series, reply: pl.Series) -> pl.Series:
    """The hash of the content group of each dialogue: UInt64. Dialogues of one group have the same."""
    return _hashed(content_groups(opener, reply), _SPLIT_KEY)


def _hashed(texts: pl.Series, key: bytes) -> pl.Series:
    """The keyed 64-bit BLAKE2b hash of each text and a separator, read as a big-endian number: UInt64."""
    copy = blake2b(digest_size=8, key=key).copy  # which is faster than a new one for each text
    digests = []
    for data in (texts + _SEPARATOR).cast(pl.Binary):
        digest = copy()
        digest.update(data)
        digests.append(digest.digest())
    return pl.Series(digests, dtype=pl.Binary).bin.reinterpret(dtype=pl.UInt64, endianness="big")


def content_keys(messages: pl.Series) -> pl.Series:
    """A 64-bit key of the contents of each record, without system messages: UInt64.

    `messages` are those of `dialogues.DIALOGUES`.
    """
    return hash_contents(contents_of(messages))


def hash_contents(contents: pl.Series) -> pl.Series:
    """The `content_keys` of records with these `contents_of` messages."""
    return _hashed(contents, _ID_KEY)


def equal_keys(messages: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Two keys (UInt64) that records share if they are equal but for case, punctuation and blanks (`fold`).

    Marks with a meaning count: 3.5 is not 35, C++ is not C#, and 好👍 is not 好😭. The keys are hashes of this version
    of Polars, so that they hold for one export only.

    >>> rows = pl.Series([[{"role": "user", "content": text}] for text in ("用 C++。", "用c++", "用C#")])
    >>> equal_keys(rows)[0].n_unique()
    2
    """
    return equal_keys_of(contents_of(messages))


def equal_keys_of(contents: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The `equal_keys` of records with these `contents_of` messages."""
    texts = fold_spelled(contents)
    return texts.hash(seed=1), texts.hash(seed=2)


def fold_spelled(texts: pl.Series) -> pl.Series:
    r"""`fold` of texts, or of each part of texts with U+001F between them, where marks with a meaning count.

    >>> fold_spelled(pl.Series(["好 的！\x1fOK", "3.5", "35"])).str.len_chars().to_list()
    [5, 6, 2]
    >>> fold_spelled(pl.Series(["……", "？"])).to_list()
    ['……', '？']
    """
    return _fold_each(apply_where(texts, matches(texts, _MEANINGFUL), _spelled))


def _spelled(texts: pl.Series) -> pl.Series:
    """Texts with marks that have a meaning written as letters, which `fold` keeps."""
    normalized = texts.str.normalize("NFKC")
    return apply_where(normalized, matches(normalized, _MAYBE_MARK), _marks_as_letters)


def _marks_as_letters(texts: pl.Series) -> pl.Series:
    return pl.Series([_MARK.sub(_as_letters, text) for text in texts], dtype=pl.String)


def _as_letters(mark: re.Match[str]) -> str:
    return f"\N{LATIN LETTER ALVEOLAR CLICK}{ord(mark[0]):x}\N{LATIN LETTER ALVEOLAR CLICK}"


def _fold_each(joined: pl.Series) -> pl.Series:
    """`fold` of each part of texts with `_SEPARATOR` between them."""
    unusual = matches(joined, f"[^{_SMALL}]")
    capital, others = (matches(joined, pattern, unusual) for pattern in ("[A-Z]", f"[^{PLAIN}]"))
    folded = apply_where(joined.str.replace_all(_DROPPED_BETWEEN, ""), capital, _lower)
    folded = _set_where(folded, joined, others, _fold_joined)
    return _set_where(folded, joined, matches(folded, _EMPTY_PART), _fold_parts)


def _fold_joined(joined: pl.Series) -> pl.Series:
    """`fold_any` of each part: no character changes with one of a different part."""
    return _folded(joined, _NEITHER.replace("^", f"^{_SEPARATOR}"))


def _fold_parts(joined: pl.Series) -> pl.Series:
    parts = (
        joined.to_frame("text").with_row_index("at").with_columns(pl.col("text").str.split(_SEPARATOR)).explode("text")
    )
    folded = parts.with_columns(fold(parts["text"])).group_by("at", maintain_order=True)
    return folded.agg(pl.col("text").str.join(_SEPARATOR))["text"]


def occurrences(keys: pl.Series) -> pl.Series:
    """For each of the content keys of a whole source, in its order, how many were the same up to here: 1 for the first.

    Records with the same key have the same contents, so that it does not matter which of them is the first.
    """
    return keys.to_frame("key").select(pl.int_range(1, pl.len() + 1).over("key")).to_series()


def record_ids(source: str | pl.Series, keys: pl.Series, numbers: pl.Series | None = None) -> pl.Series:
    """The ids of records of a source, or of the source of each, with these content keys and occurrence numbers.

    All numbers are 1 if they are left out. An id is unique in its source unless 64-bit hashes collide, and is the same
    whatever else the export holds.
    """
    return source + "-" + _hexadecimal(keys if numbers is None else occurrence_keys(keys, numbers))


def occurrence_keys(keys: pl.Series, numbers: pl.Series) -> pl.Series:
    """The number that an id has in hexadecimal, by content key and occurrence number: the key itself for the first."""
    again = numbers > 1
    if not again.any():
        return keys
    texts = keys.filter(again).cast(pl.String) + _SEPARATOR + numbers.filter(again).cast(pl.String)
    other: pl.Series = keys.clone().scatter(again.arg_true(), _hashed(texts, _ID_KEY))
    return other


def is_id_of(record_id: str, key: pl.Series, most: int) -> bool:
    """Whether an id is that of one content key, as the first to the `most`-th record with these contents."""
    name = record_id.rpartition("-")[0]
    for start in range(1, most + 1, _NUMBERS):
        numbers = pl.int_range(start, min(start + _NUMBERS, most + 1), dtype=pl.UInt32, eager=True)
        if record_id in record_ids(name, key.new_from_index(0, len(numbers)), numbers):
            return True
    return False


def order_keys(ids: pl.Series) -> pl.Series:
    """The sort key of each record for training, from its id: UInt64, null for what is no id. Ties are sorted by id.

    Ids are hashes, so that their order is random, and it is the order of content keys.
    """
    return ids.str.tail(16).str.to_integer(base=16, dtype=pl.UInt64, strict=False)


@cache
def _digits() -> pl.Series:
    """All numbers of 16 bits as four hexadecimal digits."""
    return pl.Series([f"{number:04x}" for number in range(1 << 16)], dtype=pl.String)


def _hexadecimal(keys: pl.Series) -> pl.Series:
    parts = {str(shift): _digits().gather((keys // (1 << shift)) % (1 << 16)) for shift in (48, 32, 16, 0)}
    return pl.DataFrame(parts).select(pl.concat_str(pl.all())).to_series()


def contents_of(messages: pl.Series) -> pl.Series:
    """The contents of each record, without system messages, with U+001F between them."""
    frame = messages.to_frame("messages")
    content = pl.col("messages").list.eval(pl.element().struct.field("content"))
    is_system = pl.col("messages").list.first().struct.field("role") == "system"
    spoken = content.list.slice(is_system.cast(pl.Int64)) if frame.select(is_system.any()).item() else content
    return frame.select(spoken.list.join(_SEPARATOR)).to_series()
