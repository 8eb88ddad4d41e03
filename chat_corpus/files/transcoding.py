r"""Transcode files to UTF-8 while they are read, in bounded memory, so that other modules see UTF-8 only.

Invalid bytes stay unchanged in the output, so that the reader rejects their record as not UTF-8; if they happen to be
UTF-8, ``\xff`` precedes them. A lone surrogate of UTF-16 becomes the three bytes of its code point, since its two bytes
could contain a line break.

At most `BOUND` bytes are buffered. In a file that mixes two encodings, a longer line is decoded in the encoding of its
first `BOUND` bytes. In a longer run of invalid bytes, ``\xff`` precedes each `BOUND` bytes.
"""

from __future__ import annotations

import codecs
import io
import re
import sys
from collections.abc import Callable
from typing import IO, cast

from chat_corpus.files.encodings import CODECS, ESCAPES, UTF8, as_typed, decoded, line_encoding, strictly

#: Maximum number of buffered bytes: longer than any line of a corpus, and little memory.
BOUND = 1 << 20
_BLOCK = 1 << 20
_ODD = re.compile("[\udc80-\udcff]+")
#: Two or more: a single byte beyond ASCII is never UTF-8.
_RUN = re.compile("[\udc80-\udcff]{2,}")
#: Numbers of bytes of an incomplete character at a cut.
_HALVES = range(4)


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return _RUN.sub(_guarded, text).encode("utf-8", "surrogateescape")


def _guarded(match: re.Match[str]) -> str:
    run, bound = match[0], BOUND
    full = len(run) - len(run) % bound
    parts = [f"\udcff{run[at : at + bound]}" for at in range(0, full, bound)]
    rest = run[full:]
    by_accident = rest and strictly(rest.encode("utf-8", "surrogateescape"), UTF8) is not None
    return "".join([*parts, "\udcff" if by_accident else "", rest])


def _unchanged(block: bytes) -> bytes:
    return block


class _Lines:
    """Transcodes blocks of a file that mixes two encodings."""

    def __init__(self, main: str, other: str) -> None:
        self._main, self._other = main, other
        self._pending = b""
        #: Transcodes the rest of a line that is longer than the bound.
        self._long: Callable[[bytes], bytes] | None = None

    def __call__(self, block: bytes) -> bytes:
        *ended, last = (self._pending + block).split(b"\n")
        self._pending = b""
        parts = [self._line(line) for line in ended]
        if not block:
            parts.append(self._line(last))
        elif self._long or len(last) > BOUND:
            parts.append(self._part(last))
        else:
            self._pending = last
            parts.append(b"")
        return b"\n".join(parts)

    def _line(self, line: bytes) -> bytes:
        """Transcode a complete line, or the end of a long one."""
        if self._long or len(line) > BOUND:
            text = self._part(line) + (self._long(b"") if self._long else b"")
            self._long = None
            return text
        encoding = line_encoding(line, self._main, self._other)
        return line if encoding == UTF8 else _encoded(decoded(line, encoding))

    def _part(self, part: bytes) -> bytes:
        """Transcode the next part of a long line; the first part is longer than the bound."""
        if self._long is None:
            beginnings = (part[: BOUND - half] for half in _HALVES)
            is_other = any(line_encoding(part, self._main, self._other) == self._other for part in beginnings)
            encoding = self._other if is_other else self._main
            self._long = _unchanged if encoding == UTF8 else _Bytes(encoding)
        return self._long(part) if part else b""


class _Bytes:
    """Transcodes blocks of a file in GB18030 or Big5."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(CODECS[encoding])(ESCAPES)
        self._pending = ""

    def __call__(self, block: bytes) -> bytes:
        text = self._pending + self._decoder.decode(block, final=not block)
        while not block and self._decoder.getstate()[0]:  # the final call handles one error at a time
            text += self._decoder.decode(b"", final=True)
        # A run of invalid bytes at the end may continue in the next block, and is treated as a whole.
        odd = _ODD.match(text[::-1]) if block else None
        end = len(text) - (odd.end() % BOUND if odd else 0)
        self._pending = text[end:]
        return _encoded(as_typed(text[:end], self._encoding))


class _Utf16:
    """Transcodes blocks of a file in UTF-16."""

    def __init__(self, encoding: str) -> None:
        self._codec = CODECS[encoding]
        self._high = 1 if encoding == "utf-16-le" else 0
        self._pending = b""

    def __call__(self, block: bytes) -> bytes:
        data = self._pending + block
        end = len(data) & ~1
        if block and end and 0xD8 <= data[end - 2 + self._high] < 0xDC:
            end -= 2  # the low surrogate is in the next block
        self._pending = data[end:]
        text = data[:end].decode(self._codec, "surrogatepass").encode("utf-8", "surrogatepass")
        return text if block or not self._pending else text + b"\xff" + self._pending


def _decoder(encoding: str) -> Callable[[bytes], bytes]:
    """Return a function that transcodes the blocks of a file; an empty block ends the file."""
    main, _, other = encoding.partition("+")
    return _Lines(main, other) if other else _Utf16(main) if main.startswith("utf-16") else _Bytes(main)


class _Transcoding(io.BufferedIOBase):
    """A stream of UTF-8 from a stream in a different encoding."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream, self._decode = stream, _decoder(encoding)
        self._ready = io.BytesIO()
        self._at, self._ended = 0, False

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        missing = sys.maxsize if size is None or size < 0 else size
        parts = [self._ready.read(missing)]
        while (missing := missing - len(parts[-1])) and not self._ended:
            block = self._stream.read(_BLOCK)
            self._ready, self._ended = io.BytesIO(self._decode(block)), not block
            parts.append(self._ready.read(missing))
        data = b"".join(parts)
        self._at += len(data)
        return data

    def close(self) -> None:
        self._stream.close()
        super().close()


def utf8(stream: IO[bytes], encoding: str) -> IO[bytes]:
    """Return a stream of UTF-8 from a stream in an encoding of `CODECS` or `MIXTURES`; closing it closes both."""
    return stream if encoding == UTF8 else cast("IO[bytes]", _Transcoding(stream, encoding))
