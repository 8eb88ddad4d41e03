"""The bundled samples: recognise them by content, and copy them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from chat_corpus.errors import ChatCorpusError, UsageError
from chat_corpus.files.content import digest
from chat_corpus.files.raw_file import RawFile
from chat_corpus.messages import message

_PACKAGE = Path(__file__).resolve().parent.parent
#: Folders of the samples: in an installed package, and in a checkout, where real corpora may be beside them.
FOLDERS = (_PACKAGE / "samples", _PACKAGE.parent / "raw_chat_corpus")


@cache
def _samples() -> Mapping[str, int]:
    """Return the size in bytes of each bundled sample, by its SHA-256."""
    sizes: dict[str, int] = json.loads(files("chat_corpus.discovery").joinpath("samples.json").read_text("utf-8"))
    return sizes


def is_sample(file: RawFile) -> bool:
    """Return whether a file has the content of a bundled sample."""
    if file.size not in _samples().values():
        return False
    try:
        return digest(file) in _samples()
    except ChatCorpusError:  # a damaged file is not a sample; its reader reports the damage
        return False


def copy(target: Path) -> int:
    """Copy the samples into a folder, and return their number.

    Raises UsageError if there are no samples, or if the folder has other files with their names.
    """
    folder = next((folder for folder in FOLDERS if folder.is_dir()), None)
    contents = {} if folder is None else dict(_contents(folder))
    if not contents:
        raise UsageError(message("the bundled samples were not installed; install chat-corpus from its repository"))
    for name, content in contents.items():
        path = target / name
        if path.is_file() and path.read_bytes() == content:
            continue
        if path.exists():
            raise UsageError(
                message("{path}: exists and is not the bundled sample; use another folder", path=str(path))
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return len(contents)


def _contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield the path below the folder and the content of each sample."""
    sizes = set(_samples().values())
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size in sizes:
            content = path.read_bytes()
            if sha256(content).hexdigest() in _samples():
                yield path.relative_to(folder), content
