"""Fine-tuning on an export: a tiny model is trained, quantized, and answers; configs of trainers name the export."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT, SAMPLES
from tests.examples.scripts import load
from tests.helpers import program, put

FOLDER = ROOT / "examples" / "finetune"
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}


def _script(*arguments: object, folder: Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(FOLDER / "finetune.py"), *map(str, arguments)],
        check=False, capture_output=True, encoding="utf-8", cwd=cwd,
        env={**os.environ, **OFFLINE, "HF_HOME": str(folder / "hub"), "PYTHONUTF8": "1"},
    )  # fmt: skip


@pytest.mark.slow
def test_a_tiny_model_is_trained_quantized_and_answers(tmp_path: Path) -> None:
    for package in ("torch", "trl", "torchao"):
        pytest.importorskip(package)
    export, out = tmp_path / "export", tmp_path / "tiny"
    done = program("export", export, "--raw", SAMPLES, "--split", "validation=0.1", "-q", cwd=tmp_path)
    assert done.returncode in (0, 3), done.stderr  # nobody answers in sms
    done_training = _script("train", export, "--out", out, "--steps", 20, "--batch", 8, folder=tmp_path)
    assert done_training.returncode == 0, done_training.stderr
    before, full, eight, four = json.loads((out / "quantization.json").read_text("utf-8"))
    assert full["loss"] < before["loss"] - 0.3
    assert full["megabytes"] == before["megabytes"]
    assert four["megabytes"] < eight["megabytes"] < 0.5 * full["megabytes"]
    assert 0 < abs(eight["loss"] - full["loss"]) < 0.02
    assert 0 < abs(four["loss"] - full["loss"]) < 0.2
    for bits in (16, 4):
        chat = _script("chat", out, "--bits", bits, "--prompt", "你好", folder=tmp_path)
        assert chat.returncode == 0, chat.stderr


def test_without_the_packages_the_command_that_installs_them_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SystemExit, match=r'python -m pip install -e "\.\[train\]"'):
        load("finetune")


@pytest.mark.slow
def test_an_export_without_validation_is_named(tmp_path: Path) -> None:
    for package in ("torch", "trl", "torchao"):
        pytest.importorskip(package)
    done = _script("train", tmp_path, "--out", tmp_path / "out", folder=tmp_path)
    assert done.returncode == 1
    assert "no split train" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("train", "export", "--out", "new", "--batch", "0"), 2, "--batch: '0' found, a number above 0 expected"),
        (("train", "export", "--out", "new", "--rate", "nan"), 2, "--rate: 'nan' found"),
        (("train", "export", "--out", "export"), 1, "--out export: not a folder for a model"),
        (("train", "junk", "--out", "new"), 1, "junk: cannot be read as an export"),
        (("chat", "none"), 1, "none: holds no model"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_is_named(arguments: tuple[str, ...], code: int, text: str, tmp_path: Path) -> None:
    for package in ("torch", "trl", "torchao"):
        pytest.importorskip(package)
    junk = {f"junk/data/x/{split}-0.parquet": "junk" for split in ("train", "validation")}
    put(tmp_path, {"export/manifest.json": "{}", **junk})
    done = _script(*arguments, folder=tmp_path, cwd=tmp_path)
    assert (done.returncode, text in done.stderr) == (code, True), done.stderr


def test_the_configs_of_trainers_name_the_export_and_the_loss_of_the_last_answer() -> None:
    factory = yaml.safe_load((FOLDER / "llamafactory.yaml").read_text("utf-8"))
    swift = yaml.safe_load((FOLDER / "ms_swift.yaml").read_text("utf-8"))
    assert (factory["dataset_dir"], factory["dataset"], factory["eval_dataset"]) == (
        "my_export", "chat", "chat_validation",
    )  # fmt: skip
    assert swift["dataset"] == ["my_export"]
    assert factory["mask_history"] is True
    assert swift["loss_scale"] == "last_round"
    same = ("learning_rate", "num_train_epochs", "per_device_train_batch_size", "lora_rank", "warmup_steps", "seed")
    assert {name: factory[name] for name in same} == {name: swift[name] for name in same}
