r"""The filter of the `normalize` command: text steps, script conversion and masks, one line out for each line in.

Each line is written as soon as it was read. A line break that a step adds to a line is written as the two characters
``\n``. A line that is not UTF-8, too long, or nested too deep is written unchanged.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from io import BufferedReader
from queue import Queue
from typing import IO, BinaryIO

import polars as pl

from chat_corpus.cli.terminal import SafeBytes
from chat_corpus.files.lines import numbered_lines
from chat_corpus.messages import Message, count_noun, joined, message
from chat_corpus.pipeline import script
from chat_corpus.pipeline.filters.masking import hide_personal
from chat_corpus.pipeline.filters.options import FilterOptions
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.pipeline.text import normalizer
from chat_corpus.schema import Script, Segmentation, Traits
from chat_corpus.sources.base import Source
from chat_corpus.terms import script_name

#: Bytes to read at once (128 kB), and maximum number of such blocks that wait in the queue (2 MB).
_READ, _WAITING = 1 << 17, 16
#: Seconds between two attempts to read from a non-blocking stream.
_NAP = 0.01
#: Maximum length in bytes of a line that is cleaned. A run rejects longer turns too.
LONGEST = 1 << 20


class Fault(Enum):
    """The reason why a line is written unchanged."""

    NOT_UTF8 = auto()
    TOO_LONG = auto()
    NESTED = auto()


#: Text that --explain shows in place of a line that is not cleaned.
_UNREAD = {
    Fault.NOT_UTF8: message("(not in UTF-8, unchanged)"),
    Fault.TOO_LONG: message("(longer than 1 MiB, unchanged)"),
}
#: Maximum number of unchanged lines with a fault that are named.
_SHOWN = 5
#: Numbers of lines that were written unchanged, by fault.
Unchanged = dict[Fault, list[int]]
_BREAK = r"\r?\n|\r"
#: Traits of text without a source: the script is unknown, and the text has no markup of a platform.
_UNKNOWN = Traits(script=Script.MIXED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """The text steps, script conversion and masks for the text of one source, or for text without a source."""

    settings: SourceSettings
    traits: Traits

    @classmethod
    def of(cls, settings: SourceSettings, source: Source | None) -> Filter:
        """Return the filter for a source, or for text without a source.

        Text counts as segmented if all files of the source are, unless `read.segmentation` is set. A run decides file
        by file, but a single line is ambiguous: 好的/不好 may be two alternatives, or words with a separator.
        """
        traits = _UNKNOWN if source is None else source.traits
        chosen = settings.read.segmentation
        if chosen != "auto":
            traits = replace(traits, segmentation=Segmentation(chosen))
        elif source is not None and source.plain_editions:
            traits = replace(traits, segmentation=Segmentation.NONE)
        return cls(settings=settings, traits=traits)

    def texts(self, texts: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Return the cleaned texts, and a mask of the texts that are nested too deep, which stay unchanged."""
        clean = normalizer.normalize_and_flag(texts.rename("text"), self.settings.text, self.traits)
        converted = script.load(self.settings.script).convert(clean["text"], declared=self.traits.script)["text"]
        converted = hide_personal(converted, self.settings.filters)
        unsettled = clean["unsettled"]
        return (converted.zip_with(~unsettled, texts) if unsettled.any() else converted), unsettled

    def lines(self, data: bytes, first: int) -> tuple[bytes, Unchanged]:
        """Return the cleaned lines of `data`, and the numbers of unchanged lines by fault.

        `data` has whole lines, and the number of the first one is `first`.
        """
        lines = numbered_lines(data, first)
        text = lines["text"]
        long = text.str.len_bytes().fill_null(0) > LONGEST
        clean, unsettled = self.texts(text.set(long, None) if long.any() else text)
        clean = clean.str.replace_all(_BREAK, r"\n")
        clean = clean.zip_with(~long, text) if long.any() else clean
        raw = zip(clean, lines["bytes"], strict=True) if text.null_count() else ((line, None) for line in clean)
        unchanged = {
            Fault.NOT_UTF8: lines["record"].filter(text.is_null()).to_list(),
            Fault.TOO_LONG: lines["record"].filter(long).to_list(),
            Fault.NESTED: lines["record"].filter(unsettled).to_list(),
        }
        return b"".join(
            (line.encode() if undecoded is None else undecoded) + b"\n" for line, undecoded in raw
        ), unchanged

    def explained(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield (step, result) for each step that changes a text, and last for conversion and masks."""
        changes = normalizer.explain(text, self.settings.text, self.traits)
        yield from ((change.step, change.after) for change in changes)
        clean = changes[-1].after if changes else text
        if changes and changes[-1].step == normalizer.UNSETTLED:
            return
        frame = script.load(self.settings.script).convert(pl.Series("text", [clean]), declared=self.traits.script)
        converted, recognised = frame.row(0)
        if converted != clean:
            yield message("conversion ({script})", script=script_name(recognised)), converted
        masked = hide_personal(pl.Series([converted]), self.settings.filters).item()
        if masked != converted:
            yield message("masking"), masked


def whole_lines(stream: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Yield (block, long): the lines of a stream in blocks, as soon as they arrive.

    A block has all whole lines that arrived while the previous block was processed: single lines from a person, many
    from a file. The last line may lack its line break. If `long` is true, the block is a piece of a line longer than
    `LONGEST`; such a line is never in memory as a whole.
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
    # Unbuffered if possible: if the thread still holds the lock of the buffer at exit, Python aborts.
    source = stream.raw if isinstance(stream, BufferedReader) else stream
    arrived: Queue[bytes | BaseException] = Queue(_WAITING)

    def read() -> None:
        try:
            while (block := source.read(_READ)) != b"":
                if block is None:  # a non-blocking stream has nothing yet
                    time.sleep(_NAP)
                else:
                    arrived.put(block)
            arrived.put(b"")
        except BaseException as error:  # noqa: BLE001 raised again by the reader of the queue
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


def without_effect(filters: FilterOptions) -> list[str]:
    """Return the names of settings of filters that would drop something and that differ from the default.

    >>> without_effect(FilterOptions(phone="mask", qq="drop", min_chars=2))
    ['filters.min_chars', 'filters.qq']
    """
    default = FilterOptions()
    changed = [name for name in filters.__struct_fields__ if getattr(filters, name) != getattr(default, name)]
    return [f"filters.{name}" for name in changed if name not in filters.kinds("mask")]


def run(filter_: Filter, stream: BinaryIO, out: IO[bytes] | SafeBytes) -> Unchanged:
    """Clean a stream to its end, and write it to `out`. Return the numbers of unchanged lines by fault."""
    first, unchanged = 1, Unchanged()
    for block, long in whole_lines(stream):
        if long:
            out.write(block)
            first = _passed(block, first, unchanged)
        else:
            lines, more = filter_.lines(block, first)
            out.write(lines)
            _add(unchanged, more)
            first += lines.count(b"\n")
        out.flush()
    return unchanged


def explain(filter_: Filter, stream: BinaryIO, unchanged: Unchanged) -> Iterator[str]:
    """Yield the lines of `--explain`: for each line of a stream, its number and text, then each step and its result.

    Adds the numbers of unchanged lines to `unchanged`.
    """
    first = 1
    for block, long in whole_lines(stream):
        if long:
            if first not in unchanged.get(Fault.TOO_LONG, []):
                yield message("{line}\t{text}", line=first, text=_UNREAD[Fault.TOO_LONG])
            first = _passed(block, first, unchanged)
            continue
        lines = numbered_lines(block, first)
        for line, text in lines.select("record", "text").iter_rows():
            yield from _explained(filter_, line, text, unchanged)
        first += len(lines)


def _explained(filter_: Filter, line: int, text: str | None, unchanged: Unchanged) -> Iterator[str]:
    fault = Fault.NOT_UTF8 if text is None else Fault.TOO_LONG if len(text.encode()) > LONGEST else None
    if text is None or fault is not None:
        fault = fault or Fault.NOT_UTF8
        _add(unchanged, {fault: [line]})
        yield message("{line}\t{text}", line=line, text=_UNREAD[fault])
        return
    yield f"{line}\t{text}"
    for step, after in filter_.explained(text):
        if step == normalizer.UNSETTLED:
            _add(unchanged, {Fault.NESTED: [line]})
        yield message("\t{step}\t{text}", step=step, text=re.sub(_BREAK, r"\\n", after))


def _passed(piece: bytes, line: int, unchanged: Unchanged) -> int:
    """Add the line of a piece that is too long to `unchanged`. Return the number of the line after the piece."""
    if line not in unchanged.get(Fault.TOO_LONG, []):
        _add(unchanged, {Fault.TOO_LONG: [line]})
    return line + piece.endswith(b"\n")


def _add(unchanged: Unchanged, more: Unchanged) -> None:
    for fault, lines in more.items():
        if lines:
            unchanged.setdefault(fault, []).extend(lines)


def described(unchanged: Unchanged) -> Message:
    """Return a message with the numbers of the unchanged lines by fault; empty if there are none.

    >>> described({Fault.NOT_UTF8: [2, 4]})
    '2 lines not in UTF-8, written unchanged: 2, 4'
    """
    return joined("; ", (_described(fault, lines) for fault, lines in unchanged.items()))


def _described(fault: Fault, lines: list[int]) -> Message:
    count = count_noun(len(lines), "line")
    numbers = ", ".join(map(str, lines[:_SHOWN])) + (", …" if len(lines) > _SHOWN else "")
    match fault:
        case Fault.NOT_UTF8:
            return message("{lines} not in UTF-8, written unchanged: {numbers}", lines=count, numbers=numbers)
        case Fault.TOO_LONG:
            return message("{lines} longer than 1 MiB, written unchanged: {numbers}", lines=count, numbers=numbers)
    return message("{lines} with markup nested too deep, written unchanged: {numbers}", lines=count, numbers=numbers)
