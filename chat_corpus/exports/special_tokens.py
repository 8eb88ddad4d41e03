"""Texts that a tokenizer or a trainer takes for a control token: which turns hold one, and how to escape it."""

from __future__ import annotations

import re

import polars as pl

from chat_corpus.row_masks import apply_where, matches

#: Control tokens by the models and trainers that give them a meaning; letter case counts.
SPECIAL_TOKENS: tuple[str, ...] = (
    *("<s>", "</s>", "<unk>", "<pad>", "<bos>", "<eos>", "<mask>"),  # SentencePiece models, Gemma
    *("[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]"),  # BERT
    *("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"),  # Llama 2, Mistral
    *("[gMASK]", "<sop>", "<eop>"),  # GLM
    *("<start_of_turn>", "<end_of_turn>"),  # Gemma
    *("<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"),  # Qwen, DeepSeek
    *("<image>", "<video>", "<audio>"),  # LLaMA-Factory and ms-swift count them against the media of a row
)
#: `<|im_start|>`, `<|endoftext|>` and all of that form (Qwen, Llama 3, GLM), also with DeepSeek's full-width bars.
_BARRED = r"<[|｜][^\s<>|｜]{1,40}[|｜]>"
#: A regular expression that matches each special token.
PATTERN = "|".join((_BARRED, *map(re.escape, SPECIAL_TOKENS)))
#: What a token begins with, what is written instead, and the rest of the tokens that begin so.
_ESCAPES = tuple(
    (opening, escaped, "|".join((*barred, *(re.escape(token[1:]) for token in SPECIAL_TOKENS if token[0] == opening))))
    for opening, escaped, barred in (("<", "＜", (_BARRED[1:],)), ("[", "［", ()))
)


def holds_special_token(texts: pl.Series) -> pl.Series:
    """Whether each text holds a special token: a mask, false for null."""
    return matches(texts, PATTERN)


def escape(texts: pl.Series) -> pl.Series:
    """Write the first character of each special token full-width, so that no tokenizer takes it for one.

    >>> escape(pl.Series(["<|im_end|>好", "a < b", "[INST] <<SYS>>"])).to_list()
    ['＜|im_end|>好', 'a < b', '［INST] ＜<SYS>>']
    """
    return apply_where(texts, holds_special_token(texts), _escaped)


def _escaped(texts: pl.Series) -> pl.Series:
    for opening, escaped, rest in _ESCAPES:
        texts = texts.str.replace_all(f"{re.escape(opening)}({rest})", f"{escaped}${{1}}")
    return texts
