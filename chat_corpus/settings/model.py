"""The settings of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import msgspec.inspect

from chat_corpus.exports.options import ExportOptions
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.sources.definitions import Definition, Definitions


class Settings(SourceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of a run."""

    #: Folder of the raw corpora.
    raw: str = "raw_chat_corpus"
    #: Folder of the output.
    out: str = "clean_chat_corpus"
    #: Bytes of a raw file per shard. Larger shards need more memory. The output does not depend on it.
    shard_bytes: Annotated[int, msgspec.Meta(ge=1)] = 8_000_000
    #: Number of worker processes; 0 means one per core. The output does not depend on it.
    workers: Annotated[int, msgspec.Meta(ge=0, le=1024)] = 0
    #: Write dialogues/<source>.parquet: every turn, clean and as it was read, with address and reason. Exports are made
    #: from it, and runs with other filters or pairs start from it.
    store_dialogues: bool = False
    #: Write report.html: figures, tables and samples of the report, to look at.
    page: bool = True
    #: What runs the shards. local: processes of this machine; dask: workers of a Dask cluster. The output is the same.
    engine: Literal["local", "dask"] = "local"
    #: Address of the Dask scheduler, such as tcp://10.0.0.1:8786; null starts a Dask cluster on this machine.
    scheduler: str | None = None
    #: Python files that each define a custom SOURCE.
    plugins: tuple[str, ...] = ()
    #: Your own corpora: the name, with a path, and layout, columns, gap, script, markup, segmentation, structured,
    #: pairing, licence, title, url where a default does not fit.
    corpora: Mapping[str, Definition] = {}
    #: How records are exported.
    export: ExportOptions = ExportOptions()
    #: Settings of single sources: the name, with any of the sections read, text, script, filters, pairs, dedup,
    #: relatedness.
    sources: Mapping[str, Mapping[str, Any]] = {}

    @property
    def added(self) -> Definitions:
        """The corpora that the user adds, by name."""
        return tuple(self.corpora.items())

    def of(self, source: str) -> SourceSettings:
        """Return the settings of one source."""
        sections = {name: getattr(self, name) for name in SourceSettings.__struct_fields__}
        merged = merge_values(msgspec.to_builtins(sections), self.sources.get(source, {}))
        return msgspec.convert(merged, SourceSettings)


def merge_values(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `changes`; sections that are in both are merged."""
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge_values(merged[key], value) if both else value
    return merged
