"""Positions in a table: column values that survive a JSON checkpoint, and times in the column's own terms.

A column of changes may hold timestamps (aware or naive), dates, ISO text or epoch numbers; upper bounds and
lookbacks
are computed in the same terms, so that the database compares like with like.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from connectors.times import as_timestamp, zone

_iso = re.compile(
    r"\d{4}-\d{2}-\d{2}(?P<time>(?P<sep>[T ])\d{2}:\d{2}"
    r"(:\d{2}(\.\d+)?)?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?$"
)


def freeze(value: Any) -> Any:
    """A column value as JSON that `thaw` turns back into the same value and type."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, float):
        return {"float": value.hex()}
    if isinstance(value, UUID):
        return {"uuid": str(value)}
    if isinstance(value, bytes | bytearray | memoryview):
        return {"bytes": b64encode(bytes(value)).decode()}
    raise TypeError(f"a {type(value).__name__} cannot be a position")


def thaw(value: Any) -> Any:
    """The value that `freeze` was given."""
    if not isinstance(value, dict):
        return value
    ((kind, text),) = value.items()
    makers: dict[str, Any] = {
        "datetime": datetime.fromisoformat,
        "date": date.fromisoformat,
        "decimal": Decimal,
        "float": float.fromhex,
        "uuid": UUID,
        "bytes": b64decode,
    }
    return makers[kind](text)


def not_after(value: Any, now: datetime, timezone: str) -> Any:
    """`value`, or `now` in the same terms if it lies in the future: a date in 2099 must not end all later
    reading."""
    moment = as_timestamp(value, timezone)
    return value if moment is None or moment <= now else _in_terms_of(value, now, timezone)


def earlier(value: Any, delta: timedelta, timezone: str) -> Any:
    """`value` less `delta`, in its own terms; unchanged where it is no time."""
    if isinstance(value, datetime | date):
        return value - delta
    moment = as_timestamp(value, timezone)
    return value if moment is None else _in_terms_of(value, moment - delta, timezone)


def _in_terms_of(value: Any, moment: datetime, timezone: str) -> Any:
    local = moment.astimezone(zone(timezone))
    if isinstance(value, datetime):
        return moment.astimezone(value.tzinfo) if value.tzinfo else local.replace(tzinfo=None)
    if isinstance(value, date):
        return local.date()
    if isinstance(value, int | float | Decimal):
        seconds = moment.timestamp()
        return type(value)(int(seconds * 1000) if float(value) > 1e11 else int(seconds))
    found = _iso.match(value)
    if not found:
        return value
    if not found["time"]:
        return local.date().isoformat()
    # Texts compare letter by letter, so fractions of a second cannot be told apart reliably: go a second
    # further back.
    moment -= timedelta(seconds=1)
    offset = found["zone"]
    if offset == "Z":
        stamp = moment.astimezone(UTC)
    else:
        stamp = moment.astimezone(datetime.fromisoformat(value).tzinfo) if offset else local - timedelta(seconds=1)
    text = stamp.replace(tzinfo=None).isoformat(sep=found["sep"], timespec="seconds")
    return text + (offset or "")
