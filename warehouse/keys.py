"""Hashes that name things: the id of a record by where it comes from, the fingerprint of what was said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from struct import unpack
from typing import Final

SEPARATOR: Final = "\x1f"


def record_id(source: str, stream: str, key: str) -> int:
    """The signed 64-bit id of (source, stream, key); UnicodeEncodeError if the key is not Unicode text."""
    return record_ids(source, stream)(key)


def record_id_list(source: str, stream: str, keys: Iterable[bytes]) -> list[int]:
    """`record_id` of many keys of one stream, given in UTF-8."""
    prefix = blake2b(f"{source}{SEPARATOR}{stream}{SEPARATOR}".encode(), digest_size=8)
    digests: list[bytes] = []
    for key in keys:
        state = prefix.copy()
        state.update(key)
        digests.append(state.digest())
    return list(unpack(f">{len(digests)}q", b"".join(digests)))


def record_ids(source: str, stream: str) -> Callable[[str], int]:
    """`record_id` of one stream's keys, with the common part hashed once."""
    prefix = blake2b(f"{source}{SEPARATOR}{stream}{SEPARATOR}".encode(), digest_size=8)

    def of(key: str) -> int:
        state = prefix.copy()
        state.update(key.encode())
        return int.from_bytes(state.digest(), "big", signed=True)

    return of


def fingerprint(*words: str, payload: bytes = b"") -> str:
    """A UUID's text over words and bytes: BLAKE2b-128."""
    state = blake2b(SEPARATOR.join(words).encode("utf-8", "surrogatepass"), digest_size=16)
    state.update(b"\x00" + payload)
    return state.hexdigest()
