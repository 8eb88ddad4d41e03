"""Whole runs over corpora in other encodings: the same output as from UTF-8, and a message where it cannot be."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from chat_corpus import sources
from tests.conftest import SAMPLES, slow_from
from tests.helpers import invoke, put, visible

NAMES = sorted(sources.load())
PAIRS = "你吃饭了吗\t还没有，一起去吃火锅\n今天天气怎么样\t不错，我们出去走走吧\n"
TRADITIONAL = "你吃飯了嗎\t還沒有，一起去吃火鍋\n今天天氣怎麼樣\t不錯，我們出去走走吧\n"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What becomes of the bundled samples as they are."""
    out = tmp_path_factory.mktemp("plain") / "out"
    assert invoke("-q", "--raw", SAMPLES, "--out", out).exit_code == 0
    return visible(out)


def transcoded(folder: Path, codec: str, mark: bytes = b"") -> Path:
    """The bundled samples in another encoding."""
    shutil.copytree(SAMPLES, folder)
    for path in (path for path in folder.rglob("*") if path.is_file()):
        path.write_bytes(mark + path.read_bytes().decode("utf-8").encode(codec))
    return folder


def report(out: Path) -> Any:
    return json.loads((out / "report.json").read_text("utf-8"))["sources"]


@pytest.mark.parametrize(
    ("codec", "mark", "encoding"),
    slow_from(
        1,
        [
            ("gb18030", b"", "gb18030"),
            ("utf-16-le", b"", "utf-16-le"),
            ("utf-16-le", b"\xff\xfe", "utf-16-le"),
            ("utf-16-be", b"\xfe\xff", "utf-16-be"),
            ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ],
    ),
)
def test_all_samples_give_the_same_output_in_any_encoding(
    codec: str, mark: bytes, encoding: str, plain: dict[str, bytes], tmp_path: Path
) -> None:
    raw, out = transcoded(tmp_path / "raw", codec, mark), tmp_path / "out"
    done = invoke("--raw", raw, "--out", out)
    assert done.exit_code == 0, done.stderr
    now = visible(out)
    for name, entry in report(out).items():
        assert now[f"{name}.tsv"] == plain[f"{name}.tsv"], name
        assert now[f"rejects/{name}.jsonl"] == plain[f"rejects/{name}.jsonl"], name
        for file in entry["files"]:
            assert file["encoding"] == encoding, file
            content = (raw / file["file"]).read_bytes()
            assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


def test_traditional_samples_give_the_same_output_in_big5(plain: dict[str, bytes], tmp_path: Path) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    for name in ("ptt-42w/Gossiping-QA-Dataset.txt", "ptt-77w/Gossiping-QA-Dataset-2_0.csv"):
        text = (SAMPLES / name).read_text("utf-8")
        (raw / name).parent.mkdir(parents=True)
        (raw / name).write_bytes(text.encode("cp950"))
    done = invoke("--raw", raw, "--out", out)
    assert done.exit_code == 0, done.stderr
    assert visible(out)["ptt.tsv"] == plain["ptt.tsv"]
    assert {file["encoding"] for file in report(out)["ptt"]["files"]} == {"big5"}
    assert "ptt: ptt-42w/Gossiping-QA-Dataset.txt is read as big5: chardet says big5" in done.stderr


def test_a_bad_byte_costs_its_record_and_is_in_the_reject(tmp_path: Path) -> None:
    good = PAIRS.encode("gbk")
    raw = put(tmp_path / "raw", {})
    raw.mkdir()
    (raw / "tieba.dialogues").write_bytes(good + b"\xc4\xe3\xff\t\xba\xc3\n" + good)
    assert invoke("--raw", raw, "--out", tmp_path / "out").exit_code == 0
    assert visible(tmp_path / "out")["tieba.tsv"].decode() == PAIRS * 2
    (reject,) = visible(tmp_path / "out")["rejects/tieba.jsonl"].splitlines()
    assert json.loads(reject) == {
        "source": "tieba", "file": "tieba.dialogues", "record": 3, "reason": "encoding", "message": "not gb18030",
        "raw": "你\\xff\t好",
    }  # fmt: skip


def test_lines_of_two_encodings_are_read_each_in_its_own(tmp_path: Path) -> None:
    lines = PAIRS.splitlines(keepends=True) * 20
    content = b"".join(line.encode("gbk" if number % 5 == 0 else "utf-8") for number, line in enumerate(lines))
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "tieba.dialogues").write_bytes(content + b"\xc4\t\xff\n")
    assert invoke("--raw", tmp_path / "raw", "--out", tmp_path / "out").exit_code == 0
    assert visible(tmp_path / "out")["tieba.tsv"].decode() == "".join(lines)
    (file,) = report(tmp_path / "out")["tieba"]["files"]
    assert file["encoding"] == "utf-8+gb18030"
    assert file["encoding_evidence"].startswith("8 of 41 lines: chardet says gb18030")
    assert report(tmp_path / "out")["tieba"]["turns"]["rejected"] == {"encoding": 1}


@pytest.mark.parametrize("compress", slow_from(0, [gzip.compress, bytes]), ids=["compressed", "plain"])
def test_parallel_files_may_be_in_different_encodings_in_small_shards_by_several_workers(
    compress: Any, tmp_path: Path
) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    (raw / "w").mkdir(parents=True)
    ending = "" if compress is bytes else ".gz"
    posts, replies = "今天 天气 怎么样 ， {}\n", "我们 一起 去 吃 火锅 ， {}\n"
    post, reply = ("".join(one.format(n) for n in range(900)) for one in (posts, replies))
    (raw / "w" / f"stc_weibo_train_post{ending}").write_bytes(compress(post.encode("gb18030")))
    (raw / "w" / f"stc_weibo_train_response{ending}").write_bytes(compress(reply.encode("utf-16")))
    config = tmp_path / "small.yaml"
    config.write_text("shard_bytes: 4000\n", encoding="utf-8")
    for workers in (1, 2):
        done = invoke("--raw", raw, "--out", out / str(workers), "--config", config, "--workers", workers)
        assert done.exit_code == 0, done.stderr
    assert visible(out / "1")["weibo.tsv"] == visible(out / "2")["weibo.tsv"]
    lines = visible(out / "1")["weibo.tsv"].decode().splitlines()
    assert lines == [f"今天天气怎么样，{n}\t我们一起去吃火锅，{n}" for n in range(900)]


def test_what_an_xml_declaration_says_of_the_encoding_does_not_matter(tmp_path: Path) -> None:
    message = '<message id="1"><text>今天天气怎么样</text></message>\n<message id="2"><text>好的</text></message>\n'
    for number, (codec, declared) in enumerate(
        [("gbk", "GB2312"), ("utf-16", "UTF-16"), ("gbk", "UTF-8"), ("utf-8", "GBK")]
    ):
        text = f'<?xml version="1.0" encoding="{declared}"?>\n<smsCorpus>\n{message}</smsCorpus>\n'
        raw, out = tmp_path / f"raw{number}", tmp_path / f"out{number}"
        raw.mkdir()
        (raw / "smsCorpus_zh.xml").write_bytes(text.encode(codec))
        done = invoke("--raw", raw, "--out", out)
        assert done.exit_code == 0
        assert report(out)["sms"]["turns"]["kept"] == 2


def test_a_json_array_in_utf_16_is_taken_for_one(tmp_path: Path) -> None:
    (tmp_path / "raw" / "belle").mkdir(parents=True)
    records = [{"instruction": f"问题{n}", "input": "", "output": "今天天气不错"} for n in range(3)]
    data = json.dumps(records, ensure_ascii=False, indent=1).encode("utf-16")
    (tmp_path / "raw" / "belle" / "a.json").write_bytes(data)
    assert invoke("--raw", tmp_path / "raw", "--out", tmp_path / "out").exit_code == 0
    assert visible(tmp_path / "out")["belle.tsv"].decode() == "".join(f"问题{n}\t今天天气不错\n" for n in range(3))


@pytest.fixture
def big5(tmp_path: Path) -> Path:
    raw = put(tmp_path / "raw", {"lost.conv": "E\nM 一\nM 二\n"})
    (raw / "tieba.dialogues").write_bytes((TRADITIONAL * 10).encode("big5"))
    return raw


def test_a_choice_that_fits_is_obeyed(big5: Path, tmp_path: Path) -> None:
    done = invoke("--raw", big5, "--out", tmp_path / "out", "--encoding", "tieba=CP950")
    assert done.exit_code == 0
    assert "warning" not in done.stderr
    assert report(tmp_path / "out")["tieba"]["files"][0]["encoding"] == "big5"
    assert report(tmp_path / "out")["tieba"]["files"][0]["encoding_evidence"].startswith("as chosen; ")


def test_a_choice_that_does_not_fit_is_obeyed_with_a_warning(big5: Path, tmp_path: Path) -> None:
    done = invoke("--raw", big5, "--out", tmp_path / "out", "--encoding", "tieba=gb18030")
    assert "warning: tieba: tieba.dialogues: it looks like big5: chardet says big5" in done.stderr
    assert done.exit_code == 0


def test_a_choice_that_decodes_nothing_fails_its_source_alone(big5: Path, tmp_path: Path) -> None:
    done = invoke("--raw", big5, "--out", tmp_path / "out", "--encoding", "tieba=utf-8")
    assert done.exit_code == 3
    assert "tieba: tieba.dialogues: 20 of 20 records (100 %) cannot be read: encoding 20; the first is " in done.stderr
    expected = "tieba.dialogues was read as utf-8; set the right encoding with --encoding tieba=NAME, or download"
    assert expected in done.stderr
    assert {name for name in visible(tmp_path / "out") if name.endswith(".tsv")} == {"subtitle.tsv"}


def test_noise_fails_its_source_and_is_reported(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"lost.conv": "E\nM 一\nM 二\n"})
    noise = b"".join(hashlib.sha256(bytes([n])).digest() + b"\n" for n in range(99))
    (raw / "tieba.dialogues").write_bytes(noise)
    done = invoke("--raw", raw, "--out", tmp_path / "out")
    assert done.exit_code == 3
    assert "sampled lines are not UTF-8, GB18030, Big5 or UTF-16; it is read as utf-8, and records " in done.stderr
    assert "--encoding tieba=NAME, or convert the file to UTF-8" in done.stderr
    assert "tieba.dialogues was read as utf-8; set the right encoding" in done.stderr


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("tieba=gb1803", "--encoding tieba=gb1803: no encoding 'gb1803'; did you mean gb18030"),
        ("tieba=klingon", "no encoding 'klingon'; encodings: auto, utf-8, gb18030, big5,"),
        ("tiba=gbk", "sources.tiba: no source has this name; did you mean 'tieba'?"),
        ("gbk", "--encoding gbk: SOURCE=NAME expected, for example --encoding ptt=big5"),
        ("=gbk", "SOURCE=NAME expected"),
    ],
)
def test_a_wrong_name_is_refused_with_the_nearest(given: str, expected: str, big5: Path, tmp_path: Path) -> None:
    done = invoke("--raw", big5, "--out", tmp_path / "out", "--encoding", given)
    assert done.exit_code == 2
    assert expected in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_encoding_may_stand_in_the_settings_and_a_wrong_one_is_reported_with_its_line(
    big5: Path, tmp_path: Path
) -> None:
    config = tmp_path / "my.yaml"
    config.write_text("sources:\n  tieba:\n    read: {encoding: cp950}\n", encoding="utf-8")
    assert invoke("--raw", big5, "--out", tmp_path / "out", "--config", config).exit_code == 0
    assert report(tmp_path / "out")["tieba"]["files"][0]["encoding"] == "big5"
    config.write_text("read:\n  encoding: big6\n", encoding="utf-8")
    done = invoke("--raw", big5, "--out", tmp_path / "out", "--config", config)
    assert done.exit_code == 2
    assert 'my.yaml:2: read.encoding: found "big6", expected one of auto, utf-8, gb18030, big5' in done.stderr


def test_another_choice_does_its_source_again_and_no_other(big5: Path, tmp_path: Path) -> None:
    args = ("--raw", big5, "--out", tmp_path / "out")
    assert invoke(*args, "--encoding", "tieba=utf-8").exit_code == 3
    done = invoke(*args, "--encoding", "tieba=big5")
    assert done.exit_code == 0
    rows = {line.split()[0]: line for line in done.stderr.splitlines() if line.split()}
    assert "unchanged" in rows["subtitle"]
    assert "unchanged" not in rows["tieba"]
    again = invoke(*args, "--encoding", "tieba=big5").stderr
    assert again.count("unchanged since") == 2
    other = invoke(*args, "--encoding", "tieba=gb18030")
    assert other.exit_code == 2
    assert 'tieba.tsv: made with other settings (read.encoding was "big5", is now "gb18030")' in other.stderr


@pytest.mark.parametrize(
    ("codec", "mark", "meant"),
    [
        ("utf-8", b"", "😍"),
        ("utf-8", b"\xef\xbb\xbf", "😍"),
        ("utf-16-le", b"\xff\xfe", "😍"),
        ("utf-16-be", b"\xfe\xff", "😍"),
        ("gb18030", b"", ""),
    ],
)
def test_private_use_characters_are_emoji_in_files_in_unicode_only(
    codec: str, mark: bytes, meant: str, tmp_path: Path
) -> None:
    texts = {
        "post": "今天 的 天气 真 不错 \ue106\n\ue106\n",
        "response": "是 啊 ， 我们 出去 走走 吧\n生日 快乐 ！ \ue756\n",
    }
    raw, out = tmp_path / "raw" / "weibo-400w", tmp_path / "out"
    raw.mkdir(parents=True)
    for name, text in texts.items():
        (raw / f"stc_weibo_train_{name}").write_bytes(mark + text.encode(codec))
    assert invoke("-q", "--raw", raw.parent, "--out", out).exit_code == 0
    entry = report(out)["weibo"]
    assert {file["encoding"] for file in entry["files"]} == {codec}
    rows = [f"今天的天气真不错{meant}\t是啊，我们出去走走吧", f"{meant}\t生日快乐！"]
    assert (out / "weibo.tsv").read_text("utf-8").splitlines() == rows[: 2 if meant else 1]
    assert entry["turns"]["changed_by_step"].get("emoji", 0) == (2 if meant else 0)
    assert entry["turns"]["rejected"] == ({} if meant else {"empty": 1})
    traced = invoke("trace", out / "weibo.tsv:1").stdout
    assert ("emoji" in traced) == bool(meant)
    assert ("invisible" in traced) == (not meant)
