"""Formats of research projects, TSV and CSV: read as the projects, ParlAI, datasets and pandas read them.

Of projects that are no packages, the lines that read a file are repeated here: Firefly (component/dataset.py),
GPT2-chitchat (preprocess.py) and CDial-GPT (WBdistDataset).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from tests.consumers.scripts import common

#: What the plain formats write as one blank.
_BREAKS = re.compile("[\t\n\x0b\x0c\r\x85\u2028\u2029]+")
Texts = list[str]


def main() -> None:
    export = common.begin()
    common.quiet()
    for name, (read, is_plain) in _READERS.items():
        for path, file in export.files(name):
            dialogues = export.messages(file["split"], file["source"])
            expected = [[text for role, text in one if role != "system"] for one in dialogues]
            if is_plain:
                expected = [[_BREAKS.sub(" ", text).strip() for text in one] for one in expected]
            if name in ("tsv", "csv"):
                expected = [one[at : at + 2] for one in expected for at in range(0, len(one), 2)]
            common.attempt(file["path"], file["rows"], partial(_compared, read, path, expected, name))


def _compared(read: Callable[[str], Iterable[Texts]], path: str, expected: list[Texts], name: str) -> tuple[int, str]:
    rows = list(read(path))
    if name == "tsv":  # a line break is written as two characters there, and other breaks as a blank
        expected = [[_tsv(text) for text in one] for one in expected]
    if len(rows) != len(expected):
        return len(rows), f"{len(rows)} rows, not {len(expected)}"
    wrong = [number for number, (mine, theirs) in enumerate(zip(rows, expected, strict=True)) if mine != theirs]
    return len(rows), f"row {wrong[0]}: {rows[wrong[0]]!r} is not {expected[wrong[0]]!r}" if wrong else ""


def _tsv(text: str) -> str:
    for end in ("\r\n", "\r", "\n"):
        text = text.replace(end, "\\n")
    return re.sub("[\t\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]", " ", text)


def _firefly(path: str) -> Iterable[Texts]:
    for line in Path(path).read_text("utf-8").split("\n")[:-1]:
        yield [text for one in json.loads(line)["conversation"] for text in (one["human"], one["assistant"])]


def _lccc(path: str) -> Iterable[Texts]:
    from datasets import load_dataset

    rows: list[Texts] = load_dataset("json", data_files=path, split="train").data.column("dialog").to_pylist()
    return rows


def _gpt2_chitchat(path: str) -> Iterable[Texts]:
    data = Path(path).read_bytes().decode("utf-8")
    end = "\r\n" if "\r\n" in data else "\n"
    return [part.split(end) for part in data.split(end * 2)]


def _cdial_gpt(path: str) -> Iterable[Texts]:
    with Path(path).open(encoding="utf-8") as stream:
        return [line.strip().split("\t") for line in stream]


def _parlai(path: str) -> Iterable[Texts]:
    from parlai.utils.conversations import Conversations

    return [[turn.text for turn in one.turns] for one in Conversations(path)]


def _table(path: str, **options: Any) -> Iterable[Texts]:
    import pandas as pd

    frame = pd.read_csv(path, keep_default_na=False, dtype=str, **options)
    rows: list[Texts] = frame.iloc[:, :2].to_numpy().tolist()
    return rows


#: Readers by format, and whether the format puts a blank for line breaks and tabs.
_READERS: dict[str, tuple[Callable[[str], Iterable[Texts]], bool]] = {
    "firefly": (_firefly, False),
    "lccc": (_lccc, False),
    "gpt2-chitchat": (_gpt2_chitchat, True),
    "cdial-gpt": (_cdial_gpt, True),
    "parlai": (_parlai, False),
    "tsv": (partial(_table, sep="\t", header=None, quoting=3), False),
    "csv": (_table, False),
}


if __name__ == "__main__":
    main()
