"""Mutants: excerpts of corpora with the damage that files come to, each determined by a seed and a number alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.files.compression import content_name

#: An excerpt is at most so long: damage is found by many mutants rather than by long ones.
_EXCERPT = 3000
_STRUCTURE = [b"\t", b'"', b'""', b",", b" | ", b"\nE\n", b"\nM ", b"E", b"\n", b"\r", b"\r\n", b"\n\n\n", b" +++$+++ "]
_STRUCTURE += [
    b"[",
    b"]",
    b"{",
    b"}",
    b'{"',
    b'":',
    b"\\",
    b"<message>",
    b"</message>",
    b"<text>",
    b"<!--",
    b"<![CDATA[",
]
_STRUCTURE += [
    b"&",
    b"&a;",
    b"&#0;",
    b"&lt;",
    b"- ",
    b"- - ",
    b"    ",
    b": ",
    b"#",
    b"*a",
    b"&a ",
    b"|\n",
    b"'",
    b"!!binary ",
]
_STRUCTURE += [b"conversations:\n", b"categories:\n", b"0\t", b"1\t", b"1 +++$+++ ", b"[1, 1]", b"question,answer\n"]
_ODD = [
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    b"\xf5\x80\x80\x80",
    b"\xe4\xbd",
    b"\x80",
    b"\x1b[2J",
]
_ODD += [
    "\u2028".encode(),
    "\x85".encode(),
    "\u202e".encode(),
    "\ufffd".encode() * 3,
    "\u200b".encode(),
    b"\v",
    b"\f",
    b"\x1c",
]
_ODD += [
    b"\\ud800",
    b"\\u0000",
    b"1e999",
    b"9" * 40,
    "//@甲:".encode(),
    "回复 甲 ：".encode(),
    "沒有資料".encode(),
    b"=1+1",
]

Contents = tuple[bytes, ...]
_Damage = Callable[[Random, bytes, bytes], bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Files of a source that are read together: their names under the raw folder, and what they hold."""

    source: str
    names: tuple[str, ...]
    contents: Contents


@dataclass(frozen=True, kw_only=True, slots=True)
class Mutant:
    """A damaged sample, with the settings to read it with, and the size of its small shards."""

    number: int
    sample: Sample
    contents: Contents
    options: dict[str, Any]
    shard_bytes: int


def samples(*folders: Path) -> list[Sample]:
    """Return the samples that discovery finds in some raw folders."""
    found = []
    for folder in folders:
        for name, one in discover_sources(folder, sources.load()).items():
            for group in one.groups:
                contents = []
                for file in group.files:
                    with file.open() as stream:
                        contents.append(stream.read(1 << 20))
                names = tuple(content_name(file.name) for file in group.files)
                found.append(Sample(source=name, names=names, contents=tuple(contents)))
    return found


def mutant(samples: Sequence[Sample], seed: int, number: int) -> Mutant:
    """The mutant of this number; of the same samples, always the same."""
    random = Random(f"{seed}:{number}")
    sample = random.choice(samples)
    contents = [_excerpt(random, content) for content in sample.contents]
    other = _excerpt(random, random.choice(random.choice(samples).contents))
    for _ in range(random.choice((1, 1, 2, 3, 6))):
        part = random.randrange(len(contents))
        contents[part] = random.choice(_DAMAGES)(random, contents[part], other)
    if len(contents) > 1 and random.random() < 0.2:
        contents = _swapped_lines(random, contents)
    return Mutant(
        number=number,
        sample=sample,
        contents=tuple(contents),
        options=_options(random),
        shard_bytes=random.choice((max(map(len, contents)) // 3 + 1, 400, 64)),
    )


def _options(random: Random) -> dict[str, Any]:
    """Settings: mostly the defaults, and parallel files of unequal length are read."""
    read: dict[str, Any] = {"unequal_lengths": random.choice(("common", "common", "error"))}
    if random.random() < 0.2:
        read["limit"] = random.randrange(1, 30)
    if random.random() < 0.2:
        read["reposts"] = "dialogue"
    return {"read": read, "pairs": {"mode": random.choice(("source", "source", "adjacent", "exchange", "first"))}}


def _excerpt(random: Random, content: bytes) -> bytes:
    if len(content) <= _EXCERPT:
        return content
    start = random.choice((0, content.rfind(b"\n", 0, random.randrange(len(content) - _EXCERPT)) + 1))
    return content[start : start + random.randrange(_EXCERPT)]


def _span(random: Random, content: bytes, longest: int) -> tuple[int, int]:
    start = random.randrange(len(content) + 1)
    return start, min(len(content), start + random.randrange(1, longest))


def _block(random: Random, content: bytes) -> bytes:
    start, stop = _span(random, content, 200)
    return content[start:stop]


def _at(random: Random, content: bytes, piece: bytes) -> bytes:
    """A piece put in anywhere, or where a line begins or ends."""
    at = random.randrange(len(content) + 1)
    if random.random() < 0.5:
        at = content.rfind(b"\n", 0, at) + random.choice((0, 1))
    return content[: max(at, 0)] + piece + content[max(at, 0) :]


def _flipped(random: Random, content: bytes, _: bytes) -> bytes:
    flipped = bytearray(content)
    for _turn in range(random.randrange(1, 6) if content else 0):
        flipped[random.randrange(len(flipped))] = random.randrange(256)
    return bytes(flipped)


def _deleted(random: Random, content: bytes, _: bytes) -> bytes:
    start, stop = _span(random, content, random.choice((3, 100)))
    return content[:start] + content[stop:]


def _replaced(random: Random, content: bytes, _: bytes) -> bytes:
    """All of one non_turns mark as another, or none."""
    return content.replace(random.choice(_STRUCTURE), random.choice((*_STRUCTURE, b"")))


def _swapped(random: Random, content: bytes, _: bytes) -> bytes:
    lines = content.split(b"\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def _doubled(random: Random, content: bytes, _: bytes) -> bytes:
    start, stop = _span(random, content, 500)
    return content[:stop] + content[start:stop] * random.choice((1, 1, 2, 5)) + content[stop:]


def _spliced(random: Random, content: bytes, other: bytes) -> bytes:
    return content[: random.randrange(len(content) + 1)] + other[random.randrange(len(other) + 1) :]


_DAMAGES: tuple[_Damage, ...] = (
    _flipped,
    _deleted,
    _replaced,
    _swapped,
    _doubled,
    _spliced,
    lambda random, content, _: _at(random, content, random.choice(_STRUCTURE)),
    lambda random, content, _: _at(random, content, random.choice(_STRUCTURE) * random.randrange(2, 150)),
    lambda random, content, _: _at(random, content, random.choice(_ODD)),
    lambda random, content, _: _at(random, content, random.randbytes(random.randrange(1, 20))),
    lambda random, content, other: _at(random, content, _block(random, other)),
    lambda random, content, _: content[: random.randrange(len(content) + 1)],
    lambda random, content, _: content[random.randrange(len(content) + 1) :],
)


def _swapped_lines(random: Random, contents: list[bytes]) -> list[bytes]:
    """Two parallel files with some of their lines changed places, or with one in the place of the other."""
    if random.random() < 0.3:
        return contents[::-1]
    left, right = (content.split(b"\n") for content in contents)
    for row in range(min(len(left), len(right))):
        if random.random() < 0.3:
            left[row], right[row] = right[row], left[row]
    return [b"\n".join(left), b"\n".join(right)]
