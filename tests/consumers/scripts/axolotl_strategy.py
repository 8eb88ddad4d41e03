"""axolotl: `type: chat_template` on each row; all answers are trained on, and nothing else."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from tests.consumers.scripts import common


def main() -> None:
    export = common.begin()
    from axolotl.prompt_strategies.chat_template import ChatTemplatePrompter, ChatTemplateStrategy
    from datasets import load_dataset

    common.quiet()
    tokenizer = common.tokenizer()

    def strategy(**options: Any) -> Any:
        prompter = ChatTemplatePrompter(tokenizer, chat_template=tokenizer.chat_template, **options)
        return ChatTemplateStrategy(
            prompter,
            tokenizer=tokenizer,
            train_on_inputs=False,
            sequence_len=1 << 16,
            roles_to_train=["assistant"],
            train_on_eos="turn",  # as its configuration has it by default
        )

    def rows_kept(rows: list[dict[str, Any]], made: Any, expected: list[common.Messages]) -> tuple[int, str]:
        kept, fault = 0, ""
        for number, (row, messages) in enumerate(zip(rows, expected, strict=True)):
            tokens = made._tokenize_single_prompt(row)
            trained = tokenizer.decode([label for label in tokens["labels"] if label != -100])
            answers = "".join(content + "<|im_end|>" for role, content in messages if role == "assistant")
            kept += bool(trained)
            if trained.replace("\n", "") != answers.replace("\n", "") and not fault:
                fault = f"row {number}: trained on {trained!r}, not {answers!r}"
        return kept, fault

    mapped = {"field_messages": "conversations", "message_property_mappings": {"role": "from", "content": "value"}}
    for split in export.splits():
        expected = export.messages(split)
        rows = list(load_dataset(str(export.folder), split=split))
        common.attempt(f"DIR {split}", len(expected), partial(rows_kept, rows, strategy(), expected))
    for format_, options in (("messages", {}), ("sharegpt", mapped)):
        for path, file in export.files(format_):
            with Path(path).open(encoding="utf-8", newline="\n") as stream:
                rows = [json.loads(line) for line in stream]
            expected = export.messages(file["split"], file["source"])
            common.attempt(file["path"], file["rows"], partial(rows_kept, rows, strategy(**options), expected))


if __name__ == "__main__":
    main()
