"""How the hub's database is doing: what slows it down or will stop it, each with what to do about it.

Only catalogues and statistics are read, so it takes no time and disturbs nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import psycopg
from psycopg.sql import SQL

from warehouse.sql import qualified, sql

Severity = Literal["error", "warning", "hint"]
MAINTAIN: Final = "onefold maintain"
LOOK: Final = "onefold db psql -- -c '\\di+ {}'"
_WRAPAROUND: Final = 2**31
_GIB: Final = 1024**3
_MIB: Final = 1024**2


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something is worth a word."""

    dead_rows: int = 10_000
    dead_share: float = 0.2
    table_bytes: int = 256 * 1024
    """A table from which statistics are missed."""
    unused_bytes: int = 8 * _MIB
    open_seconds: float = 600.0
    open_transactions: int = 1_000_000
    """Of others since a slot or a prepared transaction began."""
    updated_rows: int = 1_000_000
    in_place_share: float = 0.1
    large_database: int = _GIB


@dataclass(frozen=True, slots=True)
class Table:
    """A table, its size and its rows as the server counts them."""

    name: str
    total_bytes: int
    table_bytes: int
    index_bytes: int
    live_rows: int
    dead_rows: int
    vacuumed_at: datetime | None
    has_statistics: bool
    changed_rows: int
    frozen_age: int
    updated_rows: int
    updated_in_place: int
    options: str | None


@dataclass(frozen=True, slots=True)
class Advice:
    """Something to look at, and the next command to type."""

    severity: Severity
    subject: str
    message: str
    next_command: str


def tables(conn: psycopg.Connection[Any]) -> list[Table]:
    """All tables, the largest first."""
    return [Table(*row) for row in conn.execute(sql("health.tables"))]


def advice(conn: psycopg.Connection[Any], *, own_indexes: Collection[str], limits: Limits = Limits()) -> list[Advice]:
    """What deserves a look, the worst first. A migration decides about the hub's
    `own_indexes` (schema.name)."""
    found = tables(conn)
    settings = {name: (size, text) for name, size, text in conn.execute(sql("health.settings"))}
    said = [
        *_vacuum(found, limits),
        *_old(conn, limits),
        *_wraparound(conn, found, settings),
        *_indexes(conn, own_indexes, limits),
        *_settings(conn, settings, limits),
        *_fill(found, limits),
    ]
    rank = {"error": 0, "warning": 1, "hint": 2}
    return sorted(said, key=lambda one: rank[one.severity])


def neglected(found: Iterable[Table], limits: Limits = Limits()) -> list[str]:
    """Tables that a vacuum with statistics would help, at no risk."""
    return sorted({one.subject for one in _vacuum(found, limits)})


def vacuum(conn: psycopg.Connection[Any], names: Sequence[str]) -> None:
    """Remove what is dead and count anew, beside readers and writers. `conn` is in autocommit."""
    if names:
        listed = SQL(", ").join(map(qualified, names))
        conn.execute(sql("health.vacuum").format(tables=listed))


def _vacuum(found: Iterable[Table], limits: Limits) -> Iterator[Advice]:
    for one in found:
        share = one.dead_rows / max(1, one.dead_rows + one.live_rows)
        if one.dead_rows >= limits.dead_rows and share >= limits.dead_share:
            last = f"last vacuumed {one.vacuumed_at:%Y-%m-%d %H:%M}" if one.vacuumed_at else "never vacuumed"
            message = f"{one.dead_rows:,} of its rows ({share:.0%}) are dead and are read past; {last}."
            yield Advice("warning", one.name, message, MAINTAIN)
        elif not one.has_statistics and one.table_bytes >= limits.table_bytes and one.live_rows:
            yield Advice("warning", one.name, "The server has no statistics of it and guesses its plans.", MAINTAIN)


def _old(conn: psycopg.Connection[Any], limits: Limits) -> Iterator[Advice]:
    for what, name, age, seconds, is_idle in conn.execute(sql("health.oldest")):
        if (seconds or 0) < limits.open_seconds and age < limits.open_transactions:
            continue
        since = f" for {seconds / 60:.0f} min" if seconds is not None else ""
        keeps = f"vacuum removes nothing that died since ({age:,} transactions)"
        if what == "slot":
            command = f"SELECT pg_drop_replication_slot('{name}');  -- if nobody reads it any more"
            yield Advice("warning", name, f"This replication slot holds old rows: {keeps}.", command)
        elif what == "prepared":
            command = f"ROLLBACK PREPARED '{name}';"
            yield Advice("warning", name, f"A prepared transaction is open{since}: {keeps}.", command)
        else:
            idle = " and does nothing" if is_idle else ""
            message = f"{name} (process {what}) has a transaction open{since}{idle}: {keeps}."
            yield Advice("warning", "transactions", message, f"SELECT pg_terminate_backend({what});")


def _wraparound(conn: psycopg.Connection[Any], found: Sequence[Table], settings: Any) -> Iterator[Advice]:
    row = conn.execute(sql("health.database")).fetchone()
    age = int(row[1]) if row else 0
    usual = int(settings["autovacuum_freeze_max_age"][1])
    if age < usual * 1.5:
        return
    oldest = max(found, key=lambda one: one.frozen_age, default=None)
    table = f" {oldest.name}" if oldest else ""
    message = (
        f"{_WRAPAROUND - age:,} transactions are left before the server stops writing (transaction ids wrap around)."
    )
    severity: Severity = "error" if age > _WRAPAROUND * 0.75 else "warning"
    yield Advice(severity, "transaction ids", message, f"VACUUM (FREEZE, VERBOSE){table};")


def _indexes(conn: psycopg.Connection[Any], own: Collection[str], limits: Limits) -> Iterator[Advice]:
    for (name,) in conn.execute(sql("health.invalid_indexes")):
        message = "This index is not finished and serves nobody; whoever built it was stopped."
        yield Advice("warning", name, message, f"DROP INDEX CONCURRENTLY {name};  -- a migration builds its own again")
    for name, same_as, size in conn.execute(sql("health.duplicate_indexes")):
        message = f"The same as {same_as}; it costs {size / _MIB:,.1f} MiB and every write."
        yield Advice("warning", name, message, LOOK.format(name) if name in own else f"DROP INDEX CONCURRENTLY {name};")
    row = conn.execute(sql("health.database")).fetchone()
    since = f" since {row[2]:%Y-%m-%d}" if row and row[2] else ""
    for name, table, size in conn.execute(sql("health.unused_indexes"), {"bytes": limits.unused_bytes}):
        message = f"No query has used this index of {table}{since}; it costs {size / _MIB:,.1f} MiB and every write."
        if name in own:
            message += " It is the hub's own and stays: a step that runs rarely may need it."
            yield Advice("hint", name, message, LOOK.format(name))
        else:
            yield Advice("hint", name, message, f"DROP INDEX CONCURRENTLY {name};")


def _settings(conn: psycopg.Connection[Any], settings: Any, limits: Limits) -> Iterator[Advice]:
    for name in ("autovacuum", "track_counts"):
        if settings[name][1] == "off":
            message = "It is off: what is dead is never removed, and statistics grow old."
            yield Advice("error", name, message, f"ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf();")
    row = conn.execute(sql("health.database")).fetchone()
    size = int(row[0]) if row else 0
    if size < limits.large_database:
        return
    # A fifth of the data, 4 GiB at the most: what is beyond is as well served by the system's cache.
    for name, least, restart in (
        ("shared_buffers", min(size // 5, 4 * _GIB), " (then restart the server)"),
        ("maintenance_work_mem", 256 * _MIB, ""),
        ("work_mem", 16 * _MIB, ""),
    ):
        have = settings[name][0]
        if have < least * 0.6:
            wanted = f"{least // _MIB}MB"
            message = (
                f"{have // _MIB} MiB for {size / _GIB:,.1f} GiB of data{restart}; as far as the machine has the memory."
            )
            command = f"ALTER SYSTEM SET {name} = '{wanted}'; SELECT pg_reload_conf();"
            yield Advice("hint", name, message, command)


def _fill(found: Iterable[Table], limits: Limits) -> Iterator[Advice]:
    for one in found:
        if one.updated_rows < limits.updated_rows or "fillfactor" in (one.options or ""):
            continue
        share = one.updated_in_place / one.updated_rows
        if share < limits.in_place_share and not one.name.startswith(("raw.", "identity.", "core.", "ops.")):
            message = f"Only {share:.0%} of its {one.updated_rows:,} updates found room in their page."
            yield Advice("hint", one.name, message, f"ALTER TABLE {one.name} SET (fillfactor = 85);")
