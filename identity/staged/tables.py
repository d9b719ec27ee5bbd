"""Tables in files of a folder, and what DuckDB tells of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from identity.staged.calculator import BATCH, path_of


class Tables:
    """Parquet files in folders of `folder`, each a table. DuckDB keeps within `memory` bytes; the rest lies in
    `spilled`."""

    def __init__(self, folder: Path, spilled: Path, memory: int, threads: int = 1) -> None:
        """`threads`: each holds memory of its own."""
        import duckdb  # a tenth of what loading all of this takes, and other runs need it nowhere

        self.folder = folder
        spilled.mkdir(exist_ok=True)
        self._engine: Any = duckdb.connect(
            config={
                "threads": threads,
                "memory_limit": f"{memory >> 20}MiB",
                "temp_directory": str(spilled),
                "preserve_insertion_order": False,
                "enable_external_file_cache": False,
            }
        )

    def __enter__(self) -> Tables:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.close()

    def known(self, name: str, only: Path | None = None) -> None:
        """Make a table known to queries; of its files `only` one, if it is given."""
        self._engine.read_parquet(str(only or self.folder / name / "*.parquet")).create_view(name, replace=True)

    def query(self, name: str, statement: str) -> None:
        """Write a query's rows as a table."""
        (self.folder / name).mkdir(exist_ok=True)
        self._engine.sql(statement).write_parquet(str(path_of(self.folder / name, 0)), row_group_size=BATCH)
        self.known(name)

    def asked(self, statement: str, batch: int = BATCH) -> Iterator[pa.Table]:
        """The rows of a query, as many at once."""
        with self._engine.cursor() as cursor:
            for some in cursor.sql(statement).to_arrow_reader(batch):
                yield pa.Table.from_batches([some])

    def nothing_of(self, statement: str) -> pa.Table:
        """A query's columns, without rows."""
        return self._engine.sql(statement).limit(0).to_arrow_table()
