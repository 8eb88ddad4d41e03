"""Errors: their exit codes, their text in both languages, and what becomes of an exception that nobody foresaw."""

from __future__ import annotations

import errno
import pickle
from functools import partial, wraps
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from chat_corpus import errors
from chat_corpus.errors import (
    ChatCorpusError,
    EngineError,
    FileError,
    GateError,
    IncompleteError,
    LedgerError,
    UnexpectedError,
    UsageError,
    attributed,
    place_of,
    unexpected,
    unwritten,
)
from chat_corpus.messages import Message, message

CODES = {
    ChatCorpusError: 1, UsageError: 2, IncompleteError: 3, EngineError: 1, GateError: 4, FileError: 1, LedgerError: 1,
    UnexpectedError: 1,
}  # fmt: skip


def test_every_error_of_the_package_has_the_exit_code_of_its_kind() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ChatCorpusError)}
    assert {kind: kind.exit_code for kind in kinds} == CODES


@pytest.mark.parametrize("error", [
    UsageError(message("{count} expected", count=2)),
    FileError("a.txt", message("{count} expected", count=2)),
    FileError("a.txt", "damaged"),
    UnexpectedError("ptt: ValueError: x", "Traceback"),
    LedgerError("unbalanced"),
], ids=repr)  # fmt: skip
def test_an_error_that_a_worker_sends_arrives_whole(error: ChatCorpusError) -> None:
    copied = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(copied), copied.args, str(copied), copied.exit_code) == (
        type(error), error.args, str(error), error.exit_code
    )  # fmt: skip
    assert (type(copied.message), copied.message) == (type(error.message), error.message)


def test_a_message_in_an_error_stays_translatable_and_its_text_is_english() -> None:
    error = FileError("a.txt", message("{count} expected", count=2))
    assert str(error) == error.message == "a.txt: 2 expected"
    assert isinstance(error.message, Message)
    assert error.message.translated({"{count} expected": "应为 {count}"}) == "a.txt: 应为 2"
    assert UsageError().message == ""


def test_errors_of_the_package_are_not_wrapped_and_others_name_kind_place_and_text() -> None:
    known = raised_in_the_package()
    assert unexpected("ptt", known) is known
    error = unexpected("ptt, shard 3", caught(lambda: int("seven")))
    assert isinstance(error, UnexpectedError)
    assert str(error).startswith("ptt, shard 3: ValueError: invalid literal")
    assert "test_errors.py:" in str(error)
    assert "Traceback" in error.trace


def test_an_error_that_a_plugin_raises_in_the_name_of_the_package_is_wrapped() -> None:
    error = unexpected("mine", caught(raises(UsageError("no such thing"))))
    assert isinstance(error, UnexpectedError)
    assert "UsageError: no such thing" in str(error)


@pytest.mark.parametrize("text", ["", "a\nb", "\x1b[31mred", "长" * 5000, "\udc80", "\0"])
def test_whatever_an_exception_says_is_one_short_line_of_text(text: str) -> None:
    line = str(unexpected("ptt", caught(raises(RuntimeError(text)))))
    assert "\n" not in line
    assert len(line) < 700
    line.encode()


def test_an_exception_that_cannot_even_be_shown_is_reported() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise ValueError("no text")

    assert str(unexpected("ptt", caught(raises(MuteError())))).startswith("ptt: MuteError: <no text> (test_errors.py:")


def test_an_exception_of_polars_that_is_no_exception_of_python_is_reported() -> None:
    with pytest.raises(UnexpectedError, match=r"^ptt: PanicException: "), attributed("ptt"):
        raise pl.exceptions.PanicException("a bug of Polars")


def test_an_interrupt_is_no_failure() -> None:
    with pytest.raises(KeyboardInterrupt), attributed("ptt"):
        raise KeyboardInterrupt


def test_a_plugin_that_exits_fails() -> None:
    """Else a run that is not complete would end with exit code 0."""
    with pytest.raises(UnexpectedError, match="SystemExit"), attributed("ptt"):
        raise SystemExit(0)


def test_an_error_that_passes_twice_has_one_cause() -> None:
    with pytest.raises(UnexpectedError) as caught_, attributed("outer"), attributed("inner"):
        raise ValueError("x")
    assert str(caught_.value).startswith("inner: ValueError: x")
    assert isinstance(caught_.value.__cause__, ValueError)


@pytest.mark.parametrize(("error", "found"), [
    (OSError(errno.ENOSPC, "No space left on device"), "out: cannot be written: No space left on device"),
    (OSError(errno.EIO, "Input/output error"), "out: cannot be written: Input/output error"),
    (PermissionError(errno.EACCES, "Not allowed", "out/a.tsv"), "out/a.tsv: cannot be written: Not allowed"),
])  # fmt: skip
def test_a_failing_disk_below_the_folder_is_named_as_such(error: OSError, found: str) -> None:
    made = unwritten("ptt", error, Path("out"))
    assert (type(made), str(made).replace("\\", "/")) == (ChatCorpusError, found)


@pytest.mark.parametrize("error", [
    FileNotFoundError(errno.ENOENT, "No such file", "raw/a.txt"),  # another folder
    OSError(errno.ENOENT, "No such file"),  # no file, and no error of a disk
    ValueError("x"),
])  # fmt: skip
def test_an_error_elsewhere_is_not_one_of_the_folder(error: Exception) -> None:
    assert isinstance(unwritten("ptt", error, Path("out")), UnexpectedError)
    assert isinstance(unwritten("ptt", OSError(errno.ENOSPC, "full"), None), UnexpectedError)


def test_the_place_of_a_function_is_that_of_what_it_wraps() -> None:
    @wraps(raises)
    def wrapped(*args: Any) -> Any:
        return raises(*args)

    at = place_of(raises)
    assert at.startswith("test_errors.py:")
    assert at.endswith(", raises")
    assert place_of(wrapped) == place_of(partial(raises, ValueError())) == place_of(partial(partial(wrapped))) == at
    assert place_of(len) == "len"


def raises(error: BaseException) -> Any:
    """A function that raises an error."""

    def function() -> None:
        raise error

    return function


def caught(function: Any) -> BaseException:
    """The exception that a function raises, with its traceback."""
    with pytest.raises(BaseException) as info:  # noqa: PT011 any
        function()
    return info.value


def raised_in_the_package() -> BaseException:
    """An error that code of the package raised."""
    from chat_corpus.exports.mix_options import parse_shares

    return caught(lambda: parse_shares("none"))
