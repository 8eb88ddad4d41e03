r"""UTF-8 made of files in another encoding as they are read, in bounded memory, so that nothing else need know of them.

Bytes that do not decode stay as they are, between what does, so that the record that holds them is found to be no UTF-8
and is rejected with them; where by accident they are UTF-8, ``\xff`` is put before them. A lone surrogate of UTF-16
stays as the three bytes of its code point, since its own could be a line break.

No more than `BOUND` bytes wait for those that follow. A longer line of a file that mixes two encodings is wholly read
in the one that its first `BOUND` bytes are in. Of a run of bytes that do not decode, as long or longer, each `BOUND`
bytes have ``\xff`` before them.
"""

from __future__ import annotations

import codecs
import io
import re
import sys
from collections.abc import Callable
from typing import IO, cast

from chat_corpus.files.encodings import CODECS, ESCAPES, UTF8, as_typed, decoded, line_encoding, strictly

#: More than any line of a corpus, and less than makes a difference to memory.
BOUND = 1 << 20
_BLOCK = 1 << 20
_ODD = re.compile("[\udc80-\udcff]+")
#: One alone is never UTF-8.
_RUN = re.compile("[\udc80-\udcff]{2,}")
#: A cut may leave so many bytes of a character.
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
    """UTF-8 of the blocks of a file that mixes two encodings."""

    def __init__(self, main: str, other: str) -> None:
        self._main, self._other = main, other
        self._pending = b""
        #: What makes UTF-8 of the rest of a line beyond the bound.
        self._long: Callable[[bytes], bytes] | None = None

    def __call__(self, block: bytes) -> bytes:
        *ended, last = (self._pending + block).split(b"\n")
        self._pending = b""
        parts = [self._ended(line) for line in ended]
        if not block:
            parts.append(self._ended(last))
        elif self._long or len(last) > BOUND:
            parts.append(self._part(last))
        else:
            self._pending = last
            parts.append(b"")
        return b"\n".join(parts)

    def _ended(self, line: bytes) -> bytes:
        """A line up to its end, or what is left of a long one."""
        if self._long or len(line) > BOUND:
            text = self._part(line) + (self._long(b"") if self._long else b"")
            self._long = None
            return text
        encoding = line_encoding(line, self._main, self._other)
        return line if encoding == UTF8 else _encoded(decoded(line, encoding))

    def _part(self, part: bytes) -> bytes:
        """The next part of a long line, the first of them of more than the bound."""
        if self._long is None:
            beginnings = (part[: BOUND - half] for half in _HALVES)
            is_other = any(line_encoding(one, self._main, self._other) == self._other for one in beginnings)
            encoding = self._other if is_other else self._main
            self._long = _unchanged if encoding == UTF8 else _Bytes(encoding)
        return self._long(part) if part else b""


class _Bytes:
    """UTF-8 of the blocks of a file in GB18030 or Big5."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(CODECS[encoding])(ESCAPES)
        self._held = ""

    def __call__(self, block: bytes) -> bytes:
        text = self._held + self._decoder.decode(block, final=not block)
        while not block and self._decoder.getstate()[0]:  # at the end it takes but one error at a time
            text += self._decoder.decode(b"", final=True)
        # Odd bytes at the end may go on in the next block, and are judged together.
        odd = _ODD.match(text[::-1]) if block else None
        end = len(text) - (odd.end() % BOUND if odd else 0)
        self._held = text[end:]
        return _encoded(as_typed(text[:end], self._encoding))


class _Utf16:
    """UTF-8 of the blocks of a file in UTF-16."""

    def __init__(self, encoding: str) -> None:
        self._codec = CODECS[encoding]
        self._high = 1 if encoding == "utf-16-le" else 0
        self._pending = b""

    def __call__(self, block: bytes) -> bytes:
        data = self._pending + block
        end = len(data) & ~1
        if block and end and 0xD8 <= data[end - 2 + self._high] < 0xDC:
            end -= 2  # the other half of its pair is in the next block
        self._pending = data[end:]
        text = data[:end].decode(self._codec, "surrogatepass").encode("utf-8", "surrogatepass")
        return text if block or not self._pending else text + b"\xff" + self._pending


def _decoder(encoding: str) -> Callable[[bytes], bytes]:
    """What makes UTF-8 of the blocks of a file, the last of them empty."""
    main, _, other = encoding.partition("+")
    return _Lines(main, other) if other else _Utf16(main) if main.startswith("utf-16") else _Bytes(main)


class _Transcoding(io.BufferedIOBase):
    """A stream of UTF-8 made of one in another encoding."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream, self._decode = stream, _decoder(encoding)
        self._ready = io.BytesIO()
        self._at, self._ended = 0, False

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = sys.maxsize if size is None or size < 0 else size
        parts = [self._ready.read(wanted)]
        while (wanted := wanted - len(parts[-1])) and not self._ended:
            block = self._stream.read(_BLOCK)
            self._ready, self._ended = io.BytesIO(self._decode(block)), not block
            parts.append(self._ready.read(wanted))
        data = b"".join(parts)
        self._at += len(data)
        return data

    def close(self) -> None:
        self._stream.close()
        super().close()


def utf8(stream: IO[bytes], encoding: str) -> IO[bytes]:
    """The content of `stream`, in an encoding of `CODECS` or `MIXTURES`, as a stream of UTF-8 that closes it."""
    return stream if encoding == UTF8 else cast("IO[bytes]", _Transcoding(stream, encoding))
