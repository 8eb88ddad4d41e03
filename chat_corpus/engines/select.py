"""Which engine does a run: it has to be worth its start."""

from __future__ import annotations

from collections.abc import Mapping
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
    workers = most_workers(min(settings.workers or cores(), shards))
    site = dask_cluster.Site(
        files=tuple(dict.fromkeys(Path(file.path) for file in files)),
        folder=folder,
        sources=tuple(name for name in found if name not in settings.corpora),  # whose definitions go with the tasks
        plugins=settings.plugins,
    )
    if settings.scheduler and found:
        return dask_cluster.Cluster(settings.scheduler, workers, site)
    if workers <= 1 or shards <= _FEW_SHARDS:
        return Inline()
    return dask_cluster.Cluster("", workers, site) if settings.engine == "dask" else pool(workers)
