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


class _Accounts(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished part tells of itself: its accounts, and the CRC-32 of each of its files by the file's ending."""

    counts: Counts
    crc32: dict[str, int]


class _Reject(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a part's rejects, as far as it says what the record was."""

    file: str
    record: int
    raw: str | None


@dataclass(frozen=True, kw_only=True)
class Part:
    """The files of one shard's results; `counts_file`, written last, says that all are there."""

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
    def turns(self) -> Path:
        """The shard's rows of the dialogue store, where one is to be written."""
        return self.folder / f"{self.stem}.turns.arrow"

    @property
    def sample(self) -> Path:
        """A sample of the shard's conversions, where one was asked for."""
        return self.folder / f"{self.stem}.sample.arrow"

    @property
    def counts_file(self) -> Path:
        """The shard's accounts."""
        return self.folder / f"{self.stem}.json"

    def counts(self) -> Counts | None:
        """The accounts of a finished part all of whose files are as they were written; None for any other."""
        try:
            told = self._read()
            whole = all(crc32_of(self.folder / f"{self.stem}{ending}") == crc for ending, crc in told.crc32.items())
        except (OSError, ValueError):
            return None
        return told.counts if whole else None

    def leave(self, contents: Mapping[Path, bytes], counts: Counts) -> None:
        """Write the files of the part, and last that it is finished, with its accounts and their CRC-32.

        Raises OSError.
        """
        for path, data in contents.items():
            write_atomic(path, partial(write_blocks, data=data), sync=False)
        crcs = {path.name.removeprefix(self.stem): zlib.crc32(data) for path, data in contents.items()}
        told = sealed.seal(encode(_Accounts(counts=counts, crc32=crcs)), self._as)
        write_atomic(self.counts_file, lambda path: path.write_bytes(told), sync=False)

    def accounts(self) -> tuple[Counts, int, int]:
        """The accounts of a finished part, and the CRC-32 of its pairs and of its rejects, which may be damaged.

        Raises OSError, and ValueError where the accounts are.
        """
        told = self._read()
        return told.counts, told.crc32[".tsv"], told.crc32[".jsonl"]

    def crc_of(self, path: Path) -> int:
        """The CRC-32 that a file of the finished part was written with.

        Raises OSError, and ValueError where the counts file is damaged or knows no such file.
        """
        crc = self._read().crc32.get(path.name.removeprefix(self.stem))
        if crc is None:
            raise ValueError(f"{path.name}: not a file of this part")
        return crc

    def raw_of(self, file: str, record: int) -> str:
        """The text of a rejected record of a raw file, as its reject shows it; empty where none does.

        So it is too where the rejects were damaged, of which nobody hears here: they cannot be joined then either.
        """
        try:
            with self.rejects.open("rb") as stream:
                told = (msgspec.json.decode(line, type=_Reject) for line in stream)
                return next((one.raw for one in told if (one.file, one.record) == (file, record) and one.raw), "")
        except (OSError, ValueError):
            return ""

    def _read(self) -> _Accounts:
        return decode(sealed.unseal(self.counts_file.read_bytes(), self._as), _Accounts)

    @property
    def _as(self) -> str:
        """What the accounts are sealed as: those of another part, under the name of this one, are not its own."""
        return f"{self.folder.name}/{self.stem}"


def crc32_of(path: Path) -> int:
    """The CRC-32 of a file. Raises OSError."""
    crc = 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            crc = zlib.crc32(block, crc)
    return crc
