"""A raw folder may hold anything besides corpora: none of it stops a run, hangs it, or controls a terminal."""

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
    """A folder with one intact corpus."""
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "tieba.dialogues").write_text(TIEBA, "utf-8")
    return folder


def inventory_of(raw: Path) -> Inventory:
    """Return what is found; the intact corpus always is."""
    inventory = discover(raw, sources.load())
    assert "tieba.dialogues" in [file.name for file in inventory.found["tieba"].files]
    return inventory


def reasons(raw: Path) -> dict[str, str]:
    return {item.file.name: item.reason for item in inventory_of(raw).unrecognised}


def test_a_fifo_a_socket_and_a_device_are_reported_and_never_opened(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_link_into_a_system_folder_is_not_followed(raw: Path) -> None:
    for name in ("proc", "sys", "dev"):
        (raw / name).symlink_to(f"/{name}")
    assert reasons(raw) == dict.fromkeys(("proc", "sys", "dev"), "a system folder, which is not entered")


def test_the_raw_folder_may_be_in_a_system_folder(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "SYSTEM_FOLDERS", (str(raw.parent),))
    (raw / "deeper").mkdir()
    (raw / "deeper" / "lost.conv").write_text("E\nM a\n", "utf-8")
    assert inventory_of(raw).found["subtitle"].state == "found"


def test_links_in_a_circle_and_to_nowhere_end(raw: Path) -> None:
    (raw / "a").mkdir()
    (raw / "a" / "up").symlink_to(raw)
    (raw / "self").symlink_to("self")
    (raw / "gone").symlink_to("nothing")
    broken = reasons(raw)
    assert set(broken) == {"self", "gone"}
    assert all(reason.startswith("a broken link: ") for reason in broken.values())


def test_a_folder_with_too_many_files_is_reported(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "MAX_FILES", 20)
    (raw / "z").mkdir()
    for number in range(30):
        (raw / "z" / f"{number}").touch()
    assert reasons(raw)["z"].startswith("more than 20 files: the rest is ignored")


def test_a_file_that_may_not_be_read_is_damaged_if_it_is_a_corpus(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (raw / "lost.conv").write_text("E\nM a\n", "utf-8")
    (raw / "notes").write_text("x", "utf-8")
    real = compression.open_content

    def refused(path: str, *rest: object) -> object:
        if not path.endswith("dialogues"):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("chat_corpus.files.compression.open_content", refused)
    inventory = inventory_of(raw)
    assert inventory.found["subtitle"].state == "damaged"
    assert "Permission denied" in inventory.found["subtitle"].damaged[0]
    assert "Permission denied" in reasons(raw)["notes"]


def test_a_file_that_vanishes_after_listing_is_reported(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (raw / "lost.conv").write_text("E\nM a\n", "utf-8")
    real = sniff.head_of

    def late(file: RawFile) -> bytes:
        (raw / "lost.conv").unlink(missing_ok=True)
        return real(file)

    monkeypatch.setattr("chat_corpus.discovery.identify.head_of", late)
    subtitle = inventory_of(raw).found["subtitle"]
    assert subtitle.state == "damaged"
    assert "No such file" in subtitle.damaged[0]


def test_a_file_that_vanishes_before_it_is_read_fails_only_its_source(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (raw / "lost.conv").write_text("E\nM a\nM b\n", "utf-8")
    (raw / "tieba.dialogues").write_text(TIEBA, "utf-8")
    real = discover

    def vanishing(folder: Path, known: object, *_: object) -> Inventory:
        inventory = real(folder, known)  # type: ignore[arg-type]
        (raw / "lost.conv").unlink()
        return inventory

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
def test_a_name_cannot_control_a_terminal_or_break_a_line(name: str, packed: bool, tmp_path: Path) -> None:
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
def test_an_archive_with_an_unprintable_name_is_read(name: str, kind: str, tmp_path: Path) -> None:
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
    tieba = discover(raw, sources.load()).found["tieba"]
    assert tieba.remarks == [f"skipped {shown}: an unpacked copy is beside it"]


def test_a_second_file_that_is_displayed_alike_is_skipped(raw: Path) -> None:
    for name, content in (("a\x1b", "早\t早\n"), (r"a\x1b", "晚\t晚\n")):
        (raw / name).mkdir()
        (raw / name / "tieba.dialogues").write_text(content, "utf-8")
    shown = r"a\x1b/tieba.dialogues"
    assert [file.name for file in inventory_of(raw).found["tieba"].files] == [shown, "tieba.dialogues"]
    assert reasons(raw) == {shown: "its name is displayed like that of another file: rename it"}
    file = walk.find(raw, shown)
    assert file is not None
    assert file.path.endswith("a\x1b/tieba.dialogues")


def test_a_displayed_name_is_one_printable_line() -> None:
    name = "".join(map(chr, range(0x300))) + "\ud800\udc80\udcff好"
    shown = displayed(name)
    assert shown.isprintable()
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert shown.endswith(r"\ud800\x80\xff好")


def test_discovery_changes_nothing_in_the_raw_folder(raw: Path) -> None:
    (raw / "a.zip").write_bytes(b"PK")
    before = {path: (stat.S_IMODE(path.stat().st_mode), path.read_bytes()) for path in raw.rglob("*")}
    inventory_of(raw)
    assert {path: (stat.S_IMODE(path.stat().st_mode), path.read_bytes()) for path in raw.rglob("*")} == before
