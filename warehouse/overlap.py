"""How many clients the registers have in common: counted from the links of now, kept week by week.

At a million records counting takes seconds, so that nobody counts while reading: the served views show what was kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from warehouse.clock import one_view
from warehouse.sql import sql

COUNTING: Final = 0x6F7665726C6170
"""Key of the lock under which is counted."""
EXAMPLES: Final = 50
"""Clients of each combination of registers that are kept by number, for a page."""
STATES: Final = ("only_a", "only_b", "both", "conflict")


@dataclass(frozen=True, slots=True)
class Pair:
    """What two registers had in common in one week; clients and prospects."""

    week_on: date
    register_a: str
    register_b: str
    only_a: int
    only_b: int
    in_both: int
    in_conflict: int
    taken_at: datetime
    is_latest: bool


@dataclass(frozen=True, slots=True)
class Combination:
    """Clients that stand in exactly these registers."""

    registers: Sequence[str]
    clients: int


def week_of(at: datetime) -> date:
    """Monday of its week, in UTC."""
    day = at.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def count(conn: psycopg.Connection[Any], *, at: datetime) -> None:
    """Count what all registers have in common and keep it as that of the week of `at`, in one transaction.

    Reads one moment and takes no hub lock: nobody waits for it but another count.
    """
    parameters = {"week_on": week_of(at), "at": at, "examples": EXAMPLES}
    with one_view(conn, COUNTING):
        for statement in (
            "find_presence", "analyse_presence", "find_conflicts", "forget_week", "forget_pairs", "store_combinations",
            "store_pairs", "drop_found",
        ):  # fmt: skip
            conn.execute(sql(f"overlap.{statement}"), parameters)


def is_counted(conn: psycopg.Connection[Any], at: datetime) -> bool:
    """Whether the week of `at` has been counted."""
    row = conn.execute(sql("overlap.has_week"), {"week_on": week_of(at)}).fetchone()
    return row is not None and bool(row[0])


def hub_size(conn: psycopg.Connection[Any]) -> int:
    """Clients as the last run counted them; 0 before."""
    row = conn.execute(sql("overlap.hub_size")).fetchone()
    return int(row[0]) if row else 0


def pairs(conn: psycopg.Connection[Any]) -> list[Pair]:
    """Every pair of registers in every week that was counted, oldest first."""
    return [Pair(*row) for row in conn.execute(sql("overlap.pairs"))]


def latest_pairs(conn: psycopg.Connection[Any]) -> list[Pair]:
    """Every pair of registers in the last week that was counted."""
    return [Pair(*row) for row in conn.execute(sql("overlap.latest_pairs"))]


def combinations(conn: psycopg.Connection[Any]) -> list[Combination]:
    """The combinations of registers of the last count, most clients first."""
    return [Combination(*row) for row in conn.execute(sql("overlap.combinations"))]


def some_clients(
    conn: psycopg.Connection[Any], register: str, other: str, *, is_in_both: bool, limit: int
) -> list[dict[str, Any]]:
    """client_id, display_name, kind of some clients of a register that stand in the other one too, or not: of the
    `EXAMPLES` kept for each combination when it was counted last, those that still do; `limit` at most."""
    asked = {"register": register, "other": other, "is_in_both": is_in_both, "limit": limit}
    return conn.cursor(row_factory=dict_row).execute(sql("overlap.some_clients"), asked).fetchall()


def clients(
    conn: psycopg.Connection[Any], register_a: str, register_b: str, state: str, *, limit: int
) -> list[dict[str, Any]]:
    """The clients behind one number of a pair (`state` of STATES) as they are now, by name."""
    parameters = {"register_a": register_a, "register_b": register_b, "state": state, "limit": limit}
    return conn.cursor(row_factory=dict_row).execute(sql("overlap.clients"), parameters).fetchall()
