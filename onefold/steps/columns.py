"""Which fields the records of a stream have: looked at while they land, and what came or went since.

On the reading path, so it imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from connectors.page import Row

_OF_PAGE: Final = 20
"""Records of a page whose fields are looked at ..."""
_OF_RUN: Final = 1_000
"""... and of a run."""
_MOST: Final = 300
"""More names than these are no columns but data: none is kept."""
ENOUGH: Final = 50
"""Records without a field from which on it is taken for gone, and with which a stream is known."""
_names = msgspec.json.Decoder(dict[str, msgspec.Raw])


def seen(known: Sequence[str], looked_at: int, rows: Sequence[Row]) -> tuple[tuple[str, ...], int]:
    """The names of fields known so far of a run, with those of the first rows of a page; how many were looked at."""
    sample = rows[: min(_OF_PAGE, _OF_RUN - looked_at)] if looked_at < _OF_RUN else ()
    if not sample or len(known) > _MOST:
        return tuple(known), looked_at
    found = set(known)
    for row in sample:
        with suppress(msgspec.MsgspecError):  # a connector of somebody else's may land what is no object
            found.update(_names.decode(row.payload))
    return tuple(sorted(found)[: _MOST + 1]), looked_at + len(sample)


@dataclass(frozen=True, slots=True)
class Drift:
    """A field that came or went."""

    stream: str
    field: str
    change: str
    """came or went."""
    at: datetime
    """When it was seen first, or last."""


def drift(runs: Iterable[Mapping[str, Any]]) -> list[Drift]:
    """What came and what went in these syncs of one source (started_at, report), whatever their order; newest first.

    A field came when `ENOUGH` records before did not have it, and went when as many since do not.
    """
    looks: dict[str, list[tuple[datetime, frozenset[str], int]]] = {}
    for run in sorted(runs, key=lambda one: one["started_at"]):
        for stream in (run["report"] or {}).get("streams", ()):
            names, rows = stream.get("columns") or (), stream.get("looked_at") or 0
            if rows and 0 < len(names) <= _MOST:
                looks.setdefault(stream["stream"], []).append((run["started_at"], frozenset(names), rows))
    found = [one for stream, seen_in in looks.items() for one in _of_stream(stream, seen_in)]
    return sorted(found, key=lambda one: (one.at, one.stream, one.field), reverse=True)


def _of_stream(stream: str, looks: Sequence[tuple[datetime, frozenset[str], int]]) -> Iterable[Drift]:
    for field in sorted(frozenset().union(*(names for _, names, _ in looks))):
        has = [number for number, (_, names, _) in enumerate(looks) if field in names]
        if sum(rows for _, _, rows in looks[: has[0]]) >= ENOUGH:
            yield Drift(stream, field, "came", looks[has[0]][0])
        if sum(rows for _, _, rows in looks[has[-1] + 1 :]) >= ENOUGH:
            yield Drift(stream, field, "went", looks[has[-1]][0])
