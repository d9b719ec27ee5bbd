"""The embedded server's life, for all processes of one user on one machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from warehouse.server.binaries import bundled_programs
from warehouse.server.cluster import Cluster, StopMode
from warehouse.server.configuration import LOOPBACK
from warehouse.server.endpoint import SUPERUSER, Endpoint, ServerOptions, Status
from warehouse.server.errors import DataDirectoryError
from warehouse.server.folders import Folders, password_file, read_or_make_secret
from warehouse.server.leases import exclusive, living_leases, take_lease
from warehouse.server.ports import remembered_port
from warehouse.server.processes import read_pid_file


class EmbeddedServer:
    """One PostgreSQL in one data folder, shared by all processes of this user on this machine.

    >>> with EmbeddedServer(Path("var/postgres")).lease() as endpoint:
    ...     connect(endpoint.url, application_name="onefold")
    """

    def __init__(self, data_dir: Path, options: ServerOptions | None = None) -> None:
        self.options = options or ServerOptions()
        self.folders = Folders(data_dir.expanduser().resolve())

    @contextmanager
    def lease(self) -> Iterator[Endpoint]:
        """Use the server: it runs at least until the block ends, and stops with its last user unless kept."""
        with self._exclusive() as cluster:
            endpoint = self._ensure_running(cluster)
            lease = take_lease(self.folders.leases)
        try:
            yield endpoint
        finally:
            with self._exclusive() as cluster:
                lease.release()
                if not self.folders.keep.exists() and not living_leases(self.folders.leases):
                    cluster.stop("fast")

    def start(self, *, keep: bool = False) -> Endpoint:
        """Start the server, or find it running; with `keep` it outlives its last lease, until `stop`."""
        with self._exclusive() as cluster:
            endpoint = self._ensure_running(cluster)
            if keep:
                self.folders.keep.touch(mode=0o600)
            return endpoint

    def stop(self, mode: StopMode = "fast") -> bool:
        """Stop the server, whoever uses it; False if it did not run. Every mode keeps what was committed."""
        if not self.folders.home.exists():
            return False
        with self._exclusive() as cluster:
            self.folders.keep.unlink(missing_ok=True)
            return cluster.stop(mode)

    def status(self) -> Status:
        """Whether it runs, where and for whom; starts nothing and creates no folder."""
        if not self.folders.home.exists():
            return Status()
        with self._exclusive() as cluster:
            endpoint = cluster.answering()
            found = read_pid_file(self.folders.cluster) if endpoint else None
            return Status(
                endpoint=endpoint,
                is_kept=self.folders.keep.exists(),
                pid=found.pid if found else None,
                version=cluster.data_version(),
                leases=tuple(living_leases(self.folders.leases)),
            )

    def url_for_tools(self, role: str = SUPERUSER) -> str:
        """A URL **with its password** over TCP on this machine, for psql or DBeaver: show it, never log it.

        Raises `DataDirectoryError` when no password is kept for the role (`roles.ensure_roles` makes them).
        """
        port = remembered_port(self.folders)
        secret = self.password_file(role)
        if port is None or not secret.exists():
            raise DataDirectoryError(
                f"no password is kept for the role {role} in {self.folders.secrets};"
                " start the hub once to create its roles"
            )
        user, password = quote(role, safe=""), quote(read_or_make_secret(secret), safe="")
        return f"postgresql://{user}:{password}@{LOOPBACK}:{port}/{quote(self.options.database, safe='')}"

    def password_file(self, role: str) -> Path:
        """Where the password of a role is kept (mode 0600); the file need not exist."""
        return password_file(self.folders.secrets, role)

    @property
    def programs(self) -> Path:
        """The folder of this server's programs, `psql` and `pg_dump` among them."""
        return self.options.programs or bundled_programs()

    @contextmanager
    def _exclusive(self) -> Iterator[Cluster]:
        folders = self.folders
        folders.prepare()
        patience = self.options.start_timeout + 30
        with exclusive(folders.lock, timeout=patience, what=f"the server in {folders.home}"):
            yield Cluster(folders, self.options, self.programs)

    def _ensure_running(self, cluster: Cluster) -> Endpoint:
        endpoint = cluster.answering() or cluster.start()
        self._complete(endpoint)
        return endpoint

    def _complete(self, endpoint: Endpoint) -> None:
        """Give the owner its password and create the database, also after a start that was killed."""
        secret = self.password_file(SUPERUSER)
        is_known = secret.exists()
        password = read_or_make_secret(secret)
        with psycopg.connect(endpoint.maintenance(), autocommit=True) as conn:
            state = conn.execute(
                "SELECT rolpassword IS NOT NULL, EXISTS (SELECT FROM pg_database WHERE datname = %s)"
                " FROM pg_authid WHERE rolname = %s",
                [endpoint.database, SUPERUSER],
            ).fetchone()
            has_password, has_database = state or (False, False)
            if not (is_known and has_password):
                # Hashed here, so that the password itself never reaches the server.
                verifier = conn.pgconn.encrypt_password(
                    password.encode(), SUPERUSER.encode(), b"scram-sha-256"
                ).decode()
                statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
                conn.execute(statement.format(sql.Identifier(SUPERUSER), sql.Literal(verifier)))
            if not has_database:
                conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(endpoint.database)))
