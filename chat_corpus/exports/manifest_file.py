"""Encode and decode manifest.json, with the digest of its content."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from chat_corpus.errors import UsageError
from chat_corpus.exports.manifest import MANIFEST_VERSION, ExportSummary
from chat_corpus.messages import message


def check_name(folder: Path) -> None:
    """Raise UsageError if the path of a folder is not UTF-8, because Polars cannot open Parquet files there."""
    try:
        str(folder).encode()
    except UnicodeEncodeError as error:
        fault = message("{folder}: not a name in UTF-8; use a different folder", folder=folder)
        raise UsageError(fault) from error


def encode(summary: ExportSummary) -> bytes:
    """Return the bytes of manifest.json: indented JSON, with the SHA-256 of its content.

    If the result of `decode` is encoded again, the bytes are the same, unless the file was edited.
    """
    digest = hashlib.sha256(_encode(msgspec.structs.replace(summary, sha256=""))).hexdigest()
    return _encode(msgspec.structs.replace(summary, sha256=digest))


def _encode(summary: ExportSummary) -> bytes:
    return msgspec.json.format(msgspec.json.encode(summary, order="deterministic"), indent=1) + b"\n"


def decode(data: bytes) -> ExportSummary:
    """Return the summary in the bytes of manifest.json.

    Raises ValueError, which names the place, if the bytes are not JSON of this schema and version.
    """
    try:
        summary = msgspec.json.decode(data, type=ExportSummary)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(message("not a manifest of an export: {error}", error=str(error))) from error
    if summary.version != MANIFEST_VERSION:
        raise ValueError(
            message(
                "version {version} found, {expected} expected: use the version of chat-corpus that wrote it",
                version=summary.version, expected=MANIFEST_VERSION,
            )
        )  # fmt: skip
    return summary
