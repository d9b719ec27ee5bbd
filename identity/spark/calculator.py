"""Spark as the calculator of a staged run: executors work parts, and work them again where one is lost.

Whole records lie in files of the shared folder, and only tasks read them; the driver asks DuckDB for ids and hashes.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from identity import parallel
from identity.features import natural_order
from identity.memory import ALWAYS, give_back
from identity.plausible import COMPARED
from identity.population import Rules
from identity.spark.tasks import Known, dealt, take, written
from identity.staged.calculator import PairWork, Work, count, files, give, path_of, stored
from identity.staged.cards import CARD
from identity.staged.grid import Grid, Part, deal_keys, meet, natural_ranks
from identity.staged.spilled import LEAST, PART_BYTES, PROGRAM
from identity.staged.spool import Spool, pieces
from identity.staged.tables import Tables

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_WORKER: Final = PROGRAM + (1 << 30)
"""Bytes that one Python process of an executor may take, unless another bound is given."""
_CELLS_PER_CORE: Final = 3
_MEMORY: Final = 1 << 30
"""Bytes that DuckDB uses on the driver."""
_KEYS_MEMORY: Final = 512 << 20
"""Bytes of keys that are sorted into blocks at once."""

Task = Callable[[int], Any]
Dealt = Mapping[int, Sequence[tuple[Path, Sequence[int]]]]
"""Of each part the files where its rows are, and the places of its pieces in them."""


def per_part_of(memory: int | None) -> int:
    """How many records a part may hold where a Python process takes so many bytes; None: about 1.6 GiB."""
    return max(((memory or _WORKER) - PROGRAM) // PART_BYTES, LEAST)


PER_PART: Final = per_part_of(None)


class SparkCalculator:
    """A `Calculator`. The driver and every executor see `folder` under this name."""

    def __init__(self, session: SparkSession, folder: Path, per_part: int = PER_PART) -> None:
        self.session, self.folder, self.per_part = session, folder.resolve(), per_part
        self.cores: int = session.sparkContext.defaultParallelism
        self._spilled = self.folder / "spilled"
        self._spilled.mkdir(exist_ok=True)
        self._tables = Tables(self.folder, self._spilled / "driver", _MEMORY, parallel.threads())
        self._known: dict[str, None] = {}

    def begin(self, cards: str) -> None:
        """As `Calculator`: cards are put into natural order, in a file for each part of the grid."""
        self._cards = cards
        self._grid = Grid.of(count(self.folder, cards), self.per_part, _CELLS_PER_CORE * self.cores)
        ranks, arranged, paths = natural_ranks(self.folder, cards), f"{cards}-arranged", files(self.folder, cards)
        parts = self._emptied(f"{cards}-parts")
        for number, path in enumerate(paths):
            part = ranks.of(pq.read_table(path, columns=["record_id"])["record_id"].to_numpy()) // self._grid.part_size
            pq.write_table(pa.table({"part": part}), path_of(parts, number))

        def parted(number: int) -> Iterator[pa.Table]:
            with pq.ParquetFile(path_of(parts, number)) as file:
                part = file.read()["part"]
            at = 0
            for rows in stored([paths[number]]):
                yield rows.append_column("part", part.slice(at, rows.num_rows))
                at += rows.num_rows

        def in_order(rows: pa.Table) -> pa.Table:
            return rows.drop_columns("part").take(natural_order(rows))

        self._each_part(arranged, self._dealt(len(paths), parted), lambda _, rows: in_order(rows), CARD)
        shutil.rmtree(self.folder / cards)
        (self.folder / arranged).rename(self.folder / cards)
        self.known(cards)

    def known(self, name: str) -> None:
        """As `Calculator`."""
        self._tables.known(name)
        self._known[name] = None

    def query(self, name: str, statement: str) -> None:
        """As `Calculator`."""
        self._emptied(name)
        self._tables.query(name, statement)
        self._known[name] = None

    def each(self, name: str, of: str, work: Work, schema: pa.Schema, rows: str | None = None) -> None:
        """As `Calculator`."""
        target, tables = self._emptied(name), self._asked(of, rows)

        def task(number: int) -> str:
            return written(target, schema, (work(table) for table in tables(number)))

        self._take(name, self._worked(task, len(files(self.folder, of))), schema)
        self.known(name)

    def grouped(self, name: str, of: str, rows: str, work: Work, schema: pa.Schema) -> None:
        """As `Calculator`."""
        found = self._dealt(len(files(self.folder, of)), self._asked(of, rows))
        self._each_part(name, found, lambda _, table: work(table), schema)
        self.known(name)

    def cogrouped(self, name: str, pairs: str, cards: str, work: PairWork, schema: pa.Schema) -> None:
        """As `Calculator`."""
        self.query("parted_pairs", f"FROM ({pairs}) ORDER BY part")
        ones = self.folder / "parted_pairs"
        found = self._dealt(len(files(self.folder, self._cards)), self._asked(self._cards, cards))

        def both(part: int, rows: pa.Table) -> pa.Table:
            return work(pq.read_table(ones, filters=[("part", "=", part)]), rows)

        self._each_part(name, found, both, schema)
        self.known(name)

    def compare(self, rules: Rules) -> int:
        """As `Calculator`: a task for every two parts."""
        grid, cards, members = self._grid, self.folder / self._cards, self._emptied("members_of_blocks")
        with Spool(self._spilled / "members") as spool:
            deal_keys(self.folder, self._cards, grid, _KEYS_MEMORY, spool)
            for number, rows in spool.each():
                pq.write_table(rows, path_of(members, number), use_dictionary=False)
        give_back(ALWAYS)
        cells = sorted(grid.cells(), key=lambda cell: cell[0] == cell[1])  # the longest first
        target = self._emptied("pairs")

        def part(number: int) -> Part:
            path = path_of(members, number)
            mine = pq.read_table(path) if path.exists() else None
            return Part.of(path_of(cards, number), mine, number * grid.part_size)

        def task(number: int) -> tuple[str, int]:
            one, two = cells[number]
            candidates, pairs = meet(rules, part(one), None if one == two else part(two))
            return written(target, COMPARED, [pairs]), candidates

        told = self._worked(task, len(cells))
        self._take("pairs", [name for name, _ in told], COMPARED)
        self.known("pairs")
        return sum(candidates for _, candidates in told)

    def _asked(self, of: str, statement: str | None) -> Callable[[int], Iterator[pa.Table]]:
        """The rows that a query (None: all) chooses from each file of a table."""
        paths, known = files(self.folder, of), Known(self.folder, tuple(self._known))

        def asked(number: int) -> Iterator[pa.Table]:
            path = paths[number]
            return stored([path]) if statement is None else known.asked(statement, of, path)

        return asked

    def _dealt(self, sources: int, rows: Callable[[int], Iterator[pa.Table]]) -> Dealt:
        """The rows of so many sources by their `part`."""
        folder = self._emptied("dealt")
        found = defaultdict(list)
        for name, places in self._worked(lambda number: dealt(folder, rows(number)), sources):
            for part, mine in places.items():
                found[part].append((folder / name, mine))
        return found

    def _each_part(self, name: str, parts: Dealt, work: Callable[[int, pa.Table], pa.Table], schema: pa.Schema) -> None:
        """Write what `work` gives of the number and the rows of each part, a file for each in their order."""
        numbers, target = sorted(parts), self._emptied(name)

        def task(number: int) -> str:
            part = numbers[number]
            rows = pa.concat_tables([piece for path, places in parts[part] for piece in pieces(path, places)])
            return written(target, schema, [work(part, rows)])

        self._take(name, self._worked(task, len(numbers)), schema)

    def _worked(self, task: Task, number: int) -> list[Any]:
        """What a task says of each number below that, in order. Of those that are worked again one counts."""

        def at_work(at: int) -> Any:
            parallel.use(1)  # Spark gives as many tasks as there are cores
            said = task(at)
            give_back(ALWAYS)
            return said

        context = self.session.sparkContext
        return context.parallelize(range(number), number).map(at_work).collect() if number else []

    def _take(self, name: str, attempts: list[str], schema: pa.Schema) -> None:
        take(self.folder / name, attempts)
        if not attempts:
            give(self.folder, name, schema.empty_table())

    def _emptied(self, name: str) -> Path:
        """The folder of a table that is about to be written."""
        self._known.pop(name, None)
        shutil.rmtree(self.folder / name, ignore_errors=True)
        (self.folder / name).mkdir(exist_ok=True)  # a task that does not count any more may still write there
        return self.folder / name
