"""What a task on an executor reads and writes: files of the folder that all machines see.

A task may be worked twice, on two machines at once even. So each attempt writes a file of its own, and the driver
takes the one of the attempt that Spark counts (`take`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from identity.memory import ALWAYS, give_back
from identity.staged.calculator import path_of
from identity.staged.spool import Spool
from identity.staged.tables import Tables

_MEMORY: Final = 256 << 20
"""Bytes that DuckDB uses in a task."""


@dataclass(frozen=True)
class Known:
    """The tables that queries may name."""

    folder: Path
    tables: tuple[str, ...]

    def asked(self, statement: str, of: str, only: Path) -> Iterator[pa.Table]:
        """The rows of a query that chooses them from the table `of`, as far as they are in one file of it."""
        spilled = self.folder / "spilled"
        spilled.mkdir(exist_ok=True)
        with Tables(self.folder, spilled / uuid.uuid4().hex, _MEMORY) as tables:
            for name in self.tables:
                tables.known(name, only if name == of else None)
            yield from tables.asked(statement)


def written(table: Path, schema: pa.Schema, rows: Iterable[pa.Table]) -> str:
    """Write a file beside those of a table, which do not count it yet; its name."""
    name = _attempt()
    with pq.ParquetWriter(table / name, schema) as writer:
        for some in rows:
            writer.write_table(some.cast(schema))
            give_back(ALWAYS)
    return name


def dealt(folder: Path, rows: Iterable[pa.Table]) -> tuple[str, dict[int, Sequence[int]]]:
    """Deal rows out to their `part`, in a file: its name, and where the pieces of each part begin."""
    name = _attempt()
    with Spool(folder / name, kept=True) as spool:
        for some in rows:
            spool.add(some["part"].to_numpy(), some)
        return name, dict(spool.places())


def _attempt() -> str:
    return f".{uuid.uuid4().hex}"  # Arrow, DuckDB and Spark pass over such names


def take(table: Path, names: Iterable[str]) -> None:
    """Make what attempts wrote the files of a table."""
    for number, name in enumerate(names):
        (table / name).rename(path_of(table, number))
