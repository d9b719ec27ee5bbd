"""The first links of a hub go into empty tables by COPY: nobody has to be asked what was there, nor what moved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from warehouse import arrow
from warehouse.clock import allocate_events
from warehouse.sql import sql

_TABLES: Final = ("identity.crosswalk", "identity.crosswalk_history", "identity.review_case")


def are_first(conn: psycopg.Connection[Any]) -> bool:
    """No record was ever linked, and no case opened."""
    return all(arrow.is_empty(conn, table) for table in _TABLES)


def served_by(conn: psycopg.Connection[Any], event: int) -> int | None:
    """The number of links that are made by this change event. Those of a first load are served with the first golden
    records; later ones are numbered by publish."""
    return event if arrow.is_empty(conn, "core.client") else None


def store(
    conn: psycopg.Connection[Any], assignments: pa.Table, cases: pa.Table, *, as_of: datetime, changed: Sequence[int]
) -> int:
    """What `resolution.apply` leaves of ASSIGNMENT and REVIEW_CASE where `are_first`; how many records are linked."""
    links = assignments.filter(pc.is_valid(assignments["client_id"])).sort_by("record_id")
    if links.num_rows:
        count, event = links.num_rows, allocate_events(conn, 1)
        at, seq = _moment(as_of, count), pa.repeat(pa.scalar(served_by(conn, event), pa.int64()), count)
        arrow.load(conn, "identity.crosswalk", links.append_column("since", at).append_column("changed_seq", seq))
        history = links.append_column("valid_from", at).append_column("opened_seq", seq)
        arrow.load(conn, "identity.crosswalk_history", history)
        conn.execute(sql("resolution.links_event"), {"as_of": as_of, "seq": event, "count": count})
        conn.execute(sql("resolution.set_clients"), {"clients": pc.count_distinct(links["client_id"]).as_py()})
    # A record that both moved and changed is published once.
    ids = np.union1d(links["record_id"].to_numpy(), np.array(changed, dtype=np.int64))
    step = pa.repeat(pa.scalar("publish"), len(ids))
    arrow.copy_in(conn, "ops.pending", pa.table({"step": step, "record_id": pa.array(ids)}))
    arrow.load(conn, "identity.review_case", cases.append_column("opened_at", _moment(as_of, cases.num_rows)))
    return int(links.num_rows)


def _moment(at: datetime, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(at, pa.timestamp("us", tz="UTC")), count)
