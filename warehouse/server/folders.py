"""Where the parts of one embedded server lie below its data folder, and that they are ours alone."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from warehouse.server.errors import DataDirectoryError, PermissionsError

# sizeof(sockaddr_un.sun_path) without its closing NUL.
SOCKET_PATH_LIMIT: Final = 103 if sys.platform == "darwin" else 107
# pg_ctl puts paths between double quotes into a shell's command line.
_UNUSABLE: Final = re.compile(r'["$`\\\x00-\x1f]')
_LONGEST_SOCKET_NAME: Final = len("/.s.PGSQL.65535.lock")


@dataclass(frozen=True, slots=True)
class Folders:
    """The parts of one server's data folder."""

    home: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.home / "cluster"

    @property
    def configuration(self) -> Path:
        """The configuration files that Onefold writes, and the user's `local.conf`."""
        return self.home / "conf"

    @property
    def leases(self) -> Path:
        """One file per process that uses the server."""
        return self.home / "leases"

    @property
    def secrets(self) -> Path:
        """Generated passwords, one file of mode 0600 per role."""
        return self.home / "secrets"

    @property
    def log(self) -> Path:
        """The server's log; holds no client data."""
        return self.home / "server.log"

    @property
    def lock(self) -> Path:
        """Held while the server is started or stopped."""
        return self.home / "server.lock"

    @property
    def state(self) -> Path:
        """The remembered port."""
        return self.home / "server.json"

    @property
    def keep(self) -> Path:
        """Exists while the server is to stay when its last user leaves."""
        return self.home / "keep"

    @property
    def socket(self) -> Path:
        """The folder of the socket: inside, or in the runtime folder when the path would be too long."""
        inside = self.home / "run"
        # libpq takes a comma for the end of one host and the beginning of the next.
        if "," not in str(inside) and len(os.fsencode(inside)) + _LONGEST_SOCKET_NAME <= SOCKET_PATH_LIMIT:
            return inside
        digest = hashlib.blake2b(os.fsencode(self.home), digest_size=6).hexdigest()
        name = f"onefold-{os.geteuid()}-{digest}"
        candidates = [os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"]
        for parent in candidates:
            if parent and Path(parent).is_dir():
                short = Path(parent) / name
                if len(os.fsencode(short)) + _LONGEST_SOCKET_NAME <= SOCKET_PATH_LIMIT:
                    return short
        raise DataDirectoryError(
            f"the path of {self.home} is too long for a socket, and so is every temporary folder's"
        )

    def prepare(self) -> None:
        """Create what is missing; raises `PermissionsError` where somebody else could read or write."""
        if found := _UNUSABLE.search(str(self.home)):
            raise DataDirectoryError(
                f"the path of the data folder holds {found[0]!r}, which PostgreSQL's programs cannot take:"
                f" {self.home}. Choose another folder"
            )
        # Root's server runs as another account, which must pass through; the parts inside are closed.
        mode = 0o711 if os.geteuid() == 0 else 0o700
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=mode)
        except OSError as exc:
            raise DataDirectoryError(
                f"the data folder {self.home} cannot be created: {exc.strerror}. Choose another one"
            ) from exc
        if not os.access(self.home, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionsError(
                f"the data folder {self.home} is not writable for this user. Choose another one"
                f" or run: sudo chown -R $(id -u) {self.home}"
            )
        status = self.home.stat()
        if status.st_uid != os.geteuid():
            raise PermissionsError(
                f"the data folder {self.home} belongs to user id {status.st_uid}, not to {os.geteuid()}."
                f" Run Onefold as that user, choose another folder, or run:"
                f" sudo chown -R {os.geteuid()} {self.home}"
            )
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise PermissionsError(
                f"other users can write into the data folder {self.home}. Run: chmod go-w {self.home}"
            )
        if (self.home / "PG_VERSION").exists():
            raise DataDirectoryError(
                f"{self.home} is the data directory of some other PostgreSQL. Choose another folder"
            )
        for folder in (self.leases, self.secrets):
            folder.mkdir(mode=0o700, exist_ok=True)
        self.configuration.mkdir(mode=0o755, exist_ok=True)

    def check_cluster(self) -> None:
        """The cluster is for its owner alone, as PostgreSQL demands; raises `PermissionsError` otherwise."""
        mode = stat.S_IMODE(self.cluster.stat().st_mode)
        if mode & (stat.S_IRWXG | stat.S_IRWXO) & ~(stat.S_IRGRP | stat.S_IXGRP):
            raise PermissionsError(
                f"the data in {self.cluster} is open to other users (mode {mode:04o}). Run: chmod 700 {self.cluster}"
            )

    def prepare_socket(self) -> Path:
        """The socket's folder, for its owner alone; raises `PermissionsError` if somebody else made it."""
        folder = self.socket
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        foreign = status.st_uid not in {os.geteuid(), *_owner(self.cluster)}
        if foreign or not stat.S_ISDIR(status.st_mode):
            raise PermissionsError(f"the socket folder {folder} was made by somebody else. Remove it and try again")
        folder.chmod(0o700)
        return folder


def password_file(secrets_folder: Path, role: str) -> Path:
    """Where the password of a role is kept; any name of a role makes one file name."""
    return secrets_folder / f"{quote(role, safe='')}.password"


def read_or_make_secret(path: Path) -> str:
    """The password in a file of mode 0600, generated if there is none; raises `PermissionsError` if open."""
    if not path.exists():
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
        descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(24) + "\n")
        # A link and not a rename: the second of two processes must not replace the first one's password.
        with suppress(FileExistsError):
            path.hardlink_to(temporary)
        temporary.unlink()
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise PermissionsError(f"the password file {path} is open to others (mode {mode:04o}). Run: chmod 600 {path}")
    return path.read_text(encoding="ascii").strip()


def _owner(path: Path) -> tuple[int, ...]:
    return (path.stat().st_uid,) if path.exists() else ()
