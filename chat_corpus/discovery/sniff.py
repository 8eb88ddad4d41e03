"""The first bytes of files, as the text that signatures are compared with."""

from __future__ import annotations

from chat_corpus.files.encoding_detection import text_head
from chat_corpus.files.encodings import UTF8, UTF8_SHARE, commonness, decoded, strictly, utf8_share
from chat_corpus.files.lines import BOM, cut_at_line, printable
from chat_corpus.files.raw_file import HEAD_BYTES, RawFile, read_some


def head_of(file: RawFile) -> bytes:
    """Return the first bytes of a file's content. Raises FileError if the file cannot be read."""
    with file.open() as stream:
        return read_some(stream, HEAD_BYTES, file)


def text_of(head: bytes) -> str | None:
    """Return the first bytes of a file as text without a byte order mark, with LF line ends; None if it is not text.

    Text that is not UTF-8 is decoded as GB18030 or Big5, whichever gives the larger share of common characters. In the
    wrong encoding, the words of a signature would not be found.
    """
    whole = text_head(head).removeprefix(BOM)
    data = whole if len(head) < HEAD_BYTES else whole[: cut_at_line(whole) or len(whole)]
    text = printable(data)
    if strictly(data, UTF8) is None and utf8_share(data) < UTF8_SHARE:
        text = max((decoded(data, name) for name in ("gb18030", "big5")), key=commonness)
        if commonness(text) < UTF8_SHARE:
            return None
    return text.replace("\r\n", "\n")
