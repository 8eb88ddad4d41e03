"""Inputs of a given size, made by repeating raw files in their layout."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.discovery.model import DiscoveredSource

#: Sources with files that cannot be repeated end to end; they are measured at the size they have, and a blank line.
WHOLE = frozenset({"chatterbot", "egret"})
_PAIR = {
    ".csv": re.compile(rb'("(?:[^"]|"")*"|[^,"]*)(,.*)', re.DOTALL),
    ".txt": re.compile(rb"([^\t]*)(\t.*)", re.DOTALL),
}
_NUMERALS = str.maketrans("0123456789", "零一二三四五六七八九")


def build(raw: Path, target: Path, names: list[str], megabytes: float) -> dict[str, int]:
    """Copy the files of the sources `names` from `raw` to `target`, repeated to about `megabytes` a source.

    Returns the bytes of each source. A file without a last line break gets one before it is repeated. Where a source
    removes duplicate pairs, plain repetition would leave nothing but duplicates: there each copy is `_varied`.
    """
    sizes = {}
    for name, found in discover_sources(raw, sources.load()).items():
        if found.groups and (not names or name in names):
            sizes[name] = _repeat(found, target, 1 if name in WHOLE else megabytes * 1e6)
    return sizes


def _repeat(found: DiscoveredSource, target: Path, wanted: float) -> int:
    contents = {}
    for file in found.files:
        with file.open() as stream:
            data = stream.read()
        contents[file.name.replace(".zip/", "/")] = data if data.endswith(b"\n") else data + b"\n"
    times = max(1, round(wanted / sum(map(len, contents.values()))))
    size = 0
    for name, data in contents.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            for copy in _varied(data, path.suffix, times) if found.source.overlapping else (data for _ in range(times)):
                stream.write(copy)
            # Even a file that is not repeated must not be recognised as a bundled sample, which real files replace.
            stream.write(b"\n" if times == 1 else b"")
        size += path.stat().st_size
    return size


def _varied(data: bytes, suffix: str, times: int) -> Iterator[bytes]:
    """Repetitions of lines of a query and an answer that differ in their pairs, but not in layout, script or length.

    The nth gives each query the answer n lines on, n from 0. When every answer has been through, the queries also get
    the number of the round in Han numerals. Only the first copy has a header.
    """
    lines = data.splitlines(keepends=True)
    found = [match for line in lines if (match := _PAIR[suffix].fullmatch(line))]
    yield data
    body = found[1:] if suffix == ".csv" else found
    queries, answers = [match[1] for match in body], [match[2] for match in body]
    for number in range(1, times):
        rounds, shift = divmod(number, len(body))
        mark = str(rounds).translate(_NUMERALS).encode() if rounds else b""
        end = b'"' if mark else b""
        shifted = answers[shift:] + answers[:shift]
        marked = (
            (query.removesuffix(end) + mark + end if end and query.endswith(end) else query + mark) for query in queries
        )
        yield b"".join(query + answer for query, answer in zip(marked, shifted, strict=True))
