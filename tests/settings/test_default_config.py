"""configs/default.yaml holds every key, with its default and the comment above it in the code."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import msgspec

from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.settings.loading import load
from chat_corpus.settings.model import Settings
from tests.conftest import ROOT, Golden

CONFIG = ROOT / "configs" / "default.yaml"
HEAD = """\
# All settings of chat-corpus with their default values. `python main.py` loads this file. Change values here, or put
# changed values into your own file and pass it with --config. Flags override --config, which overrides this file.
# Each section can also be set for a single source under `sources`, for example:
#     sources: {weibo: {text: {hashtags: remove}}, subtitle: {pairs: {mode: first}}}
"""


def _comments(kind: type[Any]) -> dict[str, list[str]]:
    """Return the `#:` comment above each field of a struct, those of its bases first."""
    comments: dict[str, list[str]] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, msgspec.Struct) and base is not msgspec.Struct:
            pattern = r"((?:^    #:.*\n)+)    (\w+):"
            for comment, name in re.findall(pattern, inspect.getsource(base), re.MULTILINE):
                comments[name] = [line.strip()[2:].strip() for line in comment.splitlines()]
    return comments


def _rendered(struct: Any, indent: int) -> Iterator[str]:
    pad = " " * indent
    comments = _comments(type(struct))
    # First the settings of the run, then the sections that can be set for a single source.
    for name in sorted(struct.__struct_fields__, key=SourceSettings.__struct_fields__.__contains__):
        value = getattr(struct, name)
        section = isinstance(value, msgspec.Struct)
        comment = " ".join(comments.get(name, [])) or (inspect.getdoc(type(value)) or "").split("\n")[0]
        assert comment, f"{type(struct).__name__}.{name} has no comment for the user"
        yield from textwrap.wrap(comment, 116 - indent, initial_indent=f"{pad}# ", subsequent_indent=f"{pad}# ")
        if section:
            yield f"{pad}{name}:"
            yield from _rendered(value, indent + 2)
        else:
            yield f"{pad}{name}: {json.dumps(msgspec.to_builtins(value))}".replace('"', "")


def test_the_file_has_every_key_with_its_default_and_its_comment(golden: Golden) -> None:
    golden.check(CONFIG, (HEAD + "\n".join(_rendered(Settings(), 0)) + "\n").encode())


def test_the_file_changes_no_default() -> None:
    assert load([CONFIG]) == Settings()


def test_all_sections_but_those_of_the_run_can_be_set_for_a_source() -> None:
    assert set(Settings.__struct_fields__) - set(SourceSettings.__struct_fields__) == {
        "raw", "out", "shard_bytes", "workers", "store_dialogues", "engine", "scheduler", "plugins", "sources",
    }  # fmt: skip
