"""What tasks of Spark write: of a task that was worked twice one file counts; and how a register is divided."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from identity.spark.calculator import per_part_of
from identity.spark.tasks import Known, dealt, take, written
from identity.staged.calculator import count, files, read
from identity.staged.grid import Grid
from identity.staged.spool import pieces
from identity.staged.tables import Tables

SCHEMA = pa.schema([("n", pa.int64())])


def numbers(*values: int) -> pa.Table:
    return pa.table([list(values)], schema=SCHEMA)


def test_of_attempts_at_a_task_one_counts(tmp_path: Path) -> None:
    table = tmp_path / "numbers"
    table.mkdir()
    lost, first, second = (written(table, SCHEMA, [rows]) for rows in (numbers(1), numbers(1), numbers(2, 3)))
    take(table, [first, second])
    assert (table / lost).exists()
    assert [path.name for path in files(tmp_path, "numbers")] == ["00000.parquet", "00001.parquet"]
    assert count(tmp_path, "numbers") == 3
    assert read(tmp_path, "numbers", SCHEMA)["n"].to_pylist() == [1, 2, 3]
    with Tables(tmp_path, tmp_path / "spilled", 128 << 20) as engine:
        engine.known("numbers")
        assert [rows["n"].to_pylist() for rows in engine.asked("FROM numbers ORDER BY n")] == [[1, 2, 3]]


def test_rows_that_one_file_of_a_table_gives_are_dealt_out_to_their_parts(tmp_path: Path) -> None:
    for name, tables in {"numbers": [numbers(1, 2), numbers(3, 4)], "odd": [numbers(1), numbers(3)]}.items():
        (tmp_path / name).mkdir()
        take(tmp_path / name, [written(tmp_path / name, SCHEMA, [table]) for table in tables])
    known, second = Known(tmp_path, ("numbers", "odd")), files(tmp_path, "numbers")[1]
    statement = "SELECT n.n, n.n % 2 AS part FROM numbers n LEFT JOIN odd o ON o.n = n.n ORDER BY n.n"
    name, places = dealt(tmp_path, known.asked(statement, "numbers", second))
    found = {part: [piece["n"].to_pylist() for piece in pieces(tmp_path / name, mine)] for part, mine in places.items()}
    assert found == {0: [[4]], 1: [[3]]}


@pytest.mark.parametrize(
    ("records", "per_part", "least_cells", "expected"),
    [
        (0, 100, 6, (0, 1)),
        (100, 100, 1, (1, 100)),
        (101, 100, 1, (3, 34)),
        (1_000_000, 500_000, 6, (4, 250_000)),
        (1_000_000, 500_000, 300, (24, 41_667)),
        (100_000, 500_000, 300, (10, 10_000)),
        (160, 40, 6, (8, 20)),
    ],
)
def test_a_register_has_so_many_parts_that_two_fit_and_all_cores_have_work(
    records: int, per_part: int, least_cells: int, expected: tuple[int, int]
) -> None:
    grid = Grid.of(records, per_part, least_cells)
    assert (grid.parts, grid.part_size) == expected
    assert len(grid.cells()) == grid.parts * (grid.parts + 1) // 2


def test_the_bound_of_a_process_says_how_many_records_a_part_holds() -> None:
    assert per_part_of(None) == 536_870
    assert per_part_of(4 << 30) > 3 * per_part_of(None)
    assert per_part_of(1) == 20_000
