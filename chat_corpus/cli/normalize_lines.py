r"""The `normalize` verb: text steps and script conversion as a filter, one line in, one line out.

Lines go out as they come in, without waiting for the end of the input. A line break that a step puts into a line is
written as the two characters ``\n``. A line that is not UTF-8, or too long, goes out as it came.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BufferedReader
from queue import Queue
from typing import IO, BinaryIO

import polars as pl

from chat_corpus.cli.terminal import SafeBytes
from chat_corpus.files.lines import numbered_lines
from chat_corpus.messages import count_noun
from chat_corpus.pipeline import script
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.pipeline.text import normalizer
from chat_corpus.schema import Script, Segmentation, Traits
from chat_corpus.sources.base import Source

#: Bytes to read at once, and how many such blocks may wait: together a megabyte or two.
_READ, _WAITING = 1 << 17, 16
#: Seconds between two looks at a stream that does not wait.
_NAP = 0.01
#: A longer line, in bytes, goes out as it came: no turn that a run would keep is as long.
LONGEST = 1 << 20
#: Why a line went out unchanged.
NOT_UTF8, TOO_LONG, NESTED = "not in UTF-8", "longer than 1 MiB", "with markup nested too deep"
#: So many of such lines are named.
_SHOWN = 5
#: Numbers of lines that went out unchanged, by why.
Unchanged = dict[str, list[int]]
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

    def texts(self, texts: pl.Series) -> tuple[pl.Series, pl.Series]:
        """The texts, filtered, and a mask of those that the text steps cannot settle, which stay as they are."""
        clean = normalizer.normalize_and_flag(texts.rename("text"), self.settings.text, self.traits)
        converted = script.load(self.settings.script).convert(clean["text"], declared=self.traits.script)["text"]
        unsettled = clean["unsettled"]
        return (converted.zip_with(~unsettled, texts) if unsettled.any() else converted), unsettled

    def lines(self, data: bytes, first: int) -> tuple[bytes, Unchanged]:
        """Whole lines, filtered; and the numbers, counted from `first`, of those that went out as they came, by why."""
        lines = numbered_lines(data, first)
        text = lines["text"]
        long = text.str.len_bytes().fill_null(0) > LONGEST
        clean, unsettled = self.texts(text.set(long, None) if long.any() else text)
        clean = clean.str.replace_all(_BREAK, r"\n")
        clean = clean.zip_with(~long, text) if long.any() else clean
        raw = zip(clean, lines["bytes"], strict=True) if text.null_count() else ((line, None) for line in clean)
        unchanged = {
            NOT_UTF8: lines["record"].filter(text.is_null()).to_list(),
            TOO_LONG: lines["record"].filter(long).to_list(),
            NESTED: lines["record"].filter(unsettled).to_list(),
        }
        return b"".join((line.encode() if kept is None else kept) + b"\n" for line, kept in raw), unchanged

    def explained(self, text: str) -> Iterator[tuple[str, str]]:
        """Each step that changes a text, and what to; last the conversion, with the script that the text is in."""
        changes = normalizer.explain(text, self.settings.text, self.traits)
        yield from ((change.step, change.after) for change in changes)
        clean = changes[-1].after if changes else text
        if changes and changes[-1].step == normalizer.UNSETTLED:
            return
        told = script.load(self.settings.script).convert(pl.Series("text", [clean]), declared=self.traits.script)
        converted, found = told.row(0)
        if converted != clean:
            yield f"conversion ({found})", converted


def whole_lines(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """The lines of a stream in blocks, as soon as they are there; the last one may lack its line break.

    A block is all that came while the one before was worked on: single lines when they come singly, many from a file.
    With True, it is a piece of a line longer than `LONGEST`, which is never held as a whole.
    """
    rest, within = b"", False
    for arrived in _arrivals(stream):
        block = arrived
        if within:
            end, found, block = block.partition(b"\n")
            yield end + found, True
            within = not found
        lines, found, tail = block.rpartition(b"\n")
        if found:
            yield rest + lines + found, False
            rest = tail
        else:
            rest += tail
        if len(rest) > LONGEST:
            yield rest, True
            rest, within = b"", True
    if rest:
        yield rest, False


def _arrivals(stream: BinaryIO) -> Iterator[bytes]:
    # Unbuffered where it can be: a lock on the buffer that the thread still held would spoil the end of the program.
    source = stream.raw if isinstance(stream, BufferedReader) else stream
    arrived: Queue[bytes | BaseException] = Queue(_WAITING)

    def read() -> None:
        try:
            while (block := source.read(_READ)) != b"":
                if block is None:  # a stream that does not wait has nothing yet
                    time.sleep(_NAP)
                else:
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


def run(told: Filter, stream: BinaryIO, out: IO[bytes] | SafeBytes) -> Unchanged:
    """Filter a stream to its end; returns the numbers of the lines that went out unchanged, by why."""
    first, unchanged = 1, Unchanged()
    for block, long in whole_lines(stream):
        if long:
            out.write(block)
            first = _passed(block, first, unchanged)
        else:
            lines, odd = told.lines(block, first)
            out.write(lines)
            _add(unchanged, odd)
            first += lines.count(b"\n")
        out.flush()
    return unchanged


def explain(told: Filter, stream: BinaryIO, unchanged: Unchanged) -> Iterator[str]:
    """For each line of a stream its number and text, and below it each step that changes it, and what to.

    Adds the numbers of lines that are left as they are to `unchanged`.
    """
    first = 1
    for block, long in whole_lines(stream):
        if long:
            if first not in unchanged.get(TOO_LONG, []):
                yield f"{first}\t({TOO_LONG}, unchanged)"
            first = _passed(block, first, unchanged)
            continue
        lines = numbered_lines(block, first)
        for line, text in lines.select("record", "text").iter_rows():
            why = NOT_UTF8 if text is None else TOO_LONG if len(text.encode()) > LONGEST else None
            yield f"{line}\t{text if why is None else f'({why}, unchanged)'}"
            if why is not None:
                _add(unchanged, {why: [line]})
                continue
            for step, after in told.explained(text):
                if step == normalizer.UNSETTLED:
                    _add(unchanged, {NESTED: [line]})
                yield f"\t{step}\t{_joined(after)}"
        first += len(lines)


def _joined(text: str) -> str:
    return re.sub(_BREAK, r"\\n", text)


def _passed(piece: bytes, line: int, unchanged: Unchanged) -> int:
    """Note a piece of a line that is too long; the number of the line that what follows is in."""
    if line not in unchanged.get(TOO_LONG, []):
        _add(unchanged, {TOO_LONG: [line]})
    return line + piece.endswith(b"\n")


def _add(unchanged: Unchanged, more: Unchanged) -> None:
    for why, lines in more.items():
        if lines:
            unchanged.setdefault(why, []).extend(lines)


def in_words(unchanged: Unchanged) -> str:
    """Which lines went out unchanged, and why; empty if none did.

    >>> in_words({NOT_UTF8: [2, 4]})
    '2 lines not in UTF-8 went out unchanged: 2, 4'
    """
    parts = []
    for why, lines in unchanged.items():
        first = ", ".join(map(str, lines[:_SHOWN])) + (", …" if len(lines) > _SHOWN else "")
        parts.append(f"{count_noun(len(lines), 'line')} {why} went out unchanged: {first}")
    return "; ".join(parts)
