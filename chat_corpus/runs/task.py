"""The unit of work as a process does it: one shard through the pipeline, its results in files beside each other.

A part lies in a folder of its source, under the number of its shard and a key of all that it depends on; whoever finds
it finished need not do it again.
"""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path

import msgspec
import polars as pl

from chat_corpus import kept, sealed, sources, versions
from chat_corpus.errors import ChatCorpusError, attributed
from chat_corpus.exports import tsv
from chat_corpus.files.atomic import BLOCK, whole, write_blocks
from chat_corpus.pipeline import ledger, process, reading
from chat_corpus.pipeline.counts import Counts, decode, encode
from chat_corpus.pipeline.dedup import exact as dedup
from chat_corpus.pipeline.settings import SourceSettings
from chat_corpus.pipeline.shard import Shard
from chat_corpus.settings import Settings
from chat_corpus.sources import plugin_digest
from chat_corpus.sources.base import Source


class _Accounts(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished part tells of itself: its accounts, and the CRC-32 of each of its files by the file's ending."""

    counts: Counts
    crc32: dict[str, int]


class _Reject(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a part's rejects, as far as it says what the record was."""

    file: str
    line: int
    raw: str | None


@dataclass(frozen=True, kw_only=True)
class Part:
    """The files of one shard's results; `told`, written last, says that all are there."""

    folder: Path
    stem: str

    @property
    def pairs(self) -> Path:
        """The shard's pairs as TSV."""
        return self.folder / f"{self.stem}.tsv"

    @property
    def rejects(self) -> Path:
        """The shard's rejects as JSON Lines."""
        return self.folder / f"{self.stem}.jsonl"

    @property
    def keys(self) -> Path:
        """The keys of the shard's pairs, where they are to be told apart later."""
        return self.folder / f"{self.stem}.keys.arrow"

    @property
    def sample(self) -> Path:
        """A sample of the shard's conversions, where one was asked for."""
        return self.folder / f"{self.stem}.sample.arrow"

    @property
    def told(self) -> Path:
        """The shard's accounts."""
        return self.folder / f"{self.stem}.json"

    def counts(self) -> Counts | None:
        """The accounts of a finished part all of whose files are as they were written; None for any other."""
        try:
            told = self._read()
            whole = all(_crc32(self.folder / f"{self.stem}{ending}") == crc for ending, crc in told.crc32.items())
        except (OSError, ValueError):
            return None
        return told.counts if whole else None

    def leave(self, contents: Mapping[Path, bytes], counts: Counts) -> None:
        """Write the files of the part, and last that it is finished, with its accounts and their CRC-32.

        Raises OSError.
        """
        for path, data in contents.items():
            whole(path, partial(write_blocks, data=data), sync=False)
        crcs = {path.name.removeprefix(self.stem): zlib.crc32(data) for path, data in contents.items()}
        told = sealed.seal(encode(_Accounts(counts=counts, crc32=crcs)), self._as)
        whole(self.told, lambda path: path.write_bytes(told), sync=False)

    def accounts(self) -> tuple[Counts, int, int]:
        """The accounts of a finished part, and the CRC-32 of its pairs and of its rejects, which may be damaged.

        Raises OSError, and ValueError where the accounts are.
        """
        told = self._read()
        return told.counts, told.crc32[".tsv"], told.crc32[".jsonl"]

    def raw_of(self, file: str, record: int) -> str:
        """The text of a rejected record of a raw file, as its reject shows it; empty where none does.

        So it is too where the rejects were damaged, of which nobody hears here: they cannot be joined then either.
        """
        try:
            with self.rejects.open("rb") as stream:
                told = (msgspec.json.decode(line, type=_Reject) for line in stream)
                return next((one.raw for one in told if (one.file, one.line) == (file, record) and one.raw), "")
        except (OSError, ValueError):
            return ""

    def _read(self) -> _Accounts:
        return decode(sealed.unseal(self.told.read_bytes(), self._as), _Accounts)

    @property
    def _as(self) -> str:
        """What the accounts are sealed as: those of another part, under the name of this one, are not its own."""
        return f"{self.folder.name}/{self.stem}"


@dataclass(frozen=True, kw_only=True)
class Task:
    """One shard to do, and what to leave in `folder`: keys, and a sample of so many `conversions`.

    With a folder `kept`, its clean turns are kept there, and taken from there if they are the same. `code` is the
    digest of a third party's code that the source is made of, `plugins` are those of the files named for sources.
    """

    shard: Shard
    settings: Settings
    folder: Path
    with_keys: bool
    code: str = ""
    plugins: tuple[str, ...] = ()
    conversions: int = 0
    kept: Path | None = None

    @property
    def source(self) -> tuple[Source, SourceSettings]:
        """The shard's source and its settings; a source's functions are found again wherever the task arrives."""
        name = self.shard.source
        return sources.declaring(name, self.settings.plugins)[name][0], self.settings.of(name)

    @cached_property
    def part(self) -> Part:
        """Where the results of this task lie; another input, setting or version has another place."""
        settings = self.settings.of(self.shard.source)
        return Part(folder=self.folder, stem=self._stem(settings, keys=self.with_keys, conversions=self.conversions))

    @cached_property
    def turns(self) -> Path | None:
        """Where the clean turns of this task are kept, if they are to be."""
        settings = self.settings.of(self.shard.source).cleaning
        return None if self.kept is None else self.kept / f"{self._stem(settings)}.arrow"

    def _stem(self, settings: SourceSettings, **wanted: object) -> str:
        """The number of the shard, and a key of all that its results depend on.

        Files are known by name, size and time, not by where their folder is mounted.
        """
        shard = asdict(self.shard)
        for piece in shard["pieces"]:
            del piece["file"]["path"]
        told = {
            "shard": shard,
            "settings": settings.digest(),
            "plugins": self.plugins,
            "code": versions.code(),
            "source": self.code,
            **wanted,
        }
        key = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
        return f"{self.shard.number:06d}-{key}"


def work(task: Task) -> Counts:
    """Process a shard, leave its part, and return its accounts.

    Raises ChatCorpusError, whatever goes wrong.
    """
    shard, part = task.shard, task.part
    with attributed(shard.extent):
        _check_code(task)
        outcome = process.process(shard, *task.source) if task.turns is None else _judged(task, task.turns)
        columns = tsv.columns(outcome.pairs)
        encoded, rejects = tsv.joined(columns), outcome.rejects.write_ndjson().encode()
        ledger.check_written(outcome.counts.pairs.written, columns, encoded, shard.place)
        ledger.check_rejected(outcome.counts.turns.rejected.total(), rejects, shard.place)
        contents = {part.pairs: encoded, part.rejects: rejects}
        if task.with_keys:
            names = [piece.file.name for piece in shard.pieces]
            contents[part.keys] = _arrow(dedup.keys(outcome.pairs, names, tsv.begins(columns)))
        if task.conversions:
            contents[part.sample] = _arrow(_sample(outcome.turns, shard, task.conversions))
    with attributed(shard.extent, task.folder.parent):
        part.leave(contents, outcome.counts)
    return outcome.counts


def _check_code(task: Task) -> None:
    """Raise ChatCorpusError where this process holds other code of the source than the one that hands out the work.

    Workers of a cluster outlive runs, and a plugin that was edited in between is not loaded again.
    """
    if plugin_digest.code(task.shard.source, task.settings.plugins) != task.code:
        raise ChatCorpusError(
            f"{task.shard.extent}: a worker holds other code of this source than was there when the run began, as "
            "after an edit of its plugin: run again, and restart the workers of a cluster before"
        )


def _judged(task: Task, path: Path) -> process.Outcome:
    """What `pipeline.process` makes of a shard, from its clean turns if they are kept at `path`, where they stay."""
    shard, (source, own) = task.shard, task.source
    name = f"{shard.source}/{path.stem}"
    cleaned = kept.read(path, name)
    if cleaned is None:
        raw = reading.records(shard, source)
        cleaned = process.clean(shard, source, own, raw)
        whole(path, lambda beside: kept.write(cleaned, beside, name), sync=False)
        return process.judge(cleaned, shard, source, own, lambda: raw)
    return process.judge(cleaned, shard, source, own, lambda: reading.records(shard, source))


def raw_records(task: Task) -> pl.DataFrame:
    """The raw records of a task's shard again: `file, line, raw`."""
    frames = reading.records(task.shard, task.source[0])
    named = zip(task.shard.pieces, frames, strict=True)
    return pl.concat(frame.select("line", file=pl.lit(piece.file.name), raw="text") for piece, frame in named)


def _sample(turns: pl.DataFrame, shard: Shard, size: int) -> pl.DataFrame:
    """Conversions (`key, file, line, before, after`) drawn by hash, so that samples of shards make one of a source."""
    names = pl.Series("file", [piece.file.name for piece in shard.pieces])
    found = turns.filter(pl.col("text") != pl.col("unconverted"))
    return found.select(
        "line",
        key=pl.struct("part", "line", "turn", "raw").hash(seed=1),
        file=names.gather(found["part"]),
        before="unconverted",
        after="text",
    ).bottom_k(size, by="key")


def _arrow(frame: pl.DataFrame) -> bytes:
    content = io.BytesIO()
    frame.write_ipc(content, compression="uncompressed")
    return content.getvalue()


def _crc32(path: Path) -> int:
    crc = 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            crc = zlib.crc32(block, crc)
    return crc
