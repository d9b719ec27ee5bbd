"""How people name records and clients: `source:stream:key`, `source:key`, or a client id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

from onefold.errors import NothingFound, UsageError
from warehouse import resolution
from warehouse.keys import record_id

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def natural_key(context: Context, name: str) -> tuple[str, str, str]:
    """source, stream and key of `source:stream:key`; the stream may be left out when the source has only one."""
    source, _, rest = name.partition(":")
    configured = context.configuration.sources.get(source)
    if configured is None or not rest:
        known = ", ".join(context.configuration.sources)
        raise UsageError(f"{name!r} names no record.", f"Write source:stream:key; sources: {known}.")
    stream, colon, key = rest.partition(":")
    if colon and stream in configured.streams:
        return source, stream, key
    if len(configured.streams) == 1:
        return source, next(iter(configured.streams)), rest
    raise UsageError(f"{source} has no stream {stream!r}.", f"It has: {', '.join(configured.streams)}.")


def one_record(context: Context, name: str) -> int:
    """The record id of a name."""
    return record_id(*natural_key(context, name))


def is_client_id(name: str) -> bool:
    """Whether the name has the form of a client id."""
    return _UUID.fullmatch(name) is not None


def records_named(context: Context, conn: psycopg.Connection, name: str) -> list[int]:
    """The records of a name: of a client id all records that it holds now, else the one record."""
    if not is_client_id(name):
        return [one_record(context, name)]
    found = resolution.members_of(conn, [UUID(name)])
    if not found:
        raise NothingFound(f"No record belongs to client {name} now.", "Look it up with `onefold client`.")
    return found
