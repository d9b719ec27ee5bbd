"""doctor --hub says what slows the database down or will stop it, and maintain does what of it is safe."""

from __future__ import annotations

import psycopg

from warehouse.connect import connect
from warehouse.health import Advice, Limits, advice, neglected, tables, vacuum

LOW = Limits(dead_rows=100, table_bytes=8192, unused_bytes=8192, open_seconds=0.0, large_database=1, updated_rows=50)


def found(conn: psycopg.Connection, limits: Limits = LOW, own: tuple[str, ...] = ()) -> dict[str, Advice]:
    return {one.subject: one for one in advice(conn, own_indexes=own, limits=limits)}


def test_a_new_hub_has_nothing_to_mend(conn: psycopg.Connection) -> None:
    assert [one for one in advice(conn, own_indexes=()) if one.severity != "hint"] == []


def test_dead_rows_and_missing_statistics_are_found_and_vacuumed_away(conn: psycopg.Connection) -> None:
    conn.execute("ALTER TABLE ops.pending SET (autovacuum_enabled = false)")
    conn.execute("INSERT INTO ops.pending (step, record_id) SELECT 'publish', n FROM generate_series(1, 3000) AS n")
    conn.execute("DELETE FROM ops.pending WHERE record_id > 1000")
    conn.execute("SELECT pg_stat_force_next_flush()")
    said = found(conn)["ops.pending"]
    assert "2,000 of its rows (67%) are dead" in said.message and "never vacuumed" in said.message
    assert said.next_command == "onefold maintain"
    assert neglected(tables(conn), LOW) == ["ops.pending"]
    vacuum(conn, neglected(tables(conn), LOW))
    conn.execute("SELECT pg_stat_force_next_flush()")
    assert "ops.pending" not in found(conn)
    (table,) = [one for one in tables(conn) if one.name == "ops.pending"]
    assert (table.dead_rows, table.has_statistics) == (0, True) and table.vacuumed_at is not None


def test_indexes_that_nobody_needs_are_told_apart_from_the_hub_s_own(conn: psycopg.Connection) -> None:
    conn.execute("INSERT INTO ops.pending (step, record_id) SELECT 'publish', n FROM generate_series(1, 1000) AS n")
    conn.execute("CREATE INDEX ix_mine ON ops.pending (record_id)")
    conn.execute("CREATE INDEX ix_mine_again ON ops.pending (record_id)")
    conn.execute("CREATE INDEX ix_part ON ops.pending (record_id) WHERE step = 'publish'")
    said = advice(conn, own_indexes=("ops.ix_part",), limits=LOW)
    same = [one for one in said if "The same as" in one.message]
    assert [(one.subject, one.next_command) for one in same] == [
        ("ops.ix_mine_again", "DROP INDEX CONCURRENTLY ops.ix_mine_again;")
    ]
    unused = {one.subject: one for one in said if "No query has used" in one.message}
    assert unused["ops.ix_mine"].next_command == "DROP INDEX CONCURRENTLY ops.ix_mine;"
    assert unused["ops.ix_part"].next_command == "onefold db psql -- -c '\\di+ ops.ix_part'"
    assert "hub's own and stays" in unused["ops.ix_part"].message
    assert all(one.next_command for one in said)


def test_who_keeps_vacuum_from_its_work_is_named(conn: psycopg.Connection, database_url: str) -> None:
    with connect(database_url, application_name="forgotten notebook") as other, other.transaction():
        other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        other.execute("SELECT count(*) FROM core.client")
        said = found(conn)["transactions"]
        pid = other.info.backend_pid
        assert f"forgotten notebook (process {pid})" in said.message and "does nothing" in said.message
        assert said.next_command == f"SELECT pg_terminate_backend({pid});"
        assert "transactions" not in found(conn, Limits())
    assert "transactions" not in found(conn)


def test_settings_are_held_against_the_size_of_the_data(conn: psycopg.Connection) -> None:
    assert "work_mem" not in found(conn, Limits())
    conn.execute("SET work_mem = '64kB'")
    said = found(conn)["work_mem"]
    assert said.next_command == "ALTER SYSTEM SET work_mem = '16MB'; SELECT pg_reload_conf();"
