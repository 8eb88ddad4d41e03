r"""Text encodings by name, and UTF-8 made of files in another one, so that nothing else need know of them.

`gb18030` is the superset of GB 2312 and GBK. `big5` is Big5 with the ETEN and HKSCS extensions (kana, circled digits,
Cantonese), which PTT-era text needs and Python's `big5` and `cp950` lack or map elsewhere, and with Microsoft's mapping
of nine symbols, ``～`` above all, which is what people typed. A name of two, `utf-8+gb18030`, is a file of lines in
either encoding, most of them in the first.

Bytes that do not decode stay as they are, between what does, so that the record that holds them is found to be no UTF-8
and is rejected with them; where by accident they are UTF-8, ``\xff`` is put before them. A lone surrogate of UTF-16
stays as the three bytes of its code point, since its own could be a line break.
"""

from __future__ import annotations

import codecs
import io
import re
import sys
from collections.abc import Callable
from functools import cache
from typing import IO, cast

UTF8 = "utf-8"
#: The Python codec of each encoding.
CODECS = {
    UTF8: "utf-8",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
}
#: Other names of the same, or of a subset.
ALIASES = {
    "utf8": UTF8, "gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030",
    "cp950": "big5", "big5hkscs": "big5", "big5-hkscs": "big5",
}  # fmt: skip
#: Two encodings that one file can be in, line by line.
MIXTURES = tuple(f"{one}+{other}" for x in ("gb18030", "big5") for one, other in ((UTF8, x), (x, UTF8)))

_BLOCK = 1 << 20
_ESCAPES = "chat_corpus.escapes"
#: Where Python's big5hkscs and Microsoft's code page 950 differ in the rows of symbols, the latter's.
_SYMBOLS = dict(zip("•､‾∼♁☉¥¢£", "‧﹑¯～⊕⊙￥￠￡", strict=True))
_SYMBOL = re.compile(f"[{''.join(_SYMBOLS)}]")
_EURO = b"\xa3\xe1"
_ODD_BYTES = "".join(map(chr, range(0xDC80, 0xDD00)))
_ESCAPED = re.compile("[\udc80-\udcff]+")
#: Fewer characters of a line than this prove nothing.
_PROOF = 4
#: With less than this `utf8_share` a line is not UTF-8 with some damage.
UTF8_SHARE = 0.5
_ASCII = bytes(range(0x80))
_ORDINARY = re.compile("[\t\n\r -~]+")
_SHORT = re.compile("[\0-\u07ff]+")
_TRAILS = (*range(0x40, 0x7F), *range(0xA1, 0xFF))


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Keep the first of the bytes that do not decode, as `surrogateescape` does, and go on with the next."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    if error.encoding == "big5hkscs" and error.object[error.start : error.start + 2] == _EURO:
        return "€", error.start + 2
    return chr(0xDC00 + error.object[error.start]), error.start + 1


codecs.register_error(_ESCAPES, _escape)


def _as_typed(text: str, encoding: str) -> str:
    return _SYMBOL.sub(lambda match: _SYMBOLS[match[0]], text) if encoding == "big5" else text


def decoded(data: bytes, encoding: str) -> str:
    r"""Text of an encoding of `CODECS`; bytes that do not decode as U+DC80 to U+DCFF.

    >>> decoded("你～".encode("cp950") + b"\xff", "big5")
    '你～\udcff'
    """
    if encoding.startswith("utf-16"):
        return data[: len(data) & ~1].decode(CODECS[encoding], "surrogatepass")
    return _as_typed(data.decode(CODECS[encoding], _ESCAPES), encoding)


def strictly(data: bytes, encoding: str) -> str | None:
    """Text of an encoding of `CODECS`, or None where some of it does not decode."""
    try:
        return _as_typed(data.decode(CODECS[encoding]), encoding)
    except UnicodeDecodeError:
        if encoding != "big5" or _EURO not in data:
            return None
    text = decoded(data, encoding)
    return None if _ESCAPED.search(text) else text


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return _ESCAPED.sub(_guarded, text).encode("utf-8", "surrogateescape")


def _guarded(match: re.Match[str]) -> str:
    run = match[0].encode("utf-8", "surrogateescape")
    return match[0] if strictly(run, UTF8) is None else f"\udcff{match[0]}"


@cache
def common() -> frozenset[str]:
    """Characters of everyday Chinese: the first levels of GB 2312 and Big5, punctuation, full width, kana."""
    rows = [("gb2312", range(0xB0, 0xD8)), ("gb2312", (0xA1, 0xA3, 0xA4, 0xA5))]
    rows += [("big5", range(0xA4, 0xC7)), ("big5", (0xA1,))]
    cells = (
        bytes([lead, trail]).decode(codec, "ignore") for codec, leads in rows for lead in leads for trail in _TRAILS
    )
    return frozenset(character for cell in cells for character in cell if character > "\x7f")


def commonness(text: str) -> float:
    """The share of a text's characters beyond ASCII, and of its control characters, that are common; 1 without any."""
    telling = _ORDINARY.sub("", text)
    return sum(map(common().__contains__, telling)) / len(telling) if telling else 1.0


def utf8_share(data: bytes) -> float:
    """The share of the bytes beyond ASCII that belong to characters of UTF-8 of three and four bytes; 1 without any.

    Next to 1 for Chinese in UTF-8 with some damage; 0.1 in GB18030 or Big5, where three bytes rarely happen to be one.
    """
    beyond = len(data.translate(None, _ASCII))
    kept = _SHORT.sub("", data.decode("utf-8", "ignore"))
    return len(kept.encode()) / beyond if beyond else 1.0


def proven(line: bytes, encoding: str) -> str | None:
    """The text of a line that can be nothing but in this encoding, in a file of UTF-8; otherwise None."""
    text = strictly(line, encoding)
    if text is None or commonness(text) < 1 or utf8_share(line) >= UTF8_SHARE:
        return None
    return text if sum(character > "\x7f" for character in text) >= _PROOF else None


def is_utf8_line(line: bytes, encoding: str) -> bool:
    """Whether a line, in a file of this encoding, is Chinese in UTF-8 all the same."""
    as_utf8 = None if line.isascii() else strictly(line, UTF8)
    if as_utf8 is None:
        return False
    text = strictly(line, encoding)
    return commonness(as_utf8) > (0.5 if text is None else commonness(text))


def _line_of(main: str, other: str, line: bytes) -> bytes:
    """A line of a file that mixes two encodings, as UTF-8; what proves to be in neither keeps its odd bytes."""
    if main != UTF8:
        return line if is_utf8_line(line, main) else _encoded(decoded(line, main))
    text = proven(line, other) if strictly(line, UTF8) is None else None
    return line if text is None else text.encode("utf-8")


class _Lines:
    """UTF-8 of the blocks of a file that mixes two encodings."""

    def __init__(self, main: str, other: str) -> None:
        self._main, self._other = main, other
        self._pending: list[bytes] = []

    def __call__(self, block: bytes) -> bytes:
        end = block.rfind(b"\n") + 1 if block else 0
        if block and not end:
            self._pending.append(block)
            return b""
        data = b"".join([*self._pending, block[:end]])
        self._pending = [block[end:]]
        return b"\n".join(_line_of(self._main, self._other, line) for line in data.split(b"\n"))


class _Bytes:
    """UTF-8 of the blocks of a file in GB18030 or Big5."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(CODECS[encoding])(_ESCAPES)
        self._held = ""

    def __call__(self, block: bytes) -> bytes:
        text = self._held + self._decoder.decode(block, final=not block)
        # Odd bytes at the end may go on in the next block, and are judged together.
        end = len(text.rstrip(_ODD_BYTES)) if block else len(text)
        self._held = text[end:]
        return _encoded(_as_typed(text[:end], self._encoding))


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
