"""The paths of the files in an output folder."""

from __future__ import annotations

from pathlib import Path

#: Size in bytes and time of modification in nanoseconds of output files, by their paths in the output folder.
Outputs = dict[str, tuple[int, int]]

#: Name of the report in the output folder.
REPORT = "report.json"
#: Name of the page that shows the report, in the same folder.
PAGE = "report.html"
#: Folder for unfinished work, inside the output folder; it never holds results.
WORK = ".chat-corpus"


def index(out: Path, name: str) -> Path:
    """Return the path of the index of a source."""
    return out / "index" / f"{name}.jsonl"


def dialogues(out: Path, name: str) -> Path:
    """Return the path of the dialogue store of a source, which only some runs write."""
    return out / "dialogues" / f"{name}.parquet"


def places(out: Path, name: str) -> tuple[Path, Path, Path]:
    """Return the paths of the files that every run writes for a source: pairs, rejects, index."""
    return out / f"{name}.tsv", out / "rejects" / f"{name}.jsonl", index(out, name)


def outputs(out: Path, name: str) -> Outputs:
    """Return size in bytes and time of modification in nanoseconds of each existing output file of a source."""
    paths = (*places(out, name), dialogues(out, name))
    facts = {path.relative_to(out).as_posix(): path.stat() for path in paths if path.is_file()}
    return {path: (fact.st_size, fact.st_mtime_ns) for path, fact in facts.items()}
