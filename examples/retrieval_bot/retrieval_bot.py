"""A retrieval bot: it answers with the pair that has the most similar query, and names the row of that pair.

    python retrieval_bot.py clean_chat_corpus
    python retrieval_bot.py my_export --query 今天吃什么 --top 3

The index is an SQLite database with full-text search over character trigrams. The first call makes it.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import polars as pl

import chat_corpus

#: Marks around an indexed text: with them, a text of one character has trigrams too.
START, END = "\x02\x02", "\x03\x03"
#: Pairs that the index proposes, and trigrams of a question that it looks up.
MAX_CANDIDATES, MAX_TRIGRAMS = 300, 60
TABLES = """
CREATE TABLE pairs (id INTEGER PRIMARY KEY, query, answer, source, address);
CREATE VIRTUAL TABLE queries USING fts5 (text, content='', tokenize='trigram');
CREATE VIRTUAL TABLE trigrams USING fts5vocab (queries, row);
"""
WITHIN = "SELECT term FROM trigrams WHERE term >= ?1 AND term < ?1 || char(1114111) ORDER BY doc DESC LIMIT ?2"
PROPOSED = """
SELECT query, answer, source, address FROM pairs
JOIN (SELECT rowid FROM queries WHERE queries MATCH ? ORDER BY rank, rowid LIMIT ?) proposed ON proposed.rowid = id
"""


class Answer(NamedTuple):
    """A pair, its row in the corpus as `file:row`, and the similarity of its query to the question (0 to 1)."""

    similarity: float
    query: str
    answer: str
    source: str
    address: str


def files_of(folder: Path) -> list[Path]:
    """The files of an output folder, or of the training split of an export."""
    return [*sorted(folder.glob("data/*/train-*.parquet")), *sorted(folder.glob("*.tsv"))]


def read_pairs(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """Yield (query, answer, source, address) of a folder. Raises SystemExit for a file that cannot be read."""
    for file in files_of(folder):
        try:
            yield from (_read_tsv if file.suffix == ".tsv" else _read_parquet)(file)
        except (OSError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
            sys.exit(f"{file}: cannot be read: {str(error).partition(chr(10))[0]}")


def _read_parquet(file: Path) -> Iterator[tuple[str, str, str, str]]:
    frame = pl.read_parquet(file, columns=["messages", "source"])
    for number, (messages, source) in enumerate(frame.iter_rows(), 1):
        texts = [message["content"] for message in messages if message["role"] != "system"]
        for query, answer in zip(texts[::2], texts[1::2], strict=False):
            yield query, answer, source, f"{file}:{number}"


def _read_tsv(file: Path) -> Iterator[tuple[str, str, str, str]]:
    with file.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            query, tab, answer = line.rstrip("\n").partition("\t")
            if tab:
                yield query, answer, file.stem, f"{file}:{number}"


def fold(text: str) -> str:
    """The text as it is compared: case and blanks do not matter."""
    return "".join(text.casefold().split())


def ngrams(text: str, size: int) -> set[str]:
    """The character n-grams of a text."""
    return {text[at : at + size] for at in range(len(text) - size + 1)}


def similarity(one: str, other: str) -> float:
    """Jaccard similarity of the characters and character bigrams of two texts, their beginnings and ends included."""
    marked = [f"{START[0]}{fold(text)}{END[0]}" for text in (one, other)]
    first, second = (ngrams(text, 2) | set(text[1:-1]) for text in marked)
    return len(first & second) / len(first | second)


def build_index(folder: Path, file: Path, version: int) -> None:
    """Write the index of a folder to a file. Raises SystemExit if the folder holds no pairs, or for the file."""
    unfinished = file.with_name(file.name + ".part")
    try:
        unfinished.unlink(missing_ok=True)
        with closing(sqlite3.connect(unfinished)) as connection:
            count = _fill(connection, folder)
            connection.execute(f"PRAGMA user_version = {version}")
            connection.commit()
        if not count:
            sys.exit(f"{folder}: no pairs; expected the output folder of `chat-corpus run`, or an export")
        unfinished.replace(file)
    except (OSError, sqlite3.Error) as error:
        sys.exit(f"{file}: cannot be written: {error}")
    finally:
        unfinished.unlink(missing_ok=True)


def _fill(connection: sqlite3.Connection, folder: Path) -> int:
    """Index the pairs of a folder; returns how many there are."""
    connection.executescript(TABLES)
    pairs, count = read_pairs(folder), 0
    while batch := list(islice(pairs, 10_000)):
        rows = [(number, *pair) for number, pair in enumerate(batch, count + 1)]
        connection.executemany("INSERT INTO pairs VALUES (?, ?, ?, ?, ?)", rows)
        texts = [(row[0], START + fold(row[1]) + END) for row in rows]
        connection.executemany("INSERT INTO queries (rowid, text) VALUES (?, ?)", texts)
        count += len(batch)
    return count


def open_index(folder: Path, file: Path) -> sqlite3.Connection:
    """Open the index of a folder; make it if it is absent, or if the files of the folder have changed."""
    facts = [(str(one.resolve()), one.stat().st_size, one.stat().st_mtime_ns) for one in files_of(folder)]
    version = zlib.crc32(repr((str(folder), facts)).encode()) >> 1  # SQLite has 31 bits for it
    if file.exists():
        connection = sqlite3.connect(file)
        try:
            if connection.execute("PRAGMA user_version").fetchone() == (version,):
                return connection
            connection.execute("SELECT term FROM trigrams LIMIT 1")
        except sqlite3.Error:
            sys.exit(f"{file}: not an index of this script; name a new file with --index")
        connection.close()
    build_index(folder, file, version)
    return sqlite3.connect(file)


def find(index: sqlite3.Connection, question: str, top: int) -> list[Answer]:
    """The `top` pairs with the queries that are most similar to the question, best first."""
    text = fold(chat_corpus.normalize([question])[0])
    terms = sorted(ngrams(START + text + END, 3))[:MAX_TRIGRAMS] if text else []
    if 0 < len(text) < 3:  # the trigrams that begin with it find it within longer texts
        terms += [term for (term,) in index.execute(WITHIN, (text, MAX_TRIGRAMS))]
    match = " OR ".join('"' + term.replace('"', '""') + '"' for term in terms) or '""'
    answers = [Answer(similarity(text, row[0]), *row) for row in index.execute(PROPOSED, (match, MAX_CANDIDATES))]
    return sorted(answers, key=lambda answer: (-answer.similarity, answer.address))[:top]


def show(answers: list[Answer]) -> None:
    """Print answers, each with the row that it is from."""
    for pair in answers:
        print(f"{pair.answer}\n  {pair.similarity:.2f}  {pair.query}  [{pair.source}]  {pair.address}")
    if not answers:
        print("(no similar query)")


def count(text: str) -> int:
    """A number of the command line. Raises ArgumentTypeError for less than 1."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"'{text}' found, a whole number from 1 on expected")
    return int(text)


def main() -> None:
    """Answer one question, or those that are typed."""
    parser = argparse.ArgumentParser(description="Answer with the most similar pair of a corpus, and name its row.")
    parser.add_argument("folder", type=Path, help="output folder of `chat-corpus run`, or an export")
    parser.add_argument("--query", help="answer this question and stop; without it, type questions")
    parser.add_argument("--top", type=count, default=1, help="number of answers (default: 1)")
    parser.add_argument("--index", type=Path, default=Path("retrieval_bot.sqlite"), help="file of the index")
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f"{options.folder}: no such folder; expected the output folder of `chat-corpus run`, or an export")
    if options.index.is_dir() or not options.index.parent.is_dir():
        parser.error(f"--index {options.index}: expected a file in a folder that exists")
    index = open_index(options.folder, options.index)
    if options.query is not None:
        answers = find(index, options.query, options.top)
        show(answers)
        sys.exit(not answers)
    print("Type a question; an empty line ends. `chat-corpus trace FILE:ROW` shows where an answer comes from.")
    while question := input("> ").strip():
        show(find(index, question, options.top))


if __name__ == "__main__":
    try:
        main()
    except (EOFError, KeyboardInterrupt):
        print()
