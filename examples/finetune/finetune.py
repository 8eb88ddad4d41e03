"""From an export to a chat model: train, quantize to 8 and 4 bits, compare, chat.

    python finetune.py train my_export --out tiny                               a tiny model, from scratch, on any CPU
    python finetune.py train my_export --out qwen --model Qwen/Qwen3-0.6B       a model of the hub, on a GPU
    python finetune.py chat tiny --bits 8

The loss is on the last answer of each record (prompt and completion). Needs the extra `train`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

INSTALL = 'install what this script needs: python -m pip install -e ".[train]"'
try:
    import torch
    from datasets import Dataset, load_dataset
    from datasets.exceptions import DatasetsError
    from torch import nn
    from torchao.quantization import Int4WeightOnlyConfig, Int8WeightOnlyConfig, IntxWeightOnlyConfig, quantize_
    from torchao.quantization.granularity import PerGroup
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        LlamaConfig,
        LlamaForCausalLM,
        PreTrainedTokenizerFast,
        set_seed,
    )
    from trl import SFTConfig, SFTTrainer
except ImportError as error:
    sys.exit(f"{error}; {INSTALL}")

#: The model that is made here: 1.1 million parameters, with a vocabulary from the export itself.
TINY = "tiny"
VOCABULARY, WIDTH, LAYERS, HEADS, CONTEXT = 2_000, 128, 4, 4, 512
#: Weights that share a scale at 4 bits.
GROUP = 32
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def read_split(export: Path, split: str) -> Dataset:
    """A split of an export as prompts and completions: the completion is the last answer of a record."""
    if not export.is_dir():
        sys.exit(f"{export}: no such folder; make it with chat-corpus export {export} --split validation=0.02")
    if not any(export.glob(f"data/*/{split}-*.parquet")):
        sys.exit(f"{export}: no split {split}; export with --split validation=0.02")
    try:
        return load_dataset(str(export), split=split).map(
            lambda row: {"prompt": row["messages"][:-1], "completion": row["messages"][-1:]},
            remove_columns=["messages", "source", "id"],
        )
    except (DatasetsError, KeyError, ValueError) as error:
        sys.exit(f"{export}: cannot be read as an export: {first_line(error)}; try chat-corpus check-export {export}")


def first_line(error: Exception) -> str:
    """The first line of the text of an exception."""
    return str(error).partition("\n")[0]


def make_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer of the texts, with a chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<pad>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<|im_end|>")
    fast.chat_template = TEMPLATE
    return fast


def load_model(name: str, train: Dataset) -> tuple[Any, Any]:
    """A model and its tokenizer: `tiny` is made here, other names are of the hub or folders."""
    if name != TINY:
        try:
            return AutoModelForCausalLM.from_pretrained(name, dtype="auto"), AutoTokenizer.from_pretrained(name)
        except (OSError, ValueError) as error:
            sys.exit(f"--model {name}: cannot be loaded: {first_line(error)}")
    messages = (message["content"] for row in train for message in (*row["prompt"], *row["completion"]))
    tokenizer = make_tokenizer(list(messages))
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=3 * WIDTH, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, max_position_embeddings=CONTEXT, tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id, bos_token_id=None, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    return LlamaForCausalLM(config), tokenizer


def train(options: argparse.Namespace) -> None:
    """Train, save the model, and show size and loss at full precision, 8 bits and 4 bits."""
    if options.lora and importlib.util.find_spec("peft") is None:
        sys.exit(f"--lora: No module named 'peft'; {INSTALL}")
    if options.out.is_file() or (options.out / "manifest.json").exists():
        sys.exit(f"--out {options.out}: not a folder for a model; name a new folder")
    set_seed(options.seed)
    training, validation = (read_split(options.export, split) for split in ("train", "validation"))
    model, tokenizer = load_model(options.model, training)
    is_tiny = options.model == TINY
    has_gpu = torch.cuda.is_available()
    settings = SFTConfig(
        str(options.out), max_steps=options.steps, num_train_epochs=options.epochs, seed=options.seed,
        per_device_train_batch_size=options.batch, learning_rate=options.rate or (2e-3 if is_tiny else 2e-5),
        lr_scheduler_type="cosine", warmup_steps=10, max_length=CONTEXT, completion_only_loss=True,
        use_cpu=not has_gpu, bf16=has_gpu and torch.cuda.is_bf16_supported(), gradient_checkpointing=not is_tiny,
        save_strategy="no", logging_steps=50, report_to="none", disable_tqdm=True,
    )  # fmt: skip
    trainer = SFTTrainer(
        model=model, args=settings, train_dataset=training, eval_dataset=validation, processing_class=tokenizer,
        peft_config=_lora() if options.lora else None,
    )  # fmt: skip
    before = mean_loss(trainer.model, trainer)
    trainer.train()
    model = trainer.model.merge_and_unload() if options.lora else trainer.model
    model.save_pretrained(options.out)
    tokenizer.save_pretrained(options.out)
    rows = [{"weights": "full precision, before training", "megabytes": megabytes(model), "loss": before}]
    for bits in (16, 8, 4):
        quantized = load_trained(options.out, bits)
        title = "full precision" if bits == 16 else f"{bits} bits"
        rows.append({"weights": title, "megabytes": megabytes(quantized), "loss": mean_loss(quantized, trainer)})
    (options.out / "quantization.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(f"{'weights':<32}{'MB':>8}{'loss':>9}   (validation, nats a token)")
    for row in rows:
        print(f"{row['weights']:<32}{row['megabytes']:>8.2f}{row['loss']:>9.4f}")


def _lora() -> Any:
    from peft import LoraConfig

    return LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")


@torch.no_grad()
def mean_loss(model: Any, trainer: SFTTrainer) -> float:
    """The mean loss of the tokens of the validation answers, in nats."""
    model.eval()
    total, tokens = 0.0, 0
    for batch in trainer.get_eval_dataloader():
        inputs = {name: batch[name].to(model.device) for name in ("input_ids", "attention_mask", "labels")}
        count = int((inputs["labels"][:, 1:] != -100).sum())
        total += float(model(**inputs).loss) * count
        tokens += count
    return total / max(tokens, 1)


def load_trained(folder: Path, bits: int) -> Any:
    """A trained model with weights of 16 (full precision), 8 or 4 bits."""
    # Read from disk: a copy of a model that TRL has trained computes with the weights of the original.
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto").to(device)
    return quantize(model, bits).eval()


def quantize(model: Any, bits: int) -> Any:
    """Quantize the weights of the linear layers, the output layer excepted, in place; 16 changes nothing."""
    if bits == 16:
        return model
    if bits == 8:
        config = Int8WeightOnlyConfig()
    elif torch.cuda.is_available():
        model.to(torch.bfloat16)
        config = Int4WeightOnlyConfig(group_size=GROUP, int4_packing_format="tile_packed_to_4d")
    else:  # torchao has no packed 4-bit weights for CPUs; these have the same values, a byte each
        config = IntxWeightOnlyConfig(weight_dtype=torch.int4, granularity=PerGroup(GROUP))
    quantize_(model, config, filter_fn=lambda layer, name: isinstance(layer, nn.Linear) and "lm_head" not in name)
    return model


def megabytes(model: Any) -> float:
    """Megabytes of the weights, each stored once. Weights of 4 bits in a byte each count as half a byte."""
    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    in_bytes = sum(
        weight.numel()
        for weight in model.parameters()
        if getattr(weight, "target_dtype", None) == torch.int4  # of IntxWeightOnlyConfig
    )
    return (buffer.tell() - in_bytes / 2) / 1e6


def chat(options: argparse.Namespace) -> None:
    """Answer one prompt, or those that are typed, with a model that `train` saved."""
    if not (options.out / "config.json").is_file():
        sys.exit(f"{options.out}: holds no model; make one with finetune.py train EXPORT --out {options.out}")
    tokenizer = AutoTokenizer.from_pretrained(options.out)
    model = load_trained(options.out, options.bits)
    set_seed(options.seed)
    if options.prompt is not None:
        print(answer(model, tokenizer, [{"role": "user", "content": options.prompt}]))
        return
    print("Type a message; an empty line ends.")
    messages: list[dict[str, str]] = []
    while prompt := input("> ").strip():
        messages.append({"role": "user", "content": prompt})
        messages.append({"role": "assistant", "content": answer(model, tokenizer, messages)})
        print(messages[-1]["content"])


def answer(model: Any, tokenizer: Any, messages: list[dict[str, str]]) -> str:
    """What the model answers to the last message."""
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    ids = prompt["input_ids"][:, -CONTEXT // 2 :].to(model.device)
    made = model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=CONTEXT // 4, do_sample=True, temperature=0.7,
        top_p=0.9, pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    text: str = tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True)
    return text.strip()


def positive(kind: Callable[[str], float]) -> Callable[[str], float]:
    """A type of arguments: numbers above 0."""

    def convert(text: str) -> float:
        with contextlib.suppress(ValueError):
            if 0 < (number := kind(text)) < float("inf"):
                return number
        raise argparse.ArgumentTypeError(f"'{text}' found, a number above 0 expected")

    return convert


def main() -> None:
    """Run `train` or `chat`."""
    parser = argparse.ArgumentParser(description="Train a chat model on an export, quantize it, and chat.")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("train", help="train on an export and compare 16, 8 and 4 bits")
    command.add_argument("export", type=Path, help="folder of `chat-corpus export`, with a validation split")
    command.add_argument("--out", type=Path, required=True, help="folder of the trained model")
    command.add_argument("--model", default=TINY, help="tiny (default), a model of the hub, or a folder")
    command.add_argument("--steps", type=positive(int), default=-1, help="stop after so many steps")
    command.add_argument("--epochs", type=positive(float), default=1, help="passes over the data (default: 1)")
    command.add_argument("--batch", type=positive(int), default=16, help="records of a step (default: 16)")
    command.add_argument("--rate", type=positive(float), help="learning rate (default: 2e-3 for tiny, else 2e-5)")
    command.add_argument("--lora", action="store_true", help="train LoRA adapters and merge them; needs peft")
    command.set_defaults(run=train)
    command = commands.add_parser("chat", help="chat with a trained model")
    command.add_argument("out", type=Path, help="folder of the trained model")
    command.add_argument("--bits", type=int, choices=(16, 8, 4), default=16, help="precision of the weights")
    command.add_argument("--prompt", help="answer this and stop; without it, type messages")
    command.set_defaults(run=chat)
    for command in commands.choices.values():
        command.add_argument("--seed", type=int, default=0, help="seed of all random numbers (default: 0)")
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        main()
    except (EOFError, KeyboardInterrupt):
        print()
