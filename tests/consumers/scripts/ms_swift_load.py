"""ms-swift: the folder, each of its configs, and each file, through its loader and preprocessors."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.consumers.scripts import common

_FORMATS = ("messages", "sharegpt", "alpaca", "query-response", "firefly")
#: ms-swift passes this option to `datasets` for every folder.
_EXPECTED = "`trust_remote_code` is not supported anymore"


def main() -> None:
    export = common.begin(_EXPECTED)
    from swift.dataset import load_dataset

    common.quiet()

    def load(path: str, expected: list[common.Messages]) -> tuple[int, str]:
        rows = load_dataset(path, use_hf=True)[0]
        return len(rows), common.difference(map(_messages, rows), expected)

    train = export.messages("train")
    common.attempt("DIR", len(train), partial(load, str(export.folder), train))
    for source in export.sources():
        part = export.messages("train", source)
        common.attempt(f"DIR:{source}", len(part), partial(load, f"{export.folder}:{source}", part))
    for format_ in _FORMATS:
        for path, file in export.files(format_):
            expected = export.messages(file["split"], file["source"])
            common.attempt(file["path"], file["rows"], partial(load, path, expected))


def _messages(row: dict[str, Any]) -> common.Messages:
    return [(one["role"], one["content"]) for one in row["messages"]]


if __name__ == "__main__":
    main()
