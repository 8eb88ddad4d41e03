"""The Python interface: the pipeline's frames and what is told of its outputs, for notebooks and other programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.errors import ChatCorpusError, IncompleteError, UsageError
from chat_corpus.exports.manifest import ExportSummary
from chat_corpus.lineage import compare as comparing
from chat_corpus.lineage import open_run
from chat_corpus.lineage import trace as tracing
from chat_corpus.lineage.comparison_model import Compared
from chat_corpus.outputs import dialogue_store, layout
from chat_corpus.outputs.report import Report
from chat_corpus.pipeline import process, reading, script
from chat_corpus.pipeline.shard import Shard
from chat_corpus.pipeline.text import normalizer
from chat_corpus.runs import runner
from chat_corpus.runs.export import run as exporting
from chat_corpus.runs.export.stores import stored_names
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.runs.progress import silent
from chat_corpus.schema import Traits
from chat_corpus.settings import loading
from chat_corpus.settings.model import Settings

_PAIRS = ("query", "answer", "query_file", "query_record", "answer_file", "answer_record")
#: Settings as nested dicts, with the keys of configs/default.yaml.
SettingsDict = Mapping[str, Any]


def load(
    source: str,
    raw: str | Path = "raw_chat_corpus",
    config: str | Path | Iterable[str | Path] = (),
    settings: SettingsDict | None = None,
) -> pl.DataFrame:
    """The rows of the TSV of a source as one frame, in their order.

    Columns: `query, answer, query_file, query_record, answer_file, answer_record`. Texts have their line breaks, which
    the TSV writes as two characters. Raises as `turns`.
    """
    _, own = _found(source, raw, config, settings)
    frames = list(pairs(source, raw, config, settings))
    rows = pl.concat(frames) if frames else pl.DataFrame(schema=dict.fromkeys(_PAIRS, pl.String))
    known = sources.load(own.plugins)[source]
    wanted = own.of(source).dedup.exact
    once = wanted == "always" or (wanted == "source" and known.overlapping)
    return rows.unique(("query", "answer"), keep="first", maintain_order=True) if once else rows


def dialogues(
    source: str,
    raw: str | Path = "raw_chat_corpus",
    config: str | Path | Iterable[str | Path] = (),
    settings: SettingsDict | None = None,
    *,
    out: str | Path | None = None,
) -> pl.DataFrame:
    """Every turn of a source as one frame: the columns and rows of its dialogue store (`dialogue_store.SCHEMA`).

    With `out`, the store in this output folder is read; else the raw corpus. Raises as `turns`, and UsageError where
    there is no store.
    """
    if out is not None:
        path = layout.dialogues(Path(out), source)
        try:
            dialogue_store.check_schema(path, source)
        except (OSError, ValueError) as error:
            raise UsageError(f"{path}: no dialogue store: {error}; run with --store-dialogues") from error
        return dialogue_store.read(path)
    found, own = _found(source, raw, config, settings)
    frames = [dialogue_store.SCHEMA.to_frame()]
    for shard in ShardPlanner(found=found, settings=own).shards():
        records = reading.records(shard, found.source)
        cleaned = process.clean_turns(shard, found.source, own.of(source), records)
        result = process.filter_and_pair(cleaned, shard, found.source, own.of(source), partial(tuple, records))
        frames.append(dialogue_store.rows(cleaned, result, shard, found.source))
    return pl.concat(frames)


def run(
    *sources: str,
    raw: str | Path = "raw_chat_corpus",
    out: str | Path = "clean_chat_corpus",
    settings: SettingsDict | None = None,
    force: bool = False,
) -> Report:
    """Do what the command `run` does, for these sources or all that are found, and return its report.

    One process does all the work, unless the settings give `workers`; a script that does so needs
    ``if __name__ == "__main__":``. Raises UsageError for wrong settings or names, IncompleteError where a source is
    missing, ChatCorpusError where one fails; the others are done before.
    """
    own = _settings(raw, (), settings, out=out)
    done, report = runner.run(_wanted(sources, own), own, silent, replace=force)
    errors = [one.error for one in done.values() if one.error]
    if errors:
        raise ChatCorpusError("; ".join(errors))
    return report


def export(
    folder: str | Path,
    *sources: str,
    raw: str | Path | None = None,
    out: str | Path = "clean_chat_corpus",
    settings: SettingsDict | None = None,
    force: bool = False,
) -> ExportSummary:
    """Do what the command `export` does, for these sources or all that there are, and return what is in manifest.json.

    The dialogue stores under `out` are exported, or with `raw` the corpora of that folder. Options are settings of the
    section `export`. Processes as in `run`. Raises UsageError where the folder cannot be used, IncompleteError where a
    source cannot be exported, after the others have been.
    """
    own = _settings("raw_chat_corpus" if raw is None else raw, (), settings, out=out)
    if raw is None:
        names = list(sources) or stored_names(Path(out))
        if not names:
            raise IncompleteError(f"{out}: no dialogue stores; run with --store-dialogues, or give raw")
        exported = exporting.export_stores(Path(folder), names, own, force=force)
    else:
        exported, _ = exporting.export_raw(Path(folder), _wanted(sources, own), own, silent, force=force)
    if exported.faults or exported.summary is None:
        raise IncompleteError("; ".join(f"{name}: {fault}" for name, fault in exported.faults.items()))
    return exported.summary


def turns(
    source: str,
    raw: str | Path = "raw_chat_corpus",
    config: str | Path | Iterable[str | Path] = (),
    settings: SettingsDict | None = None,
) -> Iterator[pl.DataFrame]:
    """The turns of a source, one frame a shard: the columns of `schema.TURNS` with clean text, and `file` and `raw`.

    `raw` is the text as it was read, `before_conversion` the clean text before script conversion; `dialogue_id`
    counts anew in each shard. Rejected turns are there too, with their `reason`. Raises, when the first frame is
    requested, UsageError for an unknown source or a faulty config, IncompleteError where the corpus is absent,
    ChatCorpusError where a file cannot be read.
    """
    for shard, outcome in _outcomes(source, raw, config, settings):
        yield outcome.turns.with_columns(file=_files(shard, outcome.turns["file_index"]))


def pairs(
    source: str,
    raw: str | Path = "raw_chat_corpus",
    config: str | Path | Iterable[str | Path] = (),
    settings: SettingsDict | None = None,
) -> Iterator[pl.DataFrame]:
    """The pairs of a source, one frame a shard: `query, answer, query_file, query_record, answer_file, answer_record`.

    The same pair in two shards comes twice; `python main.py` writes it once where the source asks for it. Raises as
    `turns` does.
    """
    for shard, outcome in _outcomes(source, raw, config, settings):
        found = outcome.pairs
        named = {f"{side}_file": _files(shard, found[f"{side}_file_index"]) for side in ("query", "answer")}
        yield found.with_columns(**named).select(_PAIRS)


def normalize(texts: Iterable[str | None], traits: Traits | None = None, settings: Settings | None = None) -> pl.Series:
    """Texts through the text steps and the script conversion, as turns of a source with these traits.

    `traits` are those of a source, `sources.load()["weibo"].traits`, or by default those of plain simplified text.
    Raises TypeError for a single text.

    >>> normalize(["這裡  有人嗎？", None]).to_list()
    ['这里 有人吗？', None]
    """
    if isinstance(texts, str):
        raise TypeError("a list of texts expected, a single one met: normalize([text])")
    traits, settings = traits or Traits(), settings or loading.load()
    clean = normalizer.normalize(pl.Series("text", list(texts), dtype=pl.String), settings.text, traits)
    return script.load(settings.script).convert(clean, declared=traits.script)["text"]


def trace(
    tsv: str | Path, *rows: int, raw: str | Path | None = None, plugins: Iterable[str | Path] = ()
) -> list[tracing.Row]:
    """Where rows of an output, from 1, came from; `raw` is where the raw files are now, if not where the report says.

    `plugins` are the Python files that the output was made with: they are run again, and no other.

    Raises UsageError where there is no such row or no report, ChatCorpusError where raw files, settings, code or the
    output have changed since.
    """
    written = open_run.load_by_tsv(Path(tsv), _name(raw), [str(file) for file in plugins])
    return [tracing.trace(written, row) for row in rows]


def explain(
    file: str | Path,
    *records: int,
    out: str | Path = "clean_chat_corpus",
    raw: str | Path | None = None,
    plugins: Iterable[str | Path] = (),
) -> list[tracing.Record]:
    """What became of raw records, from 1, in the outputs under `out`; `file` is a path, or a name as reports have it.

    Raises UsageError where no such record was read, and else as `trace`.
    """
    written, name = open_run.load_by_raw_file(str(file), Path(out), _name(raw), [str(one) for one in plugins])
    return [tracing.explain(written, name, record) for record in records]


def compare(
    old: str | Path,
    new: str | Path,
    *,
    raw: str | Path | None = None,
    examples: int = 2,
    shards: int = 32,
    plugins: Iterable[str | Path] = (),
) -> Iterator[Compared]:
    """In what the files of pairs of two output folders are not the same, and why, source by source.

    Up to `examples` rows are given for each kind and cause; up to `shards` shards of a source are done again to find
    causes, 0 for all. Raises UsageError, when the first is asked for, where a folder holds no file of pairs.
    """
    named = [str(file) for file in plugins]
    return comparing.compare(Path(old), Path(new), _name(raw), examples=examples, max_shards=shards, plugins=named)


def _name(folder: str | Path | None) -> str | None:
    return None if folder is None else str(folder)


def _outcomes(
    name: str, raw: str | Path, config: str | Path | Iterable[str | Path], settings: SettingsDict | None
) -> Iterator[tuple[Shard, process.ShardResult]]:
    found, own = _found(name, raw, config, settings)
    for shard in ShardPlanner(found=found, settings=own).shards():
        yield shard, process.process_shard(shard, found.source, own.of(name))


def _found(
    name: str, raw: str | Path, config: str | Path | Iterable[str | Path], settings: SettingsDict | None
) -> tuple[DiscoveredSource, Settings]:
    """What is found of a source, and all settings. Raises UsageError and IncompleteError."""
    own = _settings(raw, config, settings)
    return _wanted((name,), own)[name], own


def _settings(
    raw: str | Path,
    config: str | Path | Iterable[str | Path],
    settings: SettingsDict | None,
    out: str | Path = "clean_chat_corpus",
) -> Settings:
    """Settings from files and a dict, whose values win. Raises UsageError for unknown keys and wrong values."""
    files = [Path(config)] if isinstance(config, str | Path) else [Path(file) for file in config]
    flags = {"workers": 1, **(settings or {}), "raw": str(raw), "out": str(out)}
    own = loading.load(files, flags)
    loading.check_sources(files, own, sources.load(own.plugins))
    return own


def _wanted(names: Iterable[str], settings: Settings) -> dict[str, DiscoveredSource]:
    """What is found of these sources, or of all that are there. Raises UsageError and IncompleteError."""
    known = sources.load(settings.plugins)
    for name in names:
        if name not in known:
            raise UsageError(f"no source named {name!r}; there are {', '.join(known)}")
    found = discover_sources(Path(settings.raw), known)
    chosen = {name: found[name] for name in names} or {name: one for name, one in found.items() if one.groups}
    for name, one in chosen.items():
        if not one.groups:
            raise IncompleteError(
                "; ".join([f"{name}: {one.state} under {settings.raw}", *one.damaged, one.source.obtain])
            )
    if not chosen:
        raise IncompleteError(f"no corpus found under {settings.raw}")
    return chosen


def _files(shard: Shard, parts: pl.Series) -> pl.Series:
    return pl.Series("file", [piece.file.name for piece in shard.pieces])[parts]
