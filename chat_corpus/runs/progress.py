"""Who is told how far a run is."""

from __future__ import annotations

from collections.abc import Callable

#: Told the name of a source, how many bytes of its files on disk are done with, and whether this run worked for them.
Progress = Callable[[str, int, bool], object]


def silent(source: str, done: int, worked: bool) -> None:
    """Progress that nobody is told of."""
