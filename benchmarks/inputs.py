"""Inputs of a wished size, made by repeating raw files in their own layout."""

from __future__ import annotations

from pathlib import Path

from chat_corpus import sources
from chat_corpus.survey import Found, survey

#: Layouts whose files cannot be repeated end to end; they are measured at the size they have, and a blank line.
WHOLE = frozenset({"chatterbot", "egret"})


def build(raw: Path, target: Path, names: list[str], megabytes: float) -> dict[str, int]:
    """Copy the files of the sources `names` from `raw` to `target`, repeated to about `megabytes` a source.

    Returns the bytes of each source. A file without a last line break gets one before it is repeated.
    """
    sizes = {}
    for name, found in survey(raw, sources.load()).items():
        if found.groups and (not names or name in names):
            sizes[name] = _repeat(found, target, 1 if name in WHOLE else megabytes * 1e6)
    return sizes


def _repeat(found: Found, target: Path, wanted: float) -> int:
    contents = {}
    for file in found.files:
        with file.open() as stream:
            data = stream.read()
        contents[file.name.replace(".zip/", "/")] = data if data.endswith(b"\n") else data + b"\n"
    times = max(1, round(wanted / sum(map(len, contents.values()))))
    for name, data in contents.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            for _ in range(times):
                stream.write(data)
            # Even a file that is not repeated must not be known for a bundled sample, which would step aside.
            stream.write(b"\n" if times == 1 else b"")
    return times * sum(map(len, contents.values()))
