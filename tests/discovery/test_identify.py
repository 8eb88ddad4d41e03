"""Identification of files by content: signatures against every sample, every excerpt, and ordinary files."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from pathlib import Path, PurePosixPath
from shlex import quote

import pytest

from chat_corpus import sources
from chat_corpus.discovery.identify import identify_file
from chat_corpus.discovery.inventory import discover
from chat_corpus.discovery.model import FileMatch, Inventory, MatchedBy
from chat_corpus.discovery.walk import likely_names, walk
from chat_corpus.sources.signature import Rate, Signature
from tests.conftest import ROOT, SAMPLES, slow_from
from tests.helpers import CHAIN, HARD, invoke, put

CONV = "E\nM 今天  天气\nM 不错 走吧\nM 好的  走\n" * 20
SHOP = "".join(f"1\t亲 在 吗 {n}\t在 的\t好 的 谢谢\n" for n in range(30))
FORUM = "".join(f"1\t楼主 在 吗 {n}\t在 的\t好 的 谢谢\n" for n in range(30))
POSTS = "".join(f"今天 天气 不错 alink {n}\n# 早 安 # 大家 好\n" for n in range(30))
COMMENTS = "".join(f"是 的 哈哈 {n}\n" for n in range(60))

#: Samples that no signature recognises: too few lines, or nothing that other corpora of the layout lack.
BY_NAME_ALONE = frozenset(
    {
        "douban-multiturn-100w/dev.txt", "douban-multiturn-100w/test.txt", "weibo-400w/stc_weibo_train_response",
        "egret-wenda/egret_wenda_conversations.txt", "belle/train_2M_CN.json",
    }
)  # fmt: skip


def inventory_of(folder: Path) -> Inventory:
    return discover(folder, sources.load())


def states(folder: Path) -> dict[str, str]:
    found = inventory_of(folder).found
    return {name: source.state for name, source in found.items() if source.state != "absent"}


def by_content(path: Path, folder: Path) -> str | None:
    """Return the source of a file that has a name without meaning."""
    alone = folder / "alone"
    shutil.rmtree(alone, ignore_errors=True)
    alone.mkdir()
    shutil.copy(path, alone / f"a{'.zip' if path.suffix == '.zip' else ''}")
    (entry,) = walk(alone)
    result = identify_file(entry, sources.load())
    return result.slot.source if isinstance(result, FileMatch) and result.matched_by is MatchedBy.CONTENT else None


def samples() -> list[Path]:
    return sorted(path for path in SAMPLES.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", samples(), ids=lambda path: str(path.relative_to(SAMPLES)))
def test_a_renamed_sample_is_recognised_or_unknown(path: Path, tmp_path: Path) -> None:
    name = path.relative_to(SAMPLES).as_posix()
    (owner,) = (
        source
        for source, discovered in discover(SAMPLES, sources.load()).found.items()
        if str(path) in [file.path for file in discovered.files]
    )
    assert by_content(path, tmp_path) == (None if name in BY_NAME_ALONE else owner)


@pytest.mark.parametrize("source", sorted(sources.load()))
def test_a_renamed_hard_sample_is_not_taken_for_another_source(source: str, tmp_path: Path) -> None:
    for path in sorted((HARD / source / "raw").rglob("*")):
        if path.is_file():
            assert by_content(path, tmp_path) in (source, None)


@pytest.mark.parametrize("step", slow_from(1, [4, 1]), ids=["some", "all"])
def test_ordinary_files_are_not_recognised(step: int, tmp_path: Path) -> None:
    """Documents, code, goldens, configuration and logs, in both languages, and outputs of the program."""
    # Not outputs that a user wrote here: an output of a corpus may be recognised as that corpus by its content.
    folders = (ROOT / name for name in ("benchmarks", "chat_corpus", "configs", "tests"))
    files = [*ROOT.glob("*"), *(path for folder in folders for path in folder.rglob("*"))]
    kinds = {".md", ".py", ".yaml", ".toml", ".tsv", ".jsonl", ".json"}
    ordinary = [path for path in files if path.suffix in kinds and "raw" not in path.parts]
    assert len(ordinary) > 150
    assert [path for path in sorted(ordinary)[::step] if by_content(path, tmp_path)] == []
    invented = {
        "log": "".join(f"2024-01-{n % 28 + 1:02} 12:00:00 | INFO | 服务器 已 启动 {n}\n" for n in range(99)),
        "table.csv": "question,answer\n" + "".join(f"怎么退货{n}？,请联系客服\n" for n in range(99)),
        "pairs": "".join(f"你好{n}\t你也好\n" for n in range(99)),
        "shop": SHOP,
        "novel": "他说：“走吧。”\n" * 99,
        "alpaca.json": '{"instruction": "翻译这句话", "input": "hi", "output": "你好"}\n' * 99,
        "sharegpt.json": '{"id": "a1", "conversations": [{"from": "human", "value": "你好吗"}, '
        '{"from": "gpt", "value": "我很好"}]}\n' * 99,
        "ja.yml": "categories:\n- AI\nconversations:\n" + "- - こんにちは\n  - 今日はいい天気ですね\n" * 20,
        "en.yml": "categories:\n- AI\nconversations:\n" + "- - What is AI?\n  - A field of study.\n" * 20,
        "cornell": "".join(f"L{n} +++$+++ u0 +++$+++ m0 +++$+++ BIANCA +++$+++ They do not!\n" for n in range(99)),
        "chat.conv": "E\nM 在吗\nM 在\n" * 99,
    }
    put(tmp_path / "other", dict(invented))
    assert [name for name in invented if by_content(tmp_path / "other" / name, tmp_path)] == []


UNRELATED = {
    "a shop's log": "".join(
        f"问题{n}\t{(n % 9 and '好') or '请尽快回复'}{n}\n{(n % 9 and '好') or '请尽快回复'}{n}\t问题{n + 1}\n"
        for n in range(90)
    ),
    "a menu": "E\nM 今天吃什么\nM 炸鸡吧\n" * 60,
    "a diary": "".join(f"菲菲 | 今天去第{n}家公司面试\n" for n in range(90)),
    "groups of a firm": "".join(f"1\t我们 小组 第 {n} 次 开会\t好 的\t几 点 开始\n" for n in range(90)),
    "a queue": "".join(f"{n} +++$+++ u{n} +++$+++ 任务 queuing 第{n}个\n" for n in range(90)),
}


@pytest.mark.parametrize("kind", UNRELATED)
def test_common_words_are_no_evidence_for_a_corpus(kind: str, tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": UNRELATED[kind]})
    assert states(tmp_path) == {}


def test_forum_replies_by_name_are_recognised_as_tieba(tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": CHAIN.replace("楼主", "回复 小明 :", 9).replace("楼主", "")})
    assert states(tmp_path) == {"tieba": "renamed"}


@pytest.mark.parametrize("name", ["ptt-gossip.tsv", "tieba2.tsv", "tieba_old.tsv"])
def test_a_corpus_with_a_name_similar_to_an_output_is_read(name: str, tmp_path: Path) -> None:
    put(tmp_path, {name: CHAIN})
    assert states(tmp_path) == {"tieba": "renamed"}


@pytest.mark.parametrize("sign", ["report.json", "index/tieba.jsonl"])
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
def test_an_output_beside_its_report_or_index_is_not_read(sign: str, packed: bool, tmp_path: Path) -> None:
    put(tmp_path / "old", {"tieba.tsv": CHAIN, sign: "{}\n", "renamed.tsv": CHAIN.replace("句", "话")})
    if packed:
        shutil.make_archive(str(tmp_path / "old"), "zip", tmp_path / "old")
        shutil.rmtree(tmp_path / "old")
    inventory = inventory_of(tmp_path)
    assert [PurePosixPath(file.name).name for file in inventory.found["tieba"].files] == ["renamed.tsv"]
    (reason,) = (item.reason for item in inventory.unrecognised if item.file.name.endswith("/tieba.tsv"))
    assert reason == "an output of chat-corpus or of a similar program"


def test_renamed_excerpts_are_all_recognised(realdata: Path, tmp_path: Path) -> None:
    """Each folder and file has a name without meaning. A file that its content does not identify is not guessed."""
    raw = realdata / "raw_chat_corpus"
    for number, path in enumerate(sorted(path for path in raw.rglob("*") if path.is_file())):
        folder = tmp_path / "foo" / str(sorted(raw.iterdir()).index(raw / path.relative_to(raw).parts[0])) / "bar"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / f"{number}{'.zip' if path.suffix == '.zip' else '.txt'}")
    inventory = inventory_of(tmp_path)
    assert {name: source.state for name, source in inventory.found.items()} == {
        **dict.fromkeys(sources.load(), "renamed"), "douban": "partial", "sms": "found",
    }  # fmt: skip
    assert len(inventory.unrecognised) == 3
    originals = {(raw / file.name).stat().st_size for source in discover(raw, sources.load()).found.values()
                 for file in source.files if file.member is None}  # fmt: skip
    assert {
        file.size for source in inventory.found.values() for file in source.files if file.member is None
    } <= originals


def test_outputs_of_the_old_tool_are_not_read(realdata: Path, tmp_path: Path) -> None:
    shutil.copytree(realdata / "original_output", tmp_path / "old")
    assert states(tmp_path) == {}


def test_a_renamed_corpus_is_run_like_any_other_and_reported_in_one_line(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"foo/bar/a.txt": CHAIN})
    done = invoke("--raw", raw, "--out", tmp_path / "out")
    assert done.exit_code == 0
    assert "tieba: foo/bar/a.txt: recognised by content" in done.stderr.splitlines()
    named = put(tmp_path / "named", {"tieba.dialogues": CHAIN})
    assert invoke("--raw", named, "--out", tmp_path / "expected").exit_code == 0
    assert (tmp_path / "out" / "tieba.tsv").read_bytes() == (tmp_path / "expected" / "tieba.tsv").read_bytes()


@pytest.mark.parametrize("other", ["gb18030", "cp437", "latin-1", "bytes"])
def test_a_garbled_name_is_recognised(other: str, tmp_path: Path) -> None:
    name = "12万对话语料青云库.csv"
    garbled = {
        "gb18030": name.encode().decode("gb18030"),
        "cp437": name.encode("gb18030").decode("cp437"),
        "latin-1": name.encode("gb18030").decode("latin-1"),
        "bytes": name.encode("gb18030").decode("utf-8", "surrogateescape"),
    }[other]
    assert name in likely_names(garbled)
    put(tmp_path, {garbled: "早 | 早\n"})
    qingyun = inventory_of(tmp_path).found["qingyun"]
    assert qingyun.state == "renamed"
    assert qingyun.remarks[0].endswith("recognised by a garbled name")
    assert qingyun.remarks[0].isprintable()


def test_the_second_of_parallel_files_is_recognised_by_the_first(tmp_path: Path) -> None:
    put(tmp_path, {"x/a.txt": POSTS, "x/b.txt": COMMENTS, "README.md": "x"})
    weibo = inventory_of(tmp_path).found["weibo"]
    assert [file.name for file in weibo.files] == ["x/a.txt", "x/b.txt"]
    assert weibo.remarks == [
        "x/a.txt: recognised by content",
        "x/b.txt: recognised by the other files in the folder",
    ]


@pytest.mark.parametrize(
    "others",
    [
        pytest.param({"x/b.txt": COMMENTS, "x/c.txt": COMMENTS.replace("哈哈", "嘿嘿")}, id="two that could be"),
        pytest.param({"x/b.txt": COMMENTS[:400]}, id="one with far fewer lines"),
        pytest.param({"y/b.txt": COMMENTS}, id="one in another folder"),
    ],
)
def test_the_second_of_parallel_files_is_not_guessed(others: dict[str, str | bytes], tmp_path: Path) -> None:
    put(tmp_path, {"x/a.txt": POSTS, **others})
    weibo = inventory_of(tmp_path).found["weibo"]
    assert (weibo.state, weibo.files, weibo.missing) == ("partial", [], ["stc_weibo_train_response"])


def test_the_name_of_a_file_counts_beside_others_of_its_corpus(tmp_path: Path) -> None:
    """The layout of dev.txt is that of another corpus too. Beside a train.txt of douban, it belongs to douban."""
    put(tmp_path, {"foo/train.txt": FORUM, "foo/dev.txt": SHOP, "foo/test.txt": SHOP.replace("谢谢", "感谢")})
    assert states(tmp_path) == {"douban": "renamed"}
    (tmp_path / "foo" / "train.txt").unlink()
    assert states(tmp_path) == {}
    (first, *_) = inventory_of(tmp_path).unrecognised
    assert (
        first.reason
        == "has the layout of douban, but nothing else of it; if it is that corpus, rename it: douban*/train.txt"
    )


def test_if_two_sources_fit_both_are_named_and_neither_is_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, {"a": CHAIN})
    monkeypatch.setattr(Signature, "fits", lambda self, *_: not self.needs_partner)
    inventory = inventory_of(tmp_path)
    assert states(tmp_path) == {}
    assert inventory.unrecognised[0].reason.startswith("looks like ")
    assert inventory.unrecognised[0].reason.endswith(": give it a file name of the right source")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"),
        (b"\xef\xbb\xbf <!DOCTYPE html><html>", "a web page"),
        (b"PK\3\4....", "a zip archive, judging by its content"),
        (b"Rar!\x1a\7", "a RAR archive, which is not read: unpack it"),
        (b"a\tb\n" + bytes(4096), "zero bytes"),
    ],
)
def test_a_file_with_a_right_name_and_broken_content_is_damaged(content: bytes, reason: str, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    put(raw, {"tieba.dialogues": content})
    tieba = inventory_of(raw).found["tieba"]
    assert (tieba.state, tieba.groups) == ("damaged", [])
    assert tieba.damaged[0].startswith(f"tieba.dialogues: {reason}")
    done = invoke("--raw", raw, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert f"warning: tieba: damaged, not read: tieba.dialogues: {reason}" in done.stderr


def test_a_damaged_file_beside_an_intact_one_of_its_name_is_only_a_remark(tmp_path: Path) -> None:
    put(tmp_path, {"a/tieba.dialogues": b"", "b/tieba.dialogues": CHAIN})
    tieba = inventory_of(tmp_path).found["tieba"]
    assert (tieba.state, tieba.remarks) == ("found", ["skipped a/tieba.dialogues: empty file"])


def test_a_name_that_the_content_contradicts_is_reported_and_not_used(tmp_path: Path) -> None:
    put(tmp_path, {"tieba.dialogues": CONV, "ptt/Gossiping-QA-Dataset.txt": "# notes\n" * 50})
    inventory = inventory_of(tmp_path)
    assert states(tmp_path) == {"ptt": "unusable", "tieba": "unusable"}
    assert {item.file.name: item.reason for item in inventory.unrecognised} == {
        "tieba.dialogues": "has a name of tieba, but not its layout; it looks like subtitle, so rename it",
        "ptt/Gossiping-QA-Dataset.txt": "has a name of ptt, but not its layout",
    }


def test_a_name_takes_priority_over_a_signature(tmp_path: Path) -> None:
    put(tmp_path, {"tieba.dialogues": CHAIN, "xiaohuangji50w_nofenci.conv": CONV})
    assert states(tmp_path) == {"tieba": "found", "xiaohuangji": "found"}


def test_a_candidate_with_the_name_is_read_and_the_others_are_skipped(tmp_path: Path) -> None:
    put(tmp_path, {"tieba.dialogues": CHAIN, "copy.txt": CHAIN, "old.txt": CHAIN.replace("句", "话")})
    tieba = inventory_of(tmp_path).found["tieba"]
    assert [file.name for file in tieba.files] == ["tieba.dialogues"]
    assert sorted(tieba.remarks) == [
        "skipped copy.txt: same content as tieba.dialogues",
        "skipped old.txt: recognised by content only; tieba.dialogues has the name of the corpus and is read",
    ]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-16-be", "utf-8-sig"])
def test_content_is_recognised_in_other_encodings(encoding: str, tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": CHAIN.encode(encoding)})
    assert states(tmp_path) == {"tieba": "renamed"}


def test_content_is_recognised_in_big5(tmp_path: Path) -> None:
    gossip = "".join(f"有沒有這個那個{n}的八卦？\t沒有{n}的時候再說\n" for n in range(60))
    put(tmp_path, {"a.txt": gossip.encode("big5")})
    assert states(tmp_path) == {"ptt": "renamed"}


def test_a_binary_file_is_reported_as_not_text(tmp_path: Path) -> None:
    put(tmp_path, {"a.bin": bytes(range(1, 256)) * 40})
    assert [item.reason for item in inventory_of(tmp_path).unrecognised] == [
        "not a text file, judging by its first bytes"
    ]


def test_a_bad_byte_does_not_hide_a_corpus(tmp_path: Path) -> None:
    data = CHAIN.encode()
    put(tmp_path, {"a.txt": data[:500] + b"\xff" + data[500:]})
    assert states(tmp_path) == {"tieba": "renamed"}


@pytest.mark.parametrize(
    "unit", ["\t", "1\t", " | ", "E\n", "M ", '"instruction": ', "{br}", "# ", "一 ", "一\t", "\n"]
)
def test_hostile_content_takes_no_signature_long(unit: str, tmp_path: Path) -> None:
    put(tmp_path, {"a.txt": unit * (70_000 // len(unit.encode()))})
    assert states(tmp_path) == {}


def test_after_too_many_unrecognised_files_only_names_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat_corpus.discovery.inventory.MAX_OPENED", 5)
    put(tmp_path, {**{f"a{n}": "x" for n in range(9)}, "z/chain": CHAIN, "z/tieba.dialogues": CHAIN})
    inventory = inventory_of(tmp_path)
    assert [file.name for file in inventory.found["tieba"].files] == ["z/tieba.dialogues"]
    assert inventory.unrecognised[-1].reason.startswith("not opened: ")


def test_a_rate_counts_matches_per_record() -> None:
    signature = Signature(rates=(Rate(pattern="^a", least=0.5, most=1.0),), fewest=2)
    assert [signature.fits(text) for text in ("a\nb\n", "a\nb\nb\n", "a\n", "")] == [True, False, False, False]


def test_check_reports_states_sizes_records_and_advice(tmp_path: Path) -> None:
    put(tmp_path, {
        "tieba.dialogues": CHAIN * 200, "x.txt": CONV, "douban/train.txt": FORUM, "qingyun/a.csv": b"",
        "README.md": "notes",
    })  # fmt: skip
    done = invoke("check", "--raw", tmp_path, "--json")
    report = json.loads(done.stdout)
    rows = {row["name"]: row for row in report["sources"]}
    assert done.exit_code == 0
    expected = {"tieba": "found", "subtitle": "renamed", "douban": "partial", "qingyun": "damaged", "ptt": "absent"}
    assert {name: rows[name]["state"] for name in expected} == expected
    assert set(rows["ptt"]) == {
        "name", "state", "files", "bytes", "records", "estimated", "licence", "url", "missing", "damaged", "unusable",
        "remarks", "obtain", "fetch",
    }  # fmt: skip
    assert (rows["tieba"]["estimated"], rows["subtitle"]["estimated"]) == (True, False)
    assert abs(rows["tieba"]["records"] - 12_000) <= 1200
    assert rows["subtitle"]["records"] == CONV.count("\n")
    assert rows["subtitle"]["files"][0]["renamed"] is True
    assert rows["douban"]["missing"] == ["dev.txt", "test.txt"]
    assert rows["ptt"]["obtain"] == sources.load()["ptt"].obtain
    assert rows["ptt"]["fetch"] == f"chat-corpus fetch ptt --raw {quote(str(tmp_path))}"
    assert (rows["tieba"]["obtain"], rows["tieba"]["fetch"], rows["douban"]["fetch"]) == (None, None, None)
    assert report["unrecognised"][0] == {
        "file": "README.md", "bytes": 5, "reason": "not a known corpus, by name or content",
    }  # fmt: skip
    table = invoke("check", "--raw", tmp_path).stdout
    assert "~12,000" in table
    assert "qingyun: damaged: qingyun/a.csv: empty file" in table
    assert "not recognised: README.md: not a known corpus" in table


def test_check_hashes_on_request(tmp_path: Path) -> None:
    put(tmp_path, {"tieba.dialogues": CHAIN})
    assert "sha256" not in invoke("check", "--raw", tmp_path, "--json").stdout
    report = json.loads(invoke("check", "--raw", tmp_path, "--json", "--sha256").stdout)
    (file,) = next(row for row in report["sources"] if row["name"] == "tieba")["files"]
    assert file["sha256"] == hashlib.sha256(CHAIN.encode()).hexdigest()
    assert f"{file['sha256']}  tieba.dialogues" in invoke("check", "--raw", tmp_path, "--sha256").stdout


def test_the_records_of_a_compressed_file_are_estimated_by_its_inflation(tmp_path: Path) -> None:
    put(tmp_path, {"tieba.dialogues.gz": gzip.compress(CHAIN.encode() * 3000)})
    report = json.loads(invoke("check", "--raw", tmp_path, "--json").stdout)
    row = next(row for row in report["sources"] if row["name"] == "tieba")
    assert row["estimated"]
    assert 90_000 < row["records"] < 360_000
