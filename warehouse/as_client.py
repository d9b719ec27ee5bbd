"""What one client lived through with the company: promises, waits, requests, departments, and what was merely sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed, Literal, Placeholder

from warehouse.clock import today_is
from warehouse.connect import unit_of_work
from warehouse.sql import sql

Row = dict[str, Any]
_PARTS: Final = (
    "promises", "broken", "waits", "asked", "unanswered", "complaints", "repeats", "departments", "matters", "contacts",
    "not_counted", "span",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MailingRules:
    """What tells a greeting or a mailing: any of these."""

    types: Sequence[str] = ()
    channels: Sequence[str] = ()
    kinds: Sequence[str] = ()
    words: Sequence[str] = ()


def mailing(rules: MailingRules) -> Composed:
    """A query, without parameters, for the record ids of all greetings and mailings."""
    values = {name: SQL("{}::text[]").format(Literal(words)) for name, words in _told(rules).items()}
    return sql("as_client.mailing").format(**values)


def _told(rules: MailingRules) -> dict[str, list[str]]:
    return {
        "types": list(rules.types),
        "channels": [one.lower() for one in rules.channels],
        "kinds": [one.lower() for one in rules.kinds],
        "words": [f"%{word.replace('%', '')}%" for word in rules.words],
    }


def lived_through(
    conn: psycopg.Connection[Any], client_id: str, rules: MailingRules, *, day: date, limit: int
) -> dict[str, list[Row]]:
    """By part (`_PARTS`) the rows of a client as of `day`; of broken promises, requests without an answer, complaints
    and repeats the first `limit`."""
    told = _told(rules)
    parameters = {"client_id": client_id, "day": day, "limit": limit, **told}
    found: dict[str, list[Row]] = {}
    mailings = sql("as_client.mailing").format(**{name: SQL("{}::text[]").format(Placeholder(name)) for name in told})
    with unit_of_work(conn), conn.cursor(row_factory=dict_row) as cursor:
        today_is(conn, day)
        for part in _PARTS:
            query = sql(f"as_client.{part}").format(mailing=mailings, request=sql("as_client.request"))
            found[part] = cursor.execute(query, parameters).fetchall()
    return found
