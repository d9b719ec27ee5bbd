"""Runs a command against Debian's PostgreSQL: the hub holds on another version than the embedded one.

`python -m tests.support.debian_postgres pytest tests/integration`: a cluster of its own in a temporary
folder, under an unprivileged account, on a socket and a loopback port. The command finds it by
ONEFOLD_TEST_DATABASE_URL.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.database import EXTERNAL_URL
from warehouse.server import EmbeddedServer, ServerOptions

_INSTALLED = Path("/usr/lib/postgresql")


def programs() -> Path | None:
    """The programs of the oldest PostgreSQL installed here that the hub supports; None without one."""
    found = sorted(
        (int(folder.name), folder / "bin")
        for folder in _INSTALLED.glob("*")
        if folder.name.isdigit() and int(folder.name) >= 15 and (folder / "bin" / "initdb").exists()
    )
    return found[0][1] if found else None


def main(command: list[str]) -> int:
    """The command's exit code; 0 and a line that says so when there is nothing to run against."""
    folder = programs()
    if folder is None:
        print("skipped: no PostgreSQL of Debian's is installed (apt-get install postgresql)")  # noqa: T201
        return 0
    with tempfile.TemporaryDirectory(prefix="onefold-pg-") as home:
        server = EmbeddedServer(Path(home) / "data", ServerOptions(is_durable=False, programs=folder))
        with server.lease() as endpoint:
            print(f"on {folder.parent.name} of {_INSTALLED}: {' '.join(command)}", flush=True)  # noqa: T201
            return subprocess.run(command, env={**os.environ, EXTERNAL_URL: endpoint.url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
