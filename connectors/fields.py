"""What a sample of records holds: field paths, types, samples and how often they are filled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from connectors.page import FieldInfo

SAMPLE = 1000
"""Records looked at by `discover`."""

_samples, _sample_length, _depth = 3, 60, 6
_date = re.compile(r"\d{4}-\d{2}-\d{2}$|\d{1,2}\.\d{1,2}\.\d{4}$")
_timestamp = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}|/Date\(-?\d+|\d{1,2}\.\d{1,2}\.\d{4} \d{1,2}:\d{2}")
_number = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:[.,]\d+)?$")
_key_name = re.compile(r"(?:.*[_.\s])?(?:id|guid|uuid|ref_key|key|код|code|no|номер)$", re.IGNORECASE)


@dataclass(slots=True)
class _Seen:
    types: dict[str, int] = field(default_factory=dict)
    samples: dict[str, None] = field(default_factory=dict)
    filled: int = 0
    distinct: set[str] = field(default_factory=set)


def profile(records: Iterable[Mapping[str, Any]], labels: Mapping[str, str] | None = None) -> list[FieldInfo]:
    """The fields of at most `SAMPLE` records, nested ones as paths (`a.b`, `list[].c`), in order of
    appearance."""
    return described(records, labels)[0]


def likely_key(records: Sequence[Mapping[str, Any]]) -> str | None:
    """A top-level field that is filled and distinct in every record and named like a key; None if there is
    none."""
    return described(records)[1]


def described(
    records: Iterable[Mapping[str, Any]], labels: Mapping[str, str] | None = None
) -> tuple[list[FieldInfo], str | None]:
    """`profile` and `likely_key` of the same records, which are looked at once."""
    seen, count = _scan(records)
    fields = [
        FieldInfo(
            path,
            max(found.types, key=lambda name: found.types[name]) if found.types else "text",
            (labels or {}).get(path),
            tuple(found.samples),
            round(found.filled / count, 4),
        )
        for path, found in seen.items()
    ]
    for path, found in seen.items():
        if count and "." not in path and _key_name.match(path) and len(found.distinct) == count == found.filled:
            return fields, path
    return fields, None


def _scan(records: Iterable[Mapping[str, Any]]) -> tuple[dict[str, _Seen], int]:
    seen: dict[str, _Seen] = {}
    count = 0
    for record in islice(records, SAMPLE):
        count += 1
        touched: set[str] = set()
        for name, value in record.items():
            _look(quoted(name), value, seen, touched, 0)
    return seen, count


def quoted(name: str) -> str:
    """A field name as a path writes it."""
    return "'" + name.replace("'", "''") + "'" if re.search(r"[\[\]'\"]", name) else name


def _look(path: str, value: Any, seen: dict[str, _Seen], touched: set[str], depth: int) -> None:
    found = seen.setdefault(path, _Seen())
    if value is None or value in ("", [], {}):
        return
    if path not in touched:
        touched.add(path)
        found.filled += 1
    kind = type_of(value)
    found.types[kind] = found.types.get(kind, 0) + 1
    if depth < _depth and isinstance(value, Mapping):
        for name, item in value.items():
            _look(f"{path}.{quoted(name)}", item, seen, touched, depth + 1)
    elif depth < _depth and isinstance(value, list | tuple):
        for item in islice(value, 20):
            if isinstance(item, Mapping):
                for name, inner in item.items():
                    _look(f"{path}[].{quoted(name)}", inner, seen, touched, depth + 1)
            elif item is not None:
                _look(f"{path}[]", item, seen, touched, depth + 1)
    elif not isinstance(value, Mapping | list | tuple):
        text = str(value)
        found.distinct.add(text)
        if len(found.samples) < _samples:
            found.samples.setdefault(text if len(text) <= _sample_length else text[: _sample_length - 1] + "…")


def type_of(value: Any) -> str:
    """text | number | boolean | date | timestamp | object | list; text that looks like a date, time or
    number counts as such."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float | Decimal):
        return "number"
    if isinstance(value, Mapping):
        return "object"
    if isinstance(value, list | tuple):
        return "list"
    if isinstance(value, datetime):
        return "timestamp"
    if isinstance(value, date):
        return "date"
    text = str(value)
    if _timestamp.match(text):
        return "timestamp"
    if _date.match(text):
        return "date"
    return "number" if _number.match(text) else "text"
