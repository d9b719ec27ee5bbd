"""Running what users write: as the reader, read-only, within a time.

onefold/configuration/served_sql.py refuses what is not one SELECT over the served views before it comes here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.errors import InsufficientPrivilege, InvalidParameterValue, UndefinedObject
from psycopg.sql import Identifier

from warehouse import row_security
from warehouse.connect import unit_of_work
from warehouse.roles import role_names
from warehouse.sql import sql


def reading_role(conn: psycopg.Connection[Any]) -> str | None:
    """The role as which definitions run: the reader; where readers are held to their departments, the steward, who sees
    all. None where we may not become it: on a server of yours without the hub's roles."""
    names = role_names(conn.info.dbname)
    role = names.steward if row_security.is_on(conn) else names.reader
    try:
        with unit_of_work(conn):
            conn.execute(sql("metrics.role").format(role=Identifier(role)))
    except (InsufficientPrivilege, UndefinedObject, InvalidParameterValue):
        return None
    return role


@contextmanager
def as_reader(conn: psycopg.Connection[Any], role: str | None, *, seconds: float) -> Iterator[None]:
    """A read-only transaction as `role`: each statement has so many seconds, and temporary tables can be filled."""
    with unit_of_work(conn):
        conn.execute(sql("metrics.read_only"))
        if role is not None:
            conn.execute(sql("metrics.role").format(role=Identifier(role)))
        conn.execute(sql("metrics.limit_time"), {"milliseconds": int(1000 * seconds)})
        yield
