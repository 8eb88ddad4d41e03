"""A clone of each corpus's own repository, in miniature and invented words, gives each exchange once."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from chat_corpus import sources
from chat_corpus.discovery.inventory import discover
from tests.helpers import invoke, put, visible

MARK = " +++$+++ "
README = "# 语料\n\n中文说明。\n\n```\n{example}\n```\n\nLicence: see LICENSE.\n"
SCRIPT = "import json\n\nEXAMPLE = '''\n{example}\n'''\n\nprint(EXAMPLE)\n"


def documents(example: str) -> dict[str, str | bytes]:
    """What every repository has: a README in two languages, scripts, a notebook, a log, a licence."""
    log = "".join(f"2024-01-01 12:00:0{n} INFO read {line}\n" for n, line in enumerate(example.splitlines()[:9]))
    return {
        "README.md": README.format(example=example),
        "README_en.md": README.format(example=example).replace("中文说明", "English"),
        "README.txt": README.format(example=example) + "说明。\n" * 9,
        "notes.txt": "记录:\n" + example + "\n" + "".join(f"第{n}条说明，与语料无关。\n" for n in range(30)),
        "convert.py": SCRIPT.format(example=example),
        "tools/show.js": SCRIPT.format(example=example),
        "explore.ipynb": json.dumps({"cells": [{"source": example.splitlines()}]}, ensure_ascii=False, indent=1),
        "run.log": log,
        "LICENSE": "Permission is granted.\n",
        "requirements.txt": "numpy\npandas\n",
    }


def zipped(members: dict[str, str]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return held.getvalue()


def conv(*dialogues: tuple[str, ...]) -> str:
    return "".join("E\n" + "".join(f"M {turn}\n" for turn in dialogue) for dialogue in dialogues)


def egret(form: str) -> dict[str, str]:
    lines = "".join(f"{n}{MARK}甲{MARK}白鹭引擎的第{n}句\n" for n in range(12))
    lists = "".join(
        f"{n}{MARK}甲{MARK}乙{MARK}t{MARK}http://bbs.egret.com/{n}{MARK}[{2 * n}, {2 * n + 1}]\n" for n in range(6)
    )
    return {f"egret_wenda_lines{form}.txt": lines, f"egret_wenda_conversations{form}.txt": lists}


def sms(year: int, messages: int) -> str:
    body = "".join(
        f'<message id="{n}"><text>短信{n}</text><messageProfile type="send" language="zh"/></message>\n'
        for n in range(messages)
    )
    return f'<?xml version="1.0"?>\n<smsCorpus date="{year}">\n{body}</smsCorpus>\n'


def record(number: int) -> dict[str, str]:
    return {
        "instruction": f"请写第{number}句话，关于春天的花",
        "input": "",
        "output": f"\n第{number}朵花开了，春天来了。",
    }


SCENES = conv(*[(f"第{n}场的头一句", f"第{n}场接着说", f"第{n}场最后说") for n in range(40)])
CHICKEN = [(f"第{n}问", f"第{n}答") for n in range(30)]
RECORDS = [record(n) for n in range(12)]
JSON_LINES = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in RECORDS)
JSON_ARRAY = json.dumps(RECORDS, ensure_ascii=False, indent=2)
MORE_RECORDS = "".join(json.dumps(record(n), ensure_ascii=False) + "\n" for n in range(50, 60))
DOUBAN = "".join(f"1\t楼主 在 吗 {n}\t在 的 {n}\n0\t楼主 在 吗 {n}\t不 对 {n}\n" for n in range(9))
TIEBA = "".join(f"楼主第{n}句\t楼主第{n + 1}句\n" for n in range(20))
TRADITIONAL = "".join(f"有沒有第{n}個八卦\t說了{n}遍還問\n" for n in range(20))
CHATTERBOT = "categories:\n- 天气\nconversations:\n" + "".join(
    f"- - 第{n}天下雨吗\n  - 第{n}天不下\n" for n in range(9)
)
ENGLISH = "categories:\n- weather\nconversations:\n" + "".join(f"- - Rain on day {n}?\n  - No.\n" for n in range(9))
POSTS = "".join(f"今天 天气 不错 alink {n}\n# 早 安 # 大家 好 {n}\n" for n in range(20))
ANSWERS = "".join(f"是 的 哈哈 {n}\n" for n in range(40))

#: Each repository: its files, an example that its documents quote, the rows that are to be written, and what is read.
CLONES: dict[str, tuple[dict[str, str | bytes], str, int, set[str]]] = {
    "egret": (
        {**egret(""), **{f"raw/{name}": text for name, text in egret("_raw").items()}},
        "\n".join(egret("")["egret_wenda_lines.txt"].splitlines()[:5]),
        6,
        {"egret_wenda_lines.txt", "egret_wenda_conversations.txt"},
    ),
    "ptt": (
        {
            "data/Gossiping-QA-Dataset-2_0.csv": "question,answer\n" + TRADITIONAL.replace("\t", ","),
            "data/Gossiping-QA-Dataset.txt": TRADITIONAL,
            "data/Gossiping-QA-Dataset.zip": zipped({"Gossiping-QA-Dataset.txt": TRADITIONAL}),
        },
        TRADITIONAL[:60],
        20,
        {"data/Gossiping-QA-Dataset-2_0.csv", "data/Gossiping-QA-Dataset.txt"},
    ),
    "chatterbot": (
        {
            "chatterbot_corpus/data/chinese/weather.yml": CHATTERBOT,
            "chatterbot_corpus/data/traditionalchinese/weather.yml": CHATTERBOT.replace("天", "日"),
            "chatterbot_corpus/data/tchinese/weather.yml": CHATTERBOT.replace("天", "日"),
            "chatterbot_corpus/data/english/weather.yml": ENGLISH,
            "chatterbot_corpus/data/japanese/weather.yml": CHATTERBOT.replace("雨", "のあめはふりますか"),
            "chatterbot_corpus/corpus.py": "DATA = 'data'\n",
            ".github/workflows/test.yml": "on: push\n",
            "docs/conf.yml": "- a: 1\n",
        },
        CHATTERBOT[:90],
        18,
        {
            "chatterbot_corpus/data/chinese/weather.yml",
            "chatterbot_corpus/data/traditionalchinese/weather.yml",
        },
    ),
    "weibo": (
        {
            "stc_weibo_train_post": POSTS,
            "stc_weibo_train_response": ANSWERS,
            "stc_weibo_valid_post": POSTS[:300],
            "stc_weibo_valid_response": ANSWERS[:100],
            "copy/stc_weibo_train_post": POSTS,
            "copy/stc_weibo_train_response": ANSWERS,
        },
        POSTS[:80],
        40,
        {"copy/stc_weibo_train_post", "copy/stc_weibo_train_response"},
    ),
    "qingyun": (
        {
            "raw_chat_corpus/qingyun-11w/12万对话语料青云库.csv": "".join(
                f"问{n} | 答{n}{{br}}好\n" for n in range(20)
            ),
            "qingyun-11w.zip": zipped(
                {"12万对话语料青云库.csv": "".join(f"问{n} | 答{n}{{br}}好\n" for n in range(20))}
            ),
            **{f"clean_chat_corpus/{name}.tsv": "问\t答\n" * 20 for name in ("qingyun", "ptt", "tieba", "weibo")},
            "process_pipelines/qingyun.py": "def run(): ...\n",
        },
        "问0 | 答0\n问1 | 答1",
        20,
        {"qingyun-11w.zip/12万对话语料青云库.csv"},
    ),
    "xiaohuangji": (
        {
            "xiaohuangji50w_nofenci.conv": conv(*CHICKEN),
            "xiaohuangji50w_fenciA.conv": conv(*[(a.replace("第", "第/"), b.replace("第", "第/")) for a, b in CHICKEN]),
            "xiaohuangji50w_nofenci.conv.zip": zipped({"xiaohuangji50w_nofenci.conv": conv(*CHICKEN)}),
        },
        conv(*CHICKEN[:3]),
        30,
        {"xiaohuangji50w_nofenci.conv"},
    ),
    "subtitle": (
        {
            "results/dgk_shooter_min.conv": SCENES,
            "results/dgk_shooter_z.conv": SCENES.replace("头", "/头/"),
            "results/lost.conv": SCENES[:400],
            "results/dgk_shooter_min.conv.zip": zipped({"dgk_shooter_min.conv": SCENES}),
            "cvgen.py": "import re\n",
        },
        SCENES[:120],
        80,
        {"results/dgk_shooter_min.conv"},
    ),
    "tieba": (
        {"tieba-305w/tieba.dialogues": TIEBA, "tieba.zip": zipped({"tieba-305w/tieba.dialogues": TIEBA})},
        TIEBA[:90],
        20,
        {"tieba-305w/tieba.dialogues"},
    ),
    "douban": (
        {
            "douban/train.txt": DOUBAN,
            "douban/dev.txt": DOUBAN.replace("在", "又"),
            "douban/test.txt": DOUBAN.replace("在", "还"),
            "train.sample": DOUBAN[:200],
            "src/CNN.py": "import theano\n",
        },
        DOUBAN[:90],
        27,
        {"douban/train.txt", "douban/dev.txt", "douban/test.txt"},
    ),
    "belle": (
        {
            "data/train_2M_CN.json": JSON_LINES,
            "data/train_2M_CN.jsonl": JSON_LINES.replace(", ", ","),
            "array/train_2M_CN.json": JSON_LINES,
            "data/school_math_0.25M.json": MORE_RECORDS,
            "train/configs/deepspeed.json": '{\n "train_batch_size": 8,\n "fp16": {"enabled": true}\n}\n',
            "models/config.json": '{"model_type": "bloom"}\n',
        },
        "\n".join(JSON_LINES.splitlines()[:3]),
        22,
        {"array/train_2M_CN.json", "data/school_math_0.25M.json"},
    ),
    "sms": (
        {
            "smsCorpus_zh_xml_2015.03.09.zip": zipped({"smsCorpus_zh_2015.03.09.xml": sms(2015, 12)}),
            "smsCorpus_zh_xml_2014.01.09.zip": zipped({"smsCorpus_zh_2014.01.09.xml": sms(2014, 8)}),
            "smsCorpus_zh_sql_2015.03.09.zip": zipped(
                {"smsCorpus_zh_2015.03.09.sql": "INSERT INTO t VALUES (1);\n" * 9}
            ),
            "smsCorpus_zh_json_2015.03.09.zip": zipped({"smsCorpus_zh_2015.03.09.json": '{"smsCorpus": []}\n'}),
            "smsCorpus_en_xml_2015.03.09_all.zip": zipped(
                {"smsCorpus_en_2015.03.09_all.xml": sms(2015, 9).replace('"zh"', '"en"').replace("短信", "message")}
            ),
        },
        "\n".join(sms(2015, 3).splitlines()),
        0,
        {"smsCorpus_zh_xml_2015.03.09.zip/smsCorpus_zh_2015.03.09.xml"},
    ),
}


def test_every_source_has_its_clone() -> None:
    assert CLONES.keys() == sources.load().keys()


@pytest.mark.parametrize("name", CLONES)
def test_a_clone_of_a_repository_gives_each_exchange_once(name: str, tmp_path: Path) -> None:
    files, example, rows, expected = CLONES[name]
    raw, out = put(tmp_path / "raw", {**documents(example), **files}), tmp_path / "out"
    done = invoke("--raw", raw, "--out", out)
    assert done.exit_code == 0, done.stderr
    assert [file for file in visible(out) if file.endswith(".tsv")] == [f"{name}.tsv"]
    lines = visible(out)[f"{name}.tsv"].decode().splitlines()
    assert (len(lines), len(set(lines))) == (rows, rows)
    seen = discover(raw, sources.load())
    assert {file.name for file in seen.found[name].files} == expected
    left = {
        file for file in files if (file not in expected and not any(one.startswith(f"{file}/") for one in expected))
    }
    remarks = "\n".join(
        [*seen.found[name].remarks, *(f"{stray.file.name}: {stray.reason}" for stray in seen.unrecognised)]
    )
    hidden = {file for file in left if file.startswith(".")}
    assert [file for file in left - hidden if file not in remarks] == []


@pytest.mark.parametrize("name", CLONES)
def test_documents_that_quote_a_corpus_are_nobodys(name: str, tmp_path: Path) -> None:
    """Whatever they are called: the name of a text says little."""
    example = CLONES[name][1]
    written = documents(example)
    renamed = {f"{file}.txt": text for file, text in written.items()}
    renamed |= {f"{file}.json": text for file, text in written.items()}
    seen = discover(put(tmp_path, {**written, **renamed}), sources.load())
    assert {source: one.files for source, one in seen.found.items() if one.files} == {}


def test_a_raw_form_is_read_where_it_is_all_there_is(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {f"raw/{name}": text for name, text in egret("_raw").items()})
    assert invoke("-q", "--raw", raw, "--out", tmp_path / "out").exit_code == 0
    assert visible(tmp_path / "out")["egret.tsv"].count(b"\n") == 6


def test_a_release_that_lacks_a_part_does_not_hide_its_raw_form(tmp_path: Path) -> None:
    whole = {f"raw/{name}": text for name, text in egret("_raw").items()}
    put(tmp_path, {**whole, "egret_wenda_lines.txt": egret("")["egret_wenda_lines.txt"]})
    one = discover(tmp_path, sources.load()).found["egret"]
    assert (one.state, {file.name for file in one.files}) == ("found", set(whole))


def test_the_newest_edition_is_read(tmp_path: Path) -> None:
    put(tmp_path, {f"smsCorpus_zh_{year}.01.09.xml": sms(year, 5) for year in (2011, 2014, 2013)})
    one = discover(tmp_path, sources.load()).found["sms"]
    assert [file.name for file in one.files] == ["smsCorpus_zh_2014.01.09.xml"]
    assert (
        sum(
            text.endswith(": another form, edition or part of smsCorpus_zh_2014.01.09.xml, which is read")
            for text in one.remarks
        )
        == 2
    )


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("tieba.dialogues", TIEBA, TIEBA + "再\t见\n"),
        ("train_2M_CN.json", JSON_LINES, MORE_RECORDS),
        ("chinese/ai.yml", CHATTERBOT, CHATTERBOT.replace("下雨", "下雪")),
        ("lost.conv", SCENES, SCENES[:400]),
    ],
)
def test_two_folders_with_the_same_name_are_both_read_and_reported(
    name: str, first: str, second: str, tmp_path: Path
) -> None:
    put(tmp_path, {f"a/{name}": first, f"b/{name}": second})
    (one,) = (one for one in discover(tmp_path, sources.load()).found.values() if one.files)
    assert [file.name for file in one.files] == [f"a/{name}", f"b/{name}"]
    assert any("different files" in text and f"a/{name}, b/{name}" in text for text in one.remarks)


AGAIN: dict[str, tuple[str, str, str, str | bytes]] = {
    "a raw form": ("tieba.dialogues", "tieba_raw.dialogues", TIEBA, TIEBA.replace("楼", "樓")),
    "a second download": ("Gossiping-QA-Dataset.txt", "Gossiping-QA-Dataset (1).txt", TRADITIONAL, TRADITIONAL[:300]),
    "another encoding": (
        "12万对话语料青云库.csv",
        "12万对话语料青云库_gbk.csv",
        "问 | 答\n好 | 好的\n",
        "问 | 答\n好 | 好的\n".encode("gb18030"),
    ),
    "a sample": ("train_2M_CN.json", "train_2M_CN_sample.json", JSON_LINES, JSON_LINES.splitlines()[3]),
    "a part": ("train_2M_CN.json", "train_2M_CN.part-1.json", JSON_LINES, JSON_LINES.splitlines()[3]),
    "clean": ("xiaohuangji50w_nofenci.conv", "xiaohuangji50w_nofenci_clean.conv", conv(*CHICKEN), conv(*CHICKEN[:20])),
}


@pytest.mark.parametrize("kind", AGAIN)
@pytest.mark.parametrize("folder", ["", "more/"])
def test_a_file_that_holds_a_release_once_more_by_its_name_is_left_alone(
    kind: str, folder: str, tmp_path: Path
) -> None:
    name, again, content, other = AGAIN[kind]
    put(tmp_path, {name: content, f"{folder}{again}": other})
    (one,) = (one for one in discover(tmp_path, sources.load()).found.values() if one.files)
    assert [file.name for file in one.files] == [name]
    expected = f"skipped {folder}{again}: another form, edition or part of {name}, which is read"
    assert expected in one.remarks
    (tmp_path / name).unlink()
    (one,) = (one for one in discover(tmp_path, sources.load()).found.values() if one.files)
    assert [file.name for file in one.files] == [f"{folder}{again}"]


@pytest.mark.parametrize(
    "names",
    [
        ("belle/train_2M_CN_part1.json", "belle/train_2M_CN_part2.json"),
        ("tieba.dialogues", "tieba2.dialogues"),
        ("belle/train-00000-of-00002.json", "belle/train-00001-of-00002.json"),
        ("belle/train.json", "belle/dev.json"),
    ],
)
def test_parts_without_a_whole_are_all_read(names: tuple[str, str], tmp_path: Path) -> None:
    contents = (TIEBA, TIEBA.replace("楼主", "吧主")) if "tieba" in names[0] else (JSON_LINES, MORE_RECORDS)
    put(tmp_path, dict(zip(names, contents, strict=True)))
    (one,) = (one for one in discover(tmp_path, sources.load()).found.values() if one.files)
    assert sorted(file.name for file in one.files) == sorted(names)


PLAIN = [{"question": question, "answer": answer} for question, answer in CHICKEN]
REMADE: dict[str, tuple[dict[str, str | bytes], dict[str, str | bytes]]] = {
    "weibo": (
        {"stc_weibo_train_post": POSTS, "stc_weibo_train_response": ANSWERS},
        {"STC.json": json.dumps({"train": [["早 安", "早"], ["你 好", "好"]]})},
    ),
    "weibo, as text files": (
        {"stc_weibo_train_post": POSTS, "stc_weibo_train_response": ANSWERS},
        {"stc_weibo_train_post.txt": POSTS[:300], "stc_weibo_train_response.txt": ANSWERS[:100]},
    ),
    "tieba": ({"tieba.dialogues": TIEBA}, {"other/tieba.csv": TIEBA.replace("\t", ",")}),
    "qingyun": ({"qingyun/青云库.csv": "问题 | 答案\n好 | 好的\n"}, {"other/青云库.json": json.dumps(PLAIN)}),
}


@pytest.mark.parametrize("kind", REMADE)
def test_what_others_have_made_of_a_release_is_read_where_it_is_all_there_is(kind: str, tmp_path: Path) -> None:
    release, remade = REMADE[kind]
    put(tmp_path, {**release, **remade})
    one = discover(tmp_path, sources.load()).found[kind.partition(",")[0]]
    assert {file.name for file in one.files} == set(release)
    first = one.files[0].name
    for name in remade:
        assert f"skipped {name}: converted from this corpus by somebody else; {first} is read instead" in one.remarks
    for name in release:
        (tmp_path / name).unlink()
    assert {file.name for file in discover(tmp_path, sources.load()).found[one.source.name].files} == set(remade)


def test_one_set_in_two_layouts_is_reported_of_in_two_folders_and_read_once_in_one(tmp_path: Path) -> None:
    put(tmp_path / "two", {"a/belle/train_2M_CN.json": JSON_LINES, "b/belle/train_2M_CN.json": JSON_ARRAY})
    one = discover(tmp_path / "two", sources.load()).found["belle"]
    expected = "2 different files of the same name are all read: a/belle/train_2M_CN.json, b/belle/train_2M_CN.json"
    assert expected in one.remarks
    talk = json.dumps({"ai": [["第0天下雨吗", "第0天不下"]]}, ensure_ascii=False)
    put(tmp_path / "one", {"chinese/ai.yml": CHATTERBOT, "chinese/ai.corpus.json": talk})
    one = discover(tmp_path / "one", sources.load()).found["chatterbot"]
    assert [file.name for file in one.files] == ["chinese/ai.yml"]
    assert one.remarks == ["skipped chinese/ai.corpus.json: another format of chinese/ai.yml, which is read"]


LONG: dict[str, str] = {
    "belle": "".join(json.dumps(record(n), ensure_ascii=False) + "\n" for n in range(60)),
    "tieba": "".join(f"楼主第{n}句\t楼主第{n + 1}句\n" for n in range(120)),
    "ptt": "".join(f"有沒有第{n}個八卦\t說了{n}遍還問\n" for n in range(120)),
    "subtitle": conv(*[tuple(f"第{n}场  第{k}句话" for k in range(2 + n % 5)) for n in range(80)]),
    "chatterbot": "categories:\n- 天气\nconversations:\n"
    + "".join(f"- - 第{n}天下雨吗\n  - 第{n}天不下\n" for n in range(60)),
    "weibo": POSTS * 4,
}
#: What documents make of many lines of a corpus, with little of their own around them.
QUOTED: dict[str, Callable[[str], str]] = {
    "a listing": lambda text: f"# 说明\n\n```\n{text}```\n",
    "a script": lambda text: f'"""脚本"""\nimport json\n\nDATA = """\n{text}"""\nprint(len(DATA))\n',
    "a here-document": lambda text: f"cat > data.txt <<EOF\n{text}EOF\n",
    "a page": lambda text: f"<pre>\n{text}</pre>\n",
    "a log": lambda text: "".join(f"2024-01-01 12:00:00 INFO read {line}\n" for line in text.splitlines()),
    "a log of 2 MB": lambda text: "".join(f"12:00:00 {line}\n" for line in (text * 400).splitlines()[:40_000]),
    "a mail": lambda text: "".join(f"> {line}\n" for line in text.splitlines()),
    "a patch": lambda text: "".join(f"+{line}\n" for line in text.splitlines()),
    "numbers": lambda text: "".join(f"{n}: {line}\n" for n, line in enumerate(text.splitlines())),
    "a notebook": lambda text: json.dumps({"cells": [{"source": text.splitlines(True)}]}, ensure_ascii=False, indent=1),
    "notes between": lambda text: "".join(f"{line}\n这一行是笔记。\n" for line in text.splitlines()),
}


@pytest.mark.parametrize("corpus", LONG)
@pytest.mark.parametrize("kind", QUOTED)
def test_a_document_with_much_of_a_corpus_in_it_is_nobodys(kind: str, corpus: str, tmp_path: Path) -> None:
    if corpus == "weibo" and kind in ("a script", "a here-document", "a page"):
        pytest.skip("so few lines of a file of plain lines tell nothing; without its comments it is not read")
    seen = discover(put(tmp_path, {"data.txt": QUOTED[kind](LONG[corpus])}), sources.load())
    assert {name: one.state for name, one in seen.found.items() if one.state != "absent"} == {}


@pytest.mark.parametrize("corpus", LONG)
def test_the_same_lines_by_themselves_are_the_corpus(corpus: str, tmp_path: Path) -> None:
    seen = discover(put(tmp_path, {"data.txt": LONG[corpus], "README.txt": LONG[corpus]}), sources.load())
    states = {name: one.state for name, one in seen.found.items() if one.state != "absent"}
    assert states == {corpus: "partial" if corpus == "weibo" else "renamed"}
    assert [stray.file.name for stray in seen.unrecognised if stray.file.name == "README.txt"] == ["README.txt"]
