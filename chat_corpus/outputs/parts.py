"""The results of one shard on disk, until a run joins them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from chat_corpus.files.atomic import BLOCK, write_atomic, write_blocks
from chat_corpus.outputs import sealed
from chat_corpus.pipeline.counts import Counts, decode, encode


class _Contents(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of a finished part, and the CRC-32 of each of its files by the file's suffix."""

    counts: Counts
    crc32: dict[str, int]


class _Reject(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a line of rejects that `Part.raw_of` reads."""

    file: str
    record: int
    raw: str | None


@dataclass(frozen=True, kw_only=True)
class Part:
    """The files of one shard's results. `counts_file` is written last: if it exists, all files do."""

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
        """The keys of the shard's pairs, if the source has passes over all pairs."""
        return self.fact("keys")

    def fact(self, name: str) -> Path:
        """Return the path of facts about the shard's pairs.

        `name` is one of `pair_passes.facts.FACTS`, for a file that exists if a pass needs it, or `scored`.
        """
        return self.folder / f"{self.stem}.{name}.arrow"

    @property
    def turns(self) -> Path:
        """The shard's rows of the dialogue store, if one is to be written."""
        return self.folder / f"{self.stem}.turns.arrow"

    @property
    def tally(self) -> Path:
        """The shard's counters of the statistics, in Arrow's streaming format."""
        return self.folder / f"{self.stem}.tally.arrows"

    @property
    def sample(self) -> Path:
        """A sample of the shard's conversions, if the run collects one."""
        return self.folder / f"{self.stem}.sample.arrow"

    @property
    def counts_file(self) -> Path:
        """The shard's counts."""
        return self.folder / f"{self.stem}.json"

    def counts(self) -> Counts | None:
        """Return the counts of the part if it is finished and its files are unchanged, else None."""
        try:
            contents = self._read()
            files = {self.folder / f"{self.stem}{suffix}": crc for suffix, crc in contents.crc32.items()}
            unchanged = all(crc32_of(file) == crc for file, crc in files.items())
        except (OSError, ValueError):
            return None
        return contents.counts if unchanged else None

    def leave(self, contents: Mapping[Path, bytes], counts: Counts) -> None:
        """Write the files of the part, and then its counts with the CRC-32 of each file. Raises OSError."""
        for path, data in contents.items():
            write_atomic(path, partial(write_blocks, data=data), sync=False)
        crcs = {path.name.removeprefix(self.stem): zlib.crc32(data) for path, data in contents.items()}
        data = sealed.seal(encode(_Contents(counts=counts, crc32=crcs)), self._seal_name)
        write_atomic(self.counts_file, lambda path: path.write_bytes(data), sync=False)

    def counts_and_crcs(self) -> tuple[Counts, int, int, int]:
        """Return the counts of a finished part, and the recorded CRC-32 of its pairs, rejects and counters.

        Raises OSError, and ValueError if the counts file is damaged.
        """
        contents = self._read()
        return contents.counts, contents.crc32[".tsv"], contents.crc32[".jsonl"], contents.crc32[".tally.arrows"]

    def crc_of(self, path: Path) -> int:
        """Return the recorded CRC-32 of a file of a finished part.

        Raises OSError, and ValueError if the counts file is damaged or does not list the file.
        """
        crc = self._read().crc32.get(path.name.removeprefix(self.stem))
        if crc is None:
            raise ValueError(f"{path.name}: not a file of this part")
        return crc

    def raw_of(self, file: str, record: int) -> str:
        """Return the raw text of a rejected record of a raw file; empty if no reject has it.

        It is also empty if the rejects are damaged: joining the parts then raises the error.
        """
        try:
            with self.rejects.open("rb") as stream:
                rejects = (msgspec.json.decode(line, type=_Reject) for line in stream)
                raws = (reject.raw for reject in rejects if (reject.file, reject.record) == (file, record))
                return next((raw for raw in raws if raw), "")
        except (OSError, ValueError):
            return ""

    def _read(self) -> _Contents:
        return decode(sealed.unseal(self.counts_file.read_bytes(), self._seal_name), _Contents)

    @property
    def _seal_name(self) -> str:
        """The name in the seal of the counts file, so that the counts file of a different part is refused."""
        return f"{self.folder.name}/{self.stem}"


def crc32_of(path: Path) -> int:
    """Return the CRC-32 of a file. Raises OSError."""
    crc = 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            crc = zlib.crc32(block, crc)
    return crc
