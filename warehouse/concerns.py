"""Concerns: asked of what is served, by a reader who cannot write, and kept with the rows that prove them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import errors
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composable, Identifier, Literal
from psycopg.types.json import Jsonb

from warehouse import row_security
from warehouse.arrays import nullable
from warehouse.clock import today_is
from warehouse.concern_rules import SERVED, Asked, Written
from warehouse.roles import role_names
from warehouse.sql import sql

PROMISES: Final = ("fct_promise", "fct_promise_outcome")
MOST: Final = 100_000
"""Rows of a concern that are kept."""


class Found(NamedTuple):
    """A row that proves a concern."""

    client_id: str | None
    record_id: int | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question found, or why it could not be asked."""

    rows: Sequence[Found] = ()
    is_cut: bool = False
    failed: str | None = None


def ask(conn: psycopg.Connection[Any], asked: Asked, *, today: date, milliseconds: int) -> Answer:
    """Ask one question of the served views, in a transaction of its own that cannot write, as the hub's reader.

    Where readers are held to departments, or the hub may not become its reader, it asks as the hub itself.
    """
    assert asked.rule is not None
    try:
        with conn.transaction():
            conn.execute(sql("concerns.read_only"))
            conn.execute(sql("concerns.timeout"), {"milliseconds": milliseconds})
            today_is(conn, today)
            _become_reader(conn)
            rows = _rows(conn, asked, SERVED, today)
    except errors.QueryCanceled:
        return Answer(failed=f"It took longer than {milliseconds / 1000:g} s. Ask for less, or raise `timeout`.")
    except psycopg.Error as error:
        if conn.closed:
            raise
        # The message of an error of data quotes the value.
        told = str(error).splitlines()[0] if (error.sqlstate or "22")[:2] == "42" else ""
        return Answer(failed=f"{type(error).__name__} ({error.sqlstate}){': ' + told if told else ''}")
    return Answer(rows[:MOST], len(rows) > MOST)


def _become_reader(conn: psycopg.Connection[Any]) -> None:
    if row_security.is_on(conn):
        return
    try:
        with conn.transaction():
            conn.execute(sql("export.become").format(role=Identifier(role_names(conn.info.dbname).reader)))
    except (errors.InsufficientPrivilege, errors.UndefinedObject, errors.InvalidParameterValue):
        return


def _rows(conn: psycopg.Connection[Any], asked: Asked, schema: str, today: date) -> list[Found]:
    rule = asked.rule
    if isinstance(rule, Written):
        text = rule.shifted(rule.text, today, schema)
        columns = {row.name for row in (conn.execute(sql("concerns.shape").format(query=SQL(text))).description or ())}
        picked = SQL(", ").join(
            SQL("q.{}").format(Identifier(name))
            if name in columns
            else SQL("NULL::{} AS {}").format(SQL(kind), SQL(name))
            for name, kind in (("client_id", "uuid"), ("record_id", "bigint"), ("note", "text"))
        )
        query: Composable = SQL("SELECT {} FROM ({}) AS q").format(picked, SQL(text.replace("%", "%%")))
    else:
        assert rule is not None
        query = rule.query(schema)
    limited = sql("concerns.limited").format(query=query, most=Literal(MOST + 1))
    found = conn.execute(limited, {"today": today}).fetchall()
    return [Found(*one) for one in found]


def try_example(
    conn: psycopg.Connection[Any], asked: Asked, rows: Mapping[str, Sequence[Mapping[str, Any]]], *, today: date
) -> int:
    """For how many clients (rows, where they are of none) the question would be raised by these rows of views, and
    nothing else; in temporary tables of the views' names, which go with the caller's transaction."""
    for view, these in rows.items():
        table = Identifier("pg_temp", view)
        made = sql("concerns.example_table").format(table=Identifier(view), view=Identifier(SERVED, view))
        conn.execute(made)
        conn.execute(sql("concerns.fill_example").format(table=table), {"rows": Jsonb(list(these))})
        if view in PROMISES:
            conn.execute(sql("concerns.settle_example").format(table=table), {"today": today})
    found = _rows(conn, asked, "pg_temp", today)
    for view in rows:
        conn.execute(SQL("DROP TABLE {}").format(Identifier("pg_temp", view)))
    return weight_of({one.client_id for one in found}, len({one[:2] for one in found}))


def columns_of(conn: psycopg.Connection[Any], view: str) -> list[str]:
    """The columns of a served view; none: there is no such view."""
    return [row[0] for row in conn.execute(sql("concerns.columns"), {"view": f"{SERVED}.{view}"})]


def weight_of(clients: set[str | None], rows: int) -> int:
    """What a threshold is held against."""
    named = len(clients - {None})
    return named if named else rows


def lock(conn: psycopg.Connection[Any]) -> None:
    """One process stores at a time, until the transaction ends."""
    conn.execute(sql("concerns.lock"))


def known(conn: psycopg.Connection[Any]) -> set[str]:
    """The concerns that are stored."""
    return {row[0] for row in conn.execute(sql("concerns.known"))}


def store(
    conn: psycopg.Connection[Any], asked: Asked, answer: Answer, *, at: datetime, is_new_rule: bool
) -> str | None:
    """Keep what a question found; only differences are written. "raised" or "closed", where that is news.

    A question that failed leaves its rows, and whether it is raised, as they were.
    """
    before = _stored(conn, asked.name)
    place = {"concern": asked.name, "at": at}
    if answer.failed is not None:
        counts = {name: before[name] if before else 0 for name in ("clients", "row_count")}
        row = {**asked.row, **counts, "is_cut": bool(before and before["is_cut"])}
        _store_row(conn, before, {**row, "state": "failed", "why": answer.failed})
        return None
    state, counts = _stage(conn, asked, answer)
    for statement in ("drop_rows", "change_rows", "add_rows"):
        conn.execute(sql(f"concerns.{statement}"), place)
    conn.execute(sql("concerns.drop_staged"))
    _store_row(conn, before, {**asked.row, **counts, "state": state, "why": asked.why})
    if state == "raised":
        opened = conn.execute(sql("concerns.raise"), {**place, **counts, "threshold": asked.row["threshold"]}).rowcount
        return "raised" if opened else None
    why = "not_available" if asked.rule is None else "rules" if is_new_rule else "calm"
    return "closed" if conn.execute(sql("concerns.close"), {**place, "why": why}).rowcount else None


def told(conn: psycopg.Connection[Any], asked: Asked, answer: Answer) -> dict[str, Any]:
    """A concern as `listed` has it by this answer, of which nothing is kept."""
    nothing = {"clients": 0, "row_count": 0, "is_cut": False}
    if answer.failed is not None:
        return {**asked.row, **nothing, "state": "failed", "why": answer.failed}
    with conn.transaction(force_rollback=True):
        state, counts = _stage(conn, asked, answer)
    return {**asked.row, **counts, "state": state, "why": asked.why}


def _stage(conn: psycopg.Connection[Any], asked: Asked, answer: Answer) -> tuple[str, dict[str, Any]]:
    """The rows of an answer in the temporary table new_concern_row, the state that they mean, and their counts."""
    conn.execute(
        sql("concerns.stage"),
        {
            "client_ids": [one.client_id for one in answer.rows],
            "record_ids": nullable(one.record_id for one in answer.rows),
            "notes": [one.note for one in answer.rows],
        },
    )
    counted = conn.execute(sql("concerns.count_staged")).fetchone()
    assert counted is not None
    clients, rows = counted
    is_raised = asked.rule is not None and (clients or rows) >= int(asked.row["threshold"])
    state = "not_available" if asked.rule is None else "raised" if is_raised else "calm"
    return state, {"clients": clients, "row_count": rows, "is_cut": answer.is_cut}


def forget(conn: psycopg.Connection[Any], name: str, *, at: datetime) -> bool:
    """The question is asked no more; when it was raised stays. Whether it was raised."""
    place = {"concern": name, "at": at}
    closed = conn.execute(sql("concerns.close"), {**place, "why": "gone"}).rowcount
    for statement in ("forget_rows", "forget"):
        conn.execute(sql(f"concerns.{statement}"), place)
    return bool(closed)


def acknowledge(conn: psycopg.Connection[Any], name: str, *, by: str, reason: str, at: datetime) -> str | None:
    """Note that somebody took note of what is raised now: since when it is; None: it is not raised."""
    row = conn.execute(sql("concerns.acknowledge"), {"concern": name, "by": by, "reason": reason, "at": at}).fetchone()
    return None if row is None else str(row[0])


def listed(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """All concerns in their order, as they stand."""
    return _dicts(conn, "list", {})


def raised(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Those of `listed` that are raised now, also while they cannot be asked anew."""
    return [one for one in listed(conn) if one["raised_at"] is not None]


def raises(conn: psycopg.Connection[Any], name: str) -> list[dict[str, Any]]:
    """When a concern was raised and over, the latest first; at most 50."""
    return _dicts(conn, "raises", {"concern": name})


def rows(
    conn: psycopg.Connection[Any], name: str, *, after: str | None = None, client_id: str | None = None, limit: int
) -> list[dict[str, Any]]:
    """Rows that prove a concern now, with client and dealing, on from a row key."""
    return _dicts(conn, "rows", {"concern": name, "after": after, "client_id": client_id, "limit": limit})


def of_client(conn: psycopg.Connection[Any], client_id: str) -> list[dict[str, Any]]:
    """The raised concerns that a client is part of."""
    return _dicts(conn, "of_client", {"client_id": client_id})


def _stored(conn: psycopg.Connection[Any], name: str) -> dict[str, Any] | None:
    found = _dicts(conn, "stored", {"concern": name})
    return found[0] if found else None


def _store_row(conn: psycopg.Connection[Any], before: Mapping[str, Any] | None, row: Mapping[str, Any]) -> None:
    if before != row:
        conn.execute(sql("concerns.store"), row)


def _dicts(conn: psycopg.Connection[Any], statement: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql(f"concerns.{statement}"), parameters).fetchall()
