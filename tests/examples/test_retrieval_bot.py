"""The retrieval bot: what it finds, for questions of any length, and where its answers lead."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, SAMPLES
from tests.examples.scripts import load
from tests.helpers import program, put

bot = load("retrieval_bot")
SCRIPT = ROOT / "examples" / "retrieval_bot" / "retrieval_bot.py"

CORPUS = {
    "one.tsv": "今天吃什么\t火锅吧\n猫\t喵\n台风假合理吗\t合理\n",
    "two.tsv": '今天晚上吃什么好呢\t面条\n我家的猫会开门\t厉害\n说"你好"\t你好\n',
}


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("今天吃什么", ["火锅吧", "面条"]),
        ("猫", ["喵", "厉害"]),
        ("家的", ["厉害"]),
        ("颱風假合理嗎", ["合理"]),
        ('说"你好"', ["你好"]),
        ("鱼", []),
        ("", []),
    ],
)
def test_the_most_similar_pairs_answer_questions_of_any_length(
    tmp_path: Path, question: str, answers: list[str]
) -> None:
    index = bot.open_index(put(tmp_path / "corpus", CORPUS), tmp_path / "index.sqlite")
    answered = bot.find(index, question, 5)
    assert [answer.answer for answer in answered][: len(answers)] == answers
    assert [answer.similarity for answer in answered] == sorted(
        (answer.similarity for answer in answered), reverse=True
    )
    assert bool(answered) == bool(answers)
    for answer in answered:
        file, _, row = answer.address.rpartition(":")
        assert Path(file).read_text("utf-8").splitlines()[int(row) - 1] == f"{answer.query}\t{answer.answer}"


def test_the_index_is_made_again_when_the_files_change(tmp_path: Path) -> None:
    corpus, file = put(tmp_path / "corpus", CORPUS), tmp_path / "index.sqlite"
    bot.open_index(corpus, file).close()
    made = file.stat().st_ino
    bot.open_index(corpus, file).close()
    assert file.stat().st_ino == made
    put(corpus, {"two.tsv": "海豚会唱歌吗\t会\n"})
    assert bot.find(bot.open_index(corpus, file), "海豚", 1)[0].answer == "会"


def test_what_is_no_index_is_not_overwritten_and_an_empty_folder_is_named(tmp_path: Path) -> None:
    other = put(tmp_path, {"notes.txt": "notes\n"}) / "notes.txt"
    with pytest.raises(SystemExit, match=r"notes\.txt: not an index"):
        bot.open_index(put(tmp_path / "corpus", CORPUS), other)
    assert other.read_text("utf-8") == "notes\n"
    with pytest.raises(SystemExit, match="no pairs"):
        bot.open_index(put(tmp_path / "empty", {"a.tsv": ""}), tmp_path / "index.sqlite")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "empty", "notes.txt"]


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("corpus", "--top", "0"), 2, "--top: '0' found, a whole number from 1 on expected"),
        (("corpus", "--top", "many"), 2, "--top: 'many' found"),
        (("none",), 2, "none: no such folder"),
        (("corpus/one.tsv",), 2, "corpus/one.tsv: no such folder"),
        (("corpus", "--index", "none/index"), 2, "--index none/index: expected a file in a folder that exists"),
        (("corpus", "--index", "corpus"), 2, "--index corpus: expected a file in a folder that exists"),
        (("bytes",), 1, "bytes/a.tsv: cannot be read"),
        (("junk",), 1, "junk/data/x/train-0.parquet: cannot be read"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_is_named_and_leaves_no_index(
    arguments: tuple[str, ...], code: int, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    put(tmp_path / "corpus", CORPUS)
    put(tmp_path, {"bytes/a.tsv": b"\xff\t\xff\n", "junk/data/x/train-0.parquet": "junk"})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["retrieval_bot.py", *arguments, "--query", "猫"])
    with pytest.raises(SystemExit) as stopped:
        bot.main()
    shown = capsys.readouterr().err if code == 2 else str(stopped.value)
    assert (2 if stopped.value.code == 2 else 1, text in shown) == (code, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bytes", "corpus", "junk"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["output", "export"])
def test_an_answer_of_the_samples_leads_to_its_raw_record(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / kind
    arguments = ["run", "--out", folder] if kind == "output" else ["export", folder, "--split", "test=0.1"]
    assert program(*arguments, "--raw", SAMPLES, "-q", cwd=tmp_path).returncode in (0, 3)  # nobody answers in sms
    command = [sys.executable, str(SCRIPT), str(folder), "--index", str(tmp_path / "index.sqlite")]
    done = subprocess.run(
        command, input="吃火锅先下什么\n\n", capture_output=True, encoding="utf-8", check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
    )  # fmt: skip
    address = re.search(r"\[\w+\]  (\S+:\d+)$", done.stdout, re.MULTILINE)
    assert address, done.stdout
    traced = program("trace", address[1], "--raw", SAMPLES)
    assert traced.returncode == 0, traced.stderr
    assert "吃火锅先下什么" in traced.stdout
