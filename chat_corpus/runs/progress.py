"""How a run reports its progress."""

from __future__ import annotations

from collections.abc import Callable

#: Called with the name of a source, how many more bytes of its files on disk are done, and whether this run read them.
Progress = Callable[[str, int, bool], object]


def silent(source: str, done: int, worked: bool) -> None:
    """Report nothing."""
