"""The Python interface for notebooks and other programs: frames of turns and pairs, and facts about outputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from chat_corpus import sources
from chat_corpus.api_arguments import (
    SettingsDict,
    check_names,
    chosen_sources,
    discovered,
    name_of,
    places,
    read_settings,
)
from chat_corpus.errors import ChatCorpusError, IncompleteError, UsageError
from chat_corpus.exports.manifest import ExportSummary
from chat_corpus.lineage import compare as comparing
from chat_corpus.lineage import open_run, raw_file_run, trace_model
from chat_corpus.lineage import trace as tracing
from chat_corpus.lineage.comparison_model import Compared
from chat_corpus.messages import error_text, joined, message
from chat_corpus.outputs import dialogue_store, layout
from chat_corpus.outputs.report import Report
from chat_corpus.pipeline import process, reading, script
from chat_corpus.pipeline.pair_passes import table
from chat_corpus.pipeline.pair_passes.facts import ShardPairs
from chat_corpus.pipeline.pair_passes.pass_input import PairFacts
from chat_corpus.pipeline.shard import Shard
from chat_corpus.pipeline.text import normalizer
from chat_corpus.row_masks import row_mask
from chat_corpus.runs import runner
from chat_corpus.runs.export import run as exporting
from chat_corpus.runs.export.stores import stored_names, with_reported_corpora
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.runs.progress import silent
from chat_corpus.schema import Traits
from chat_corpus.settings import loading
from chat_corpus.settings.model import Settings

_PAIRS = ("query", "answer", "query_file", "query_record", "answer_file", "answer_record")


def load(
    source: str,
    raw: str | Path = "raw_chat_corpus",
    config: str | Path | Iterable[str | Path] = (),
    settings: SettingsDict | None = None,
) -> pl.DataFrame:
    """Return the rows of the TSV of a source as one frame, in order.

    Columns: `query, answer, query_file, query_record, answer_file, answer_record`. Texts have their line breaks, which
    the TSV writes as two characters. Raises the errors of `turns`.
    """
    _, all_settings = discovered(source, raw, config, settings)
    declaration = sources.load(all_settings.plugins, all_settings.added)[source]
    passes = table.enabled(all_settings.of(source), declaration)
    frames = [pl.DataFrame(schema=dict.fromkeys(_PAIRS, pl.String))]
    parts: list[PairFacts] = []
    with TemporaryDirectory() as folder:
        for shard, outcome in _outcomes(source, raw, config, settings):
            frames.append(_pairs(shard, outcome))
            pairs = ShardPairs.of(outcome, shard, all_settings.of(source))
            parts.append(pairs.leave(Path(folder), len(parts), table.needed_facts(passes)))
        rows = pl.concat(frames[1:] or frames)
        if not passes or not parts:
            return rows
        dropped = table.find_dropped(passes, parts, all_settings.of(source), Path(folder)).rows["row"]
    return rows.filter(~row_mask(len(rows), dropped))


def dialogues(
    source: str,
    raw: str | Path = "raw_chat_corpus",
    config: str | Path | Iterable[str | Path] = (),
    settings: SettingsDict | None = None,
    *,
    out: str | Path | None = None,
) -> pl.DataFrame:
    """Return every turn of a source as one frame: the columns and rows of its dialogue store (`dialogue_store.SCHEMA`).

    If `out` is set, the store in this output folder is read, otherwise the raw corpus. Raises the errors of `turns`,
    and UsageError if there is no usable store.
    """
    if out is not None:
        path = layout.dialogues(Path(out), source)
        try:
            dialogue_store.check_schema(path, source)
        except (OSError, ValueError) as error:
            fault = message(
                "{file}: not a usable dialogue store: {error}; run with --store-dialogues",
                file=path,
                error=error_text(error),
            )
            raise UsageError(fault) from error
        return dialogue_store.read(path)
    found, all_settings = discovered(source, raw, config, settings)
    frames = [dialogue_store.SCHEMA.to_frame()]
    for shard in ShardPlanner(found=found, settings=all_settings).shards():
        records = reading.records(shard, found.source)
        cleaned = process.clean_turns(shard, found.source, all_settings.of(source), records)
        result = process.filter_and_pair(cleaned, shard, found.source, all_settings.of(source), partial(tuple, records))
        frames.append(dialogue_store.rows(cleaned, result, shard, found.source))
    return pl.concat(frames)


def run(
    *sources: str,
    raw: str | Path = "raw_chat_corpus",
    out: str | Path = "clean_chat_corpus",
    settings: SettingsDict | None = None,
    force: bool = False,
) -> Report:
    """Run the command `run` for these sources, or for all that are found, and return its report.

    One process does all the work, unless the settings have `workers`; a script that sets it needs
    ``if __name__ == "__main__":``. Raises UsageError for wrong settings or names, IncompleteError if a source is
    missing, ChatCorpusError if one fails; the other sources are finished before.
    """
    all_settings = read_settings(raw, (), settings, out=out)
    done, report = runner.run(chosen_sources(sources, all_settings), all_settings, silent, replace=force)
    errors = [source.error for source in done.values() if source.error]
    if errors:
        raise ChatCorpusError(joined("; ", errors))
    return report


def export(
    folder: str | Path,
    *sources: str,
    raw: str | Path | None = None,
    out: str | Path = "clean_chat_corpus",
    settings: SettingsDict | None = None,
    force: bool = False,
) -> ExportSummary:
    """Run the command `export` for these sources, or for all that are found, and return the content of manifest.json.

    Exports the dialogue stores under `out`, or, if `raw` is set, the corpora in that folder. Options are settings of
    the section `export`. The number of processes is as in `run`. Raises UsageError if the folder cannot be used, and
    IncompleteError if a source cannot be exported; the other sources are exported before.
    """
    all_settings = read_settings("raw_chat_corpus" if raw is None else raw, (), settings, out=out)
    if raw is None:
        all_settings = with_reported_corpora(all_settings)
        check_names(sources, all_settings)
        names = list(sources) or stored_names(Path(out))
        if not names:
            fault = message("{folder}: no dialogue stores; run with --store-dialogues, or set raw", folder=out)
            raise IncompleteError(fault)
        exported = exporting.export_stores(Path(folder), names, all_settings, force=force)
    else:
        exported, _ = exporting.export_raw(
            Path(folder), chosen_sources(sources, all_settings), all_settings, silent, force=force
        )
    if exported.faults or exported.summary is None:
        faults = [message("{source}: {fault}", source=name, fault=fault) for name, fault in exported.faults.items()]
        raise IncompleteError(joined("; ", faults))
    return exported.summary


def turns(
    source: str,
    raw: str | Path = "raw_chat_corpus",
    config: str | Path | Iterable[str | Path] = (),
    settings: SettingsDict | None = None,
) -> Iterator[pl.DataFrame]:
    """Yield the turns of a source, one frame per shard: the columns of `schema.TURNS` with clean text, `file`, `raw`.

    `raw` is the text of the raw file, `before_conversion` the clean text before script conversion; `dialogue_id`
    starts from 0 in each shard. Rejected turns are included, with their `reason`. The first frame raises UsageError for
    an unknown source or a wrong configuration, IncompleteError if the corpus is absent, and ChatCorpusError if a file
    cannot be read.
    """
    for shard, outcome in _outcomes(source, raw, config, settings):
        yield outcome.turns.with_columns(file=_files(shard, outcome.turns["file_index"]))


def pairs(
    source: str,
    raw: str | Path = "raw_chat_corpus",
    config: str | Path | Iterable[str | Path] = (),
    settings: SettingsDict | None = None,
) -> Iterator[pl.DataFrame]:
    """Yield pairs, one frame per shard: `query, answer, query_file, query_record, answer_file, answer_record`.

    Passes over all pairs, such as the one that drops duplicates, do not run; `load` runs them. Raises the errors of
    `turns`.
    """
    for shard, outcome in _outcomes(source, raw, config, settings):
        yield _pairs(shard, outcome)


def _pairs(shard: Shard, outcome: process.ShardResult) -> pl.DataFrame:
    frame = outcome.pairs
    named = {f"{side}_file": _files(shard, frame[f"{side}_file_index"]) for side in ("query", "answer")}
    return frame.with_columns(**named).select(_PAIRS)


def normalize(texts: Iterable[str | None], traits: Traits | None = None, settings: Settings | None = None) -> pl.Series:
    """Return texts after the text steps and the script conversion, treated as turns of a source with these traits.

    `traits` may be those of a source, `sources.load()["weibo"].traits`; the default is plain simplified text. Raises
    TypeError for a single text.

    >>> normalize(["這裡  有人嗎？", None]).to_list()
    ['这里 有人吗？', None]
    """
    if isinstance(texts, str):
        raise TypeError(message("expected a list of texts, found a single text: call normalize([text])"))
    traits, settings = traits or Traits(), settings or loading.load()
    clean = normalizer.normalize(pl.Series("text", list(texts), dtype=pl.String), settings.text, traits)
    return script.load(settings.script).convert(clean, declared=traits.script)["text"]


def trace(
    tsv: str | Path,
    *rows: int,
    raw: str | Path | None = None,
    plugins: Iterable[str | Path] = (),
    added: Mapping[str, str | Path] | None = None,
) -> list[trace_model.Row]:
    """Return where rows of an output, numbered from 1, came from.

    `raw` is the folder of the raw files, by default the one in the report. For added corpora that were moved, `added`
    maps the name of the corpus to its new file or folder. `plugins` are the Python files of the run that made the
    output; they are executed again. Raises UsageError for a missing row or report, and ChatCorpusError if raw files,
    settings, code or the output have changed since the run.
    """
    run = open_run.load_by_tsv(Path(tsv), name_of(raw), [str(file) for file in plugins], places(added))
    return [tracing.trace(run, row) for row in rows]


def explain(
    file: str | Path,
    *records: int,
    out: str | Path = "clean_chat_corpus",
    raw: str | Path | None = None,
    plugins: Iterable[str | Path] = (),
    added: Mapping[str, str | Path] | None = None,
) -> list[trace_model.Record]:
    """Return what became of raw records, numbered from 1, in the outputs under `out`.

    `file` is a path, or the name of the file in reports. Raises UsageError for a record that the run did not read, and
    the errors of `trace`.
    """
    files = [str(plugin) for plugin in plugins]
    run, name = raw_file_run.load_by_raw_file(str(file), Path(out), name_of(raw), files, places(added))
    return [tracing.explain(run, name, record) for record in records]


def compare(
    old: str | Path,
    new: str | Path,
    *,
    raw: str | Path | None = None,
    examples: int = 2,
    shards: int = 32,
    plugins: Iterable[str | Path] = (),
    added: Mapping[str, str | Path] | None = None,
) -> Iterator[Compared]:
    """Yield the differences between the pairs of two output folders, and their causes, one item per source.

    Each kind and cause has up to `examples` rows. To find causes, up to `shards` shards of a source are processed
    again, 0 for all. The first item raises UsageError if a folder holds no file of pairs.
    """
    files = [str(file) for file in plugins]
    return comparing.compare(
        Path(old), Path(new), name_of(raw), examples=examples, max_shards=shards, plugins=files, places=places(added)
    )


def _outcomes(
    name: str, raw: str | Path, config: str | Path | Iterable[str | Path], settings: SettingsDict | None
) -> Iterator[tuple[Shard, process.ShardResult]]:
    found, all_settings = discovered(name, raw, config, settings)
    for shard in ShardPlanner(found=found, settings=all_settings).shards():
        yield shard, process.process_shard(shard, found.source, all_settings.of(name))


def _files(shard: Shard, indices: pl.Series) -> pl.Series:
    return pl.Series("file", [piece.file.name for piece in shard.pieces])[indices]
