"""Raw files: numbered lines, ranges of plain and compressed files, and errors for unreadable files."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chat_corpus.errors import ChatCorpusError
from chat_corpus.files.lines import BOM, count, count_lines, cut_at_line, lines_end, numbered, numbered_lines, printable
from chat_corpus.files.raw_file import RawFile, read_range, read_some
from tests.conftest import examples

_PARTS = st.sampled_from(
    [b"\n", b"\r", b"\r\n", "好".encode(), b"\xff", b"\xe4", BOM, "\u2028".encode(), b"\x85", b"a", b"\0", b"\f"]
)
DATA = st.lists(_PARTS, max_size=20).map(b"".join)
CONTENT = b"".join(b"line %d\n" % n for n in range(20_000))
_ARCHIVES: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
KINDS = ["plain", *_ARCHIVES, "stored zip", "deflated zip"]


def written(folder: Path, kind: str, content: bytes = CONTENT) -> RawFile:
    """Write a file of a kind with some content."""
    path = folder / f"file{kind if kind in _ARCHIVES else '.zip' if 'zip' in kind else '.txt'}"
    if "zip" in kind:
        method = zipfile.ZIP_STORED if kind.startswith("stored") else zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("inside/other.txt", b"another")
            archive.writestr("inside/file.txt", content)
        return RawFile(path=str(path), name="z", size=len(content), member="inside/file.txt")
    path.write_bytes(_ARCHIVES.get(kind, bytes)(content))
    return RawFile(path=str(path), name=path.name, size=path.stat().st_size)


def read(data: bytes, first: int) -> pl.DataFrame:
    """The numbered lines, which are the same whether Python splits the data or Polars reads it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("chat_corpus.files.lines.MANY_TEXTS", 0)
        lines = numbered_lines(data, first)
    assert numbered_lines(data, first).equals(lines)
    return lines


@settings(max_examples=examples(80), deadline=None)
@given(data=DATA, first=st.integers(1, 3))
def test_lines_are_numbered_by_line_feeds_only(data: bytes, first: int) -> None:
    frame = read(data, first)
    assert frame.schema == {"record": pl.UInt32, "text": pl.String, "bytes": pl.Binary}
    lines = (data.removeprefix(BOM) if first == 1 else data).split(b"\n")
    lines = [line.removesuffix(b"\r") for line in lines][: count_lines(data)]
    assert frame["record"].to_list() == list(range(first, first + count_lines(data)))
    for (_, text, raw), line in zip(frame.rows(), lines, strict=True):
        assert (raw if text is None else text.encode()) == line
        assert (raw is None) is (text is not None)


def test_other_line_breaks_do_not_end_a_line() -> None:
    text = "一\x85二\u2028三\u2029四\v五\f六\x1c七\r八"
    assert read(text.encode(), 1)["text"].to_list() == [text]


def test_a_byte_order_mark_is_removed_only_at_the_beginning_of_a_file() -> None:
    assert read(BOM + b"a\n" + BOM + b"b", 1)["text"].to_list() == ["a", "\ufeffb"]
    assert read(BOM + b"a", 2)["text"].to_list() == ["\ufeffa"]
    assert read(BOM + b"\xff", 1)["bytes"].to_list() == [b"\xff"]


def test_a_million_lines_have_their_numbers() -> None:
    frame = numbered_lines(b"x\n" * (1 << 20), 5)
    assert frame["record"].to_list() == list(range(5, 5 + (1 << 20)))


@settings(max_examples=examples(80), deadline=None)
@given(data=DATA, lines=st.integers(0, 25))
def test_counts_and_ends_of_lines_agree(data: bytes, lines: int) -> None:
    split = data.splitlines(keepends=True) if b"\r" not in data else [p + b"\n" for p in data.split(b"\n")]
    if b"\r" in data:
        split[-1] = split[-1][:-1]
        split = split if split[-1] else split[:-1]
    assert count_lines(data) == len(split)
    assert lines_end(data, lines) == len(b"".join(split[:lines]))
    cut = cut_at_line(data)
    assert b"\n" not in data[cut:]
    assert cut == 0 or data[:cut].endswith(b"\n")


_OPENINGS = st.sampled_from([b"", BOM, b"\x1f\x8b", b"x^", b"x\x9c", b"(\xb5/\xfd", b"\xff\xfe"])


@settings(max_examples=examples(60), deadline=None)
@given(data=DATA, lines=st.integers(0, 8))
def test_data_that_is_cut_behind_any_line_has_the_same_lines(data: bytes, lines: int) -> None:
    """So a shard may begin behind any line: its numbers are known, and no line is read twice or not at all."""
    end = lines_end(data, lines)
    head = read(data[:end], 2)
    both = pl.concat([head, read(data[end:], 2 + len(head))])
    assert both.rows() == read(data, 2).rows()


@example(magic=b"", data=BOM, byte=b"\n")
@settings(max_examples=examples(200), deadline=None)
@given(
    magic=_OPENINGS,
    data=st.text("\n\r\t\0\"',;# a好", min_size=1).map(str.encode) | st.binary(min_size=1),
    byte=st.sampled_from([b"\n", b"\t"]),
)
def test_polars_counts_a_byte_as_python_does(magic: bytes, data: bytes, byte: bytes) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("chat_corpus.files.lines.MANY_LINES", 1)
        assert count(magic + data, byte) == (magic + data).count(byte)


@pytest.mark.parametrize("kind", KINDS)
def test_ranges_are_read_in_order_and_out_of_order(kind: str, tmp_path: Path) -> None:
    file = written(tmp_path, kind)
    assert file.compressed is (kind != "plain")
    stops = [0, 1, 7, 100_000, 100_001, len(CONTENT)]
    ranges = list(pairwise(stops))
    assert b"".join(read_range(file, start, stop) for start, stop in ranges) == CONTENT
    for start, stop in [ranges[3], ranges[1], ranges[4], (5, 5), ranges[0], (0, len(CONTENT)), ranges[2]]:
        assert read_range(file, start, stop) == CONTENT[start:stop]


def test_two_compressed_files_may_be_read_in_turns(tmp_path: Path) -> None:
    gzipped, zipped = written(tmp_path, ".gz"), written(tmp_path, "deflated zip")
    for start in (0, 50_000, 10_000):
        expected = CONTENT[start : start + 9]
        assert read_range(gzipped, start, start + 9) == read_range(zipped, start, start + 9) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_became_shorter_is_an_error_with_its_path(kind: str, tmp_path: Path) -> None:
    file = written(tmp_path, kind)
    with pytest.raises(ChatCorpusError, match=r"file\.\w+: .* expected 900,000 bytes, found [\d,]+"):
        read_range(file, 3, 900_000)
    written(tmp_path, kind, b"short\n")
    with pytest.raises(ChatCorpusError, match=r"file\.\w+: .* expected 1,000 bytes, "):
        read_range(file, 0, 1000)


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_file_is_an_error_with_its_path(kind: str, tmp_path: Path) -> None:
    file = written(tmp_path, kind)
    Path(file.path).unlink()
    with pytest.raises(ChatCorpusError, match=r"file\.\w+( \(.*\))?: cannot be read"):
        read_range(file, 0, 1)


def test_a_missing_member_is_an_error_with_its_path(tmp_path: Path) -> None:
    written(tmp_path, "deflated zip")
    file = RawFile(path=str(tmp_path / "file.zip"), name="z", size=1, member="nowhere.txt")
    with pytest.raises(ChatCorpusError, match=r"file\.zip \(nowhere\.txt\): cannot be read"):
        file.open()


def _outcome(reading: Callable[[], bytes]) -> bytes | str:
    """Return what was read, or the message of the error: not all damage is detected."""
    try:
        return reading()
    except ChatCorpusError as error:
        return str(error)


@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("damage", ["cut", "flipped", "not at all"])
def test_a_damaged_archive_is_an_error_with_its_path(kind: str, damage: str, tmp_path: Path) -> None:
    file = written(tmp_path, kind)
    path = Path(file.path)
    whole = path.read_bytes()
    where = [0, 1, 5, len(whole) // 3, len(whole) // 2, len(whole) - 3]
    for at in where:
        flipped = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        path.write_bytes({"cut": whole[:at], "flipped": flipped, "not at all": b"text, no archive\n" * at}[damage])
        outcomes = [
            _outcome(lambda: read_range(file, 0, len(CONTENT))),
            _outcome(lambda: read_some(file.open(), 1 << 20, file)),
        ]
        for outcome in outcomes:
            assert CONTENT.startswith(outcome) if isinstance(outcome, bytes) else str(path) in outcome
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ChatCorpusError, match=r"file\.\w+"):
        read_range(file, 0, len(CONTENT))


def test_invalid_bytes_can_be_shown() -> None:
    assert printable("好\t".encode() + b"\xff\xe4\xbd") == "好\t\\xff\\xe4\\xbd"


_MAGIC = (b"x^2", b"x\x01", b"x\x9c", b"x\xda", b"(\xb5/\xfd", b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\x00")


@pytest.mark.parametrize("head", _MAGIC)
@pytest.mark.parametrize("first", [1, 9])
def test_lines_that_begin_like_a_compressed_file_are_lines(head: bytes, first: int) -> None:
    good = "好".encode()
    assert read(head + good + b"\n" + good, first).equals(numbered([head + good, good], first))
    assert read(gzip.compress(good), first)["record"][0] == first
