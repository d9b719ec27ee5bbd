"""Relationships that identifiers state, branches of one legal entity and the owner of a sole proprietor; and those that
people state.

A function of the standard records, identifiers and judgements alone, brought up to date for what a change touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from warehouse import arrow
from warehouse.arrays import bigints
from warehouse.sql import sql
from warehouse.standard import replace_stated, stated_rows

_MANY: Final = 100_000
"""Records from which it is looked first whether any number relates at all, which reads all identifiers."""


def relate(conn: psycopg.Connection[Any], record_ids: Sequence[int], *, vat_sites: bool = False) -> int:
    """Make the relationships that the numbers of these records state (INN, OGRNIP; with `vat_sites` VAT) those that
    their present holders have, and those that people state of them what judgements in force say; how many changed.

    `record_ids` are records that changed, are new or have left. Call it before `facts.refresh`, in the same
    transaction, under the hub lock; only differences are written.
    """
    types = ["inn", "ogrnip", *(["vat"] if vat_sites else [])]
    if len(record_ids) >= _MANY and not _are_any(conn, types):
        return 0
    with conn.transaction():
        conn.execute(sql("related.find_numbers"), {"record_ids": bigints(record_ids), "types": types})
        stating = [row[0] for row in conn.execute(sql("related.stating"))]
        changed = 0
        if stating:
            conn.execute(sql("related.analyze_numbers"))
            conn.execute(sql("related.find_holders"))
            conn.execute(sql("related.analyze_holders"))
            with arrow.staged(conn, "stated_relationship", "core.relationship", stated_rows(None)):
                conn.execute(sql("related.state_owners"))
                conn.execute(sql("related.state_branches"))
                conn.execute(sql("related.state_judged"))
                conn.execute(sql("related.analyze_stated"))
                changed = len(replace_stated(conn, stating))
        conn.execute(sql("related.drop"))
    return changed


def _are_any(conn: psycopg.Connection[Any], types: Sequence[str]) -> bool:
    row = conn.execute(sql("related.are_any"), {"types": types}).fetchone()
    return row is not None and bool(row[0])
