"""dataset_info.json: the names under which LLaMA-Factory finds the data of an export.

LLaMA-Factory opens the file without an encoding, so that it is ASCII. As soon as one column or tag is named, all others
must be: an unnamed one counts as absent.
"""

from __future__ import annotations

import json
from typing import Any

from chat_corpus.exports.manifest import DEFAULT, ExportFile, ExportSummary

DATASET_INFO = "dataset_info.json"
_MESSAGES: dict[str, Any] = {
    "formatting": "sharegpt",
    "columns": {"messages": "messages"},
    "tags": {
        "role_tag": "role",
        "content_tag": "content",
        "user_tag": "user",
        "assistant_tag": "assistant",
        "system_tag": "system",
    },
}
_ALPACA = {"prompt": "instruction", "query": "input", "response": "output", "history": "history"}
_QUERY_RESPONSE = {"prompt": "query", "response": "response", "history": "history"}


def encode(summary: ExportSummary) -> bytes:
    """The file. Names are `chat` for all records, `chat_<source>`, and `chat_<source>_<format>` for other formats.

    Of a mix they are `chat_<subset>`, and `chat_mixed_<format>`. Splits other than train add their name:
    `chat_validation`, `chat_ptt_validation`.
    """
    entries: dict[str, Any] = {}
    for name, splits in summary.configs.items():
        for split in splits:
            subset = {} if name == DEFAULT else {"subset": name}
            entries[_name("" if name == DEFAULT else name, split)] = {**_folder(split), **subset}
    for file in summary.files:
        entry = _entry(file, has_system=summary.has_system)
        if entry is not None:
            entries[_name(f"{file.source}_{file.format}", str(file.split))] = {"file_name": file.path, **entry}
    return json.dumps(entries, ensure_ascii=True, indent=1).encode() + b"\n"


def _name(what: str, split: str) -> str:
    return "_".join(part for part in ("chat", what, "" if split == "train" else split) if part)


def _folder(split: str) -> dict[str, Any]:
    """The Hugging Face folder itself, which is the one that dataset_info.json is in."""
    return {"script_url": ".", "split": split, **_MESSAGES}


def _entry(file: ExportFile, *, has_system: bool) -> dict[str, Any] | None:
    """How to read a file, by its format; None for what LLaMA-Factory does not read as it is.

    It reads CSV, but takes texts such as NA and null for missing, and drops their rows.
    """
    system = {"system": "system"} if has_system else {}
    entries: dict[str, dict[str, Any]] = {
        "messages": _MESSAGES,
        "sharegpt": {"formatting": "sharegpt"},
        "alpaca": {"columns": {**_ALPACA, **system}},
        "query-response": {"columns": {**_QUERY_RESPONSE, **system}},
    }
    return entries.get(file.format)
