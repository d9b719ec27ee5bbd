"""The catalogue of a hub's database as plain facts, to compare one that the models made with one that
migrations made.

Alembic's own check overlooks index predicates, exclusion constraints, functions, views, comments and grants.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg

from warehouse.sql import sql

_FACTS: Final = (
    "schemas",
    "relations",
    "columns",
    "constraints",
    "indexes",
    "views",
    "functions",
    "policies",
    "triggers",
)


def catalogue(conn: psycopg.Connection[Any]) -> dict[str, str]:
    """`kind name` -> definition, of everything in the hub's schemas; ops.alembic_version is left out."""
    facts: dict[str, str] = {}
    for kind in _FACTS:
        for name, definition in conn.execute(sql(f"catalogue.{kind}")):
            facts[f"{kind} {name}"] = definition
    return facts


def differences(left: dict[str, str], right: dict[str, str]) -> list[str]:
    """One line for each fact that stands in one catalogue only, or differently; empty: they are the same."""
    lines = []
    for name in sorted(left.keys() | right.keys()):
        if left.get(name) != right.get(name):
            lines.append(f"{name}: {left.get(name, '(missing)')} <> {right.get(name, '(missing)')}")
    return lines
