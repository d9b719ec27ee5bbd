"""What is measured of clients: definitions are run on the served views, and their sums stored by client and month.

A definition's rows of one client depend on that client's dealings alone, so that those of clients with news are
asked for again, with the outcome of asking for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.rows import dict_row, namedtuple_row
from psycopg.sql import SQL, Composed, Identifier, Literal

from warehouse import arrow
from warehouse.as_client import MailingRules, mailing
from warehouse.clock import today_is
from warehouse.connect import redact
from warehouse.served_sql import as_reader
from warehouse.sql import sql

SECONDS: Final = 600.0
"""How long one definition may take."""
_TABLE: Final = "core.client_metric_month"


@dataclass(frozen=True, slots=True)
class Definition:
    """What is asked of the served views."""

    metric: str
    kind: str
    sql: str


@dataclass(frozen=True, slots=True)
class Asked:
    """As of which day, what a mailing is, and of which clients (None: of all)."""

    day: date
    mailings: MailingRules
    clients: Sequence[UUID] | None = None


def observe(
    conn: psycopg.Connection[Any], definitions: Sequence[Definition], asked: Asked, role: str | None
) -> dict[str, str]:
    """Run the definitions into the temporary table metric_found; by name what was wrong with those that failed.

    Each runs as `role` in a transaction that writes nothing else. The table is there until `forget_found`.
    """
    conn.execute(sql("metrics.drop_found"))
    conn.execute(sql("metrics.make_found"))
    if role is not None:
        conn.execute(sql("metrics.let_in").format(role=Identifier(role)))
    failed: dict[str, str] = {}
    with as_reader(conn, role, seconds=SECONDS):
        today_is(conn, asked.day)
        for one in definitions:
            try:
                with conn.transaction():
                    conn.execute(_observation(one, asked))
            except psycopg.Error as error:
                failed[one.metric] = redact(error)
    conn.execute(sql("metrics.index_found"))
    conn.execute(sql("metrics.analyse_found"))
    return failed


def try_out(
    conn: psycopg.Connection[Any], definition: Definition, asked: Asked, role: str | None
) -> tuple[list[str], str | None]:
    """The columns of a definition, and what is wrong when it is run: nothing is observed."""
    with as_reader(conn, role, seconds=30):
        today_is(conn, asked.day)
        try:
            with conn.transaction():
                columns = [one.name for one in conn.execute(_columns(definition, asked)).description or ()]
                statement = _observation(definition, asked)
            return columns, _explained(conn, statement) if _has_columns(definition, columns) else None
        except psycopg.Error as error:
            return [], redact(error)


def _has_columns(definition: Definition, columns: Sequence[str]) -> bool:
    return {"client_id", "occurred_on", "value", *(("weight",) if definition.kind == "ratio" else ())} <= set(columns)


def _explained(conn: psycopg.Connection[Any], statement: Composed) -> str | None:
    try:
        with conn.transaction():
            # Planned against the table that is there in a real look only: without the INSERT.
            text = statement.as_string(conn)
            conn.execute(sql("metrics.explain").format(statement=SQL(text[text.index("WITH hub_day") :])))
    except psycopg.Error as error:
        return redact(error)
    return None


def forget_found(conn: psycopg.Connection[Any]) -> None:
    """Take away what `observe` left."""
    conn.execute(sql("metrics.drop_found"))


def store_months(conn: psycopg.Connection[Any], failed: Sequence[str], *, touched: bool) -> int:
    """Bring the stored sums up to metric_found, of the clients in need_client or of all; how many rows were written."""
    parameters = {"failed": list(failed)}
    scope = "t.client_id IN (SELECT s.client_id FROM need_client AS s)" if touched else "true"
    written = 0
    if not arrow.is_empty(conn, _TABLE):
        written += conn.execute(sql("metrics.drop_months").format(in_scope=SQL(scope)), parameters).rowcount
        if failed:
            written += conn.execute(sql("metrics.drop_failed"), parameters).rowcount
        written += conn.execute(sql("metrics.change_months")).rowcount
    with arrow.indexes_rebuilt(conn, [_TABLE], wanted=not touched, anew=True):
        written += conn.execute(sql("metrics.add_months")).rowcount
    return written


def sums(conn: psycopg.Connection[Any]) -> list[Any]:
    """By metric and place: metric, scope, month, scheme, segment, n, m, t, w, tt, tw, ww (`onefold.measures.Sums`)."""
    with conn.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(sql("metrics.sums")).fetchall()


def store(conn: psycopg.Connection[Any], table: str, rows: Sequence[Mapping[str, Any]], key: Sequence[str]) -> int:
    """Make these the rows of one of our small tables; only differences are written, how many."""
    with conn.cursor(row_factory=dict_row) as cursor:
        stored = cursor.execute(SQL("SELECT * FROM core.{}").format(Identifier(table))).fetchall()
        held = {tuple(row[name] for name in key): row for row in stored}
        wanted = {tuple(row[name] for name in key): dict(row) for row in rows}
        gone = [place for place, row in held.items() if wanted.get(place) != row]
        new = [row for place, row in wanted.items() if held.get(place) != row]
        where = SQL(" AND ").join(SQL("{} = %s").format(Identifier(name)) for name in key)
        cursor.executemany(SQL("DELETE FROM core.{} WHERE {}").format(Identifier(table), where), gone)
        if new:
            names = list(new[0])
            insert = SQL("INSERT INTO core.{} ({}) VALUES ({})").format(
                Identifier(table),
                SQL(", ").join(map(Identifier, names)),
                SQL(", ").join(SQL("%s") for _ in names),
            )
            cursor.executemany(insert, [[row[name] for name in names] for row in new])
    return len(new) + sum(place not in wanted for place in gone)


def grounds(conn: psycopg.Connection[Any], names: Sequence[str], since: date, *, minimum: int) -> list[Any]:
    """Of the grounds of loyalty by band and stratum of volume: metric, band, stratum, clients, retained, repeated."""
    parameters = {"grounds": list(names), "since": since, "minimum": minimum}
    with conn.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(sql("metrics.grounds"), parameters).fetchall()


def clear(conn: psycopg.Connection[Any]) -> None:
    """Forget all of it: there is no metrics.yaml any more."""
    for table in ("loyalty_band", "loyalty", "metric_value", "client_metric_month", "metric"):
        conn.execute(sql("metrics.clear").format(table=Identifier(table)))


def read(conn: psycopg.Connection[Any], what: str, **parameters: Any) -> list[dict[str, Any]]:
    """metrics, values, of_client, loyalty or loyalty_bands."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql(f"metrics.{what}"), parameters).fetchall()


def touched_clients(conn: psycopg.Connection[Any]) -> list[UUID]:
    """Those that `needs.touch` noted."""
    return [row[0] for row in conn.execute(sql("metrics.touched"))]


def take_touched(conn: psycopg.Connection[Any], clients: Sequence[UUID]) -> None:
    """Make these the clients of need_client, until the transaction ends: who was observed, not who has news by now."""
    conn.execute(sql("metrics.take_touched"), {"clients": list(clients)})
    conn.execute(sql("metrics.analyse_touched"))


def standing(conn: psycopg.Connection[Any]) -> UUID:
    """A fingerprint that moves when rows are taken away or added, or when clients change segments."""
    row = conn.execute(sql("metrics.standing")).fetchone()
    assert row is not None
    found: UUID = row[0]
    return found


def _observation(one: Definition, asked: Asked) -> Composed:
    among = SQL("AND q.client_id = ANY ({}::uuid[])").format(Literal(list(asked.clients or ())))
    return sql("metrics.observe").format(
        metric=Literal(one.metric),
        # A share's values are true and false; their sum is how many are true.
        value=SQL("q.value::boolean::integer::numeric" if one.kind == "share" else "q.value::numeric"),
        weight=SQL("q.weight::numeric" if one.kind == "ratio" else "1::numeric"),
        among=SQL("") if asked.clients is None else among,
        **_around(one, asked),
    )


def _columns(one: Definition, asked: Asked) -> Composed:
    return sql("metrics.columns").format(**_around(one, asked))


def _around(one: Definition, asked: Asked) -> dict[str, Any]:
    return {
        # What a user wrote, looked at before and run as the reader.
        "definition": SQL(one.sql.rstrip().rstrip(";")),
        "today": Literal(asked.day.isoformat()),
        "mailing": mailing(asked.mailings),
        "promise": sql("as_client.promise"),
    }
