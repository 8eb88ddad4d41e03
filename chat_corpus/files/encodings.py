r"""Text encodings by name: decoding, and measures of whether the text looks Chinese.

`gb18030` is the superset of GB 2312 and GBK. `big5` is Big5 with the ETEN and HKSCS extensions (kana, circled digits,
Cantonese). Text of PTT's time uses these extensions, and Python's `big5` and `cp950` lack them or map them differently.
Nine symbols, above all ``～``, have Microsoft's mapping, because people typed them on Windows. `utf-8+gb18030` is a
file with lines in both encodings, most of them in the first.
"""

from __future__ import annotations

import codecs
import re
from functools import cache

UTF8 = "utf-8"
#: The Python codec of each encoding.
CODECS = {
    UTF8: "utf-8",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
}
#: Encodings of Unicode, in which a private-use character comes from the author's device.
UNICODE = (UTF8, "utf-16-le", "utf-16-be")
#: Other names of the same encodings or of subsets.
ALIASES = {
    "utf8": UTF8, "gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030",
    "cp950": "big5", "big5hkscs": "big5", "big5-hkscs": "big5",
}  # fmt: skip
#: Pairs of encodings that the lines of a file can mix.
MIXTURES = tuple(f"{main}+{other}" for x in ("gb18030", "big5") for main, other in ((UTF8, x), (x, UTF8)))

#: Name of the `codecs` error handler that decodes invalid bytes as U+DC80 to U+DCFF.
ESCAPES = "chat_corpus.escapes"
#: Symbols that Python's big5hkscs and Microsoft's code page 950 map differently, mapped to Microsoft's.
_SYMBOLS = dict(zip("•､‾∼♁☉¥¢£", "‧﹑¯～⊕⊙￥￠￡", strict=True))
_SYMBOL = re.compile(f"[{''.join(_SYMBOLS)}]")
_EURO = b"\xa3\xe1"
_ESCAPED = re.compile("[\udc80-\udcff]")
#: Minimum number of characters of a line that prove an encoding.
_PROOF = 4
#: A line with a lower `utf8_share` is in a different encoding; a line with a higher one is damaged UTF-8.
UTF8_SHARE = 0.5
_ASCII = bytes(range(0x80))
_ORDINARY = re.compile("[\t\n\r -~]+")
_SHORT = re.compile("[\0-\u07ff]+")
#: Bytes beyond ASCII that never begin a character of a codec.
_NEVER = {
    "utf-8": bytes([*range(0x80, 0xC2), *range(0xF5, 0x100)]),
    "gb18030": b"\x80\xff",
    "big5hkscs": bytes([*range(0x80, 0x87), 0xFF]),
}
_TRAILS = (*range(0x40, 0x7F), *range(0xA1, 0xFF))


@cache
def _undecodable(codec: str) -> re.Pattern[bytes]:
    """Return a pattern for ASCII and for bytes that begin no character of a codec, alone or with the next byte.

    It matches at most 4,096 items, because each needs memory during the match.
    """
    leads: dict[bytes, bytes] = {}
    for lead in set(range(0x80, 0x100)) - set(_NEVER[codec]):
        trails = bytes(trail for trail in range(0x100) if _fails(bytes([lead, trail]), codec))
        leads[trails] = leads.get(trails, b"") + bytes([lead])
    pairs = (b"[%b](?=[%b])" % (re.escape(lead), re.escape(trails)) for trails, lead in leads.items() if trails)
    return re.compile(b"(?:[\0-\x7f%b]+|%b){1,4096}" % (_NEVER[codec], b"|".join(pairs)), re.DOTALL)


def _fails(data: bytes, codec: str) -> bool:
    """Return whether these bytes are no character, and no further bytes can complete them to one."""
    try:
        codecs.getincrementaldecoder(codec)().decode(data)
    except UnicodeDecodeError:
        return data != _EURO
    return False


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Decode invalid bytes like `surrogateescape`, up to the first byte beyond ASCII that may begin a character."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    data, start = error.object, error.start
    if error.encoding == "big5hkscs" and data[start : start + 2] == _EURO:
        return "€", start + 2
    run = _undecodable(error.encoding).match(data, start)
    end = run.end() if run else start + 1
    return data[start:end].decode("ascii", "surrogateescape"), end


codecs.register_error(ESCAPES, _escape)


def as_typed(text: str, encoding: str) -> str:
    """Return decoded text with Microsoft's mapping of symbols, if the encoding is Big5."""
    return _SYMBOL.sub(lambda match: _SYMBOLS[match[0]], text) if encoding == "big5" else text


def decoded(data: bytes, encoding: str) -> str:
    r"""Return the text of bytes in an encoding of `CODECS`; invalid bytes become U+DC80 to U+DCFF.

    >>> decoded("你～".encode("cp950") + b"\xff", "big5")
    '你～\udcff'
    """
    if encoding.startswith("utf-16"):
        return data[: len(data) & ~1].decode(CODECS[encoding], "surrogatepass")
    return as_typed(data.decode(CODECS[encoding], ESCAPES), encoding)


def strictly(data: bytes, encoding: str) -> str | None:
    """Return the text of bytes in an encoding of `CODECS`, or None if some are invalid."""
    try:
        return as_typed(data.decode(CODECS[encoding]), encoding)
    except UnicodeDecodeError:
        if encoding != "big5" or _EURO not in data:
            return None
    text = decoded(data, encoding)
    return None if _ESCAPED.search(text) else text


@cache
def common() -> frozenset[str]:
    """Return the characters of everyday Chinese: levels 1 of GB 2312 and Big5, punctuation, full width, kana."""
    rows = [("gb2312", range(0xB0, 0xD8)), ("gb2312", (0xA1, 0xA3, 0xA4, 0xA5))]
    rows += [("big5", range(0xA4, 0xC7)), ("big5", (0xA1,))]
    cells = (
        bytes([lead, trail]).decode(codec, "ignore") for codec, leads in rows for lead in leads for trail in _TRAILS
    )
    return frozenset(character for cell in cells for character in cell if character > "\x7f")


def commonness(text: str) -> float:
    """Return the share of common characters among those that are not printable ASCII; 1 if there are none."""
    special = _ORDINARY.sub("", text)
    return sum(map(common().__contains__, special)) / len(special) if special else 1.0


def utf8_share(data: bytes) -> float:
    """Return the share of the bytes beyond ASCII that belong to UTF-8 characters of three or four bytes.

    It is 1 if there are no bytes beyond ASCII, nearly 1 for damaged Chinese UTF-8, and 0.1 for GB18030 or Big5, where
    three bytes are rarely a UTF-8 character by accident.
    """
    beyond = len(data.translate(None, _ASCII))
    characters = _SHORT.sub("", data.decode("utf-8", "ignore"))
    return len(characters.encode()) / beyond if beyond else 1.0


def proven(line: bytes, encoding: str) -> str | None:
    """Return the text of a line that is clearly in this encoding although its file is UTF-8; otherwise None."""
    text = strictly(line, encoding)
    if text is None or commonness(text) < 1 or utf8_share(line) >= UTF8_SHARE:
        return None
    return text if sum(character > "\x7f" for character in text) >= _PROOF else None


def is_utf8_line(line: bytes, encoding: str) -> bool:
    """Return whether a line is Chinese in UTF-8 although its file is in this encoding."""
    as_utf8 = None if line.isascii() else strictly(line, UTF8)
    if as_utf8 is None:
        return False
    text = strictly(line, encoding)
    return commonness(as_utf8) > (0.5 if text is None else commonness(text))


def line_encoding(line: bytes, main: str, other: str) -> str:
    """Return the encoding of a line in a file that mixes `main`, the encoding of most lines, and `other`.

    One of the two is UTF-8. The result for a line in neither is `main`.
    """
    if main != UTF8:
        return UTF8 if is_utf8_line(line, main) else main
    return other if strictly(line, UTF8) is None and proven(line, other) is not None else UTF8
