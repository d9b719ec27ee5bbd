"""The server's configuration files, written at each start; `local.conf` beside them is the user's own."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

LOOPBACK: Final = "127.0.0.1"
_MIB: Final = 1024 * 1024
# What a container gives /dev/shm by default (64 MiB) is too little for parallel queries.
_SMALL_SHARED_MEMORY: Final = 256 * _MIB
_HAS_IO_METHODS: Final = 18


@dataclass(frozen=True, slots=True)
class Settings:
    """What differs from one server to the next."""

    superuser: str
    system_users: tuple[str, ...]
    """Operating-system accounts that may be the superuser on the socket."""
    socket_folder: Path
    port: int
    version: int
    """Major version of the programs, e.g. 18."""
    is_durable: bool
    """False only in tests: a crash of the machine may then lose the data."""


def write_configuration(folder: Path, settings: Settings) -> None:
    """Write `postgresql.conf`, `pg_hba.conf` and `pg_ident.conf`; they hold no secret."""
    local = folder / "local.conf"
    if not local.exists():
        _write(local, "# Your own settings for the embedded server; they win. Restart it to apply them.\n")
    _write(folder / "pg_hba.conf", _HBA)
    _write(folder / "pg_ident.conf", _ident(settings))
    parameters = _parameters(folder, settings)
    if _KEEPS_A_LOG.search(local.read_text("utf-8")):
        parameters = {name: value for name, value in parameters.items() if name not in ("wal_level", "max_wal_senders")}
    lines = [f"{name} = {_quote(value)}" for name, value in parameters.items()]
    head = "# Written by Onefold at each start; put your own settings into local.conf."
    _write(folder / "postgresql.conf", "\n".join([head, *lines, f"include = {_quote(str(local))}", ""]))


_KEEPS_A_LOG: Final = re.compile(r"^\s*(wal_level|archive_mode|max_wal_senders)\b", re.MULTILINE)
"""Somebody archives the log or copies the server: its own defaults hold then, with which it starts."""
_HBA: Final = """\
# On the socket, whose folder only its owner enters, the operating system says who comes.
local all all peer map=onefold
# Over TCP on this machine, the password; from elsewhere, nobody.
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
"""


def _ident(settings: Settings) -> str:
    lines = [f'onefold "{user}" {settings.superuser}' for user in settings.system_users]
    return "\n".join(["# account on this machine -> role", *lines, ""])


def _parameters(folder: Path, settings: Settings) -> dict[str, str]:
    memory = psutil.virtual_memory().total // _MIB
    parameters = {
        "hba_file": str(folder / "pg_hba.conf"),
        "ident_file": str(folder / "pg_ident.conf"),
        "listen_addresses": LOOPBACK,
        "port": str(settings.port),
        "unix_socket_directories": _socket_list_entry(settings.socket_folder),
        "unix_socket_permissions": "0700",
        "password_encryption": "scram-sha-256",
        "max_connections": "100",
        # A laptop: enough to load a million records, little enough to leave the rest alone.
        "shared_buffers": f"{max(64, min(4096, memory // 8))}MB",
        "effective_cache_size": f"{max(256, memory // 2)}MB",
        "work_mem": "32MB",
        "maintenance_work_mem": f"{max(64, min(512, memory // 16))}MB",
        "max_wal_size": "4GB",
        "min_wal_size": "256MB",
        # Compressed images of pages take five times as long as writing them: half of every small change.
        "wal_compression": "off",
        # No copy of it reads the log: what a transaction builds, indexes and new tables, is not logged as well.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        # What a killed process asked for would go on for as long as it takes, with its locks.
        "client_connection_check_interval": "5s",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # Client data must not reach the log: no failed statements, no values, no errors of the clients.
        "log_statement": "none",
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_line_prefix": "%m [%p] ",
    }
    if settings.version >= _HAS_IO_METHODS:
        # Small changes read pages here and there: handing each to another process takes longer than reading it.
        parameters["io_method"] = "sync"
    if not settings.is_durable:
        # Commits still reach the operating system, so that a killed server loses nothing. Each of many short-lived
        # databases is looked for in all buffers when it is made and dropped: few buffers, a third less processor time.
        parameters |= {"fsync": "off", "full_page_writes": "off", "shared_buffers": "128MB"}
    shared_memory = Path("/dev/shm")
    if shared_memory.exists() and shutil.disk_usage(shared_memory).total < _SMALL_SHARED_MEMORY:
        parameters["dynamic_shared_memory_type"] = "mmap"
    return parameters


def _socket_list_entry(folder: Path) -> str:
    """A folder as an entry of a comma-separated list of quoted names."""
    return '"' + str(folder).replace('"', '""') + '"'


def _quote(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.chmod(0o644)
    temporary.replace(path)
