"""What one client lived through with the company: promises, waits, requests, departments, and what was merely sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed, Literal

from warehouse.sql import sql

Row = dict[str, Any]
_PARTS: Final = (
    "promises", "broken", "waits", "requests", "repeats", "departments", "matters", "contacts", "not_counted", "span",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MailingRules:
    """What tells a greeting or a mailing: any of these."""

    types: Sequence[str] = ()
    channels: Sequence[str] = ()
    kinds: Sequence[str] = ()
    words: Sequence[str] = ()


def mailing(rules: MailingRules) -> Composed:
    """A query for the record ids of all greetings and mailings."""
    words = [f"%{word.replace('%', '')}%" for word in rules.words]
    told = {
        "types": list(rules.types),
        "channels": [one.lower() for one in rules.channels],
        "kinds": [one.lower() for one in rules.kinds],
        "words": words,
    }
    return sql("as_client.mailing").format(
        **{name: SQL("{}::text[]").format(Literal(list(values))) for name, values in told.items()}
    )


def lived_through(
    conn: psycopg.Connection[Any], client_id: str, rules: MailingRules, *, day: date, limit: int
) -> dict[str, list[Row]]:
    """By part (`_PARTS`) the rows of a client as of `day`; of broken promises the latest `limit`."""
    parameters = {"client_id": client_id, "day": day, "limit": limit}
    found: dict[str, list[Row]] = {}
    mailings = mailing(rules)
    with conn.cursor(row_factory=dict_row) as cursor:
        for part in _PARTS:
            statement = sql(f"as_client.{part}")
            query = statement.format(mailing=mailings) if "{mailing}" in statement.as_string(None) else statement
            found[part] = cursor.execute(query, parameters).fetchall()
    return found
