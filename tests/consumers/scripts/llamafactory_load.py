"""LLaMA-Factory: every name in dataset_info.json, through its parser, loader and converter."""

from __future__ import annotations

import importlib.machinery
import json
import sys
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

from tests.consumers.scripts import common

#: Packages of other media, which text does not need.
_MEDIA = ("torchaudio", "torchvision", "torchvision.transforms", "librosa", "av")


def main() -> None:
    export = common.begin()
    for name in _MEDIA:
        sys.modules.setdefault(name, MagicMock(__spec__=importlib.machinery.ModuleSpec(name, None)))
    from llamafactory.data.loader import _load_single_dataset
    from llamafactory.data.parser import get_dataset_list

    common.quiet()
    folder = str(export.folder)
    model = SimpleNamespace(cache_dir=None, hf_hub_token=None, ms_hub_token=None, om_hub_token=None)
    data = SimpleNamespace(
        dataset_dir=folder,
        media_dir=folder,
        preprocessing_num_workers=None,
        streaming=False,
        max_samples=None,
        overwrite_cache=True,
    )
    training = SimpleNamespace(local_process_index=0, dataloader_num_workers=0)

    def load(name: str, expected: list[common.Messages]) -> tuple[int, str]:
        rows = _load_single_dataset(get_dataset_list([name], folder)[0], model, data, training)
        kept = [row for row in rows if len(row["_prompt"]) % 2 == 1 and len(row["_response"]) == 1]
        return len(kept), common.difference(map(_messages, kept), expected)

    # LLaMA-Factory opens it in the encoding of the system, which may not be UTF-8.
    entries = json.loads((export.folder / "dataset_info.json").read_text("ascii"))
    for name, entry in entries.items():
        if "script_url" in entry:
            expected = export.messages(entry["split"], entry.get("subset"))
        else:
            (file,) = [one for one in export.manifest["files"] if one["path"] == entry["file_name"]]
            expected = export.messages(file["split"], file["source"])
        common.attempt(name, len(expected), partial(load, name, expected))


def _messages(row: dict[str, Any]) -> common.Messages:
    spoken = [(one["role"], one["content"]) for one in (*row["_prompt"], *row["_response"])]
    return [("system", row["_system"]), *spoken] if row["_system"] else spoken


if __name__ == "__main__":
    main()
