"""What may lie in a raw folder besides corpora: nothing of it stops a run, hangs it, or steers a terminal."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import zipfile
from pathlib import Path

import pytest

from chat_corpus import sources
from chat_corpus.discovery import sniff, walk
from chat_corpus.discovery.inventory import discover
from chat_corpus.discovery.model import Inventory
from chat_corpus.files import compression
from chat_corpus.files.raw_file import RawFile
from chat_corpus.messages import displayed
from tests.helpers import invoke

TIEBA = "在吗\t在\n"


pytestmark = pytest.mark.usefixtures("never_hangs")


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A folder with one sound corpus."""
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "tieba.dialogues").write_text(TIEBA, "utf-8")
    return folder


def seen(raw: Path) -> Inventory:
    """What is found, with the sound corpus in any case."""
    told = discover(raw, sources.load())
    assert "tieba.dialogues" in [file.name for file in told.found["tieba"].files]
    return told


def reasons(raw: Path) -> dict[str, str]:
    return {stray.file.name: stray.reason for stray in seen(raw).unrecognised}


def test_a_fifo_a_socket_and_a_device_are_named_and_never_opened(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(raw / "weibo.dialogues")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(raw)  # the path of a socket is short
        server.bind("socket")
        (raw / "terminal").symlink_to("/dev/null")
        assert reasons(raw) == {
            "weibo.dialogues": "a FIFO, which is never opened",
            "socket": "a socket, which is never opened",
            "terminal": "a device, which is never opened",
        }


def test_a_link_into_the_systems_own_folders_is_not_followed(raw: Path) -> None:
    for name in ("proc", "sys", "dev"):
        (raw / name).symlink_to(f"/{name}")
    assert reasons(raw) == dict.fromkeys(("proc", "sys", "dev"), "a folder of the system's own, which is not entered")


def test_a_raw_folder_may_lie_among_the_systems_own(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "_SYSTEM", (str(raw.parent),))
    (raw / "deeper").mkdir()
    (raw / "deeper" / "lost.conv").write_text("E\nM a\n", "utf-8")
    assert seen(raw).found["subtitle"].state == "found"


def test_links_in_a_circle_and_to_nowhere_end(raw: Path) -> None:
    (raw / "a").mkdir()
    (raw / "a" / "up").symlink_to(raw)
    (raw / "self").symlink_to("self")
    (raw / "gone").symlink_to("nothing")
    told = reasons(raw)
    assert set(told) == {"self", "gone"}
    assert all(reason.startswith("leads nowhere: ") for reason in told.values())


def test_a_folder_of_too_many_files_is_left_with_a_word(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "_MOST", 20)
    (raw / "z").mkdir()
    for number in range(30):
        (raw / "z" / f"{number}").touch()
    assert reasons(raw)["z"].startswith("more than 20 files: what follows is not looked at")


def test_a_file_that_may_not_be_read_is_damaged_if_it_is_a_corpus(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (raw / "lost.conv").write_text("E\nM a\n", "utf-8")
    (raw / "notes").write_text("x", "utf-8")
    real = compression.open_content

    def refused(path: str, *rest: object) -> object:
        if not path.endswith("dialogues"):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("chat_corpus.files.compression.open_content", refused)
    told = seen(raw)
    assert told.found["subtitle"].state == "damaged"
    assert "Permission denied" in told.found["subtitle"].damaged[0]
    assert "Permission denied" in reasons(raw)["notes"]


def test_a_file_that_vanishes_after_it_was_listed_is_told(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (raw / "lost.conv").write_text("E\nM a\n", "utf-8")
    real = sniff.head_of

    def late(file: RawFile) -> bytes:
        (raw / "lost.conv").unlink(missing_ok=True)
        return real(file)

    monkeypatch.setattr("chat_corpus.discovery.identify.head_of", late)
    one = seen(raw).found["subtitle"]
    assert one.state == "damaged"
    assert "No such file" in one.damaged[0]


def test_a_file_that_vanishes_before_it_is_read_fails_its_source_alone(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (raw / "lost.conv").write_text("E\nM a\nM b\n", "utf-8")
    (raw / "tieba.dialogues").write_text(TIEBA, "utf-8")
    survey_look = discover

    def vanishing(folder: Path, known: object) -> Inventory:
        told = survey_look(folder, known)  # type: ignore[arg-type]
        (raw / "lost.conv").unlink()
        return told

    monkeypatch.setattr("chat_corpus.discovery.inventory.discover", vanishing)
    done = invoke("--raw", raw, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "lost.conv: cannot be read: " in done.stderr
    assert (tmp_path / "out" / "tieba.tsv").read_text("utf-8") == TIEBA


NAMES = {
    "new line": "tieba\nerror: all is lost\n.dialogues",
    "escape": "tieba\x1b[2J\x1b]0;x\x07.dialogues",
    "right to left": "tieba\u202e.dialogues",
    "no text": "tieba\udcff\udcfe.dialogues",
}


@pytest.mark.parametrize("name", [pytest.param(name, id=kind) for kind, name in NAMES.items()])
@pytest.mark.parametrize("packed", [False, True], ids=["file", "member"])
def test_a_name_steers_no_terminal_and_breaks_no_line(name: str, packed: bool, tmp_path: Path) -> None:
    if packed and "\udcff" in name:
        pytest.skip("the name of a member is text")
    raw, out = tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    content = "在吗\t在\n好\t好\n坏行\n" * 20
    if packed:
        with zipfile.ZipFile(raw / "a.zip", "w") as archive:
            archive.writestr(name, content)
    else:
        (raw / name).write_text(content, "utf-8")
    done, checked = invoke("--raw", raw, "--out", out), invoke("check", "--raw", raw)
    assert done.exit_code == 0
    rejects = (out / "rejects" / "tieba.jsonl").read_text("utf-8")
    assert json.loads(rejects.splitlines()[0])["file"].endswith(displayed(name))
    for text in (done.stderr, checked.stdout, rejects, (out / "report.json").read_text("utf-8")):
        assert all(character.isprintable() or character == "\n" for character in text)
        assert not any(line.startswith("error: all is lost") for line in text.split("\n"))


ARCHIVES = {"wide blank": "语料\u3000全", "no-break space": "a\xa0b", "escape": "a\x1bb", "GBK": "a\udcc4\udce3"}


@pytest.mark.parametrize("name", [pytest.param(name, id=kind) for kind, name in ARCHIVES.items()])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_whose_name_does_not_print_as_itself_is_read(name: str, kind: str, tmp_path: Path) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    (raw / name).mkdir(parents=True)
    (tmp_path / "tieba.dialogues").write_text(TIEBA, "utf-8")
    shutil.make_archive(str(tmp_path / "packed"), kind, tmp_path, "tieba.dialogues")
    (tmp_path / f"packed.{kind}").rename(raw / f"{name}.{kind}")
    for verb in ("check", "list"):
        assert invoke(verb, "--raw", raw).exit_code == 0
    assert invoke("--raw", raw, "--out", out).exit_code == 0
    shown = displayed(f"{name}.{kind}/tieba.dialogues")
    assert f"query: {shown}:1" in invoke("trace", out / "tieba.tsv:1").stdout
    (raw / name / "tieba.dialogues").write_text(TIEBA, "utf-8")
    one = discover(raw, sources.load()).found["tieba"]
    assert one.remarks == [f"{shown} left alone: unpacked beside it"]


def test_of_two_files_that_are_shown_alike_the_second_is_refused(raw: Path) -> None:
    for name, content in (("a\x1b", "早\t早\n"), (r"a\x1b", "晚\t晚\n")):
        (raw / name).mkdir()
        (raw / name / "tieba.dialogues").write_text(content, "utf-8")
    shown = r"a\x1b/tieba.dialogues"
    assert [file.name for file in seen(raw).found["tieba"].files] == [shown, "tieba.dialogues"]
    assert reasons(raw) == {shown: "shown under the name of another file: rename it"}
    file = walk.find(raw, shown)
    assert file is not None
    assert file.path.endswith("a\x1b/tieba.dialogues")


def test_a_displayed_name_is_one_printable_line() -> None:
    name = "".join(map(chr, range(0x300))) + "\ud800\udc80\udcff好"
    shown = displayed(name)
    assert shown.isprintable()
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert shown.endswith(r"\ud800\x80\xff好")


def test_nothing_in_a_raw_folder_is_changed_by_looking(raw: Path) -> None:
    (raw / "a.zip").write_bytes(b"PK")
    before = {path: (stat.S_IMODE(path.stat().st_mode), path.read_bytes()) for path in raw.rglob("*")}
    seen(raw)
    assert {path: (stat.S_IMODE(path.stat().st_mode), path.read_bytes()) for path in raw.rglob("*")} == before
