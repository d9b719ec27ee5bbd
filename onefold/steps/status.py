"""status: how the hub is, and what to do next."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from warehouse import queries

if TYPE_CHECKING:
    from onefold.context import Context


def status(context: Context) -> dict[str, Any]:
    """What `warehouse.queries.status` tells, each stream's `freshness`, and advice in `next`."""
    with context.connection("onefold status") as conn:
        found = queries.status(conn)
    now = context.clock()
    known = {(stream["source"], stream["stream"]) for stream in found["streams"]}
    for name, source in context.configuration.sources.items():
        found["streams"] += [
            {
                "source": name,
                "stream": stream,
                "records": 0,
                "deleted": 0,
                "synced_at": None,
                "newest_record_at": None,
                "rejects": 0,
            }
            for stream in source.streams
            if (name, stream) not in known
        ]
    for stream in found["streams"]:
        stream["freshness"] = freshness(context, stream, now)
    found["next"] = list(_advice(found))
    return found


def freshness(context: Context, stream: dict[str, Any], now: datetime) -> str:
    """fresh, late (beyond warn_after), stale (beyond fail_after) or never, by when the stream was last synced."""
    if stream["synced_at"] is None:
        return "never"
    source = context.configuration.sources.get(stream["source"])
    if source is None or source.freshness is None:
        return "fresh"
    age = now - datetime.fromisoformat(stream["synced_at"])
    if source.freshness.fail_after and age > source.freshness.fail_after:
        return "stale"
    if source.freshness.warn_after and age > source.freshness.warn_after:
        return "late"
    return "fresh"


def _advice(found: dict[str, Any]) -> list[str]:
    advice = []
    if any(stream["freshness"] in ("never", "late", "stale") for stream in found["streams"]):
        advice.append("onefold run                   some sources have not been read, or not lately")
    elif found["queues"]:
        advice.append("onefold run                   records wait in the queues")
    if found["open_rejects"]:
        advice.append("onefold rejects               see what could not be taken in, and why")
    if found["open_cases"]:
        advice.append("onefold cases                 see what waits for a person's word")
    return advice
