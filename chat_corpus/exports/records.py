r"""The formats of records: JSON Lines with a record per line, TSV and CSV with an exchange per row, and plain text.

Files are UTF-8 without a byte order mark, with ``\n`` as line end. JSON objects have their keys in a fixed order. JSON
escapes characters that would break a line, but not U+2028 and U+2029.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from chat_corpus.exports import research_formats, tsv
from chat_corpus.exports.exchanges import exchanges, system_column
from chat_corpus.exports.preference import PREFERENCE, count_preferences, encode_preference
from chat_corpus.json_lines import encode_json_lines


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordFormat:
    """A format of records.

    `encode` returns the bytes of a frame of `dialogues.DIALOGUES`. The bytes of several frames, with `separator`
    between them, are those of one frame with all rows.

    suffix        suffix of file names, without the dot
    readers       tools that load the format
    header        bytes at the beginning of each file
    carries_id    whether each row holds its id and source; if not, `<file>.ids.jsonl` holds them, one line per row
    by_exchange   whether a row is an exchange (a query and its answer) instead of a whole record
    separator     bytes between the bytes of two frames
    row_end       bytes that end a row or separate rows; None if a row may contain them
    """

    name: str
    encode: Callable[[pl.DataFrame], bytes]
    readers: str
    suffix: str = "jsonl"
    header: bytes = b""
    carries_id: bool = True
    by_exchange: bool = False
    separator: bytes = b""
    row_end: bytes | None = b"\n"

    def rows(self, dialogues: pl.DataFrame) -> int:
        """Return the number of rows of the dialogues in this format."""
        if self.name == PREFERENCE:
            return count_preferences(dialogues)
        return len(exchanges(dialogues)) if self.by_exchange else len(dialogues)

    def rows_in(self, data: bytes) -> int | None:
        """Return the number of rows in encoded bytes; None if the format has no `row_end`."""
        if self.row_end is None:
            return None
        return data.count(self.row_end) + bool(self.separator and data)


#: Columns of the Parquet files, in order.
PARQUET_COLUMNS = ("messages", "source", "id")
#: Rows of a row group. Viewers read one row group at a time.
_ROW_GROUP = 100_000


def encode_parquet(dialogues: pl.DataFrame) -> bytes:
    """Return the bytes of a Parquet file of dialogues with the columns `PARQUET_COLUMNS`."""
    out = io.BytesIO()
    dialogues.select(PARQUET_COLUMNS).write_parquet(out, compression="zstd", row_group_size=_ROW_GROUP)
    return out.getvalue()


def _messages(dialogues: pl.DataFrame) -> bytes:
    return encode_json_lines(dialogues.select("messages", "source", "id"))


_SHAREGPT_ROLES = {"user": "human", "assistant": "gpt", "system": "system"}


def _sharegpt(dialogues: pl.DataFrame) -> bytes:
    role, content = (pl.element().struct.field(name) for name in ("role", "content"))
    turn = pl.struct(role.replace_strict(_SHAREGPT_ROLES, return_dtype=pl.String).alias("from"), content.alias("value"))
    return encode_json_lines(
        dialogues.select(pl.col("messages").list.eval(turn).alias("conversations"), "source", "id")
    )


def _prompt_completion(dialogues: pl.DataFrame) -> bytes:
    messages = pl.col("messages")
    prompt, completion = messages.list.head(messages.list.len() - 1), messages.list.tail(1)
    return encode_json_lines(dialogues.select(prompt.alias("prompt"), completion.alias("completion"), "source", "id"))


def _with_history(dialogues: pl.DataFrame) -> pl.DataFrame:
    """Return `at, system, query, answer, history, source, id`: one row per dialogue.

    `query` and `answer` are the last exchange; `history` has the earlier ones, each as a list of query and answer.
    """
    rows = exchanges(dialogues)
    last = (rows["at"] != rows["at"].shift(-1)).fill_null(value=True)
    earlier = rows.filter(~last)
    both = pl.Series(earlier.select(pl.concat_list("query", "answer")).to_series())
    lists = earlier.select(pl.col("at").set_sorted(), history=both).group_by("at", maintain_order=True).agg("history")
    rows = rows.filter(last).join(lists, on="at", how="left", maintain_order="left")
    no_history = pl.lit(pl.Series([[]], dtype=pl.List(pl.List(pl.String))))
    return rows.with_columns(pl.col("history").fill_null(no_history), *dialogues.select("source", "id"))


def _alpaca(dialogues: pl.DataFrame) -> bytes:
    rows = _with_history(dialogues)
    names = {"query": "instruction", "answer": "output"}
    rows = rows.with_columns(input=pl.lit("")).rename(names)
    return encode_json_lines(
        rows.select(*system_column(rows), "instruction", "input", "output", "history", "source", "id")
    )


def _query_response(dialogues: pl.DataFrame) -> bytes:
    rows = _with_history(dialogues).rename({"answer": "response"})
    return encode_json_lines(rows.select(*system_column(rows), "query", "response", "history", "source", "id"))


def _tsv(dialogues: pl.DataFrame) -> bytes:
    return tsv.encode(exchanges(dialogues))


def _csv(dialogues: pl.DataFrame) -> bytes:
    rows = exchanges(dialogues)
    rows = rows.select("query", "answer").with_columns(*dialogues.select("source", "id")[rows["at"]])
    out = io.BytesIO()
    rows.write_csv(out, include_header=False, quote_style="necessary")
    return out.getvalue()


def encode_ids(dialogues: pl.DataFrame, format_: RecordFormat) -> bytes:
    """Return the lines of `<file>.ids.jsonl`: `{"id":…,"source":…}` for each row of a format without these fields."""
    rows = dialogues.select("id", "source")
    return encode_json_lines(rows[exchanges(dialogues)["at"]] if format_.by_exchange else rows)


#: Without `keep_default_na=False`, pandas reads texts such as NA and null as missing values.
_TABLE_READERS = "pandas (keep_default_na=False), polars, spreadsheets"
#: All formats by name, besides `hf` (Parquet), which every export has.
FORMATS: Mapping[str, RecordFormat] = MappingProxyType(
    {
        format_.name: format_
        for format_ in (
            RecordFormat(name="messages", encode=_messages, readers="TRL, LLaMA-Factory, ms-swift, axolotl, unsloth"),
            RecordFormat(name="sharegpt", encode=_sharegpt, readers="LLaMA-Factory, ms-swift, unsloth, axolotl"),
            RecordFormat(name="alpaca", encode=_alpaca, readers="LLaMA-Factory, ms-swift, unsloth, axolotl"),
            RecordFormat(name="prompt-completion", encode=_prompt_completion, readers="TRL"),
            RecordFormat(name="query-response", encode=_query_response, readers="ms-swift, LLaMA-Factory"),
            RecordFormat(
                name="tsv",
                encode=_tsv,
                readers=_TABLE_READERS,
                suffix="tsv",
                carries_id=False,
                by_exchange=True,
            ),
            RecordFormat(
                name="csv",
                encode=_csv,
                readers=_TABLE_READERS,
                suffix="csv",
                header=b"query,answer,source,id\n",
                by_exchange=True,
                row_end=None,
            ),
            RecordFormat(name="firefly", encode=research_formats.encode_firefly, readers="Firefly, ms-swift"),
            RecordFormat(name="lccc", encode=research_formats.encode_lccc, readers="datasets, as LCCC"),
            RecordFormat(
                name="cdial-gpt",
                encode=research_formats.encode_cdial_gpt,
                readers="CDial-GPT",
                suffix="txt",
                carries_id=False,
            ),
            RecordFormat(
                name="gpt2-chitchat",
                encode=research_formats.encode_gpt2_chitchat,
                readers="GPT2-chitchat",
                suffix="txt",
                carries_id=False,
                separator=b"\n\n",
                row_end=b"\n\n",
            ),
            RecordFormat(name=PREFERENCE, encode=encode_preference, readers="TRL (DPOTrainer, RewardTrainer)"),
            RecordFormat(name="parlai", encode=research_formats.encode_parlai, readers="ParlAI"),
        )
    }
)
