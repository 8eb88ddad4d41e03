"""What a process needs of its system: streams that can be written, of which stdout is for results; signals; memory."""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import io
import os
import signal
import sys
from collections.abc import Iterator
from io import TextIOWrapper
from types import FrameType
from typing import TextIO

from chat_corpus.errors import ChatCorpusError

#: Standard streams that were closed or missing when the program began: of `stdin`, `stdout`, `stderr`.
missing: set[str] = set()


#: Measured: with 1.0 GB, workers died of shards of 5 MB; most of it is reserved, and never used.
_ADDRESS_SPACE = 1_500_000_000


def _known(*names: str) -> list[signal.Signals]:
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


#: Signals that end the program as Ctrl-C does: it is asked to, its terminal is closed, or what Windows has of both.
_STOPS = _known("SIGTERM", "SIGHUP", "SIGBREAK")
#: Signals that a terminal sends to all processes of a run.
_OF_KEYBOARD = _known("SIGINT", "SIGHUP", "SIGBREAK")


class Terminated(KeyboardInterrupt):
    """One of the signals came that end the program as Ctrl-C does, with another exit code."""

    @property
    def exit_code(self) -> int:
        """The exit code that shells give a program which that signal has ended."""
        return 128 + int(self.args[0])


class _Closed(io.TextIOBase):
    """A stdout that nobody has opened: whatever is to be written there, text or bytes, is an OSError."""

    @property
    def buffer(self) -> _Closed:
        """Itself."""
        return self

    def write(self, _: object) -> int:
        """Raise OSError."""
        raise OSError(errno.EBADF, "closed, and there is something to be written to it", "<stdout>")


def prepare() -> None:
    """Give each standard stream a file, and make it wait.

    A supervisor, `2>&-` or pythonw.exe may start the program without some of them: `sys.stderr` is None then, and the
    next file that is opened would get the number of the closed one, and with it what others write there. What would be
    said on stderr goes nowhere; to write a result to stdout is an OSError. A stream that its owner made non-blocking (a
    pipe of Node.js or of an event loop) would lose what does not fit at once.
    """
    missing.clear()
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        stream = getattr(sys, name)
        if stream is None or getattr(stream, "closed", False):
            missing.add(name)
            _reserve(number)
            null = open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123, SIM115 for the whole program
            setattr(sys, name, _Closed() if name == "stdout" else null)
        else:
            with contextlib.suppress(OSError, ValueError, AttributeError):
                os.set_blocking(stream.fileno(), True)
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, TextIOWrapper):  # a console that lacks a character gets an escape
            output.reconfigure(errors="backslashreplace")


def _reserve(number: int) -> None:
    """Open the null device under the number of a closed standard stream."""
    try:
        os.fstat(number)
    except OSError:
        null = os.open(os.devnull, os.O_RDWR)
        if null != number:
            with contextlib.suppress(OSError):
                os.dup2(null, number)
            os.close(null)


#: Where results go, and the file number that this has meanwhile, if it is one: while prints go to stderr.
_results: list[tuple[TextIO, int | None]] = []


@contextlib.contextmanager
def prints_to_stderr() -> Iterator[None]:
    """Keep stdout for `results`: what is printed inside by others, a plugin or a program that it starts, is talk."""
    out = sys.stdout
    kept = _diverted(out)
    _results.append((out, kept))
    sys.stdout = sys.stderr
    try:
        yield
    finally:
        sys.stdout = out
        _results.pop()
        if kept is not None:
            os.dup2(kept, 1)
            os.close(kept)


def _diverted(out: TextIO) -> int | None:
    """Have file number 1 lead to where number 2 does, if these are stdout and stderr; what number it has now."""
    try:
        if (out.fileno(), sys.stderr.fileno()) != (1, 2):
            return None
        out.flush()
        kept = os.dup(1)
        os.dup2(2, 1)
    except (OSError, ValueError, AttributeError):  # a stream of another kind has no number
        return None
    return kept


@contextlib.contextmanager
def results() -> Iterator[None]:
    """Have what is printed inside go to stdout. Raises OSError, which names it, where that cannot be written."""
    out, kept = _results[-1] if _results else (sys.stdout, None)
    talk, sys.stdout = sys.stdout, out
    try:
        if kept is not None:
            os.dup2(kept, 1)
        yield
        out.flush()  # a full disk is noticed here, and not when nobody can tell any more
    except OSError as error:
        error.filename = error.filename or "<stdout>"
        raise
    finally:
        sys.stdout = talk
        if kept is not None:
            os.dup2(2, 1)


def stop_on_signals() -> None:
    """Have the signals that ask a program to end do so as Ctrl-C does, by raising `Terminated`.

    One that is ignored, as `nohup` has it for the closing of the terminal, stays so.
    """

    def ended(number: int, _frame: FrameType | None) -> None:
        raise Terminated(number)

    with contextlib.suppress(ValueError):  # not in the main thread: whoever runs us there decides
        for number in _STOPS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, ended)


def check_address_space() -> None:
    """Raise ChatCorpusError where `ulimit -v` leaves too little: Polars would abort the process without a word."""
    if importlib.util.find_spec("resource") is None:  # Windows has no such limit
        return
    import resource

    allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    if 0 <= allowed < _ADDRESS_SPACE:
        raise ChatCorpusError(
            f"only {allowed // 10**6:,} MB of address space are allowed to a process (ulimit -v), and there must be "
            f"{_ADDRESS_SPACE // 10**6:,} MB: not enough memory; raise the limit, or lift it with 'ulimit -v unlimited'"
        )


def ignore_stops_of_keyboard() -> None:
    """Have a worker leave Ctrl-C, and the closing of the terminal, to the process that started it, which ends it."""
    for number in _OF_KEYBOARD:
        signal.signal(number, signal.SIG_IGN)


def ignore_stops() -> None:
    """Let nobody interrupt the last message."""
    with contextlib.suppress(ValueError):
        for number in (signal.SIGINT, *_STOPS):
            signal.signal(number, signal.SIG_IGN)
