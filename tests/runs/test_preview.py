"""Preview, run and trace agree on every turn and row, and preview writes nothing."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from chat_corpus.lineage import open_run
from chat_corpus.lineage.trace import explain
from tests.conftest import SAMPLES
from tests.helpers import invoke, put

_PIECES = ("好", "在吗", "嗯", "■", "……", "=。=", "hello", "QQ：123456789", "打13812345678", "看 www.example.org/a",
           "我爱你我爱你我爱你我爱你", "你好", "你好！", "<b></b>", "\ufffd", "微信：zfy_daqian",
           "做代理吗", "代理人", "好的 thank you")  # fmt: skip


def corpus(seed: int) -> dict[str, str]:
    """Dialogues of random turns as a subtitle file, and pairs of PTT."""
    draw = random.Random(seed)

    def turn() -> str:
        return "".join(draw.choice(_PIECES) for _ in range(draw.choice((1, 1, 1, 2))))

    dialogues = "".join("E\n" + "".join(f"M {turn()}\n" for _ in range(draw.choice((1, 2, 3, 5)))) for _ in range(60))
    pairs = "".join(f"{turn()}\t{draw.choice((turn(), '沒有資料'))}\n" for _ in range(60))
    return {"lost.conv": dialogues, "Gossiping-QA-Dataset.txt": pairs}


def options(seed: int, folder: Path) -> dict[str, Any]:
    """Random settings of all filters."""
    draw = random.Random(seed)
    choices: dict[str, tuple[Any, ...]] = {
        "max_damaged": (0.0, 0.25, 1.0), "min_chars": (1, 2), "max_chars": (0, 12), "min_han": (0.0, 0.5),
        "no_marks": (False, True), "no_symbols": (False, True), "max_repetition": (1.0, 0.5), "min_turns": (1, 2),
        "max_turns": (0, 4), "min_query_chars": (1, 2), "max_answer_chars": (0, 8), "echo": ("keep", "exact", "loose"),
        **dict.fromkeys(("url", "phone", "qq", "wechat"), ("keep", "mask", "drop")),
    }  # fmt: skip
    lists = put(folder, {"deny.txt": "代理\nre:h.l+o\n", "allow.txt": "代理人\n"})
    names = {"deny": [str(lists / "deny.txt")], "allow": [str(lists / "allow.txt")]} if draw.random() < 0.7 else {}
    return {**{name: draw.choice(values) for name, values in choices.items()}, **names}


def passes(seed: int) -> dict[str, Any]:
    """Random settings of the passes over all pairs; they are off for the first seed."""
    draw = random.Random(seed)
    choices: dict[str, tuple[Any, ...]] = {
        "exact": ("never", "always"), "ignoring": ("nothing", "punctuation"), "dialogues": (False, True),
        "near": (0.0, 0.8), "answers_per_query": (0, 2), "queries_per_answer": (0, 3),
    }  # fmt: skip
    dedup = {name: draw.choice(values) if seed else values[0] for name, values in choices.items()}
    return {"dedup": dedup, "relatedness": {"drop_lowest": 0.1 if seed % 3 == 1 else 0}}


@pytest.mark.parametrize(
    "seed", [pytest.param(0), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 12))]
)
def test_preview_run_and_trace_agree(seed: int, tmp_path: Path) -> None:
    raw, out = put(tmp_path / "raw", corpus(seed)), tmp_path / "out"
    config = tmp_path / "c.yaml"
    config.write_text(json.dumps({"filters": options(seed, tmp_path), **passes(seed)}), "utf-8")
    flags = ("--raw", raw, "--config", config, "-q")
    before = sorted(tmp_path.rglob("*"))
    shown = invoke("preview", *flags, "--out", out, "--json", "--examples", "1000")
    assert (shown.exit_code, sorted(tmp_path.rglob("*"))) == (0, before), "it writes nothing"
    preview = json.loads(shown.stdout)
    assert invoke("run", *flags, "--out", out).exit_code == 0
    report = json.loads((out / "report.json").read_text("utf-8"))["sources"]
    for source, whole in preview["sources"].items():
        counts = report[source]
        filters = [(entry, entry["sources"][source]) for entry in preview["filters"] if source in entry["sources"]]
        assert whole["turns"] - whole["removed_turns"] == counts["turns"]["kept"]
        assert whole["rows"] - whole["removed_rows"] == counts["pairs"]["written"]
        for kind, key in (("turns", "turns"), ("rows", "pairs")):
            given = Counter[str]()
            for entry, figures in filters:
                given[entry["reason"]] += figures[f"given_{kind}"]
            rejected = Counter(counts[key]["rejected"]) + Counter(
                duplicate=counts["pairs"]["duplicates"] * (key == "pairs")
            )
            assert +given == rejected - _at_reading(counts, key, whole), source
        _check_traces(out, source, preview)


def _at_reading(counts: dict[str, Any], key: str, whole: dict[str, Any]) -> Counter[str]:
    """What reading rejected, which no filter can: the invented corpus has only empty turns of that kind."""
    turns, pairs = counts["turns"], counts["pairs"]
    lost = turns["read"] - whole["turns"] if key == "turns" else pairs["possible"] - whole["rows"]
    return Counter({"empty": lost})


def _check_traces(out: Path, source: str, preview: dict[str, Any]) -> None:
    """Each example of a preview is rejected by that filter or an earlier one, and `explain` names the first."""
    run = open_run.load(out, source)
    flagged: dict[tuple[str, int, str], list[str]] = {}
    for entry in preview["filters"]:
        for example in entry["examples"]:
            if example["source"] == source and entry["scope"] in ("turn", "dialogue"):
                flagged.setdefault((example["file"], example["record"], example["text"]), []).append(entry["name"])
    records = {(span.file, record) for item in run.entries for span in item.pieces
               for record in range(span.first, span.first + span.records)}  # fmt: skip
    for file, record in sorted(records):
        for outcome in explain(run, file, record).turns:
            turn = outcome.said
            names = flagged.get((file, record, turn.text or ""), [])
            if turn.filter_name is not None:
                assert turn.filter_name == names[0], (file, record, names)
            elif turn.read:
                assert not names, (file, record, names)
            for pair in outcome.pairs:
                assert (pair.row is None) == (pair.reason is not None)


def _corpus(tmp_path: Path) -> Path:
    lines = "".join(f"第{n}个问题吗\t{'■' if n < 3 else f'第{n}个回答'}\n" for n in range(10))
    return put(tmp_path / "raw", {"tieba.dialogues": lines})


def test_the_share_of_one_source_decides_over_the_exit_code(tmp_path: Path) -> None:
    raw, config = _corpus(tmp_path), put(tmp_path, {"c.yaml": "filters: {no_marks: true}\n"}) / "c.yaml"
    flags = ("preview", "--raw", raw, "--config", config, "-q")
    assert [invoke(*flags, "--fail-over", share).exit_code for share in (0.29, 0.3, 1)] == [4, 0, 0]
    assert invoke(*flags).exit_code == 0
    assert invoke("preview", "--raw", raw, "-q", "--all", "--fail-over", 0.01).exit_code == 0, "no filter is on"


def test_figures_overlaps_examples_and_the_guard_are_shown(tmp_path: Path) -> None:
    raw = _corpus(tmp_path)
    config = put(tmp_path, {"c.yaml": "filters: {no_marks: true, min_answer_chars: 2}\n"}) / "c.yaml"
    report = json.loads(invoke("preview", "--raw", raw, "--config", config, "-q", "--json").stdout)
    marks, short = (
        next(entry for entry in report["filters"] if entry["name"] == name) for name in ("no_marks", "min_answer_chars")
    )
    assert (marks["turns"], marks["rows"], marks["alone_rows"], marks["share"]) == (3, 3, 0, 0.3)
    assert (marks["overlaps"], short["overlaps"]) == ({"min_answer_chars": 3}, {"no_marks": 3})
    assert (marks["given_rows"], short["given_rows"]) == (3, 0), "the turn comes before the pair"
    assert marks["over_guard"] == ["tieba"]
    example = marks["examples"][0]
    assert (example["text"], example["file"], example["message"]) == ("■", "tieba.dialogues", "one mark alone")
    text = invoke("preview", "--raw", raw, "--config", config, "-q").stdout
    assert "More than 10.0% of a source (--guard):\n  no_marks: tieba 30.0%" in text
    assert "min_answer_chars and no_marks: 3 rows" in text


def test_examples_are_drawn_by_the_seed_and_cannot_steer_a_terminal(tmp_path: Path) -> None:
    lines = "".join(f"问{n}\t■\x1b[31m{n}\n" for n in range(30))
    raw = put(tmp_path / "raw", {"tieba.dialogues": lines})
    config = put(tmp_path, {"c.yaml": "filters: {max_answer_chars: 1}\ntext: {invisible: false}\n"}) / "c.yaml"
    flags = ("preview", "--raw", raw, "--config", config, "-q")
    first, again, other = (invoke(*flags, "--seed", seed).stdout for seed in (1, 1, 2))
    assert first == again != other
    assert "\x1b" not in first
    assert "\\x1b[31m" in first


@pytest.mark.slow
def test_bytes_of_a_preview_do_not_depend_on_shards(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", corpus(3))
    texts = []
    for size in (300, 6_000_000):
        config = tmp_path / f"{size}.yaml"
        config.write_text(f"shard_bytes: {size}\n")
        texts.append(invoke("preview", "--raw", raw, "--all", "--config", config, "-q", "--workers", 1).stdout)
    assert texts[0] == texts[1] != ""


def test_a_source_that_cannot_be_read_fails_the_preview(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"stc_weibo_train_post": "早 上 好\n吃 了 吗\n", "stc_weibo_train_response": "早\n"})
    done = invoke("preview", "--raw", raw, "-q")
    assert done.exit_code == 3
    assert "error: " in done.stderr


def test_a_source_without_rows_is_counted_by_its_turns(tmp_path: Path) -> None:
    config = put(tmp_path, {"c.yaml": "filters: {min_turns: 2}\n"}) / "c.yaml"
    done = invoke("preview", "--raw", SAMPLES, "-s", "sms", "--config", config, "-q")
    assert "31 turns without filters, in no row; filters that are on would remove 31 (100.0%)" in done.stdout


def test_a_pass_over_all_pairs_is_shown_with_its_examples(tmp_path: Path) -> None:
    raw = put(tmp_path / "raw", {"tieba.dialogues": "在吗\t在\n" * 3 + "你好\t好\n"})
    config = put(tmp_path, {"c.yaml": "dedup: {exact: always}\n"}) / "c.yaml"
    report = json.loads(invoke("preview", "--raw", raw, "--config", config, "-q", "--json").stdout)
    entry = report["filters"][-1]
    assert (entry["name"], entry["value"], entry["rows"], entry["given_rows"]) == ("dedup.exact", "always", 2, 2)
    assert report["total"]["removed_rows"] == 2
    assert {(one["record"], one["before"], one["text"]) for one in entry["examples"]} == {
        (2, "在吗", "在"),
        (3, "在吗", "在"),
    }
    assert entry["examples"][0]["message"] == "the same pair is at tieba.dialogues:1"
