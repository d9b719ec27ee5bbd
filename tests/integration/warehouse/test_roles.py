"""The roles of a hub: made once, each with its rights and no more."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo

from warehouse.connect import connect
from warehouse.roles import drop_roles, ensure_roles, grant_served, role_names
from warehouse.server import EmbeddedServer, ServerOptions

TABLES = """
CREATE SCHEMA core; CREATE SCHEMA ops; CREATE SCHEMA onefold_v1;
CREATE TABLE core.client (client_id bigint GENERATED ALWAYS AS IDENTITY, name text);
INSERT INTO core.client (name) VALUES ('Anna');
CREATE VIEW onefold_v1.dim_client AS SELECT client_id, name FROM core.client;
"""


@pytest.fixture
def hub(empty_database_url: str) -> Iterator[psycopg.Connection]:
    """A small hub with one table and one served view."""
    with connect(empty_database_url, application_name="test") as conn:
        conn.execute(TABLES)
        yield conn


def as_role(conn: psycopg.Connection, role: str, statement: str) -> list[tuple[object, ...]]:
    """What a member of the role gets to see."""
    with conn.transaction(force_rollback=True):
        conn.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
        cursor = conn.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_roles_are_named_after_the_database(hub: psycopg.Connection):
    report = ensure_roles(hub)
    assert report.names.reader == f"{hub.info.dbname}_reader"
    assert set(report.created) == set(report.names.all())
    assert report.is_complete


def test_repeating_creates_nothing(hub: psycopg.Connection):
    ensure_roles(hub)
    grant_served(hub)
    again = ensure_roles(hub)
    assert (again.created, again.missing) == ((), ())
    assert grant_served(hub).is_complete


def test_two_processes_at_once_make_the_roles_once(hub: psycopg.Connection, empty_database_url: str):
    def once(_: int) -> int:
        with connect(empty_database_url, application_name="test") as conn:
            created = len(ensure_roles(conn).created)
            grant_served(conn)
            return created

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(once, range(4))) == [0, 0, 0, 4]


def test_reader_sees_the_served_views_and_nothing_else(hub: psycopg.Connection):
    reader = ensure_roles(hub).names.reader
    grant_served(hub)
    assert as_role(hub, reader, "SELECT name FROM onefold_v1.dim_client") == [("Anna",)]
    for statement in (
        "SELECT * FROM core.client",
        "INSERT INTO onefold_v1.dim_client (name) VALUES ('x')",
        "CREATE TABLE onefold_v1.mine (id int)",
        "CREATE TABLE public.mine (id int)",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            as_role(hub, reader, statement)


def test_served_view_added_later_is_readable_at_once(hub: psycopg.Connection):
    reader = ensure_roles(hub).names.reader
    grant_served(hub)
    hub.execute("CREATE VIEW onefold_v1.later AS SELECT 1 AS one")
    assert as_role(hub, reader, "SELECT one FROM onefold_v1.later") == [(1,)]


def test_served_views_belong_to_the_owner_who_may_not_log_in(hub: psycopg.Connection):
    owner = ensure_roles(hub).names.owner
    grant_served(hub)
    row = hub.execute(
        "SELECT r.rolname, r.rolcanlogin, r.rolsuper, r.rolbypassrls FROM pg_class c"
        " JOIN pg_roles r ON r.oid = c.relowner WHERE c.oid = 'onefold_v1.dim_client'::regclass"
    ).fetchone()
    assert row == (owner, False, False, False)
    with pytest.raises(errors.InsufficientPrivilege):
        as_role(hub, owner, "CREATE VIEW onefold_v1.more AS SELECT 1 AS one")


def test_writer_writes_and_steward_reads_the_tables(hub: psycopg.Connection):
    names = ensure_roles(hub).names
    grant_served(hub)
    assert as_role(hub, names.steward, "SELECT name FROM core.client") == [("Anna",)]
    assert as_role(hub, names.writer, "INSERT INTO core.client (name) VALUES ('B') RETURNING name") == [("B",)]
    with pytest.raises(errors.InsufficientPrivilege):
        as_role(hub, names.steward, "DELETE FROM core.client")


def test_reader_logs_in_with_the_kept_password(hub: psycopg.Connection, tmp_path: Path):
    names = ensure_roles(hub, tmp_path / "secrets").names
    grant_served(hub)
    file = tmp_path / "secrets" / f"{names.reader}.password"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    host = {"host": "127.0.0.1", "user": names.reader, "dbname": hub.info.dbname, "port": hub.info.port}
    password = file.read_text().strip()
    with psycopg.connect(make_conninfo(**host, password=password)) as conn:
        assert conn.execute("SELECT name FROM onefold_v1.dim_client").fetchone() == ("Anna",)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(make_conninfo(**host, password="wrong"))
    ensure_roles(hub, tmp_path / "secrets")
    assert file.read_text().strip() == password


def test_tools_get_the_url_of_the_reader_from_the_embedded_server(tmp_path: Path):
    server = EmbeddedServer(tmp_path / "data", ServerOptions(database="Kunden 1/2", is_durable=False))
    with server.lease() as endpoint:
        with connect(endpoint.url, application_name="test") as conn:
            conn.execute(TABLES)
            reader = ensure_roles(conn, server.folders.secrets).names.reader
            grant_served(conn)
        with connect(server.url_for_tools(reader), application_name="tool") as conn:
            assert conn.execute("SELECT name FROM onefold_v1.dim_client").fetchone() == ("Anna",)
            with pytest.raises(errors.InsufficientPrivilege):
                conn.execute("SELECT name FROM core.client")


def test_reader_without_a_kept_password_is_told(hub: psycopg.Connection, tmp_path: Path):
    assert "ALTER ROLE" in ensure_roles(hub).notes[0]
    assert "not kept" in ensure_roles(hub, tmp_path).notes[0]


def test_without_the_right_to_create_roles_the_report_says_what_to_ask_for(
    hub: psycopg.Connection, empty_database_url: str
):
    limited = f"{hub.info.dbname}_limited"
    hub.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(limited)))
    try:
        hub.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(limited)))
        report = ensure_roles(hub)
        assert set(report.missing) == set(report.names.all())
        assert "CREATE ROLE" in report.notes[0]
        assert "GRANT" in report.notes[0]
        assert not grant_served(hub).is_complete
    finally:
        hub.execute("RESET ROLE")
        hub.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(limited)))


def test_owner_of_the_database_with_createrole_needs_no_superuser(hub: psycopg.Connection):
    admin = f"{hub.info.dbname}_admin"
    database = sql.Identifier(hub.info.dbname)
    hub.execute(sql.SQL("CREATE ROLE {} CREATEROLE").format(sql.Identifier(admin)))
    hub.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, sql.Identifier(admin)))
    hub.execute("DROP SCHEMA core, ops, onefold_v1 CASCADE")
    hub.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(admin)))
    hub.execute(TABLES)
    reader = ensure_roles(hub).names.reader
    assert grant_served(hub).notes == ()
    hub.execute("RESET ROLE")
    assert as_role(hub, reader, "SELECT name FROM onefold_v1.dim_client") == [("Anna",)]


def test_roles_of_long_database_names_stay_apart():
    first, second = role_names("a" * 62 + "1"), role_names("a" * 62 + "2")
    assert not set(first.all()) & set(second.all())
    assert all(len(name.encode()) <= 63 for name in first.all())
    assert len(role_names("ж" * 31).steward.encode()) <= 63


def test_roles_go_with_their_database(hub: psycopg.Connection, server_url: str):
    names = ensure_roles(hub).names
    grant_served(hub)
    hub.execute("DROP SCHEMA core, ops, onefold_v1 CASCADE")
    hub.execute(sql.SQL("DROP OWNED BY {}").format(sql.SQL(", ").join(map(sql.Identifier, names.all()))))
    with connect(server_url, application_name="test") as other:
        drop_roles(other, hub.info.dbname)
        found = other.execute("SELECT FROM pg_roles WHERE rolname = ANY (%s)", [list(names.all())])
        assert found.fetchall() == []
