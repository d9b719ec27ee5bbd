"""What the mapping takes and gives: raw rows of one stream in, Arrow tables and rejects out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

import pyarrow as pa

from identity.schema import HEAD, VALUE
from warehouse.shapes import CHILD_LINK, INTERACTION, INTERACTION_LINE, PROMISE, RATE, RELATIONSHIP


class ChildRecord(Protocol):
    """A child as the warehouse hands it over."""

    @property
    def stream(self) -> str:
        """The child's stream."""

    @property
    def payload(self) -> bytes:
        """JSON as it was landed."""


class RawRow(NamedTuple):
    """One live record of `raw.record`."""

    record_id: int
    source_key: str
    payload: bytes
    """JSON as it was landed."""
    source_updated_at: datetime | None = None
    children: Mapping[str, Sequence[bytes]] | Sequence[ChildRecord] | None = None
    """Live child records linked to this one, by key: payloads by child stream, or records."""


class Reject(NamedTuple):
    """Something that could not be mapped. Without `is_partial` the whole record was kept out."""

    record_id: int
    reason: str
    """A code: `not-an-object`, `unknown-kind`, `unreadable-date`, `absurd-date`, `unreadable-amount`, ..."""
    detail: str
    """One sentence; holds no client data."""
    path: str
    """The setting under the stream, e.g. `fields.email` or `occurred_at`."""
    is_partial: bool = False
    """True: the record was mapped without this value."""


@dataclass(slots=True)
class Mapped:
    """A batch after mapping. Each input record is in `head`, `interactions`, `relationships`, `rates`, `rejects` (not
    partial) or `left_out`; a stream without `as` gives only `child_links`."""

    head: pa.Table = field(default_factory=HEAD.empty_table)
    values: pa.Table = field(default_factory=VALUE.empty_table)
    interactions: pa.Table = field(default_factory=INTERACTION.empty_table)
    lines: pa.Table = field(default_factory=INTERACTION_LINE.empty_table)
    promises: pa.Table = field(default_factory=PROMISE.empty_table)
    relationships: pa.Table = field(default_factory=RELATIONSHIP.empty_table)
    rates: pa.Table = field(default_factory=RATE.empty_table)
    child_links: pa.Table = field(default_factory=CHILD_LINK.empty_table)
    """Of this batch's records as children: replaces all links that these records had."""
    rejects: list[Reject] = field(default_factory=list)
    left_out: list[int] = field(default_factory=list)
    """Records that the stream's `where` excludes: what was mapped of them before is to go."""
    repairs: Counter[str] = field(default_factory=Counter)
    """How often each kind of repair was made."""


def table(schema: pa.Schema, columns: Sequence[Sequence[object]]) -> pa.Table:
    """A table of `schema` from plain columns in its order."""
    arrays = [pa.array(column, type=one.type) for column, one in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
