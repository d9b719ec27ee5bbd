"""Whose rows an erasure means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from warehouse.arrays import bigints, uuids
from warehouse.erasure.needles import NOT_PERSONAL, mentions, of_person, pattern, surnames
from warehouse.sql import sql


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search through everything found of a person; it reads whole tables, so it is made before the hub waits."""

    needles: Sequence[str]
    words: Sequence[str]
    unclaimed: Sequence[int]
    """Landed records that are no client's, no document and nobody's part, and hold one of the needles."""
    sources: Sequence[str]
    """Where all records of the person come from."""


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
    """Words of the person alone that tell of it wherever they stand (`needles.of_person`)."""
    words: Sequence[str]
    """These and those that others have too, for the person's own rows."""


def search_client(conn: psycopg.Connection[Any], client_id: str) -> Searched:
    """Search everything for words of a client, in this transaction."""
    _make_tables(conn)
    _find_client(conn, client_id, keeps_documents=False)
    return _searched(conn)


def find_client(
    conn: psycopg.Connection[Any], client_id: str, *, keeps_documents: bool, searched: Searched | None = None
) -> Person:
    """All rows of a client: its records, also those that are gone at their sources, what happened with them, what
    feeds them, what states relationships of them, and what no table claims and a search finds."""
    _make_tables(conn)
    _find_client(conn, client_id, keeps_documents=keeps_documents)
    return _found(conn, client_id, searched)


def find_records(
    conn: psycopg.Connection[Any], record_ids: Iterable[int], client_ids: Iterable[str], *, keeps_documents: bool
) -> Person:
    """The same of given records, and of those of the clients that hold nobody else's."""
    _make_tables(conn)
    conn.execute(sql("erasure.given_parties"), {"record_ids": bigints(record_ids)})
    given = list(client_ids)
    conn.execute(sql("erasure.given_clients"), {"client_ids": uuids(given)})
    first = given[0] if given else None
    _find_rest(conn, first, keeps_documents=keeps_documents)
    return _found(conn, first, None)


def find_withheld(conn: psycopg.Connection[Any], record_ids: Iterable[int], other_ids: Iterable[int]) -> list[int]:
    """What stands already of records that may not come back, and of `other_ids` their landed rows only: the ids of
    everything that is to be redacted."""
    _make_tables(conn)
    conn.execute(sql("erasure.given_parties"), {"record_ids": bigints(record_ids)})
    _find_rest(conn, None, keeps_documents=False)
    conn.execute(sql("erasure.add_raw"), {"record_ids": bigints(other_ids)})
    return [row[0] for row in conn.execute(sql("erasure.raw_ids"))]


def reject_hits(conn: psycopg.Connection[Any], needles: Sequence[str]) -> list[tuple[UUID, bytes]]:
    """Fingerprint and bytes of the rejects that are the person's, by their record or by a word in their bytes."""
    found = placed_rejects(conn)
    near = [*needles, *surnames(conn)]
    for fingerprint, payload, is_near in conn.execute(sql("erasure.unplaced_rejects")):
        if mentions(bytes(payload), near if is_near else needles):
            found[fingerprint] = bytes(payload)
    return sorted(found.items())


def placed_rejects(conn: psycopg.Connection[Any]) -> dict[UUID, bytes]:
    """Fingerprint and bytes of the rejects of the records that were found."""
    return {row[0]: bytes(row[1]) for row in conn.execute(sql("erasure.placed_rejects"))}


def one_row(conn: psycopg.Connection[Any], name: str, parameters: dict[str, Any] | None = None) -> Any:
    """The only row of a statement of `erasure.sql`."""
    row = conn.execute(sql(f"erasure.{name}"), parameters).fetchone()
    assert row is not None
    return row


def _make_tables(conn: psycopg.Connection[Any]) -> None:
    conn.execute(sql("erasure.drop_tables"))
    conn.execute(sql("erasure.make_tables"))


def _find_client(conn: psycopg.Connection[Any], client_id: str, *, keeps_documents: bool) -> None:
    conn.execute(sql("erasure.find_client"), {"client_id": client_id})
    conn.execute(sql("erasure.find_parties"))
    _find_rest(conn, client_id, keeps_documents=keeps_documents)


def _find_rest(conn: psycopg.Connection[Any], client_id: str | None, *, keeps_documents: bool) -> None:
    conn.execute(sql("erasure.find_facts"), {"client_id": client_id, "keeps": keeps_documents})
    conn.execute(sql("erasure.find_raw"))


def _searched(conn: psycopg.Connection[Any]) -> Searched:
    said = [row[0] for row in conn.execute(sql("erasure.said"))]
    needles, words = of_person(conn, conn.execute(sql("erasure.identifiers")).fetchall(), said)
    unclaimed = _unclaimed(conn, needles, None)
    conn.execute(sql("erasure.add_raw"), {"record_ids": bigints(unclaimed)})
    return Searched(needles, words, unclaimed, [row[0] for row in conn.execute(sql("erasure.sources"))])


def _unclaimed(conn: psycopg.Connection[Any], needles: Sequence[str], among: Sequence[int] | None) -> list[int]:
    """Those of the records `among` (None: of all) that nobody claims and that hold one of the needles."""
    wanted = pattern(tuple(needles))
    if wanted is None or (among is not None and not among):
        return []
    ids = None if among is None else bigints(among)
    parameters = {"pattern": wanted, "among": ids}
    return [row[0] for row in conn.execute(sql("erasure.unclaimed"), parameters)]


def _found(conn: psycopg.Connection[Any], client_id: str | None, searched: Searched | None) -> Person:
    if searched is None:
        searched = _searched(conn)
    else:
        # Who was nobody's when it was searched may be somebody's now.
        still = _unclaimed(conn, searched.needles, searched.unclaimed)
        conn.execute(sql("erasure.add_raw"), {"record_ids": bigints(still)})
    identifiers = conn.execute(sql("erasure.identifiers")).fetchall()
    facts, kept = one_row(conn, "counted")
    found = one_row(conn, "client_ids")[0]
    return Person(
        client_ids=sorted(found, key=lambda one: str(one) != client_id),
        records=[row[0] for row in conn.execute(sql("erasure.named"))],
        sources=[row[0] for row in conn.execute(sql("erasure.sources"))],
        party_ids=one_row(conn, "party_ids")[0],
        facts=facts,
        kept_facts=kept,
        own_identifiers=[
            (type_, value)
            for type_, value, is_valid, is_shared in identifiers
            if is_valid and not is_shared and type_ not in NOT_PERSONAL
        ],
        shared_identifiers=sum(1 for *_, is_shared in identifiers if is_shared),
        needles=searched.needles,
        words=searched.words,
    )
