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
from warehouse.arrays import bigints
from warehouse.clock import allocate_events
from warehouse.sql import sql

_SOURCE: Final = pa.schema(
    [pa.field("record_id", pa.int64(), nullable=False), pa.field("source", pa.string(), nullable=False)]
)
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
    opened = cases.append_column("opened_at", _moment(as_of, cases.num_rows))
    arrow.load(conn, "identity.review_case", opened.append_column("sources", _sources_of(conn, cases)))
    return int(links.num_rows)


def _sources_of(conn: psycopg.Connection[Any], cases: pa.Table) -> pa.Array:
    """The sources of the records of each case, as PostgreSQL writes an array of them."""
    lists = cases["record_ids"].combine_chunks()
    ids, of = lists.flatten(), pc.list_parent_indices(lists).to_numpy()
    asked = {"record_ids": bigints(pc.unique(ids).to_pylist())}
    known = arrow.read(conn, sql("resolution.sources_of"), asked, schema=_SOURCE)
    names = pc.unique(known["source"]).sort()
    codes = pc.index_in(known["source"].combine_chunks(), value_set=names)
    code = codes.take(pc.index_in(ids, value_set=known["record_id"].combine_chunks()))
    is_known = code.is_valid().to_numpy(zero_copy_only=False)
    # Each once, in order: of case and name one number.
    number = np.unique(of[is_known].astype(np.int64) * max(len(names), 1) + code.drop_null().to_numpy())
    case, place = np.divmod(number, max(len(names), 1))
    offsets = np.zeros(len(lists) + 1, dtype=np.int32)
    np.cumsum(np.bincount(case, minlength=len(lists)), out=offsets[1:])
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), names.take(pa.array(place))), ",")
    return pc.binary_join_element_wise("{", joined, "}", "")


def _moment(at: datetime, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(at, pa.timestamp("us", tz="UTC")), count)
