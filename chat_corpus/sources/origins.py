"""Where the files of a corpus can be downloaded: addresses, sizes and digests, as data of a source.

Digests are those that an origin publishes: the SHA-256 of large files on the Hugging Face hub, and the ids that git
gives to files (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects). Both are digests of the file as published,
for example of a `.zip` file, not of its members.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from chat_corpus.messages import message

#: `FileOrigin.verified` if nobody has downloaded the files from this address with this program.
NEVER = "never"
#: The Hugging Face hub.
HUB = "https://huggingface.co"
_DIGESTS = {"sha256": re.compile("[0-9a-f]{64}"), "git_blob": re.compile("[0-9a-f]{40}")}
_SCHEMES = ("https://", "http://")


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteFile:
    """One file at an origin.

    `name` is its path at the origin, `path` its path below the raw folder. `bytes` is its size, None if unknown.
    `sha256` and `git_blob` are its digests in hexadecimal, empty if unknown. An `optional` file is downloaded only if
    the user names it.
    """

    name: str
    path: str
    bytes: int | None = None
    sha256: str = ""
    git_blob: str = ""
    optional: bool = False

    def __post_init__(self) -> None:
        for path in (self.name, self.path):
            parts = PurePosixPath(path).parts
            if not parts or PurePosixPath(path).is_absolute() or ".." in parts or "\\" in path or ":" in parts[0]:
                raise ValueError(message("'{path}': expected a relative path without '..'", path=path))
        for name, pattern in _DIGESTS.items():
            value = getattr(self, name)
            if value and not pattern.fullmatch(value):
                raise ValueError(message("{name}={value!r}: expected hexadecimal digits", name=name, value=value))

    @property
    def has_digest(self) -> bool:
        """Whether a digest is known."""
        return bool(self.sha256 or self.git_blob)


@dataclass(frozen=True, kw_only=True, slots=True)
class FileOrigin:
    """Files at one address.

    `address` is a URL that the names of files are appended to or, if `hub` is true, the id of a data set on the Hugging
    Face hub at a `revision`. `licence` is the licence stated there, or empty. `verified` is the date of the last
    complete download (YYYY-MM-DD), or `NEVER`.
    """

    address: str
    files: tuple[RemoteFile, ...]
    hub: bool = False
    revision: str = ""
    licence: str = ""
    verified: str = NEVER

    def __post_init__(self) -> None:
        is_url = self.address.startswith(_SCHEMES)
        if is_url == self.hub or (is_url and not self.address.endswith("/")):
            raise ValueError(
                message(
                    "address={address!r}: expected a URL that ends with '/', or with hub=True the id of a data set",
                    address=self.address,
                )
            )

    def url(self, file: RemoteFile, hub: str = HUB) -> str:
        """Return the address of a file. `hub` is the address of the hub that a data set is downloaded from."""
        if self.hub:
            return f"{hub}/datasets/{self.address}/resolve/{self.revision or 'main'}/{file.name}"
        return f"{self.address}{file.name}"
