"""client and trace: what is known about one client, and every stage of one record. Read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onefold.errors import NothingFound
from onefold.steps.records import is_client_id, one_record
from warehouse import queries, resolution

if TYPE_CHECKING:
    from onefold.context import Context


def client(context: Context, who: str, *, limit: int = 100) -> dict[str, Any]:
    """The client view of a client id (a merged-away one answers with its survivor) or of a record's client.

    Beside what `warehouse.queries.client_view` gives: records and lineage name records as `source:stream:key`, and
    `interaction_count` tells how many there are in all. NothingFound when there is no such client.
    """
    with context.connection("onefold client") as conn:
        client_id = (
            who
            if is_client_id(who)
            else queries.clients_of_records(conn, [one_record(context, who)]).get(one_record(context, who))
        )
        view = queries.client_view(conn, client_id, limit=limit) if client_id else None
        if view is None:
            raise NothingFound(
                f"There is no client {who}.", "`onefold find TEXT` searches by name, e-mail, phone or tax id."
            )
        named = {
            record["record_id"]: f"{record['source']}:{record['stream']}:{record['source_key']}"
            for record in view["records"]
        }
        mentioned = {loser["record_id"] for line in view["lineage"].values() for loser in line.get("losers", ())} | {
            line["record_id"] for line in view["lineage"].values() if line.get("record_id") is not None
        }
        named |= resolution.names_of(conn, sorted(mentioned - named.keys()))
    for record in view["records"]:
        record["name"] = named[record["record_id"]]
    for line in view["lineage"].values():
        line["record"] = named.get(line.get("record_id"))
        for loser in line.get("losers", ()):
            loser["record"] = named.get(loser["record_id"])
    view["interaction_count"] = sum(total["interactions"] for total in view["totals"])
    return view


def trace(context: Context, record: str) -> dict[str, Any]:
    """Every stage of the record `source:stream:key`; NothingFound when it was never heard of."""
    with context.connection("onefold trace") as conn:
        found = queries.trace(conn, one_record(context, record))
    if found is None:
        raise NothingFound(f"{record} has never come.", "`onefold sync SOURCE` pulls what is new.")
    return found
