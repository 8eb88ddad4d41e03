"""What a source is: the facts of one corpus, declared once, in a module of `chat_corpus.sources`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from chat_corpus.formats.base import Format
from chat_corpus.formats.instructions import instruction_turns
from chat_corpus.formats.json_records import json_array, json_lines
from chat_corpus.formats.table_rows import Table
from chat_corpus.formats.tables import table_format
from chat_corpus.schema import Pairing, Traits
from chat_corpus.sources.signature import Signature

_TABLE_ENDINGS = ("csv", "tsv", "txt")


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    """Files of one layout: glob patterns, matched in any case from the right against a file's path with its folders.

    Where the format reads several parts together, there is one pattern for each part, and the parts of one input lie in
    one folder; otherwise the patterns are alternatives and each file is read on its own. A complete corpus has one file
    of each input, or of each part, if not `many`.

    `layout` is a regular expression that is found in most lines of such a file: where it is in hardly any, the name of
    the file is wrong. By its content alone a file is known where one of the `signatures` fits it.

    `siblings` are patterns, best first, of files that hold dialogues of the release once more: its raw form, an earlier
    edition, a cut or a sample of it. They are read only where nothing better is there. `remade` inputs are what others
    have made of the whole release: they are read only where that is not there.
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
            raise TypeError(f"files={self.files!r}: a tuple of patterns expected, as in files=('mine*.conv',)")

    def part_of(self, name: str) -> int | None:
        """The index of the first pattern that matches, or None."""
        path = PurePosixPath(name.lower())
        return next((index for index, pattern in enumerate(self.files) if path.match(pattern.lower())), None)

    def rank(self, name: str) -> int:
        """0 for a release, more for its siblings: the lowest that is there is read."""
        path = PurePosixPath(name.lower())
        return next((index for index, one in enumerate(self.siblings, 1) if path.match(one.lower())), 0)

    def part_of_base(self, name: str) -> int | None:
        """The same by the file's own name, in whatever folder."""
        path = PurePosixPath(PurePosixPath(name.lower()).name)
        bases = (PurePosixPath(pattern.lower()).name for pattern in self.files)
        return next((index for index, base in enumerate(bases) if path.match(base)), None)


def question_answer_inputs(
    stem: str, endings: Sequence[str] = _TABLE_ENDINGS, *, many: bool = False
) -> tuple[Input, ...]:
    """Inputs for what others make of a corpus: files of questions and answers, as tables, JSON or Parquet.

    `stem` is a pattern without the ending, `endings` are those of tables. Such a file is only taken if its first
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A corpus.

    `inputs` are read in this order; where they are `alternatives`, versions of the same dialogues, only the first that
    is found. A complete copy holds a file for each pattern of `complete`. `no_answer` are responses that mean there is
    none. `overlapping`: its files overlap, and the same pair is written once. `plain_editions`: some of its files do
    not have the segmentation that `traits` declare, so that one line alone does not tell whether it is segmented.
    """

    name: str
    title: str
    url: str
    licence: str
    obtain: str
    inputs: tuple[Input, ...]
    pairing: Pairing = Pairing.ADJACENT
    traits: Traits = field(default_factory=Traits)
    alternatives: bool = False
    complete: tuple[str, ...] = ()
    no_answer: frozenset[str] = frozenset()
    overlapping: bool = False
    plain_editions: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.inputs, tuple) or not all(isinstance(one, Input) for one in self.inputs):
            raise TypeError("inputs: a tuple of Input expected, as in inputs=(Input(...),)")
