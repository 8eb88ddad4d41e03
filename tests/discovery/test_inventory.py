"""The inventory of a raw folder: each file belongs to a source, is skipped with a remark, or is unrecognised."""

from __future__ import annotations

import bz2
import gzip
import logging
import lzma
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from chat_corpus import sources
from chat_corpus.discovery import inventory
from chat_corpus.discovery.inventory import discover_sources
from chat_corpus.discovery.model import DiscoveredSource
from chat_corpus.errors import UsageError
from tests.conftest import SAMPLES
from tests.helpers import invoke

TIEBA = "在吗\t在\n"
CONV = "E\nM 你好\nM 你好呀\n"


pytestmark = pytest.mark.usefixtures("never_hangs")


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The warnings of discovery, in order."""
    texts: list[str] = []
    log = logging.getLogger(inventory.__name__)
    monkeypatch.setattr(log, "warning", lambda template, *args, **_: texts.append(template % args))
    return texts


def put(raw: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def zipped(path: Path, members: dict[str, str | bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def found(raw: Path) -> dict[str, DiscoveredSource]:
    """Return the sources with files, missing files or remarks."""
    return {
        name: source
        for name, source in discover_sources(raw, sources.load()).items()
        if source.groups or source.missing or source.remarks
    }


def names(raw: Path, source: str) -> list[str]:
    return [file.name for file in found(raw)[source].files]


@pytest.mark.parametrize("folder", ["", "tieba-305w/", "my stuff/中文/deep/er/"])
def test_a_file_is_found_by_its_name_in_any_folder(folder: str, tmp_path: Path) -> None:
    put(tmp_path, {f"{folder}tieba.dialogues": TIEBA})
    assert names(tmp_path, "tieba") == [f"{folder}tieba.dialogues"]
    assert found(tmp_path)["tieba"].state == "found"


def test_two_files_of_a_corpus_are_both_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    put(tmp_path, {"b/tieba.dialogues": "早\t早\n", "a/tieba.dialogues": TIEBA, "a/tieba2.dialogues": "晚\t晚\n"})
    assert names(tmp_path, "tieba") == ["a/tieba.dialogues", "a/tieba2.dialogues", "b/tieba.dialogues"]
    (remark,) = found(tmp_path)["tieba"].remarks
    assert remark.startswith("3 different files of this corpus are all read: a/tieba.dialogues")


def test_a_file_of_no_corpus_is_not_matched(tmp_path: Path) -> None:
    put(tmp_path, {"README.md": "x", "tieba.txt": TIEBA, "train.txt": "1\ta\tb\n"})
    assert found(tmp_path) == {}


def test_a_zip_archive_is_read_in_place(tmp_path: Path) -> None:
    zipped(tmp_path / "tieba.zip", {"tieba-305w/tieba.dialogues": TIEBA, "README": "x"})
    (file,) = found(tmp_path)["tieba"].files
    assert (file.name, file.size) == ("tieba.zip/tieba-305w/tieba.dialogues", len(TIEBA.encode()))
    with file.open() as stream:
        assert stream.read() == TIEBA.encode()


@pytest.mark.parametrize(
    "unpacked", ["tieba/tieba.dialogues", "archive/tieba/tieba.dialogues", "tieba.dialogues"], ids=str
)
def test_a_file_unpacked_beside_its_archive_is_read_once(unpacked: str, tmp_path: Path) -> None:
    zipped(tmp_path / "archive.zip", {"tieba/tieba.dialogues": TIEBA})
    put(tmp_path, {unpacked: TIEBA})
    assert names(tmp_path, "tieba") == [unpacked]
    (remark,) = found(tmp_path)["tieba"].remarks
    assert remark == "skipped archive.zip/tieba/tieba.dialogues: an unpacked copy is beside it"


def test_a_file_unpacked_beside_its_compressed_form_is_read_once(tmp_path: Path) -> None:
    put(tmp_path, {"tieba.dialogues": TIEBA, "tieba.dialogues.gz": gzip.compress(TIEBA.encode())})
    assert names(tmp_path, "tieba") == ["tieba.dialogues"]
    assert found(tmp_path)["tieba"].remarks == ["skipped tieba.dialogues.gz: an unpacked copy is beside it"]


def test_archives_that_hold_the_same_name_in_other_folders_are_both_read(tmp_path: Path) -> None:
    zipped(tmp_path / "one.zip", {"tieba.dialogues": TIEBA})
    put(tmp_path, {"other/tieba.dialogues": "早\t早\n"})
    assert len(names(tmp_path, "tieba")) == 2


def test_the_same_file_in_another_folder_or_archive_is_read_once(tmp_path: Path) -> None:
    zipped(tmp_path / "one.zip", {"x/tieba.dialogues": TIEBA})
    zipped(tmp_path / "two.zip", {"tieba.dialogues": TIEBA})
    tieba = found(tmp_path)["tieba"]
    assert [file.name for file in tieba.files] == ["one.zip/x/tieba.dialogues"]
    assert tieba.remarks == ["skipped two.zip/tieba.dialogues: same content as one.zip/x/tieba.dialogues"]


def test_a_bundled_sample_in_an_archive_is_a_sample(tmp_path: Path) -> None:
    sample = SAMPLES / "tieba-305w" / "tieba.dialogues"
    zipped(tmp_path / "clone.zip", {"raw_chat_corpus/tieba-305w/tieba.dialogues": sample.read_bytes()})
    assert found(tmp_path)["tieba"].state == "sample"


@pytest.mark.parametrize("name", ["BELLE/multiturn_chat_0.8M.json", "multiturn_chat_0.8M/Multiturn_Chat_0.8M.JSON"])
def test_names_are_recognized_in_any_case_and_folder(name: str, tmp_path: Path) -> None:
    put(tmp_path, {name: '{"instruction": "早", "input": "", "output": "早"}\n'})
    assert names(tmp_path, "belle") == [name]


@pytest.mark.parametrize(
    ("ending", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_a_compressed_corpus_is_found(ending: str, compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
    put(tmp_path, {f"tieba.dialogues{ending}": compress(TIEBA.encode())})
    (file,) = found(tmp_path)["tieba"].files
    assert file.compressed


def test_a_complete_compressed_corpus_is_complete(tmp_path: Path) -> None:
    row = gzip.compress("1\t在 吗\t在\n".encode())
    put(tmp_path, {f"douban/{name}.txt.gz": row for name in ("train", "dev", "test")})
    assert (found(tmp_path)["douban"].state, found(tmp_path)["douban"].missing) == ("found", [])


def test_the_first_alternative_is_read_and_the_other_is_skipped(tmp_path: Path) -> None:
    put(tmp_path, {f"xiaohuangji/xiaohuangji50w_{kind}.conv": CONV for kind in ("fenciA", "nofenci")})
    xiaohuangji = found(tmp_path)["xiaohuangji"]
    fenci, nofenci = (f"xiaohuangji/xiaohuangji50w_{kind}.conv" for kind in ("fenciA", "nofenci"))
    assert [file.name for file in xiaohuangji.files] == [nofenci]
    assert xiaohuangji.remarks == [f"skipped {fenci}: another version of {nofenci}, which is read"]


def test_the_second_alternative_is_read_if_the_first_is_absent(tmp_path: Path) -> None:
    put(tmp_path, {"xiaohuangji50w_fenciA.conv": CONV})
    assert names(tmp_path, "xiaohuangji") == ["xiaohuangji50w_fenciA.conv"]


def test_both_versions_of_ptt_are_read_the_newer_first(tmp_path: Path) -> None:
    put(tmp_path, {"Gossiping-QA-Dataset.txt": TIEBA, "Gossiping-QA-Dataset-2_0.csv": "question,answer\na,b\n"})
    assert names(tmp_path, "ptt") == ["Gossiping-QA-Dataset-2_0.csv", "Gossiping-QA-Dataset.txt"]
    assert found(tmp_path)["ptt"].remarks == []


def test_one_of_two_parallel_files_alone_is_partial_and_not_read(tmp_path: Path) -> None:
    put(tmp_path, {"weibo/stc_weibo_train_post": "在 吗\n"})
    weibo = found(tmp_path)["weibo"]
    assert (weibo.state, weibo.files, weibo.missing) == ("partial", [], ["stc_weibo_train_response"])
    assert weibo.remarks[0].startswith("weibo: stc_weibo_train_response not found; ")


def test_the_raw_folder_is_named_as_such_in_remarks(tmp_path: Path) -> None:
    put(tmp_path, {"stc_weibo_train_response": "在 吗\n"})
    assert found(tmp_path)["weibo"].remarks == [
        "the raw folder: stc_weibo_train_post not found; the files of this source can only be read together"
    ]


def test_parallel_files_of_two_folders_do_not_mix(tmp_path: Path) -> None:
    put(tmp_path, {"a/stc_weibo_train_post": "a\n", "b/stc_weibo_train_response": "b\n"})
    assert found(tmp_path)["weibo"].files == []


def test_parallel_files_are_one_group_in_the_order_of_their_parts(tmp_path: Path) -> None:
    put(tmp_path, {"stc_weibo_train_response": "b\n", "stc_weibo_train_post": "a\n"})
    (group,) = found(tmp_path)["weibo"].groups
    assert [file.name for file in group.files] == ["stc_weibo_train_post", "stc_weibo_train_response"]


def test_a_second_file_for_the_same_part_is_skipped(tmp_path: Path) -> None:
    put(tmp_path, {f"egret/egret_wenda_{name}.txt": "x" for name in ("lines", "lines_old", "conversations")})
    egret = found(tmp_path)["egret"]
    assert [file.name for file in egret.files] == ["egret/egret_wenda_lines.txt", "egret/egret_wenda_conversations.txt"]
    assert egret.remarks == ["skipped egret/egret_wenda_lines_old.txt: egret/egret_wenda_lines.txt is read instead"]


def test_a_corpus_with_files_missing_is_partial_and_read(tmp_path: Path) -> None:
    put(tmp_path, {"douban/train.txt": "1\t在 吗\t在\n"})
    douban = found(tmp_path)["douban"]
    assert (douban.state, douban.missing, len(douban.files)) == ("partial", ["dev.txt", "test.txt"], 1)


def test_hidden_files_and_clutter_are_not_matched(tmp_path: Path) -> None:
    put(tmp_path, {f"{folder}/x.conv": CONV for folder in (".subtitle", "__MACOSX/subtitle")})
    put(tmp_path, {"subtitle/._x.conv": "x", "__MACOSX/subtitle/._x.conv": "x"})
    zipped(tmp_path / "a.zip", {"__MACOSX/subtitle/._x.conv": "x", "subtitle/.hidden.conv": "x"})
    zipped(tmp_path / ".b.zip", {"subtitle/x.conv": CONV})
    assert found(tmp_path) == {}


def test_links_are_followed_and_circles_end(tmp_path: Path) -> None:
    put(tmp_path, {"raw/tieba/tieba.dialogues": TIEBA, "elsewhere/weibo/stc_weibo_train_post": "a\n"})
    put(tmp_path, {"elsewhere/weibo/stc_weibo_train_response": "b\n"})
    raw = tmp_path / "raw"
    (raw / "tieba" / "loop").symlink_to(raw)
    (raw / "gone.dialogues").symlink_to(raw / "nothing")
    (raw / "tieba-gone.dialogues").symlink_to("tieba-gone.dialogues")
    (raw / "linked").symlink_to(tmp_path / "elsewhere")
    assert names(raw, "tieba") == ["tieba/tieba.dialogues"]
    assert names(raw, "weibo") == ["linked/weibo/stc_weibo_train_post", "linked/weibo/stc_weibo_train_response"]


def test_irregular_files_are_not_matched(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "tieba.dialogues")
    os.mkfifo(tmp_path / "tieba.zip")
    (tmp_path / "tieba-folder.dialogues").mkdir()
    assert found(tmp_path) == {}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"\0" * 100], ids=["empty", "cut short", "zeros"])
def test_an_unreadable_archive_is_reported_and_skipped(content: bytes, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    put(raw, {"tieba/tieba.zip": content, "tieba/tieba.dialogues": TIEBA})
    done = invoke("--raw", raw, "--out", tmp_path / "out")
    assert done.exit_code == 0
    assert re.search(r"tieba/tieba\.zip.*: not a readable zip archive: .*; download it again", done.stderr)
    assert (tmp_path / "out" / "tieba.tsv").read_text("utf-8") == TIEBA


@pytest.mark.parametrize(
    "content",
    [b"no gzip", gzip.compress(TIEBA.encode())[:18], gzip.compress(os.urandom(9999))[:15] + b"\xff" * 99],
    ids=["another format", "cut short", "damaged"],
)
def test_an_unreadable_compressed_file_is_reported_and_skipped(
    content: bytes, tmp_path: Path, warnings: list[str]
) -> None:
    put(tmp_path, {"tieba.dialogues.gz": content})
    assert discover_sources(tmp_path, sources.load())["tieba"].state == "damaged"
    assert re.search(r"skipped tieba\.dialogues\.gz: damaged: .*; download the file again", warnings[0])


def test_an_encrypted_archive_is_reported_and_skipped(tmp_path: Path, warnings: list[str]) -> None:
    zipped(tmp_path / "tieba.zip", {"tieba.dialogues": TIEBA})
    data = bytearray((tmp_path / "tieba.zip").read_bytes())
    data[6] |= 1  # the flag in the header of the member, and in the directory at the end
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "tieba.zip").write_bytes(data)
    tieba = discover_sources(tmp_path, sources.load())["tieba"]
    assert (tieba.state, tieba.damaged) == ("damaged", ["tieba.zip/tieba.dialogues: encrypted with a password"])
    assert warnings == ["skipped tieba.zip/tieba.dialogues: encrypted with a password"]


def test_an_unreadable_folder_is_reported_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warnings: list[str]
) -> None:
    put(tmp_path, {"locked/weibo": "x", "tieba.dialogues": TIEBA})
    scandir = os.scandir

    def locked(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", locked)
    assert names(tmp_path, "tieba") == ["tieba.dialogues"]
    assert warnings == ["skipped locked: cannot be read: Permission denied; check its permissions"]


@pytest.mark.parametrize(("first", "input_"), [('[{"instruction": 1}]', 1), ('\n\ufeff {"instruction"', 0)], ids=str)
def test_a_json_array_and_json_lines_are_distinguished_by_content(first: str, input_: int, tmp_path: Path) -> None:
    put(tmp_path, {"belle/train_2M_CN.json": first})
    (group,) = found(tmp_path)["belle"].groups
    assert group.input == input_


def test_a_name_in_another_encoding_is_displayed_in_readable_form(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/qingyun"
    os.mkdir(folder)  # noqa: PTH102 a name of bytes is no Path
    with open(folder + b"/\xc7\xe0.csv", "wb") as stream:  # noqa: PTH123
        stream.write("在吗 | 在\n".encode())
    (file,) = found(tmp_path)["qingyun"].files
    assert file.name == r"qingyun/\xc7\xe0.csv"
    with file.open() as stream:
        assert stream.read() == "在吗 | 在\n".encode()


@pytest.mark.parametrize(("kind", "fault"), [("absent", "no such folder"), ("file", "is a file")])
def test_a_raw_folder_that_is_none_is_a_usage_error(kind: str, fault: str, tmp_path: Path) -> None:
    put(tmp_path, {"file": "x"})
    with pytest.raises(UsageError, match=f"{kind}: {fault}"):
        discover_sources(tmp_path / kind, sources.load())


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    assert {source.state for source in discover_sources(tmp_path, sources.load()).values()} == {"absent"}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "in archives"])
def test_files_that_differ_in_one_byte_are_both_read(packed: bool, tmp_path: Path) -> None:
    """Beyond the beginning, and wherever that byte is."""
    content_a = TIEBA.encode() * 80_000
    other = content_a[:500_001] + b"\n" + content_a[500_002:]
    for name, content in (("a", content_a), ("b", other), ("c", other)):
        if packed:
            zipped(tmp_path / f"{name}.zip", {"tieba.dialogues": content})
        else:
            put(tmp_path, {f"{name}/tieba.dialogues": content})
    tieba = found(tmp_path)["tieba"]
    assert [file.name[0] for file in tieba.files] == ["a", "b"]
    (same,) = (remark for remark in tieba.remarks if "same content" in remark)
    assert re.fullmatch(r"skipped c\S+: same content as b\S+", same)


def test_parallel_files_that_differ_in_one_byte_are_all_read(tmp_path: Path) -> None:
    lines = b"a b c\n" * 100_000
    other = lines[:410_000] + b"x" + lines[410_001:]
    for folder, response in (("a", lines), ("b", other)):
        put(tmp_path, {f"{folder}/stc_weibo_train_post": lines, f"{folder}/stc_weibo_train_response": response})
    assert len(found(tmp_path)["weibo"].groups) == 2


@pytest.mark.parametrize(("ending", "compress"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_the_same_content_compressed_in_another_folder_is_read_once(
    ending: str, compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    put(tmp_path, {"a/tieba.dialogues": TIEBA, f"b/tieba.dialogues{ending}": compress(TIEBA.encode())})
    tieba = found(tmp_path)["tieba"]
    assert [file.name for file in tieba.files] == ["a/tieba.dialogues"]
    assert tieba.remarks == [f"skipped b/tieba.dialogues{ending}: same content as a/tieba.dialogues"]
