"""The interface for plugins: the only module of this package that a plugin imports from.

A plugin is a Python file that defines a `SOURCE`, a `FILTER` or both: `--plugin` names the file, or an installed
package registers it in the entry point group `chat_corpus.sources`. All other modules of `chat_corpus` may change
between versions.

>>> from chat_corpus.plugins import Input, Source, delimited
>>> SOURCE = Source(
...     name="ours", title="Our own", url="https://example.org", licence="CC0-1.0", obtain="write it",
...     inputs=(Input(files=("ours*.txt",), format=delimited("|")),),
... )  # fmt: skip
>>> SOURCE.inputs[0].part_of("raw/ours1.txt")
0

- A source: `Source`, `Input`, `question_answer_inputs`, with `Pairing`, and `Traits` of `Markup`, `Script` and
  `Segmentation`.
- Ready formats: `delimited`, `quoted`, `json_lines` and `json_array` (which take a function from a record to its turns,
  such as `instruction_turns`), `xml_messages`, `CONV`, `MARKED_CONV`, `CHAINED`, `LABELLED`, `LINE_IDS`, `PARALLEL`,
  `CORPUS_YAML`.
- A custom format: a `Format`. Its `read` returns a `Reading` with rows of the schema `TURNS`. `turns_frame` makes
  these rows; `rejected` and `undecodable` make rows of bad records with a `Reason`. A function that makes `Turns` of a
  record raises `RecordError` for a record that it cannot read.
- A filter: `Filter` with its `Scope`, as `FILTER` or in a tuple `FILTERS`, in a file for `--plugin` or in an installed
  package that registers it in the entry point group `chat_corpus.filters`.
- Addresses that `chat-corpus fetch` downloads from: `FileOrigin` with `RemoteFile`.
- Recognition of files by content: `Signature`, `Rate`, and the patterns `HAN`, `KANA`, `ONE_TAB`, `SEGMENTED` and
  `TRADITIONAL`.
"""

from chat_corpus.formats.base import (
    Format,
    Reading,
    RecordError,
    Records,
    Turns,
    mark_empty,
    rejected,
    turns_frame,
    undecodable,
)
from chat_corpus.formats.chatterbot_yaml import CORPUS_YAML
from chat_corpus.formats.conv import CONV, MARKED_CONV
from chat_corpus.formats.cornell import LINE_IDS
from chat_corpus.formats.csv_pairs import quoted
from chat_corpus.formats.delimited_pairs import delimited
from chat_corpus.formats.instructions import instruction_turns
from chat_corpus.formats.json_records import json_array, json_lines
from chat_corpus.formats.parallel_files import PARALLEL
from chat_corpus.formats.reply_chains import CHAINED
from chat_corpus.formats.response_selection import LABELLED
from chat_corpus.formats.xml_messages import xml_messages
from chat_corpus.schema import TURNS, Markup, Pairing, Reason, Script, Segmentation, Traits
from chat_corpus.sources.base import Filter, Input, Scope, Source, question_answer_inputs
from chat_corpus.sources.origins import FileOrigin, RemoteFile
from chat_corpus.sources.signature import HAN, KANA, ONE_TAB, SEGMENTED, TRADITIONAL, Rate, Signature

__all__ = [
    "CHAINED",
    "CONV",
    "CORPUS_YAML",
    "HAN",
    "KANA",
    "LABELLED",
    "LINE_IDS",
    "MARKED_CONV",
    "ONE_TAB",
    "PARALLEL",
    "SEGMENTED",
    "TRADITIONAL",
    "TURNS",
    "FileOrigin",
    "Filter",
    "Format",
    "Input",
    "Markup",
    "Pairing",
    "Rate",
    "Reading",
    "Reason",
    "RecordError",
    "Records",
    "RemoteFile",
    "Scope",
    "Script",
    "Segmentation",
    "Signature",
    "Source",
    "Traits",
    "Turns",
    "delimited",
    "instruction_turns",
    "json_array",
    "json_lines",
    "mark_empty",
    "question_answer_inputs",
    "quoted",
    "rejected",
    "turns_frame",
    "undecodable",
    "xml_messages",
]
