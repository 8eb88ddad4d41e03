"""TRL: the folder as the card loads it, a step of SFTTrainer and of DPOTrainer; labels are the completion."""

from __future__ import annotations

import tempfile
from functools import partial
from typing import Any

from tests.consumers.scripts import common


def main() -> None:
    export = common.begin()
    from datasets import load_dataset
    from transformers import LlamaConfig, LlamaForCausalLM
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    common.quiet()
    tokenizer = common.tokenizer()

    def folder(split: str, source: str | None) -> tuple[int, str]:
        rows = load_dataset(str(export.folder), *([source] if source else []), split=split)
        found = [[(one["role"], one["content"]) for one in row["messages"]] for row in rows]
        return len(rows), common.difference(found, export.messages(split, source))

    def model() -> Any:
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

    def arguments(kind: Any) -> Any:
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

    def step(rows: Any, *, completion_only: bool) -> tuple[int, str]:
        trainer = SFTTrainer(model=model(), args=arguments(SFTConfig), train_dataset=rows, processing_class=tokenizer)
        trainer.train()
        fault = _wrong_labels(trainer, rows, tokenizer) if completion_only else ""
        return len(trainer.train_dataset), fault

    def prefer(rows: Any) -> tuple[int, str]:
        trainer = DPOTrainer(
            model=model(), ref_model=model(), args=arguments(DPOConfig), train_dataset=rows, processing_class=tokenizer
        )
        trainer.train()
        return len(trainer.train_dataset), ""

    def answers(row: dict[str, Any]) -> dict[str, Any]:
        return {"prompt": row["messages"][:-1], "completion": row["messages"][-1:]}

    def as_the_card_says() -> tuple[int, str]:
        data = load_dataset(str(export.folder), split="train")
        return step(data.map(answers, remove_columns=["messages", "source", "id"]), completion_only=True)

    for split in export.splits():
        common.attempt(f"load_dataset(DIR) {split}", len(export.messages(split)), partial(folder, split, None))
    for source in export.sources():
        for split in export.splits(source):
            expected = len(export.messages(split, source))
            common.attempt(f"load_dataset(DIR, {source}) {split}", expected, partial(folder, split, source))
    common.attempt("SFTTrainer, the card's lines", len(export.messages("train")), as_the_card_says)
    for format_ in ("messages", "prompt-completion"):
        for path, file in export.files(format_):
            if file["split"] == "train":
                rows = load_dataset("json", data_files=path, split="train")
                only = format_ == "prompt-completion"
                what = f"SFTTrainer, {file['path']}"
                common.attempt(what, file["rows"], partial(step, rows, completion_only=only))
    for path, file in export.files("preference"):
        rows = load_dataset("json", data_files=path, split="train")
        common.attempt(f"DPOTrainer, {file['path']}", file["rows"], partial(prefer, rows))


def _wrong_labels(trainer: Any, rows: Any, tokenizer: Any) -> str:
    """The first row whose labels are not its completion, or nothing."""
    for number, (made, row) in enumerate(zip(trainer.train_dataset, rows, strict=True)):
        batch = trainer.data_collator([made])
        labels = [label for label in batch["labels"][0].tolist() if label != -100]
        text, expected = tokenizer.decode(labels), row["completion"][-1]["content"]
        if text.removesuffix("\n").removesuffix("<|im_end|>") != expected:
            return f"row {number}: labels are {text!r}, not {expected!r}"
    return ""


if __name__ == "__main__":
    main()
