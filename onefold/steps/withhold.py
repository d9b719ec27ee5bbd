"""Who was erased does not come back: stopped by the source key when read, by identifiers when understood."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from onefold.configuration import environment
from warehouse.erasure.guard import Guard, open_guard
from warehouse.erasure.hashes import Hashes, hub_hashes
from warehouse.keys import record_ids
from warehouse.sql import sql

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg
    import pyarrow as pa

    from connectors.page import Page
    from onefold.context import Context
    from onefold.settings import Settings
    from onefold.steps.standardise import Prepared


def secrets_folder(settings: Settings) -> Path:
    """Where the hub keeps what may stand in no database: the key of erasures and their journal."""
    return settings.home / "secrets"


def hashes_of(context: Context) -> Hashes:
    """Keyed hashes with this hub's key."""
    return hub_hashes(secrets_folder(context.settings), environment(context.settings.config, context.environ))


def guard_of(context: Context, conn: psycopg.Connection) -> Guard | None:
    """Who may not come back; None where nobody was erased."""
    return open_guard(conn, lambda: hashes_of(context))


def screened(guard: Guard | None, source: str, stream: str, page: Page) -> tuple[Page, int]:
    """The page without what may not come back, and how many rows that were."""
    if guard is None:
        return page, 0
    id_of = record_ids(source, stream)

    def stays(key: str) -> bool:
        try:
            return not guard.stops([id_of(key)])
        except UnicodeEncodeError:  # landing refuses it by name
            return True

    rows = [row for row in page.rows if stays(row[0])]
    tombstones = [key for key in page.tombstones if stays(key)]
    rejects = [reject for reject in page.rejects if not guard.stops_bytes(reject[0])]
    count = len(page.rows) - len(rows) + len(page.rejects) - len(rejects)
    if not count and len(tombstones) == len(page.tombstones):
        return page, 0
    # What was made of the rows beforehand holds those that are left out.
    return replace(page, rows=rows, tombstones=tombstones, rejects=rejects, prepared=None), count


def withheld(context: Context, conn: psycopg.Connection, prepared: Prepared) -> tuple[Prepared, int]:
    """The chunk without what may not come back, and how many records that were; what was landed of them is redacted in
    the caller's transaction.

    A new record with an identifier that was an erased person's alone is that person. One that stands for a living
    client already is not: a number may have been given to somebody else.
    """
    guard = guard_of(context, conn)
    if guard is None:
        return prepared, 0
    from warehouse.erasure.redact import withhold

    found = _parties(conn, guard, prepared)
    if (facts := prepared.interactions) is not None:
        ids, parties = facts["record_id"].to_pylist(), facts["party_record_id"].to_pylist()
        stopped = guard.stops({*ids, *(party for party in parties if party is not None)})
        for record_id, party in zip(ids, parties, strict=True):
            reason = found.get(party) or stopped.get(party) or stopped.get(record_id)
            if reason is not None:
                found[record_id] = reason
    _suppress(conn, guard, found)
    # What feeds them is asked for when they are suppressed, so that those of this chunk count.
    rows = conn.execute(sql("erasure.fed_suppressed"), {"record_ids": list(prepared.record_ids)}).fetchall()
    fed = {child: (erasure_id, client_id) for child, erasure_id, client_id in rows if child not in found}
    _suppress(conn, guard, fed)
    found |= fed
    if not found:
        return prepared, 0
    withhold(conn, sorted(found), _keys_with_values(conn, prepared, found))
    return _without(prepared, set(found)), len(found)


def _parties(conn: psycopg.Connection, guard: Guard, prepared: Prepared) -> dict[int, tuple[UUID, UUID | None]]:
    ids = prepared.records["record_id"].to_pylist()
    found = guard.stops(ids)
    suspects: dict[int, tuple[UUID, UUID | None]] = {}
    if guard.identifiers:
        columns = (prepared.identifiers[name].to_pylist() for name in ("record_id", "type", "value", "is_valid"))
        for record_id, type_, value, is_valid in zip(*columns, strict=True):
            if is_valid and (reason := guard.stops_identifier(type_, value)):
                suspects[record_id] = reason
    if suspects:
        standing = conn.execute(sql("erasure.standing"), {"record_ids": sorted(suspects)}).fetchall()
        for (record_id,) in standing:
            suspects.pop(record_id)
    return {**suspects, **found}


def _suppress(conn: psycopg.Connection, guard: Guard, found: dict[int, tuple[UUID, UUID | None]]) -> None:
    from warehouse.erasure.redact import suppress_records

    by_erasure: dict[tuple[UUID, UUID | None], list[int]] = defaultdict(list)
    for record_id, reason in found.items():
        by_erasure[reason].append(record_id)
    for (erasure_id, client_id), record_ids_ in by_erasure.items():
        suppress_records(conn, guard.hashes, erasure_id, client_id, sorted(record_ids_))


def _keys_with_values(conn: psycopg.Connection, prepared: Prepared, found: dict[int, Any]) -> list[int]:
    """Those whose key in the source is one of their identifiers: an e-mail address, a tax number."""
    values: dict[int, list[str]] = defaultdict(list)
    columns = (prepared.identifiers[name].to_pylist() for name in ("record_id", "value"))
    for record_id, value in zip(*columns, strict=True):
        if record_id in found:
            values[record_id].append(value.lower())
    keys = conn.execute(sql("erasure.keys_of"), {"record_ids": sorted(values)})
    return [record_id for record_id, key in keys if any(len(v) >= 5 and v in key for v in values[record_id])]


def _without(prepared: Prepared, gone: set[int]) -> Prepared:
    def other(table: pa.Table | None, *columns: str) -> pa.Table | None:
        import pyarrow as pa
        import pyarrow.compute as pc

        if table is None:
            return None
        value_set = pa.array(sorted(gone), pa.int64())
        for name in columns:
            table = table.filter(pc.invert(pc.is_in(table[name], value_set=value_set)))
        return table

    return replace(
        prepared,
        # Not looked at: what stands for them already, redacted, is no document that has gone.
        record_ids=[i for i in prepared.record_ids if i not in gone],
        records=other(prepared.records, "record_id"),
        identifiers=other(prepared.identifiers, "record_id"),
        interactions=other(prepared.interactions, "record_id"),
        lines=other(prepared.lines, "record_id"),
        promises=other(prepared.promises, "record_id"),
        relationships=other(prepared.relationships, "record_id", "from_record_id", "to_record_id"),
        rates=other(prepared.rates, "record_id"),
        rejects=[reject for reject in prepared.rejects if reject.record_id not in gone],
    )
