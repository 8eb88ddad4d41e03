"""The standard streams of a process: there, blocking, and able to take any text, however the program was started."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from io import TextIOWrapper
from types import FrameType

#: Standard streams that were closed or missing when the program began: of `stdin`, `stdout`, `stderr`.
missing: set[str] = set()


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


def ignore_stops() -> None:
    """Let nobody interrupt the last message."""
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
