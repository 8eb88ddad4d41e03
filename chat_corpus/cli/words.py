"""Words for the terminal: states of a source, reasons of rejects, and how to obtain a source."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from chat_corpus.discovery.inventory import DEFAULT_RAW
from chat_corpus.messages import Message, count_noun, message
from chat_corpus.schema import Reason, State
from chat_corpus.sources.base import Source
from chat_corpus.sources.definitions import advice

_STATES = {
    State.FOUND: message("found"),
    State.RENAMED: message("renamed"),
    State.PARTIAL: message("partial"),
    State.DAMAGED: message("damaged"),
    State.UNUSABLE: message("unusable"),
    State.SAMPLE: message("sample"),
    State.ABSENT: message("absent"),
    State.FAILED: message("failed"),
}


def state(value: str) -> Message:
    """Return the word for the state of a source. In English, it is the value itself."""
    return _STATES[State(value)]


def fetch_command(
    source: Source, raw: str, *, is_sample: bool = False, patterns: Sequence[str] = (), accepts: bool = False
) -> str:
    """Return the command that downloads a source, or its files that match `patterns`, to a raw folder.

    It names another folder if the raw folder has a bundled sample of the source, `is_sample`, or a sample with the name
    of a file to download. It accepts files without a stated licence if `accepts` is true or the source has such files.
    """
    from chat_corpus.fetching.plan import is_blocked, needs_acceptance

    words = ["chat-corpus", "fetch", source.name, *(f"--file {shlex.quote(pattern)}" for pattern in patterns)]
    if is_sample or is_blocked(source, Path(raw)):
        words.append(f"--raw {other_folder(raw)}")
    elif raw != DEFAULT_RAW:
        words.append(f"--raw {shlex.quote(raw)}")
    if accepts or needs_acceptance(source):
        words.append("--accept-unstated")
    return " ".join(words)


def other_folder(raw: str) -> str:
    """Return the name of a folder for corpora that is not the raw folder.

    >>> other_folder("raw_chat_corpus"), other_folder("~/data")
    ('~/data', '~/corpora')
    """
    usual = Path("~/data").expanduser()
    return "~/corpora" if Path(raw).expanduser().resolve() == usual.resolve() else "~/data"


def how_to_obtain(source: Source, raw: str) -> Message:
    """Return how to obtain a source: the command that downloads it, or what else a person can do."""
    if source.origins:
        return message("download it with: {command}", command=fetch_command(source, raw))
    return advice(source)


def dropped(reason: str, number: int) -> Message:
    """Return the number of turns, records or pairs that were dropped, with the reason."""
    match reason:
        case Reason.ENCODING:
            return count_noun(number, "undecodable record")
        case Reason.LAYOUT:
            return count_noun(number, "malformed record")
        case Reason.FIELDS:
            return message("{records} with the wrong number of fields", records=count_noun(number, "record"))
        case Reason.EMPTY:
            return count_noun(number, "empty turn")
        case Reason.NO_ANSWER:
            return count_noun(number, "placeholder answer")
        case Reason.NEGATIVE:
            return count_noun(number, "negative sample")
        case Reason.UNPAIRED:
            return count_noun(number, "unpaired line")
        case Reason.DAMAGED:
            return count_noun(number, "garbled turn")
        case Reason.LENGTH:
            return message("{turns} too short or too long", turns=count_noun(number, "turn"))
        case Reason.DUPLICATE:
            return count_noun(number, "duplicate pair")
        case Reason.DUPLICATE_DIALOGUE:
            return message("{pairs} of duplicate dialogues", pairs=count_noun(number, "pair"))
        case Reason.NEAR_DUPLICATE:
            return count_noun(number, "near-duplicate pair")
        case Reason.ANSWERS_PER_QUERY:
            return message("{pairs} with too frequent queries", pairs=count_noun(number, "pair"))
        case Reason.QUERIES_PER_ANSWER:
            return message("{pairs} with too frequent answers", pairs=count_noun(number, "pair"))
        case Reason.UNRELATED:
            return count_noun(number, "unrelated pair")
    return _filtered(reason, number)


def _filtered(reason: str, number: int) -> Message:
    """Return the number of turns or pairs that a filter rejected, with the reason, for filters off by default."""
    turns, pairs = count_noun(number, "turn"), count_noun(number, "pair")
    match reason:
        case Reason.LITTLE_HAN:
            return message("{turns} with little Han", turns=turns)
        case Reason.SYMBOLS:
            return message("{turns} without letters and digits", turns=turns)
        case Reason.MARK:
            return message("{turns} of one mark", turns=turns)
        case Reason.URL:
            return message("{turns} with a link", turns=turns)
        case Reason.PHONE:
            return message("{turns} with a mobile number", turns=turns)
        case Reason.ID:
            return message("{turns} with an identity number", turns=turns)
        case Reason.QQ:
            return message("{turns} with a QQ number", turns=turns)
        case Reason.WECHAT:
            return message("{turns} with a WeChat name", turns=turns)
        case Reason.EMAIL:
            return message("{turns} with an e-mail address", turns=turns)
        case Reason.REPETITION:
            return message("{turns} full of repetition", turns=turns)
        case Reason.DENIED:
            return message("{turns} denied by a word list", turns=turns)
        case Reason.TURNS:
            return message("{turns} in dialogues too short or too long", turns=turns)
        case Reason.PAIR_LENGTH:
            return message("{pairs} with a side too short or too long", pairs=pairs)
        case Reason.PAIR_ECHO:
            return message("{pairs} with the query as answer", pairs=pairs)
    return message("{number:,} rejected as {reason}", number=number, reason=reason)


def left_out_turns(reason: str, number: int) -> Message:
    """Return the number of turns that are in no record of an export, with the reason.

    Reasons are those of `schema.Reason` and of `exports.dialogues`.
    """
    match reason:
        case "unanswered":
            return count_noun(number, "unanswered turn")
        case "without_query":
            if number == 1:
                return message("1 answer without a query")
            return message("{number:,} answers without a query", number=number)
        case "alternative":
            return count_noun(number, "further alternative answer")
        case "too_long":
            return message("{turns} in exchanges that are too long", turns=count_noun(number, "turn"))
        case "special_token":
            return message("{turns} with a special token", turns=count_noun(number, "turn"))
    return dropped(reason, number)


def left_out_records(reason: str, number: int) -> Message:
    """Return the number of records that are in no split of an export, with the reason."""
    records = count_noun(number, "record", "export")
    match reason:
        case "duplicate":
            return count_noun(number, "duplicate record")
        case "held_cap":
            return message("{records} held back by the cap of a split", records=records)
        case "held_twin":
            return message("{records} like an evaluation pair", records=records)
        case "held_mix":
            return message("{records} that do not fit the mix", records=records)
    return message("{number:,} rejected as {reason}", number=number, reason=reason)
