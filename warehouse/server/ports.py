"""The server's port on the loopback address: free, and the same as last time if it can be."""

from __future__ import annotations

import json
import socket
from typing import Final

from warehouse.server.configuration import LOOPBACK
from warehouse.server.errors import ServerStartError
from warehouse.server.folders import Folders

# Below the range from which the system takes the ports of outgoing connections.
_FIRST: Final = 20_000
_COUNT: Final = 10_000


def remembered_port(folders: Folders) -> int | None:
    """The port of the last start; None before the first one."""
    try:
        return int(json.loads(folders.state.read_text(encoding="ascii"))["port"])
    except (FileNotFoundError, ValueError, KeyError):
        return None


def choose_port(folders: Folders) -> int:
    """The port of last time, so that saved connections of tools go on working; another one if it is taken."""
    # The inode spreads the servers of one machine over the range.
    first = remembered_port(folders) or _FIRST + folders.cluster.stat().st_ino % _COUNT
    for step in range(_COUNT):
        port = _FIRST + (first - _FIRST + step) % _COUNT
        if _is_free(port):
            temporary = folders.state.with_suffix(".new")
            temporary.write_text(json.dumps({"port": port}), encoding="ascii")
            temporary.replace(folders.state)
            return port
    raise ServerStartError(f"no free port between {_FIRST} and {_FIRST + _COUNT - 1} on {LOOPBACK}")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
