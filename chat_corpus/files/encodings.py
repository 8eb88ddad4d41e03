r"""Text encodings by name: what bytes mean in each, and whether that looks like Chinese.

`gb18030` is the superset of GB 2312 and GBK. `big5` is Big5 with the ETEN and HKSCS extensions (kana, circled digits,
Cantonese), which PTT-era text needs and Python's `big5` and `cp950` lack or map elsewhere, and with Microsoft's mapping
of nine symbols, ``～`` above all, which is what people typed. A name of two, `utf-8+gb18030`, is a file of lines in
either encoding, most of them in the first.
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
#: Encodings of Unicode itself, in which a private-use character is what an author's device wrote.
UNICODE = (UTF8, "utf-16-le", "utf-16-be")
#: Other names of the same, or of a subset.
ALIASES = {
    "utf8": UTF8, "gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030",
    "cp950": "big5", "big5hkscs": "big5", "big5-hkscs": "big5",
}  # fmt: skip
#: Two encodings that one file can be in, line by line.
MIXTURES = tuple(f"{one}+{other}" for x in ("gb18030", "big5") for one, other in ((UTF8, x), (x, UTF8)))

#: The error handler of `codecs` that keeps bytes which do not decode, as U+DC80 to U+DCFF.
ESCAPES = "chat_corpus.escapes"
#: Where Python's big5hkscs and Microsoft's code page 950 differ in the rows of symbols, the latter's.
_SYMBOLS = dict(zip("•､‾∼♁☉¥¢£", "‧﹑¯～⊕⊙￥￠￡", strict=True))
_SYMBOL = re.compile(f"[{''.join(_SYMBOLS)}]")
_EURO = b"\xa3\xe1"
_ESCAPED = re.compile("[\udc80-\udcff]")
#: Fewer characters of a line than this prove nothing.
_PROOF = 4
#: With less than this `utf8_share` a line is not UTF-8 with some damage.
UTF8_SHARE = 0.5
_ASCII = bytes(range(0x80))
_ORDINARY = re.compile("[\t\n\r -~]+")
_SHORT = re.compile("[\0-\u07ff]+")
#: Bytes beyond ASCII that begin no character of a codec, whatever follows.
_NEVER = {
    "utf-8": bytes([*range(0x80, 0xC2), *range(0xF5, 0x100)]),
    "gb18030": b"\x80\xff",
    "big5hkscs": bytes([*range(0x80, 0x87), 0xFF]),
}
_TRAILS = (*range(0x40, 0x7F), *range(0xA1, 0xFF))


@cache
def _undecodable(codec: str) -> re.Pattern[bytes]:
    """ASCII, and bytes that begin no character of a codec, by themselves or because of the next one.

    At most 4,096 of the latter at a time, for each costs memory while the pattern goes on.
    """
    leads: dict[bytes, bytes] = {}
    for lead in set(range(0x80, 0x100)) - set(_NEVER[codec]):
        trails = bytes(trail for trail in range(0x100) if _fails(bytes([lead, trail]), codec))
        leads[trails] = leads.get(trails, b"") + bytes([lead])
    pairs = (b"[%b](?=[%b])" % (re.escape(lead), re.escape(trails)) for trails, lead in leads.items() if trails)
    return re.compile(b"(?:[\0-\x7f%b]+|%b){1,4096}" % (_NEVER[codec], b"|".join(pairs)), re.DOTALL)


def _fails(data: bytes, codec: str) -> bool:
    """Whether bytes begin nothing that further ones could make a character."""
    try:
        codecs.getincrementaldecoder(codec)().decode(data)
    except UnicodeDecodeError:
        return data != _EURO
    return False


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Keep the bytes that do not decode, as `surrogateescape` does, up to the first beyond ASCII that may."""
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
    """Decoded text of an encoding of `CODECS`, with the symbols that people typed."""
    return _SYMBOL.sub(lambda match: _SYMBOLS[match[0]], text) if encoding == "big5" else text


def decoded(data: bytes, encoding: str) -> str:
    r"""Text of an encoding of `CODECS`; bytes that do not decode as U+DC80 to U+DCFF.

    >>> decoded("你～".encode("cp950") + b"\xff", "big5")
    '你～\udcff'
    """
    if encoding.startswith("utf-16"):
        return data[: len(data) & ~1].decode(CODECS[encoding], "surrogatepass")
    return as_typed(data.decode(CODECS[encoding], ESCAPES), encoding)


def strictly(data: bytes, encoding: str) -> str | None:
    """Text of an encoding of `CODECS`, or None where some of it does not decode."""
    try:
        return as_typed(data.decode(CODECS[encoding]), encoding)
    except UnicodeDecodeError:
        if encoding != "big5" or _EURO not in data:
            return None
    text = decoded(data, encoding)
    return None if _ESCAPED.search(text) else text


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


def line_encoding(line: bytes, main: str, other: str) -> str:
    """Which of the two a line is in, of a file that mixes them and is mostly in `main`; UTF-8 if it is in neither."""
    if main != UTF8:
        return UTF8 if is_utf8_line(line, main) else main
    return other if strictly(line, UTF8) is None and proven(line, other) is not None else UTF8
