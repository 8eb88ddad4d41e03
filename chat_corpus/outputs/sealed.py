"""Files of the work folder that end with a digest of what is before it and of their name.

A flipped bit anywhere is noticed, and so is a file that stands where another should.
"""

from __future__ import annotations

import hashlib

_SIZE = 16


def seal(data: bytes, name: str) -> bytes:
    """Data with a digest of it and of the name that it is kept under behind it."""
    return data + _digest(data, name)


def unseal(data: bytes, name: str) -> bytes:
    """What was sealed under a name. Raises ValueError where it is not whole, was changed, or had another name.

    >>> unseal(seal(b"turns", "ptt"), "ptt")
    b'turns'
    """
    content, digest = data[:-_SIZE], data[-_SIZE:]
    if _digest(content, name) != digest:
        raise ValueError("its content does not have the digest that it ends with")
    return content


def _digest(data: bytes, name: str) -> bytes:
    digest = hashlib.blake2b(data, digest_size=_SIZE)
    digest.update(name.encode())
    return digest.digest()
