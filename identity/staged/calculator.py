"""What brings rows together for the stages of a run: queries, and functions over parts of their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from identity.population import Rules

Work = Callable[[pa.Table], pa.Table]
PairWork = Callable[[pa.Table, pa.Table], pa.Table]

BATCH: Final = 50_000
"""Rows that are read and worked at once where any will do."""
_MOST_PARTS: Final = 1 << 16


class Calculator(Protocol):
    """Named tables are Parquet files in folders of `folder`; a written one may be named in queries from then on.

    Queries are DuckDB's. Those that give whole records choose them from a table (`of`), each row by itself, so that
    they may be asked of one of its files after the other. A `part` is what one call of a function is given: all rows
    of a query with one value in its column of that name.
    """

    folder: Path
    cores: int  # how many parts are worked at once
    per_part: int  # records that one part may hold

    def begin(self, cards: str) -> None:
        """Make the table of cards, which lies in the folder, known to queries, in the order in which it is worked."""

    def known(self, name: str) -> None:
        """Make a table that lies in the folder already known to queries."""

    def query(self, name: str, statement: str) -> None:
        """Write a query's rows as a table: ids, hashes and counts, no whole records but few."""

    def each(self, name: str, of: str, work: Work, schema: pa.Schema, rows: str | None = None) -> None:
        """Write what `work` gives of any batches of the rows of the table `of` as a table: of all of them, or of those
        that a query chooses."""

    def grouped(self, name: str, of: str, rows: str, work: Work, schema: pa.Schema) -> None:
        """Write what `work` gives of each part of a query, which chooses rows of the table `of`, as a table."""

    def cogrouped(self, name: str, pairs: str, cards: str, work: PairWork, schema: pa.Schema) -> None:
        """Write what `work` gives of the parts of two queries that have the same number as a table. Of the second the
        rows are chosen from the table of cards.

        Every part of `pairs` has cards. One of `cards` without pairs is worked too, with an empty table of pairs.
        """

    def compare(self, rules: Rules) -> int:
        """Write which records with a key in common are plausible pairs (`pairs`, COMPARED), and which blocks are
        refused (`refused_blocks`, REFUSED; `first_of_blocks`: key and record_id, the first in each); how many
        candidate pairs there are.

        Of the tables `blocking_key` (BLOCKING_KEY), `block_limit` (BLOCK_LIMIT) and the cards.
        """


def read(folder: Path, name: str, schema: pa.Schema) -> pa.Table:
    """The columns of a table that `schema` names, as it has them; file after file, in order."""
    # Neither the whole file at once nor what other threads read ahead beside what it holds.
    parts = [
        pq.read_table(path, columns=schema.names, pre_buffer=False, use_threads=False) for path in files(folder, name)
    ]
    return pa.concat_tables(parts).cast(schema) if parts else schema.empty_table()


def files(folder: Path, name: str) -> list[Path]:
    """The files of a table, in order."""
    return sorted((folder / name).glob("*.parquet"))


def path_of(table: Path, number: int) -> Path:
    """The file with that number of the table in a folder."""
    return table / f"{number:05}.parquet"


def count(folder: Path, name: str) -> int:
    """How many rows a table has."""
    return sum(pq.read_metadata(path).num_rows for path in files(folder, name))


def stored(paths: Iterable[Path], batch: int = BATCH) -> Iterator[pa.Table]:
    """The rows of files, at most so many at once."""
    for path in paths:
        with pq.ParquetFile(path) as file:
            for some in file.iter_batches(batch):
                yield pa.Table.from_batches([some])


def give(folder: Path, name: str, rows: pa.Table) -> None:
    """Write rows as a table, in place of what was there."""
    (folder / name).mkdir(exist_ok=True)
    pq.write_table(rows, path_of(folder / name, 0))


def parts_of(calculator: Calculator, records: int) -> int:
    """Into how many parts so many records go: a power of two, so that bits of an id tell the part."""
    wanted = max(2 * calculator.cores, -(-records // calculator.per_part))
    return min(1 << (wanted - 1).bit_length(), _MOST_PARTS)
