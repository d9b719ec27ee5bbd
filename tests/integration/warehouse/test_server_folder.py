"""Where the embedded server keeps its data, who may enter, and what it says when something is wrong."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from warehouse.connect import connect, libpq_environment
from warehouse.server import (
    DataDirectoryError,
    EmbeddedServer,
    PermissionsError,
    ServerBinariesError,
    ServerBusyError,
    ServerOptions,
    ServerStartError,
    ServerVersionError,
)
from warehouse.server.folders import SOCKET_PATH_LIMIT, Folders, read_or_make_secret
from warehouse.server.leases import exclusive

QUICK = ServerOptions(is_durable=False)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server that does not run yet; stopped afterwards whatever happened."""
    embedded = EmbeddedServer(tmp_path / "data", QUICK)
    yield embedded
    for folder in (embedded.folders.cluster, embedded.folders.home):
        if folder.exists():
            folder.chmod(0o700)
    embedded.stop("immediate")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("name", ["with space", "with 'quote", "Данные", "100%, all"])
def test_data_folder_may_have_any_name(tmp_path: Path, name: str):
    server = EmbeddedServer(tmp_path / name, QUICK)
    with server.lease() as endpoint, connect(endpoint.url, application_name="test") as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("name", ['with "double', "with $(shell)", "with `shell`", "back\\slash", "new\nline"])
def test_name_that_a_shell_would_read_is_refused_before_anything_is_made(tmp_path: Path, name: str):
    with pytest.raises(DataDirectoryError, match="Choose another folder"):
        EmbeddedServer(tmp_path / name, QUICK).start()
    assert not (tmp_path / name).exists()


def test_deep_data_folder_gets_a_short_private_socket_folder(tmp_path: Path):
    deep = tmp_path.joinpath(*["a_rather_long_folder_name"] * 6)
    server = EmbeddedServer(deep, QUICK)
    with server.lease() as endpoint:
        folder = endpoint.socket_folder
        assert not folder.is_relative_to(deep)
        assert len(os.fsencode(folder / f".s.PGSQL.{endpoint.port}")) <= SOCKET_PATH_LIMIT
        assert mode(folder) == 0o700
        with connect(endpoint.url, application_name="test") as conn:
            assert conn.execute("SELECT 1").fetchone() == (1,)
    assert not folder.exists()


def test_short_socket_folder_made_by_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    deep = Folders(tmp_path.joinpath(*["a_rather_long_folder_name"] * 6))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    deep.prepare()
    deep.socket.parent.mkdir(parents=True, exist_ok=True)
    deep.socket.symlink_to(elsewhere)
    try:
        with pytest.raises(PermissionsError, match="somebody else"):
            deep.prepare_socket()
    finally:
        deep.socket.unlink()


def test_only_the_owner_reaches_data_socket_log_and_passwords(server: EmbeddedServer):
    with server.lease() as endpoint:
        folders = server.folders
        for folder in (folders.cluster, endpoint.socket_folder, folders.leases, folders.secrets):
            assert mode(folder) == 0o700
        for file in (server.password_file("onefold"), folders.log, folders.lock):
            assert mode(file) == 0o600
        assert mode(folders.home) in {0o700, 0o711}


def test_over_tcp_a_password_is_asked_and_only_on_this_machine(server: EmbeddedServer):
    with server.lease() as endpoint:
        with connect(server.url_for_tools(), application_name="test") as conn:
            assert conn.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
            assert conn.execute("SHOW fsync").fetchone() == ("off",)
        address = {"host": endpoint.host, "port": endpoint.port, "user": "onefold", "dbname": "onefold"}
        for password in ("", "wrong"):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(**address, password=password, passfile="/dev/null")


def test_password_is_in_no_configuration_file_and_no_log(server: EmbeddedServer):
    with server.lease():
        password = server.password_file("onefold").read_text().strip()
    texts = [path.read_text() for path in server.folders.configuration.iterdir()]
    assert all(password not in text for text in [*texts, server.folders.log.read_text()])


def test_failed_statements_and_values_stay_out_of_the_log(server: EmbeddedServer):
    with server.lease() as endpoint, connect(endpoint.url, application_name="test") as conn:
        conn.execute("CREATE TABLE client (email text PRIMARY KEY)")
        for _ in range(2):
            with suppress(psycopg.errors.UniqueViolation):
                conn.execute("INSERT INTO client VALUES ('anna@example.com')")
    log = server.folders.log.read_text()
    assert "ready to accept connections" in log
    assert "anna" not in log


def test_text_is_utf_8_with_cyrillic_case_and_trigrams(server: EmbeddedServer):
    with server.lease() as endpoint, connect(endpoint.url, application_name="test") as conn:
        conn.execute("CREATE EXTENSION pg_trgm")
        conn.execute("CREATE EXTENSION btree_gist")
        assert conn.execute("SELECT lower('ИВАНОВ'), similarity('Иванов', 'ИВАНОВА') > 0.5").fetchone() == (
            "иванов",
            True,
        )
        assert conn.execute("SHOW server_encoding").fetchone() == ("UTF8",)


def test_durable_by_default(tmp_path: Path):
    server = EmbeddedServer(tmp_path / "data")
    with server.lease() as endpoint, connect(endpoint.url, application_name="test") as conn:
        assert conn.execute("SHOW fsync").fetchone() == ("on",)
        assert conn.execute("SHOW synchronous_commit").fetchone() == ("on",)
        assert conn.execute("SHOW full_page_writes").fetchone() == ("on",)


def test_users_own_settings_win(server: EmbeddedServer):
    server.start()
    server.stop()
    (server.folders.configuration / "local.conf").write_text("work_mem = '11MB'\n")
    with server.lease() as endpoint, connect(endpoint.url, application_name="test") as conn:
        assert conn.execute("SHOW work_mem").fetchone() == ("11MB",)


def test_setting_that_postgresql_refuses_is_told_with_the_log(server: EmbeddedServer):
    server.start()
    server.stop()
    (server.folders.configuration / "local.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(ServerStartError, match="no_such_setting"):
        server.start()


def test_taken_port_gives_way_to_another(server: EmbeddedServer):
    first = server.start()
    server.stop()
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", first.port))
        squatter.listen()
        with server.lease() as second:
            assert second.port != first.port


def test_data_open_to_others_is_refused_with_the_remedy(server: EmbeddedServer):
    server.start()
    server.stop()
    server.folders.cluster.chmod(0o755)
    with pytest.raises(PermissionsError, match="chmod 700"):
        server.start()


def test_folder_that_others_may_write_is_refused_with_the_remedy(server: EmbeddedServer):
    server.folders.home.mkdir()
    server.folders.home.chmod(0o777)
    with pytest.raises(PermissionsError, match="chmod go-w"):
        server.start()


def test_password_file_open_to_others_is_refused_with_the_remedy(tmp_path: Path):
    file = tmp_path / "reader.password"
    password = read_or_make_secret(file)
    assert read_or_make_secret(file) == password
    assert len(password) >= 32
    file.chmod(0o644)
    with pytest.raises(PermissionsError, match="chmod 600"):
        read_or_make_secret(file)


def test_folder_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirectoryError, match="cannot be created"):
        EmbeddedServer(tmp_path / "file" / "data", QUICK).start()


def test_data_folder_of_another_postgresql_is_left_alone(tmp_path: Path):
    (tmp_path / "PG_VERSION").write_text("16\n")
    with pytest.raises(DataDirectoryError, match="some other PostgreSQL"):
        EmbeddedServer(tmp_path, QUICK).start()


def test_folder_with_foreign_files_in_place_of_the_cluster_is_left_alone(server: EmbeddedServer):
    server.folders.cluster.mkdir(parents=True)
    (server.folders.cluster / "notes.txt").write_text("mine")
    if os.geteuid() == 0:
        os.chown(server.folders.cluster, 65534, 65534)
    with pytest.raises(DataDirectoryError, match="not a PostgreSQL data directory"):
        server.start()
    assert (server.folders.cluster / "notes.txt").read_text() == "mine"


def test_data_of_another_major_version_is_refused_with_both_numbers(server: EmbeddedServer):
    server.start()
    server.stop()
    (server.folders.cluster / "PG_VERSION").write_text("14\n")
    with pytest.raises(ServerVersionError, match=r"PostgreSQL 14.* PostgreSQL 18"):
        server.start()


def test_missing_programs_are_told_with_the_way_out(tmp_path: Path):
    server = EmbeddedServer(tmp_path / "data", ServerOptions(programs=tmp_path / "nowhere"))
    with pytest.raises(ServerBinariesError, match="ONEFOLD_DATABASE_URL"):
        server.lease().__enter__()


def test_waiting_for_another_process_ends_with_its_trace(tmp_path: Path):
    lock = tmp_path / "lock"
    with exclusive(lock, timeout=1, what="it"), pytest.raises(ServerBusyError, match="fuser"):
        exclusive(lock, timeout=0.1, what="it").__enter__()


def test_status_and_stop_of_a_server_that_never_was_create_nothing(tmp_path: Path):
    server = EmbeddedServer(tmp_path / "data", QUICK)
    assert not server.status().is_running
    assert not server.stop()
    assert not (tmp_path / "data").exists()


def test_tools_are_told_when_no_password_is_kept(server: EmbeddedServer):
    with server.lease(), pytest.raises(DataDirectoryError, match="no password is kept"):
        server.url_for_tools("nobody_reader")


def test_psql_of_the_wheel_reaches_the_server_by_its_url(server: EmbeddedServer):
    with server.lease() as endpoint:
        for url in (endpoint.url, server.url_for_tools()):
            done = subprocess.run(
                [server.programs / "psql", "-XAtc", "SELECT current_database()"],
                env={**os.environ, **libpq_environment(url)},
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            )
            assert done.stdout.strip() == "onefold"


@pytest.mark.skipif(os.geteuid() != 0, reason="the server has an account of its own under root only")
def test_below_a_closed_folder_of_root_nothing_is_opened(tmp_path: Path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedServer(closed / "data", QUICK).lease() as endpoint:
        with connect(endpoint.url, application_name="test") as conn:
            assert conn.execute("SELECT 1").fetchone() == (1,)
        assert mode(closed) == 0o700
