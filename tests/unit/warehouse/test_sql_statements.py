"""SQL lives in files under names."""

from __future__ import annotations

import subprocess
import sys

import pytest

from warehouse.sql import definitions, sql


def test_a_statement_is_found_by_file_and_name() -> None:
    assert "FROM ops.pending" in sql("queue.read").as_string()


def test_what_two_statements_say_stands_once() -> None:
    kept = sql("landing.keep").as_string()
    for name in ("landing.store", "landing.keep_superseded", "holds.keep_versions", "holds.supersede"):
        found = sql(name).as_string()
        assert kept in found and "-- as:" not in found
    assert sql("landing.close_rejects").as_string() in sql("landing.store").as_string()


@pytest.mark.parametrize("name", ["queue.nothing", "nothing.read", "queue"])
def test_a_missing_statement_is_named(name: str) -> None:
    with pytest.raises(KeyError, match=name):
        sql(name)


def test_definitions_come_in_the_order_of_their_numbers() -> None:
    assert list(definitions()) == sorted(definitions())
    assert definitions()


def test_the_landing_path_loads_neither_arrow_nor_numpy_nor_alembic_nor_sqlmodel() -> None:
    code = (
        "import sys, warehouse.landing, warehouse.queue, warehouse.runs, warehouse.clock, warehouse.version\n"
        "heavy = {'pyarrow', 'numpy', 'alembic', 'sqlmodel', 'sqlalchemy', 'pandas'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
