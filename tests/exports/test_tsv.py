"""The TSV writer: one line a pair, two columns, whoever reads it."""

from __future__ import annotations

import csv
import io

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_corpus.exports.tsv import BREAKS, columns, encode
from chat_corpus.row_masks import matches
from tests.conftest import examples

_PIECES = [
    "好",
    "a",
    '"',
    "'",
    "\\",
    "\\n",
    "\\t",
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\v",
    "\f",
    "\x1c",
    "\x1d",
    "\x1e",
    "\x1f",
]
_PIECES += ["\x85", "\u2028", "\u2029", " ", ",", "😀", "#"]
TEXTS = st.lists(st.sampled_from(_PIECES), min_size=1, max_size=6).map("".join)


def frame(pairs: list[tuple[str, str]]) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema={"query": pl.String, "answer": pl.String}, orient="row").with_columns(more=1)


@settings(max_examples=examples(80), deadline=None)
@given(pairs=st.lists(st.tuples(TEXTS, TEXTS), max_size=6))
def test_every_reader_sees_one_line_of_two_full_columns_for_each_pair(pairs: list[tuple[str, str]]) -> None:
    text = encode(frame(pairs)).decode("utf-8")
    assert text.count("\n") == len(text.splitlines()) == len(pairs)
    rows = [tuple(line.split("\t")) for line in text.splitlines()]
    assert [tuple(row) for row in csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)] == rows
    assert len(encode(frame(pairs)).splitlines()) == len(pairs)
    assert all(len(row) == 2 and all(row) for row in rows)
    masks = {side: matches(frame(pairs)[side], f"[{BREAKS}]") for side in ("query", "answer")}
    assert columns(frame(pairs), masks).equals(columns(frame(pairs)))
    if pairs:
        read = pl.read_csv(text.encode(), separator="\t", has_header=False, quote_char=None, infer_schema=False)
        assert read.rows() == rows


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("一\n二", "一\\n二"),
        ("一\r\n二", "一\\n二"),
        ("一\r二", "一\\n二"),
        ("一\n\n二", "一\\n\\n二"),
        ("一\t二", "一 二"),
        ("一\u2028二", "一 二"),
        ("一\x85二", "一 二"),
        ("C:\\new", "C:\\new"),
        ('他說"好"', '他說"好"'),
        ('"', '"'),
    ],
)
def test_breaks_are_written_as_two_characters_and_tabs_as_a_blank(text: str, written: str) -> None:
    assert encode(frame([(text, "答"), ("问", text)])).decode() == f"{written}\t答\n问\t{written}\n"


def test_no_pairs_are_no_bytes() -> None:
    assert encode(frame([])) == b""
