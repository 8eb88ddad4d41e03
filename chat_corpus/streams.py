"""What a process needs of its system before it begins: streams that can be written, signals, room for its memory."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import sys
from io import TextIOWrapper
from types import FrameType

from chat_corpus.errors import ChatCorpusError

#: Standard streams that were closed or missing when the program began: of `stdin`, `stdout`, `stderr`.
missing: set[str] = set()


#: Measured: with 1.0 GB, workers died of shards of 5 MB; most of it is reserved, and never used.
_ADDRESS_SPACE = 1_500_000_000


class Terminated(KeyboardInterrupt):
    """SIGTERM came: the program ends as after Ctrl-C, with another exit code."""


def prepare() -> None:
    """Give each standard stream a file, and make it wait.

    A supervisor, `2>&-` or pythonw.exe may start the program without some of them: `sys.stderr` is None then, and the
    next file that is opened would get the number of the closed one, and with it what others write there. What would be
    shown goes nowhere. A stream that its owner made non-blocking (a pipe of Node.js or of an event loop) would lose
    what does not fit at once.
    """
    missing.clear()
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        stream = getattr(sys, name)
        if stream is None or getattr(stream, "closed", False):
            missing.add(name)
            _reserve(number)
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 for the whole program
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


def stop_on_sigterm() -> None:
    """Have SIGTERM end the program as Ctrl-C does, by raising `Terminated`."""

    def ended(_number: int, _frame: FrameType | None) -> None:
        raise Terminated

    with contextlib.suppress(ValueError):  # not in the main thread: whoever runs us there decides
        signal.signal(signal.SIGTERM, ended)


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


def ignore_stops() -> None:
    """Let nobody interrupt the last message."""
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
