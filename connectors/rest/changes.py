"""Since when, until when, and what the next run asks for.

The mark that the next run starts from is the highest time of change that was *seen*, by the source's own
clock, never later
than now: a server clock that is an hour off loses nothing, and a record dated 2099 does not end all later
reading. Where
records carry no time of change, the mark is the earlier of our clock and the server's `Date` when the pass
began.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from connectors.changes import FilterChanges
from connectors.times import zone


def written(moment: datetime, how: str, timezone: str) -> Any:
    """A point in time as the source wants it: `iso`, `epoch`, `sql`, ... or a strftime pattern in the
    source's time zone."""
    local = moment.astimezone(zone(timezone))
    match how:
        case "iso":
            return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        case "iso_ms":
            return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case "iso_local":
            return local.strftime("%Y-%m-%dT%H:%M:%S")
        case "epoch":
            return int(moment.timestamp())
        case "epoch_ms":
            return int(moment.timestamp() * 1000)
        case "date":
            return local.date().isoformat()
        case "sql":
            return local.strftime("%Y-%m-%d %H:%M:%S")
        case "http":
            return format_datetime(moment.astimezone(UTC), usegmt=True)
        case "odata":
            return f"datetime'{local.strftime('%Y-%m-%dT%H:%M:%S')}'"
        case "odata_offset":
            return f"datetimeoffset'{moment.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}'"
        case "tryton":
            parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
            return {"__class__": "datetime", **{name: getattr(local, name) for name in parts}}
        case _:
            return local.strftime(how)


def lower_bound(changes: FilterChanges, since: str | None) -> str | None:
    """From when on is asked: the mark less the lookback, or where a full read begins; None: no bound."""
    if since is None:
        return changes.start_at
    return (datetime.fromisoformat(since) - changes.lookback).isoformat()


def bounds(changes: FilterChanges, since: str | None, until: str, timezone: str) -> dict[str, Any]:
    """`since` (less the lookback) and `until` for templates; `since` is missing on a full read without `start`."""
    values: dict[str, Any] = {"until": written(datetime.fromisoformat(until), changes.format, timezone)}
    low = lower_bound(changes, since)
    if low is not None:
        values["since"] = written(datetime.fromisoformat(low), changes.format, timezone)
    return values


def next_since(high: str | None, since: str | None, began: str, *, has_times: bool) -> str | None:
    """The mark after a complete pass that began at `began` and saw `high` as its latest time of change."""
    if not has_times:
        return began
    seen = [datetime.fromisoformat(text) for text in (high, since) if text is not None]
    return min(max(seen), datetime.fromisoformat(began)).isoformat() if seen else None


def began_at(now: datetime, date_header: str | None) -> str:
    """When a pass began: our clock or the server's, whichever is behind."""
    try:
        theirs = parsedate_to_datetime(date_header) if date_header else now
    except (TypeError, ValueError):
        theirs = now
    return min(now, theirs if theirs.tzinfo else now).isoformat()
