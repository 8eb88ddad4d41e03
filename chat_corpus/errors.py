"""The exceptions of this package, each with the exit code that it ends the program with.

A message says where (`file:line` or a configuration key), what was found, what was expected, and what to do.
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
from chat_corpus.system_texts import system_text


class ChatCorpusError(Exception):
    """A failure that the user must see; the program ends with `exit_code`."""

    exit_code = 1

    @property
    def message(self) -> str:
        """The text of the error: translatable if `messages.message` made it. `str(error)` is always English."""
        return self.args[0] if self.args and isinstance(self.args[0], str) else str(self)


class UsageError(ChatCorpusError):
    """The arguments, the configuration or the state of the output folder is wrong."""

    exit_code = 2


class IncompleteError(ChatCorpusError):
    """A source is missing, or not all of it can be read; the other sources are complete."""

    exit_code = 3


class EngineError(ChatCorpusError):
    """The workers cannot be reached, or cannot produce the right results; finished shards stay in the work folder."""


class GateError(ChatCorpusError):
    """A check that the user requested failed; the run itself is complete."""

    exit_code = 4


class FileError(ChatCorpusError):
    """A raw file cannot be read. `fault` is the reason without the name of the file."""

    def __init__(self, file: str, fault: str) -> None:
        super().__init__(file, fault)

    @property
    def fault(self) -> str:
        """The reason why the file cannot be read."""
        return self.args[1] if isinstance(self.args[1], str) else str(self.args[1])

    @property
    def message(self) -> str:
        """The name of the file and the reason."""
        return message("{file}: {fault}", file=self.args[0], fault=self.args[1])

    def __str__(self) -> str:
        return f"{self.args[0]}: {self.args[1]}"


class LedgerError(ChatCorpusError):
    """The counts of a source do not balance, so its output is wrong and is not written."""


class UnexpectedError(ChatCorpusError):
    """An unforeseen exception as one line of text, with its traceback as text, so that it can be pickled."""

    def __init__(self, text: str, trace: str = "") -> None:
        super().__init__(text, trace)

    @property
    def trace(self) -> str:
        """The traceback, for logs."""
        return str(self.args[1])

    def __str__(self) -> str:
        return str(self.args[0])


#: Exceptions that end the program or a generator without a failure. SystemExit does not belong here: a library or
#: plugin that calls `sys.exit` must not end a run as if it were complete.
STOPS = (KeyboardInterrupt, GeneratorExit)
#: The folder of this package's code.
_PACKAGE = Path(__file__).resolve().parent
#: Errors of a full or failing disk, for an OSError that does not name its file.
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
#: Maximum length of an exception's text in a message, in characters.
_LONGEST = 500
#: The end of each message about counts that do not balance.
DEFECT = message("this is a bug in chat-corpus; no output was written; please report it with this message")


def unexpected(where: str, error: BaseException) -> ChatCorpusError:
    """Return an exception as a ChatCorpusError: errors of this package unchanged, others as `UnexpectedError`.

    `where` begins the message of an `UnexpectedError`. A ChatCorpusError that a plugin raises is wrapped too: it does
    not name the place, and a subclass of it may not be picklable.

    Callers catch BaseException and let `STOPS` pass, because Polars reports its own bugs as `PanicException`, which is
    not an `Exception`.
    """
    if isinstance(error, ChatCorpusError) and _is_ours(error):
        return error
    trace = "".join(traceback.format_exception(error))
    # CPython raises SystemError if an extension has no memory left even for its exception.
    if isinstance(error, (MemoryError, SystemError)):
        text = message("{where}: not enough memory; use fewer --workers or a smaller shard_bytes", where=where)
        return UnexpectedError(text, trace)
    text = message("{where}: {error}; -v shows the traceback", where=where, error=described(error))
    return UnexpectedError(text, trace)


def _is_ours(error: ChatCorpusError) -> bool:
    """Return whether this package raised an error. An error that a worker sent has no traceback, and counts as ours."""
    frames = traceback.extract_tb(error.__traceback__)
    raised = not frames or Path(frames[-1].filename).resolve().is_relative_to(_PACKAGE)
    return raised and type(error).__module__ == __name__


def described(error: BaseException) -> str:
    """Return an exception as one line: its type, its text, and the line of code that raised it.

    >>> described(KeyError("text"))
    "KeyError: 'text'"
    """
    text = " ".join(exception_text(error).split()).encode("utf-8", "backslashreplace").decode()
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    frames = traceback.extract_tb(error.__traceback__)
    at = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno}, in {frames[-1].name})" if frames else ""
    return f"{type(error).__name__}{': ' if shown else ''}{shown}{at}"


def exception_text(error: BaseException) -> str:
    """Return the text of an exception, or `<no text>` if `str` fails, as it may for an exception of a plugin."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 the method of a plugin's exception may raise anything
        return "<no text>"


def place_of(function: Callable[..., object]) -> str:
    """Return where a function is defined: its file, line and name, or its name alone.

    >>> place_of(len)
    'len'
    """
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(function)
    name, code = getattr(function, "__name__", type(function).__name__), getattr(function, "__code__", None)
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}, {name}" if code is not None else name


def unwritten(where: str, error: BaseException, folder: Path | None) -> ChatCorpusError:
    """Return an exception as a ChatCorpusError, as `unexpected` does, with a special message for errors of the disk.

    `folder` is the folder in which files were being written, if any. For an OSError of a file in it, or of a full or
    failing disk, the message is that the file or the folder cannot be written.
    """
    if folder and isinstance(error, OSError):
        is_ours = Path(error.filename).is_relative_to(folder) if error.filename else error.errno in _DISK
        if is_ours:
            file, reason = error.filename or folder, system_text(error)
            return ChatCorpusError(message("{file}: cannot be written: {error}", file=file, error=reason))
    return unexpected(where, error)


@contextmanager
def attributed(where: str, folder: Path | None = None) -> Iterator[None]:
    """Convert any exception of the block with `unwritten` and raise the result; KeyboardInterrupt is not converted."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        failure = unwritten(where, error, folder)
        if failure is error:  # an error raised from itself would have an endless chain of causes
            raise
        raise failure from error
