"""Detect the encoding of a file from samples at several places, and confirm it by decoding them.

UTF-8, also with some damaged lines, is recognised without a detector. chardet decides between GB18030 and Big5, with
only these two as candidates; for a few characters, where it is wrong in up to one of ten cases, the script of the
source decides. UTF-16 without a byte order mark is recognised by its zero bytes.
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
from chat_corpus.messages import Message, message
from chat_corpus.schema import Script

#: Values of the setting: an encoding, an alias, a mixture, or `auto` for detection.
CHOICES = ("auto", *CODECS, "utf-16", *encodings.MIXTURES, *encodings.ALIASES)

_SAMPLES = 8
_SAMPLE_BYTES = 1 << 15
_MARKS = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff", UTF8: BOM}
_LEGACY = ("gb18030", "big5")
#: Our names of the encodings that chardet names.
_NAMES = {"gb18030": "gb18030", "big5hkscs": "big5"}
#: The usual encoding of a script besides Unicode.
_USUAL = {Script.HANS: "gb18030", Script.HANT: "big5", Script.TAIWAN: "big5"}
_ASCII = frozenset("\t\n\r") | {chr(code) for code in range(0x20, 0x7F)}
_BYTES_OF_ASCII = bytes(range(0x80))
#: Incomplete characters of UTF-8 at the end or the beginning of a sample.
_CUT_END = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{0,3}\Z")
_CUT_BEGIN = re.compile(rb"\A[\x80-\xbf]{1,3}")
#: Minimum number of lines in a second encoding; fewer are damage.
_ENOUGH = 5
#: Up to this many characters, the script of the source overrides the detector.
_FEW = 20
_KANA = frozenset(map(chr, (*range(0x3041, 0x3097), *range(0x30A1, 0x30FB))))
#: Text with a larger share of kana is not Chinese. Real samples have at most 0.003, or 0.17 if Big5 is decoded as
#: GB18030; Japanese dialogues have one half or more.
_MANY_KANA = 1 / 3
#: Text with a smaller share of common characters is not Chinese. Real samples of 1,000 characters have 0.98 or more,
#: noise 0.3, text decoded in the wrong encoding at most 0.6.
_PLAUSIBLE = 0.5
#: A verdict of the detector with a share of common characters that is lower by this margin is ignored.
_MARGIN = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The encoding of a file, and the evidence for it; `doubt` is a warning for the user, or empty."""

    encoding: str
    evidence: str
    doubt: str = ""


def choose_encoding(file: RawFile, script: Script, chosen: str = "auto") -> Decision:
    """Return the encoding of a file of a source in `script`: `chosen`, one of `CHOICES`, unless it is `auto`.

    Raises ChatCorpusError if the file cannot be read, or if chardet is needed but not installed.
    """
    if file.encoding == PARQUET:
        return Decision(
            encoding=PARQUET, evidence=message("its first and last bytes; each row is read as a line of JSON")
        )
    samples, whole = _samples(file)
    detection = detected(samples, script, whole=whole)
    if chosen == "auto":
        return detection
    encoding = encodings.ALIASES.get(chosen, chosen)
    if encoding == "utf-16":
        has_mark = samples[0].startswith(_MARKS["utf-16-be"])
        encoding = "utf-16-be" if has_mark else _utf16(b"".join(samples)) or "utf-16-le"
    agrees = detection.doubt or (
        set(encoding.split("+")) & set(detection.encoding.split("+"))
        and _lost(samples, encoding, whole=whole) <= _lost(samples, detection.encoding, whole=whole)
    )
    facts = {"encoding": detection.encoding, "evidence": detection.evidence}
    return Decision(
        encoding=encoding,
        evidence=message("as chosen; detection gives {encoding}: {evidence}", **facts),
        doubt="" if agrees else message("it looks like {encoding}: {evidence}", **facts),
    )


def _lost(samples: Sequence[bytes], encoding: str, *, whole: bool) -> int:
    """Return the number of sampled lines that do not decode in an encoding; 0 for UTF-16, which is not checked here."""
    if encoding.startswith("utf-16"):
        return 0
    lines = [line for number, sample in enumerate(samples) for line in _lines(sample, begins=not number, whole=whole)]
    read = transcoding.utf8(io.BytesIO(b"\n".join(lines)), encoding).read()
    return sum(strictly(line, UTF8) is None for line in read.split(b"\n"))


def _samples(file: RawFile) -> tuple[list[bytes], bool]:
    """Return samples from several places of a file, at even offsets, and whether they hold the whole content.

    A compressed stream is sampled at its beginning only.
    """
    limit = _SAMPLES * _SAMPLE_BYTES
    with file.content() as stream:
        if file.compressed or file.size <= limit:
            data = read_some(stream, limit, file)
            return [data], len(data) < limit or not file.compressed
        samples = []
        for index in range(_SAMPLES):
            stream.seek(index * (file.size - _SAMPLE_BYTES) // (_SAMPLES - 1) & ~1)
            samples.append(read_some(stream, _SAMPLE_BYTES, file))
    return samples, False


def detected(samples: Sequence[bytes], script: Script, *, whole: bool) -> Decision:
    """Return the encoding of a file from `samples` of its content; the first sample is the beginning of the file.

    `whole` means that the only sample is the whole content.
    """
    data = b"".join(samples)
    sampled = message("of {size:,} bytes looked at", size=len(data))
    wide = _utf16(data)
    if wide is not None:
        mark, zeros = message("a byte order mark"), message("zero bytes in its places")
        evidence = message(
            "{mark}, {share} {sampled}",
            mark=mark if data.startswith(_MARKS[wide]) else zeros,
            share=_common_share(commonness(decoded(data, wide))),
            sampled=sampled,
        )
        return Decision(encoding=wide, evidence=evidence)
    if data.startswith(_MARKS[UTF8]):
        sampled = message("{sampled}, and a byte order mark", sampled=sampled)
    lines = [line for number, sample in enumerate(samples) for line in _lines(sample, begins=not number, whole=whole)]
    is_utf8 = strictly(b"\n".join(lines), UTF8) is not None
    bad = [] if is_utf8 else [line for line in lines if strictly(line, UTF8) is None]
    if not bad:
        return Decision(encoding=UTF8, evidence=message("all {sampled}", sampled=sampled))
    others = [line for line in bad if utf8_share(line) < UTF8_SHARE]
    damage = message("all but {bad:,} of {lines:,} lines {sampled}", bad=len(bad), lines=len(lines), sampled=sampled)
    damaged = Decision(encoding=UTF8, evidence=damage)
    good = sum(not line.isascii() for line in lines) - len(others)
    certain = sum(any(proven(line, name) for name in _LEGACY) for line in others)
    if len(others) <= good and certain < _ENOUGH:
        return damaged
    return _legacy(others, lines, script) or damaged


def text_head(head: bytes) -> bytes:
    """Return the first bytes of a file, UTF-16 converted to UTF-8: formats expect ASCII characters as single bytes."""
    wide = _utf16(head)
    return head if wide is None else decoded(head, wide).encode("utf-8", "surrogatepass")


def _lines(sample: bytes, *, begins: bool, whole: bool) -> list[bytes]:
    """Return the complete lines of a sample; if it has no line break, the sample without incomplete characters."""
    lines = sample.split(b"\n")
    if whole:
        return lines[: count_lines(sample)]
    if len(lines) > 1:
        return lines[0 if begins else 1 : -1]
    return [_CUT_END.sub(b"", sample if begins else _CUT_BEGIN.sub(b"", sample))]


def _utf16(data: bytes) -> str | None:
    """Return the UTF-16 encoding of a byte order mark, or the one that fits better than UTF-8; None if none fits."""
    marked = [name for name, mark in _MARKS.items() if name != UTF8 and data.startswith(mark)]
    if not marked and b"\0" not in data:
        return None
    sense = {name: _sense(decoded(data, name).lstrip("\ufeff")) for name in marked or ("utf-16-le", "utf-16-be")}
    best = max(sense, key=sense.__getitem__)
    return best if sense[best] >= _PLAUSIBLE and sense[best] > _sense(decoded(data, UTF8)) else None


def _sense(text: str) -> float:
    """Return the share of characters of a text that are common, printable ASCII, or line ends."""
    return sum(character in _ASCII or character in common() for character in text) / max(1, len(text))


def _legacy(others: Sequence[bytes], lines: Sequence[bytes], script: Script) -> Decision | None:
    """Return the encoding of a file with the sampled `lines`, or None if it is damaged UTF-8.

    `others` are those of the lines that are not UTF-8.
    """
    verdict = _gb_or_big5(others, script)
    if verdict is None:
        return None if len(lines) > 2 * len(others) else _unknown(len(others), len(lines))
    name, evidence = verdict
    doubt = _japanese(b"\n".join(others))
    of_utf8 = sum(is_utf8_line(line, name) for line in lines)
    if of_utf8 >= len(others):
        certain = sum(proven(line, name) is not None for line in others)
        counted = message(
            "{count:,} of {lines:,} lines: {evidence}", count=certain, lines=len(lines), evidence=evidence
        )
        return Decision(encoding=f"{UTF8}+{name}", evidence=counted, doubt=doubt) if certain >= _ENOUGH else None
    if of_utf8:
        counted = message(
            "all but {count:,} of {lines:,} lines: {evidence}", count=of_utf8, lines=len(lines), evidence=evidence
        )
        return Decision(encoding=f"{name}+{UTF8}", evidence=counted, doubt=doubt)
    return Decision(encoding=name, evidence=evidence, doubt=doubt)


def _unknown(count: int, lines: int) -> Decision:
    return Decision(
        encoding=UTF8,
        evidence=message("{count:,} of {lines:,} lines are in no known encoding", count=count, lines=lines),
        doubt=message(
            "{count:,} of {lines:,} sampled lines are not UTF-8, GB18030, Big5 or UTF-16", count=count, lines=lines
        ),
    )


def _japanese(data: bytes) -> str:
    """Return a warning if text in GB18030 or Big5 looks Japanese; otherwise empty.

    EUC-JP and GB18030 have kana at the same bytes, which are common characters in Big5.
    """
    shares = []
    for name in _LEGACY:
        characters = [character for character in decoded(data, name) if character > "\x7f"]
        kana = sum(map(_KANA.__contains__, characters))
        shares.append(kana / len(characters) if len(characters) > _FEW else 0.0)
    share = max(shares)
    if share <= _MANY_KANA:
        return ""
    return message(
        "it may be Japanese (EUC-JP): {share:.0%} of the characters are kana in {encoding}",
        share=share,
        encoding=_LEGACY[shares.index(share)],
    )


def _gb_or_big5(lines: Sequence[bytes], script: Script) -> tuple[str, str] | None:
    """Return GB18030 or Big5, and the evidence for it; None for lines that are in neither.

    The detector gets only the lines that the likelier encoding decodes, since it excludes an encoding at the first
    invalid byte.
    """
    try:
        import chardet
    except ImportError as error:
        fault = message("a file that is not UTF-8 needs chardet: run python -m pip install 'chardet>=7.7'")
        raise ChatCorpusError(fault) from error
    data = b"\n".join(lines)
    shares = {name: commonness(decoded(data, name)) for name in _LEGACY}
    plausible = [name for name in _LEGACY if shares[name] >= _PLAUSIBLE]
    if not plausible:
        return None
    best = max(plausible, key=shares.__getitem__)
    valid = b"\n".join(line for line in lines if strictly(line, best) is not None) or data
    detection = chardet.detect(
        valid, include_encodings=list(_LEGACY), no_match_encoding=best, compat_names=False, max_bytes=len(valid)
    )
    verdict = _NAMES.get(str(detection["encoding"]), "neither")
    evidence = message("chardet says {encoding}", encoding=verdict)
    name = verdict if verdict in plausible and shares[verdict] > shares[best] - _MARGIN else best
    usual = _USUAL.get(script)
    if usual in plausible and len(data.translate(None, _BYTES_OF_ASCII)) <= 2 * _FEW and shares[usual] >= shares[name]:
        name = usual
        evidence = message(
            "chardet says {encoding} of a few characters, the source is {script}", encoding=verdict, script=str(script)
        )
    return name, message(
        "{evidence}, {share} in {size:,} bytes of lines that are not UTF-8",
        evidence=evidence,
        share=_common_share(shares[name]),
        size=len(data),
    )


def _common_share(share: float) -> Message:
    return message("{share:.1%} of the characters are common Chinese", share=share)
