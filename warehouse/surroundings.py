"""Who stands around a client, and how the weights of plausible pairs were spread in former runs. Read-only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from warehouse.sql import sql


@dataclass(frozen=True, slots=True)
class WeightHistory:
    """How the weights of plausible pairs were spread at the end of one run of resolve."""

    run_id: int
    at: str
    model_version: int | None
    weights: Mapping[str, Mapping[str, int]]
    """Of each kind, how many pairs by bin."""


def current_client(conn: psycopg.Connection[Any], client_id: str) -> str:
    """The id that a client id leads to now; itself where it was never merged away, or never given."""
    row = conn.execute(sql("queries.current_id"), {"client_id": client_id}).fetchone()
    return str(row[0]) if row else client_id


def clients_around(
    conn: psycopg.Connection[Any], client_id: str, record_ids: Sequence[int], *, limit: int
) -> list[str]:
    """At most `limit` other clients: those with a plausible pair to these records, strongest first, then those that
    share most blocks with them."""
    asked = {"client_id": client_id, "record_ids": list(record_ids), "limit": limit}
    found = [row[0] for row in conn.execute(sql("surroundings.clients_around"), asked)]
    if len(found) < limit:
        blocks = conn.execute(sql("surroundings.clients_in_blocks"), {**asked, "limit": 2 * limit})
        found += [row[0] for row in blocks if row[0] not in found]
    return found[:limit]


def client_sizes(conn: psycopg.Connection[Any], client_ids: Sequence[str]) -> dict[str, int]:
    """How many records each of these clients holds now; those without any are left out."""
    rows = conn.execute(sql("surroundings.client_sizes"), {"client_ids": list(client_ids)})
    return {row[0]: row[1] for row in rows}


def display_names(conn: psycopg.Connection[Any], client_ids: Sequence[str]) -> dict[str, str | None]:
    """What published clients are called."""
    rows = conn.execute(sql("surroundings.display_names"), {"client_ids": list(client_ids)})
    return {row[0]: row[1] for row in rows}


def weight_histories(conn: psycopg.Connection[Any], limit: int = 1000) -> list[WeightHistory]:
    """The runs of resolve that kept how weights were spread, latest first."""
    return [WeightHistory(*row) for row in conn.execute(sql("surroundings.weight_histories"), {"limit": limit})]


def pairs_about(conn: psycopg.Connection[Any]) -> int:
    """How many plausible pairs there were, about, when their table was looked at last; 0: never."""
    row = conn.execute(sql("surroundings.pairs_about")).fetchone()
    return 0 if row is None else int(row[0])


def weight_histogram(conn: psycopg.Connection[Any]) -> dict[str, dict[str, int]]:
    """How the weights of the plausible pairs are spread now: of each kind, pairs by bin (`identity.evaluation.drift`),
    as JSON has it."""
    found: dict[str, dict[str, int]] = {}
    for kind, at, count in conn.execute(sql("surroundings.weight_histogram")):
        found.setdefault(kind, {})[str(at)] = count
    return found
