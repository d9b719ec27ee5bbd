"""Throw-away services of a benchmark: a folder, a PostgreSQL with fsync on, a local HTTP server."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common import CACHE, Benchmark


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """An empty folder on the checkout's disk, removed at the end."""
    CACHE.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"bench-{name}-", dir=CACHE))
    try:
        # The server may run as another account (PostgreSQL refuses root) and has to get through.
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def throwaway_postgres(folder: Path, benchmark: Benchmark) -> Iterator[str]:
    """The URL of a PostgreSQL of one's own, as users get it, with fsync and synchronous commit on."""
    from warehouse.connect import connect
    from warehouse.server import EmbeddedServer

    server = EmbeddedServer(folder / "postgres")
    try:
        with server.lease() as endpoint:
            with connect(endpoint.url, application_name="benchmark") as conn:
                for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                    row = conn.execute("SELECT current_setting(%s)", [setting]).fetchone()
                    if row is None or row[0] != "on":
                        raise RuntimeError(f"the server runs with {setting} off; its figures would mean nothing")
                benchmark.postgres = conn.info.parameter_status("server_version")
            yield endpoint.url
    finally:
        server.stop()


def tools_url(folder: Path) -> str:
    """The same server by TCP and password, for tools that do not read a socket from a URL."""
    from warehouse.server import EmbeddedServer

    return str(EmbeddedServer(folder / "postgres").url_for_tools())


def fresh_database(url: str, name: str) -> str:
    """A new, empty database on the same server; what was there under this name is dropped."""
    from warehouse import connect

    target = connect.with_database(url, name)
    if connect.database_exists(target):
        connect.drop_database(target)
    connect.create_database(target)
    return str(target)


def migrated_database(url: str, name: str) -> str:
    """A new database with the hub's tables, so that a measured command does not create them."""
    from onefold.context import ensure_schema

    target = fresh_database(url, name)
    ensure_schema(target)
    return target


@contextmanager
def contacts_server(records: int, page_size: int, seconds: float) -> Iterator[str]:
    """The address of contacts_server.py in a process of its own, bounded in time."""
    with local_server("contacts_server.py", records=records, page_size=page_size, seconds=seconds) as address:
        yield address


@contextmanager
def local_server(script: str, **options: float) -> Iterator[str]:
    """The address of a server of this folder, a process of its own that prints its port and ends with its input."""
    arguments = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name(script)), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        port = process.stdout.readline().strip()
        if not port:
            raise RuntimeError("the local HTTP server did not start")
        yield f"http://127.0.0.1:{int(port)}"
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
