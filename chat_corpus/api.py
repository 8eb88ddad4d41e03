"""The Python interface for notebooks and other programs: frames of turns and pairs, and facts about outputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl
from msgspec.structs import replace

from chat_corpus import sources
from chat_corpus.discovery.added_layouts import settle_all
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.errors import IncompleteError, UsageError
from chat_corpus.lineage import compare as comparing
from chat_corpus.lineage import open_run
from chat_corpus.lineage import trace as tracing
from chat_corpus.lineage.comparison_model import Compared
from chat_corpus.messages import joined, message
from chat_corpus.pipeline import process, script
from chat_corpus.pipeline.shard import Shard
from chat_corpus.pipeline.text import normalizer
from chat_corpus.runs.planner import ShardPlanner
from chat_corpus.schema import Traits
from chat_corpus.settings.loading import load
from chat_corpus.settings.model import Settings


def turns(
    source: str, raw: str | Path = "raw_chat_corpus", config: str | Path | Iterable[str | Path] = ()
) -> Iterator[pl.DataFrame]:
    """Yield the turns of a source, one frame per shard: the columns of `schema.TURNS` with clean text, `file`, `raw`.

    `raw` is the text of the raw file, `before_conversion` the clean text before script conversion; `dialogue_id`
    starts from 0 in each shard. Rejected turns are included, with their `reason`. The first frame raises UsageError for
    an unknown source or a wrong configuration, IncompleteError if the corpus is absent, and ChatCorpusError if a file
    cannot be read.
    """
    for shard, outcome in _outcomes(source, raw, config):
        yield outcome.turns.with_columns(file=_files(shard, outcome.turns["file_index"]))


def pairs(
    source: str, raw: str | Path = "raw_chat_corpus", config: str | Path | Iterable[str | Path] = ()
) -> Iterator[pl.DataFrame]:
    """Yield pairs, one frame per shard: `query, answer, query_file, query_record, answer_file, answer_record`.

    A pair that is in two shards is in two frames; `python main.py` writes it once if the settings say so. Raises the
    errors of `turns`.
    """
    for shard, outcome in _outcomes(source, raw, config):
        frame = outcome.pairs
        files = {f"{side}_file": _files(shard, frame[f"{side}_file_index"]) for side in ("query", "answer")}
        yield frame.with_columns(**files).select(
            "query", "answer", "query_file", "query_record", "answer_file", "answer_record"
        )


def normalize(texts: Iterable[str | None], traits: Traits | None = None, settings: Settings | None = None) -> pl.Series:
    """Return texts after the text steps and the script conversion, treated as turns of a source with these traits.

    `traits` may be those of a source, `sources.load()["weibo"].traits`; the default is plain simplified text. Raises
    TypeError for a single text.

    >>> normalize(["這裡  有人嗎？", None]).to_list()
    ['这里 有人吗？', None]
    """
    if isinstance(texts, str):
        raise TypeError(message("expected a list of texts, found a single text: call normalize([text])"))
    traits, settings = traits or Traits(), settings or load()
    clean = normalizer.normalize(pl.Series("text", list(texts), dtype=pl.String), settings.text, traits)
    return script.load(settings.script).convert(clean, declared=traits.script)["text"]


def trace(
    tsv: str | Path, *rows: int, raw: str | Path | None = None, plugins: Iterable[str | Path] = ()
) -> list[tracing.Row]:
    """Return where rows of an output, numbered from 1, came from.

    `raw` is the folder of the raw files, by default the one in the report. `plugins` are the Python files of the run
    that made the output: they are executed again. Raises UsageError for a missing row or report, and ChatCorpusError
    if raw files, settings, code or the output have changed since the run.
    """
    run = open_run.load_by_tsv(Path(tsv), _name(raw), [str(file) for file in plugins])
    return [tracing.trace(run, row) for row in rows]


def explain(
    file: str | Path,
    *records: int,
    out: str | Path = "clean_chat_corpus",
    raw: str | Path | None = None,
    plugins: Iterable[str | Path] = (),
) -> list[tracing.Record]:
    """Return what became of raw records, numbered from 1, in the outputs under `out`.

    `file` is a path, or the name of the file in reports. Raises UsageError for a record that the run did not read, and
    the errors of `trace`.
    """
    run, name = open_run.load_by_raw_file(str(file), Path(out), _name(raw), [str(plugin) for plugin in plugins])
    return [tracing.explain(run, name, record) for record in records]


def compare(
    old: str | Path,
    new: str | Path,
    *,
    raw: str | Path | None = None,
    examples: int = 2,
    shards: int = 32,
    plugins: Iterable[str | Path] = (),
) -> Iterator[Compared]:
    """Yield the differences between the pairs of two output folders, and their causes, one item per source.

    Each kind and cause has up to `examples` rows. To find causes, up to `shards` shards of a source are processed
    again, 0 for all. The first item raises UsageError if a folder holds no file of pairs.
    """
    files = [str(file) for file in plugins]
    return comparing.compare(Path(old), Path(new), _name(raw), examples=examples, max_shards=shards, plugins=files)


def _name(folder: str | Path | None) -> str | None:
    return None if folder is None else str(folder)


def _outcomes(
    name: str, raw: str | Path, config: str | Path | Iterable[str | Path]
) -> Iterator[tuple[Shard, process.ShardResult]]:
    files = [config] if isinstance(config, str | Path) else config
    settings = load([Path(file) for file in files])
    settings = replace(settings, corpora=settle_all(settings.corpora))
    all_sources = sources.load(settings.plugins, settings.added)
    if name not in all_sources:
        names = ", ".join(all_sources)
        raise UsageError(message("no source is named '{name}'; the sources are: {names}", name=name, names=names))
    discovered = discover_sources(Path(raw), all_sources, settings.added)[name]
    if not discovered.groups:
        state = message("{source}: {state} in {folder}", source=name, state=discovered.state, folder=raw)
        raise IncompleteError(joined("; ", [state, *discovered.damaged, discovered.source.obtain]))
    plan = ShardPlanner(found=discovered, settings=settings)
    for shard in plan.shards():
        yield shard, process.process_shard(shard, discovered.source, settings.of(name))


def _files(shard: Shard, indices: pl.Series) -> pl.Series:
    return pl.Series("file", [piece.file.name for piece in shard.pieces])[indices]
