r"""Read pairs: of an output folder, of an export, of the files of other tools, and of a held-out set.

Frames have the columns `PAIRS`. A line break within a text is the two characters ``\n``, as in the TSVs of an output.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import blake2b
from itertools import islice
from pathlib import Path

import click
import polars as pl

from chat_corpus.exports.exchanges import exchanges

#: Columns of pairs: source, texts, and the row as `file:row`.
PAIRS = pl.Schema({"source": pl.String(), "query": pl.String(), "answer": pl.String(), "address": pl.String()})
#: Rows that are read together.
BATCH_ROWS = 200_000
#: Characters of a pair that are no text: the mark between query and answer, and that after the answer.
MARKS = 2
_SUFFIXES = (".tsv", ".jsonl", ".parquet")


def read_pairs(path: Path, split: str) -> Iterator[pl.DataFrame]:
    """Yield the pairs of a file or folder as frames of `PAIRS`. Raises click.UsageError.

    Of an export it is one split: that of the training data is `train`, that of a held-out set `test`.
    """
    if (path / "manifest.json").is_file():
        files = sorted(path.glob(f"data/*/{split}-*.parquet"))
    elif path.is_dir():
        files = sorted(path.glob("*.tsv")) or sorted(path.glob("*.jsonl"))
    else:
        files = [path] if path.is_file() and path.suffix in _SUFFIXES else []
    if not files:
        raise click.UsageError(
            f"{path}: no pairs; expected an output folder, an export with the split {split}, or a file of "
            f"{', '.join(_SUFFIXES)}"
        )
    readers = {".tsv": _tsv, ".jsonl": _jsonl, ".parquet": _parquet}
    for file in files:
        try:
            yield from readers[file.suffix](file)
        except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
            raise click.UsageError(f"{file}: cannot be read: {str(error).splitlines()[0]}") from error


def _tsv(file: Path) -> Iterator[pl.DataFrame]:
    """Lines of a query, a tab and an answer, without quoting."""
    with file.open(encoding="utf-8", newline="\n") as lines:
        numbered = enumerate(lines, 1)
        while batch := list(islice(numbered, BATCH_ROWS)):
            rows = []
            for number, line in batch:
                query, tab, answer = line.rstrip("\n").partition("\t")
                if not tab:
                    raise click.UsageError(f"{file}:{number}: expected a query, a tab and an answer")
                rows.append((file.stem, query, answer, f"{file}:{number}"))
            yield pl.DataFrame(rows, PAIRS, orient="row")


def _jsonl(file: Path) -> Iterator[pl.DataFrame]:
    """Objects with `query` and `answer`, or with `messages`; `source` where they have it, else the name of the file."""
    with file.open(encoding="utf-8", newline="\n") as lines:
        numbered = enumerate(lines, 1)
        while batch := list(islice(numbered, BATCH_ROWS)):
            rows = []
            for number, line in batch:
                try:
                    record = json.loads(line)
                    texts = _texts(record)
                except (ValueError, KeyError, TypeError) as error:
                    raise click.UsageError(
                        f"{file}:{number}: expected an object with query and answer, or messages"
                    ) from error
                for query, answer in zip(texts[::2], texts[1::2], strict=False):
                    rows.append((record.get("source", file.stem), query, answer, f"{file}:{number}"))
            yield _with_marked_breaks(pl.DataFrame(rows, PAIRS, orient="row"))


def _texts(record: dict[str, object]) -> list[str]:
    messages = record.get("messages")
    if isinstance(messages, list):
        return [message["content"] for message in messages if message["role"] != "system"]
    return [str(record["query"]), str(record["answer"])]


def _parquet(file: Path) -> Iterator[pl.DataFrame]:
    """Records of an export, or rows with the columns source, query and answer."""
    rows = pl.scan_parquet(file, glob=False)
    columns = rows.collect_schema().names()
    for start in range(0, rows.select(pl.len()).collect().item(), BATCH_ROWS):
        batch = rows.slice(start, BATCH_ROWS).collect().with_row_index("row", start + 1)
        if "messages" in columns:
            texts = exchanges(batch)
            batch = texts.select("query", "answer").with_columns(batch["source", "row"][texts["at"]])
        elif not {"source", "query", "answer"} <= set(columns):
            raise click.UsageError(f"{file}: expected the column messages, or source, query and answer")
        address = pl.format("{}:{}", pl.lit(str(file)), "row").alias("address")
        yield _with_marked_breaks(batch.select("source", "query", "answer", address))


def _with_marked_breaks(pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.with_columns(pl.col("query", "answer").str.replace_all("\n", "\\n", literal=True))


def characters(pairs: pl.DataFrame) -> pl.Series:
    """The characters of each pair, with its two marks."""
    return pairs.select(
        pl.col("query").str.len_chars().cast(pl.Int64) + pl.col("answer").str.len_chars().cast(pl.Int64) + MARKS
    ).to_series()


def order_keys(pairs: pl.DataFrame, seed: int) -> pl.Series:
    """A number for each pair that depends on its text and the seed alone: sorted by it, pairs are shuffled."""
    key = f"chat-corpus quality {seed}".encode()
    texts = (pairs["query"] + "\x1f" + pairs["answer"]).to_list()
    hashes = [int.from_bytes(blake2b(text.encode(), digest_size=8, key=key).digest(), "big") for text in texts]
    return pl.Series("key", hashes, pl.UInt64)


def is_mixed(path: Path) -> bool:
    """Whether a path is an export of mixed sources, which has its shares in every beginning of it."""
    return (path / "manifest.json").is_file() and (path / "data" / "mixed").is_dir()


def draw(frames: Iterator[pl.DataFrame], budget: int, seed: int | None) -> tuple[pl.DataFrame, int, int]:
    """Draw pairs of about `budget` characters: the pairs, and the rows and characters that there are in all.

    They are drawn at random with the seed; without one they are the first. Memory is bounded by the budget and the size
    of a frame. A pair that two inputs hold is drawn from both or from none as far as their budgets go, so that they
    differ by what they hold and not by luck.
    """
    drawn, rows, total = PAIRS.to_frame().with_columns(key=pl.lit(None, pl.UInt64)), 0, 0
    for frame in frames:
        sizes = characters(frame)
        keys = pl.Series("key", range(rows, rows + len(frame)), pl.UInt64) if seed is None else order_keys(frame, seed)
        rows, total = rows + len(frame), total + int(sizes.sum())
        drawn = pl.concat([drawn, frame.with_columns(keys)]).sort("key", maintain_order=True)
        drawn = drawn.filter((characters(drawn).cum_sum() - characters(drawn)) < budget)
    return drawn.drop("key"), rows, total
