"""`fetch` against servers that cut, delay, redirect, lie and refuse; nothing here leaves the machine."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import filelock
import pytest
from click.testing import Result

from chat_corpus.errors import ChatCorpusError
from chat_corpus.fetching import transfer
from chat_corpus.fetching.download import STAGING
from tests.conftest import ROOT
from tests.fetching.server import Server, git_blob, running, sha256
from tests.helpers import invoke, put

DATA = "".join(f"第{n}问|第{n}答\n" for n in range(20_000)).encode()
PLUGIN = '''
"""A corpus with an address."""

from chat_corpus.plugins import FileOrigin, Input, RemoteFile, Source, delimited

SOURCE = Source(
    name="ours", title="Ours", url="https://example.org", licence="CC0-1.0", obtain="write it",
    inputs=(Input(files=("ours*.txt",), format=delimited("|"), many=True),),
    origins=(FileOrigin({origin}, files=({files})),),
)
'''


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with running() as one:
        yield one


def plugin(folder: Path, address: str, *files: str, hub: bool = False, licence: str = "CC0-1.0") -> Path:
    origin = f"address={address!r}, hub={hub}, licence={licence!r}"
    path = folder / "ours.py"
    path.write_text(PLUGIN.format(origin=origin, files="".join(f"RemoteFile({one}), " for one in files)), "utf-8")
    return path


def remote(data: bytes = DATA, name: str = "ours.txt", **facts: object) -> str:
    known = {"name": name, "path": f"ours/{name}", "bytes": len(data), "sha256": sha256(data), **facts}
    return ", ".join(f"{key}={value!r}" for key, value in known.items())


def fetch(folder: Path, declared: Path, *words: str) -> Result:
    return invoke("fetch", "ours", "--yes", "--raw", folder / "raw", "--plugin", declared, *words)


def files(folder: Path) -> dict[str, bytes]:
    """All files below the raw folder, hidden ones too."""
    raw = folder / "raw"
    return {path.relative_to(raw).as_posix(): path.read_bytes() for path in sorted(raw.rglob("*")) if path.is_file()}


def test_files_are_downloaded_verified_and_read(server: Server, tmp_path: Path) -> None:
    server.serve("/ours.txt", DATA)
    server.serve("/ours2.txt", DATA[:300])
    known = remote(DATA[:300], "ours2.txt", sha256="", git_blob=git_blob(DATA[:300]))
    declared = plugin(tmp_path, server.address, remote(), known)
    done = fetch(tmp_path, declared)
    assert done.exit_code == 0, done.output
    assert files(tmp_path) == {"ours/ours.txt": DATA, "ours/ours2.txt": DATA[:300]}
    assert "ours/ours.txt: downloaded, digest verified" in done.stderr
    again = fetch(tmp_path, declared)
    assert (again.exit_code, "present" in again.stdout) == (0, True)
    assert [len(answer.requests) for answer in server.answers.values()] == [1, 1]
    checked = invoke("check", "--raw", tmp_path / "raw", "--plugin", declared, "--json")
    (row,) = [row for row in json.loads(checked.stdout)["sources"] if row["name"] == "ours"]
    assert [file["digest"] for file in row["files"]] == ["verified", "verified"]
    assert (
        "ours: digests: 2 of 2 files verified"
        in invoke("check", "--raw", tmp_path / "raw", "--plugin", declared).stdout
    )


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "another content": ({"data": DATA[::-1]}, "SHA-256 "),
    "another size": ({"data": DATA[:-9]}, "bytes found"),
    "a length that is too small": ({"stated_length": 1000}, "1,000 bytes found"),
    "a length that is too large": ({"stated_length": len(DATA) + 10}, "broke off before the end"),
    "too many bytes": ({"data": DATA * 2}, "bytes arrived; this is not the file"),
    "too many bytes in chunks": ({"data": DATA * 2, "chunked": True}, "bytes arrived; this is not the file"),
    "cut each time": ({"cuts": [1000]}, "broke off before the end"),
    "404": ({"statuses": [404]}, "has no such file (404)"),
    "403": ({"statuses": [403]}, "the server refuses it (403)"),
    "503": ({"statuses": [503]}, "the server answers 503"),
    "a redirect to a file": ({"redirect": "file:///etc/hostname"}, "redirects to file:///etc/hostname, which is not"),
    "a redirect to ftp": ({"redirect": "ftp://127.0.0.1/x"}, "redirects to ftp://127.0.0.1/x, which is not followed"),
    "a circle": ({"redirect": "/ours.txt"}, "cannot be downloaded"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_not_the_file_never_gets_its_name(name: str, server: Server, tmp_path: Path) -> None:
    facts, text = FAULTS[name]
    server.serve("/ours.txt", **{"data": DATA, **facts})
    declared = plugin(tmp_path, server.address, remote())
    done = fetch(tmp_path, declared)
    assert (done.exit_code, text in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.output
    kept = {"ours/ours.txt.bad"} if "bytes found" in text or "SHA" in text else set()
    assert set(files(tmp_path)) == kept
    if kept:
        assert "set aside" in done.stderr
        listed = json.loads(invoke("check", "--raw", tmp_path / "raw", "--plugin", declared, "--json").stdout)
        assert {row["state"] for row in listed["sources"]} == {"absent"}
        assert "set aside by fetch" in listed["unrecognised"][0]["reason"]
        run = invoke("run", "--raw", tmp_path / "raw", "--out", tmp_path / "out", "--plugin", declared)
        assert "warning: ours/" not in run.stderr
        server.serve("/ours.txt", DATA)
        assert fetch(tmp_path, declared).exit_code == 0


@pytest.mark.parametrize(
    "facts",
    [
        {"cuts": [1000, 50_000, None]},
        {"statuses": [503, 429, 200]},
        {"chunked": True},
        {"ranges": False},
        {"delay": 0.1},
    ],
    ids=str,
)
def test_what_passes_is_overcome(facts: dict[str, Any], server: Server, tmp_path: Path) -> None:
    server.serve("/ours.txt", DATA, **facts)
    done = fetch(tmp_path, plugin(tmp_path, server.address, remote()))
    assert done.exit_code == 0, done.stderr
    assert files(tmp_path) == {"ours/ours.txt": DATA}


def test_a_redirect_on_the_web_is_followed(server: Server, tmp_path: Path) -> None:
    server.serve("/ours.txt", b"", redirect="/elsewhere/a")
    server.serve("/elsewhere/a", DATA)
    assert fetch(tmp_path, plugin(tmp_path, server.address, remote())).exit_code == 0
    with pytest.raises(ChatCorpusError):
        transfer.check_redirect("https://a.example/x", "http://a.example/x")
    transfer.check_redirect("https://a.example/x", "https://b.example/x")


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(transfer, "TIMEOUT", 1)
    monkeypatch.setattr(transfer, "ATTEMPTS", 0)
    server.serve("/ours.txt", DATA, delay=5.0)
    done = fetch(tmp_path, plugin(tmp_path, server.address, remote()))
    assert (done.exit_code, "no answer within 1 seconds" in done.stderr) == (1, True)


@pytest.mark.usefixtures("server")
def test_a_server_that_is_gone_is_tried_once(tmp_path: Path) -> None:
    known = [remote(name=name) for name in ("ours.txt", "ours2.txt", "ours3.txt")]
    done = fetch(tmp_path, plugin(tmp_path, "http://127.0.0.1:9/", *known), "--json")
    assert (done.exit_code, done.stderr.count("cannot be downloaded: no connection; run the same")) == (1, 1)
    assert "127.0.0.1:9 cannot be reached; not tried: 2 files" in done.stderr
    assert ["not tried" in row["fault"] for row in json.loads(done.stdout)] == [False, True, True]


@pytest.mark.slow
def test_one_failing_file_does_not_stop_the_others(server: Server, tmp_path: Path) -> None:
    server.serve("/ours2.txt", DATA)
    done = fetch(tmp_path, plugin(tmp_path, server.address, remote(), remote(name="ours2.txt")), "--json")
    assert (done.exit_code, set(files(tmp_path))) == (1, {"ours/ours2.txt"})
    assert [(row["done"], row["verified"]) for row in json.loads(done.stdout)] == [(False, False), (True, True)]


@pytest.mark.slow
def test_a_page_in_place_of_a_file_without_digest_is_set_aside(server: Server, tmp_path: Path) -> None:
    server.serve("/ours.txt", b"<!DOCTYPE html><html>sign in</html>")
    declared = plugin(tmp_path, server.address, "name='ours.txt', path='ours/ours.txt'")
    done = fetch(tmp_path, declared)
    assert (done.exit_code, list(files(tmp_path))) == (1, ["ours/ours.txt.bad"])
    assert "a web page, saved in place of the file" in done.stderr
    server.serve("/ours.txt", DATA)
    done = fetch(tmp_path, declared)
    assert (done.exit_code, f"no digest is known, its SHA-256 is {sha256(DATA)}" in done.stderr) == (0, True)


def test_nothing_that_exists_is_replaced(server: Server, tmp_path: Path) -> None:
    server.serve("/ours.txt", DATA)
    put(tmp_path, {"raw/ours/ours.txt": "我的|文件\n"})
    done = fetch(tmp_path, plugin(tmp_path, server.address, remote()))
    assert (done.exit_code, "exists and is not the file at the origin" in done.stderr) == (1, True)
    assert files(tmp_path) == {"ours/ours.txt": "我的|文件\n".encode()}
    assert server.answers["/ours.txt"].requests == []


def test_a_bundled_sample_is_not_taken_for_the_corpus_and_the_command_of_check_works(tmp_path: Path) -> None:
    samples = ROOT / "raw_chat_corpus"
    found = json.loads(invoke("check", "--raw", samples, "--json").stdout)["sources"]
    commands = {row["name"]: row["fetch"].split() for row in found if row["fetch"]}
    assert {"subtitle", "xiaohuangji", "ptt", "egret", "chatterbot", "sms"} < set(commands)
    for name, command in commands.items():
        at = command.index("--raw") + 1
        assert command[:3] == ["chat-corpus", "fetch", name]
        done = invoke(*command[1:at], tmp_path / "empty", *command[at + 1 :], "--dry-run", "--json")
        assert (done.exit_code, {row["action"] for row in json.loads(done.stdout)}) == (0, {"download"})
    for name in ("subtitle", "ptt"):
        done = invoke("fetch", name, "--raw", samples, "--yes", "--json")
        assert (done.exit_code, {row["action"] for row in json.loads(done.stdout)}) == (3, {"sample"})
        assert "only a bundled sample is there" in done.stderr
        assert " ".join(commands[name]) in done.stderr
    done = invoke("fetch", "belle", "--raw", samples, "--yes", "--file", "train_2*")
    assert "chat-corpus fetch belle --file 'train_2*' --raw ~/data" in done.stderr


@pytest.mark.slow
def test_a_packed_file_stays_packed_and_is_read(server: Server, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("ours.txt", DATA[:300])
    data = (tmp_path / "a.zip").read_bytes()
    server.serve("/ours.zip", data)
    declared = plugin(tmp_path, server.address, remote(data, "ours.zip"))
    assert fetch(tmp_path, declared).exit_code == 0
    assert files(tmp_path) == {"ours/ours.zip": data}
    table = invoke("check", "--raw", tmp_path / "raw", "--plugin", declared).stdout
    assert "ours: digests: 1 of 1 file verified" in table


@pytest.mark.slow
def test_what_states_no_licence_must_be_accepted(server: Server, tmp_path: Path) -> None:
    server.serve("/ours.txt", DATA)
    declared = plugin(tmp_path, server.address, remote(), licence="")
    done = fetch(tmp_path, declared)
    assert (done.exit_code, files(tmp_path)) == (3, {})
    assert "states no licence" in done.stderr
    assert fetch(tmp_path, declared, "--accept-unstated").exit_code == 0


def test_without_a_terminal_nothing_is_downloaded_unless_confirmed(server: Server, tmp_path: Path) -> None:
    server.serve("/ours.txt", DATA)
    declared = plugin(tmp_path, server.address, remote())
    done = invoke("fetch", "ours", "--raw", tmp_path / "raw", "--plugin", declared)
    assert (done.exit_code, "repeat the command with --yes" in done.stderr) == (2, True)
    planned = invoke("fetch", "ours", "--dry-run", "--raw", tmp_path / "raw", "--plugin", declared)
    assert (planned.exit_code, "CC0-1.0" in planned.stdout, server.address in planned.stdout) == (0, True, True)
    assert (server.answers["/ours.txt"].requests, (tmp_path / "raw").exists()) == ([], False)


@pytest.mark.slow
def test_a_source_without_address_is_explained(tmp_path: Path) -> None:
    done = invoke("fetch", "tieba", "--yes", "--raw", tmp_path)
    assert (done.exit_code, "tieba: no address to download from; open the" in done.stderr) == (3, True)


@pytest.mark.slow
def test_a_mirror_takes_the_place_of_the_origin(server: Server, tmp_path: Path) -> None:
    server.serve("/copy/ours.txt", DATA)
    declared = plugin(tmp_path, "https://example.invalid/a/", remote())
    assert fetch(tmp_path, declared, "--from", f"{server.address}copy").exit_code == 0
    server.serve("/https://example.invalid/a/ours.txt", DATA)
    (tmp_path / "raw" / "ours" / "ours.txt").unlink()
    assert fetch(tmp_path, declared, "--from", server.address + "{url}").exit_code == 0


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("egret", "--from", ""), "--from: the value is empty"),
        (("egret", "--from", "ftp://a.example/"), "an address that begins with https://"),
        (("egret", "ptt", "--from", "https://a.example/"), "files of egret, ptt have different origins"),
        (("belle", "--file", "train_9M*"), "--file train_9M*: no such file; files: Belle_open_source_1M.json, "),
        (("egrett",), "did you mean 'egret'?"),
    ],
)
def test_wrong_usage_is_explained(words: tuple[str, ...], text: str, tmp_path: Path) -> None:
    done = invoke("fetch", *words, "--yes", "--raw", tmp_path)
    assert (done.exit_code, text in done.stderr) == (2, True)


def test_a_source_without_a_file_of_the_name_is_named(tmp_path: Path) -> None:
    done = invoke("fetch", "ptt", "egret", "--file", "Gossiping*", "--dry-run", "--raw", tmp_path)
    assert (done.exit_code, "egret: none of its files has a name" in done.stderr) == (3, True)


def test_without_the_packages_the_command_to_install_them_is_shown(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pooch", None)
    done = fetch(tmp_path, plugin(tmp_path, server.address, remote()))
    assert (done.exit_code, "pip install 'chat-corpus[fetch]'" in done.stderr) == (2, True)


def test_two_at_once_do_not_disturb_each_other(server: Server, tmp_path: Path) -> None:
    server.serve("/ours.txt", DATA)
    declared = plugin(tmp_path, server.address, remote())
    staging = tmp_path / "raw" / STAGING
    staging.mkdir(parents=True)
    with filelock.FileLock(staging / ".lock"):
        done = fetch(tmp_path, declared)
    assert (done.exit_code, "another fetch is writing to this folder" in done.stderr) == (2, True)
    assert fetch(tmp_path, declared).exit_code == 0


def test_a_full_disk_leaves_no_part_behind(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.serve("/ours.txt", DATA)
    declared = plugin(tmp_path, server.address, remote())
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000}))
        done = fetch(tmp_path, declared)
        assert (done.exit_code, "kB free; free some space" in done.stderr) == (1, True)
    with monkeypatch.context() as patch:

        def full(*_: object) -> int:
            raise OSError(28, "No space left on device")

        patch.setattr(transfer._Counted, "write", full)
        done = fetch(tmp_path, declared)
        assert (done.exit_code, "cannot be written: No space left on device" in done.stderr) == (1, True)
    assert files(tmp_path) == {}


def test_a_link_in_place_of_the_hidden_folder_is_not_followed(server: Server, tmp_path: Path) -> None:
    server.serve("/ours.txt", DATA)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / STAGING).symlink_to(tmp_path)
    done = fetch(tmp_path, plugin(tmp_path, server.address, remote()))
    assert (done.exit_code, "a link; files would be written outside" in done.stderr) == (2, True)


@pytest.mark.slow
def test_what_is_there_unpacked_is_not_downloaded_again(tmp_path: Path) -> None:
    put(tmp_path, {"raw/subtitle-useless/dgk_shooter_min.conv": "E\nM 在吗\nM 在\n"})
    done = invoke("fetch", "subtitle", "--yes", "--raw", tmp_path / "raw")
    assert (done.exit_code, "present" in done.stdout) == (0, True)


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1)])
def test_on_a_terminal_it_asks_first(answer: str, code: int, tmp_path: Path) -> None:
    with running() as server:
        server.serve("/ours.txt", DATA)
        declared = plugin(tmp_path, server.address, remote())
        words = ["fetch", "ours", "--raw", str(tmp_path / "raw"), "--plugin", str(declared)]
        ours, theirs = pty.openpty()
        program = subprocess.Popen([sys.executable, str(ROOT / "main.py"), *words], stdin=theirs, stderr=theirs)
        os.write(ours, f"{answer}\n".encode())
        assert program.wait(60) == code
        os.close(theirs)
        shown = os.read(ours, 10_000).decode()
        os.close(ours)
        assert "Download 1 file (458 kB) into" in shown
        assert (tmp_path / "raw" / "ours" / "ours.txt").exists() == (code == 0)
        assert ("cancelled: nothing was downloaded" in shown) == (code == 1)


@pytest.mark.slow
def test_where_files_cannot_grow_the_download_fails(server: Server, tmp_path: Path) -> None:
    server.serve("/ours.txt", DATA)
    declared = plugin(tmp_path, server.address, remote())
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
        "from chat_corpus.cli.main import main; main()"
    )
    words = ["fetch", "ours", "--yes", "--raw", str(tmp_path / "raw"), "--plugin", str(declared)]
    done = subprocess.run(
        [sys.executable, "-B", "-c", code, *words], check=False, capture_output=True, text=True, cwd=ROOT
    )
    assert (done.returncode, "cannot be written: File too large" in done.stderr) == (1, True), done.stderr
    assert files(tmp_path) == {}


def hub_plugin(folder: Path, *files: str) -> Path:
    return plugin(folder, "Ours/talk", *(files or (remote(),)), hub=True)


def test_a_data_set_of_the_hub_is_downloaded(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)
    answer = server.serve_hub("Ours/talk", "ours.txt", DATA, cuts=[None, 1000, 5000, None])
    done = fetch(tmp_path, hub_plugin(tmp_path), "--from", server.address)
    assert done.exit_code == 0, done.output
    assert files(tmp_path) == {"ours/ours.txt": DATA}
    assert answer.requests == ["HEAD", "GET", "GET bytes=1000-", "GET bytes=6000-"]


FAULTS_OF_THE_HUB: dict[str, tuple[dict[str, Any], str]] = {
    "404": ({"statuses": [404]}, "has no such file (404)"),
    "a redirect": ({"redirect": "ftp://127.0.0.1/x"}, "redirects to ftp://127.0.0.1/x, which is not followed"),
    "another content": ({"data": DATA[::-1]}, "SHA-256 "),
    "too much": ({"data": DATA * 2}, "this is not the file at the origin"),
    "too little": ({"data": DATA[:-10]}, "broke off before the end of the file"),
}


@pytest.mark.parametrize("name", FAULTS_OF_THE_HUB)
def test_what_the_hub_does_wrong_is_reported(name: str, server: Server, tmp_path: Path) -> None:
    facts, text = FAULTS_OF_THE_HUB[name]
    server.serve_hub("Ours/talk", "ours.txt", **{"data": DATA, **facts})
    done = fetch(tmp_path, hub_plugin(tmp_path), "--from", server.address)
    assert (done.exit_code, text in done.stderr) == (1, True), done.stderr
    assert "ours/ours.txt" not in files(tmp_path)


def test_the_hub_is_not_asked_where_the_user_is_offline(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # read from the environment at import
    answer = server.serve_hub("Ours/talk", "ours.txt", DATA)
    done = fetch(tmp_path, hub_plugin(tmp_path), "--from", server.address)
    assert (done.exit_code, "unset it to download" in done.stderr, answer.requests) == (1, True, []), done.stderr


@pytest.mark.slow
def test_the_digest_of_the_hub_is_used_where_none_is_known(server: Server, tmp_path: Path) -> None:
    declared = hub_plugin(tmp_path, "name='ours.txt', path='ours/ours.txt'")
    server.serve_hub("Ours/talk", "ours.txt", DATA, etags=["0" * 64])
    assert fetch(tmp_path, declared, "--from", server.address).exit_code == 1
    server.serve_hub("Ours/talk", "ours.txt", DATA)
    done = fetch(tmp_path, declared, "--from", server.address)
    assert (done.exit_code, "digest verified" in done.stderr) == (0, True)


@pytest.mark.parametrize("changed", [False, True], ids=["the same ETag", "another ETag"])
@pytest.mark.slow
def test_a_killed_download_from_the_hub_is_continued(changed: bool, tmp_path: Path) -> None:
    with running() as server:
        data = DATA * 60
        answer = server.serve_hub("Ours/talk", "ours.txt", data, cuts=[len(data) - 1000], stall=60.0)
        declared = hub_plugin(tmp_path, remote(data))
        program = _program(tmp_path, declared, HF_ENDPOINT=server.address.rstrip("/"))
        staging = tmp_path / "raw" / STAGING
        _wait(program, lambda: any(path.stat().st_size for path in staging.glob("*.incomplete")))
        program.kill()
        program.communicate()
        listed = json.loads(invoke("check", "--raw", tmp_path / "raw", "--json").stdout)
        assert ({row["state"] for row in listed["sources"]}, listed["unrecognised"]) == ({"absent"}, [])
        answer.cuts, answer.stall, answer.requests = [None], 0.0, []
        answer.etags = ["another"] if changed else []
        done = fetch(tmp_path, declared, "--from", server.address.rstrip("/"))
        assert done.exit_code == 0, done.stderr
        (begun,) = [one for one in answer.requests if one.startswith("GET")]
        assert begun == "GET" if changed else begun.startswith("GET bytes=")
        assert files(tmp_path)["ours/ours.txt"] == data


@pytest.mark.slow
def test_a_killed_download_begins_again(tmp_path: Path) -> None:
    with running() as server:
        answer = server.serve("/ours.txt", DATA, delay=3.0)
        declared = plugin(tmp_path, server.address, remote())
        program = _program(tmp_path, declared)
        _wait(program, lambda: bool(answer.requests))
        program.kill()
        program.communicate()
        answer.delay = 0
        assert fetch(tmp_path, declared).exit_code == 0
        assert files(tmp_path) == {"ours/ours.txt": DATA}


@pytest.mark.slow
def test_a_stopped_download_says_how_to_resume(tmp_path: Path) -> None:
    with running() as server:
        answer = server.serve("/ours.txt", DATA, delay=3.0)
        program = _program(tmp_path, plugin(tmp_path, server.address, remote()))
        _wait(program, lambda: bool(answer.requests))
        os.kill(program.pid, signal.SIGINT)
        _, stderr = program.communicate(timeout=30)
        assert (program.returncode, "the same command resumes from here" in stderr) == (130, True), stderr
        assert files(tmp_path) == {}


def _program(folder: Path, declared: Path, **environment: str) -> subprocess.Popen[str]:
    words = ["fetch", "ours", "--yes", "--raw", str(folder / "raw"), "--plugin", str(declared)]
    return subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), *words],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _wait(program: subprocess.Popen[str], ready: Callable[[], bool]) -> None:
    """Wait until something has happened in a program that runs."""
    end = time.monotonic() + 30
    while not ready():
        assert program.poll() is None, program.communicate()
        assert time.monotonic() < end
        threading.Event().wait(0.02)


@pytest.mark.slow
def test_two_programs_at_once_download_once(tmp_path: Path) -> None:
    with running() as server:
        answer = server.serve("/ours.txt", DATA, delay=2.0)
        declared = plugin(tmp_path, server.address, remote())
        programs = [_program(tmp_path, declared) for _ in range(2)]
        ends = [(one.communicate(), one.returncode) for one in programs]
        assert sorted(code for _, code in ends) == [0, 2], ends
        assert len(answer.requests) == 1
        assert files(tmp_path) == {"ours/ours.txt": DATA}


def test_a_raw_folder_that_is_a_file_is_refused_before_anything_else(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(b"")
    done = invoke("fetch", "egret", "--raw", tmp_path / "raw", "--dry-run")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "raw: is a file; name a folder with --raw" in done.stderr
