"""Which processes use a data folder, and what `postmaster.pid` says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

_PROGRAM_NAMES = frozenset({"postgres", "postmaster"})


@dataclass(frozen=True, slots=True)
class PidFile:
    """What the server wrote into `postmaster.pid`."""

    pid: int
    port: int | None
    socket_folder: Path | None
    status: str
    """starting | stopping | ready | standby; empty while the file is being written."""


def read_pid_file(cluster: Path) -> PidFile | None:
    """The pid file of a data folder; None without one or when it cannot be understood."""
    try:
        lines = (cluster / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        pid = abs(int(lines[0]))
    except (FileNotFoundError, IndexError, ValueError):
        return None
    lines += [""] * (8 - len(lines))
    return PidFile(
        pid=pid,
        port=int(lines[3]) if lines[3].strip().isdigit() else None,
        socket_folder=Path(lines[4].strip()) if lines[4].strip() else None,
        status=lines[7].strip(),
    )


def is_server_of(pid: int, cluster: Path) -> bool:
    """Whether the process is PostgreSQL working in this folder, and not a stranger that got its number."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or process.name() not in _PROGRAM_NAMES:
            return False
        return Path(process.cwd()).samefile(cluster)
    except (psutil.NoSuchProcess, FileNotFoundError):
        return False
    except psutil.AccessDenied:
        # A server of another account: it cannot work in a folder that belongs to ours.
        return False


def servers_of(cluster: Path) -> list[int]:
    """Every PostgreSQL process that works in this folder, also those orphaned by a killed postmaster."""
    return [
        process.pid
        for process in psutil.process_iter(["name"])
        if process.info["name"] in _PROGRAM_NAMES and is_server_of(process.pid, cluster)
    ]
