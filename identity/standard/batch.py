"""The working state of one batch of records, and what its parts share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from identity.standard.attributes import Entry
from identity.standard.columns import Column, Ints, Values, fragments, present
from identity.standard.latin import latin_key
from identity.standard.profile import Profile

Bools: TypeAlias = npt.NDArray[np.bool_]


@dataclass
class Batch:
    """The working state of one batch of records."""

    profile: Profile
    head: pa.Table
    size: int
    is_person: Bools
    values: dict[str, Values]
    columns: dict[str, Column] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    record: dict[str, pa.Array] = field(default_factory=dict)
    documented: Collection[str] | None = None
    """The attributes that documents are made of; None: all."""

    def show(self, attribute: str, rows: Ints, codes: Ints, shown: Callable[[], pa.Array]) -> None:
        """Let records show the values of an attribute (`Entry`), where documents have it."""
        if self.documented is None or attribute in self.documented:
            self.entries.append(Entry(attribute, rows, codes, shown()))


def derive(batch: Batch, attribute: str, chosen: Ints, display: pa.Array, origin: str) -> None:
    """Show `display[chosen]` under an attribute that the record itself does not have."""
    rows = np.flatnonzero((chosen >= 0) & ~present(batch.columns.get(attribute), batch.size))
    if len(rows) and display.null_count < len(display):
        batch.show(attribute, rows, chosen[rows], lambda: fragments(display, derived=origin))


def texts(items: Iterable[str | None]) -> pa.Array:
    """A string column."""
    return pa.array(list(items), pa.string())


@lru_cache(maxsize=4)
def nulls(size: int) -> pa.Array:
    """A string column without values."""
    return pa.nulls(size, pa.string())


def latin_column(comparable: pa.Array) -> pa.Array:
    """The Latin key of each comparable text, once per distinct one."""
    encoded = comparable.dictionary_encode()
    keys = texts([latin_key(text) or None for text in encoded.dictionary.to_pylist()])
    return keys.take(encoded.indices)
