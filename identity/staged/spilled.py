"""The calculator of a staged run on one machine: parts are worked one after the other, and what waits lies on disk.

DuckDB joins and counts by the SQL of every engine; wide rows are never sorted, but dealt out to their parts.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from identity.memory import ALWAYS, give_back, held_little
from identity.plausible import COMPARED
from identity.population import Rules
from identity.staged.calculator import BATCH, PairWork, Work, count, files, path_of, stored
from identity.staged.grid import Grid, Part, deal_keys, meet, natural_ranks
from identity.staged.spool import Spool
from identity.staged.tables import Tables

_BASE: Final = 400 << 20
_RECORD_BYTES: Final = 1_650
"""What a record takes at most in a run in memory beside that (5 million: 7,479 to 8,050 MiB)."""
PROGRAM: Final = 600 << 20
"""What the program, DuckDB and rows on their way take of a run in parts, whatever its size."""
PART_BYTES: Final = 2_000
"""What a record takes beside that in a part, while its pairs are compared."""
LEAST: Final = 20_000
_LEAST_MEMORY: Final = 128 << 20
_SHARE: Final = 0.2  # of the memory is DuckDB's; the rest is for a part, and what the driver holds


def needed(records: int) -> int:
    """The bytes that a run in memory takes for so many records."""
    return _BASE + records * _RECORD_BYTES


def fitting(memory: int) -> int:
    """How many records a run in memory can hold in so many bytes."""
    return max(memory - _BASE, 0) // _RECORD_BYTES


class SpillingCalculator:
    """A `Calculator` in one process; `memory` bytes, and what lies in `folder` while it works."""

    cores = 1  # a part has all cores to itself: fewer are in memory at once

    def __init__(self, folder: Path, memory: int) -> None:
        self.folder = folder.resolve()
        self._free = max(memory - PROGRAM, 0)
        self.per_part = max(int(self._free * (1 - _SHARE)) // PART_BYTES, LEAST)
        self._spilled = self.folder / "spilled"
        self._tables = Tables(self.folder, self._spilled, max(int(self._free * _SHARE), _LEAST_MEMORY))
        self._held = ExitStack()
        self._held.enter_context(held_little())

    def __enter__(self) -> SpillingCalculator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tables.__exit__()
        self._held.close()

    def begin(self, cards: str) -> None:
        """As `Calculator`: cards are put into natural order, in a file for each part of the grid."""
        self._cards, self._grid = cards, Grid.of(count(self.folder, cards), self.per_part)
        ranks, arranged = natural_ranks(self.folder, cards), self.folder / f"{cards}-arranged"
        with Spool(self._spilled / cards) as spool:
            for table in stored(files(self.folder, cards)):
                spool.add(ranks.of(table["record_id"].to_numpy()) // self._grid.part_size, table)
            arranged.mkdir()
            for number, rows in spool.each():
                order = np.argsort(ranks.of(rows["record_id"].to_numpy()))
                pq.write_table(rows.take(pa.array(order)), path_of(arranged, number), row_group_size=BATCH)
            if not spool.parts():
                shutil.copytree(self.folder / cards, arranged, dirs_exist_ok=True)
        shutil.rmtree(self.folder / cards)
        arranged.rename(self.folder / cards)
        self.known(cards)

    def known(self, name: str) -> None:
        """As `Calculator`."""
        self._tables.known(name)

    def query(self, name: str, statement: str) -> None:
        """As `Calculator`."""
        self._tables.query(name, statement)

    def each(self, name: str, of: str, work: Work, schema: pa.Schema, rows: str | None = None) -> None:
        """As `Calculator`."""
        tables = stored(files(self.folder, of)) if rows is None else self._tables.asked(rows)
        self._write(name, schema, (work(table) for table in tables))

    def grouped(self, name: str, of: str, rows: str, work: Work, schema: pa.Schema) -> None:  # noqa: ARG002
        """As `Calculator`."""
        with self._dealt(rows) as parts:
            self._write(name, schema, (work(table) for _, table in parts.each()))

    def cogrouped(self, name: str, pairs: str, cards: str, work: PairWork, schema: pa.Schema) -> None:
        """As `Calculator`."""
        nothing = self._tables.nothing_of(pairs)
        with self._dealt(pairs) as ones, self._dealt(cards) as others:

            def worked() -> Iterator[pa.Table]:
                for part, rows in others.each():
                    mine = ones.read(part)
                    yield work(nothing if mine is None else mine, rows)
                    give_back(ALWAYS)

            self._write(name, schema, worked())

    def compare(self, rules: Rules) -> int:
        """As `Calculator`."""
        candidates = 0
        with Spool(self._spilled / "members") as members:
            memory = max(self._free // 2, _LEAST_MEMORY)
            deal_keys(self.folder, self._cards, self._grid, memory, members)
            give_back(ALWAYS)

            def part(number: int) -> Part:
                path = path_of(self.folder / self._cards, number)
                return Part.of(path, members.read(number), number * self._grid.part_size)

            def counted() -> Iterator[pa.Table]:
                nonlocal candidates
                held = None
                for one, two in self._grid.cells():
                    if one == two:
                        held = None  # the last one goes before the next one comes
                        held = part(one)
                    assert held is not None
                    more, pairs = meet(rules, held, None if one == two else part(two))
                    candidates += more
                    yield pairs
                    give_back(ALWAYS)

            self._write("pairs", COMPARED, counted())
        return candidates

    def _dealt(self, rows: str) -> Spool:
        """The rows of a query by their part."""
        spool = Spool(self._spilled / "dealt")
        for table in self._tables.asked(rows):
            spool.add(table["part"].to_numpy(), table)
        return spool

    def _write(self, name: str, schema: pa.Schema, tables: Iterator[pa.Table]) -> None:
        (self.folder / name).mkdir(exist_ok=True)
        with pq.ParquetWriter(path_of(self.folder / name, 0), schema) as writer:
            for table in tables:
                writer.write_table(table.cast(schema))
        give_back(ALWAYS)
        self.known(name)
