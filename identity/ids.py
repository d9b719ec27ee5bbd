"""Stable client ids: clusters, the old crosswalk and the id ledger in; the new crosswalk and ledger events
out.

Pure: nothing depends on the order of rows or on clocks. A replay gives the same ids.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

import pyarrow as pa

from identity.schema import CROSSWALK

NAMESPACE: Final = UUID("6f1d1a52-7a0e-5c1b-9d3e-0f2b4c6a8e10")
"""The UUIDv5 name space of client ids."""

Status = Literal["active", "redirected", "retired"]
EventKind = Literal["mint", "redirect", "retire", "revive"]


@dataclass(frozen=True)
class LedgerEntry:
    """What the ledger knows of one client id."""

    client_id: str
    founding_key: str  # natural key of the record that it was minted for
    mint_number: int  # how manyeth id minted for that key, from 1
    status: Status
    target: str | None = None  # where a redirected id leads
    last_records: frozenset[int] = frozenset()  # the records it held when it was last active; empty while active


@dataclass(frozen=True)
class LedgerEvent:
    """One change of the ledger; apply it by setting the id's entry to `entry`."""

    event: EventKind
    entry: LedgerEntry


@dataclass(frozen=True)
class Assignment:
    """CROSSWALK rows of all records in the clusters, in natural order, and the events, ordered by client
    id."""

    crosswalk: pa.Table
    events: tuple[LedgerEvent, ...]


def client_id(founding_key: str, mint_number: int) -> str:
    """The n-th id minted for a natural key: UUIDv5, so that the same history gives the same ids."""
    digest = bytearray(
        hashlib.sha1(NAMESPACE.bytes + f"{founding_key}#{mint_number}".encode(), usedforsecurity=False).digest()[:16]
    )
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def assign_ids(
    labels: pa.Table,
    crosswalk: pa.Table,
    ledger: Sequence[LedgerEntry],
    minted: Mapping[str, int] | None = None,
) -> Assignment:
    """Give every cluster its client id.

    `labels` (record_id, label, natural_key): the touched clusters, whole. `crosswalk`: the old rows of their
    records and of every other record (deleted, say) that shared a client with one of them. `ledger`: the
    entries of those clients, of every id whose `last_records` or target meet them, and of every id founded on
    one of the records, but for living ids that none of them bears. `minted`: how many ids were minted for a natural
    key, those included that `ledger` leaves out.

    An id goes to the cluster that holds the larger part of its records (ties: the cluster of its founding
    record, then the smaller natural key); a cluster takes, of the ids that come to it, first an active one,
    then that with most records in it, then the one with the smaller founding key. What is left redirects, or
    retires when none of its records are left. A redirected or retired id comes back for the cluster that
    holds most of its last records, if no active id goes there. No id is ever given to records of which it
    held none.
    """
    clusters = _clusters(labels)
    of_record = {record: cluster.label for cluster in clusters.values() for record in cluster.records}
    held: dict[str, set[int]] = defaultdict(set)
    for record, client in zip(crosswalk["record_id"].to_pylist(), crosswalk["client_id"].to_pylist(), strict=True):
        held[client].add(record)
    entries = {entry.client_id: entry for entry in ledger}
    claims = _claims(entries, held, of_record, clusters)
    winners = {label: min(claimants)[-1] for label, claimants in claims.items()}
    new = _mint(clusters, winners, entries.values(), minted or {})
    events = [LedgerEvent("mint", entry) for entry in new.values()]
    winners |= {label: entry.client_id for label, entry in new.items()}
    for client in sorted(entries):
        event = _event(entries[client], held.get(client, set()), of_record, winners, clusters)
        if event is not None:
            events.append(event)
    order = labels["record_id"].to_pylist()
    table = pa.table(
        {"record_id": order, "client_id": [winners[of_record[record]] for record in order]}, schema=CROSSWALK
    )
    return Assignment(table, tuple(sorted(events, key=lambda event: event.entry.client_id)))


@dataclass(frozen=True)
class _Cluster:
    label: int
    first_key: str  # its smallest natural key
    records: dict[int, str]  # record id -> natural key


def _clusters(labels: pa.Table) -> dict[int, _Cluster]:
    records: dict[int, dict[int, str]] = defaultdict(dict)
    rows = zip(
        labels["record_id"].to_pylist(),
        labels["label"].to_pylist(),
        labels["natural_key"].to_pylist(),
        strict=True,
    )
    for record, label, key in rows:
        records[label][record] = key
    return {label: _Cluster(label, min(mine.values()), mine) for label, mine in records.items()}


def _home(
    records: Iterable[int], founding_key: str, of_record: Mapping[int, int], clusters: Mapping[int, _Cluster]
) -> tuple[int, int] | None:
    """The cluster that holds most of the records, and how many; None when no cluster holds any."""
    counts: dict[int, int] = defaultdict(int)
    for record in records:
        if record in of_record:
            counts[of_record[record]] += 1
    if not counts:
        return None

    def rank(label: int) -> tuple[int, bool, str]:
        cluster = clusters[label]
        return -counts[label], founding_key not in cluster.records.values(), cluster.first_key

    best = min(counts, key=rank) if len(counts) > 1 else next(iter(counts))
    return best, counts[best]


def _claims(
    entries: Mapping[str, LedgerEntry],
    held: Mapping[str, set[int]],
    of_record: Mapping[int, int],
    clusters: Mapping[int, _Cluster],
) -> dict[int, list[tuple[bool, int, str, int, str]]]:
    """Per cluster the ids that would go there; the smallest tuple wins."""
    claims: dict[int, list[tuple[bool, int, str, int, str]]] = defaultdict(list)
    for client, entry in entries.items():
        is_active = entry.status == "active"
        home = _home(held.get(client, ()) if is_active else entry.last_records, entry.founding_key, of_record, clusters)
        if home is not None:
            claims[home[0]].append((not is_active, -home[1], entry.founding_key, entry.mint_number, client))
    return claims


def _mint(
    clusters: Mapping[int, _Cluster],
    winners: Mapping[int, str],
    entries: Iterable[LedgerEntry],
    before: Mapping[str, int],
) -> dict[int, LedgerEntry]:
    """New ids for the clusters without one, founded on their smallest natural key."""
    last: dict[str, int] = defaultdict(int, before)
    for entry in entries:
        last[entry.founding_key] = max(last[entry.founding_key], entry.mint_number)
    minted = {}
    for label, cluster in clusters.items():
        if label not in winners:
            number = last.get(cluster.first_key, 0) + 1
            minted[label] = LedgerEntry(client_id(cluster.first_key, number), cluster.first_key, number, "active")
    return minted


def _event(
    entry: LedgerEntry,
    held: set[int],
    of_record: Mapping[int, int],
    winners: Mapping[int, str],
    clusters: Mapping[int, _Cluster],
) -> LedgerEvent | None:
    """What happens to one known id, if anything."""
    last = frozenset(held) if entry.status == "active" else entry.last_records
    home = _home(last, entry.founding_key, of_record, clusters)
    winner = None if home is None else winners[home[0]]
    if winner == entry.client_id:
        if entry.status == "active":
            return None
        return LedgerEvent("revive", LedgerEntry(entry.client_id, entry.founding_key, entry.mint_number, "active"))
    if winner is None:
        if entry.status == "retired":
            return None
        retired = LedgerEntry(entry.client_id, entry.founding_key, entry.mint_number, "retired", None, last)
        return LedgerEvent("retire", retired)
    if entry.status == "redirected" and entry.target == winner:
        return None
    moved = LedgerEntry(entry.client_id, entry.founding_key, entry.mint_number, "redirected", winner, last)
    return LedgerEvent("redirect", moved)
