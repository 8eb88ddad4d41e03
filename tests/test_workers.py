"""Workers that cannot be started, or that a plugin's code ends: only the source of the plugin fails."""

from __future__ import annotations

import json
import logging
import pickle
from pathlib import Path
from typing import Any

import pytest

from chat_corpus import sources
from chat_corpus.cli import console
from chat_corpus.discovery.model import DiscoveredSource, FileGroup
from chat_corpus.engines import local, worker_checks
from chat_corpus.engines.base import Site
from chat_corpus.engines.dask_cluster import Cluster
from chat_corpus.engines.inline import Inline
from chat_corpus.engines.local import Pool, pool
from chat_corpus.engines.select import select_engine
from chat_corpus.errors import ChatCorpusError, EngineError, FileError, attributed
from chat_corpus.files.raw_file import RawFile, check_unchanged
from chat_corpus.settings.model import Settings
from tests.conftest import slow_from
from tests.helpers import invoke, program, put


@pytest.mark.parametrize(
    "error",
    [
        OSError(38, "Function not implemented"),  # no semaphores
        PermissionError(13, "Permission denied"),  # no access to /dev/shm
        BlockingIOError(11, "Resource temporarily unavailable"),  # no more processes
        OSError(24, "Too many open files"),
        ImportError("This platform lacks a functioning sem_open implementation"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("when", ["made", "started"])
def test_without_workers_the_process_itself_does_the_work(
    when: str, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ended = []

    class Failing:
        def __init__(self, *_: object, **__: object) -> None:
            if when == "made":
                raise error

        def submit(self, *_: object) -> None:
            raise error

        def shutdown(self, **_: object) -> None:
            ended.append(self)

    monkeypatch.setattr(local, "ProcessPoolExecutor", Failing)
    logging.getLogger("chat_corpus").propagate = True
    engine = pool(2)
    assert isinstance(engine, Inline)
    assert len(ended) == (when == "started"), "a started pool is shut down"
    assert "worker processes cannot be started" in caplog.text
    assert str(error) in caplog.text


def test_without_a_new_pool_the_process_itself_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Pool(1)
    engine.stop()
    monkeypatch.setattr(local, "ProcessPoolExecutor", None)

    def failing(*_: object) -> None:
        raise OSError(11, "no more")

    monkeypatch.setattr(local, "start_tracker", failing)
    assert isinstance(engine.restart(), Inline)


@pytest.mark.slow
def test_the_error_of_a_cluster_that_cannot_be_started_names_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed")

    def failing(**_: object) -> None:
        try:
            raise OSError(30, "Read-only file system")
        except OSError as error:
            raise RuntimeError("Nanny failed to start.") from error

    monkeypatch.setattr(distributed, "LocalCluster", failing)
    with pytest.raises(EngineError, match="Read-only file system; use --engine local"):
        Cluster("", 2, Site(files=(), folder=tmp_path, sources=(), plugins=()))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("files", "pooled"), [(1, False), (350, False), (1000, True)])
def test_many_small_files_are_worth_workers(
    files: int, pooled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools: list[int] = []
    monkeypatch.setattr("chat_corpus.engines.local.pool", pools.append)
    raw = tuple(RawFile(path=str(tmp_path / f"{n}.txt"), name=f"{n}.txt", size=30) for n in range(files))
    tieba = DiscoveredSource(source=sources.load()["tieba"], groups=[FileGroup(input=0, files=raw)])
    select_engine({"tieba": tieba}, Settings(workers=2), tmp_path)
    assert pools == [2] * pooled


def raises(error: BaseException) -> None:
    try:
        raise _Odd
    except _Odd as cause:
        raise error from cause


class _Odd(BaseException):
    def __reduce__(self) -> Any:
        raise TypeError("cannot be pickled")


@pytest.mark.parametrize("error", [ChatCorpusError("a"), EngineError("b"), SystemExit(0), KeyboardInterrupt("c")])
def test_an_exception_is_sent_to_another_process_without_its_causes(error: BaseException, tmp_path: Path) -> None:
    """Dask makes `pickle` include causes, of which one may not be picklable."""
    pytest.importorskip("tblib.pickling_support").install()
    requirements = worker_checks.Requirements(versions=worker_checks.process_versions(), token=tmp_path)
    sent = worker_checks.call(requirements, pickle.dumps((raises, (error,), {})))
    with pytest.raises(type(error), match=str(error)) as caught:
        worker_checks.outcome(sent)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_the_result_of_a_call_is_returned(tmp_path: Path) -> None:
    requirements = worker_checks.Requirements(versions=worker_checks.process_versions(), token=tmp_path)
    assert worker_checks.outcome(worker_checks.call(requirements, pickle.dumps((divmod, (7, 2), {})))) == (3, 1)


def test_an_error_of_this_package_is_not_its_own_cause(tmp_path: Path) -> None:
    """Code that follows the causes of an exception, as Dask does, would never end."""
    with pytest.raises(FileError) as caught, attributed("where"):
        check_unchanged(RawFile(path=str(tmp_path / "none"), name="none", size=1))
    error: BaseException | None = caught.value
    for _ in range(9):
        error = error and error.__cause__
    assert error is None


@pytest.mark.parametrize("fate", ["gone", "another"])
@pytest.mark.parametrize("workers", [1, *slow_from(0, [2])])
def test_a_plugin_file_that_is_deleted_during_a_run_fails_its_source_only(
    workers: int, fate: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run loads it at the beginning; a worker that starts later loads the file as it is then."""
    lines = {f"raw/{name}": "问题\t答\n" * 500 for name in ("ours.txt", "tieba.dialogues")}
    put(tmp_path, {**lines, "own.yaml": f"shard_bytes: 1000\nworkers: {workers}\n"})
    plugin = put(tmp_path, {"ours.py": PLUGIN.format(deed="return tieba.format.read(parts)")}) / "ours.py"
    progress = console.progress

    def meanwhile(found: Any, **options: Any) -> Any:
        plugin.unlink() if fate == "gone" else plugin.write_text("a name of nothing", "utf-8")
        return progress(found, **options)

    monkeypatch.setattr(console, "progress", meanwhile)
    out = tmp_path / "out"
    flags = ("--config", tmp_path / "own.yaml", "--plugin", plugin, "--store-dialogues")
    done = invoke("--raw", tmp_path / "raw", "--out", out, *flags)
    assert "cannot be written" not in done.stderr
    assert (out / "tieba.tsv").read_text("utf-8") == "问题\t答\n" * 500
    assert (done.exit_code == 0) == (out / "ours.tsv").exists()
    assert ("warning: not completed, 1 of 2 sources: ours (failed)" in done.stderr) == (done.exit_code != 0)


#: What the `read` of a plugin does instead of reading.
DEEDS = {
    "ends its process": "os._exit(0)",
    "exits": "sys.exit(0)",
    "gives another type": "return 3",
    "raises what cannot be sent": "raise Odd",
    "raises what is no Exception": "raise Base",
}
PLUGIN = """
import os, sys
from dataclasses import replace
from chat_corpus.sources.corpora.tieba import SOURCE as TIEBA

class Odd(Exception):
    def __reduce__(self):
        raise TypeError("not to be sent")

class Base(BaseException):
    pass

def read(parts):
    {deed}

tieba = TIEBA.inputs[0]
faulty = replace(tieba, files=("ours*.txt",), format=replace(tieba.format, read=read))
SOURCE = replace(TIEBA, name="ours", inputs=(faulty,))
"""


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["local", "dask"])
@pytest.mark.parametrize("deed", DEEDS)
def test_a_failing_plugin_fails_its_source_only_on_any_engine(deed: str, engine: str, tmp_path: Path) -> None:
    if engine == "dask":
        pytest.importorskip("distributed")
    lines = {f"raw/{name}": "问题\t答\n" * 2000 for name in ("ours.txt", "tieba.dialogues")}
    put(tmp_path, {**lines, "ours.py": PLUGIN.format(deed=DEEDS[deed]), "own.yaml": "shard_bytes: 5000\nworkers: 2\n"})
    words = ("--raw", "raw", "--out", "out", "--config", "own.yaml", "--plugin", "ours.py", "--engine", engine)
    done = program(*words, "--json", cwd=tmp_path, timeout=200)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\nerror: ") + done.stderr.startswith("error: ") == 1, done.stderr
    assert "error: ours: " in done.stderr
    reported = json.loads(done.stdout)["sources"]
    assert {name: entry["state"] for name, entry in reported.items()} == {"ours": "failed", "tieba": "found"}
    assert (tmp_path / "out" / "tieba.tsv").stat().st_size > 0
