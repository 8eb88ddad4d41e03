"""The first bytes of files: as the text that signatures look at, or as something that no corpus is."""

from __future__ import annotations

from chat_corpus.detection import text_head
from chat_corpus.encodings import UTF8, UTF8_SHARE, commonness, decoded, strictly, utf8_share
from chat_corpus.lines import BOM, cut_at_line, printable
from chat_corpus.raw import RawFile, read_some
from chat_corpus.signature import HEAD_BYTES

#: What files begin with that were saved in place of a corpus, or are packed in a way that is not read.
_IMPOSTORS = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself: fetch it with 'git lfs pull'"),
    (b"<!doctype html", "a web page, saved in place of the file: download the file itself"),
    (b"<html", "a web page, saved in place of the file: download the file itself"),
    (b"PK\3\4", "a zip archive by its content: give it the ending .zip"),
    (b"\x1f\x8b", "compressed by its content: give it the ending .gz, or .tar.gz"),
    (b"BZh", "compressed by its content: give it the ending .bz2, or .tar.bz2"),
    (b"\xfd7zXZ", "compressed by its content: give it the ending .xz, or .tar.xz"),
    (b"\x28\xb5\x2f\xfd", "compressed by its content: give it the ending .zst, or .tar.zst"),
    (b"PAR1", "a Parquet file, which is not read: get the release in JSON"),
    (b"rar!", "a RAR archive, which is not read: unpack it"),
    (b"7z\xbc\xaf", "a 7z archive, which is not read: unpack it"),
)
_ZEROS = b"\0" * 16


def head_of(file: RawFile) -> bytes:
    """The first bytes of a file's content. Raises ChatCorpusError where it cannot be read."""
    with file.open() as stream:
        return read_some(stream, HEAD_BYTES, file)


def text_of(head: bytes) -> str | None:
    """A head as the text that signatures are made for: without a mark, lines ending in LF; None for what is no text.

    Of GB18030 and Big5 it is the one that makes more sense: a signature's words would not be found in the other.
    """
    whole = text_head(head).removeprefix(BOM)
    data = whole if len(head) < HEAD_BYTES else whole[: cut_at_line(whole) or len(whole)]
    text = printable(data)
    if strictly(data, UTF8) is None and utf8_share(data) < UTF8_SHARE:
        text = max((decoded(data, name) for name in ("gb18030", "big5")), key=commonness)
        if commonness(text) < UTF8_SHARE:
            return None
    return text.replace("\r\n", "\n")


def impostor(head: bytes) -> str:
    """What a head is instead of a corpus; empty if nothing speaks against it."""
    begin = head.removeprefix(BOM).lstrip()[:32].lower()
    told = (told for mark, told in _IMPOSTORS if begin.startswith(mark.lower()))
    zeros = "zero bytes, where a download was not finished or a disk failed: get it again" if _ZEROS in head else ""
    return next(told, zeros)
