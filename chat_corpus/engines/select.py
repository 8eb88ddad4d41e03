"""The choice of an engine: small inputs are processed in less time than workers need to start."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.engines.base import Engine, Site, cores
from chat_corpus.engines.inline import Inline
from chat_corpus.settings.model import Settings

#: Up to this many shards are processed in less time than workers need to start.
_FEW_SHARDS = 3
#: This many small files take as long as one shard of usual size: each is at least one shard (measured: 35 ms each).
_SMALL_FILES = 100


def select_engine(discovered: Mapping[str, DiscoveredSource], settings: Settings, folder: Path) -> Engine:
    """Return the engine for the discovered sources; its workers write under `folder`.

    Raises UsageError if Dask is requested but not installed, EngineError if its scheduler or workers cannot be used.
    """
    files = [file for source in discovered.values() for file in source.files]
    shards = sum(file.size for file in files) // settings.shard_bytes + len(files) // _SMALL_FILES
    site = Site(
        files=tuple(dict.fromkeys(Path(file.path) for file in files)),
        folder=folder,
        sources=tuple(name for name in discovered if name not in settings.corpora),  # tasks carry their definitions
        plugins=settings.plugins,
    )
    return _engine(shards, settings, site, idle=not discovered)


def select_export_engine(stores: Sequence[Path], tasks: int, settings: Settings, folder: Path) -> Engine:
    """Return the engine for an export with about this many tasks; its workers read `stores` and write under `folder`.

    Raises the errors of `select_engine`.
    """
    site = Site(files=tuple(stores), folder=folder, sources=(), plugins=())
    return _engine(tasks, settings, site, idle=False)


def _engine(tasks: int, settings: Settings, site: Site, *, idle: bool) -> Engine:
    workers = most_workers(min(settings.workers or cores(), tasks))
    if settings.scheduler and not idle:
        return _cluster(settings.scheduler, workers, site)
    if workers <= 1 or tasks <= _FEW_SHARDS:
        return Inline()
    return _cluster("", workers, site) if settings.engine == "dask" else _pool(workers)


def _cluster(address: str, workers: int, site: Site) -> Engine:
    from chat_corpus.engines.dask_cluster import Cluster  # imported here: no other engine needs asyncio

    return Cluster(address, workers, site)


def _pool(workers: int) -> Engine:
    from chat_corpus.engines.local import pool  # imported here: small inputs need no multiprocessing

    return pool(workers)


def most_workers(cores: int, platform: str = sys.platform) -> int:
    """Return the number of workers of a pool for a number of cores.

    It is at most 61 on Windows, which can wait for 63 handles at once; the pool uses two of them.
    """
    return min(cores, 61) if platform == "win32" else cores
