"""Texts of errors of the operating system, which people see on the terminal in their language."""

from __future__ import annotations

from chat_corpus.messages import constant, error_text, message

#: Texts of the operating system (POSIX, errno.h, as Linux and macOS write them).
_KNOWN = frozenset(
    {
        message("No such file or directory"),
        message("Permission denied"),
        message("Operation not permitted"),
        message("Is a directory"),
        message("Not a directory"),
        message("File exists"),
        message("File name too long"),
        message("Too many levels of symbolic links"),
        message("No space left on device"),
        message("Disk quota exceeded"),
        message("Read-only file system"),
        message("Input/output error"),
        message("Too many open files"),
    }
)


def system_text(error: OSError) -> str:
    """Return the text of an error of the operating system, without its number and file.

    >>> import errno
    >>> system_text(OSError(errno.ENOENT, "No such file or directory", "a.txt"))
    'No such file or directory'
    """
    text = error.strerror or ""
    return constant(text) if text in _KNOWN else text or error_text(error)
