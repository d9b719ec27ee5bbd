"""The PostgreSQL of one test run: one server for all its workers, a migrated template, a database per test.

The controlling process chooses a folder and cleans it up; the first worker that needs a database starts the
server. With `ONEFOLD_TEST_DATABASE_URL` another server is used instead; its user must be a superuser, or be
allowed to create databases and roles.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
from psycopg import sql

from warehouse.connect import connect, create_database, drop_database, with_database
from warehouse.server import EmbeddedServer, ServerOptions

EXTERNAL_URL = "ONEFOLD_TEST_DATABASE_URL"
_FOLDER = "ONEFOLD_TEST_SERVER_FOLDER"
_PREFIX = "onefold-tests"
_TEMPLATE_LOCK = 7_305_118_001
_MEMORY = Path("/dev/shm")
_ROOM = 4 << 30
"""Bytes that must be free in memory before a run's server lives there; it takes some hundred MB."""


def begin_run() -> bool:
    """In the controlling process: choose the run's folder, told to the workers by the environment.

    False inside another run (a test that runs pytest): it shares that run's server and must not end it.
    """
    if _FOLDER in os.environ:
        return False
    _sweep_abandoned_runs()
    os.environ[_FOLDER] = str(_where_to_live() / f"{own_prefix()}{secrets.token_hex(3)}")
    return True


def own_prefix() -> str:
    """How names of this process's temporary folders begin: if it is killed, the next run finds and removes them."""
    return f"{_PREFIX}-{os.geteuid()}-{os.getpid()}-"


def _where_to_live() -> Path:
    """In memory if there is room: the files of a database of each test's own are made and removed there in a quarter of the time."""
    disk = Path(tempfile.gettempdir())
    try:
        free = shutil.disk_usage(_MEMORY).free
    except OSError:
        return disk
    has_room = min(free, psutil.virtual_memory().available, *_allowed()) >= _ROOM
    return _MEMORY if has_room and os.access(_MEMORY, os.W_OK | os.X_OK) else disk


def _allowed() -> list[int]:
    """What a container may take, whose files in memory count as its memory; empty where nothing bounds it."""
    with suppress(OSError, ValueError):
        return [int(Path("/sys/fs/cgroup/memory.max").read_text("ascii"))]
    return []


def end_run() -> None:
    """In the controlling process: stop the server and remove what the run left."""
    folder = Path(os.environ.pop(_FOLDER))
    if EXTERNAL_URL in os.environ:
        _drop_leftovers(os.environ[EXTERNAL_URL], _run_name(folder))
    _remove(folder)


def run_server() -> EmbeddedServer:
    """The embedded server of this run; without fsync, because its data ends with the run."""
    return EmbeddedServer(Path(os.environ[_FOLDER]) / "server", ServerOptions(is_durable=False))


def server_url() -> str:
    """A database on the server under test, by which others can be created; starts the server when needed."""
    external = os.environ.get(EXTERNAL_URL)
    return external if external else run_server().start(keep=True).url


def template_database(url: str) -> str:
    """The name of this run's migrated database; made once, by whichever worker comes first."""
    name = f"{_run_name(Path(os.environ[_FOLDER]))}_template"
    with connect(with_database(url, "postgres"), application_name="onefold tests") as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", [_TEMPLATE_LOCK])
        if create_database(with_database(url, name)):
            try:
                _migrate(with_database(url, name))
            except BaseException:
                drop_database(with_database(url, name))
                raise
    return name


@contextmanager
def database(url: str, template: str | None) -> Iterator[str]:
    """The URL of a database of its own, a copy of `template` or empty, dropped with its roles afterwards."""
    name = f"{_run_name(Path(os.environ[_FOLDER]))}_{secrets.token_hex(4)}"
    mine = with_database(url, name)
    create_database(mine, template, is_file_copy=True)
    try:
        yield mine
    finally:
        drop_database(mine)
        _drop_roles(url, name)


def _migrate(url: str) -> None:
    if find_spec("warehouse.migrate") is None:
        print("tests: warehouse.migrate is not there; databases are empty")  # noqa: T201
        return
    from warehouse.migrate import upgrade

    upgrade(url)


def _drop_leftovers(url: str, run: str) -> None:
    """Databases of this run on a server that is not ours; our own server is removed as a whole."""
    with connect(with_database(url, "postgres"), application_name="onefold tests") as conn:
        found = conn.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [f"{run}_"]).fetchall()
    for (name,) in found:
        drop_database(with_database(url, name))
        _drop_roles(url, name)


def _drop_roles(url: str, database_name: str) -> None:
    with connect(with_database(url, "postgres"), application_name="onefold tests") as conn:
        found = conn.execute(
            "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)", [f"{database_name}_"]
        ).fetchall()
        for (name,) in found:
            conn.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))


def _run_name(folder: Path) -> str:
    """A short name, unique among the runs on one server."""
    return "onefold_test_" + folder.name.rpartition("-")[2]


def _sweep_abandoned_runs() -> None:
    """Stop and remove the servers of runs whose controlling process was killed."""
    for place in (Path(tempfile.gettempdir()), _MEMORY):
        for folder in place.glob(f"{_PREFIX}-{os.geteuid()}-*-*"):
            pid = folder.name.split("-")[3]
            if pid.isdigit() and not psutil.pid_exists(int(pid)):
                _remove(folder)


def _remove(folder: Path) -> None:
    server = folder / "server"
    if server.exists():
        EmbeddedServer(server, ServerOptions(is_durable=False)).stop("immediate")
    shutil.rmtree(folder, ignore_errors=True)
