"""What all tests share: the options, the bundled samples, and where the real excerpts lie, if they do."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _samples() -> Path:
    """A copy of the bundled samples as they are committed, whatever corpora lie beside or over them."""
    copy = Path(tempfile.mkdtemp(prefix="chat-corpus-samples-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    git = ["git", "-C", str(ROOT)]
    listed = subprocess.run([*git, "ls-files", "-z", "raw_chat_corpus"], check=True, capture_output=True).stdout
    command = [*git, "checkout-index", "-z", "--stdin", f"--prefix={copy}/"]
    subprocess.run(command, input=listed, check=True, capture_output=True)
    return copy / "raw_chat_corpus"


SAMPLES = _samples()


def _compiled() -> Path | None:
    """A folder for compiled modules, where the environment forbids to write them.

    Tests start the program hundreds of times, and it would be compiled each time. Processes among which tests are
    shared inherit the folder of the first.
    """
    if not sys.dont_write_bytecode or "PYTEST_XDIST_WORKER" in os.environ:
        return None
    folder = Path(tempfile.mkdtemp(prefix="chat-corpus-compiled-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder)
    return folder


COMPILED = _compiled()

# A shell starts jobs in the background deaf to Ctrl-C, and so would be all programs that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure() -> None:
    """Leave no samples behind: the processes that tests are shared among end without `atexit`."""
    shutil.rmtree(SAMPLES.parent, ignore_errors=True)
    if COMPILED is not None:
        shutil.rmtree(COMPILED, ignore_errors=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-goldens", action="store_true", help="rewrite golden files; read the diff before committing"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real excerpts are long: tests on them are slow by nature."""
    for item in items:
        if "realdata" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """As many processes as there are processors; one where goldens are rewritten, since two may be in one file."""
    return 0 if config.getoption("--update-goldens") else min(os.cpu_count() or 1, 8)


def examples(suite: int) -> int:
    """How many examples a property is tried on: `suite`, unless CHAT_CORPUS_EXAMPLES asks for another number."""
    return int(os.environ.get("CHAT_CORPUS_EXAMPLES", suite))


def slow_from(first: int, values: Iterable[Any]) -> list[Any]:
    """Parameters, a tuple being those of one test, of which all from index `first` on are marked slow."""
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.slow)
        if index >= first
        else value
        for index, value in enumerate(values)
    ]


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """The command line, run in this process, may leave it deaf to signals: so would be what other tests start."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, runs that name no number of workers start none: what is tried in a pool names it."""
    monkeypatch.setattr("chat_corpus.engines.choose.cores", lambda: 1)


@pytest.fixture
def never_hangs() -> Iterator[None]:
    """A test that waits, for the writer of a FIFO say, is ended."""

    def ended(*_: object) -> None:
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, ended)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(update=bool(request.config.getoption("--update-goldens")))


class Golden:
    """Compare bytes with a committed file, or rewrite it."""

    def __init__(self, *, update: bool) -> None:
        self._update = update

    def check(self, path: Path, actual: bytes) -> None:
        if self._update:
            path.write_bytes(actual)
        assert path.exists(), f"{path.relative_to(ROOT)} is missing: write it with --update-goldens, and read it"
        assert actual.decode("utf-8").split("\n") == path.read_bytes().decode("utf-8").split("\n")


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Real excerpts, which are no part of the project; a test that wants them skips where they are absent."""
    folder = os.environ.get("CHAT_CORPUS_REALDATA", "")
    if not folder:
        pytest.skip("CHAT_CORPUS_REALDATA does not name a folder with real excerpts")
    if not (Path(folder) / "raw_chat_corpus").is_dir():
        pytest.fail(f"CHAT_CORPUS_REALDATA={folder}: no raw_chat_corpus/ there")
    return Path(folder)
