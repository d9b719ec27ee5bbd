"""Rows are read on two connections at once, none twice and none left out; without a second connection on one."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from onefold.steps.reading import FEW, Readers
from warehouse import queue
from warehouse.clock import one_view, same_moment
from warehouse.connect import connect


def backend_and_ids(conn: psycopg.Connection, ids: Sequence[int]) -> tuple[int, list[int]]:
    row = conn.execute("SELECT pg_backend_pid(), %s::bigint[]", [list(ids)]).fetchone()
    assert row is not None
    return row[0], row[1]


def test_a_second_connection_sees_the_same_moment_and_none_of_the_first_one_s_writes(
    conn: psycopg.Connection, database_url: str
) -> None:
    queue.enqueue(conn, "resolve", [1])
    with (
        connect(database_url, application_name="test") as other,
        connect(database_url, application_name="test") as third,
        one_view(conn),
    ):
        assert queue.size(conn, "resolve") == 1
        queue.enqueue(third, "resolve", [2])
        queue.enqueue(conn, "resolve", [3, 4])
        with same_moment(conn, other):
            assert (queue.size(conn, "resolve"), queue.size(other, "resolve"), queue.size(third, "resolve")) == (
                3,
                1,
                2,
            )


@pytest.mark.parametrize(("count", "backends"), [(FEW - 1, 1), (FEW, 2), (2 * FEW + 1, 2)])
def test_halves_are_read_on_a_backend_each(
    conn: psycopg.Connection, database_url: str, count: int, backends: int
) -> None:
    with connect(database_url, application_name="test") as other, ThreadPoolExecutor(1) as pool:
        found = Readers(conn, other, pool).halves(range(count), backend_and_ids)
        assert [number for _, ids in found for number in ids] == list(range(count))
        assert len({backend for backend, _ in found}) == backends
        alone = Readers(conn, None, pool)
        assert len(alone.halves(range(count), backend_and_ids)) == 1
        assert alone.beside(lambda one: backend_and_ids(one, [7]))() == (conn.info.backend_pid, [7])
