"""Which encoding a file is in: what a detector makes of samples from several places of it, confirmed by decoding them.

A file that simply is UTF-8, be it with some damaged lines, is seen to be so, and no detector is asked. Between GB18030
and Big5 chardet decides, with these two as its closed list, and for a few characters, where it errs in up to one case
of ten, what is known of the source. UTF-16 without a byte order mark is told by its zero bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from chat_corpus.errors import ChatCorpusError
from chat_corpus.files import encodings, transcoding
from chat_corpus.files.encodings import (
    CODECS,
    UTF8,
    UTF8_SHARE,
    common,
    commonness,
    decoded,
    is_utf8_line,
    proven,
    strictly,
    utf8_share,
)
from chat_corpus.files.lines import BOM, count_lines
from chat_corpus.files.parquet_lines import PARQUET
from chat_corpus.files.raw_file import RawFile, read_some
from chat_corpus.schema import Script

#: What a user may name: an encoding, another name of it, a mixture, or that it is to be found out.
CHOICES = ("auto", *CODECS, "utf-16", *encodings.MIXTURES, *encodings.ALIASES)

_SAMPLES = 8
_SAMPLE_BYTES = 1 << 15
_MARKS = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff", UTF8: BOM}
_LEGACY = ("gb18030", "big5")
#: Ours for the names that chardet gives.
_NAMES = {"gb18030": "gb18030", "big5hkscs": "big5"}
#: What text of a script is in, if it is not in Unicode.
_USUAL = {Script.HANS: "gb18030", Script.HANT: "big5", Script.TAIWAN: "big5"}
_ASCII = frozenset("\t\n\r") | {chr(code) for code in range(0x20, 0x7F)}
_BYTES_OF_ASCII = bytes(range(0x80))
#: What a cut may leave of a character of UTF-8, at the end or the beginning.
_CUT_END = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{0,3}\Z")
_CUT_BEGIN = re.compile(rb"\A[\x80-\xbf]{1,3}")
#: So many lines that agree show a second encoding; fewer are damage.
_ENOUGH = 5
#: Up to so many characters, the source's script outweighs the detector.
_FEW = 20
_KANA = frozenset(map(chr, (*range(0x3041, 0x3097), *range(0x30A1, 0x30FB))))
#: More than this share of kana is not Chinese text. Real samples have 0.003 at most, or 0.17 if they are Big5 and read
#: as GB18030; Japanese talk has one half and more.
_MANY_KANA = 1 / 3
#: Less than this share of common characters is not Chinese text. Real samples of 1,000 characters have 0.98 and more,
#: noise 0.3, one encoding read as the other at most 0.6.
_PLAUSIBLE = 0.5
#: A verdict that leaves so much fewer common characters than the other encoding is none.
_MARGIN = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The encoding that a file is read in, and how it is known; `doubt` is what the user should see to, if anything."""

    encoding: str
    evidence: str
    doubt: str = ""


def choose_encoding(file: RawFile, script: Script, chosen: str = "auto") -> Decision:
    """The encoding of a file whose source is in `script`; the user's, one of `CHOICES`, unless it is `auto`.

    Raises ChatCorpusError where the file cannot be read, or chardet is needed and not installed.
    """
    if file.encoding == PARQUET:
        return Decision(encoding=PARQUET, evidence="its first and last bytes; each row is read as a line of JSON")
    samples, whole = _samples(file)
    found = detected(samples, script, whole=whole)
    if chosen == "auto":
        return found
    encoding = encodings.ALIASES.get(chosen, chosen)
    if encoding == "utf-16":
        marked = samples[0].startswith(_MARKS["utf-16-be"])
        encoding = "utf-16-be" if marked else _utf16(b"".join(samples)) or "utf-16-le"
    agreed = found.doubt or (
        set(encoding.split("+")) & set(found.encoding.split("+"))
        and _lost(samples, encoding, whole=whole) <= _lost(samples, found.encoding, whole=whole)
    )
    evidence = f"as chosen; left to itself {found.encoding}: {found.evidence}"
    return Decision(
        encoding=encoding,
        evidence=evidence,
        doubt="" if agreed else f"it looks like {found.encoding}: {found.evidence}",
    )


def _lost(samples: Sequence[bytes], encoding: str, *, whole: bool) -> int:
    """How many sampled lines do not decode by an encoding; UTF-16 is judged by other means."""
    if encoding.startswith("utf-16"):
        return 0
    lines = [line for number, sample in enumerate(samples) for line in _lines(sample, begins=not number, whole=whole)]
    read = transcoding.utf8(io.BytesIO(b"\n".join(lines)), encoding).read()
    return sum(strictly(line, UTF8) is None for line in read.split(b"\n"))


def _samples(file: RawFile) -> tuple[list[bytes], bool]:
    """Bytes of a file's content from several places, at even offsets, or of a compressed stream from its beginning.

    With them comes whether they are all of it.
    """
    limit = _SAMPLES * _SAMPLE_BYTES
    with file.content() as stream:
        if file.compressed or file.size <= limit:
            data = read_some(stream, limit, file)
            return [data], len(data) < limit or not file.compressed
        samples = []
        for place in range(_SAMPLES):
            stream.seek(place * (file.size - _SAMPLE_BYTES) // (_SAMPLES - 1) & ~1)
            samples.append(read_some(stream, _SAMPLE_BYTES, file))
    return samples, False


def detected(samples: Sequence[bytes], script: Script, *, whole: bool) -> Decision:
    """The encoding of a file from `samples` of its content, the first of them its beginning, or the `whole` of it."""
    data = b"".join(samples)
    looked_at = f"of {len(data):,} bytes looked at"
    wide = _utf16(data)
    if wide is not None:
        how = "a byte order mark" if data.startswith(_MARKS[wide]) else "zero bytes in its places"
        return Decision(encoding=wide, evidence=f"{how}, {_told(commonness(decoded(data, wide)))} {looked_at}")
    if data.startswith(_MARKS[UTF8]):
        looked_at += ", and a byte order mark"
    lines = [line for number, sample in enumerate(samples) for line in _lines(sample, begins=not number, whole=whole)]
    bad = [line for line in lines if strictly(line, UTF8) is None]
    if not bad:
        return Decision(encoding=UTF8, evidence=f"all {looked_at}")
    foreign = [line for line in bad if utf8_share(line) < UTF8_SHARE]
    damaged = Decision(encoding=UTF8, evidence=f"all but {len(bad):,} of {len(lines):,} lines {looked_at}")
    good = sum(not line.isascii() for line in lines) - len(foreign)
    telling = sum(any(proven(line, name) for name in _LEGACY) for line in foreign)
    if len(foreign) <= good and telling < _ENOUGH:
        return damaged
    return _legacy(foreign, lines, script) or damaged


def text_head(head: bytes) -> bytes:
    """The first bytes of a file as a format is to see them: UTF-16 as UTF-8, for it has no ASCII."""
    wide = _utf16(head)
    return head if wide is None else decoded(head, wide).encode("utf-8", "surrogatepass")


def _lines(sample: bytes, *, begins: bool, whole: bool) -> list[bytes]:
    """The lines of a sample but those that it cuts; one without a line break, but for halves of characters."""
    lines = sample.split(b"\n")
    if whole:
        return lines[: count_lines(sample)]
    if len(lines) > 1:
        return lines[0 if begins else 1 : -1]
    return [_CUT_END.sub(b"", sample if begins else _CUT_BEGIN.sub(b"", sample))]


def _utf16(data: bytes) -> str | None:
    """Which UTF-16 this is, if it is: the one that a mark names or that makes more sense of it than UTF-8 does."""
    marked = [name for name, mark in _MARKS.items() if name != UTF8 and data.startswith(mark)]
    if not marked and b"\0" not in data:
        return None
    sense = {name: _sense(decoded(data, name).lstrip("\ufeff")) for name in marked or ("utf-16-le", "utf-16-be")}
    best = max(sense, key=sense.__getitem__)
    return best if sense[best] >= _PLAUSIBLE and sense[best] > _sense(decoded(data, UTF8)) else None


def _sense(text: str) -> float:
    """The share of all characters of a text that are common, or printable ASCII and line ends."""
    return sum(character in _ASCII or character in common() for character in text) / max(1, len(text))


def _legacy(foreign: Sequence[bytes], lines: Sequence[bytes], script: Script) -> Decision | None:
    """What the lines that are not UTF-8, of all that were sampled, say of their file; None where they are damage."""
    found = _gb_or_big5(foreign, script)
    if found is None:
        return None if len(lines) > 2 * len(foreign) else Decision(
            encoding=UTF8, evidence=f"{len(foreign):,} of {len(lines):,} lines are in no encoding known here",
            doubt=f"{len(foreign):,} of {len(lines):,} sampled lines are not UTF-8, nor GB18030, Big5 or UTF-16",
        )  # fmt: skip
    name, evidence = found
    doubt = _japanese(b"\n".join(foreign))
    of_utf8 = sum(is_utf8_line(line, name) for line in lines)
    if of_utf8 >= len(foreign):
        agreed = sum(proven(line, name) is not None for line in foreign)
        mixed = Decision(
            encoding=f"{UTF8}+{name}", evidence=f"{agreed:,} of {len(lines):,} lines: {evidence}", doubt=doubt
        )
        return mixed if agreed >= _ENOUGH else None
    if of_utf8:
        told = f"all but {of_utf8:,} of {len(lines):,} lines: {evidence}"
        return Decision(encoding=f"{name}+{UTF8}", evidence=told, doubt=doubt)
    return Decision(encoding=name, evidence=evidence, doubt=doubt)


def _japanese(data: bytes) -> str:
    """What of text in GB18030 or Big5 looks Japanese, if anything.

    EUC-JP has its kana where GB18030 has them, at bytes that are common characters in Big5.
    """
    shares = []
    for name in _LEGACY:
        telling = [character for character in decoded(data, name) if character > "\x7f"]
        kana = sum(map(_KANA.__contains__, telling))
        shares.append(kana / len(telling) if len(telling) > _FEW else 0.0)
    told = f"{max(shares):.0%} of the characters are kana in {_LEGACY[shares.index(max(shares))]}"
    return f"it may be Japanese (EUC-JP), {told}" if max(shares) > _MANY_KANA else ""


def _gb_or_big5(lines: Sequence[bytes], script: Script) -> tuple[str, str] | None:
    """GB18030 or Big5, and how that is known; None for lines that are in neither.

    The detector is asked of those that the likelier one decodes, since a single bad byte makes it rule one out.
    """
    try:
        import chardet
    except ImportError as error:
        raise ChatCorpusError("a file that is not UTF-8 needs chardet: python -m pip install 'chardet>=7.7'") from error
    data = b"\n".join(lines)
    shares = {name: commonness(decoded(data, name)) for name in _LEGACY}
    plausible = [name for name in _LEGACY if shares[name] >= _PLAUSIBLE]
    if not plausible:
        return None
    best = max(plausible, key=shares.__getitem__)
    asked = b"\n".join(line for line in lines if strictly(line, best) is not None) or data
    told = chardet.detect(
        asked, include_encodings=list(_LEGACY), no_match_encoding=best, compat_names=False, max_bytes=len(asked)
    )
    verdict = _NAMES.get(str(told["encoding"]), "neither")
    evidence = f"chardet says {verdict}"
    name = verdict if verdict in plausible and shares[verdict] > shares[best] - _MARGIN else best
    usual = _USUAL.get(script)
    if usual in plausible and len(data.translate(None, _BYTES_OF_ASCII)) <= 2 * _FEW and shares[usual] >= shares[name]:
        name, evidence = usual, f"{evidence} of a few characters, the source is {script}"
    return name, f"{evidence}, {_told(shares[name])} in {len(data):,} bytes of lines that are not UTF-8"


def _told(share: float) -> str:
    return f"{share:.1%} of the characters are common Chinese"
