"""What may not come back: known by its hash when it is read, and by its identifiers when it is understood."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from warehouse.erasure.hashes import KEY_VARIABLE, ErasureKeyError, Hashes
from warehouse.sql import sql


@dataclass(frozen=True)
class Guard:
    """The list of one hub, as of when it was read."""

    hashes: Hashes
    records: Mapping[UUID, tuple[UUID, UUID | None]]
    """Hash of a source key -> erasure and client id."""
    identifiers: Mapping[UUID, tuple[UUID, UUID | None]]
    rejects: Mapping[UUID, tuple[UUID, UUID | None]]

    def stops(self, record_ids: Iterable[int]) -> dict[int, tuple[UUID, UUID | None]]:
        """Those of the records that may not come back, with their erasure and client."""
        found = ((record_id, self.records.get(self.hashes.record(record_id))) for record_id in record_ids)
        return {record_id: erasure for record_id, erasure in found if erasure is not None}

    def stops_identifier(self, type_: str, value: str) -> tuple[UUID, UUID | None] | None:
        """The erasure of whom an identifier was alone."""
        return self.identifiers.get(self.hashes.identifier(type_, value))

    def stops_bytes(self, payload: bytes) -> bool:
        """Bytes that could not be taken in were the person's."""
        return bool(self.rejects) and self.hashes.reject(payload) in self.rejects


def open_guard(conn: psycopg.Connection[Any], hashes: Callable[[], Hashes]) -> Guard | None:
    """The list in force; None where nobody was erased: then nothing is compared.

    Raises `ErasureKeyError` when the key at hand is another one than the list was made with.
    """
    rows = conn.execute(sql("erasure.suppressed")).fetchall()
    if not rows:
        return None
    made = hashes()
    if any(check != made.check for *_, check in rows):
        raise ErasureKeyError(
            "persons were erased with another key than the one in this hub's secrets folder, and would come back"
            f" unseen. Put that key there (erasure.password), or name it as {KEY_VARIABLE}"
        )
    by_kind: dict[str, dict[UUID, tuple[UUID, UUID | None]]] = {"record": {}, "identifier": {}, "reject": {}}
    for hash_, kind, erasure_id, client_id, _ in rows:
        by_kind[kind][hash_] = (erasure_id, client_id)
    return Guard(made, by_kind["record"], by_kind["identifier"], by_kind["reject"])
