"""The settings of an export."""

from __future__ import annotations

from typing import Literal

from chat_corpus.exports.dialogues import DialogueOptions
from chat_corpus.exports.mix_options import MixOptions
from chat_corpus.exports.records import FORMATS
from chat_corpus.exports.splits import SplitOptions
from chat_corpus.messages import joined, message


class ExportOptions(DialogueOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How records are exported."""

    #: Formats besides hf (Parquet), which every export has: messages, sharegpt, alpaca, prompt-completion,
    #: query-response, tsv, csv, firefly, lccc, cdial-gpt, gpt2-chitchat, parlai, preference.
    formats: tuple[str, ...] = ()
    #: Records that are equal but for case, punctuation and blanks, in all sources together: drop all but the first, or
    #: keep them.
    duplicates: Literal["drop", "keep"] = "drop"
    #: Phone, QQ, WeChat and identity numbers and e-mail addresses: mask them, as <PHONE>, or keep them.
    personal: Literal["mask", "keep"] = "mask"
    #: Write the column `relatedness` to Parquet files: how well the answers of a record fit their queries, on average.
    relatedness: bool = False
    #: Which share of the dialogues is in test and in validation.
    split: SplitOptions = SplitOptions()
    #: How sources are mixed in train, and its subsets.
    mix: MixOptions = MixOptions()
    #: Files of pairs that train must not resemble, besides validation and test: benchmarks, earlier test splits.
    decontaminate: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.formats:
            if name not in FORMATS:
                fault = message(
                    "formats: no format '{name}'; the formats are {formats}, and hf, which is always written",
                    name=name,
                    formats=joined(", ", FORMATS),
                )
                raise ValueError(fault)
        for name in self.formats:
            if self.formats.count(name) > 1:
                raise ValueError(message("formats: {name} is there more than once; name each format once", name=name))
