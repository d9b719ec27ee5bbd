"""Parquet; the only place of the reading path that imports pyarrow, and only when such a file is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connectors.canonical import NotStorable, plain
from connectors.errors import SourceDataError
from connectors.files.batch import Batch, Part
from connectors.files.settings import FileOptions
from connectors.rows import reject


def read_parquet(path: Path, options: FileOptions, start: int) -> Part:
    """The rows of a Parquet file after row `start`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        names = file.schema_arrow.names
    except (pa.ArrowException, OSError, ValueError) as error:
        message = f"this cannot be read as Parquet ({type(error).__name__})"
        raise SourceDataError(message, place=path.name, hint="Is it cut off?") from None
    batches = _batches(file, path, start, options.page_size)
    return Part(names, batches, lambda number: f"{path.name} row {number}")


def _batches(file: Any, path: Path, start: int, page_size: int) -> Iterator[Batch]:
    import pyarrow as pa

    total = file.metadata.num_rows
    number = 0
    try:
        with file:
            for table in file.iter_batches(batch_size=page_size):
                begin, number = number, number + table.num_rows
                if number <= start:
                    continue
                batch = Batch([], number, [], table.nbytes, total)
                for place, values in enumerate(table.to_pylist(), begin + 1):
                    if place <= start:
                        continue
                    try:
                        batch.records.append((place, plain(values)))
                    except NotStorable as error:
                        batch.rejects.append((place, reject(values, "not-storable", str(error), "")))
                yield batch
    except (pa.ArrowException, OSError, ValueError) as error:
        message = f"the file cannot be read after row {number} ({type(error).__name__})"
        raise SourceDataError(message, place=path.name) from None
