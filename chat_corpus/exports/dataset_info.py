"""dataset_info.json: the names under which LLaMA-Factory finds the data of an export.

LLaMA-Factory opens the file without naming an encoding, so it is written in ASCII. If an entry names one column or tag,
it must name all of them: LLaMA-Factory takes the others as absent.
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
    """Return the content of dataset_info.json.

    Names are `chat` for all records, `chat_<source>`, and `chat_<source>_<format>` for formats besides hf. A mix has
    `chat`, `chat_<subset>` and `chat_mixed_<format>`. Splits other than train add their name: `chat_validation`,
    `chat_ptt_validation`.
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
    """Return the entry of a split of the Hugging Face dataset, which is the folder of dataset_info.json."""
    return {"script_url": ".", "split": split, **_MESSAGES}


def _entry(file: ExportFile, *, has_system: bool) -> dict[str, Any] | None:
    """Return the entry of a file by its format; None if LLaMA-Factory cannot read the format correctly.

    CSV has no entry: LLaMA-Factory reads it, but takes texts such as NA and null as missing, and drops their rows.
    """
    system = {"system": "system"} if has_system else {}
    entries: dict[str, dict[str, Any]] = {
        "messages": _MESSAGES,
        "sharegpt": {"formatting": "sharegpt"},
        "alpaca": {"columns": {**_ALPACA, **system}},
        "query-response": {"columns": {**_QUERY_RESPONSE, **system}},
    }
    return entries.get(file.format)
