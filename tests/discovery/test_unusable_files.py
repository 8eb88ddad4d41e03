"""Files that are not read: each is reported by its kind with advice that helps."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import pytest

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover
from chat_corpus.discovery.model import Inventory
from tests.helpers import CHAIN, invoke, put

PAIRS = "".join(f"第{n}问\t第{n}答\n" for n in range(30))


def packed(*members: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in members:
            archive.writestr(name, "application/vnd.oasis.opendocument.spreadsheet" if name == "mimetype" else "<x/>")
    return data.getvalue()


XLSX = packed("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml")
DOCX = packed("[Content_Types].xml", "_rels/.rels", "word/document.xml")
ODS = packed("mimetype", "content.xml")
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\1" * 600

#: Files by name: the content, and a pattern of the message.
KINDS: dict[str, tuple[bytes, str]] = {
    "a.xlsx": (XLSX, "a spreadsheet, .* save it as CSV"),
    "a.XLSX": (XLSX, "a spreadsheet, .* save it as CSV"),
    "no ending": (XLSX, "a spreadsheet, .* save it as CSV"),
    "a.xls": (OLE, "a spreadsheet, .* save it as CSV"),
    "a.ods": (ODS, "a spreadsheet, .* save it as CSV"),
    "a.numbers": (packed("Index/Document.iwa"), "a spreadsheet, .* save it as CSV"),
    "a.docx": (DOCX, "a document, .* plain text"),
    "a.doc": (OLE, "a document, .* plain text"),
    "a.odt": (packed("content.xml"), "a document, .* plain text"),
    "a.rtf": (rb"{\rtf1\ansi x}", "a document, .* plain text"),
    "a.pdf": (b"%PDF-1.7\n%\xe2\xe3", "a PDF, .* get the corpus as a text file"),
    "old": (OLE, "an old Office file"),
    "a.rar": (b"Rar!\x1a\7\1\0", "a RAR archive, .*unpack it"),
    "a.7z": (b"7z\xbc\xaf\x27\x1c\0\4", "a 7z archive, .*unpack it"),
    "a.csv.001": (b"7z\xbc\xaf\x27\x1c\0\4", "a 7z archive, .*unpack it"),
    "a.part2.rar": (bytes(range(128, 256)), "one volume of a split archive"),
    "a.zip.crdownload": (b"\1\2\3\xff", "an unfinished download"),
    "a.db": (b"SQLite format 3\0" + bytes(9), "a database, .*export its table as CSV"),
    "a.sqlite": (b"SQLite format 3\0" + bytes(9), "a database, .*export its table as CSV"),
    "dump.sql": ("INSERT INTO `对话` VALUES (1,'在吗','在');\n".encode() * 30, "a database dump"),
    "a.parquet": (b"PAR1\x15\4", "damaged: not a readable Parquet file: "),
    "a.arrow": (b"ARROW1\0\0", "an Arrow file, .*JSON"),
    "a.pkl": (b"\x80\x04\x95\0\0", "a Python pickle, which is never opened"),
    "a.npy": (b"\x93NUMPY\1\0", "a file of arrays"),
    "lfs.txt": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer, .*git lfs pull"),
    "annex.txt": (b"/annex/objects/SHA256E-s9--00.txt\n", "a git-annex pointer, .*git annex get"),
    "page.json": ("<!DOCTYPE html>\n<title>下载</title>".encode(), "a web page, .*download the file itself"),
    "page.html": ("<div>语料</div>\n".encode() * 20, "a web page, .*download the file itself"),
    "refused.json": (b'{"error": "Repository not found"}\n', "a server's error message"),
    "refused.xml": (b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>', "a server's error message"),
    "gone.txt": (b"404: Not Found", "a server's error message"),
}


def reasons(inventory: Inventory) -> dict[str, str]:
    return {item.file.name: item.reason for item in inventory.unrecognised}


@pytest.mark.parametrize("name", KINDS)
def test_a_file_that_is_not_read_is_reported_with_advice(name: str, tmp_path: Path) -> None:
    content, pattern = KINDS[name]
    put(tmp_path, {f"foo/{name}": content})
    (reason,) = reasons(discover(tmp_path, sources.load())).values()
    assert re.match(pattern, reason), reason
    assert "add the ending" not in reason
    assert "rename it" not in reason


@pytest.mark.parametrize("ending", [".xlsx", ".ods", ".docx", ".sql", ".rar", ".db"])
@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("12万对话语料青云库", "qingyun"),
        ("qingyun-11w/data", "qingyun"),
        ("smsCorpus_zh_2015.03.09", "sms"),
        ("stc_weibo_train_post", "weibo"),
    ],
)
def test_a_corpus_in_a_form_that_is_not_read_is_unusable(name: str, source: str, ending: str, tmp_path: Path) -> None:
    contents = {".xlsx": XLSX, ".ods": ODS, ".docx": DOCX, ".sql": b"INSERT INTO t;\n" * 20}
    raw = put(
        tmp_path / "raw",
        {f"{name}{ending}": contents.get(ending, bytes(range(128, 256)) * 9), "tieba.dialogues": CHAIN},
    )
    rows = {row["name"]: row for row in json.loads(invoke("check", "--json", "--raw", raw).stdout)["sources"]}
    assert (rows[source]["state"], len(rows[source]["unusable"])) == ("unusable", 1)
    done = invoke("-q", "--raw", raw, "--out", tmp_path / "out")
    assert done.exit_code == 3
    assert f"warning: {source}: not read: {name}{ending}: a" in done.stderr
    assert f"not completed, 1 of 2 sources: {source} (unusable)" in done.stderr
    assert (tmp_path / "out" / "tieba.tsv").exists()


@pytest.mark.parametrize("name", ["tieba.dialogues.001", "part.z01", "data.xls"])
def test_text_with_the_ending_of_another_kind_is_read(name: str, tmp_path: Path) -> None:
    assert discover(put(tmp_path, {name: CHAIN}), sources.load()).found["tieba"].files != []


@pytest.mark.parametrize("text", ["Arrow1 上的字\t好\n", "MSCF 是什么\t好\n", '{"message": "你好", "reply": "好"}\n'])
def test_text_with_the_first_bytes_of_another_kind_is_text(text: str, tmp_path: Path) -> None:
    (reason,) = reasons(discover(put(tmp_path, {"a.txt": text}), sources.load())).values()
    assert reason == "not a known corpus, by name or content"


def test_another_form_beside_the_corpus_is_only_a_remark(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"qingyun/青云库.csv": "在吗 | 在\n好 | 好\n", "qingyun/青云库.xlsx": XLSX})
    qingyun = discover(raw, sources.load()).found["qingyun"]
    assert qingyun.state == "found"
    assert qingyun.remarks[0].startswith("skipped qingyun/青云库.xlsx: a spreadsheet")
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == 0


@pytest.mark.parametrize("name", ["qingyun.tsv", "douban_single_turn.tsv", "tieba.tsv", "weibo.tsv", "PTT.TSV"])
@pytest.mark.parametrize("content", [PAIRS, CHAIN], ids=["pairs", "a chain"])
def test_a_file_converted_by_another_program_is_reported_as_such(name: str, content: str, tmp_path: Path) -> None:
    owner = re.split(r"[_.]", name.lower())[0]
    raw = put(tmp_path / "raw", {f"old/{name}": content})
    inventory = discover(raw, sources.load())
    assert {
        source: discovered.state for source, discovered in inventory.found.items() if discovered.state != "absent"
    } == {owner: "unusable"}
    expected = (
        f"old/{name}: converted from {owner} by another program, judging by its name, so it is not read; "
        "get the original corpus, or rename the file if it is your own data"
    )
    assert inventory.found[owner].unusable == [expected]
    others = "|".join(sources.load().keys() - {owner})
    assert not re.search(rf"\b({others})\b", expected)
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == 3


def test_an_unfinished_download_of_a_corpus_is_reported_as_such(tmp_path: Path) -> None:
    inventory = discover(
        put(tmp_path, {"Gossiping-QA-Dataset-2_0.csv.crdownload": "question,answer\n問,答\n" * 9}), sources.load()
    )
    (text,) = inventory.found["ptt"].unusable
    assert text.endswith(".csv.crdownload: an unfinished download: finish it, or get the file again")


@pytest.mark.parametrize("name", ["xiaohuangji50w.txt", "xiaohuangji50w_nofenci.txt"])
def test_a_conv_file_is_recognised_by_its_marks(name: str, tmp_path: Path) -> None:
    marked = "".join(f"E\nM 第{n}问\nM 第{n}答\n" for n in range(20))
    for content, rows in ((marked, 20), (PAIRS, 30)):
        raw = put(tmp_path / "raw", {name: content})
        assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == 0
        assert (tmp_path / "out" / "xiaohuangji.tsv").read_bytes().count(b"\n") == rows


@pytest.mark.parametrize("name", ["qingyun/pairs.txt", "my-qingyun.txt"])
def test_advice_agrees_with_the_source_that_a_name_mentions(name: str, tmp_path: Path) -> None:
    (reason,) = reasons(discover(put(tmp_path, {name: PAIRS}), sources.load())).values()
    assert reason.startswith(
        "its name mentions qingyun, but its layout is not one of that source; expected file names: qingyun*/*.csv"
    )


def test_a_spreadsheet_renamed_as_an_archive_is_reported_as_such(tmp_path: Path) -> None:
    inventory = discover(put(tmp_path, {"a.zip": XLSX, "b.zip": ODS}), sources.load())
    assert [reason.partition(":")[0] for reason in reasons(inventory).values()] == [
        "an Office file, not an archive",
        "an OpenDocument file, not an archive",
    ]


def test_a_git_annex_link_is_reported_with_how_to_fetch_the_file(tmp_path: Path) -> None:
    (tmp_path / "tieba.dialogues").symlink_to(".git/annex/objects/aa/bb/SHA256E-s9--00/SHA256E-s9--00")
    tieba = discover(tmp_path, sources.load()).found["tieba"]
    assert tieba.damaged == [
        "tieba.dialogues: a git-annex link to a file that was not fetched: fetch it with 'git annex get'"
    ]


@pytest.mark.parametrize("size", [3, 3000])
def test_a_truncated_json_array_is_damaged(size: int, tmp_path: Path) -> None:
    whole = json.dumps([{"instruction": f"第{n}句", "input": "", "output": "好的"} for n in range(size)])
    for content, state in (
        (whole, "found"),
        (whole + "\n\n", "found"),
        (whole[:-1], "damaged"),
        (whole[:-30], "damaged"),
    ):
        raw = put(tmp_path / "raw", {"belle/train_2M_CN.json": content})
        (row,) = (
            row
            for row in json.loads(invoke("check", "--json", "--raw", raw).stdout)["sources"]
            if row["name"] == "belle"
        )
        assert row["state"] == state
        assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == (0 if state == "found" else 1)


CHAT = '{"id": "7", "conversations": [{"from": "human", "value": "早安"}, {"from": "assistant", "value": "早安"}]}\n'
MIXED = {
    "data": ("".join(f"楼主第{n}句\t楼主第{n + 1}句\n" for n in range(50)), "tieba"),
    "data with a heading": ("# 数据\n" + CHAIN, "tieba"),
    "half notes": ("".join(f"楼主第{n}句\t楼主第{n + 1}句\n这一行是说明\n" for n in range(50)), None),
    "one note in three": (
        "".join(f"楼主{n}句\t楼主{n + 1}句\n楼主{n + 1}句\t楼主{n + 2}句\n说明\n" for n in range(50)),
        None,
    ),
    "records": (
        CHAT * 3,
        "belle",
    ),
    "records and as many notes": (
        (CHAT + "说明\n") * 9,
        None,
    ),
}


@pytest.mark.parametrize("kind", MIXED)
@pytest.mark.parametrize("name", ["data.txt", "notes", "a.log"])
def test_a_file_is_a_corpus_only_if_most_of_it_is(kind: str, name: str, tmp_path: Path) -> None:
    content, owner = MIXED[kind]
    inventory = discover(put(tmp_path, {name: content}), sources.load())
    assert [source for source, discovered in inventory.found.items() if discovered.files] == ([owner] if owner else [])


SCENES = "".join("E\n" + "".join(f"M 第{n}场第{k}句话\n" for k in range(2 + n % 5)) for n in range(60))
EXCHANGES = [(f"第{n}个问题是什么", f"第{n}个回答在这里") for n in range(60)]
RELEASES: dict[str, tuple[str, str, str | None]] = {
    "subtitles without double blanks": ("a.conv", SCENES, "subtitle"),
    "the same under any ending": ("a.txt", SCENES, None),
    "few speak of 鸡": ("b.conv", "".join(f"E\nM {q}\nM {a}\n" for q, a in EXCHANGES), "xiaohuangji"),
    "the same segmented": (
        "b.conv",
        "".join(f"E\nM {'/'.join(q)}\nM {'/'.join(a)}\n" for q, a in EXCHANGES),
        "xiaohuangji",
    ),
    "one exchange again and again": ("b.conv", "E\nM 在吗\nM 在\n" * 60, None),
    "BELLE 2M in an array": (
        "x.json",
        json.dumps([{"instruction": q, "input": "", "output": a} for q, a in EXCHANGES], ensure_ascii=False),
        "belle",
    ),
    "BELLE 0.5M, merged": (
        "x.json",
        "".join(json.dumps({"input": q, "target": a}, ensure_ascii=False) + "\n" for q, a in EXCHANGES),
        "belle",
    ),
    "BELLE 3.5M with other roles": (
        "x.json",
        json.dumps(
            [
                {"id": str(n), "conversations": [{"from": "user", "value": q}, {"from": "gpt", "value": a}]}
                for n, (q, a) in enumerate(EXCHANGES)
            ],
            ensure_ascii=False,
            indent=2,
        ),
        "belle",
    ),
    "another set of three fields": (
        "x.json",
        "".join(
            json.dumps({"instruction": q, "input": "" if n % 3 else a, "output": a}, ensure_ascii=False) + "\n"
            for n, (q, a) in enumerate(EXCHANGES)
        ),
        None,
    ),
    "another set of input and target": (
        "x.json",
        "".join(json.dumps({"kind": "NLI", "input": q, "target": a}, ensure_ascii=False) + "\n" for q, a in EXCHANGES),
        None,
    ),
}


@pytest.mark.parametrize("kind", RELEASES)
def test_a_release_is_recognised_by_its_layout(kind: str, tmp_path: Path) -> None:
    name, content, owner = RELEASES[kind]
    inventory = discover(put(tmp_path, {f"foo/{name}": content}), sources.load())
    assert [source for source, discovered in inventory.found.items() if discovered.files] == ([owner] if owner else [])
