"""The embedded server's life: shared, crashed, recovered, stopped with its last user."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from warehouse.connect import connect
from warehouse.server import EmbeddedServer, ServerOptions
from warehouse.server.ports import remembered_port
from warehouse.server.processes import is_server_of, servers_of

USER_OF_THE_SERVER = """
import sys
from pathlib import Path
from warehouse.server import EmbeddedServer, ServerOptions
with EmbeddedServer(Path(sys.argv[1]), ServerOptions(is_durable=False)).lease() as endpoint:
    print(endpoint.url, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server that does not run yet; stopped afterwards whatever happened."""
    embedded = EmbeddedServer(tmp_path / "data", ServerOptions(is_durable=False))
    yield embedded
    embedded.stop("immediate")


def start_user(server: EmbeddedServer) -> subprocess.Popen[str]:
    """Another process that takes a lease and holds it until its standard input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", USER_OF_THE_SERVER, str(server.folders.home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def leave(user: subprocess.Popen[str]) -> None:
    """The other process ends as it should."""
    user.communicate("\n", timeout=60)
    assert user.returncode == 0


def url_of(user: subprocess.Popen[str]) -> str:
    """Waits until the other process has its lease."""
    assert user.stdout is not None
    return user.stdout.readline().strip()


def kill(pid: int) -> None:
    """kill -9, and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    patience = time.monotonic() + 30
    while time.monotonic() < patience:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    raise AssertionError(f"{pid} still there")


def test_two_processes_that_start_at_once_share_one_server(server: EmbeddedServer):
    first, second = start_user(server), start_user(server)
    try:
        assert url_of(first) == url_of(second)
        status = server.status()
        assert status.is_running
        assert {lease.pid for lease in status.leases} == {first.pid, second.pid}
        assert json.loads(json.dumps(status.as_dict()))["running"] is True
    finally:
        leave(first)
    assert server.status().is_running
    leave(second)
    assert not server.status().is_running


def test_server_stops_with_its_last_lease(server: EmbeddedServer):
    with server.lease(), server.lease():
        assert len(server.status().leases) == 2
    assert not server.status().is_running
    assert servers_of(server.folders.cluster) == []


def test_server_asked_to_stay_outlives_its_leases_until_it_is_stopped(server: EmbeddedServer):
    server.start(keep=True)
    with server.lease():
        pass
    assert server.status().is_running
    assert server.stop()
    assert not server.stop()
    with server.lease():
        pass
    assert not server.status().is_running


def test_lease_of_a_killed_process_does_not_keep_the_server(server: EmbeddedServer):
    user = start_user(server)
    url_of(user)
    with server.lease():
        user.kill()
        user.communicate()
        assert [lease.pid for lease in server.status().leases] == [os.getpid()]
    assert not server.status().is_running


def test_lease_file_with_the_number_of_a_living_process_is_no_lease(server: EmbeddedServer):
    with server.lease():
        # What a killed user leaves when its process number was given to another process.
        forged = server.folders.leases / f"{os.getppid()}-00000000.lease"
        forged.write_text(json.dumps({"pid": os.getppid(), "since": time.time()}))
    assert not server.status().is_running
    assert not forged.exists()


def test_committed_data_survives_kill_9_of_the_postmaster(server: EmbeddedServer):
    with server.lease() as endpoint:
        with connect(endpoint.url, application_name="test") as conn:
            conn.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS id")
        pid = server.status().pid
        assert pid is not None
        kill(pid)
        assert not server.status().is_running
        with server.lease() as again, connect(again.url, application_name="test") as conn:
            assert conn.execute("SELECT count(*) FROM kept").fetchone() == (1000,)


def test_restart_waits_for_backends_orphaned_by_a_killed_postmaster(server: EmbeddedServer):
    endpoint = server.start()
    with psycopg.connect(endpoint.url, autocommit=True) as conn:
        conn.execute("CREATE TABLE kept (id int)")
        pid = server.status().pid
        assert pid is not None
        backend = conn.info.backend_pid
        # A stopped backend cannot notice that its postmaster died.
        os.kill(backend, signal.SIGSTOP)
        try:
            kill(pid)
            assert servers_of(server.folders.cluster) == [backend]
            impatient = EmbeddedServer(server.folders.home, ServerOptions(is_durable=False, start_timeout=1))
            with pytest.raises(Exception, match="earlier server still"):
                impatient.start()
        finally:
            os.kill(backend, signal.SIGCONT)
        assert server.start().port == endpoint.port


def test_pid_file_whose_number_belongs_to_a_stranger_is_no_server(server: EmbeddedServer):
    server.start()
    server.stop("fast")
    stranger = subprocess.Popen(["sleep", "60"], **unprivileged(server))
    try:
        pid_file = server.folders.cluster / "postmaster.pid"
        lines = [stranger.pid, server.folders.cluster, 1, 20000, server.folders.socket, "", "1 1", "ready"]
        server.folders.prepare_socket()
        socket_lock = server.folders.socket / f".s.PGSQL.{remembered_port(server.folders)}.lock"
        owner = server.folders.cluster.stat()
        for file in (pid_file, socket_lock):
            file.write_text("\n".join(map(str, lines)) + "\n")
            os.chown(file, owner.st_uid, owner.st_gid)
        assert not server.status().is_running
        with server.lease():
            pid = server.status().pid
            assert pid not in {None, stranger.pid}
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def unprivileged(server: EmbeddedServer) -> dict[str, int]:
    """PostgreSQL trips only over strangers of its own account."""
    owner = server.folders.cluster.stat().st_uid
    return {"user": owner} if os.geteuid() == 0 else {}


def test_stranger_is_not_taken_for_the_server(server: EmbeddedServer):
    with server.lease():
        pid = server.status().pid
        assert pid is not None
        assert is_server_of(pid, server.folders.cluster)
        assert not is_server_of(os.getpid(), server.folders.cluster)
        assert not is_server_of(pid, server.folders.home)


def test_initdb_that_was_killed_is_begun_again(server: EmbeddedServer):
    server.folders.prepare()
    unfinished = server.folders.home / "cluster.new"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    with server.lease() as endpoint, connect(endpoint.url, application_name="test") as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)
    assert not unfinished.exists()


def test_port_is_remembered_so_that_saved_connections_go_on_working(server: EmbeddedServer):
    with server.lease() as first:
        pass
    with server.lease() as second:
        assert second.port == first.port


def test_forked_child_does_not_hold_the_lease_that_its_parent_gave_back(server: EmbeddedServer):
    with server.lease():
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(write_end)
            os.read(read_end, 1)
            os._exit(0)
        os.close(read_end)
    os.close(write_end)
    os.waitpid(child, 0)
    assert not server.status().is_running


def test_what_a_killed_process_asked_for_ends_soon(server: EmbeddedServer) -> None:
    asking = (
        "import sys; from warehouse.connect import connect\n"
        "conn = connect(sys.argv[1], application_name='killed')\n"
        "print('connected', flush=True)\n"
        "conn.execute('SELECT count(*) FROM generate_series(1, 100000000000)')\n"
    )
    left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'killed' AND state = 'active'"
    with server.lease() as endpoint, connect(endpoint.url, application_name="test") as conn:

        def are_left(wanted: int) -> bool:
            deadline = time.monotonic() + 60
            while conn.execute(left.encode()).fetchone() != (wanted,):
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.1)
            return True

        with subprocess.Popen([sys.executable, "-c", asking, endpoint.url], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            assert are_left(1)
            process.kill()
        assert are_left(0)
