"""TRL: each file as `datasets` loads it, a step of SFTTrainer and of DPOTrainer; labels are the completion."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any

from tests.consumers.scripts import common


def main() -> None:
    export = common.begin()
    import trl  # noqa: F401 its warnings at import are not about the data

    common.quiet()
    tokenizer = common.tokenizer()
    _folder(export, tokenizer)
    for format_, step in (("messages", _step), ("prompt-completion", partial(_step, completion_only=True))):
        for path, file in export.files(format_):
            expected = export.messages(file["split"], file["source"])
            load = partial(_loaded, path, expected)
            _attempt(file["path"], expected, load, partial(step, tokenizer) if file["split"] == "train" else None)
    for path, file in export.files("preference"):
        from datasets import load_dataset

        rows = load_dataset("json", data_files=path, split="train")
        rows = rows.select(common.sample(len(rows)))
        common.attempt(f"DPOTrainer, {file['path']}", len(rows), partial(_prefer, tokenizer, rows))


def _folder(export: common.Export, tokenizer: Any) -> None:
    """The export as one data set, each of its configs, and the lines of its card."""
    from datasets import load_dataset

    def load(split: str, source: str | None) -> tuple[Any, str]:
        rows = load_dataset(str(export.folder), *([source] if source else []), split=split)
        return rows, common.difference(map(_pairs, rows["messages"]), export.messages(split, source))

    def as_the_card_says(rows: Any) -> tuple[int, str]:
        rows = rows.map(_last_answer, remove_columns=["messages", "source", "id"])
        return _step(tokenizer, rows, completion_only=True)

    for source in (None, *export.sources()):
        for split in export.splits(source):
            step = as_the_card_says if (source, split) == (None, "train") else None
            what = f"load_dataset(DIR{f', {source}' if source else ''}) {split}"
            _attempt(what, export.messages(split, source), partial(load, split, source), step)


def _attempt(
    what: str,
    expected: list[common.Messages],
    load: Callable[[], tuple[Any, str]],
    step: Callable[[Any], tuple[int, str]] | None,
) -> None:
    """Load all rows and compare them; then a step on a sample of them."""
    loaded: list[Any] = []

    def compared() -> tuple[int, str]:
        rows, fault = load()
        loaded.append(rows)
        return len(rows), fault

    common.attempt(what, len(expected), compared)
    if step and loaded:
        rows = loaded[0].select(common.sample(len(loaded[0])))
        common.attempt(f"SFTTrainer, {what}", len(rows), partial(step, rows))


def _loaded(path: str, expected: list[common.Messages]) -> tuple[Any, str]:
    """The rows of a file of JSON Lines, and the first one that is not as expected."""
    from datasets import load_dataset

    rows = load_dataset("json", data_files=path, split="train")
    columns = ("messages",) if "messages" in rows.column_names else ("prompt", "completion")
    parts = zip(*(rows[name] for name in columns), strict=True)
    return rows, common.difference((_pairs([*chain.from_iterable(part)]) for part in parts), expected)


def _pairs(messages: list[dict[str, str]]) -> common.Messages:
    return [(one["role"], one["content"]) for one in messages]


def _last_answer(row: dict[str, Any]) -> dict[str, Any]:
    return {"prompt": row["messages"][:-1], "completion": row["messages"][-1:]}


def _model(tokenizer: Any) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)


def _arguments(kind: Any) -> Any:
    return kind(
        output_dir=tempfile.mkdtemp(),
        report_to=[],
        use_cpu=True,
        bf16=False,
        max_steps=1,
        per_device_train_batch_size=2,
        max_length=None,
        disable_tqdm=True,
        save_strategy="no",
    )


def _step(tokenizer: Any, rows: Any, *, completion_only: bool = False) -> tuple[int, str]:
    from trl import SFTConfig, SFTTrainer

    arguments = _arguments(SFTConfig)
    trainer = SFTTrainer(model=_model(tokenizer), args=arguments, train_dataset=rows, processing_class=tokenizer)
    trainer.train()
    fault = _wrong_labels(trainer, rows, tokenizer) if completion_only else ""
    return len(trainer.train_dataset), fault


def _prefer(tokenizer: Any, rows: Any) -> tuple[int, str]:
    from trl import DPOConfig, DPOTrainer

    models = {"model": _model(tokenizer), "ref_model": _model(tokenizer)}
    trainer = DPOTrainer(**models, args=_arguments(DPOConfig), train_dataset=rows, processing_class=tokenizer)
    trainer.train()
    return len(trainer.train_dataset), ""


def _wrong_labels(trainer: Any, rows: Any, tokenizer: Any) -> str:
    """The first row with other labels than its completion, or nothing."""
    for number, (made, row) in enumerate(zip(trainer.train_dataset, rows, strict=True)):
        batch = trainer.data_collator([made])
        labels = [label for label in batch["labels"][0].tolist() if label != -100]
        text, expected = tokenizer.decode(labels), row["completion"][-1]["content"]
        if text.removesuffix("\n").removesuffix("<|im_end|>") != expected:
            return f"row {number}: labels are {text!r}, not {expected!r}"
    return ""


if __name__ == "__main__":
    main()
