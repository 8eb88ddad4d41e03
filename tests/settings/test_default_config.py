"""configs/default.yaml holds every key, with its default and the comment above it in the code."""

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
# All settings of chat-corpus with their default values. `python main.py` loads this file. Change values here, or put
# changed values into your own file and pass it with --config. Flags override --config, which overrides this file.
# Each section can also be set for a single source under `sources`, for example:
#     sources: {weibo: {text: {hashtags: remove}}, subtitle: {pairs: {mode: first}}}
"""


def _rendered(struct: Any, indent: int) -> Iterator[str]:
    pad = " " * indent
    # What concerns the run as a whole first, then the sections that a source can have for itself.
    for name in sorted(struct.__struct_fields__, key=SourceSettings.__struct_fields__.__contains__):
        value = getattr(struct, name)
        section = isinstance(value, msgspec.Struct)
        comment = described(struct, name)
        yield from textwrap.wrap(comment, 116 - indent, initial_indent=f"{pad}# ", subsequent_indent=f"{pad}# ")
        if section:
            yield f"{pad}{name}:"
            yield from _rendered(value, indent + 2)
        else:
            shown = json.dumps(msgspec.to_builtins(value))
            yield f"{pad}{name}: {shown if value == '' else shown.replace(chr(34), '')}"


def test_the_file_has_every_key_with_its_default_and_its_comment(golden: Golden) -> None:
    golden.check(CONFIG, (HEAD + "\n".join(_rendered(Settings(), 0)) + "\n").encode())


def test_the_file_changes_no_default() -> None:
    assert load([CONFIG]) == Settings()


def test_all_sections_but_those_of_the_run_can_be_set_for_a_source() -> None:
    assert set(Settings.__struct_fields__) - set(SourceSettings.__struct_fields__) == {
        "raw", "out", "shard_bytes", "workers", "store_dialogues", "page", "engine", "scheduler", "plugins", "corpora",
        "export",
        "sources",
    }  # fmt: skip
