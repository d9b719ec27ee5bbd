"""DuckDB as the calculator of a staged run on one machine: what does not fit into memory is spilled to disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from identity.memory import give_back
from identity.staged.calculator import PairWork, Work

_BASE: Final = 400 << 20
_RECORD_BYTES: Final = 1_600
"""What a record takes at most in a run in memory beside that (5 million: 7,479 MiB)."""
_PART_BYTES: Final = 10_000
"""... and in a part, where it stands with the partners of its pairs and as the rows that came and go."""
_LEAST: Final = 2_000
_BATCH: Final = 20_000
_LEAST_MEMORY: Final = 512 << 20  # with 128 MiB DuckDB could not sort the cards of 200,000 records
_SHARE: Final = 0.3  # of the memory is DuckDB's; the rest is for a part, and what the driver holds


def needed(records: int) -> int:
    """The bytes that a run in memory takes for so many records."""
    return _BASE + records * _RECORD_BYTES


class SpillingCalculator:
    """A `Calculator` in one process; `memory` bytes, and what lies in `folder` while it works."""

    cores = 1  # a part has all cores to itself: fewer are in memory at once

    def __init__(self, folder: Path, memory: int) -> None:
        import duckdb  # a tenth of what loading all of this takes, and other runs need it nowhere

        self.folder = folder.resolve()
        free = max(memory - _BASE, 0)
        self.per_part = max(int(free * (1 - _SHARE)) // _PART_BYTES, _LEAST)
        (self.folder / "spilled").mkdir(exist_ok=True)
        self._engine: Any = duckdb.connect(
            config={
                # Each thread sorts in blocks of its own: with two, 512 MiB did not do for a million cards.
                "threads": 1,
                "memory_limit": f"{max(int(free * _SHARE), _LEAST_MEMORY) >> 20}MiB",
                "temp_directory": str(self.folder / "spilled"),
                "preserve_insertion_order": False,
            }
        )

    def __enter__(self) -> SpillingCalculator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.close()

    def known(self, name: str) -> None:
        """As `Calculator`."""
        self._engine.read_parquet(str(self.folder / name / "*.parquet")).create_view(name, replace=True)

    def view(self, name: str, statement: str) -> None:
        """As `Calculator`."""
        self._engine.execute(f"CREATE OR REPLACE VIEW {name} AS {statement}")

    def query(self, name: str, statement: str) -> None:
        """As `Calculator`."""
        (self.folder / name).mkdir(exist_ok=True)
        self._engine.sql(statement).write_parquet(str(self.folder / name / "0.parquet"))
        self.known(name)

    def each(self, name: str, rows: str, work: Work, schema: pa.Schema) -> None:
        """As `Calculator`."""
        self._write(name, schema, (work(pa.Table.from_batches([batch])) for batch in self._batches(rows)))

    def grouped(self, name: str, rows: str, work: Work, schema: pa.Schema) -> None:
        """As `Calculator`."""
        self._write(name, schema, (work(table) for _, table in self._parts(rows)))

    def cogrouped(self, name: str, pairs: str, cards: str, work: PairWork, schema: pa.Schema) -> None:
        """As `Calculator`."""
        self._write(name, schema, self._worked(pairs, cards, work))

    def _worked(self, pairs: str, cards: str, work: PairWork) -> Iterator[pa.Table]:
        nothing = self._engine.sql(pairs).limit(0).to_arrow_table()
        found = self._parts(pairs)
        part, one = next(found, (-1, nothing))
        for place, other in self._parts(cards):
            if place == part:
                yield work(one, other)
                part, one = next(found, (-1, nothing))
            else:
                yield work(nothing, other)

    def _parts(self, rows: str) -> Iterator[tuple[int, pa.Table]]:
        """The parts of a query's rows, by their number."""
        number, held = -1, list[pa.Table]()
        for batch in self._batches(rows + "\nORDER BY part"):
            table = pa.Table.from_batches([batch])
            part = table["part"].to_numpy()
            begin = 0
            while begin < len(part):
                end = int(part.searchsorted(part[begin], side="right"))
                if int(part[begin]) != number:
                    if held:
                        yield number, pa.concat_tables(held)
                    number, held = int(part[begin]), []
                held.append(table.slice(begin, end - begin))
                begin = end
        if held:
            yield number, pa.concat_tables(held)

    def _batches(self, rows: str) -> Iterator[pa.RecordBatch]:
        # Each with a cursor of its own: two queries are read beside each other.
        with self._engine.cursor() as cursor:
            yield from cursor.sql(rows).to_arrow_reader(_BATCH)

    def _write(self, name: str, schema: pa.Schema, tables: Iterator[pa.Table]) -> None:
        (self.folder / name).mkdir(exist_ok=True)
        with pq.ParquetWriter(self.folder / name / "0.parquet", schema) as writer:
            for table in tables:
                writer.write_table(table.cast(schema))
                give_back(self.per_part * 100)
        self.known(name)
