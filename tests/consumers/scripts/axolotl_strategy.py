"""axolotl: its data as `datasets` loads them, and `type: chat_template`: all answers are trained on, nothing else."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.consumers.scripts import common

_ROLES = {"human": "user", "gpt": "assistant"}


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
        for number in common.sample(len(expected)):
            tokens = made._tokenize_single_prompt(rows[number])
            trained = tokenizer.decode([label for label in tokens["labels"] if label != -100])
            answers = "".join(content + "<|im_end|>" for role, content in expected[number] if role == "assistant")
            kept += bool(trained)
            if trained.replace("\n", "") != answers.replace("\n", "") and not fault:
                fault = f"row {number}: trained on {trained!r}, not {answers!r}"
        return kept, fault

    def attempt(what: str, rows: list[dict[str, Any]], expected: list[common.Messages], **options: Any) -> None:
        role, content = ("from", "value") if options else ("role", "content")
        field = options.get("field_messages", "messages")
        found = [[(_ROLES.get(one[role], one[role]), one[content]) for one in row[field]] for row in rows]
        common.attempt(what, len(expected), lambda: (len(found), common.difference(found, expected)))
        size = len(common.sample(len(expected)))
        common.attempt(f"strategy, {what}", size, partial(rows_kept, rows, strategy(**options), expected))

    mapped = {"field_messages": "conversations", "message_property_mappings": {"role": "from", "content": "value"}}
    for split in export.splits():
        attempt(f"DIR {split}", list(load_dataset(str(export.folder), split=split)), export.messages(split))
    for format_, options in (("messages", {}), ("sharegpt", mapped)):
        for path, file in export.files(format_):
            rows = list(load_dataset("json", data_files=path, split="train"))
            attempt(file["path"], rows, export.messages(file["split"], file["source"]), **options)


if __name__ == "__main__":
    main()
