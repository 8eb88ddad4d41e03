"""Unusual starts of the program: streams closed or missing, odd folders, odd consoles, little memory."""

from __future__ import annotations

import errno
import io
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat_corpus import process_setup
from chat_corpus.cli import main
from chat_corpus.engines.select import most_workers
from tests.conftest import ROOT, SAMPLES, slow_from
from tests.helpers import TIEBA, invoke, program, put, visible

MAIN = f"{sys.executable} {ROOT / 'main.py'}"
COMMANDS = {
    "run": f"run -s ptt --raw {SAMPLES} --out out",
    "help": "--help",
    "version": "--version",
    "no such option": "--nonsense",
    "normalize": "normalize",
    "list": f"list --raw {SAMPLES}",
    "check": f"check --raw {SAMPLES}",
}


def shell(line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/usr/bin/env", "bash", "-c", line], cwd=folder, check=False, capture_output=True, encoding="utf-8",
        env={**os.environ, **environment}, input="這裡\n",
    )  # fmt: skip


@pytest.fixture(autouse=True)
def default_hang_up() -> Iterator[None]:
    """Programs that tests start meet SIGHUP as from a terminal, also where nohup started the tests."""
    if not hasattr(signal, "SIGHUP"):
        yield
        return
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("command", slow_from(4, COMMANDS))
@pytest.mark.parametrize("closed", slow_from(1, ["2>&-", ">&- 2>&-", "<&- 2>&-"]))
def test_commands_work_without_stderr(command: str, closed: str, tmp_path: Path) -> None:
    done = shell(f"{MAIN} {COMMANDS[command]} {closed}", tmp_path)
    exit_code = {"no such option": 2, "run": 0}.get(command, 1 if ">&- 2>&-" in closed else 0)
    if command == "normalize" and "<&-" in closed:
        exit_code = 2
    assert (done.returncode, done.stderr) == (exit_code, "")
    if command == "run":
        assert (tmp_path / "out" / "ptt.tsv").stat().st_size > 0


@pytest.mark.parametrize(
    "command", slow_from(2, ["run", "help", "normalize", "list", "check", "version", "no such option"])
)
def test_a_closed_stdout_is_an_error_without_traceback(command: str, tmp_path: Path) -> None:
    done = shell(f"{MAIN} {COMMANDS[command]} >&-", tmp_path)
    assert "Traceback" not in done.stderr
    assert done.returncode == {"no such option": 2, "run": 0}.get(command, 1)
    is_reported = done.stderr.endswith("error: <stdout>: the stream is closed, so results cannot be written\n")
    assert is_reported == (done.returncode == 1)


def test_normalize_without_stdin_is_an_error(tmp_path: Path) -> None:
    done = shell(f"{MAIN} normalize <&-", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: <stdin>: closed; ")


def test_a_program_without_any_streams_works(tmp_path: Path) -> None:
    """pythonw.exe starts a program with all three as None."""
    code = (
        "import sys; sys.stdin = sys.stdout = sys.stderr = None; sys.path.insert(0, sys.argv.pop(1));"
        "from chat_corpus.cli.main import main; main()"
    )
    words = [sys.executable, "-c", code, str(ROOT), *COMMANDS["run"].split()]
    done = subprocess.run(words, cwd=tmp_path, check=False, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "out" / "ptt.tsv").stat().st_size > 0


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    """Otherwise a library that writes to file number 2 would write into the output."""
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); from chat_corpus import process_setup; "
        "process_setup.prepare();"
        "print(os.open(os.devnull, os.O_RDONLY), sorted(process_setup.missing))"
    )
    done = shell(f"{sys.executable} -c '{code}' {ROOT} 2>&- <&-", tmp_path)
    number, missing = done.stdout.split(" ", 1)
    assert int(number) > 2
    assert missing == "['stderr', 'stdin']\n"


@pytest.mark.parametrize(
    "full",
    slow_from(2, ["list", "run -s ptt --json --out out", "check --json", "normalize", "--help", "--version"]),
)
def test_a_full_disk_behind_stdout_is_an_error(full: str, tmp_path: Path) -> None:
    raw = "" if full == "normalize" or full.startswith("-") else f"--raw {SAMPLES}"
    done = shell(f"{MAIN} {full} {raw} > /dev/full", tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "No space left on device" in done.stderr


class Refusing(io.StringIO):
    """A stream that raises OSError at each write."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code

    def write(self, _: str) -> int:
        raise OSError(self.code, os.strerror(self.code))


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EPIPE])
@pytest.mark.parametrize("command", ["list", "check", "compare", "trace", "explain", "--help", "--version"])
def test_a_result_that_cannot_be_written_fails_any_command(
    command: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raw, out = put(tmp_path / "raw", TIEBA), tmp_path / "out"
    assert invoke("-q", "--raw", raw, "--out", out).exit_code == 0
    words: list[object] = {
        "list": ["list", "--raw", raw], "check": ["check", "--raw", raw], "compare": ["compare", out, out],
        "trace": ["trace", f"{out}/tieba.tsv:1"], "explain": ["explain", "tieba.dialogues:1", "--out", out],
    }.get(command, [command])  # type: ignore[assignment]  # fmt: skip
    monkeypatch.setattr(sys, "stdout", Refusing(code))
    with pytest.raises(SystemExit) as ended:
        main.main([str(word) for word in words])
    stderr = capsys.readouterr().err
    assert ended.value.code == 1
    assert stderr.endswith("" if code == errno.EPIPE else f"{os.strerror(code)}\n")
    assert stderr.count("\n") == (code != errno.EPIPE), "a reader that closes its pipe gets no message"


@pytest.mark.parametrize(("words", "code"), [("--raw none", 2), ("--nonsense", 2), ("--log-json --nonsense", 2)])
def test_the_exit_code_is_the_same_if_stderr_cannot_be_written(
    words: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stderr", Refusing(errno.ENOSPC))
    with pytest.raises(SystemExit) as ended:
        main.main(words.split())
    assert ended.value.code == code


def test_a_working_folder_that_is_gone_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    here.rmdir()
    done = invoke("--raw", "raw", "--out", "out")
    assert done.exit_code in (1, 2)
    assert "the current folder was deleted" in done.stderr


@pytest.mark.parametrize(
    "words", [("--raw", "原料"), ("check", "--raw", "原料"), ("trace", "出/ptt.tsv:1"), ("compare", "出", "出")]
)
def test_names_in_another_encoding_are_an_error_that_names_the_variable_to_set(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "ascii")
    done = invoke(*(word.encode().decode("ascii", "surrogateescape") for word in words))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "this name is UTF-8, but Python reads names as ascii here; set PYTHONUTF8=1" in done.stderr


def test_a_current_folder_with_such_a_name_is_an_error_too(tmp_path: Path) -> None:
    folder = tmp_path / "语料"
    folder.mkdir()
    done = program("--raw", "raw", "--out", "out", cwd=folder, env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"})
    assert (done.returncode, done.stdout) == (2, "")
    assert "this name is UTF-8, but Python reads names as ascii here; set PYTHONUTF8=1" in done.stderr


@pytest.mark.slow
def test_a_corpus_is_recognised_by_its_name_in_any_locale(tmp_path: Path) -> None:
    if not str(tmp_path).isascii():
        pytest.skip("the current folder must have an ASCII name")
    put(tmp_path, {"raw/青云语料/12万对话语料青云库.csv": "问题一 | 答案一\n问题二 | 答案二\n" * 9})
    for locale in ({"LC_ALL": "C.UTF-8"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}):
        out = locale["LC_ALL"]
        done = program("--raw", "raw", "--out", out, cwd=tmp_path, env={**os.environ, **locale})
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
        assert (tmp_path / out / "qingyun.tsv").stat().st_size > 0


#: A plugin that prints while it is loaded and while it reads, by Python and by a program that it starts.
PRINTS = """
import os
from dataclasses import replace
from chat_corpus.formats.base import Format
from chat_corpus.sources.corpora.tieba import SOURCE as TIEBA

tieba = TIEBA.inputs[0]
format = tieba.format

def read(parts):
    print("of Python")
    os.system("echo of a program")
    return format.read(parts)

print("while loaded")
SOURCE = replace(TIEBA, name="ours", inputs=(replace(tieba, files=("ours*.txt",), format=replace(format, read=read)),))
"""


@pytest.mark.parametrize("command", ["run", *slow_from(0, ["list", "check", "trace", "compare", "explain", "dry"])])
def test_the_prints_of_a_plugin_are_in_no_result(command: str, tmp_path: Path) -> None:
    put(
        tmp_path,
        {"ours.py": PRINTS, "raw/ours.txt": "问\t答\n" * 2000, "small.yaml": "shard_bytes: 1000\nworkers: 2\n"},
    )
    run = ["--raw", "raw", "--out", "out", "--plugin", "ours.py", "--config", "small.yaml", "--json"]
    words = {
        "run": run, "dry": [*run, "--dry-run"], "list": ["list", "--plugin", "ours.py", "--json"],
        "check": ["check", "--raw", "raw", "--plugin", "ours.py", "--json"],
        "trace": ["trace", "out/ours.tsv:1", "--plugin", "ours.py", "--json"],
        "compare": ["compare", "out", "other", "--plugin", "ours.py", "--json"],
        "explain": ["explain", "raw/ours.txt:1", "--plugin", "ours.py", "--json"],
    }[command]  # fmt: skip
    if command in ("trace", "compare", "explain"):
        assert program(*run, cwd=tmp_path).returncode == 0
        run[3] = "other"
        assert program(*run, "--limit", "9", cwd=tmp_path).returncode == 0
        words += ["--out", "out"] if command == "explain" else []
    done = program(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    json.loads(done.stdout)
    assert "while loaded\n" in done.stderr
    if command in ("run", "trace", "compare", "explain"):
        assert "of Python\n" in done.stderr
        assert "of a program\n" in done.stderr


@pytest.mark.parametrize("encoding", slow_from(1, ["gbk", "cp1252", "ascii", "utf-16"]))
@pytest.mark.parametrize("command", slow_from(1, ["run -q -s ptt --json --out out", "list --json", "check --json"]))
def test_json_is_utf_8_whatever_the_console(command: str, encoding: str, tmp_path: Path) -> None:
    words = [sys.executable, str(ROOT / "main.py"), *command.split(), "--raw", str(SAMPLES)]
    done = subprocess.run(
        words, cwd=tmp_path, check=False, capture_output=True, env={**os.environ, "PYTHONIOENCODING": encoding}
    )
    assert done.returncode == 0
    json.loads(done.stdout.decode("utf-8"))


@pytest.mark.parametrize("encoding", slow_from(1, ["cp1252", "gbk", "ascii"]))
def test_a_table_shows_characters_that_the_console_lacks_as_escapes(encoding: str, tmp_path: Path) -> None:
    words = [sys.executable, str(ROOT / "main.py"), "list", "--raw", str(SAMPLES)]
    done = subprocess.run(
        words, cwd=tmp_path, check=False, capture_output=True, env={**os.environ, "PYTHONIOENCODING": encoding}
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert ("语料" in done.stdout.decode("utf-8" if encoding == "ascii" else encoding)) == (encoding != "cp1252")


@pytest.mark.parametrize(
    "name", slow_from(3, ["work [2024]*", "what?{x}", "~", "[", "a*b", "%d", "$HOME", "a'b", "末"])
)
@pytest.mark.parametrize("source", slow_from(1, ["ptt", "weibo"]))
def test_a_folder_may_have_any_name(name: str, source: str, tmp_path: Path) -> None:
    raw, out, plain = tmp_path / name / "raw", tmp_path / name / "out", tmp_path / "plain"
    samples = (file for file in SAMPLES.rglob("*") if file.is_file())
    files = {file.relative_to(SAMPLES).as_posix(): file for file in samples}
    texts = {name: file.read_text("utf-8") for name, file in files.items() if name.startswith(source)}
    put(raw, {f"[x]/{name}": text for name, text in texts.items()})
    put(plain, texts)
    flags = ("-s", source, "--store-dialogues", "--explain-conversion", "3")
    done = invoke("-q", "--raw", raw, "--out", out, *flags)
    assert (done.exit_code, done.stderr) == (0, "")
    assert invoke("-q", "--raw", plain, "--out", plain / "../other", *flags).exit_code == 0
    assert (out / f"{source}.tsv").read_bytes() == (tmp_path / "other" / f"{source}.tsv").read_bytes()
    again = invoke("-q", "--raw", raw, "--out", out, "--pairs", "first", "--force", *flags)
    assert (again.exit_code, again.stderr) == (0, "")
    assert invoke("trace", f"{out / source}.tsv:1", "--raw", raw).exit_code == 0
    compared = invoke("compare", tmp_path / "other", out, "--raw", raw)
    assert (compared.exit_code, compared.stderr) == (0, "")


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM, *slow_from(0, [signal.SIGHUP])])
@pytest.mark.parametrize("command", ["normalize", "run"])
def test_the_exit_code_of_a_stopped_program_names_the_signal(
    command: str, signal_: signal.Signals, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "fifo")
    words = [sys.executable, str(ROOT / "main.py"), "normalize"]
    if command == "run":
        (tmp_path / "plugin.py").write_text(WAITS.format(met=str(tmp_path / "met")), "utf-8")
        put(tmp_path / "raw", {"waits.txt": "a\tb\n"})
        words = [*words[:-1], "-s", "waits", "--raw", "raw", "--out", "out", "--plugin", "plugin.py", "--workers", "1"]
    process = subprocess.Popen(
        words, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    if command == "normalize":
        process.stdin.write("這裡\n".encode())
        process.stdin.flush()
        assert process.stdout.readline().decode() == "这里\n"
    else:
        end = time.monotonic() + 60
        while not (tmp_path / "met").exists():
            assert time.monotonic() < end
            time.sleep(0.02)
    process.send_signal(signal_)
    errors = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 128 + signal_
    assert errors == ("stopped; the same command resumes from here\n" if command == "run" else "stopped\n")


@pytest.fixture
def signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_raises_terminated_unless_it_is_ignored(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_DFL)
    process_setup.stop_on_signals()
    with pytest.raises(process_setup.Terminated) as stopped:
        signal.raise_signal(number)
    assert stopped.value.exit_code == 128 + number
    signal.signal(number, signal.SIG_IGN)  # as nohup does
    process_setup.stop_on_signals()
    signal.raise_signal(number)


@pytest.mark.usefixtures("signals")
def test_the_stop_signal_of_windows_raises_terminated(monkeypatch: pytest.MonkeyPatch) -> None:
    """CTRL_BREAK_EVENT, which `taskkill` and a closed console window send too; here another signal replaces it."""
    monkeypatch.setattr(process_setup, "STOP_SIGNALS", [signal.SIGUSR1])
    monkeypatch.setattr(process_setup, "TERMINAL_SIGNALS", [signal.SIGUSR1])
    before = signal.getsignal(signal.SIGUSR1)
    try:
        process_setup.stop_on_signals()
        with pytest.raises(process_setup.Terminated):
            signal.raise_signal(signal.SIGUSR1)
        process_setup.ignore_terminal_signals()  # as workers do
        signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.slow
@pytest.mark.parametrize("ignored", [False, True], ids=["", "nohup"])
def test_a_closed_terminal_ends_all_processes_and_the_next_run_resumes(ignored: bool, tmp_path: Path) -> None:
    """The terminal sends the signal to each process of the group."""
    (tmp_path / "plugin.py").write_text(WAITS.format(met=str(tmp_path / "met")).replace("600", "0.5"), "utf-8")
    put(tmp_path, {"raw/waits.txt": "问\t答\n" * 2000, "small.yaml": "shard_bytes: 2000\nworkers: 2\n"})
    words = [*MAIN.split(), "--raw", "raw", "--out", "out", "--plugin", "plugin.py", "--config", "small.yaml"]
    process = subprocess.Popen(
        (["nohup"] if ignored else []) + words, cwd=tmp_path, stderr=subprocess.PIPE, start_new_session=True
    )
    end = time.monotonic() + 60
    while not (tmp_path / "met").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGHUP)
    errors = process.communicate(timeout=60)[1].decode()  # waits for the workers too, since they hold stderr
    if ignored:
        assert (process.returncode, "stopped" in errors) == (1, False), errors
        return
    assert (process.returncode, errors) == (129, "stopped; the same command resumes from here\n")
    assert program(*words[2:], cwd=tmp_path).returncode == 1, "the lock is released, and the source runs again"


#: A source that waits 600 seconds in its first shard.
WAITS = """
import time
from pathlib import Path
from chat_corpus.plugins import Format, Input, Source

def read(parts):
    Path({met!r}).touch()
    time.sleep(600)

SOURCE = Source(
    name="waits", title="", url="", licence="", obtain="",
    inputs=(Input(files=("waits*.txt",), format=Format(read=read)),),
)
"""


def test_json_messages_have_a_time_an_event_and_no_prefix(tmp_path: Path) -> None:
    put(tmp_path / "raw", {"tieba.dialogues": "问\t答\n", "douban/train.txt": "1\t问\t答\n"})
    done = program("--log-json", "-s", "tieba,douban,ptt", "--raw", tmp_path / "raw", "--out", tmp_path / "out")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 3
    assert all({"time", "level", "event", "message"} <= line.keys() for line in lines)
    assert all(line["time"].endswith("+00:00") for line in lines)
    assert not any(line["message"].startswith(("warning", "error")) for line in lines)
    events = {line["event"]: line for line in lines}
    assert events["source.done"]["seconds"] >= 0
    assert {"source.absent", "source.partial", "run.incomplete"} <= events.keys()
    assert all(line["event"] != "message" for line in lines)


@pytest.mark.parametrize("kilobytes", [100_000, 400_000, 1_000_000])
def test_too_little_memory_is_a_message(kilobytes: int, tmp_path: Path) -> None:
    done = shell(f"ulimit -v {kilobytes}; {MAIN} {COMMANDS['run']}", tmp_path)
    assert done.returncode == 1
    limit = kilobytes * 1024 // 10**6
    assert done.stderr.startswith(
        f"error: not enough memory: the address space of a process is limited to {limit:,} MB"
    )


@pytest.mark.parametrize(
    ("platform", "cores", "expected"), [("win32", 128, 61), ("win32", 8, 8), ("linux", 128, 128), ("darwin", 10, 10)]
)
def test_a_pool_on_windows_has_at_most_61_workers(platform: str, cores: int, expected: int) -> None:
    assert most_workers(cores, platform) == expected


def test_sources_are_listed_without_a_raw_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = invoke("list", "--json")
    assert done.exit_code == 0
    assert {row["state"] for row in json.loads(done.stdout)} == {"absent"}


def test_the_failure_of_a_source_does_not_stop_the_others(tmp_path: Path) -> None:
    put(tmp_path / "raw", {"fails.txt": "a\tb\n" * 3, "tieba.dialogues": "问\t答\n"})
    for number, failure in enumerate(FAILURES):
        plugin = tmp_path / f"plugin{number}.py"
        plugin.write_text(FAILS.format(failure=failure), "utf-8")
        for flags in ((), ("-v",), ("--log-json",)):
            out = tmp_path / f"out{number}{''.join(flags)}"
            done = invoke("--plugin", plugin, "--raw", tmp_path / "raw", "--out", out, "--workers", "1", *flags)
            assert done.exit_code == 1
            assert "fails: fails.txt, records 1 to 3: " in done.stderr
            shown = flags and ("\nTraceback" in done.stderr if flags == ("-v",) else "Traceback" in done.stderr)
            assert bool(shown) == bool(flags)
            assert set(visible(out)) >= {"tieba.tsv", "report.json"}


#: Code that fails without a `ChatCorpusError`.
FAILURES = (
    "raise ZeroDivisionError('of ours\\nin two lines')",
    "raise MemoryError",
    "raise OSError(5, 'a helper is missing')",
    "raise type('PanicException', (BaseException,), {})('as Polars raises it')",
    "(lambda f: f(f))(lambda f: f(f))",
    "import polars as pl; pl.DataFrame({'a': ['x']}).select(pl.col('a').cast(pl.Int64))",
    "raise UnicodeDecodeError('utf-8', b'x', 0, 1, 'odd')",
    "raise StopIteration",
)
FAILS = """
from chat_corpus.plugins import Format, Input, Source

def read(parts):
    {failure}

SOURCE = Source(
    name="fails", title="", url="", licence="", obtain="",
    inputs=(Input(files=("fails*.txt",), format=Format(read=read)),),
)
"""


@pytest.mark.parametrize("option", ["--raw", "--out", "--plugin"])
def test_a_path_that_the_report_cannot_hold_is_an_error_before_the_run(option: str, tmp_path: Path) -> None:
    raw, odd = put(tmp_path / "raw", TIEBA), tmp_path / os.fsdecode(b"odd\xff.py")
    places = {"--raw": str(raw), "--out": str(tmp_path / "out")}
    if option == "--raw":
        raw.rename(odd)
    elif option == "--plugin":
        odd.write_text("from chat_corpus.sources.corpora.tieba import SOURCE as T\nimport dataclasses\n"
                       "SOURCE = dataclasses.replace(T, name='ours')\n")  # fmt: skip
    places[option] = str(odd)
    done = invoke(*(word for pair in places.items() for word in pair))
    assert (done.exit_code, "cannot hold a name that is not UTF-8" in done.stderr) == (2, True)
    assert not list(tmp_path.glob("o*/*.json"))


@pytest.mark.parametrize("option", ["--raw", "--out", "--scheduler", "--source", "--exclude", "--plugin"])
def test_an_empty_value_does_not_mean_the_default(option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(put(tmp_path, {f"raw_chat_corpus/{name}": content for name, content in TIEBA.items()}))
    done = invoke("--force", option, "")
    assert (done.exit_code, f"error: {option}: the value is empty" in done.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["raw_chat_corpus"]


FAULTS = """
import os, resource, subprocess, sys
from chat_corpus import process_setup

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [b"-" * (8 << 20) for _ in range(3)]
    del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

process_setup.configure_libraries()
faults()
print(faults())
if len(sys.argv) > 1:
    subprocess.run([sys.executable, "-c", sys.argv[1]])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator of glibc")
def test_freed_memory_is_reused_by_the_process_and_its_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MALLOC_") or name == "GLIBC_TUNABLES"]:
        monkeypatch.delenv(name)

    def pages(*arguments: str) -> list[int]:
        done = subprocess.run([sys.executable, "-c", FAULTS, *arguments], capture_output=True, text=True, check=True)
        return [int(line) for line in done.stdout.split()]

    process, worker = pages(FAULTS)
    assert max(process, worker) < 100
    for name, value in (("MALLOC_TRIM_THRESHOLD_", "100000"), ("GLIBC_TUNABLES", "glibc.malloc.trim_threshold=100000")):
        with monkeypatch.context() as environment:  # which decides
            environment.setenv(name, value)
            assert pages()[0] > max(process, worker)
