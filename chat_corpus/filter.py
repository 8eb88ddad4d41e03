r"""The `normalize` verb: text steps and script conversion as a filter, one line in, one line out.

Lines go out as they come in, without waiting for the end of the input. A line break that a step puts into a line is
written as the two characters ``\n``. A line that is not UTF-8 goes out as it came.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BufferedReader
from queue import Queue
from typing import IO, BinaryIO

import polars as pl

from chat_corpus import script
from chat_corpus.lines import numbered_lines
from chat_corpus.schema import Script, Segmentation, Traits
from chat_corpus.settings import SourceSettings
from chat_corpus.source import Source
from chat_corpus.terminal import SafeBytes
from chat_corpus.text import steps

#: Bytes to read at once, and how many such blocks may wait: together a megabyte or two.
_READ, _WAITING = 1 << 17, 16
_BREAK = r"\r?\n|\r"
#: What a line of text of one's own is taken for: nothing is known of its script, and it has no platform's markup.
_OWN = Traits(script=Script.MIXED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """The steps and the conversion as one source, or text of one's own, gets them."""

    settings: SourceSettings
    traits: Traits

    @classmethod
    def of(cls, settings: SourceSettings, source: Source | None) -> Filter:
        """The filter of a source.

        Its text counts as segmented where all of its files are; the settings may say otherwise. A run looks at each
        file, but a line alone does not tell: 好的/不好 is a choice of two as well as three words.
        """
        traits = _OWN if source is None else source.traits
        chosen = settings.read.segmentation
        if chosen != "auto":
            traits = replace(traits, segmentation=Segmentation(chosen))
        elif source is not None and source.plain_editions:
            traits = replace(traits, segmentation=Segmentation.NONE)
        return cls(settings=settings, traits=traits)

    def texts(self, texts: pl.Series) -> pl.DataFrame:
        """`text` and `script` of each text, as `script.Converter.convert` returns them."""
        clean = steps.normalize(texts, self.settings.text, self.traits)
        return script.load(self.settings.script).convert(clean, declared=self.traits.script)

    def lines(self, data: bytes, first: int) -> tuple[bytes, list[int]]:
        """Whole lines, filtered; and the numbers, counted from `first`, of those that are not UTF-8."""
        lines = numbered_lines(data, first)
        text = self.texts(lines["text"])["text"].str.replace_all(_BREAK, r"\n")
        bad = lines.filter(pl.col("text").is_null())["line"].to_list()
        raw = zip(text, lines["bytes"], strict=True) if bad else ((line, None) for line in text)
        return b"".join((line.encode() if kept is None else kept) + b"\n" for line, kept in raw), bad

    def explained(self, text: str) -> Iterator[tuple[str, str]]:
        """Each step that changes a text, and what to; last the conversion, with the script that the text is in."""
        changes = steps.explain(text, self.settings.text, self.traits)
        yield from ((change.step, change.after) for change in changes)
        clean = changes[-1].after if changes else text
        told = script.load(self.settings.script).convert(pl.Series("text", [clean]), declared=self.traits.script)
        converted, found = told.row(0)
        if converted != clean:
            yield f"conversion ({found})", converted


def whole_lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of a stream in blocks, as soon as they are there; the last one may lack its line break.

    A block is all that came while the one before was worked on: single lines when they come singly, many from a file.
    """
    rest = b""
    for block in _arrivals(stream):
        lines, found, tail = block.rpartition(b"\n")
        if found:
            yield rest + lines + found
            rest = tail
        else:
            rest += tail
    if rest:
        yield rest


def _arrivals(stream: BinaryIO) -> Iterator[bytes]:
    # Unbuffered where it can be: a lock on the buffer that the thread still held would spoil the end of the program.
    source = stream.raw if isinstance(stream, BufferedReader) else stream
    arrived: Queue[bytes | BaseException] = Queue(_WAITING)

    def read() -> None:
        try:
            while block := source.read(_READ):
                arrived.put(block)
            arrived.put(b"")
        except BaseException as error:  # noqa: BLE001 whatever it is, it belongs to the reader of the queue
            arrived.put(error)

    threading.Thread(target=read, daemon=True).start()
    while True:
        blocks = [arrived.get()]
        while blocks[-1] and len(blocks) <= _WAITING and not arrived.empty():
            blocks.append(arrived.get())
        last = blocks[-1]
        yield b"".join(block for block in blocks if isinstance(block, bytes))
        if isinstance(last, BaseException):
            raise last
        if not last:
            break


def run(told: Filter, stream: BinaryIO, out: IO[bytes] | SafeBytes) -> list[int]:
    """Filter a stream to its end; returns the numbers of the lines that are not UTF-8 and went out unchanged."""
    first, bad = 1, []
    for block in whole_lines(stream):
        lines, odd = told.lines(block, first)
        out.write(lines)
        out.flush()
        bad += odd
        first += lines.count(b"\n")
    return bad


def explain(told: Filter, stream: BinaryIO, bad: list[int]) -> Iterator[str]:
    """For each line of a stream its number and text, and below it each step that changes it, and what to.

    Adds the numbers of lines that are not UTF-8 to `bad`.
    """
    first = 1
    for block in whole_lines(stream):
        lines = numbered_lines(block, first)
        for line, text in lines.select("line", "text").iter_rows():
            if text is None:
                bad.append(line)
            yield f"{line}\t{'(not UTF-8, unchanged)' if text is None else text}"
            for step, after in told.explained(text) if text is not None else ():
                one_line = re.sub(_BREAK, r"\\n", after)
                yield f"\t{step}\t{one_line}"
        first += len(lines)
