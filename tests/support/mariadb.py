"""A MariaDB of Debian's for the length of a block: a folder of its own, a socket, no port."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

_START_SECONDS = 60


def is_installed() -> bool:
    """The server's programs are there (`apt-get install mariadb-server`), and the driver."""
    return (
        find_spec("pymysql") is not None
        and _program("mariadbd") is not None
        and _program("mariadb-install-db") is not None
    )


def _program(name: str) -> str | None:
    return shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


@contextmanager
def mariadb() -> Iterator[str]:
    """The SQLAlchemy URL of an empty database `shop`; the server runs in Moscow's time and is stopped at the end."""
    # A socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="onefold-maria-"))
    data, socket = folder / "data", folder / "s"
    try:
        install, server = _program("mariadb-install-db"), _program("mariadbd")
        assert install and server
        who = ["--no-defaults", "--user=root", f"--datadir={data}"]
        subprocess.run(
            [install, *who, "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        process = subprocess.Popen(
            [server, *who, f"--socket={socket}", "--skip-networking", "--default-time-zone=+03:00",
             "--character-set-server=utf8mb4", "--innodb-buffer-pool-size=32M", "--sql-mode="],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            _wait(socket, process)
            run(socket, "CREATE DATABASE shop")
            yield f"mysql+pymysql://root@localhost/shop?unix_socket={quote(str(socket))}&charset=utf8mb4"
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(socket: Path, statement: str) -> None:
    """One statement as the server's administrator."""
    import pymysql

    with pymysql.connect(unix_socket=str(socket), user="root") as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def _wait(socket: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if socket.exists():  # It is made when the server is ready to answer.
            return
        time.sleep(0.05)
    raise RuntimeError(f"MariaDB did not start (exit code {process.poll()})")
