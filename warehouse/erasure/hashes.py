"""Keyed hashes: without the key, which no database and no backup holds, nobody can try values against them."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final
from uuid import UUID

from warehouse.server.folders import read_or_make_secret

KEY_VARIABLE: Final = "ONEFOLD_ERASURE_KEY"
_FILE: Final = "erasure.password"
_SHORTEST: Final = 16


class ErasureKeyError(Exception):
    """The key at hand is not the one that erasures were made with: the erased would come back unseen."""


class Hashes:
    """Keyed hashes of source keys, identifiers and bytes."""

    def __init__(self, key: str) -> None:
        if len(key) < _SHORTEST:
            raise ErasureKeyError(f"{KEY_VARIABLE} is shorter than {_SHORTEST} characters; make a longer one")
        # The key of BLAKE2b has at most 64 bytes.
        self._key = blake2b(key.encode(), digest_size=32).digest()
        self.check = self._of(b"check")

    def record(self, record_id: int) -> UUID:
        """Of a record: its id is a hash of source, stream and key."""
        return self._of(b"record\x00" + record_id.to_bytes(8, "big", signed=True))

    def identifier(self, type_: str, value: str) -> UUID:
        """Of an identifier in its standard form."""
        return self._of(f"identifier\x00{type_}\x00{value}".encode())

    def reject(self, payload: bytes) -> UUID:
        """Of bytes that could not be taken in."""
        return self._of(b"reject\x00" + payload)

    def _of(self, data: bytes) -> UUID:
        return UUID(bytes=blake2b(data, digest_size=16, key=self._key).digest())


def hub_hashes(secrets: Path, environ: Mapping[str, str]) -> Hashes:
    """With the key of ONEFOLD_ERASURE_KEY, or the one in the folder of the hub's secrets, made when there is none."""
    if given := environ.get(KEY_VARIABLE):
        return Hashes(given)
    secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Hashes(read_or_make_secret(secrets / _FILE))
