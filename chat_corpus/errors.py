"""The error tree: every failure a user can cause or must know of, each with the exit code it ends the program with.

A message says where (`file:line` or config key), what was met, what was expected, and what to do.
"""

from __future__ import annotations

import errno
import inspect
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from chat_corpus.messages import message


class ChatCorpusError(Exception):
    """Something failed that the user must know of; the program ends with `exit_code`."""

    exit_code = 1

    @property
    def message(self) -> str:
        """The message, which can be translated if it was made by `messages.message`; `str(error)` is English."""
        return self.args[0] if self.args and isinstance(self.args[0], str) else str(self)


class UsageError(ChatCorpusError):
    """Wrong arguments, configuration or state of the output folder."""

    exit_code = 2


class IncompleteError(ChatCorpusError):
    """A source is missing or cannot be read as a whole; the others are done."""

    exit_code = 3


class EngineError(ChatCorpusError):
    """Those who do the work cannot be reached, or not be trusted with it; what they have finished is kept."""


class GateError(ChatCorpusError):
    """A check that the user asked for tripped; everything was done."""

    exit_code = 4


class FileError(ChatCorpusError):
    """A raw file cannot be read; `fault` says why without saying where."""

    def __init__(self, place: str, fault: str) -> None:
        super().__init__(place, fault)

    @property
    def fault(self) -> str:
        """What is wrong with the file."""
        return self.args[1] if isinstance(self.args[1], str) else str(self.args[1])

    @property
    def message(self) -> str:
        """Place and fault."""
        return message("{place}: {fault}", place=self.args[0], fault=self.args[1])

    def __str__(self) -> str:
        return f"{self.args[0]}: {self.args[1]}"


class LedgerError(ChatCorpusError):
    """The counts of a source do not balance: the output cannot be trusted and is not written."""


class UnexpectedError(ChatCorpusError):
    """An exception that nobody foresaw, in one line, with its traceback as text; it can be pickled."""

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message, trace)

    @property
    def trace(self) -> str:
        """The traceback, for logs."""
        return str(self.args[1])

    def __str__(self) -> str:
        return str(self.args[0])


#: What ends the program, or a generator, and is nobody's failure. SystemExit is none: a library or plugin that calls
#: `sys.exit` must not end a run as if all were done.
STOPS = (KeyboardInterrupt, GeneratorExit)
#: Where this package's own code is.
_PACKAGE = Path(__file__).resolve().parent
#: What a disk refuses while a file is written, when Python no longer knows which.
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
#: Characters of an exception's text that a message shows.
_LONGEST = 500
#: What is said of accounts that do not balance.
DEFECT = "this is a defect of chat-corpus: nothing was written; please report it with this message"


def unexpected(where: str, error: BaseException) -> ChatCorpusError:
    """An exception as a failure at a place: one that this package raised as it is, any other as an `UnexpectedError`.

    A ChatCorpusError of a plugin says nothing of the place, and one of a class of its own may not be picklable.

    Polars reports a defect of its own as a `PanicException`, which is no `Exception`: callers catch BaseException and
    let `STOPS` pass.
    """
    if isinstance(error, ChatCorpusError) and _is_ours(error):
        return error
    trace = "".join(traceback.format_exception(error))
    # CPython says SystemError where an extension had no memory left even for its own exception.
    if isinstance(error, (MemoryError, SystemError)):
        advice = "use fewer --workers or a smaller shard_bytes"
        return UnexpectedError(f"{where}: not enough memory: {advice}", trace)
    return UnexpectedError(f"{where}: {described(error)}; -v shows the traceback", trace)


def _is_ours(error: ChatCorpusError) -> bool:
    """Whether this package raised an error; what a worker has sent has no traceback any more."""
    frames = traceback.extract_tb(error.__traceback__)
    raised = not frames or Path(frames[-1].filename).resolve().is_relative_to(_PACKAGE)
    return raised and type(error).__module__ == __name__


def described(error: BaseException) -> str:
    """An exception as a line: its type, its text, and the line of code that raised it.

    >>> described(KeyError("text"))
    "KeyError: 'text'"
    """
    text = " ".join(str(error).split()).encode("utf-8", "backslashreplace").decode()
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    frames = traceback.extract_tb(error.__traceback__)
    at = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno}, in {frames[-1].name})" if frames else ""
    return f"{type(error).__name__}{': ' if shown else ''}{shown}{at}"


def place_of(function: Callable[..., object]) -> str:
    """Where a function is written: its file, line and name, as far as it has any.

    >>> place_of(len)
    'len'
    """
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(function)
    name, code = getattr(function, "__name__", type(function).__name__), getattr(function, "__code__", None)
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}, {name}" if code is not None else name


def unwritten(where: str, error: BaseException, folder: Path | None) -> ChatCorpusError:
    """An exception met while files under `folder`, if any, were written: what the disk refused is told as that."""
    if folder and isinstance(error, OSError):
        ours = Path(error.filename).is_relative_to(folder) if error.filename else error.errno in _DISK
        if ours:
            return ChatCorpusError(f"{error.filename or folder}: cannot be written: {error.strerror or error}")
    return unexpected(where, error)


@contextmanager
def attributed(where: str, folder: Path | None = None) -> Iterator[None]:
    """Raise whatever goes wrong inside, where files under `folder` may be written, as a ChatCorpusError.

    An interrupt passes.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        told = unwritten(where, error, folder)
        if told is error:  # which must not be told as its own cause: whoever follows causes would never end
            raise
        raise told from error
