"""Migrations, models and SQL definitions say the same, and every object explains itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from warehouse import migrate
from warehouse.catalogue import catalogue, differences
from warehouse.connect import connect, sqlalchemy_url
from warehouse.models import SCHEMAS, metadata
from warehouse.version import installed_revision, packaged_revision


def make_from_models(url: str) -> None:
    """A hub's database from models and definitions alone."""
    engine = create_engine(sqlalchemy_url(url))
    with engine.begin() as connection:
        for schema in SCHEMAS:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
        metadata.create_all(connection)
        connection.execute(text("CREATE TABLE ops.alembic_version (version_num varchar(32) NOT NULL)"))
        migrate.install_definitions(connection.connection.driver_connection)
    engine.dispose()


def test_migrations_and_models_make_the_same_database(conn: psycopg.Connection, empty_database_url: str) -> None:
    make_from_models(empty_database_url)
    with connect(empty_database_url, application_name="test") as other:
        assert differences(catalogue(other), catalogue(conn)) == []


@pytest.mark.parametrize(
    "drift",
    [
        "DROP INDEX identity.uq_crosswalk_history_open",
        "ALTER TABLE ops.run DROP CONSTRAINT ck_run_status",
        "COMMENT ON COLUMN core.client.kind IS 'something else'",
        "CREATE OR REPLACE VIEW onefold_v1.dim_extra AS SELECT 1 AS one",
        "ALTER TABLE core.client ALTER COLUMN kind DROP NOT NULL",
        "CREATE OR REPLACE FUNCTION core.golden_text(attributes jsonb, name text) RETURNS text LANGUAGE sql"
        " IMMUTABLE AS 'SELECT NULL::text'",
        "GRANT SELECT ON core.client TO PUBLIC",
    ],
)
def test_the_guard_sees_what_drifted(conn: psycopg.Connection, drift: str) -> None:
    before = catalogue(conn)
    conn.execute(drift)
    assert differences(before, catalogue(conn))


def test_every_schema_table_view_and_column_has_a_comment(conn: psycopg.Connection) -> None:
    schemas = "('raw', 'identity', 'core', 'ops', 'onefold_v1', 'onefold_v1_asof')"
    uncommented = conn.execute(
        f"""
        SELECT c.oid::regclass::text, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE n.nspname IN {schemas} AND c.relkind IN ('r', 'v', 'm')
          AND (obj_description(c.oid, 'pg_class') IS NULL OR col_description(c.oid, a.attnum) IS NULL)
        UNION ALL SELECT nspname::text, NULL FROM pg_namespace n
        WHERE nspname IN {schemas} AND obj_description(n.oid, 'pg_namespace') IS NULL
        """
    ).fetchall()
    assert uncommented == []


def test_every_served_view_tells_its_change_and_whether_a_row_still_holds(conn: psycopg.Connection) -> None:
    rows = conn.execute(
        "SELECT table_name, array_agg(column_name::text) FROM information_schema.columns"
        " WHERE table_schema = 'onefold_v1' GROUP BY 1"
    ).fetchall()
    assert {"dim_client", "dim_party", "fct_interaction", "client_field_lineage", "change_feed"} <= {r[0] for r in rows}
    assert [view for view, columns in rows if not {"changed_seq", "is_deleted"} <= set(columns)] == []


def test_the_head_is_known_without_alembic(database_url: str) -> None:
    engine = create_engine(sqlalchemy_url(database_url))
    with engine.connect() as connection:
        head = ScriptDirectory.from_config(migrate.alembic_config(connection)).get_current_head()
    engine.dispose()
    assert packaged_revision().partition("+")[0] == head
    assert migrate.is_current(database_url)


def test_two_migrations_at_once_take_turns(empty_database_url: str) -> None:
    with connect(empty_database_url, application_name="test") as conn:
        assert installed_revision(conn) is None
    assert not migrate.is_current(empty_database_url)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(migrate.upgrade, [empty_database_url] * 2))
    assert migrate.is_current(empty_database_url)


def test_views_that_analysts_hung_on_ours_survive_another_migration(
    conn: psycopg.Connection, database_url: str
) -> None:
    conn.execute("CREATE SCHEMA analyst")
    conn.execute("CREATE VIEW analyst.v AS SELECT * FROM onefold_v1.dim_client")
    conn.execute("CREATE MATERIALIZED VIEW analyst.m AS SELECT * FROM onefold_v1.fct_interaction")
    conn.execute("UPDATE ops.definition SET fingerprint = gen_random_uuid() WHERE kind = 'sql'")
    assert not migrate.is_current(database_url)
    migrate.upgrade(database_url)
    assert migrate.is_current(database_url)
    assert conn.execute("SELECT count(*) FROM analyst.v").fetchone() == (0,)


def test_a_failed_migration_is_told_without_the_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ONEFOLD_MIGRATE_URL", "postgresql://ada:hunter2@127.0.0.1:1/nothing?connect_timeout=1")
    assert migrate.main() == 1
    assert "hunter2" not in capsys.readouterr().err
