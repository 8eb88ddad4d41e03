"""Files of the work folder that end with a digest of what is before it: a flipped bit anywhere is noticed."""

from __future__ import annotations

import hashlib

_SIZE = 16


def seal(data: bytes) -> bytes:
    """Data with a digest behind it."""
    return data + hashlib.blake2b(data, digest_size=_SIZE).digest()


def unseal(data: bytes) -> bytes:
    """What was sealed. Raises ValueError where it is not whole, or was changed.

    >>> unseal(seal(b"turns"))
    b'turns'
    """
    content, digest = data[:-_SIZE], data[-_SIZE:]
    if hashlib.blake2b(content, digest_size=_SIZE).digest() != digest:
        raise ValueError("its content does not have the digest that it ends with")
    return content
