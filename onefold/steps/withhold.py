"""Who was erased does not come back: stopped by the source key when read, by identifiers when understood."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from onefold.configuration import environment
from warehouse.erasure.guard import Guard, open_guard
from warehouse.erasure.hashes import Hashes, hub_hashes
from warehouse.erasure.needles import is_telling, plain
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

T = TypeVar("T")
Reason = tuple[UUID, UUID | None]
"""An erasure, and the bare client id of whom it was."""


def secrets_folder(settings: Settings) -> Path:
    """Where the hub keeps what may stand in no database: the key of erasures and their journal."""
    return settings.home / "secrets"


def hashes_of(context: Context) -> Hashes:
    """Keyed hashes with this hub's key."""
    return hub_hashes(secrets_folder(context.settings), environment(context.settings.config, context.environ))


def guard_of(context: Context, conn: psycopg.Connection) -> Guard | None:
    """Who may not come back; None where nobody was erased."""
    return open_guard(conn, lambda: hashes_of(context))


def screened(conn: psycopg.Connection, guard: Guard | None, source: str, stream: str, page: Page) -> tuple[Page, int]:
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
    # What the database refuses (escapes are left in canonical JSON for that only) is kept as bytes, which nobody maps.
    rows = _unlike(conn, guard, rows, [row[1] if b"\\u" in row[1] else b"" for row in rows])
    rejects = _unlike(conn, guard, rejects, [reject[0] for reject in rejects])
    count = len(page.rows) - len(rows) + len(page.rejects) - len(rejects)
    if not count and len(tombstones) == len(page.tombstones):
        return page, 0
    # What was made of the rows beforehand holds those that are left out.
    return replace(page, rows=rows, tombstones=tombstones, rejects=rejects, prepared=None), count


def _unlike(conn: psycopg.Connection, guard: Guard, things: list[T], payloads: Sequence[bytes]) -> list[T]:
    told = _told(conn, guard, dict(enumerate(payloads)))
    return [one for number, one in enumerate(things) if number not in told] if told else things


def _told(conn: psycopg.Connection, guard: Guard, payloads: Mapping[int, bytes]) -> dict[int, Reason]:
    """Those of the payloads that hold an identifier of an erased person which nobody else bears now."""
    held = {one: found for one, payload in payloads.items() if payload and (found := guard.stops_words(payload))}
    if not held:
        return {}
    values = sorted({value for found in held.values() for _, value in found})
    living = set(conn.execute(sql("erasure.living"), {"values": values}).fetchall())
    return {
        one: reasons[0]
        for one, found in held.items()
        if (reasons := [reason for identifier, reason in found.items() if identifier not in living])
    }


@dataclass(frozen=True, slots=True)
class Withheld:
    """What of a chunk may not come back."""

    count: int = 0
    """Records of the chunk."""
    gone: frozenset[int] = frozenset()
    """Records that are recognised as an erased person's only now, also those that came with an earlier chunk: they
    leave the tables in which they stand. What was left of a document by an erasure stays."""
    words: tuple[str, ...] = ()
    """The persons' identifiers, for keys that hold one."""


def withheld(context: Context, conn: psycopg.Connection, prepared: Prepared) -> tuple[Prepared, Withheld]:
    """The chunk without what may not come back. What stands of it already, whichever chunk or stream it came with, is
    found in this transaction, for `redact.withhold` to redact at its end.

    A new record with an identifier that was an erased person's alone is that person. One that stands for a living
    client already is not: a number may have been given to somebody else.
    """
    guard = guard_of(context, conn)
    if guard is None:
        return prepared, Withheld()
    from warehouse.erasure.person import find_withheld

    known, fresh = _found(conn, guard, prepared)
    linked = _ends(guard, prepared)
    if not (known or fresh):
        return _without(prepared, set(), linked), Withheld()
    _suppress(conn, guard, fresh)
    # What feeds them is asked for when they are suppressed, so that those of this chunk count.
    rows = conn.execute(sql("erasure.fed_suppressed"), {"record_ids": list(prepared.record_ids)}).fetchall()
    fed = {child: (erasure_id, client_id) for child, erasure_id, client_id in rows if child not in known}
    fresh |= fed
    redacted = find_withheld(conn, sorted(fresh), sorted(known))
    # What stood of them already: it is of whose erasure the first of them is.
    first = next(iter(fresh.values()), None) or next(iter(known.values()))
    _suppress(conn, guard, fed | {one: first for one in redacted if one not in fresh and one not in known})
    every = {*known, *fresh, *redacted}
    count = len(every.intersection({*prepared.record_ids, *prepared.records["record_id"].to_pylist()}))
    words = tuple(sorted({word for word in _words(prepared, every) if is_telling(word)}))
    return _without(prepared, every, linked), Withheld(count, frozenset(every.difference(known)), words)


def withhold(conn: psycopg.Connection, kept_out: Withheld) -> list[int]:
    """Redact what `withheld` has found in this transaction; the records that publish has to look at."""
    if not (kept_out.count or kept_out.gone):
        return []
    from warehouse.erasure import redact

    return redact.withhold(conn, kept_out.words)


def _found(conn: psycopg.Connection, guard: Guard, prepared: Prepared) -> tuple[dict[int, Reason], dict[int, Reason]]:
    """Records that were withheld before, and those that are recognised now."""
    ids = prepared.records["record_id"].to_pylist()
    known = guard.stops({*prepared.record_ids, *ids})
    fresh = {one: reason for one, reason in _by_identifiers(conn, guard, prepared).items() if one not in known}
    reasons = known | fresh
    facts: list[int] = []
    if prepared.interactions is not None:
        facts = prepared.interactions["record_id"].to_pylist()
        parties = prepared.interactions["party_record_id"].to_pylist()
        stopped = guard.stops({party for party in parties if party is not None})
        for record_id, party in zip(facts, parties, strict=True):
            reason = reasons.get(party) or stopped.get(party)
            if reason is not None and record_id not in known:
                fresh[record_id] = reason
    fresh |= _statements(guard, prepared, known | fresh, {*ids, *facts})
    claimed = {*ids, *facts, *known, *fresh}
    fresh |= _by_words(conn, guard, [one for one in prepared.record_ids if one not in claimed])
    return known, fresh


def _by_identifiers(conn: psycopg.Connection, guard: Guard, prepared: Prepared) -> dict[int, Reason]:
    suspects: dict[int, Reason] = {}
    if guard.identifiers:
        columns = (prepared.identifiers[name].to_pylist() for name in ("record_id", "type", "value", "is_valid"))
        for record_id, type_, value, is_valid in zip(*columns, strict=True):
            if is_valid and (reason := guard.stops_identifier(type_, value)):
                suspects[record_id] = reason
    if suspects:
        standing = conn.execute(sql("erasure.standing"), {"record_ids": sorted(suspects)}).fetchall()
        for (record_id,) in standing:
            suspects.pop(record_id)
    return suspects


def _statements(guard: Guard, prepared: Prepared, reasons: dict[int, Reason], others: set[int]) -> dict[int, Reason]:
    """Records that only state a relationship of somebody who may not come back, and cards of nobody else."""
    found: dict[int, Reason] = {}
    cards: dict[int, list[Reason | None]] = defaultdict(list)
    for record_id, type_, left, right in _relationships(prepared):
        reason_left, reason_right = (reasons.get(one) or guard.stops([one]).get(one) for one in (left, right))
        if type_ == "card_of" and right == record_id:
            cards[record_id].append(reason_left)
        elif record_id not in others and record_id not in reasons and (reason := reason_left or reason_right):
            found[record_id] = reason
    for card, parts in cards.items():
        if card not in reasons and all(parts) and (reason := parts[0]):
            found[card] = reason
    return found


def _ends(guard: Guard, prepared: Prepared) -> set[int]:
    """Who may not come back, among those with whom the chunk states relationships."""
    return set(guard.stops({one for _, _, left, right in _relationships(prepared) for one in (left, right)}))


def _relationships(prepared: Prepared) -> list[tuple[int, str, int, int]]:
    if prepared.relationships is None:
        return []
    names = ("record_id", "type", "from_record_id", "to_record_id")
    return list(zip(*(prepared.relationships[name].to_pylist() for name in names), strict=True))


def _by_words(conn: psycopg.Connection, guard: Guard, record_ids_: Sequence[int]) -> dict[int, Reason]:
    """Records of which nothing was made, refused or landed only, that tell of an erased person."""
    if not guard.identifiers or not record_ids_:
        return {}
    rows = conn.execute(sql("erasure.payloads"), {"record_ids": list(record_ids_)})
    return _told(conn, guard, {record_id: bytes(payload) for record_id, payload in rows})


def _suppress(conn: psycopg.Connection, guard: Guard, found: dict[int, Reason]) -> None:
    from warehouse.erasure.redact import Erasure, suppress

    by_erasure: dict[Reason, list[int]] = defaultdict(list)
    for record_id, reason in found.items():
        by_erasure[reason].append(record_id)
    for (erasure_id, client_id), ids in by_erasure.items():
        hashed = [guard.hashes.record(one) for one in sorted(ids)]
        suppress(conn, Erasure(erasure_id, client_id, guard.hashes.check), "record", hashed, sorted(ids))


def _words(prepared: Prepared, found: set[int]) -> Iterator[str]:
    columns = (prepared.identifiers[name].to_pylist() for name in ("record_id", "value"))
    for record_id, value in zip(*columns, strict=True):
        if record_id in found:
            yield plain(value)


def _without(prepared: Prepared, gone: set[int], linked: set[int]) -> Prepared:
    """The chunk without these records, and without relationships with those that are `linked`."""
    if not (gone or linked):
        return prepared

    def other(table: pa.Table | None, *columns: str) -> pa.Table | None:
        import pyarrow as pa
        import pyarrow.compute as pc

        if table is None:
            return None
        for name in columns:
            value_set = pa.array(sorted(gone | linked if name.startswith(("from_", "to_")) else gone), pa.int64())
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
