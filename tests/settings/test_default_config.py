"""configs/default.yaml holds every key, with its default and the comment that stands in the code beside it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any

import msgspec

from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.settings.loading import load
from chat_corpus.settings.model import Settings
from tests.conftest import ROOT, Golden
from tests.settings.field_comments import described

CONFIG = ROOT / "configs" / "default.yaml"
HEAD = """\
# Every setting of chat-corpus with its default value. Change values here, or put the few that you want to change into
# a file of your own and name it with --config; flags win over --config, which wins over this file.
# Below `sources`, each section can be set for one source alone, for example:
#     sources: {weibo: {text: {hashtags: remove}}, subtitle: {pairs: {mode: first}}}
"""


def _rendered(struct: Any, indent: int) -> Iterator[str]:
    pad = " " * indent
    # What concerns the run as a whole first, then the sections that a source can have for itself.
    for name in sorted(struct.__struct_fields__, key=SourceSettings.__struct_fields__.__contains__):
        value = getattr(struct, name)
        section = isinstance(value, msgspec.Struct)
        told = described(struct, name)
        yield from textwrap.wrap(told, 116 - indent, initial_indent=f"{pad}# ", subsequent_indent=f"{pad}# ")
        if section:
            yield f"{pad}{name}:"
            yield from _rendered(value, indent + 2)
        else:
            shown = json.dumps(msgspec.to_builtins(value))
            yield f"{pad}{name}: {shown if value == '' else shown.replace(chr(34), '')}"


def test_every_key_is_there_with_its_default_and_its_comment(golden: Golden) -> None:
    golden.check(CONFIG, (HEAD + "\n".join(_rendered(Settings(), 0)) + "\n").encode())


def test_it_changes_nothing() -> None:
    assert load([CONFIG]) == Settings()


def test_a_source_takes_all_sections_but_what_concerns_the_run() -> None:
    assert set(Settings.__struct_fields__) - set(SourceSettings.__struct_fields__) == {
        "raw", "out", "shard_bytes", "workers", "store_dialogues", "engine", "scheduler", "plugins", "export",
        "sources",
    }  # fmt: skip
