"""What people look at: a client's view, one record's trace, the hub's status, overlaps, search, rejects.

Read-only. Every answer is plain values that JSON can hold (UUIDs and times as text), so that the command
line, the API and the console print the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.rows import dict_row

from warehouse.keys import record_id as id_of
from warehouse.sql import sql

Answer = dict[str, Any]
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CLIENT_PARTS: Final = ("records", "interactions", "totals", "relationships", "former_ids", "cases")
_TRACE_PARTS: Final = (
    "versions",
    "identifiers",
    "pairs",
    "crosswalk_history",
    "pending",
    "rejects",
    "cases",
    "judgements",
    "relationships",
    "feeds",
    "fed_by",
)


class Place(NamedTuple):
    """Where a page of interactions ended."""

    occurred_at: str | None
    """None: among those without a time, which come last."""
    record_id: int


def client_view(conn: psycopg.Connection[Any], client_id: str, *, limit: int = 100) -> Answer | None:
    """Everything about one client: golden record, lineage, source records, its latest `limit` interactions
    with their promises, relationships, and the ids that lead to it. An id that was merged away answers with
    its survivor. None: there never was such a client.
    """
    # Asked of the id itself, together with where it leads: hardly one that is asked for was merged away.
    wanted = client_id.lower()
    target, view = _view_of(conn, wanted, limit)
    if target != wanted:
        _, view = _view_of(conn, target, limit)
    return None if view is None else {"asked_for": client_id, **view}


def _view_of(conn: psycopg.Connection[Any], client_id: str, limit: int) -> tuple[str, Answer | None]:
    """The client that an id leads to, and the view of the one of that very id."""
    # Sent together: nine answers in turn would be nine times the way to the server and back.
    page = {"limit": limit, **place_parameters(None), "types": None}
    with conn.pipeline():
        target = _ask(conn, "current_id", client_id=client_id)
        asked = {
            part: _ask(conn, f"client_{part}", client_id=client_id, **(page if part == "interactions" else {}))
            for part in _CLIENT_PARTS
        }
        golden = _ask(conn, "client", client_id=client_id)
        led = target.fetchone()
        found: Answer = {part: cursor.fetchall() for part, cursor in asked.items()}
        client = golden.fetchone()
    assert led is not None
    if client is None:
        return led["client_id"], None
    former = [row["old_client_id"] for row in found["former_ids"]]
    return led["client_id"], {**client, **found, "former_ids": former}


def is_client(conn: psycopg.Connection[Any], client_id: str) -> bool:
    """Whether a client of that id was ever published."""
    return _one(conn, "client", client_id=client_id) is not None


def interactions_of(
    conn: psycopg.Connection[Any],
    client_id: str,
    *,
    limit: int,
    after: Place | None = None,
    types: Sequence[str] | None = None,
) -> tuple[list[Answer], Place | None]:
    """A client's interactions, latest first and those without a time last, of these types (None: all), on from the
    place where the page before ended; and where this one ends, None: there are no more."""
    rows = _all(conn, "client_interactions", client_id=client_id, limit=limit, types=types, **place_parameters(after))
    if len(rows) < limit:
        return rows, None
    # Among those of one moment the page was cut by their ids, and is shown by their names.
    last = rows[-1]["occurred_at"]
    return rows, Place(last, max(row["record_id"] for row in rows if row["occurred_at"] == last))


def place_parameters(after: Place | None) -> Answer:
    """A place as statements take it."""
    if after is None:
        return {"at": None, "id": None, "is_undated": False}
    return {"at": after.occurred_at, "id": after.record_id, "is_undated": after.occurred_at is None}


def trace(conn: psycopg.Connection[Any], record_id: int) -> Answer | None:
    """Every stage of one record: raw with its versions, standard record, identifiers, number of blocking
    keys, pairs, crosswalk and its history, golden client, interaction, queues, rejects, cases, judgements,
    relationships. None: never heard of. A record that was made of a card has no raw of its own.
    """
    found: Answer = {"record_id": record_id}
    for part in ("raw", "standard_record", "interaction", "crosswalk", "blocking"):
        found[part] = _one(conn, f"trace_{part}", record_id=record_id)
    for part in _TRACE_PARTS:
        found[part] = _all(conn, f"trace_{part}", record_id=record_id)
    known = ("raw", "standard_record", "rejects", "crosswalk_history")
    return found if any(found[part] for part in known) else None


def status(conn: psycopg.Connection[Any]) -> Answer:
    """How the hub is: streams with their freshness and counts, queues, open rejects and cases, clients, last
    runs.
    """
    totals = _one(conn, "status_totals")
    assert totals is not None
    return {
        **totals,
        "streams": _all(conn, "status_streams"),
        "queues": {row["step"]: row["entries"] for row in _all(conn, "status_queues")},
        "rejects": _all(conn, "status_rejects"),
        "cases": _all(conn, "status_cases"),
        "runs": _all(conn, "status_runs"),
    }


def register_overlap(conn: psycopg.Connection[Any]) -> list[Answer]:
    """For each pair of sources how many clients and prospects stand only in the one, only in the other, in
    both.
    """
    return _all(conn, "register_overlap")


def source_counts(conn: psycopg.Connection[Any]) -> list[Answer]:
    """Per source: records of parties, clients behind them, and clients that no other source knows."""
    return _all(conn, "source_counts")


def find_clients(conn: psycopg.Connection[Any], text: str, *, limit: int = 20) -> list[Answer]:
    """Clients by name, e-mail, phone, tax id, source key or client id; best first. `why` says what matched.

    The words of a name may stand in any order: people write the family name first or last.
    A text that is exactly an identifier or a key comes before one that is only like a name. Of a name that more
    than a thousand clients bear, a thousand are looked at.
    """
    words = text.strip()
    if not words or "\x00" in words:
        return []
    values = {words, words.casefold(), words.upper()}
    parts = [f"%{literally(word)}%" for word in sorted(words.split(), key=len, reverse=True)]
    digits = "".join(c for c in words if c.isdigit())
    if len(digits) >= 7 and not any(c.isalpha() for c in words):
        values |= {digits, f"+{_international(digits)}"}
    return _all(
        conn,
        "find_clients",
        client_id=words if _UUID.fullmatch(words) else None,
        values=sorted(values),
        record_ids=_records_called(conn, words),
        whole=literally(words) if len(parts) > 1 else None,
        parts=parts,
        **{f"part{n}": part for n, part in enumerate([*parts, "%", "%"][:3], start=1)},
        limit=limit,
    )


def open_rejects(conn: psycopg.Connection[Any], *, source: str | None = None, limit: int | None = None) -> list[Answer]:
    """What is refused as far as is known, newest first, without its bytes."""
    return _all(conn, "open_rejects", source=source, limit=limit)


def identity_cases(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> dict[int, list[Answer]]:
    """What these records were when they were judged and what they are, where an open case says that they changed
    their identity: column, level, was, is, bits, words."""
    rows = conn.execute(sql("queries.identity_cases"), {"record_ids": list(record_ids)})
    return {row[0]: row[1] for row in rows}


def review_case(conn: psycopg.Connection[Any], fingerprint: str, *, others: int = 0) -> Answer | None:
    """One review case with its `records` side by side: record_id, natural key, kind, role, url, attributes, client,
    changed_seq of it; behind them at most so many others of the same clients."""
    found = _one(conn, "review_case", fingerprint=fingerprint)
    if found is not None:
        ids = found["record_ids"]
        if others:
            ids = [*ids, *(row["record_id"] for row in _all(conn, "records_with", record_ids=ids, limit=others))]
        found["records"] = records_side_by_side(conn, ids)
    return found


def decisions_about(conn: psycopg.Connection[Any], record_ids: Sequence[int], *, limit: int = 20) -> list[Answer]:
    """The latest decisions about any of these records, those that were taken back included: judgement_id, verdict,
    relationship, attribute, reason, decided_by, decided_at, lifted_by, lifted_at, is_suspended."""
    return _all(conn, "decisions_about", record_ids=list(record_ids), limit=limit)


def records_side_by_side(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> list[Answer]:
    """These records as a case shows them, in this order; those that are gone are left out."""
    return _all(conn, "records_side_by_side", record_ids=list(record_ids))


def case_before(conn: psycopg.Connection[Any], case: str) -> str | None:
    """The open case that comes before this one in the queue, else its last one; None: no other is open."""
    row = _one(conn, "case_before", case=case)
    return None if row is None else row["fingerprint"]


def open_cases(conn: psycopg.Connection[Any], fingerprints: Sequence[str]) -> set[str]:
    """Which of these review cases are open."""
    return {row["fingerprint"] for row in _all(conn, "open_cases", fingerprints=list(fingerprints))}


def change_numbers(conn: psycopg.Connection[Any], client_ids: Sequence[str]) -> dict[str, int | None]:
    """The last change of each of these clients; those that never were are left out."""
    rows = _all(conn, "change_numbers", client_ids=list(client_ids))
    return {row["client_id"]: row["changed_seq"] for row in rows}


def clients_of_records(conn: psycopg.Connection[Any], record_ids: Sequence[int]) -> dict[int, str]:
    """The client of each record that has one now."""
    rows = _all(conn, "clients_of_records", record_ids=list(record_ids))
    return {row["record_id"]: row["client_id"] for row in rows}


def golden_record_of(conn: psycopg.Connection[Any], record_id: int, attribute: str) -> int | None:
    """The record that a golden value of the record's client comes from; None: it has no such value."""
    row = conn.execute(sql("queries.golden_record_of"), {"record_id": record_id, "attribute": attribute}).fetchone()
    return None if row is None else row[0]


def moving_interactions(
    conn: psycopg.Connection[Any], moves: Mapping[int, tuple[str | None, str | None]]
) -> list[Answer]:
    """What would go from client to client with these records, each with the client it is of and the one it comes to:
    from_id, to_id, type, label_en, label_ru, currency, interactions, amount."""
    pairs = list(moves.values())
    return _all(
        conn,
        "moving_interactions",
        record_ids=list(moves),
        from_ids=[one for one, _ in pairs],
        to_ids=[two for _, two in pairs],
    )


def _records_called(conn: psycopg.Connection[Any], name: str) -> list[int]:
    """Ids that a record would have that is called `source:stream:key`, or only by its key."""
    streams = [(row["source"], row["stream"]) for row in _all(conn, "streams")]
    ids = {id_of(source, stream, name) for source, stream in streams}
    source, _, rest = name.partition(":")
    stream, _, key = rest.partition(":")
    return sorted(ids | {id_of(source, stream, key)})


def literally(text: str) -> str:
    """A pattern for ILIKE that means the text itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _international(digits: str) -> str:
    """Russian numbers are dialled with a leading 8 inside the country; others are taken as written."""
    return "7" + digits[1:] if len(digits) == 11 and digits.startswith("8") else digits


def _all(conn: psycopg.Connection[Any], name: str, **parameters: Any) -> list[Answer]:
    with _ask(conn, name, **parameters) as cursor:
        return cursor.fetchall()


def _one(conn: psycopg.Connection[Any], name: str, **parameters: Any) -> Answer | None:
    with _ask(conn, name, **parameters) as cursor:
        return cursor.fetchone()


def _ask(conn: psycopg.Connection[Any], name: str, **parameters: Any) -> psycopg.Cursor[Answer]:
    return conn.cursor(row_factory=dict_row).execute(sql(f"queries.{name}"), parameters)
