"""Files of the work folder that end with a digest of their content and of their name.

The digest detects a flipped bit anywhere, and a file that has the name of a different file.
"""

from __future__ import annotations

import hashlib

from chat_corpus.messages import message

_SIZE = 16


def seal(data: bytes, name: str) -> bytes:
    """Return data followed by a digest of the data and of the name of its file."""
    return data + _digest(data, name)


def unseal(data: bytes, name: str) -> bytes:
    """Return the data that was sealed under a name.

    Raises ValueError if it is incomplete or changed, or was sealed under a different name.

    >>> unseal(seal(b"turns", "ptt"), "ptt")
    b'turns'
    """
    content, digest = data[:-_SIZE], data[-_SIZE:]
    if _digest(content, name) != digest:
        raise ValueError(message("its content does not match the digest at its end"))
    return content


def _digest(data: bytes, name: str) -> bytes:
    digest = hashlib.blake2b(data, digest_size=_SIZE)
    digest.update(name.encode())
    return digest.digest()
