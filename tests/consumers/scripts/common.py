"""What the scripts share: the rows that an export should give, warnings, and one line of JSON for each trial."""

from __future__ import annotations

import atexit
import json
import logging
import os
import random
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

Messages = list[tuple[str, str]]


def begin(*expected_warnings: str) -> Export:
    """The export that the command line names. Nothing is fetched from now on, and caches are temporary.

    `expected_warnings` are the beginnings of warnings that a trainer gives of itself, whatever the data.
    """
    os.environ |= dict.fromkeys(("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"), "1")
    scratch = tempfile.mkdtemp(prefix="chat-corpus-consumer-")
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    os.environ |= dict.fromkeys(("HF_HOME", "MODELSCOPE_CACHE", "TMPDIR"), scratch)
    tempfile.tempdir = scratch
    _Collected.expected = expected_warnings
    return Export(Path(sys.argv[1]))


class Export:
    """An export on disk, by its manifest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
        self.messages = cache(self._messages)

    def files(self, format_: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The files of a format: path and entry of the manifest."""
        for file in self.manifest["files"]:
            if file["format"] == format_:
                yield str(self.folder / file["path"]), file

    def splits(self, source: str | None = None) -> list[str]:
        """The splits that a source has rows in, or any source."""
        sources = (None, "mixed") if source in self._subsets() else (None, source)
        return sorted({file["split"] for _, file in self.files("hf") if source is None or file["source"] in sources})

    def sources(self) -> list[str]:
        """The configs besides `default`: sources, or subsets of a mix."""
        if subsets := self._subsets():
            return list(subsets)
        return sorted({file["source"] for _, file in self.files("hf")} - {"mixed"})

    def _messages(self, split: str, source: str | None = None) -> list[Messages]:
        """All dialogues of a split, in order of the files, as (role, content); of a source, or of a subset."""
        import pyarrow.parquet as pq

        found: list[Messages] = []
        subset = self._subsets().get(source or "")
        for path, file in sorted(self.files("hf")):
            chosen = source in (None, file["source"]) if subset is None else file["path"] in subset or split != "train"
            if file["split"] == split and chosen:
                rows = pq.read_table(path).to_pylist()
                found += [[(one["role"], one["content"]) for one in row["messages"]] for row in rows]
        return found

    def _subsets(self) -> dict[str, list[str]]:
        """The files of train of each subset."""
        mix = self.manifest.get("mix") or {"subsets": []}
        return {one["name"]: one["files"] for one in mix["subsets"]}


def sample(rows: int) -> list[int]:
    """Numbers of the rows that a step takes which is too slow for all rows: a fixed choice, in order; argument 2 has
    the most that it takes, or 0 for all."""
    most = int(sys.argv[2])
    return list(range(rows)) if not most or rows <= most else sorted(random.Random(1).sample(range(rows), most))


class _Collected(logging.Handler):
    """Log records of warnings and worse."""

    expected: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.getMessage().startswith(self.expected):
            self.messages.append(f"{record.name}: {record.getMessage()}")


@contextmanager
def warned() -> Iterator[list[str]]:
    """A list of all warnings and logged warnings of the block."""
    collected = _Collected()
    loggers = [logging.getLogger(), *(logging.getLogger(name) for name in list(logging.root.manager.loggerDict))]
    deaf = [one for one in loggers if one is loggers[0] or not one.propagate]
    for one in deaf:
        one.addHandler(collected)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield collected.messages
    for one in deaf:
        one.removeHandler(collected)
    collected.messages += [f"{one.category.__name__}: {one.message}" for one in caught if not _is_internal(one)]


def _is_internal(one: warnings.WarningMessage) -> bool:
    """What packages say of each other's interfaces is not about the data."""
    return issubclass(one.category, (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ResourceWarning))


def attempt(what: str, expected: int, load: Callable[[], tuple[int, str]]) -> None:
    """Try one thing: print what it is, rows in, rows kept, warnings, and what failed. `load` gives rows and a fault."""
    entry: dict[str, Any] = {"what": what, "rows_in": expected, "rows_kept": None, "warnings": [], "fault": ""}
    try:
        with warned() as messages:
            entry["rows_kept"], entry["fault"] = load()
        entry["warnings"] = messages
    except BaseException as error:  # noqa: BLE001 whatever a trainer raises is the result
        entry["fault"] = f"{type(error).__name__}: {error}"[:500]
    sys.__stdout__.write(f"TRIAL {json.dumps(entry)}\n") if sys.__stdout__ else None


def difference(found: Iterable[Messages], expected: Sequence[Messages]) -> str:
    """The first difference, or nothing."""
    rows = list(found)
    if len(rows) != len(expected):
        return f"{len(rows)} rows, not {len(expected)}"
    wrong = [number for number, (mine, theirs) in enumerate(zip(rows, expected, strict=True)) if mine != theirs]
    return f"row {wrong[0]}: {rows[wrong[0]]!r} is not {expected[wrong[0]]!r}" if wrong else ""


def tokenizer() -> Any:
    """A tokenizer of bytes with a ChatML template, made here."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    names = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "<|im_end|>", "pad_token": "<pad>"}
    made = Tokenizer(models.BPE(unk_token=names["unk_token"]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=[*names.values(), "</s>", "<|im_start|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    made.train_from_iterator(["你好在吗"], trainer)
    wrapped: Any = PreTrainedTokenizerFast(tokenizer_object=made, **names)
    wrapped.chat_template = (
        "{% for m in messages %}<|im_start|>{{m['role']}}\n{{m['content']}}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    return wrapped


def quiet() -> None:
    """No progress bars; what packages print goes to stderr."""
    import datasets

    datasets.disable_progress_bars()
    sys.stdout = sys.stderr
