"""Dask workers in separate processes, as on other machines: the same bytes if processes die, and no hang."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.engines import worker_checks
from chat_corpus.engines.base import Site
from chat_corpus.engines.dask_cluster import Cluster
from chat_corpus.engines.inline import Inline
from chat_corpus.engines.select import select_engine
from chat_corpus.errors import EngineError
from chat_corpus.outputs.layout import WORK
from chat_corpus.runs.progress import silent
from chat_corpus.runs.runner import run
from chat_corpus.settings.model import Settings
from tests.conftest import ROOT
from tests.helpers import invoke

pytestmark = pytest.mark.slow

distributed = pytest.importorskip("distributed")

#: Seconds after which a wait fails, even on a slow machine.
SLOW_MACHINE = 60
#: A source with a query and an answer per line. The first process to read 致命 writes its number and waits.
STUCK = """
import os, time
from pathlib import Path
from chat_corpus.plugins import Format, Input, Source, delimited

plain = delimited("\\t")
met = Path(__file__).with_name("met")

def read(parts):
    if parts[0]["text"].str.contains("致命").any() and not met.exists():
        part = met.with_suffix(f".{os.getpid()}")
        part.write_text(str(os.getpid()))
        part.rename(met)
        while not met.with_name("go").exists():
            time.sleep(0.05)
    return plain.read(parts)

SOURCE = Source(
    name="stuck",
    title="",
    url="",
    licence="",
    obtain="",
    inputs=(Input(files=("stuck*.txt",), format=Format(read=read)),),
)
"""


def until(condition: object) -> None:
    end = time.monotonic() + SLOW_MACHINE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "the condition was not met in time"
        time.sleep(0.02)


def messages(errors: str) -> list[str]:
    """Return the lines of stderr without those that show progress on a slow machine."""
    assert "Traceback" not in errors
    return [line for line in errors.splitlines() if not re.search(" [kM]?B/s, .* left$", line)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(command: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start a Dask process in a new session."""
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{command}", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        start_new_session=True,
    )


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with all that it has started: a worker together with its nanny."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@dataclass
class Running:
    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            kill(process)


def cluster_at(folder: Path, workers: int, *tls: str, **environment: str) -> Running:
    file = folder / "scheduler.json"
    flags = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")
    scheduler = start("scheduler", *flags, "--scheduler-file", str(file), *tls, **environment)
    until(lambda: file.exists() and file.read_text().endswith("}"))
    address = json.loads(file.read_text())["address"]
    file.unlink()
    options = ("--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder))
    started = [start("worker", address, *options, **environment) for _ in range(workers)]
    return Running(address, scheduler, started)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A scheduler and two workers, for tests that do not change them."""
    here = cluster_at(tmp_path_factory.mktemp("cluster"), 2)
    with distributed.Client(here.address, set_as_default=False) as client:
        client.wait_for_workers(2, SLOW_MACHINE)
    yield here
    here.end()


@dataclass
class Work:
    """A raw folder of many small shards, one of which blocks its worker, and the outputs of runs over it."""

    folder: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def met(self) -> Path:
        return self.folder / "met"

    def start(self, out: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        main = [sys.executable, str(ROOT / "main.py"), "--raw", "raw", "--plugin", "plugin.py", "--config", "own.yaml"]
        process = subprocess.Popen(
            [*main, "--out", out, *arguments],
            cwd=self.folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, out: str, *arguments: str, **environment: str) -> tuple[int, str]:
        process = self.start(out, *arguments, **environment)
        printed, errors = process.communicate(timeout=SLOW_MACHINE)
        assert printed == ""
        assert "Traceback" not in errors
        return process.returncode, errors

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()

    def files(self, out: str) -> dict[str, bytes]:
        outputs = sorted(path for path in (self.folder / out).rglob("*") if path.suffix in (".tsv", ".jsonl"))
        return {
            path.relative_to(self.folder / out).as_posix(): path.read_bytes()
            for path in outputs
            if WORK not in path.parts
        }

    def parts(self, out: str) -> list[str]:
        return sorted(path.stem for path in (self.folder / out / WORK).rglob("0*.json"))


def furnish(folder: Path) -> Path:
    """Write a raw folder, its plugin, and settings for many shards."""
    (folder / "raw").mkdir()
    lines = [f"第{n}問\t第{n % 50}答{'哈' * (n % 9)}\n" for n in range(1200)]
    lines[600] = "致命\t的一行\n"
    (folder / "raw" / "stuck.txt").write_text("".join(lines), "utf-8")
    threads = (f"這是第{n}個問題 真的嗎\t回答{n}哈哈哈哈哈哈\n" for n in range(300))
    (folder / "raw" / "tieba.dialogues").write_text("".join(threads), "utf-8")
    (folder / "plugin.py").write_text(STUCK, "utf-8")
    (folder / "own.yaml").write_text("shard_bytes: 2000\nworkers: 2\n", "utf-8")
    return folder


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    here = Work(furnish(tmp_path))
    yield here
    here.end()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The output of this process alone for the same raw folder."""
    here = Work(furnish(tmp_path_factory.mktemp("expected")))
    here.met.touch()
    plugins = (str(here.folder / "plugin.py"),)
    all_sources = sources.load(plugins)
    settings = Settings(out=str(here.folder / "out"), shard_bytes=2000, workers=1, plugins=plugins)
    chosen = {name: all_sources[name] for name in ("stuck", "tieba")}
    run(discover_sources(here.folder / "raw", chosen), settings, silent)
    return here.files("out")


def test_a_killed_worker_and_its_nanny_change_no_byte(work: Work, expected: dict[str, bytes], tmp_path: Path) -> None:
    site = cluster_at(tmp_path, 2)
    try:
        process = work.start("out", "--scheduler", site.address)
        until(work.met.exists)
        group = os.getpgid(int(work.met.read_text()))
        (unlucky,) = [worker for worker in site.workers if worker.pid == group]
        kill(unlucky)
        errors = process.communicate(timeout=SLOW_MACHINE)[1]
    finally:
        site.end()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert work.files("out") == expected
    assert not list(tmp_path.rglob("*.writing"))


def test_a_killed_scheduler_ends_the_run_and_the_next_run_resumes(
    work: Work, expected: dict[str, bytes], tmp_path: Path
) -> None:
    site = cluster_at(tmp_path, 2)
    try:
        process = work.start("out", "--scheduler", site.address)
        until(lambda: work.met.exists() and len(work.parts("out")) > 3)
        kill(site.scheduler)
        errors = process.communicate(timeout=SLOW_MACHINE)[1]
    finally:
        site.end()
    assert process.returncode == 1
    lost = f"error: the connection to the Dask scheduler at {site.address} was lost; finished shards are saved; "
    assert messages(errors)[-1].startswith(lost), errors
    finished = work.parts("out")
    code, errors = work.run("out", "--verbose")
    assert (code, errors.count(" was done by an earlier run")) == (0, len(finished))
    assert work.files("out") == expected


def test_a_stopped_run_ends_at_once_and_the_cluster_serves_the_next_run(cluster: Running, work: Work) -> None:
    process = work.start("out", "--scheduler", cluster.address)
    until(work.met.exists)
    process.send_signal(signal.SIGTERM)
    errors = process.communicate(timeout=10)[1]
    assert (process.returncode, errors.splitlines()[-1]) == (143, "stopped; the same command resumes from here"), errors
    assert "Traceback" not in errors
    (work.folder / "go").touch()  # for the worker with a running task
    code, errors = work.run("out", "--scheduler", cluster.address)
    assert code == 0, errors
    assert f"2 workers of {cluster.address}: {socket.gethostname()} 2\n" in errors


def test_a_cluster_of_this_machine_needs_no_address(work: Work, expected: dict[str, bytes]) -> None:
    work.met.touch()
    code, errors = work.run("out", "--engine", "dask")
    assert code == 0, errors
    assert work.files("out") == expected
    before_the_table = messages(errors.partition("\n\n")[0])
    assert [line.partition(":")[0] for line in before_the_table] == ["stuck", "tieba"], "nothing about the cluster"


def test_a_small_input_starts_no_cluster(work: Work, tmp_path: Path) -> None:
    discovered = discover_sources(work.folder / "raw", {"tieba": sources.load()["tieba"]})
    assert isinstance(select_engine(discovered, Settings(engine="dask"), tmp_path), Inline)


def test_a_missing_scheduler_is_an_error(work: Work) -> None:
    address = f"127.0.0.1:{free_port()}"
    code, errors = work.run("out", "--scheduler", address, DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT="1s")
    assert (code, len(messages(errors))) == (1, 1)
    assert errors.startswith(f"error: no Dask scheduler answers at {address} within 1 s: ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--scheduler", "nowhere"], "--scheduler nowhere: missing port number in address 'nowhere'"),
        (["--scheduler", "http://a:1"], "--scheduler http://a:1: unknown address scheme 'http'"),
        (["--scheduler", "tls://a:1"], "--scheduler tls://a:1: Dask has no certificates"),
        (["--scheduler", "a:1", "--engine", "local"], "--engine local uses no scheduler"),
        (["--scheduler", "a:1", "--workers", "2"], "--workers: a scheduler has workers of its own"),
    ],
)
def test_a_wrong_address_is_a_usage_error(arguments: list[str], expected: str, work: Work) -> None:
    plugin = work.folder / "plugin.py"
    done = invoke("--raw", work.folder / "raw", "--plugin", plugin, "--out", work.folder / "out", *arguments)
    assert (done.exit_code, done.stderr.startswith(f"error: {expected}")) == (2, True), done.stderr


def test_without_dask_the_error_names_what_to_install(work: Work, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "distributed.py").write_text("raise ModuleNotFoundError('no distributed')", "utf-8")
    code, errors = work.run("out", "--engine", "dask", PYTHONPATH=str(hidden))
    assert (code, "pip install 'distributed>=" in errors) == (2, True), errors


def site_of(work: Work, *names: str) -> Site:
    files = (work.folder / "raw" / "stuck.txt", work.folder / "raw" / "tieba.dialogues")
    return Site(files=files, folder=work.folder, sources=names, plugins=(str(work.folder / "plugin.py"),))


def refused(cluster: Running, site: Site) -> str:
    """Return the error of a cluster with workers that cannot be used."""
    with pytest.raises(EngineError) as caught:
        Cluster(cluster.address, 2, site)
    assert not list(site.folder.glob(".*")), "the token is deleted"
    assert str(caught.value).count("worker tcp://127.0.0.1:") == 2
    return str(caught.value)


def test_workers_of_other_versions_are_refused(cluster: Running, work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    versions = dict(worker_checks.process_versions())
    monkeypatch.setattr(
        worker_checks, "process_versions", lambda: tuple({**versions, "polars": "9.9", "python": "3.99"}.items())
    )
    python = ".".join(map(str, sys.version_info[:2]))
    faults = f"found python {python}, expected 3.99; found polars {versions['polars']}, expected 9.9"
    assert faults in refused(cluster, site_of(work))


def test_workers_that_see_other_files_are_refused(
    cluster: Running, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = site_of(work)
    elsewhere = work.folder / "raw" / "not there.txt"
    monkeypatch.setattr(worker_checks, "file_facts", lambda files: {**dict.fromkeys(files, (1, 1)), elsewhere: (1, 1)})
    error = refused(cluster, site)
    assert f"{site.files[0]}: not the file that the main process reads" in error
    assert "; and 1 more" in error


def test_workers_without_the_folder_or_a_source_are_refused(
    cluster: Running, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no source is named ghost; install its package on the worker" in refused(
        cluster, site_of(work, "stuck", "ghost")
    )
    with monkeypatch.context() as patched:
        patched.setattr(Path, "touch", lambda _: None)
        assert f"the folder {work.folder} is missing, or a different one" in refused(cluster, site_of(work))


def test_a_worker_that_joins_late_meets_the_requirements_or_fails(tmp_path: Path) -> None:
    token = tmp_path / "token"
    requirements = worker_checks.Requirements(versions=worker_checks.process_versions(), token=token)
    with pytest.raises(EngineError, match=re.escape(f"cannot be used: the folder {tmp_path} is missing")):
        worker_checks.outcome(worker_checks.call(requirements, b""))


def test_a_scheduler_without_workers_is_an_error(work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = cluster_at(tmp_path, 0)
    monkeypatch.setattr("chat_corpus.engines.dask_cluster.FIRST_WORKER_SECONDS", 1.0)
    try:
        with pytest.raises(
            EngineError, match=f"{site.address} has no workers; start some, for example with 'dask worker"
        ):
            Cluster(site.address, 2, site_of(work))
    finally:
        site.end()


def certificates(folder: Path) -> dict[str, str]:
    """Return environment variables that configure TLS in Dask with one self-signed certificate."""
    arguments = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command = ["openssl", *arguments, "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    files = {"CA_FILE": "cert.pem"}
    for role in ("CLIENT", "SCHEDULER", "WORKER"):
        files |= {f"{role}__CERT": "cert.pem", f"{role}__KEY": "key.pem"}
    return {f"DASK_DISTRIBUTED__COMM__TLS__{name}": str(folder / file) for name, file in files.items()}


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")
def test_tls_follows_the_configuration_of_dask(work: Work, tmp_path: Path) -> None:
    environment = certificates(tmp_path)
    site = cluster_at(tmp_path, 1, "--protocol", "tls", **environment)
    work.met.touch()
    try:
        assert site.address.startswith("tls://")
        code, errors = work.run("out", "--scheduler", site.address, **environment)
        assert code == 0, errors
        plain = site.address.replace("tls:", "tcp:")
        code, errors = work.run("other", "--scheduler", plain, DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT="1s")
        assert (code, "no Dask scheduler answers at" in errors) == (1, True), errors
    finally:
        site.end()
