"""Whose rows an erasure means, and what words tell of the person where no id does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import psycopg

from warehouse.arrays import bigints, uuids
from warehouse.sql import sql

NOT_PERSONAL: Final = frozenset({"domain", "kpp", "okpo"})
"""Identifier types that many clients share by their nature."""
_PHONE: Final = re.compile(r"[+(]?\d[\d\s()./-]{8,20}\d")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d|\d\d?\.\d\d?\.\d{4}")
_SHORTEST: Final = 5
_NAMES: Final = ("display_name", "full_name", "legal_name", "org_name")


@dataclass(frozen=True, slots=True)
class Person:
    """One person's rows, as the temporary tables of `erasure.sql` hold them for this transaction."""

    client_ids: Sequence[UUID]
    """The client first, then the ids that had been merged into it."""
    records: Sequence[str]
    """Its records as people name them."""
    sources: Sequence[str]
    party_ids: Sequence[int]
    facts: int
    kept_facts: int
    own_identifiers: Sequence[tuple[str, str]]
    """Type and value of what nobody else bears."""
    shared_identifiers: int
    """How many others bear too: a living client keeps its phone."""
    needles: Sequence[str]
    """Values that tell of the person wherever they stand: addresses, numbers, whole names; lower case."""


def find_client(conn: psycopg.Connection[Any], client_id: str, *, keeps_documents: bool) -> Person:
    """All rows of a client: its records, also those that are gone at their sources, what happened with them, and
    what feeds them."""
    _make_tables(conn)
    conn.execute(sql("erasure.find_client"), {"client_id": client_id})
    conn.execute(sql("erasure.find_parties"))
    return _found(conn, client_id, keeps_documents=keeps_documents)


def find_records(
    conn: psycopg.Connection[Any], record_ids: Iterable[int], client_ids: Iterable[str], *, keeps_documents: bool
) -> Person:
    """The same of given records, and of those of the clients that hold nobody else's."""
    _make_tables(conn)
    conn.execute(sql("erasure.given_parties"), {"record_ids": bigints(record_ids)})
    given = list(client_ids)
    conn.execute(sql("erasure.given_clients"), {"client_ids": uuids(given)})
    return _found(conn, given[0] if given else None, keeps_documents=keeps_documents)


def reject_hits(conn: psycopg.Connection[Any], needles: Sequence[str]) -> list[tuple[UUID, bytes]]:
    """Fingerprint and bytes of the rejects that are the person's, by their record or by a value in their bytes."""
    found = {row[0]: bytes(row[1]) for row in conn.execute(sql("erasure.placed_rejects"))}
    for fingerprint, payload in conn.execute(sql("erasure.unplaced_rejects")):
        if mentions(bytes(payload), needles):
            found[fingerprint] = bytes(payload)
    return sorted(found.items())


def as_written(needle: str) -> list[str]:
    """A value as it stands in plain text, and in JSON where that is another way."""
    return list(dict.fromkeys([needle, json.dumps(needle, ensure_ascii=False)[1:-1]]))


def mentions(payload: bytes, needles: Sequence[str]) -> bool:
    """Whether bytes in any usual encoding hold one of the values."""
    wanted = [one for needle in needles for one in as_written(needle)]
    for encoding in ("utf-8", "cp1251", "utf-16-le"):
        text = payload.decode(encoding, "replace").lower()
        if "\\u" in text:
            text += re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), text).lower()
        if any(needle in text for needle in wanted):
            return True
    return False


def texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """(name of the field, text) of everything that a JSON value holds."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner, name if key == "v" else key)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, name)
    elif isinstance(value, str):
        yield name, value


def like_patterns(needles: Iterable[str]) -> list[str]:
    """For LIKE: texts that hold one of the values."""
    escaped = (re.sub(r"([\\%_])", r"\\\1", one) for needle in needles for one in as_written(needle))
    return [f"%{needle}%" for needle in escaped]


def _make_tables(conn: psycopg.Connection[Any]) -> None:
    conn.execute(sql("erasure.drop_tables"))
    conn.execute(sql("erasure.make_tables"))


def _found(conn: psycopg.Connection[Any], client_id: str | None, *, keeps_documents: bool) -> Person:
    conn.execute(sql("erasure.find_facts"), {"client_id": client_id, "keeps": keeps_documents})
    conn.execute(sql("erasure.find_raw"))
    identifiers = conn.execute(sql("erasure.identifiers")).fetchall()
    own = [(type_, value) for type_, value, is_valid, is_shared in identifiers if is_valid and not is_shared]
    needles = {value for type_, value, *_ in identifiers if type_ not in NOT_PERSONAL}
    for (said,) in conn.execute(sql("erasure.said")):
        needles.update(text for name, text in texts(said) if name in _NAMES or _tells(text))
    facts, kept = _one(conn, "counted")
    found = _one(conn, "client_ids")[0]
    return Person(
        client_ids=sorted(found, key=lambda one: str(one) != client_id),
        records=[row[0] for row in conn.execute(sql("erasure.named"))],
        sources=[row[0] for row in conn.execute(sql("erasure.sources"))],
        party_ids=_one(conn, "party_ids")[0],
        facts=facts,
        kept_facts=kept,
        own_identifiers=[(type_, value) for type_, value in own if type_ not in NOT_PERSONAL],
        shared_identifiers=sum(1 for *_, is_shared in identifiers if is_shared),
        needles=sorted({text.strip().lower() for text in needles if len(text.strip()) >= _SHORTEST}),
    )


def _tells(text: str) -> bool:
    """An address or a number by which a person is reached or known."""
    text = text.strip()
    return "@" in text or (
        _PHONE.fullmatch(text) is not None and _DATE.match(text) is None and sum(c.isdigit() for c in text) >= 10
    )


def _one(conn: psycopg.Connection[Any], name: str) -> Any:
    row = conn.execute(sql(f"erasure.{name}")).fetchone()
    assert row is not None
    return row
