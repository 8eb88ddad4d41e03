"""Everything a run can be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import msgspec.inspect

from chat_corpus.exports.options import ExportOptions
from chat_corpus.pipeline.settings import SourceSettings


class Settings(SourceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a run can be told."""

    #: The folder that holds the raw corpora.
    raw: str = "raw_chat_corpus"
    #: The folder to write to.
    out: str = "clean_chat_corpus"
    #: Bytes of a raw file that are worked on at a time; memory grows with it, the output does not depend on it.
    shard_bytes: Annotated[int, msgspec.Meta(ge=1)] = 6_000_000
    #: Processes to work with; 0 for as many as there are cores. The output does not depend on it.
    workers: Annotated[int, msgspec.Meta(ge=0, le=1024)] = 0
    #: Write dialogues/<source>.parquet: every turn, clean and as it was read, with address and reason. Exports are made
    #: from it, and runs with other filters or pairs start from it.
    store_dialogues: bool = False
    #: Who does the work: local, processes of this machine, or dask, workers of a Dask cluster. The output is the same.
    engine: Literal["local", "dask"] = "local"
    #: Address of the Dask scheduler to work with, as tcp://10.0.0.1:8786; null for a Dask cluster of this machine.
    scheduler: str | None = None
    #: Python files that each hold a SOURCE of your own.
    plugins: tuple[str, ...] = ()
    #: How records are exported.
    export: ExportOptions = ExportOptions()
    #: Settings of single sources: name, then any of the sections read, text, script, filters, pairs, dedup.
    sources: Mapping[str, Mapping[str, Any]] = {}

    def of(self, source: str) -> SourceSettings:
        """The settings of one source."""
        sections = {name: getattr(self, name) for name in SourceSettings.__struct_fields__}
        merged = merge_values(msgspec.to_builtins(sections), self.sources.get(source, {}))
        return msgspec.convert(merged, SourceSettings)


def merge_values(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Values changed by others, section by section."""
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge_values(merged[key], value) if both else value
    return merged
