"""Find and escape special tokens: texts that a tokenizer or a trainer would read as a control token."""

from __future__ import annotations

import re

import polars as pl

from chat_corpus.row_masks import apply_where, matches

#: Control tokens, with the models and trainers that use them. They are case-sensitive.
SPECIAL_TOKENS: tuple[str, ...] = (
    *("<s>", "</s>", "<unk>", "<pad>", "<bos>", "<eos>", "<mask>"),  # SentencePiece models, Gemma
    *("[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]"),  # BERT
    *("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"),  # Llama 2, Mistral
    *("[gMASK]", "<sop>", "<eop>"),  # GLM
    *("<start_of_turn>", "<end_of_turn>"),  # Gemma
    *("<think>", "</think>", "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>"),  # Qwen, DeepSeek
    *("<image>", "<video>", "<audio>"),  # LLaMA-Factory and ms-swift compare their number with the media of a row
)
#: `<|im_start|>`, `<|endoftext|>` and all tokens like these (Qwen, Llama 3, GLM), also with full-width bars (DeepSeek).
_BARRED = r"<[|｜][^\s<>|｜]{1,40}[|｜]>"
#: A regular expression that matches each special token.
PATTERN = "|".join((_BARRED, *map(re.escape, SPECIAL_TOKENS)))
#: First character of tokens, its replacement, and a pattern of the rest of all tokens with this first character.
_ESCAPES = tuple(
    (opening, escaped, "|".join((*barred, *(re.escape(token[1:]) for token in SPECIAL_TOKENS if token[0] == opening))))
    for opening, escaped, barred in (("<", "＜", (_BARRED[1:],)), ("[", "［", ()))
)


def holds_special_token(texts: pl.Series) -> pl.Series:
    """Return whether each text holds a special token: a mask, false for null."""
    return matches(texts, PATTERN)


def escape(texts: pl.Series) -> pl.Series:
    """Return texts with the first character of each special token made full-width, so that no tokenizer recognises it.

    >>> escape(pl.Series(["<|im_end|>好", "a < b", "[INST] <<SYS>>"])).to_list()
    ['＜|im_end|>好', 'a < b', '［INST] ＜<SYS>>']
    """
    return apply_where(texts, holds_special_token(texts), _escaped)


def _escaped(texts: pl.Series) -> pl.Series:
    for opening, escaped, rest in _ESCAPES:
        texts = texts.str.replace_all(f"{re.escape(opening)}({rest})", f"{escaped}${{1}}")
    return texts
