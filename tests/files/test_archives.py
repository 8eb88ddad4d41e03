"""Archives and compressed files: read in place, in one pass, and within limits whatever they claim."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import struct
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover
from chat_corpus.discovery.walk import find
from chat_corpus.errors import ChatCorpusError
from chat_corpus.files import archives, compression, raw_file
from chat_corpus.files.raw_file import RawFile, read_range
from tests.conftest import slow_from
from tests.helpers import invoke

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LINES = "".join(f"楼主问{n}\t答{n}\n" for n in range(10_000)).encode()
WEIBO = {
    "stc_weibo_train_post": "".join(f"今 天 {n}\n" for n in range(30_000)).encode(),
    "stc_weibo_train_response": "".join(f"明 天 {n}\n" for n in range(30_000)).encode(),
}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd.compress,
}  # fmt: skip


def tarred(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def pack(path: Path, members: dict[str, bytes]) -> None:
    """Write a zip or tar archive, depending on the ending of its name."""
    if path.suffix == ".tar":
        path.write_bytes(tarred(members))
        return
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def files(folder: Path, source: str) -> list[RawFile]:
    return discover(folder, sources.load()).found[source].files


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
def test_a_compressed_file_is_read_in_place(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"tieba.dialogues{ending}").write_bytes(PACKERS[ending](LINES))
    (file,) = files(tmp_path, "tieba")
    assert (file.name, file.compressed) == (f"tieba.dialogues{ending}", True)
    middle = len(LINES) // 2
    assert read_range(file, 0, middle) + read_range(file, middle, len(LINES)) == LINES


@pytest.mark.parametrize("name", ["a.tar", "a.TAR", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz", "a.tar.zst"])
def test_a_member_of_a_tar_archive_is_read_in_place(name: str, tmp_path: Path) -> None:
    data = tarred({"x/README": b"hello", "x/tieba.dialogues": LINES, **WEIBO})
    (tmp_path / name).write_bytes(PACKERS[compression.compression_of(name)](data))
    (file,) = files(tmp_path, "tieba")
    assert (file.name, file.size) == (f"{name}/x/tieba.dialogues", len(LINES))
    assert file.compressed is (name.lower() != "a.tar")
    assert b"".join(read_range(file, at, min(at + 99_999, len(LINES))) for at in range(0, len(LINES), 99_999)) == LINES
    with file.open() as stream:
        assert stream.read() == LINES


@pytest.mark.parametrize(("kind", "workers"), slow_from(2, [(".tar.gz", "1"), (".zip", "1"), (".tar.gz", "2")]))
def test_parallel_files_in_an_archive_take_one_pass_each(
    kind: str, workers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    if kind == ".zip":
        with zipfile.ZipFile(folder / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in WEIBO.items():
                archive.writestr(name, content)
    else:
        (folder / "all.tar.gz").write_bytes(gzip.compress(tarred(WEIBO)))
    config = tmp_path / "small.yaml"
    config.write_text("shard_bytes: 65536\n", "utf-8")
    opened = []
    original = raw_file.start_stream

    def counted(file: RawFile) -> IO[bytes]:
        opened.append(file.name)
        return original(file)

    monkeypatch.setattr(raw_file, "start_stream", counted)
    out = tmp_path / "out"
    done = invoke("--raw", folder, "--out", out, "--config", config, "--workers", workers)
    assert done.exit_code == 0
    assert (out / "weibo.tsv").read_text("utf-8").count("\n") == 30_000
    assert len(opened) <= len(WEIBO) + 1


def test_the_next_range_does_not_read_earlier_bytes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(tarred(WEIBO)))
    post, response = files(tmp_path, "weibo")
    opened = []
    original = raw_file.start_stream

    def counted(file: RawFile) -> IO[bytes]:
        opened.append(file.name)
        return original(file)

    monkeypatch.setattr(raw_file, "start_stream", counted)
    for start in range(0, 200_000, 20_000):
        for file in (post, response):
            assert read_range(file, start, start + 20_000) == WEIBO[Path(file.name).name][start : start + 20_000]
    assert len(opened) == 2


def test_small_members_of_a_compressed_archive_take_one_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yaml = "categories:\n- 甲\nconversations:\n- - 问{0}\n  - 答{0}\n"
    members = {f"chinese/{number:03}.yml": yaml.format(number).encode() for number in range(60)}
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "a.tgz").write_bytes(gzip.compress(tarred(members)))
    opened = []
    original = compression.open_stream

    def counted(path: str) -> IO[bytes]:
        opened.append(path)
        return original(path)

    monkeypatch.setattr(compression, "open_stream", counted)
    done = invoke("--raw", folder, "--out", tmp_path / "out", "--workers", "1")
    assert done.exit_code == 0
    assert (tmp_path / "out" / "chatterbot.tsv").read_text("utf-8").count("\n") == 60
    assert len(opened) < 10


def test_the_number_of_open_streams_is_bounded(tmp_path: Path) -> None:
    compression.waiting.close()
    for number in range(9):
        path = tmp_path / f"{number}.gz"
        path.write_bytes(gzip.compress(b"content"))
        assert read_range(RawFile(path=str(path), name=path.name, size=9), 3, 7) == b"tent"
    assert len(compression.waiting) == 4


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
def test_content_that_inflates_too_much_is_an_error(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "HARMLESS", 1 << 16)
    path = tmp_path / f"tieba.dialogues{ending}"
    path.write_bytes(PACKERS[ending](b"a\tb\n" * (1 << 18)))
    file = RawFile(path=str(path), name=path.name, size=path.stat().st_size)
    with pytest.raises(
        ChatCorpusError, match="the content is more than 250 times as large as the file, which is not text"
    ):
        read_range(file, 0, 1 << 20)


def test_a_zip_bomb_is_reported_and_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "HARMLESS", 1 << 20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tieba.dialogues", b"a\tb\n" * (4 << 20))
    tieba = discover(tmp_path, sources.load()).found["tieba"]
    assert tieba.damaged == [
        "a.zip/tieba.dialogues: the content is more than 250 times as large as the file, which is not text"
    ]


def test_a_tar_archive_that_inflates_too_much_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "HARMLESS", 1 << 20)
    (tmp_path / "a.tgz").write_bytes(gzip.compress(tarred({"a": bytes(8 << 20), "tieba.dialogues": b"x\ty\n"})))
    inventory = discover(tmp_path, sources.load())
    assert inventory.found["tieba"].files == []
    assert any(
        "a.tgz" in entry.file.name and "more than 250 times as large" in entry.reason
        for entry in inventory.unrecognised
    )


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_with_too_many_members_is_reported_after_bounded_work(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 50)
    members = {f"{number}.txt": b"x" for number in range(60)}
    pack(tmp_path / f"a.{kind}", members)
    inventory = discover(tmp_path, sources.load())
    assert any(
        entry.warn and f"a.{kind}" == entry.file.name and "more than 50" in entry.reason
        for entry in inventory.unrecognised
    )


@pytest.mark.parametrize("wide", [False, True], ids=["zip", "zip64"])
def test_a_directory_that_would_fill_the_memory_is_not_read(wide: bool, tmp_path: Path) -> None:
    """An archive with a million members has a directory of 70 MB."""
    size = 70 << 20
    with (tmp_path / "a.zip").open("wb") as file:
        file.truncate(size)
        file.seek(size)
        if wide:
            file.write(b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 10**6, 10**6, size, 0))
            file.write(b"PK\6\7" + struct.pack("<IQI", 0, size, 1))
        short = (0xFFFFFFFF, 0xFFFFFFFF) if wide else (size, 0)
        file.write(b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, *short, 0))
    with pytest.raises(compression.LimitError, match="more than any corpus has"):
        list(archives.members(str(tmp_path / "a.zip"), 0))


def test_a_tar_header_that_would_fill_the_memory_is_not_read(tmp_path: Path) -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 8 << 30
    with (tmp_path / "a.tar").open("wb") as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        file.truncate(9 << 30)  # a sparse file, of a few kB on the disk
    inventory = discover(tmp_path, sources.load())
    assert [entry.warn for entry in inventory.unrecognised] == [True]
    assert "a header of" in inventory.unrecognised[0].reason


def test_a_huge_sparse_tar_archive_is_reported_at_once(tmp_path: Path) -> None:
    with (tmp_path / "a.tar").open("wb") as file:
        file.truncate(1 << 40)
    (entry,) = discover(tmp_path, sources.load()).unrecognised
    assert entry.reason.startswith("more than 16 MB of zeros at its end, byte 0: ")


def test_members_that_are_not_files_are_skipped_and_reported(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, kind in {
            "tieba.dialogues": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "fifo": tarfile.FIFOTYPE,
            "device": tarfile.CHRTYPE, "folder": tarfile.DIRTYPE, "sparse": tarfile.GNUTYPE_SPARSE,
        }.items():  # fmt: skip
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    inventory = discover(tmp_path, sources.load())
    reasons = {entry.file.name.removeprefix("a.tar/"): entry.reason for entry in inventory.unrecognised}
    assert inventory.found["tieba"].files == []
    assert reasons["hard"] == reasons["tieba.dialogues"] == "a link, which is not followed inside an archive"
    assert reasons["fifo"] == reasons["device"] == reasons["sparse"] == "not a regular file"
    assert "folder" not in reasons


@pytest.mark.parametrize("name", ["../../../else/tieba.dialogues", "/else/tieba.dialogues", "..\\tieba.dialogues"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_the_name_of_a_member_cannot_leave_its_archive(kind: str, name: str, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "raw"
    folder.mkdir(parents=True)
    if kind == "zip":
        with zipfile.ZipFile(folder / "a.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo(name), LINES)
    else:
        (folder / "a.tar").write_bytes(tarred({name: LINES}))
    (file,) = files(folder, "tieba")
    assert ".." not in file.name
    assert file.name.startswith(f"a.{kind}/")
    before = sorted(tmp_path.rglob("*"))
    assert invoke("--raw", folder, "--out", tmp_path / "out", "--limit", "9").exit_code == 0
    assert [path for path in sorted(tmp_path.rglob("*")) if (tmp_path / "out") not in [path, *path.parents]] == before


@pytest.mark.parametrize("inner", ["inner.zip", "inner.tar", "tieba.dialogues.gz"])
def test_an_archive_in_an_archive_is_reported_and_not_opened(inner: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(inner, gzip.compress(LINES))
    (entry,) = discover(tmp_path, sources.load()).unrecognised
    assert (entry.file.name, entry.reason) == (f"a.zip/{inner}", "an archive inside an archive, which is not supported")


@pytest.mark.parametrize("kind", [".tar", ".tar.gz"])
@pytest.mark.parametrize("damage", ["in the last member", "in a header"])
def test_a_truncated_or_damaged_tar_archive_is_reported(kind: str, damage: str, tmp_path: Path) -> None:
    data = bytearray(tarred({"x/tieba.dialogues": LINES, "y/lost.conv": b"E\nM a\nM b\n" * 9999}))
    header = data.index(b"y/lost.conv")
    if damage == "in a header":
        data[header + 5 : header + 9] = b"\xff\xff\xff\xff"
    else:
        del data[header + 30_000 :]
    (tmp_path / f"a{kind}").write_bytes(PACKERS[compression.compression_of(kind)](bytes(data)))
    inventory = discover(tmp_path, sources.load())
    assert [file.name for file in inventory.found["tieba"].files] == [f"a{kind}/x/tieba.dialogues"]
    assert inventory.found["subtitle"].files == []
    assert any(entry.warn and entry.file.name == f"a{kind}" for entry in inventory.unrecognised)
    assert inventory.found["subtitle"].state == ("absent" if damage == "in a header" else "damaged")


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz", "a.tar.zst", "a.zip"])
@pytest.mark.parametrize("content", [b"", b"x" * 2000, b"\x1f\x8b\x08" + b"\xff" * 99], ids=["empty", "text", "noise"])
def test_a_file_that_is_not_an_archive_is_reported(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    (entry,) = discover(tmp_path, sources.load()).unrecognised
    assert entry.warn
    assert entry.reason.startswith("not a readable")


@pytest.mark.parametrize("cut", [1, 4, 20, 5000])
def test_a_truncated_zstd_file_is_an_error(cut: int, tmp_path: Path) -> None:
    whole = zstd.compress(LINES, options={zstd.CompressionParameter.checksum_flag: 1})
    path = tmp_path / "a.zst"
    file = RawFile(path=str(path), name=path.name, size=len(whole))
    path.write_bytes(whole + b"\x50\x2a\x4d\x18\3\0\0\0abc" + zstd.compress(LINES))
    assert read_range(file, 0, 2 * len(LINES)) == LINES * 2
    path.write_bytes(whole[:-cut])
    with pytest.raises(ChatCorpusError, match="damaged"):
        read_range(file, 0, 2 * len(LINES))


def test_of_two_members_with_one_name_the_last_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("tieba.dialogues", b"x\ty\n")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("tieba.dialogues", LINES)
    (file,) = files(tmp_path, "tieba")
    assert file.size == len(LINES)


@pytest.mark.parametrize("kind", [".tar", ".tar.gz"])
def test_an_appended_tar_archive_is_read_as_it_is_unpacked(kind: str, tmp_path: Path) -> None:
    folder, out = tmp_path / "raw", tmp_path / "out"
    folder.mkdir()
    old, new = (tarred({"tieba.dialogues": f"{word}\t{word}好\n".encode()}) for word in ("早", "晚"))
    end = 2 * tarfile.BLOCKSIZE  # a header and a block of content
    (folder / f"a{kind}").write_bytes(PACKERS[compression.compression_of(kind)](old[:end] + new))
    (entry,) = discover(folder, sources.load()).unrecognised
    assert entry.file.name == f"a{kind}/tieba.dialogues"
    assert entry.reason.startswith("a later member of the archive has the same name")
    assert invoke("--raw", folder, "--out", out).exit_code == 0
    assert (out / "tieba.tsv").read_text("utf-8") == "晚\t晚好\n"
    traced = invoke("trace", out / "tieba.tsv:1").stdout
    assert hashlib.sha256("晚\t晚好\n".encode()).hexdigest() in traced


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_members_whose_safe_names_are_equal_are_one_with_a_warning(kind: str, tmp_path: Path) -> None:
    members = {"../tieba.dialogues": b"x\ty\n", "tieba.dialogues": LINES}
    pack(tmp_path / f"a.{kind}", members)
    inventory = discover(tmp_path, sources.load())
    assert [(file.name, file.size) for file in inventory.found["tieba"].files] == [
        (f"a.{kind}/tieba.dialogues", len(LINES))
    ]
    assert [(entry.file.member, entry.warn) for entry in inventory.unrecognised] == [("../tieba.dialogues", True)]
    file = find(tmp_path, f"a.{kind}/tieba.dialogues")
    assert file == inventory.found["tieba"].files[0]


def test_a_link_does_not_hide_its_target_of_the_same_name(tmp_path: Path) -> None:
    """As `tar -cf a.tar x x` writes it."""
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for kind, content in ((tarfile.REGTYPE, LINES), (tarfile.LNKTYPE, b"")):
            info = tarfile.TarInfo("tieba.dialogues")
            info.type, info.size, info.linkname = kind, len(content), "tieba.dialogues"
            archive.addfile(info, io.BytesIO(content))
    assert [file.size for file in files(tmp_path, "tieba")] == [len(LINES)]


@pytest.mark.parametrize("kind", [".tar", ".tar.gz"])
def test_concatenated_tar_archives_are_all_read(kind: str, tmp_path: Path) -> None:
    both = tarred({"tieba.dialogues": LINES}) + tarred({"lost.conv": b"E\nM a\nM b\n"})
    (tmp_path / f"a{kind}").write_bytes(PACKERS[compression.compression_of(kind)](both))
    (file,) = files(tmp_path, "subtitle")
    assert file.name == f"a{kind}/lost.conv"
    with file.open() as stream:
        assert stream.read() == b"E\nM a\nM b\n"
    assert [file.size for file in files(tmp_path, "tieba")] == [len(LINES)]


@pytest.mark.parametrize("kind", [".tar", ".tar.gz"])
def test_other_data_behind_a_tar_archive_is_reported(kind: str, tmp_path: Path) -> None:
    data = tarred({"tieba.dialogues": LINES}) + b"x" * 5000
    (tmp_path / f"a{kind}").write_bytes(PACKERS[compression.compression_of(kind)](data))
    inventory = discover(tmp_path, sources.load())
    assert [file.size for file in inventory.found["tieba"].files] == [len(LINES)]
    assert [(entry.warn, "no header of a member at byte" in entry.reason) for entry in inventory.unrecognised] == [
        (True, True)
    ]
