"""What publish makes of facts: interactions and relationships get the clients that readers see their parties with.

Chunk after chunk, by the records that changed; the first facts of a hub all at once, each written once, with its client
and the business event that it records. In the caller's transaction and under the hub lock, at one `as_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import datetime
from typing import Any, Final

import psycopg
import pyarrow as pa
from psycopg.sql import SQL, Literal

from warehouse import arrow, derived_facts, in_one_piece, versions
from warehouse.arrays import bigints
from warehouse.clock import allocate_events
from warehouse.golden import Published
from warehouse.sql import sql

_MANY: Final = 100_000
"""Records from which the tables of facts are locked as a whole, and not row by row."""
EventsOf = Callable[[pa.Table, Callable[[], None]], pa.Table]
"""From record_id and client (a hash) of all interactions to record_id, event_id, is_counted and counted_by of those
that are documents. Work for the server comes with them, which is done on the caller's connection meanwhile."""
FirstEvents = Callable[[], AbstractContextManager[EventsOf]]
"""Entered when nobody writes facts any more; what it gives is asked within it."""
_PAGES: Final = 100_000
"""Pages of `moved_fact` that are read at a time: some ten million facts."""
_FACTS: Final = ("core.interaction", "core.relationship", "core.exchange_rate")


def refresh(conn: psycopg.Connection[Any], record_ids: Sequence[int], *, as_of: datetime) -> Published:
    """Publish the links and cards of these records and bring the derived columns of facts up to them: interactions of
    these parties, these interactions themselves, and relationships. Only what moved or is new is written, all with one
    change event; what readers saw until now is kept as a version.
    """
    if len(record_ids) < _MANY:
        with suppress(_ChangedMeanwhile):
            return _refresh(conn, record_ids, as_of, alone=False)
    return _refresh(conn, record_ids, as_of, alone=True)


def refresh_first(
    conn: psycopg.Connection[Any], record_ids: Sequence[int], *, as_of: datetime, events: FirstEvents
) -> Published:
    """`refresh` of these records and of all interactions, where `are_new`: each is written once, with its
    client and its event. Their indexes are built afterwards, if nobody is about to read them.
    """
    return _refresh(conn, record_ids, as_of, alone=True, interactions="first_interactions", events=events)


def refresh_but_interactions(conn: psycopg.Connection[Any], record_ids: Sequence[int], *, as_of: datetime) -> Published:
    """`refresh` without interactions, which follow all at once by `refresh_first`."""
    return _refresh(conn, record_ids, as_of, alone=True, interactions="no_interactions")


def are_new(conn: psycopg.Connection[Any]) -> bool:
    """No interaction was ever published, and no document linked."""
    row = conn.execute(sql("facts.are_new")).fetchone()
    return row is not None and bool(row[0])


def are_many(conn: psycopg.Connection[Any], least: int) -> bool:
    """At least so many interactions wait to be published."""
    row = conn.execute(sql("facts.are_many"), {"least": least}).fetchone()
    return row is not None and bool(row[0])


class _ChangedMeanwhile(Exception):
    """Standardise changed one of the facts between the look and the lock; nothing was written."""


def _refresh(
    conn: psycopg.Connection[Any],
    record_ids: Sequence[int],
    as_of: datetime,
    *,
    alone: bool,
    interactions: str = "interactions_of",
    events: FirstEvents | None = None,
) -> Published:
    """`refresh`; `alone`: nobody else writes facts meanwhile, and none is locked by itself. `interactions`: which
    are looked at, a statement's name. With `events` `refresh_first`."""
    with conn.transaction(), ExitStack() as linking:
        # Cards before facts, as standardise locks them.
        links = versions.waiting_links(conn, record_ids)
        seq = allocate_events(conn, 1) if links else None
        if seq is not None:
            versions.publish_links(conn, seq=seq)
        if alone:
            conn.execute(sql("facts.lock_facts"))
        if all(arrow.is_empty(conn, table) for table in _FACTS):
            if links:
                nothing = {"interactions": 0, "relationships": 0}
                conn.execute(sql("facts.facts_event"), {"seq": seq, "as_of": as_of, "links": links, **nothing})
            return Published(change_events=1 if links else 0)
        events_of = linking.enter_context(events()) if events else None
        looked_at = {
            "interactions": sql(f"facts.{interactions}"),
            "relationships": sql("facts.relationships_of"),
        }
        conn.execute(sql("facts.find_facts").format(**looked_at), {"record_ids": bigints(record_ids)})
        if events_of:
            derived = list[int]()
            found = events_of(_clients_of_facts(conn), lambda: derived.append(derived_facts.derive(conn, ())))
            (rates,) = derived
        else:
            rates = derived_facts.derive(conn, record_ids)
        if not alone:
            versions.lock_moved(conn)
            changed = conn.execute(sql("facts.has_changed")).fetchone()
            if changed is not None and changed[0]:
                raise _ChangedMeanwhile
        counts = conn.execute(sql("facts.count_facts")).fetchone()
        assert counts is not None
        facts, relationships, published = counts
        if links or facts or relationships or rates:
            seq = seq or allocate_events(conn, 1)
            versions.end_versions(conn, seq=seq, as_of=as_of, published=published > 0)
            parameters = {
                "seq": seq,
                "as_of": as_of,
                "interactions": facts,
                "relationships": relationships,
                "links": links,
                "currency": derived_facts.reporting(conn)[0],
            }
            if events_of:
                _write_first(conn, found, facts, parameters)
            else:
                conn.execute(sql("documents.enqueue_moved"))
                no_events = {"events": SQL(""), "joined": SQL("")}
                conn.execute(sql("facts.refresh_interactions").format(**no_events), parameters)
            for statement in ("refresh_relationships", "facts_event"):
                conn.execute(sql(f"facts.{statement}"), parameters)
            conn.execute(sql("derived_facts.publish_rates"), parameters)
        for statement in ("facts.drop_facts", "derived_facts.drop_derived"):
            conn.execute(sql(statement))
    linked = found.num_rows if events_of else 0
    return Published(links_moved=facts + relationships, change_events=1 if seq else 0, documents=linked)


def _clients_of_facts(conn: psycopg.Connection[Any]) -> pa.Table:
    """The client (a hash) of each interaction of `moved_fact`."""
    schema = pa.schema([("record_id", pa.int64()), ("client", pa.int64())])
    row = conn.execute(sql("facts.pages_of_facts")).fetchone()
    parts = [schema.empty_table()]
    for first in range(0, row[0] if row else 0, _PAGES):
        pages = {"first": Literal(f"({first},0)"), "last": Literal(f"({first + _PAGES},0)")}
        parts.append(in_one_piece.read(conn, sql("facts.clients_of_facts").format(**pages), schema=schema))
    return pa.concat_tables(parts)


def _write_first(conn: psycopg.Connection[Any], found: pa.Table, count: int, parameters: Mapping[str, Any]) -> None:
    """Write the interactions of `moved_fact`, so many, each with the event that was found for it."""
    with arrow.staged(conn, "new_event", "core.interaction", found):
        conn.execute(sql("facts.analyse_facts"))
        is_bulk = count >= _MANY and arrow.is_owned(conn, "core.interaction")
        rebuilt = is_bulk and _is_ours_alone(conn)
        conn.execute(sql("facts.much_memory"))
        sparse = [row[0] for row in conn.execute(sql("facts.sparse_indexes"))]
        with arrow.indexes_rebuilt(conn, ["core.interaction"], rebuilt, keep=sparse, filled=True):
            parts = {"events": sql("facts.first_events"), "joined": sql("facts.join_first_events")}
            conn.execute(sql("facts.refresh_interactions").format(**parts), parameters)


def _is_ours_alone(conn: psycopg.Connection[Any]) -> bool:
    """Lock the facts for us alone, unless somebody reads them for longer than a moment."""
    try:
        with conn.transaction():
            for statement in ("wait_briefly", "lock_for_us_alone", "wait"):
                conn.execute(sql(f"facts.{statement}"))
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        return False
    return True
