"""The error tree: every failure a user can cause or must know of, each with the exit code it ends the program with.

A message says where (`file:line` or config key), what was met, what was expected, and what to do.
"""

from __future__ import annotations


class ChatCorpusError(Exception):
    """Something failed that the user must know of; the program ends with `exit_code`."""

    exit_code = 1


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


class LedgerError(ChatCorpusError):
    """The counts of a source do not balance: the output cannot be trusted and is not written."""
