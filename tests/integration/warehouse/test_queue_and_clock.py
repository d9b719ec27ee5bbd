"""Queues lose no entry, events are numbered without a gap, and as_of never goes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from warehouse import queue, runs
from warehouse.clock import allocate_events, hub_lock, next_as_of
from warehouse.connect import connect

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_batch_holds_each_record_once_in_order_of_arrival(conn: psycopg.Connection) -> None:
    queue.enqueue(conn, "resolve", [5, 3, 5, 9, 3])
    queue.enqueue(conn, "publish", [1])
    batch = queue.read(conn, "resolve", 4)
    assert list(batch.record_ids) == [5, 3, 9]
    assert len(batch.pending_ids) == 4
    queue.done(conn, batch)
    assert list(queue.read(conn, "resolve").record_ids) == [3]
    assert queue.size(conn, "publish") == 1


def test_an_empty_queue_gives_an_empty_batch(conn: psycopg.Connection) -> None:
    batch = queue.read(conn, "resolve", 10)
    assert not batch
    queue.done(conn, batch)


def test_a_record_queued_again_while_it_is_worked_on_stays_queued(conn: psycopg.Connection, database_url: str) -> None:
    queue.enqueue(conn, "resolve", [7])
    with connect(database_url, application_name="test") as other, conn.transaction():
        batch = queue.read(conn, "resolve")
        queue.enqueue(other, "resolve", [7])
        queue.done(conn, batch)
    assert list(queue.read(conn, "resolve").record_ids) == [7]


def test_an_entry_that_commits_late_with_a_smaller_id_is_not_lost(conn: psycopg.Connection, database_url: str) -> None:
    with connect(database_url, application_name="test") as late:
        with late.transaction():
            queue.enqueue(late, "resolve", [1])
            queue.enqueue(conn, "resolve", [2])
            batch = queue.read(conn, "resolve")
        queue.done(conn, batch)
    assert list(queue.read(conn, "resolve").record_ids) == [1]


def test_work_that_fails_keeps_its_entries(conn: psycopg.Connection) -> None:
    queue.enqueue(conn, "resolve", [1, 2])
    with pytest.raises(RuntimeError), conn.transaction():  # noqa: PT012
        queue.done(conn, queue.read(conn, "resolve"))
        raise RuntimeError
    assert queue.size(conn, "resolve") == 2


def test_as_of_never_goes_back_even_when_the_clock_does(conn: psycopg.Connection) -> None:
    with conn.transaction():
        hub_lock(conn)
        first = next_as_of(conn, lambda: NOW)
        second = next_as_of(conn, lambda: NOW - timedelta(days=1))
        third = next_as_of(conn, lambda: NOW + timedelta(days=1))
    assert (first, second, third) == (NOW, NOW + timedelta(microseconds=1), NOW + timedelta(days=1))


def test_event_ids_have_no_gap_even_after_a_failure(conn: psycopg.Connection) -> None:
    assert allocate_events(conn, 3) == 1
    with pytest.raises(RuntimeError), conn.transaction():  # noqa: PT012
        assert allocate_events(conn, 10) == 4
        raise RuntimeError
    assert allocate_events(conn, 1) == 4


def test_the_hub_lock_lets_one_at_a_time(conn: psycopg.Connection, database_url: str) -> None:
    with connect(database_url, application_name="test") as other, conn.transaction():
        hub_lock(conn)
        other.execute("SET lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable), other.transaction():
            hub_lock(other)
    with conn.transaction():
        hub_lock(conn)


def test_one_sync_per_source(conn: psycopg.Connection, database_url: str) -> None:
    with connect(database_url, application_name="test") as other:
        assert runs.try_source_lock(conn, "crm")
        assert not runs.try_source_lock(other, "crm")
        assert runs.try_source_lock(other, "erp")
        runs.release_source_lock(conn, "crm")
        assert runs.try_source_lock(other, "crm")


def test_a_run_tells_how_it_ended(conn: psycopg.Connection) -> None:
    run_id = runs.start_run(conn, command="sync", source="crm", at=NOW)
    runs.finish_run(conn, run_id, status="done", report={"rows": 3}, at=NOW + timedelta(seconds=2))
    found = conn.execute("SELECT command, source, status, report, finished_at - started_at FROM ops.run").fetchall()
    assert found == [("sync", "crm", "done", {"rows": 3}, timedelta(seconds=2))]


def test_reading_behind_an_entry_leaves_out_what_stands_before_it(conn: psycopg.Connection) -> None:
    queue.enqueue(conn, "resolve", [1, 2, 3])
    first = queue.read(conn, "resolve", 1)
    assert list(queue.read(conn, "resolve", 5, after=first.pending_ids[-1]).record_ids) == [2, 3]
    assert not queue.is_empty(conn, "resolve")
    assert queue.is_empty(conn, "publish")
