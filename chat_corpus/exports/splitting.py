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
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Annotated

import msgspec
import polars as pl

from chat_corpus.errors import UsageError
from chat_corpus.messages import error_text, message
from chat_corpus.row_masks import apply_where, matches, row_mask

#: Number of these rules; it is in manifest.json.
VERSION = 1
#: The splits of an export, and what is in none of them because its split has reached its cap.
SPLITS = ("train", "validation", "test")
#: Occurrence numbers whose ids are computed together.
_NUMBERS = 1 << 16
HELD = "held"
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
#: Characters that `fold` drops, and that have no other meaning for NFKC: ASCII marks, and the common wide ones.
_MARKS = r"\x00-/:-@\[-`{-\x7f·‐-―‘-”…\u3000-。〈-】！-／：-＠～"
_DROPPED = f"[{_MARKS}]+"
#: The same without `_SEPARATOR`.
_DROPPED_BETWEEN = _DROPPED.replace(r"\x00-/", r"\x00-\x1e\x20-/")
#: With these, ASCII letters and digits and the common Han characters: nearly all texts have no others.
PLAIN = rf"{_MARKS}0-9A-Za-z\u4e00-\u9fa5"
_RUN = re.compile(r"(.)\1+")


class SplitOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which share of the content groups is in which split; the rest is train."""

    #: Share of the groups in test, from 0 to less than 1.
    test: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0
    #: Share of the groups in validation, from 0 to less than 1.
    validation: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.0
    #: Most groups of a source in test, and in validation; 0 for no limit. Groups above it are in no split.
    max_groups: Annotated[int, msgspec.Meta(ge=0)] = 2000

    def __post_init__(self) -> None:
        if self.test + self.validation >= 1:
            fault = message(
                "test {test:g} and validation {validation:g} leave nothing for train; their sum must be less than 1",
                test=self.test,
                validation=self.validation,
            )
            raise ValueError(fault)


def parse_split(text: str) -> SplitOptions:
    """Return the shares in a text such as `test=0.01,validation=0.01`. Raises UsageError.

    >>> parse_split("test=0.01")
    SplitOptions(test=0.01, validation=0.0, max_groups=2000)
    """
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, equals, value = (word.strip() for word in part.partition("="))
        if name == "train":
            raise UsageError(message("--split {text}: remove train; it gets what test and validation leave", text=text))
        if name not in SPLITS or not equals:
            fault = message(
                "--split {text}: '{part}' found, test=SHARE or validation=SHARE expected", text=text, part=part
            )
            raise UsageError(fault)
        if name in shares:
            raise UsageError(message("--split {text}: {name} is given twice", text=text, name=name))
        try:
            shares[name] = float(value)
        except ValueError:
            fault = message("--split {text}: '{value}' is not a number such as 0.01", text=text, value=value)
            raise UsageError(fault) from None
    try:
        return msgspec.convert(shares, SplitOptions)
    except msgspec.ValidationError as error:
        fault = message("--split {text}: {error}", text=text, error=error_text(error.__cause__ or error))
        raise UsageError(fault) from error


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
    folded = texts.str.normalize("NFKC").str.to_lowercase()
    # Letters whose case folding is more than their small letter: ß, ς, and the like.
    special = matches(folded, r"\p{CWCF}")
    return apply_where(folded, special, _case_folded).str.replace_all(r"[^\p{L}\p{N}]+", "")


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


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitLimits:
    """Where the splits of one source begin and end among group hashes, from 0 to 2**64.

    Test has the hashes below `test_end`, validation those from `validation_begin`. From `test_end` to `test_held`, and
    from `validation_held` to `validation_begin`, are the groups above the cap, which are in no split.
    """

    test_end: int
    test_held: int
    validation_held: int
    validation_begin: int


def split_limits(options: SplitOptions, hashes: pl.Series | None = None) -> SplitLimits:
    """The limits for a source whose dialogues have these group hashes (UInt64); without hashes there is no cap.

    Only `max_groups` depends on the hashes, so that a cap depends on its source alone.
    """
    test, validation = round(options.test * _RANGE), _RANGE - round(options.validation * _RANGE)
    test_end, validation_begin = test, validation
    if hashes is not None and options.max_groups:
        in_test = hashes.filter(_below(hashes, test)).unique().sort()
        in_validation = hashes.filter(~_below(hashes, validation)).unique().sort(descending=True)
        if len(in_test) > options.max_groups:
            test_end = int(in_test[options.max_groups])
        if len(in_validation) > options.max_groups:
            validation_begin = int(in_validation[options.max_groups - 1])
    return SplitLimits(test_end=test_end, test_held=test, validation_held=validation, validation_begin=validation_begin)


def assign_split(hashes: pl.Series, limits: SplitLimits) -> pl.Series:
    """The split of each dialogue by its group hash: train, validation, test or held."""
    ends = (
        (limits.test_end, "test"),
        (limits.test_held, HELD),
        (limits.validation_held, "train"),
        (limits.validation_begin, HELD),
    )
    frame = pl.DataFrame({str(number): _below(hashes, end) for number, (end, _) in enumerate(ends)})
    names = [pl.when(str(number)).then(pl.lit(name)) for number, (_, name) in enumerate(ends)]
    return frame.select(split=pl.coalesce(*names, pl.lit("validation"))).to_series()


def _below(hashes: pl.Series, end: int) -> pl.Series:
    if end >= _RANGE:  # which no 64 bits hold
        return pl.repeat(value=True, n=len(hashes), eager=True)
    return hashes.to_frame("hash").select(pl.col("hash") < pl.lit(end, pl.UInt64)).to_series()


def content_keys(messages: pl.Series) -> pl.Series:
    """A 64-bit key of the contents of each record, without system messages: UInt64.

    `messages` are those of `dialogues.DIALOGUES`.
    """
    return _hashed(_contents(messages), _ID_KEY)


def equal_keys(messages: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Two keys (UInt64) that records share if they are equal but for case, punctuation and blanks (`fold`).

    Marks with a meaning count: 3.5 is not 35, C++ is not C#, and 好👍 is not 好😭. The keys are hashes of this version
    of Polars, so that they hold for one export only.

    >>> rows = pl.Series([[{"role": "user", "content": text}] for text in ("用 C++。", "用c++", "用C#")])
    >>> equal_keys(rows)[0].n_unique()
    2
    """
    texts = fold_spelled(_contents(messages))
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
    return pl.Series([_MARK.sub(_as_letters, text) for text in normalized], dtype=pl.String)


def _as_letters(mark: re.Match[str]) -> str:
    return f"\N{LATIN LETTER ALVEOLAR CLICK}{ord(mark[0]):x}\N{LATIN LETTER ALVEOLAR CLICK}"


def _fold_each(joined: pl.Series) -> pl.Series:
    """`fold` of each part of texts with `_SEPARATOR` between them."""
    folded = apply_where(joined.str.replace_all(_DROPPED_BETWEEN, ""), matches(joined, "[A-Z]"), _lower)
    # A part of which nothing is left stays as it is, and other characters need more than this.
    edge = f"^(?:{_SEPARATOR}|$)|{_SEPARATOR}{_SEPARATOR}|{_SEPARATOR}$"
    others = matches(joined, f"[^{PLAIN}]") | matches(folded, edge)
    return _set_where(folded, joined, others, _fold_parts)


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


def record_ids(source: str, keys: pl.Series, numbers: pl.Series | None = None) -> pl.Series:
    """The ids of records with these content keys and occurrence numbers (1 for all if left out).

    An id is unique in its source unless 64-bit hashes collide, and is the same whatever else the export holds.
    """
    if numbers is not None and (numbers > 1).any():
        again = numbers > 1
        texts = keys.filter(again).cast(pl.String) + _SEPARATOR + numbers.filter(again).cast(pl.String)
        keys = keys.clone().scatter(again.arg_true(), _hashed(texts, _ID_KEY))
    return f"{source}-" + _hexadecimal(keys)


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


def _contents(messages: pl.Series) -> pl.Series:
    """The contents of each record, without system messages, with `_SEPARATOR` between them."""
    frame = messages.to_frame("messages")
    content = pl.col("messages").list.eval(pl.element().struct.field("content"))
    is_system = pl.col("messages").list.first().struct.field("role") == "system"
    spoken = content.list.slice(is_system.cast(pl.Int64)) if frame.select(is_system.any()).item() else content
    return frame.select(spoken.list.join(_SEPARATOR)).to_series()
