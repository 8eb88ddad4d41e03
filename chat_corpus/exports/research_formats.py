r"""Formats of research projects on Chinese chat: LCCC, CDial-GPT, GPT2-chitchat, ParlAI, Firefly.

LCCC           JSON Lines `{"dialog": [text, …]}`, as on the Hugging Face hub
CDial-GPT      `--train_path`: one dialogue per line, with tabs between utterances (WBdistDataset)
GPT2-chitchat  data/train.txt: one utterance per line, an empty line between dialogues, and no line break at the end,
               which preprocess.py would read as one more utterance
ParlAI         `-t jsonfile -jfdp FILE`: JSON Lines, which ParlAI reads in the encoding of the locale and splits at
               every Unicode line break, so only ASCII is safe (parlai/utils/conversations.py)
Firefly        JSON Lines `{"conversation": [{"human": …, "assistant": …}]}` (component/dataset.py)

Only Firefly has a field for a system message; the other formats omit it. In the two plain text formats, each run of
line breaks and tabs within an utterance becomes one blank, and white space at both ends is removed.
"""

from __future__ import annotations

import re

import polars as pl

from chat_corpus.exports.exchanges import exchanges, system_column
from chat_corpus.json_lines import encode_json_lines

#: Characters that end a line or separate utterances for readers of the plain text formats. All are white space.
_BREAKS = r"[\t\n\x0b\x0c\r\x{85}\x{2028}\x{2029}]+"
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def encode_lccc(dialogues: pl.DataFrame) -> bytes:
    """Return records in the format of LCCC."""
    utterances = pl.Series("dialog", _spoken(dialogues)["content"])
    return encode_json_lines(dialogues.select("source", "id").select(utterances, "source", "id"))


def encode_cdial_gpt(dialogues: pl.DataFrame) -> bytes:
    """Return records in the format of CDial-GPT."""
    return "".join(f"{line}\n" for line in _plain(dialogues, "\t")).encode()


def encode_gpt2_chitchat(dialogues: pl.DataFrame) -> bytes:
    """Return records in the format of GPT2-chitchat. The results of several frames are joined by an empty line."""
    return "\n\n".join(_plain(dialogues, "\n")).encode()


def encode_parlai(dialogues: pl.DataFrame) -> bytes:
    """Return records in the format of ParlAI. Each exchange is a list of two acts."""
    rows = exchanges(dialogues)
    acts = [
        pl.struct(id=pl.lit(speaker), text=pl.col(column)).alias(speaker)
        for speaker, column in (("user", "query"), ("assistant", "answer"))
    ]
    pairs = pl.Series("dialog", rows.select(*acts).select(pl.concat_list("user", "assistant")).to_series())
    return _ascii(encode_json_lines(_by_dialogue(rows, pairs, dialogues).select("dialog", "source", "id")))


def encode_firefly(dialogues: pl.DataFrame) -> bytes:
    """Return records in the format of Firefly."""
    rows = exchanges(dialogues)
    pairs = rows.select(conversation=pl.struct(human="query", assistant="answer")).to_series()
    frame = _by_dialogue(rows, pairs, dialogues).select(
        *system_column(rows), conversation_id="id", category="source", conversation="conversation"
    )
    return encode_json_lines(frame)


def _spoken(dialogues: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with `content`: the list of texts of each dialogue, without system messages."""
    flat = dialogues.select("messages").with_row_index("at").explode("messages").unnest("messages")
    flat = flat.filter(pl.col("role") != "system").with_columns(pl.col("at").set_sorted())
    return flat.group_by("at", maintain_order=True).agg("content")


def _plain(dialogues: pl.DataFrame, separator: str) -> list[str]:
    """Return each dialogue as one text: its utterances, without line breaks and tabs in them, joined by `separator`."""
    blank = pl.element().str.replace_all(_BREAKS, " ").str.strip_chars()
    texts = _spoken(dialogues).select(pl.col("content").list.eval(blank).list.join(separator)).to_series()
    return texts.to_list()


def _by_dialogue(rows: pl.DataFrame, values: pl.Series, dialogues: pl.DataFrame) -> pl.DataFrame:
    """Return one row per dialogue: the list of the values of its exchanges, and its `system`, `source` and `id`."""
    frame = rows.select(pl.col("at").set_sorted(), "system").with_columns(values)
    lists = frame.group_by("at", maintain_order=True).agg(pl.col("system").first(), values.name)
    return lists.with_columns(*dialogues.select("source", "id"))


def _ascii(data: bytes) -> bytes:
    """Return JSON with all non-ASCII characters escaped."""
    return _NOT_ASCII.sub(_escaped, data.decode()).encode()


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
