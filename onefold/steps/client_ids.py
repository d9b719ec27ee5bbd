"""Which client ids clusters bear from now on, and the ledger's events that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from identity.ids import LedgerEntry, assign_ids
from identity.minting import mint_all
from warehouse import resolution

if TYPE_CHECKING:
    import psycopg

Flags = npt.NDArray[np.bool_]

_STATUS: Mapping[str, Any] = {
    "mint": "active",
    "revive": "active",
    "redirect": "redirected",
    "retire": "retired",
}


class Ids(NamedTuple):
    """The client ids of records."""

    assignments: pa.Table  # resolution.ASSIGNMENT
    events: pa.Table  # resolution.LEDGER_EVENT


def first_ids(labels: pa.Table) -> Ids:
    """Those of a hub that never gave an id."""
    minted = mint_all(labels)
    kind = {"event": pa.repeat(pa.scalar("mint"), minted.mints.num_rows)}
    nothing = {"target_client_id": pa.nulls(minted.mints.num_rows, pa.string())}
    columns = {**{name: minted.mints[name] for name in minted.mints.column_names}, **kind, **nothing}
    events = pa.table({name: columns[name] for name in resolution.LEDGER_EVENT.names}, schema=resolution.LEDGER_EVENT)
    return Ids(minted.crosswalk.select(resolution.ASSIGNMENT.names).cast(resolution.ASSIGNMENT), events)


def reassigned(conn: psycopg.Connection, labels: pa.Table, crosswalk: pa.Table, renamed: Mapping[int, int]) -> Ids:
    """Those of the records in `labels` and `crosswalk`."""
    touched = _touched(labels, crosswalk)
    if renamed:
        turned = np.array([*renamed, *renamed.values()], dtype=np.int64)
        of_label = labels["label"].to_numpy()
        touched |= np.isin(of_label, of_label[np.isin(labels["record_id"].to_numpy(), turned)])
    old = crosswalk.filter(pa.array(_in_touched_clients(crosswalk, labels, touched)))
    mine = labels.filter(pa.array(touched))
    before = old
    if renamed:
        bearers = [renamed.get(record, record) for record in old["record_id"].to_pylist()]
        before = old.set_column(0, old.schema.field(0), pa.array(bearers, pa.int64()))
    assigned = assign_ids(mine, before, *_ledger(conn, mine, before))
    is_in, invert = pa.compute.is_in, pa.compute.invert
    mine_ids, old_ids = mine["record_id"].combine_chunks(), old["record_id"].combine_chunks()
    kept = crosswalk.filter(
        invert(pa.compute.or_(is_in(crosswalk["record_id"], mine_ids), is_in(crosswalk["record_id"], old_ids)))
    )
    left = old.filter(invert(is_in(old["record_id"], mine_ids)))
    gone = pa.table({"record_id": left["record_id"], "client_id": pa.nulls(left.num_rows, pa.string())})
    assignments = pa.concat_tables(
        [
            table.select(resolution.ASSIGNMENT.names).cast(resolution.ASSIGNMENT)
            for table in (assigned.crosswalk, kept, gone)
        ]
    )
    events = [
        (
            event.entry.client_id,
            event.event,
            event.entry.target if event.event == "redirect" else None,
            event.entry.founding_key,
            event.entry.mint_number,
        )
        for event in assigned.events
    ]
    columns = list(zip(*events, strict=True)) or [()] * len(resolution.LEDGER_EVENT)
    return Ids(assignments, pa.table([list(column) for column in columns], schema=resolution.LEDGER_EVENT))


def _touched(labels: pa.Table, crosswalk: pa.Table) -> Flags:
    """Of each row of `labels`: whether its cluster is not exactly one client of the crosswalk."""
    import pandas as pd

    rows = pd.DataFrame({"record": labels["record_id"].to_numpy(), "label": labels["label"].to_numpy()})
    clients = pd.Series(crosswalk["client_id"].to_pandas().to_numpy(), index=crosswalk["record_id"].to_numpy())
    sizes = clients.value_counts()
    rows["client"] = clients.reindex(rows["record"]).to_numpy()
    by_label = rows.groupby("label", sort=False)["client"]
    same = (by_label.transform("nunique") == 1) & (by_label.transform("count") == by_label.transform("size"))
    whole = by_label.transform("size").to_numpy() == sizes.reindex(rows["client"]).to_numpy()
    result: Flags = ~(same.to_numpy() & whole)
    return result


def _in_touched_clients(crosswalk: pa.Table, labels: pa.Table, touched: Flags) -> Flags:
    """Rows of the crosswalk that share a client with a touched or a vanished record."""
    ids = crosswalk["record_id"].to_numpy()
    moved = np.isin(ids, labels["record_id"].to_numpy()[touched]) | ~np.isin(ids, labels["record_id"].to_numpy())
    clients = crosswalk["client_id"].combine_chunks()
    return np.asarray(pa.compute.is_in(clients, value_set=clients.filter(pa.array(moved))))


def _ledger(
    conn: psycopg.Connection, labels: pa.Table, crosswalk: pa.Table
) -> tuple[list[LedgerEntry], dict[str, int]]:
    """The ledger's entries that concern these clusters, and how many ids were minted for their founding keys."""
    if labels.num_rows == 0 and crosswalk.num_rows == 0:
        return [], {}
    held = set(crosswalk["client_id"].to_pylist())
    facts = resolution.load_ledger(
        conn,
        sorted(held),
        record_ids=[*labels["record_id"].to_pylist(), *crosswalk["record_id"].to_pylist()],
        founding_keys=labels["natural_key"].to_pylist(),
    )
    minted: dict[str, int] = {}
    for fact in facts:
        minted[fact.founding_key] = max(fact.mint_number, minted.get(fact.founding_key, 0))
    entries = [
        LedgerEntry(
            fact.client_id,
            fact.founding_key,
            fact.mint_number,
            _STATUS[fact.state],
            fact.target_client_id if fact.state == "redirect" else None,
            frozenset() if _STATUS[fact.state] == "active" else fact.last_records,
        )
        for fact in facts
        # A living id that none of these records bears now is not concerned, though one of them once bore it.
        if _STATUS[fact.state] != "active" or fact.client_id in held
    ]
    return entries, minted
