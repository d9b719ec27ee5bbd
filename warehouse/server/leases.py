"""Who uses the server: one file per user, held by a lock that the kernel lets go when its process ends.

A lock and not a process number says whether a lease lives: it cannot outlive a `kill -9`, it is not mistaken
for another process that got the same number, and it holds across containers that share the folder.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from warehouse.server.errors import ServerBusyError


@dataclass(frozen=True, slots=True)
class Lease:
    """One living user of the server."""

    pid: int
    since: float
    """Seconds since the epoch."""


class HeldLease:
    """A lease of this process."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor

    def release(self) -> None:
        """Give it back; the caller holds the folder's lock."""
        self._path.unlink(missing_ok=True)
        # A forked child shares the descriptor: closing ours alone would leave its copy holding the lock.
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        os.close(self._descriptor)


def take_lease(folder: Path) -> HeldLease:
    """Register this process as a user of the server; the caller holds the folder's lock."""
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{os.getpid()}-{secrets.token_hex(4)}.lease"
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.write(descriptor, json.dumps({"pid": os.getpid(), "since": time.time()}).encode())
    return HeldLease(path, descriptor)


def living_leases(folder: Path) -> list[Lease]:
    """The leases whose process lives; the others' files are removed. The caller holds the folder's lock."""
    living: list[Lease] = []
    for path in sorted(folder.glob("*.lease")):
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            living.append(_read(path))
        else:
            path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)
    return living


@contextmanager
def exclusive(path: Path, *, timeout: float, what: str) -> Iterator[None]:
    """Hold a file's lock; raises `ServerBusyError` when somebody else holds it longer than `timeout` s."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        patience = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > patience:
                    raise ServerBusyError(
                        f"another process has been starting or stopping {what} for over {timeout:.0f} s."
                        f" See who holds the lock with: fuser {path}"
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> Lease:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return Lease(pid=int(said["pid"]), since=float(said["since"]))
    except (OSError, ValueError, KeyError):
        return Lease(pid=int(path.name.partition("-")[0]), since=0.0)
