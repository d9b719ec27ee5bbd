"""What the clients of a scheme got, for the mirror, and what it found. Read within the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import psycopg
import pyarrow as pa
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier, Placeholder

from warehouse import arrow
from warehouse.need_rules import Condition, meets
from warehouse.sql import sql

_CLIENT: Final = pa.schema(
    [("place", pa.int64()), ("segment", pa.string()), ("region", pa.string()), ("first_on", pa.date32())]
)
_BUSINESS: Final = pa.schema(
    [
        ("place", pa.int64()),
        ("dealings", pa.int64()),
        ("amount", pa.float64()),
        ("sales", pa.int64()),
        ("years", pa.float64()),
    ]
)
_ITEM: Final = pa.schema([("place", pa.int64()), ("item", pa.int64()), ("share", pa.float64())])
_VALUE: Final = pa.schema([("place", pa.int64()), ("value", pa.float64()), ("dealings", pa.int64())])


@dataclass(frozen=True, slots=True)
class Measured:
    """An outcome as the warehouse takes it."""

    measure: str
    types: Sequence[str]
    conditions: Sequence[Condition]
    ends: Sequence[str]
    promise: str | None


def begin(conn: psycopg.Connection[Any], scheme: str, *, most: int) -> pa.Table:
    """At most so many clients of a scheme by place: segment (null: none), region and the day of the first
    dealing on its own account; until `end`."""
    conn.execute(sql("mirror.clients"), {"scheme": scheme, "most": most})
    conn.execute(sql("mirror.analyse_clients"))
    return arrow.read(conn, sql("mirror.read_clients"), schema=_CLIENT)


def end(conn: psycopg.Connection[Any]) -> None:
    """Take away what `begin` left."""
    conn.execute(sql("mirror.drop_clients"))


def business(conn: psycopg.Connection[Any], since: date, until: date) -> pa.Table:
    """Of each client that has any: its dealings, their amount, sales, and years since the first."""
    return arrow.read(conn, sql("mirror.business"), {"since": since, "until": until}, schema=_BUSINESS)


def items(conn: psycopg.Connection[Any], since: date, until: date, *, fewest: int, most: int) -> pa.Table:
    """Shares of the commonest items, which at least `fewest` clients take, among each client's lines."""
    parameters = {"since": since, "until": until, "fewest": fewest, "most": most}
    return arrow.read(conn, sql("mirror.items"), parameters, schema=_ITEM)


def outcome(conn: psycopg.Connection[Any], measured: Measured, since: date, until: date) -> pa.Table:
    """Of each client that has dealings of the types: mean logarithm of days and half a day; share; or number."""
    met = SQL(" AND ").join([SQL("true"), *map(meets, measured.conditions)])
    query = sql(f"mirror.{measured.measure}").format(met=met)
    parameters = {
        "types": list(measured.types),
        "ends": list(measured.ends),
        "promise": measured.promise,
        "since": since,
        "until": until,
    }
    return arrow.read(conn, query, parameters, schema=_VALUE)


def store(conn: psycopg.Connection[Any], scheme: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make these what is known of the scheme, each with the verdict before it: the last that was another one and could
    tell. Who stores at the same time waits until this transaction ends."""
    conn.execute(sql("mirror.lock"))
    before = {
        (segment, outcome): (verdict, former)
        for segment, outcome, verdict, former in conn.execute(sql("mirror.verdicts"), {"scheme": scheme})
    }
    conn.execute(sql("mirror.forget_scheme"), {"scheme": scheme})
    if not rows:
        return
    rows = [
        {**row, "former_verdict": _former(row["verdict"], *before.get((row["segment"], row["outcome"]), (None, None)))}
        for row in rows
    ]
    names = list(rows[0])
    statement = SQL("INSERT INTO core.segment_mirror ({}) VALUES ({})").format(
        SQL(", ").join(map(Identifier, names)), SQL(", ").join(map(Placeholder, names))
    )
    with conn.cursor() as cursor:
        cursor.executemany(statement, list(rows))


def _former(verdict: str, last: str | None, former: str | None) -> str | None:
    """The verdict before this one.

    >>> _former("decorative", "as_promised", None), _former("decorative", "cannot_tell", "as_promised")
    ('as_promised', 'as_promised')
    """
    return former if last in (None, verdict, "cannot_tell") else last


def decayed(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Of served schemes what was served as promised, and is promised but served like everyone now: scheme, segment and
    outcome, each with its labels, and looked_at."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("mirror.decayed")).fetchall()


def forget_others(conn: psycopg.Connection[Any], schemes: Sequence[str]) -> None:
    """Schemes that are not among these are known no more."""
    conn.execute(sql("mirror.forget"), {"schemes": list(schemes)})


def found(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """What is known of the served schemes, in the order of segments.yaml."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("mirror.found")).fetchall()
