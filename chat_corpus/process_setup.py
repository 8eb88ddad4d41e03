"""Set up a process: standard streams, imports, threads and allocators of libraries, signals, the memory limit.

Stdout is for results only.
"""

from __future__ import annotations

import contextlib
import errno
import gc
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
from chat_corpus.messages import message

#: Names of the standard streams that were closed or missing when the program began: `stdin`, `stdout`, `stderr`.
missing: set[str] = set()


#: Minimum address space of a process, in bytes. With 1.0 GB, workers died on shards of 5 MB. Most of it is reserved and
#: never used.
_ADDRESS_SPACE = 1_500_000_000


#: Environment variable of glibc, the parameter of `mallopt` that it sets, and its value in bytes. Blocks smaller than
#: the first value reuse freed memory; freed memory up to the second value is not returned to the system.
_MALLOC = (("MALLOC_MMAP_THRESHOLD_", -3, 1 << 24), ("MALLOC_TRIM_THRESHOLD_", -1, 1 << 25))


def _signals(*names: str) -> list[signal.Signals]:
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


#: Signals that end the program as Ctrl-C does: a request to end, a closed terminal, and Ctrl-Break on Windows.
STOP_SIGNALS = _signals("SIGTERM", "SIGHUP", "SIGBREAK")
#: Signals that a terminal sends to all processes of a run.
TERMINAL_SIGNALS = _signals("SIGINT", "SIGHUP", "SIGBREAK")


class Terminated(KeyboardInterrupt):
    """A signal ended the program as Ctrl-C does; only the exit code differs."""

    @property
    def exit_code(self) -> int:
        """The exit code of shells for a program that this signal ended: 128 plus the number of the signal."""
        return 128 + int(self.args[0])


class _Closed(io.TextIOBase):
    """A stdout that was closed when the program began: writing text or bytes to it raises OSError."""

    @property
    def buffer(self) -> _Closed:
        """The stream itself."""
        return self

    def write(self, _: object) -> int:
        """Raise OSError."""
        raise OSError(errno.EBADF, message("the stream is closed, so results cannot be written"), "<stdout>")


def prepare() -> None:
    """Open missing standard streams, and make all of them blocking.

    A supervisor, `2>&-` or pythonw.exe may start the program without some of the streams. Then `sys.stderr` is None,
    and the next file that the program opens would get the number of the closed stream, and with it the text that other
    code writes there. Text for a missing stderr is dropped; writing results to a missing stdout raises OSError. A
    non-blocking stream (a pipe of Node.js or of an event loop) would lose text that does not fit into its buffer.
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
        if isinstance(output, TextIOWrapper):  # a console that cannot show a character shows an escape
            output.reconfigure(errors="backslashreplace")


def _reserve(number: int) -> None:
    """Open the null device under the file number of a closed standard stream."""
    try:
        os.fstat(number)
    except OSError:
        null = os.open(os.devnull, os.O_RDWR)
        if null != number:
            with contextlib.suppress(OSError):
                os.dup2(null, number)
            os.close(null)


#: One entry for each active `prints_to_stderr`: the stream for results, and the copy of its file number, if it has one.
_results: list[tuple[TextIO, int | None]] = []


@contextlib.contextmanager
def prints_to_stderr() -> Iterator[None]:
    """Send everything that is printed in the block to stderr, except `results`, which go to stdout.

    This includes output of plugins and of programs that they start.
    """
    out = sys.stdout
    saved = _diverted(out)
    _results.append((out, saved))
    sys.stdout = sys.stderr
    try:
        yield
    finally:
        sys.stdout = out
        _results.pop()
        if saved is not None:
            os.dup2(saved, 1)
            os.close(saved)


def _diverted(out: TextIO) -> int | None:
    """Point file number 1 to the target of number 2, if these are stdout and stderr; return a copy of number 1."""
    try:
        if (out.fileno(), sys.stderr.fileno()) != (1, 2):
            return None
        out.flush()
        saved = os.dup(1)
        os.dup2(2, 1)
    except (OSError, ValueError, AttributeError):  # a stream of a different kind has no number
        return None
    return saved


@contextlib.contextmanager
def results() -> Iterator[None]:
    """Send everything that is printed in the block to stdout. Raises OSError for `<stdout>` if writing fails."""
    out, saved = _results[-1] if _results else (sys.stdout, None)
    replaced, sys.stdout = sys.stdout, out
    try:
        if saved is not None:
            os.dup2(saved, 1)
        yield
        out.flush()  # raises for a full disk here, while the program can still report it
    except OSError as error:
        error.filename = error.filename or "<stdout>"
        raise
    finally:
        sys.stdout = replaced
        if saved is not None:
            os.dup2(2, 1)


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Run the block, which imports modules, without garbage collection, and exclude its objects from later collections.

    Modules live until the program ends, so searching them for garbage would only take time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def stop_on_signals() -> None:
    """Make the signals in `STOP_SIGNALS` raise `Terminated`, as Ctrl-C raises KeyboardInterrupt.

    An ignored signal stays ignored: `nohup` ignores the signal of a closed terminal.
    """

    def terminate(number: int, _frame: FrameType | None) -> None:
        raise Terminated(number)

    with contextlib.suppress(ValueError):  # not in the main thread: the calling program decides
        for number in STOP_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, terminate)


def configure_libraries() -> None:
    """Set the threads and the memory of libraries, for this process and its workers, unless the environment does.

    Must run before Polars and NumPy are imported.
    """
    # For frames as small as a shard, more threads of Polars only wait for each other.
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    # NumPy's library for matrices, which nothing here uses, would start as many threads as there are processors.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # The allocator of Polars on Linux and macOS keeps freed memory for half a second, since the next shard needs it.
    os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:1,dirty_decay_ms:500,muzzy_decay_ms:0")
    _keep_freed_memory()


def _keep_freed_memory() -> None:
    """Let the allocator of Python and NumPy keep some freed memory for the next arrays, if it is glibc's allocator.

    By default it returns every large block to the system. Getting the pages again, zeroed one by one, took some 5 % of
    a run. Source of the names and numbers: mallopt(3) of Linux.
    """
    tuned = "glibc.malloc." in os.environ.get("GLIBC_TUNABLES", "")
    if sys.platform != "linux" or tuned or any(name in os.environ for name, _, _ in _MALLOC):
        return
    os.environ |= {name: str(size) for name, _, size in _MALLOC}  # for workers: their allocator reads them at its start
    import ctypes

    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):  # musl does not have it
        for _, parameter, size in _MALLOC:
            library.mallopt(parameter, size)


def check_address_space() -> None:
    """Raise ChatCorpusError if `ulimit -v` is too low: Polars would abort the process without a message."""
    if importlib.util.find_spec("resource") is None:  # Windows has no such limit
        return
    import resource

    allowed = resource.getrlimit(resource.RLIMIT_AS)[0]
    if 0 <= allowed < _ADDRESS_SPACE:
        raise ChatCorpusError(
            message(
                "not enough memory: the address space of a process is limited to {allowed:,} MB (ulimit -v), and "
                "{needed:,} MB are needed; raise the limit, or remove it with 'ulimit -v unlimited'",
                allowed=allowed // 10**6,
                needed=_ADDRESS_SPACE // 10**6,
            )
        )


def ignore_terminal_signals() -> None:
    """Ignore Ctrl-C and a closed terminal in a worker, since the process that started the worker ends it."""
    for number in TERMINAL_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def ignore_stops() -> None:
    """Ignore all signals that end the program, so that its last message is complete."""
    with contextlib.suppress(ValueError):
        for number in (signal.SIGINT, *STOP_SIGNALS):
            signal.signal(number, signal.SIG_IGN)
