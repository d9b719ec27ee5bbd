"""Rows on their way to the part that works them: written as they come, read part by part. What waits lies on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_HELD: Final = 32 << 20
"""Bytes of rows that wait in memory until they are dealt out: so each part gets fewer and larger pieces."""
_WRITTEN: Final = pa.ipc.IpcWriteOptions(compression="lz4")


class Spool:
    """Rows by part, in one file. Those of a part keep the order in which they came."""

    def __init__(self, path: Path, *, kept: bool = False) -> None:
        """`kept`: others read the file (`pieces`); else it goes at the end."""
        self.path = path
        self._file = path.open("w+b")
        if not kept:
            path.unlink()  # nobody else reads it, and a killed process leaves nothing
        self._places: dict[int, list[int]] = {}
        self._held: list[tuple[npt.NDArray[np.integer[Any]], pa.Table]] = []
        self._bytes = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, part: npt.NDArray[np.integer[Any]], rows: pa.Table) -> None:
        """Rows, and of each its part."""
        if rows.num_rows == 0:
            return
        self._held.append((part, rows))
        self._bytes += rows.nbytes
        if self._bytes >= _HELD:
            self._deal()

    def places(self) -> Mapping[int, Sequence[int]]:
        """Where in the file the pieces of each part begin that has rows."""
        self._deal()
        self._file.flush()
        return self._places

    def parts(self) -> list[int]:
        """The numbers of the parts that have rows, in order."""
        return sorted(self.places())

    def read(self, part: int) -> pa.Table | None:
        """The rows of a part; None: it has none."""
        found = _pieces(self._file, self.places().get(part, ()))
        return pa.concat_tables(found) if found else None

    def each(self) -> Iterator[tuple[int, pa.Table]]:
        """The parts and their rows, in order."""
        for part in self.parts():
            rows = self.read(part)
            assert rows is not None
            yield part, rows

    def _deal(self) -> None:
        if not self._held:
            return
        part = np.concatenate([part for part, _ in self._held])
        rows = pa.concat_tables([rows for _, rows in self._held])
        self._held, self._bytes = [], 0
        order = np.argsort(part, kind="stable")
        ordered, rows = part[order], rows.take(pa.array(order))
        starts = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1))
        for begin, end in zip(starts.tolist(), [*starts[1:].tolist(), len(ordered)], strict=True):
            self._places.setdefault(int(ordered[begin]), []).append(self._file.seek(0, 2))
            with pa.ipc.new_stream(pa.PythonFile(self._file, mode="w"), rows.schema, options=_WRITTEN) as stream:
                stream.write_table(rows.slice(begin, end - begin))


def pieces(path: Path, places: Sequence[int]) -> list[pa.Table]:
    """What lies at some places of the file of a spool."""
    with path.open("rb") as file:
        return _pieces(file, places)


def _pieces(file: IO[bytes], places: Sequence[int]) -> list[pa.Table]:
    found = []
    for place in places:
        file.seek(place)
        with pa.ipc.open_stream(pa.PythonFile(file, mode="r")) as stream:
            found.append(stream.read_all())
    return found
