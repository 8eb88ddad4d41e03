"""Declarations: of a source, which has the facts about one corpus, and of a filter, which rejects turns or pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

import polars as pl

from chat_corpus.formats.base import Format
from chat_corpus.formats.instructions import instruction_turns
from chat_corpus.formats.json_records import json_array, json_lines
from chat_corpus.formats.table_rows import Table
from chat_corpus.formats.tables import table_format
from chat_corpus.messages import message
from chat_corpus.schema import Pairing, Traits
from chat_corpus.sources.origins import FileOrigin
from chat_corpus.sources.signature import Signature

_TABLE_ENDINGS = ("csv", "tsv", "txt")


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    """Files of one layout.

    `files` are glob patterns for paths, matched from the right and without regard to case. If the format reads several
    parts together, there is one pattern per part, and the parts of an input are in the same folder; otherwise the
    patterns are alternatives, and each file is read by itself. A complete corpus has one file for each input or part,
    or several with `many`.

    `layout` is a regular expression that matches most lines of such a file; if it matches hardly any, the name of the
    file is wrong. `signatures` recognise a file only by its content.

    `siblings` are patterns, best first, of files that repeat dialogues of the release: its raw form, an earlier
    edition, a subset or a sample. They are read only if no better file is present. `remade` inputs are conversions of
    the whole release by others; they are read only if the release itself is absent.
    """

    files: tuple[str, ...]
    format: Format
    layout: str = ""
    signatures: tuple[Signature, ...] = ()
    many: bool = False
    siblings: tuple[str, ...] = ()
    remade: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.files, str) or not all(self.files):
            raise TypeError(
                message(
                    "files={files!r}: expected a tuple of patterns, such as files=('custom*.conv',)", files=self.files
                )
            )

    def part_of(self, name: str) -> int | None:
        """Return the index of the first pattern that matches a path, or None."""
        return next((index for index, pattern in enumerate(self.files) if matches(name, pattern)), None)

    def rank(self, name: str) -> int:
        """Return 0 for the release, higher numbers for its siblings; the files of the lowest rank are read."""
        return next((index for index, pattern in enumerate(self.siblings, 1) if matches(name, pattern)), 0)

    def part_of_base(self, name: str) -> int | None:
        """Return the index of the first pattern with a last component that matches the name of the file, or None."""
        base = PurePosixPath(name).name
        bases = (PurePosixPath(pattern).name for pattern in self.files)
        return next((index for index, pattern in enumerate(bases) if matches(base, pattern)), None)


def matches(name: str, pattern: str) -> bool:
    """Return whether a glob pattern matches a path from the right, without regard to case.

    The result is that of `PurePath.match`, which would parse the pattern again for each of many files.

    >>> matches("raw/PTT/a.csv", "ptt*/*.csv"), matches("a.csv", "ptt*/*.csv")
    (True, False)
    """
    parts, patterns = _parts(name), _parts(pattern)
    return len(parts) >= len(patterns) and all(map(fnmatchcase, reversed(parts), reversed(patterns)))


@lru_cache(maxsize=1024)
def _parts(path: str) -> tuple[str, ...]:
    return PurePosixPath(path.lower()).parts


def question_answer_inputs(
    stem: str, endings: Sequence[str] = _TABLE_ENDINGS, *, many: bool = False
) -> tuple[Input, ...]:
    """Return inputs for conversions of a corpus by others: questions and answers as tables, JSON or Parquet.

    `stem` is a pattern without the ending, `endings` are the endings of tables. A file is accepted only if its first
    records can be read.
    """
    tables = tuple(f"{stem}.{ending}" for ending in endings)
    files = tuple(f"{stem}.{ending}" for ending in ("json", "jsonl", "ndjson", "parquet"))
    formats = (
        (tables, table_format(Table(separator=",", quoted=True), certain=True)),
        (files, json_lines(instruction_turns, certain=True)),
        (files, json_array(instruction_turns, certain=True)),
    )
    return tuple(Input(files=names, format=format_, many=many, remade=True) for names, format_ in formats)


class Scope(StrEnum):
    """The unit that a filter rejects. The filters of a scope apply after those of the scopes before it."""

    TURN = "turn"
    DIALOGUE = "dialogue"
    PAIR = "pair"


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """One reason to reject a turn, all turns of a dialogue, or a pair.

    name        name of the filter, and of its option
    reason      code of the rejection; it begins with `pair_` if the filter rejects pairs
    rejects     takes the section `filters` of the settings, and the source. Returns a mask of the rows to reject; or,
                without `message`, the message of each row to reject, and null for the others
    message     the message, which describes what was found; if it is null, the name of the filter is the message
    scope       the kind of rows. turn: the columns of `schema.TURNS` and `raw`; an expression may use only its row.
                dialogue: the same columns of whole dialogues, for expressions such as `pl.len().over("dialogue_id")`.
                pair: `query, answer, query_file_index, query_record, answer_file_index, answer_record`; an expression
                may use only its row
    applies     whether the settings and the source switch the filter on
    candidates  for turns: a cheap mask that is true for every turn that the filter rejects, and for few others;
                without it, the filter checks every turn
    enabled     for plugins: whether the filter is on if `filters.custom` does not name it
    """

    name: str
    reason: str
    rejects: Callable[[Any, Source], pl.Expr]
    message: pl.Expr | None = None
    scope: Scope = Scope.TURN
    applies: Callable[[Any, Source], bool] = lambda _options, _source: True
    candidates: Callable[[pl.DataFrame, Source], pl.Series] | None = None
    enabled: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A corpus. `name` and `inputs` are mandatory; `title` is the name by default.

    `inputs` are read in their order. `alternatives` means that inputs are versions of the same dialogues, so that only
    the first one that is present is read. A complete copy has a file for each pattern of `complete`. `no_answer` are
    texts that mean "no answer" in this corpus. `overlapping` means that files share pairs, so that each pair is written
    once. `plain_editions` means that some files lack the segmentation in `traits`, so that a single line does not show
    whether it is segmented. `filters` are the filters of plugins, set when sources are loaded. `origins` are the
    addresses that the files can be downloaded from, and `obtain` describes what a person has to do instead.
    """

    name: str
    inputs: tuple[Input, ...]
    title: str = ""
    url: str = ""
    licence: str = "not stated"
    obtain: str = "not stated"
    origins: tuple[FileOrigin, ...] = ()
    pairing: Pairing = Pairing.ADJACENT
    traits: Traits = field(default_factory=Traits)
    alternatives: bool = False
    complete: tuple[str, ...] = ()
    no_answer: frozenset[str] = frozenset()
    overlapping: bool = False
    plain_editions: bool = False
    filters: tuple[Filter, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.inputs, tuple) or not all(isinstance(item, Input) for item in self.inputs):
            raise TypeError(message("inputs: expected a tuple of Input, such as inputs=(Input(...),)"))
        if not self.title:
            object.__setattr__(self, "title", self.name)
