"""How people and tools reach the hub's database: as its owner, or as the reader that sees `onefold_v1` only."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from onefold.errors import NothingFound

if TYPE_CHECKING:
    from onefold.settings import Settings
    from warehouse.server import EmbeddedServer


def embedded_server(settings: Settings) -> EmbeddedServer:
    """The embedded server of this hub; it may be stopped."""
    from warehouse.server import EmbeddedServer

    return EmbeddedServer(settings.home / "postgres")


def prepare_roles(database_url: str, secrets: Path | None) -> list[str]:
    """Create the hub's roles and grant the served views, where permitted; what is left to an administrator."""
    from warehouse import row_security
    from warehouse.connect import connect
    from warehouse.roles import ensure_roles, grant_served

    with connect(database_url, application_name="onefold roles") as conn:
        notes = ensure_roles(conn, secrets).notes
        row_security.apply_again(conn)
        return [*notes, *grant_served(conn).notes]


def connection_url(settings: Settings, *, reader: bool) -> str:
    """A URL for psql, DBeaver or Metabase; it holds a password. The embedded server is started and left running."""
    from onefold.context import ensure_schema
    from warehouse.roles import role_names

    if settings.database_url:
        if reader:
            raise NothingFound(
                "The reader's password of a database of yours is not kept here.",
                "Give the role one: ALTER ROLE <database>_reader PASSWORD '...'",
            )
        return settings.database_url
    server = embedded_server(settings)
    endpoint = server.start(keep=True)
    ensure_schema(endpoint.url)
    if not reader:
        return server.url_for_tools()
    prepare_roles(endpoint.url, server.folders.secrets)
    return server.url_for_tools(role_names(endpoint.database).reader)


def psql_program(settings: Settings) -> Path:
    """psql: the embedded server's own, or the system's for a database of yours."""
    if not settings.database_url:
        return embedded_server(settings).programs / "psql"
    found = shutil.which("psql")
    if found is None:
        raise NothingFound("psql is not installed.", "`onefold db url` prints the address for any other client.")
    return Path(found)
