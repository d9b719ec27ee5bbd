"""What may not come back: known by its hash when it is read, and by its identifiers when it is understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from warehouse.erasure.hashes import KEY_VARIABLE, ErasureKeyError, Hashes
from warehouse.erasure.needles import EMAIL, NUMBER, NUMBERS, plain, readings
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

    def stops_words(self, payload: bytes) -> dict[tuple[str, str], tuple[UUID, UUID | None]]:
        """Type and value of the identifiers in a text that were an erased person's alone, each with its erasure."""
        found = {}
        for text in readings(payload) if self.identifiers else ():
            for type_, value in _identifiers_in(text):
                if reason := self.stops_identifier(type_, value):
                    found[type_, value] = reason
        return found

    def stops_bytes(self, payload: bytes) -> bool:
        """Bytes that could not be taken in were the person's."""
        return bool(self.rejects) and self.hashes.reject(payload) in self.rejects


def _identifiers_in(text: str) -> Iterator[tuple[str, str]]:
    """What in a text could be an identifier in its standard form."""
    for found in EMAIL.finditer(text):
        yield "email", found[0]
    for found in NUMBER.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        yield "phone", f"+{digits}"
        if plain(digits) != digits or len(digits) == 10:
            yield "phone", f"+7{plain(digits)}"
        for type_ in NUMBERS:
            yield type_, digits


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
