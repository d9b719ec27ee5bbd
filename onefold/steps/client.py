"""client and trace: what is known about one client, and every stage of one record. Read-only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from onefold.errors import NothingFound
from onefold.steps.records import is_client_id, one_record
from warehouse import queries, resolution

if TYPE_CHECKING:
    from onefold.context import Context


def client(context: Context, who: str, *, limit: int = 100) -> dict[str, Any]:
    """The client view of a client id (a merged-away one answers with its survivor) or of a record's client.

    Beside what `warehouse.queries.client_view` gives: records and lineage name records as `source:stream:key`, and
    `interaction_count` tells how many there are in all, `departments` whose they are. NothingFound when there is no
    such client.
    """
    with context.connection("onefold client") as conn:
        if is_client_id(who):
            client_id: str | None = who
        else:
            record = one_record(context, who)
            client_id = queries.clients_of_records(conn, [record]).get(record)
        view = queries.client_view(conn, client_id, limit=limit) if client_id else None
        if view is None:
            raise NothingFound(
                f"There is no client {who}.", "`onefold find TEXT` searches by name, e-mail, phone or tax id."
            )
        named = {row["record_id"]: f"{row['source']}:{row['stream']}:{row['source_key']}" for row in view["records"]}
        mentioned = {loser["record_id"] for line in view["lineage"].values() for loser in line.get("losers", ())} | {
            line["record_id"] for line in view["lineage"].values() if line.get("record_id") is not None
        }
        if unnamed := sorted(mentioned - named.keys()):
            named |= resolution.names_of(conn, unnamed)
    for row in view["records"]:
        row["name"] = named[row["record_id"]]
    for line in view["lineage"].values():
        line["record"] = named.get(line.get("record_id"))
        for loser in line.get("losers", ()):
            loser["record"] = named.get(loser["record_id"])
    view["interaction_count"] = sum(total["interactions"] for total in view["totals"])
    view["departments"] = departments(view["totals"])
    return view


def departments(totals: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Who tells a client's story: departments with their interactions, share (0 to 1) and last day; most first."""
    found: dict[str, dict[str, Any]] = {}
    every = sum(total["interactions"] for total in totals)
    for total in totals:
        name = total["department"] or "unknown"
        one = found.setdefault(name, {"department": name, "interactions": 0, "last_on": None})
        one["interactions"] += total["interactions"]
        one["last_on"] = max(filter(None, (one["last_on"], total["last_on"])), default=None)
    for one in found.values():
        one["share"] = round(one["interactions"] / every, 4)
    return sorted(found.values(), key=lambda one: (-one["interactions"], one["department"]))


def trace(context: Context, record: str) -> dict[str, Any]:
    """Every stage of the record `source:stream:key`; NothingFound when it was never heard of."""
    with context.connection("onefold trace") as conn:
        found = queries.trace(conn, one_record(context, record))
    if found is None:
        raise NothingFound(f"{record} has never come.", "`onefold sync SOURCE` pulls what is new.")
    return found
