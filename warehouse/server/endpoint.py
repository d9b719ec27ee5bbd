"""What callers hand to an embedded server and get from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from psycopg.conninfo import make_conninfo

from warehouse.server.configuration import LOOPBACK
from warehouse.server.leases import Lease

SUPERUSER: Final = "onefold"


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How an embedded server is run."""

    database: str = "onefold"
    """Created when the server starts, if it is missing."""
    start_timeout: float = 120.0
    """Seconds; a recovery after a crash may need them."""
    is_durable: bool = True
    """False (tests only) trades safety in a power cut for speed."""
    programs: Path | None = None
    """The folder of another PostgreSQL's programs; None: those of the wheel."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a running server answers."""

    socket_folder: Path
    port: int
    """On the loopback address; also part of the socket's name."""
    database: str
    user: str = SUPERUSER
    host: str = LOOPBACK

    @property
    def url(self) -> str:
        """For psycopg and libpq: by the socket, as the owner of everything, without a password."""
        query = urlencode({"host": str(self.socket_folder), "port": str(self.port)}, quote_via=quote)
        return f"postgresql://{self.user}@/{quote(self.database, safe='')}?{query}"

    def maintenance(self) -> str:
        """The connection string of the database that every server has."""
        return make_conninfo(
            dbname="postgres",
            user=self.user,
            host=str(self.socket_folder),
            port=self.port,
            application_name="onefold server",
        )


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of a server without starting it."""

    endpoint: Endpoint | None = None
    """None: it does not run."""
    is_kept: bool = False
    """It stays when its last user leaves."""
    pid: int | None = None
    version: int | None = None
    """Major version of the data; None before the first start."""
    leases: tuple[Lease, ...] = field(default=())
    """The processes that use it now."""

    @property
    def is_running(self) -> bool:
        """Whether it answers."""
        return self.endpoint is not None

    def as_dict(self) -> dict[str, object]:
        """Plain values for `--json`; holds no secret."""
        return {
            "running": self.is_running,
            "kept": self.is_kept,
            "pid": self.pid,
            "version": self.version,
            "host": self.endpoint.host if self.endpoint else None,
            "port": self.endpoint.port if self.endpoint else None,
            "socket_folder": str(self.endpoint.socket_folder) if self.endpoint else None,
            "users": [lease.pid for lease in self.leases],
        }
