"""Schema `onefold_v1_asof`: the served views as they were known at a moment (`SET onefold.as_of = '2026-03-31'`).

Each view is made from the one of `onefold_v1` as the database holds it, its current relations replaced
by those of a moment (`definitions/032_as_of.sql`); so a column appended there is appended here.
"""

from __future__ import annotations

import re
from typing import Any, Final

import psycopg
from psycopg.sql import SQL, Literal

from warehouse.sql import qualified, sql

_MADE: Final = (
    ("core.served_party", "core.asof_served_party"),
    ("onefold_v1.dim_party", "onefold_v1_asof.dim_party"),
    ("onefold_v1.dim_client", "onefold_v1_asof.dim_client"),
    ("onefold_v1.xref_client_record", "onefold_v1_asof.xref_client_record"),
    ("onefold_v1.xref_client_redirect", "onefold_v1_asof.xref_client_redirect"),
    ("onefold_v1.fct_interaction", "onefold_v1_asof.fct_interaction"),
    ("onefold_v1.fct_interaction_line", "onefold_v1_asof.fct_interaction_line"),
    ("onefold_v1.fct_promise", "onefold_v1_asof.fct_promise"),
    ("onefold_v1.bridge_relationship", "onefold_v1_asof.bridge_relationship"),
)
_CURRENT: Final = re.compile(
    r"\bcore\.(?:published_(interaction|line|promise|relationship|link|link_span|card)|(client|served_party))\b"
)


def compose(conn: psycopg.Connection[Any]) -> None:
    """Make the views anew from those of `onefold_v1`; columns are only appended, as they are there."""
    for view, made in _MADE:
        row = conn.execute(sql("served.definition"), {"view": view}).fetchone()
        if row is None:
            continue
        text = _CURRENT.sub(lambda found: f"core.asof_{found[1] or found[2]}", row[0])
        conn.execute(SQL("CREATE OR REPLACE VIEW {} AS {}").format(qualified(made), SQL(text.rstrip("; \n"))))
        comment = Literal(f"{row[1]}, as it was known at the moment asked about")
        conn.execute(sql("served.comment_view").format(view=qualified(made), comment=comment))
