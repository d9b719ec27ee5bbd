"""By what each client is in a reader's scope: the sources of its records and the types of its interactions.

As they were last published, in `core.client_scope`. Found out for each row that a reader asks for, that would take many
times as long. The table is empty while row-level security is off, so that publishing costs nothing for it.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg

from warehouse.sql import sql

_MANY: Final = 100_000
"""Changed clients from which all are found anew, in two passes: a first publish, mostly."""


def fill(conn: psycopg.Connection[Any]) -> None:
    """The scopes of all clients anew; under the hub lock."""
    for statement in ("forget", "fill", "are_filled"):
        conn.execute(sql(f"client_scopes.{statement}"))


def ensure(conn: psycopg.Connection[Any]) -> None:
    """The scopes as of what is published now: filled where they are not kept, else kept up. Under the hub lock."""
    row = conn.execute(sql("client_scopes.is_kept")).fetchone()
    if row is not None and row[0]:
        keep_up(conn)
    else:
        fill(conn)


def forget(conn: psycopg.Connection[Any]) -> None:
    """Nobody is held to departments any more: nothing is kept up until `fill`. Under the hub lock."""
    for statement in ("forget", "are_forgotten"):
        conn.execute(sql(f"client_scopes.{statement}"))


def keep_up(conn: psycopg.Connection[Any]) -> None:
    """Bring the scopes up to what was published since; under the hub lock, in the transaction that publishes. Without
    `fill` before it nothing is done."""
    row = conn.execute(sql("client_scopes.behind")).fetchone()
    if row is None:
        return
    changed = conn.execute(sql("client_scopes.find_changed"), {"after": row[0]}).rowcount
    if changed >= _MANY:
        conn.execute(sql("client_scopes.drop_changed"))
        fill(conn)
        return
    for statement in ("analyse_changed", "refresh", "drop_changed", "are_kept_up"):
        conn.execute(sql(f"client_scopes.{statement}"))
