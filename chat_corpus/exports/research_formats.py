r"""Formats of research projects on Chinese chat: LCCC, CDial-GPT, GPT2-chitchat, ParlAI, Firefly.

LCCC           JSON Lines `{"dialog": [text, …]}`, as on the Hugging Face hub
CDial-GPT      `--train_path`: a dialogue a line, its utterances between tabs (WBdistDataset)
GPT2-chitchat  data/train.txt: an utterance a line, an empty line between dialogues, and no line break at the end
               (preprocess.py takes one for another utterance)
ParlAI         `-t jsonfile -jfdp FILE`: JSON Lines in the encoding of the locale, split at every line break that
               Unicode knows, so that only ASCII is safe (parlai/utils/conversations.py)
Firefly        JSON Lines `{"conversation": [{"human": …, "assistant": …}]}` (component/dataset.py)

Only Firefly has a place for a system message; the others leave it out. In the two formats of plain text a line break or
a tab within an utterance becomes a blank.
"""

from __future__ import annotations

import re

import polars as pl

from chat_corpus.exports.exchanges import exchanges, system_column
from chat_corpus.json_lines import encode_json_lines

#: What ends a line for a reader of the plain formats, or separates utterances: all of it white space.
_BREAKS = r"[\t\n\x0b\x0c\r\x{85}\x{2028}\x{2029}]+"
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def encode_lccc(dialogues: pl.DataFrame) -> bytes:
    """Records of LCCC."""
    utterances = pl.Series("dialog", _spoken(dialogues)["content"])
    return encode_json_lines(dialogues.select("source", "id").select(utterances, "source", "id"))


def encode_cdial_gpt(dialogues: pl.DataFrame) -> bytes:
    """Records of CDial-GPT."""
    return "".join(f"{line}\n" for line in _plain(dialogues, "\t")).encode()


def encode_gpt2_chitchat(dialogues: pl.DataFrame) -> bytes:
    """Records of GPT2-chitchat; an empty line separates those of several frames."""
    return "\n\n".join(_plain(dialogues, "\n")).encode()


def encode_parlai(dialogues: pl.DataFrame) -> bytes:
    """Records of ParlAI: each exchange is a list of two acts."""
    rows = exchanges(dialogues)
    acts = [
        pl.struct(id=pl.lit(speaker), text=pl.col(column)).alias(speaker)
        for speaker, column in (("user", "query"), ("assistant", "answer"))
    ]
    pairs = pl.Series("dialog", rows.select(*acts).select(pl.concat_list("user", "assistant")).to_series())
    return _ascii(encode_json_lines(_by_dialogue(rows, pairs, dialogues).select("dialog", "source", "id")))


def encode_firefly(dialogues: pl.DataFrame) -> bytes:
    """Records of Firefly."""
    rows = exchanges(dialogues)
    pairs = rows.select(conversation=pl.struct(human="query", assistant="answer")).to_series()
    frame = _by_dialogue(rows, pairs, dialogues).select(
        *system_column(rows), conversation_id="id", category="source", conversation="conversation"
    )
    return encode_json_lines(frame)


def _spoken(dialogues: pl.DataFrame) -> pl.DataFrame:
    """`content`: the texts of each dialogue as a list, without system messages."""
    flat = dialogues.select("messages").with_row_index("at").explode("messages").unnest("messages")
    flat = flat.filter(pl.col("role") != "system").with_columns(pl.col("at").set_sorted())
    return flat.group_by("at", maintain_order=True).agg("content")


def _plain(dialogues: pl.DataFrame, separator: str) -> list[str]:
    """The utterances of each dialogue, without line breaks in them, in one text."""
    blank = pl.element().str.replace_all(_BREAKS, " ").str.strip_chars()
    texts = _spoken(dialogues).select(pl.col("content").list.eval(blank).list.join(separator)).to_series()
    return texts.to_list()


def _by_dialogue(rows: pl.DataFrame, values: pl.Series, dialogues: pl.DataFrame) -> pl.DataFrame:
    """Values of exchanges as a list for each dialogue, with its `system`, `source` and `id`."""
    frame = rows.select(pl.col("at").set_sorted(), "system").with_columns(values)
    lists = frame.group_by("at", maintain_order=True).agg(pl.col("system").first(), values.name)
    return lists.with_columns(*dialogues.select("source", "id"))


def _ascii(data: bytes) -> bytes:
    """JSON in which all characters but those of ASCII are escaped."""
    return _NOT_ASCII.sub(_escaped, data.decode()).encode()


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
