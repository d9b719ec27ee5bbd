"""Small tables in the warehouse's shapes, for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

import psycopg
import pyarrow as pa

from identity.schema import IDENTIFIER, RECORD
from warehouse import resolution, shapes, standard
from warehouse.clock import hub_lock, next_as_of
from warehouse.keys import record_id
from warehouse.landing import land_page

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def client(n: int) -> str:
    """A client id."""
    return str(UUID(int=n))


def digest(value: object) -> str:
    """A UUID's text over anything."""
    return str(UUID(bytes=blake2b(repr(value).encode(), digest_size=16).digest()))


def rid(key: str, source: str = "crm", stream: str = "contacts") -> int:
    """The id of a record."""
    return record_id(source, stream, key)


def rows(schema: pa.Schema, entries: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A table of `schema`; what an entry leaves out is null."""
    return pa.Table.from_pylist([{name: e.get(name) for name in schema.names} for e in entries], schema=schema)


def party(
    key: str, name: str = "anna", *, source: str = "crm", stream: str = "contacts", **columns: Any
) -> dict[str, Any]:
    """A standard record."""
    entry = {
        "record_id": rid(key, source, stream), "source": source, "stream": stream, "source_key": key,
        "kind": "person", "role": "client", "is_own": False, "full_name": name,
        "attributes": json.dumps({"full_name": [{"v": name}]}, ensure_ascii=False), "source_updated_at": NOW,
    }  # fmt: skip
    entry |= columns
    return {**entry, "content_hash": digest([v for k, v in entry.items() if k != "source_updated_at"])}


def identifier(key: str, type_: str, value: str, *, is_valid: bool = True, source: str = "crm") -> dict[str, Any]:
    """An identifier of a record."""
    reason = None if is_valid else "checksum"
    return {
        "record_id": rid(key, source),
        "type": type_,
        "value": value,
        "is_valid": is_valid,
        "invalid_reason": reason,
    }


def interaction(key: str, party_key: str | None, amount: str | None = "10.50", **columns: Any) -> dict[str, Any]:
    """A sales order in the ERP for a party of the CRM."""
    entry = {
        "record_id": rid(key, "erp", "orders"), "source": "erp", "stream": "orders", "source_key": key,
        "type": "sales_order", "party_record_id": None if party_key is None else rid(party_key),
        "occurred_at": NOW,
        "occurred_on": NOW.date(), "precision": "day", "amount": amount, "currency": "RUB", "detail": "{}",
    }  # fmt: skip
    entry |= columns
    return {**entry, "content_hash": digest(entry)}


def store_parties(
    conn: psycopg.Connection,
    records: Sequence[Mapping[str, Any]],
    identifiers: Sequence[Mapping[str, Any]] = (),
) -> standard.Stored:
    """Land and store standard records."""
    for record in records:
        land_page(
            conn, run_id=1, source=record["source"], stream=record["stream"], state={}, now=NOW,
            rows=[(record["source_key"], b"{}", bytes(16), NOW)],
        )  # fmt: skip
    return standard.store_parties(conn, rows(RECORD, records), rows(IDENTIFIER, identifiers))


def store_interactions(conn: psycopg.Connection, *entries: Mapping[str, Any]) -> standard.Stored:
    """Store interactions without lines."""
    return standard.store_interactions(conn, rows(shapes.INTERACTION, entries), None, None)


def assign(
    conn: psycopg.Connection, links: Mapping[int, str | None], *events: tuple[Any, ...], **more: Any
) -> resolution.Applied:
    """Apply record -> client; events as (event, client, target)."""
    ledger = rows(
        resolution.LEDGER_EVENT,
        [
            {
                "client_id": c,
                "event": event,
                "target_client_id": t,
                "founding_key": f"crm:contacts:{c[-4:]}",
                "mint_number": 1,
            }
            for event, c, t in events
        ],
    )
    cases = rows(resolution.REVIEW_CASE, more.pop("cases", []))
    table = pa.table({"record_id": list(links), "client_id": list(links.values())}, resolution.ASSIGNMENT)
    with conn.transaction():
        hub_lock(conn)
        return resolution.apply(conn, table, ledger, cases, as_of=next_as_of(conn, lambda: NOW), run_id=1, **more)


def review_case(record_ids: Sequence[int], weight: int, evidence: Mapping[str, Any]) -> dict[str, Any]:
    """A question about two records."""
    return {
        "fingerprint": digest("q"), "kind": "between", "record_ids": list(record_ids), "weight": weight, "impact": 2,
        "evidence": json.dumps(evidence),
    }  # fmt: skip


def golden_row(client_id: str, name: str = "Anna", **columns: Any) -> dict[str, Any]:
    """A golden record."""
    entry = {
        "client_id": client_id, "kind": "person", "role": "client", "display_name": name, "record_count": 1,
        "attributes": json.dumps({"full_name": name, "email": ["a@example.org"], "birth_date": "1980-05-07"}),
        "lineage": json.dumps({"full_name": {"record_id": 1, "rule": "latest", "losers": []}}),
    }  # fmt: skip
    entry |= columns
    return {**entry, "golden_hash": digest([v for k, v in entry.items() if k != "client_id"])}
