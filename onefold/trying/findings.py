"""What came out, counted: duplicates inside each file, overlap of the files, conflicts, values that say nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.rows import CONTENT
from warehouse.keys import record_id_list

if TYPE_CHECKING:
    from onefold.trying.columns import Understood
    from onefold.trying.kernel import Resolved

Ints = npt.NDArray[np.int64]
MOST_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class FileCount:
    """One file, sheet or table."""

    title: str
    rows: int
    clients: int
    duplicates: int
    """Rows that say the same client as another row of this file."""
    largest: int
    """Rows of the client that has most here."""
    unreadable: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """An attribute in which the records of clients differ, with one of them."""

    attribute: str
    clients: int
    client: str
    kept: str
    kept_from: str
    lost: str
    lost_from: str


class Places:
    """Where a record stands: its file and row."""

    def __init__(self, used: Sequence[Understood]) -> None:
        self._used = used

    @cached_property
    def _found(self) -> dict[int, tuple[int, int]]:
        """Record id -> number of the table, number of the row from 0."""
        return {
            record: (number, row)
            for number, one in enumerate(self._used)
            for row, record in enumerate(record_id_list(*one.table.place, (row.key.encode() for row in one.table.rows)))
        }

    def title(self, record: int) -> str:
        """The file's name."""
        found = self._found.get(record)
        return self._used[found[0]].table.title if found else "-"

    def row(self, record: int) -> int | None:
        """The row among the file's records, from 1; None for a record made of a part of a row."""
        found = self._found.get(record)
        return found[1] + 1 if found else None

    def key(self, record: int) -> str | None:
        """Its key, where the file has one."""
        found = self._found.get(record)
        if found is None or self._used[found[0]].table.key == CONTENT:
            return None
        return self._used[found[0]].table.rows[found[1]].key

    def name(self, record: int) -> str:
        """`clients.csv row 17`."""
        row = self.row(record)
        return f"{self.title(record)} row {row:,}" if row is not None else self.title(record)


@dataclass(frozen=True)
class Membership:
    """Which client each record belongs to, and which table it comes from; by record, in natural order."""

    client: Ints
    table: Ints
    """-1 for a record that comes from none of the tables."""
    clients: int

    @classmethod
    def of(cls, found: Resolved, used: Sequence[Understood]) -> Membership:
        """Of all records."""
        records = found.records
        at = pc.index_in(records["record_id"], found.crosswalk["record_id"].combine_chunks())
        client = found.crosswalk["client_id"].combine_chunks().take(at.combine_chunks()).dictionary_encode()
        places = pa.array(["\x1f".join(one.table.place) for one in used], pa.string())
        names = pc.binary_join_element_wise(records["source"], records["stream"], "\x1f")
        table = pc.index_in(names, places).fill_null(-1).to_numpy().astype(np.int64)
        return cls(client.indices.to_numpy().astype(np.int64), table, len(client.dictionary))

    def presence(self, tables: int) -> npt.NDArray[np.bool_]:
        """Client by table: whether it has a record there."""
        there = np.zeros((self.clients, max(tables, 1)), dtype=np.bool_)
        known = self.table >= 0
        there[self.client[known], self.table[known]] = True
        return there


def file_counts(used: Sequence[Understood], member: Membership) -> list[FileCount]:
    """Every table that was used, in the order given."""
    made = []
    for number, one in enumerate(used):
        _, sizes = np.unique(member.client[member.table == number], return_counts=True)
        rows, unreadable = int(sizes.sum()), sum(one.table.rejects.values())
        largest = int(sizes.max(initial=0))
        made.append(FileCount(one.table.title, rows, len(sizes), rows - len(sizes), largest, unreadable))
    return made


def combinations(used: Sequence[Understood], there: npt.NDArray[np.bool_]) -> list[tuple[tuple[str, ...], int]]:
    """How many clients stand in exactly these files; most first."""
    titles = [one.table.title for one in used]
    held, counts = np.unique(there, axis=0, return_counts=True)
    found = [
        (tuple(titles[at] for at in np.flatnonzero(row)), int(count))
        for row, count in zip(held, counts, strict=True)
        if row.any()
    ]
    return sorted(found, key=lambda one: (-one[1], one[0]))


def shared(there: npt.NDArray[np.bool_]) -> list[list[int]]:
    """Table by table: how many clients stand in both; on the diagonal, in the one."""
    counts = there.astype(np.int64)
    found: list[list[int]] = (counts.T @ counts).tolist()
    return found


@dataclass(frozen=True, slots=True)
class Lost:
    """An attribute in which records of clients differ, and the first of these clients, by id."""

    clients: int
    client_id: str
    client: str
    kept: str
    kept_record: int
    lost: str
    lost_record: int


def lost_values(golden: pa.Table) -> dict[str, Lost]:
    """By attribute what records of clients differ in; `golden` (identity.survive.GOLDEN) is ordered by client_id."""
    # A record alone may have lost a value to another of its own.
    several = pc.and_(pc.match_substring(golden["lineage"], '"losers":'), pc.greater(golden["record_count"], 1))
    counts: Counter[str] = Counter()
    first: dict[str, tuple[str, str, str, int, str, int]] = {}
    chosen = golden.filter(several).select(["client_id", "display_name", "attributes", "lineage"])
    for client_id, name, values, lineage in zip(*(column.to_pylist() for column in chosen.columns), strict=True):
        for attribute, told in json.loads(lineage).items():
            if not told.get("losers"):
                continue
            counts[attribute] += 1
            if attribute not in first:
                loser, value = told["losers"][0], json.loads(values).get(attribute, "")
                kept = value if isinstance(value, str) else "; ".join(map(str, value))
                first[attribute] = client_id, name, kept, told["record_id"], loser["value"], loser["record_id"]
    return {attribute: Lost(count, *first[attribute]) for attribute, count in counts.items()}


def conflicts(lost: Sequence[dict[str, Lost]], places: Places) -> list[Conflict]:
    """Attributes in which records of one client differ, by how many clients; each with its first example. `lost`: of
    each kind by itself."""
    made = []
    for attribute in {name for kind in lost for name in kind}:
        held = [kind[attribute] for kind in lost if attribute in kind]
        one = min(held, key=lambda found: found.client_id)
        count = sum(found.clients for found in held)
        at, other = places.name(one.kept_record), places.name(one.lost_record)
        made.append(Conflict(attribute, count, one.client, one.kept, at, one.lost, other))
    return sorted(made, key=lambda one: (-one.clients, one.attribute))


def generic_values(found: Resolved) -> list[dict[str, Any]]:
    """Values with so many names behind them that they are no evidence: kind, type, value, names; most names first."""
    rows = found.resolution.generic.to_pylist()
    for row in rows:
        row["value"] = row["value"].replace("\t", ", ")
    return sorted(rows, key=lambda row: (-row["names"], row["type"], row["value"]))
