"""A client as it was known at a moment, and what had changed by another. Read-only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from warehouse import client_pages, resolution

if TYPE_CHECKING:
    from onefold.context import Context


def known_at(context: Context, client_id: str, at: datetime) -> dict[str, Any] | None:
    """The golden record of a client id as it was published at `at`, with all records that it had then, each with
    its `name` and when its register had said it (`said_at`). None: it was not known yet."""
    with context.connection("onefold history") as conn:
        found = client_pages.version_at(conn, client_id, at)
    if found is not None:
        for record in found["records"]:
            record["name"] = f"{record['source']}:{record['stream']}:{record['source_key']}"
    return found


def names_in_lineage(context: Context, found: Mapping[str, Any]) -> dict[int, str]:
    """Number -> `source:stream:key` of the records that the lineage of a `known_at` mentions."""
    lines = found["lineage"].values()
    mentioned = {loser["record_id"] for line in lines for loser in line.get("losers", ())}
    mentioned |= {line["record_id"] for line in lines if line.get("record_id") is not None}
    with context.connection("onefold history") as conn:
        return resolution.names_of(conn, sorted(mentioned))


def changes_between(then: Mapping[str, Any], later: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is other in `later` than in `then`, both as `known_at` has them: `attribute` with `was` and `now`; or, with
    an empty attribute, `record` and whether it `joined` or left."""
    names = dict.fromkeys((*then["attributes"], *later["attributes"]))
    found: list[dict[str, Any]] = [
        {"attribute": name, "was": then["attributes"].get(name), "now": later["attributes"].get(name)}
        for name in sorted(names)
        if then["attributes"].get(name) != later["attributes"].get(name)
    ]
    was, now = ({record["name"] for record in one["records"]} for one in (then, later))
    for name in sorted(was ^ now):
        found.append({"attribute": "", "record": name, "joined": name in now, "was": None, "now": None})
    return found
