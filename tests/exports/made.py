"""Exports of invented dialogues, written with the functions that `export` uses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

import polars as pl

from chat_corpus.exports import splits, splitting
from chat_corpus.exports.check_texts import IDS
from chat_corpus.exports.dialogues import DIALOGUES, Assembly, DialogueOptions, assemble
from chat_corpus.exports.documents import documents
from chat_corpus.exports.manifest import (
    ExportFile,
    ExportFingerprint,
    ExportSource,
    ExportSummary,
    RawFile,
    SourceLedger,
)
from chat_corpus.exports.records import FORMATS, encode_ids, encode_parquet
from chat_corpus.schema import Pairing

#: Columns of a frame of turns, as `assemble` takes it.
TURNS = pl.Schema(
    {
        "file": pl.String(),
        "record": pl.UInt32(),
        "dialogue_id": pl.UInt32(),
        "turn_index": pl.UInt32(),
        "speaker": pl.String(),
        "text": pl.String(),
        "reason": pl.String(),
    }
)
#: Characters that break careless readers: line separators, quotes, tabs, backslashes, emoji, rare Han.
AWKWARD = (
    ('他说"不行"', "那\t算了\\n"),
    ("清汤的\u2028好不好", "好\u0085的\x0b吧\r\n行"),
    ("😀𠮷野家", "好吃,真的"),
    ("2008-08-08", "NA"),
    ("null", "<b>好</b>"),
)

_HAN = [chr(code) for code in range(0x4E00, 0x5E00)]


def turns(dialogues: Sequence[Sequence[str]]) -> pl.DataFrame:
    """Dialogues of texts as a frame of turns, with a record for each turn."""
    rows, record = [], 0
    for number, dialogue in enumerate(dialogues):
        for position, text in enumerate(dialogue):
            record += 1
            rows.append(("invented.txt", record, number, position, None, text, None))
    return pl.DataFrame(rows, schema=TURNS, orient="row")


def invented(source: str, count: int) -> list[list[str]]:
    """So many dialogues of 2, 4 or 6 turns, the awkward ones among them, of which none resembles another."""

    def text(number: int, turn: int) -> str:
        words = "".join(Random(f"{source} {number} {turn}").choices(_HAN, k=12))
        return f"{words}，第{number}次问的第{turn}句？"

    plain = [[text(number, turn) for turn in range(2 + 2 * (number % 3))] for number in range(count)]
    awkward = [list(pair) for pair in AWKWARD]
    return [*plain[: max(count - len(awkward), 0)], *awkward][:count]


def write_export(
    folder: Path,
    sources: Mapping[str, Sequence[Sequence[str]]],
    *,
    formats: Sequence[str] = (),
    options: DialogueOptions | None = None,
    split: str = "test=0.1,validation=0.1",
    shard_rows: int = 1000,
) -> ExportSummary:
    """An export of these dialogues by source; shards hold at most so many rows."""
    options = options or DialogueOptions()
    files: list[ExportFile] = []
    entries = []
    for name, dialogues in sources.items():
        assembly = assemble(turns(dialogues), Pairing.ADJACENT, options)
        parts = _split(name, assembly, splits.parse_split(split) if split else splits.SplitOptions())
        for part, frame in parts.items():
            files += _write(folder, name, part, frame, formats, shard_rows)
        entries.append(_source(name, assembly, {part: len(frame) for part, frame in parts.items()}))
    is_whole = options.turns == "dialogue" and not options.max_turns and not options.max_chars
    summary = ExportSummary(
        sources=tuple(entries),
        files=tuple(files),
        formats=tuple(formats),
        turns=options.turns,
        group_of="record" if is_whole else "dialogue",
        order="shuffled",
        has_system=bool(options.system),
        made_from="raw",
        settings={"export": {"turns": options.turns}},
        chat_corpus="0",
        packages={},
    )
    for path, content in documents(summary).items():
        (folder / path).write_bytes(content)
    return summary


def _split(source: str, assembly: Assembly, options: splits.SplitOptions) -> dict[str, pl.DataFrame]:
    made = assembly.dialogues
    keys = splitting.content_keys(made["messages"])
    ids = splitting.record_ids(source, keys, splitting.occurrences(keys))
    hashes = splitting.group_hashes(made["opener"], made["reply"])
    limits = splits.split_limits(options, hashes)
    frame = made.select(id=ids, source=pl.lit(source), messages="messages").with_columns(
        split=splits.assign_split(hashes, limits), order=splitting.order_keys(ids)
    )
    ordered = frame.sort("order", "id")
    parts = {name: ordered.filter(pl.col("split") == name).select(DIALOGUES.names()) for name in splitting.SPLITS}
    return {name: part for name, part in parts.items() if len(part)}


def _write(
    folder: Path, source: str, split: str, frame: pl.DataFrame, formats: Sequence[str], shard_rows: int
) -> list[ExportFile]:
    files = []

    def put(path: str, content: bytes, format_: str, rows: int) -> None:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        files.append(
            ExportFile(
                path=path, format=format_, bytes=len(content), sha256=digest, source=source, split=split, rows=rows
            )
        )

    for number, start in enumerate(range(0, len(frame), shard_rows)):
        part = frame.slice(start, shard_rows)
        put(f"data/{source}/{split}-{number:05d}.parquet", encode_parquet(part), "hf", len(part))
    for name in formats:
        format_ = FORMATS[name]
        if not format_.rows(frame):
            continue
        path = f"{name}/{source}/{split}.{format_.suffix}"
        put(path, format_.header + format_.encode(frame), name, format_.rows(frame))
        if not format_.carries_id:
            put(f"{path}.ids.jsonl", encode_ids(frame, format_), IDS, format_.rows(frame))
    return files


def _source(name: str, assembly: Assembly, written: dict[str, int]) -> ExportSource:
    balance = assembly.balance
    ledger = SourceLedger(
        turns=balance.read,
        turns_exported=balance.exported,
        turns_dropped=dict(sorted(balance.dropped.items())),
        dialogues=assembly.dialogues["dialogue_id"].n_unique(),
        records=balance.records,
        records_dropped={"held": balance.records - sum(written.values())},
        written=written,
        masked={},
        special_tokens=balance.special_tokens,
    )
    return ExportSource(
        name=name,
        title="虚构的语料",
        licence="CC0-1.0",
        url="https://example.org/corpus",
        ledger=ledger,
        raw=(RawFile(file="invented.txt", bytes=1, sha256="0" * 64, records=assembly.balance.read),),
        raw_folder="raw",
        fingerprint=ExportFingerprint(
            code="0",
            source="0",
            settings="0",
            unequal_lengths="error",
            plugins=(),
            settings_of_source={"read": {}},
            plugin_files=(),
        ),
    )
