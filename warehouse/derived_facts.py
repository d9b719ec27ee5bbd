"""What follows from facts: chains over parents, reversals both ways, amounts in the reporting currency.

`derive` works for the interactions that publish is about to write and adds those to them that follow suit: a late
parent moves the chain of its children, a late rate fills the amounts that waited for it. Everything is set-based, in
publish's transaction and under the hub lock. `facts.refresh_interactions` writes the outcome with the clients.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from warehouse.arrays import bigints
from warehouse.sql import sql

_DOUBLINGS: Final = 12
"""Chains of up to 4,096 links are followed to their top; what goes on then is taken for a ring."""


def derive(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> int:
    """Find what follows for the rows of the temporary table `moved_fact`, extend it, and leave `derived_fact`; how many
    exchange rates are new or changed, which `waiting_rate` then holds.

    `record_ids` are those that publish was asked for: interactions among them that were published in another reporting
    currency, or without a rate, are looked at again. Nothing is locked yet: what changes meanwhile comes again.
    """
    rates = conn.execute(sql("derived_facts.find_waiting_rates")).rowcount
    currency, days = reporting(conn)
    parameters = {"currency": currency, "days": days, "record_ids": bigints(record_ids)}
    if currency is not None:
        conn.execute(sql("derived_facts.report_again"), parameters)
    row = conn.execute(sql("derived_facts.is_concerned"), parameters).fetchone()
    if row is None or not row[0]:
        conn.execute(sql("derived_facts.nothing"))
        return rates
    conn.execute(sql("derived_facts.analyse"))
    _chains(conn)
    for statement in ("start_reversals", "start_reversed", "add_moved_reversals"):
        conn.execute(sql(f"derived_facts.{statement}"))
    conn.execute(sql("derived_facts.start_rates"), parameters)
    for statement in ("add_moved_rates", "gather", "drop"):
        conn.execute(sql(f"derived_facts.{statement}"))
    return rates


def _chains(conn: psycopg.Connection[Any]) -> None:
    conn.execute(sql("derived_facts.start_chains"))
    conn.execute(sql("derived_facts.index_linked"))
    level, found = 0, conn.execute(sql("derived_facts.children_of_moved")).rowcount
    while found:
        level += 1
        found = conn.execute(sql("derived_facts.children_of_level"), {"level": level}).rowcount
    conn.execute(sql("derived_facts.find_tops"))
    conn.execute(sql("derived_facts.index_climbed"))
    for _ in range(_DOUBLINGS):
        if not conn.execute(sql("derived_facts.climb")).rowcount:
            break
    for statement in ("found_chains", "add_moved_chains"):
        conn.execute(sql(f"derived_facts.{statement}"))


def reporting(conn: psycopg.Connection[Any]) -> tuple[str | None, int]:
    """The reporting currency (None: no publish has said it yet) and for how many days a rate holds."""
    row = conn.execute(sql("derived_facts.reporting")).fetchone()
    return (None, 0) if row is None else (row[0], row[1])


def report_in(conn: psycopg.Connection[Any], currency: str, days: int) -> bool:
    """Make `currency` the reporting currency, with rates that hold for `days`; whether that is news.

    Then amounts of another one, and those without a rate, are queued for publish. Under the hub lock.
    """
    if reporting(conn) == (currency, days):
        return False
    conn.execute(sql("derived_facts.store_reporting"), {"currency": currency, "days": days})
    conn.execute(sql("derived_facts.report_anew"), {"currency": currency})
    return True


def missing_rates(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Amounts that have none in the reporting currency, by their currency: how many, from which day to which."""
    names = ("currency", "interactions", "first_on", "last_on")
    return [dict(zip(names, row, strict=True)) for row in conn.execute(sql("derived_facts.missing_rates"))]
