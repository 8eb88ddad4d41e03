"""All that decides what one source becomes."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

import msgspec
import msgspec.inspect
from msgspec.structs import replace

from chat_corpus.pipeline.dedup.options import DedupOptions
from chat_corpus.pipeline.filters.options import FilterOptions
from chat_corpus.pipeline.pair_passes.options import RelatednessOptions
from chat_corpus.pipeline.pairing import PairOptions
from chat_corpus.pipeline.script import ScriptOptions
from chat_corpus.pipeline.text.options import TextOptions

Unequal = Literal["error", "common"]
Encoding = Literal[
    "auto", "utf-8", "gb18030", "big5", "utf-16", "utf-16-le", "utf-16-be",
    "utf-8+gb18030", "gb18030+utf-8", "utf-8+big5", "big5+utf-8",
    "utf8", "gbk", "gb2312", "cp936", "cp950", "big5hkscs", "big5-hkscs",
]  # fmt: skip
SegmentationChoice = Literal["auto", "none", "blank", "slash"]


class ReadOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How raw files are read."""

    #: Read only the first so many records of each raw file; 0 for all.
    limit: Annotated[int, msgspec.Meta(ge=0)] = 0
    #: The encoding of the files. auto: each file's own is found out. gbk, gb2312 and cp936 mean gb18030, cp950 and
    #: big5hkscs mean big5; utf-8+gb18030 is a file that mixes the two line by line, more of the first.
    encoding: Encoding = "auto"
    #: Parallel files of unequal length: error stops the source, common keeps the part that both have.
    unequal_lengths: Unequal = "error"
    #: What separates the words of the text. auto: what the source declares, where the file bears it out.
    segmentation: SegmentationChoice = "auto"
    #: Repost chains of microblogs: turn is one turn, of which `text: {reposts: …}` says what stays; dialogue makes each
    #: comment a turn, the oldest first, before the newest one.
    reposts: Literal["turn", "dialogue"] = "turn"


class SourceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that decides what one source becomes."""

    read: ReadOptions = ReadOptions()
    text: TextOptions = TextOptions()
    script: ScriptOptions = ScriptOptions()
    filters: FilterOptions = FilterOptions()
    pairs: PairOptions = PairOptions()
    dedup: DedupOptions = DedupOptions()
    relatedness: RelatednessOptions = RelatednessOptions()

    @property
    def cleaning_settings(self) -> SourceSettings:
        """These settings as far as they decide what the text of a turn is, and the others as they are by default."""
        return replace(
            self,
            filters=self.filters.masking,
            pairs=PairOptions(),
            dedup=DedupOptions(),
            relatedness=RelatednessOptions(),
        )

    @property
    def turn_settings(self) -> SourceSettings:
        """These settings as far as exports depend on them, and the others as they are by default.

        They decide what is in the turns of a dialogue store, and which turns answer which. Filters of pairs, and passes
        over all pairs, decide on rows of TSVs alone.
        """
        return replace(self, filters=self.filters.without_pairs, dedup=DedupOptions(), relatedness=RelatednessOptions())

    def digest(self) -> str:
        """A short name for these settings: the same digest, the same output of the same input.

        `unequal_lengths` is left out: it decides whether there is an output, not what it is. So are the paths of word
        lists: their content counts.
        """
        deciding = replace(self, read=replace(self.read, unequal_lengths="error"), filters=self.filters.without_paths)
        return hashlib.sha256(msgspec.json.encode(deciding, order="deterministic")).hexdigest()[:16]
