"""Which engine does a run: it has to be worth its start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.engines import dask_cluster
from chat_corpus.engines.base import Engine, cores
from chat_corpus.engines.local import Inline, most_workers, pool
from chat_corpus.settings.model import Settings

#: Less than this many shards are done before workers would have started.
_FEW_SHARDS = 3
#: Each file has a shard of its own: so many small ones take as long as one of the usual size (measured: 35 ms each).
_SMALL_FILES = 100


def select_engine(found: Mapping[str, DiscoveredSource], settings: Settings, folder: Path) -> Engine:
    """The engine for what was `found`, whose workers write under `folder`.

    Raises UsageError where Dask is asked for and not installed, EngineError where its scheduler or workers will not do.
    """
    files = [file for one in found.values() for file in one.files]
    shards = sum(file.size for file in files) // settings.shard_bytes + len(files) // _SMALL_FILES
    site = dask_cluster.Site(
        files=tuple(dict.fromkeys(Path(file.path) for file in files)),
        folder=folder,
        sources=tuple(found),
        plugins=settings.plugins,
    )
    return _engine(shards, settings, site, idle=not found)


def select_export_engine(stores: Sequence[Path], tasks: int, settings: Settings, folder: Path) -> Engine:
    """The engine for about so many tasks of an export, whose workers read `stores` and write under `folder`.

    Raises as `select_engine`.
    """
    site = dask_cluster.Site(files=tuple(stores), folder=folder, sources=(), plugins=())
    return _engine(tasks, settings, site, idle=not stores)


def _engine(tasks: int, settings: Settings, site: dask_cluster.Site, *, idle: bool) -> Engine:
    workers = most_workers(min(settings.workers or cores(), tasks))
    if settings.scheduler and not idle:
        return dask_cluster.Cluster(settings.scheduler, workers, site)
    if workers <= 1 or tasks <= _FEW_SHARDS:
        return Inline()
    return dask_cluster.Cluster("", workers, site) if settings.engine == "dask" else pool(workers)
