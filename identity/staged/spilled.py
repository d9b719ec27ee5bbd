"""The calculator of a staged run on one machine: parts are worked one after the other, and what waits lies on disk.

DuckDB joins and counts by the SQL of every engine; wide rows are never sorted, but dealt out to their parts.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from identity.blocking.keys import BLOCK_LIMIT
from identity.features import natural_order
from identity.memory import give_back, held_little
from identity.population import Rules
from identity.resolve import REFUSED
from identity.schema import PAIR
from identity.staged.calculator import PairWork, Work, count, give, read
from identity.staged.grid import cells, deal_blocks
from identity.staged.ranks import Ranks
from identity.staged.spool import Spool

_BASE: Final = 400 << 20
_RECORD_BYTES: Final = 1_600
"""What a record takes at most in a run in memory beside that (5 million: 7,479 MiB)."""
_PROGRAM: Final = 600 << 20
"""What the program, DuckDB and rows on their way take of a run in parts, whatever its size."""
_PART_BYTES: Final = 2_000
"""What a record takes beside that in a part, while its pairs are compared."""
_LEAST: Final = 20_000
_BATCH: Final = 50_000
_KEY_BYTES: Final = 100
"""What a blocking key takes while it is sorted into its block."""
_ALWAYS: Final = 1 << 30  # what was worked on, for `give_back`: with little memory the least of it counts
_KEYS_AT_ONCE: Final = 500_000
_LEAST_MEMORY: Final = 128 << 20
_SHARE: Final = 0.2  # of the memory is DuckDB's; the rest is for a part, and what the driver holds


def needed(records: int) -> int:
    """The bytes that a run in memory takes for so many records."""
    return _BASE + records * _RECORD_BYTES


class SpillingCalculator:
    """A `Calculator` in one process; `memory` bytes, and what lies in `folder` while it works."""

    cores = 1  # a part has all cores to itself: fewer are in memory at once

    def __init__(self, folder: Path, memory: int) -> None:
        import duckdb  # a tenth of what loading all of this takes, and other runs need it nowhere

        self.folder = folder.resolve()
        self._free = max(memory - _PROGRAM, 0)
        self.per_part = max(int(self._free * (1 - _SHARE)) // _PART_BYTES, _LEAST)
        self._spilled = self.folder / "spilled"
        self._spilled.mkdir(exist_ok=True)
        self._part_size = 0
        self._held = ExitStack()
        self._held.enter_context(held_little())
        self._engine: Any = duckdb.connect(
            config={
                "threads": 1,  # each holds memory of its own
                "memory_limit": f"{max(int(self._free * _SHARE), _LEAST_MEMORY) >> 20}MiB",
                "temp_directory": str(self._spilled),
                "preserve_insertion_order": False,
                "enable_external_file_cache": False,
            }
        )

    def __enter__(self) -> SpillingCalculator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._engine.close()
        self._held.close()

    def begin(self, cards: str) -> None:
        """As `Calculator`: cards are put into natural order, in a file for each part of the grid."""
        records = count(self.folder, cards)
        parts = 1 if records <= self.per_part else -(-records // (self.per_part // 2))
        self._part_size = max(-(-records // parts), 1)
        named = pq.read_table(self.folder / cards, columns=["record_id", "source", "stream", "source_key"])
        ranks = Ranks(named["record_id"].to_numpy()[natural_order(named)])
        del named
        arranged = self.folder / f"{cards}-arranged"
        with Spool(self._spilled / cards) as spool:
            for table in self._stored(cards):
                spool.add(ranks.of(table["record_id"].to_numpy()) // self._part_size, table)
            arranged.mkdir()
            for number, rows in spool.each():
                order = np.argsort(ranks.of(rows["record_id"].to_numpy()))
                pq.write_table(rows.take(pa.array(order)), arranged / f"{number:05}.parquet", row_group_size=_BATCH)
            if not spool.parts():
                shutil.copytree(self.folder / cards, arranged, dirs_exist_ok=True)
        shutil.rmtree(self.folder / cards)
        arranged.rename(self.folder / cards)
        self.known(cards)
        self._cards = cards

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
        self._write(name, schema, (work(table) for table in self._stored(rows)))

    def grouped(self, name: str, rows: str, work: Work, schema: pa.Schema) -> None:
        """As `Calculator`."""
        with self._dealt(rows) as parts:
            self._write(name, schema, (work(table) for _, table in parts.each()))

    def cogrouped(self, name: str, pairs: str, cards: str, work: PairWork, schema: pa.Schema) -> None:
        """As `Calculator`."""
        nothing = self._engine.sql(pairs).limit(0).to_arrow_table()
        with self._dealt(pairs) as ones, self._dealt(cards) as others:

            def worked() -> Iterator[pa.Table]:
                for part, rows in others.each():
                    mine = ones.read(part)
                    yield work(nothing if mine is None else mine, rows)
                    give_back(_ALWAYS)

            self._write(name, schema, worked())

    def compare(self, rules: Rules) -> int:
        """As `Calculator`."""
        with Spool(self._spilled / "members") as members:
            self._deal_blocks(members)
            parts = -(-count(self.folder, self._cards) // self._part_size)
            candidates = 0

            def counted() -> Iterator[pa.Table]:
                nonlocal candidates
                for more, pairs in cells(rules, self._part, parts, self._part_size, members):
                    candidates += more
                    yield pairs
                    give_back(_ALWAYS)

            self._write("pairs", PAIR, counted())
        return candidates

    def _deal_blocks(self, members: Spool) -> None:
        keys, limits = count(self.folder, "blocking_key"), read(self.folder, "block_limit", BLOCK_LIMIT)
        buckets = max(-(-keys * _KEY_BYTES // max(self._free // 2, _LEAST_MEMORY)), 1)
        in_order = [pq.read_table(path, columns=["record_id"]) for path in self._files(self._cards)]
        ranks = Ranks(pa.concat_tables(in_order)["record_id"].to_numpy())
        rows = self._stored("blocking_key", _KEYS_AT_ONCE)
        refused = deal_blocks(rows, ranks, limits, buckets, self._part_size, members)
        give(self.folder, "refused_blocks", refused.select(REFUSED.names))
        first = ranks.ids[refused["row"].to_numpy()]
        give(self.folder, "first_of_blocks", pa.table({"key": refused["key"], "record_id": first}))
        give_back(_ALWAYS)

    def _part(self, number: int) -> pa.Table:
        """The cards of a part of the grid."""
        return pq.read_table(self.folder / self._cards / f"{number:05}.parquet")

    def _stored(self, name: str, batch: int = _BATCH) -> Iterator[pa.Table]:
        """The rows of a table or view, as many at once."""
        if not (self.folder / name).is_dir():
            yield from self._asked(f"FROM {name}", batch)
            return
        for path in self._files(name):
            with pq.ParquetFile(path) as file:
                for some in file.iter_batches(batch):
                    yield pa.Table.from_batches([some])

    def _files(self, name: str) -> list[Path]:
        return sorted((self.folder / name).glob("*.parquet"))

    def _dealt(self, rows: str) -> Spool:
        """The rows of a query by their part."""
        spool = Spool(self._spilled / "dealt")
        for table in self._asked(rows, _BATCH):
            spool.add(table["part"].to_numpy(), table)
        return spool

    def _asked(self, query: str, batch: int) -> Iterator[pa.Table]:
        with self._engine.cursor() as cursor:
            for some in cursor.sql(query).to_arrow_reader(batch):
                yield pa.Table.from_batches([some])

    def _write(self, name: str, schema: pa.Schema, tables: Iterator[pa.Table]) -> None:
        (self.folder / name).mkdir(exist_ok=True)
        with pq.ParquetWriter(self.folder / name / "0.parquet", schema) as writer:
            for table in tables:
                writer.write_table(table.cast(schema))
        give_back(_ALWAYS)
        self.known(name)
