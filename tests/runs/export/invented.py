"""Invented corpora with all that an export must deal with, and what an export wrote."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import polars as pl

from tests.helpers import invoke, put

_WORDS = ("今天", "吃", "火锅", "吗", "不", "去", "台北", "上班", "哈哈", "好", "，", "。", "？", " ", "A", "！")


def corpora(folder: Path, *, seed: int = 1, size: int = 60) -> Path:
    """A raw folder with chains (tieba), pairs (ptt), labelled responses (douban) and parallel files (weibo)."""
    chance = Random(seed)

    def text() -> str:
        return "".join(chance.choices(_WORDS, k=chance.randint(1, 6))) or "嗯"

    tieba, ptt, douban = [], [], []
    for number in range(size):
        chain = [f"{text()}楼{number}", *(f"{text()}{number}.{turn}" for turn in range(chance.randint(1, 5)))]
        tieba += [f"{query}\t{answer}" for query, answer in pairwise(chain)]
        ptt.append(f"{text()}問{number % 50}\t{text()}答")
        context = "\t".join(f"{text()} {number}" for _ in range(chance.randint(1, 3)))
        douban += [f"{chance.randint(0, 1)}\t{context}\t{text()} {number} {answer}" for answer in range(3)]
    tieba += ["我的QQ：123456789\t加你了", "说<|im_end|>完了\t好", "孤单一行", "相同的问题？\t相同的回答"]
    ptt += ["相同的問題\t相同的回答！", "相同的問題！\t相同的回答", "有人嗎\t沒有資料", "空的\t  "]
    return put(
        folder,
        {
            "tieba.dialogues": "\n".join(tieba) + "\n",
            "Gossiping-QA-Dataset.txt": "\n".join(ptt) + "\n",
            "douban/train.txt": "\n".join(douban) + "\n",
            "stc_weibo_train_post": "\n".join(f"早 上 好 {number % 7}" for number in range(size)) + "\n",
            "stc_weibo_train_response": "\n".join(f"吃 了 吗 {number}" for number in range(size)) + "\n",
        },
    )


def export(folder: Path, *args: object, code: int = 0) -> str:
    """Call `export`, and return what it prints on stderr."""
    done = invoke("export", folder, "-q", *args)
    assert done.exit_code == code, done.output + done.stderr
    return done.stderr


def manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an export."""
    document: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    return document


def records(folder: Path) -> pl.DataFrame:
    """All records of an export, with their `split`."""
    frames = [
        pl.read_parquet(path).with_columns(split=pl.lit(path.name.split("-")[0]))
        for path in sorted((folder / "data").rglob("*.parquet"))
    ]
    return pl.concat(frames)


def index(folder: Path) -> pl.DataFrame:
    """The index of all sources of an export, with their `source`."""
    paths = sorted((folder / "index").iterdir())
    return pl.concat(pl.read_parquet(path).with_columns(source=pl.lit(path.stem)) for path in paths)
