"""What humans decided: appended, never changed; in force until a later row lifts it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

import psycopg
import pyarrow as pa
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb

from warehouse import arrow
from warehouse.arrays import bigints
from warehouse.pins import expired_pins
from warehouse.sql import sql

STATED: Final = 1 << 62
"""Numbers from here on are no judgements: registers state it."""


GROUPING: Final = ("same", "not_same", "related")
"""What decides which records are one client."""
BY_ITSELF: Final = "onefold"
"""Who lifts a pin that has expired."""


class JudgementNotFoundError(Exception):
    """There is no judgement of that number, or it is not in force any more."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One decision. `left_ids` of a pin is the record that it is anchored on."""

    verdict: str
    """same, not_same, related, cannot_tell, pin."""
    left_ids: Sequence[int]
    right_ids: Sequence[int] = ()
    relationship: str | None = None
    attribute: str | None = None
    value: Any = None
    policy: str | None = None
    until: date | None = None
    reason: str | None = None
    decided_by: str = ""
    decided_at: datetime | None = None
    judgement_id: int | None = None
    """Given by the database."""
    suspended_ids: Sequence[int] = ()
    """Records that have changed their identity since: it does not speak of them now."""
    former_ids: Sequence[int | None] = ()
    """Of each of those the record of its own that is kept of the version which it speaks of; None: not kept yet."""

    def applied(self) -> Judgement:
        """What it says now: of records that have changed their identity it speaks as they were, where that is kept."""
        kept = dict(zip(self.suspended_ids, self.former_ids, strict=True))
        left, right = ([kept.get(i, i) for i in ids] for ids in (self.left_ids, self.right_ids))
        return replace(self, left_ids=[i for i in left if i is not None], right_ids=[i for i in right if i is not None])


@dataclass(frozen=True, slots=True)
class Spoken:
    """A decision that is only thought of."""

    said: Sequence[Judgement] = ()
    """Each with a number."""
    lifted: Collection[int] = ()
    """Numbers of judgements in force."""

    def is_lifted(self, judgement: Judgement) -> bool:
        """It would not be in force any more."""
        return judgement.judgement_id in self.lifted


NOTHING: Final = Spoken()


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A record of a judgement in force that is not as it was when that was said, or was taken to have changed."""

    judgement_id: int
    record_id: int
    is_suspended: bool
    is_different: bool
    """There is a standard record, and it is another than it was."""


@dataclass(frozen=True, slots=True)
class Again:
    """A judgement that is said again, of its records as they were then."""

    former: int
    record_id: int | None = None
    """But for this one, which it speaks of as it is now."""


def add(
    conn: psycopg.Connection[Any],
    judgement: Judgement,
    *,
    by: str,
    at: datetime,
    case: str | None = None,
    again: Again | None = None,
) -> int:
    """Append a judgement (under the hub lock) and mark the review case of that fingerprint decided; its number.

    What its records are now is kept beside it: it is about these versions.
    """
    row = conn.execute(
        sql("judgements.add"),
        {
            "verdict": judgement.verdict,
            "left_ids": sorted(set(judgement.left_ids)),
            "right_ids": sorted(set(judgement.right_ids)),
            "relationship": judgement.relationship,
            "attribute": judgement.attribute,
            "value": None if judgement.verdict != "pin" else Jsonb(judgement.value),
            "policy": judgement.policy,
            "until": judgement.until,
            "reason": judgement.reason,
            "by": by,
            "at": at,
        },
    ).fetchone()
    assert row is not None
    named = {"judgement_id": row[0], "record_ids": sorted({*judgement.left_ids, *judgement.right_ids})}
    if again is not None:
        conn.execute(sql("judgements.keep_versions"), {**named, "former": again.former, "but": again.record_id})
    conn.execute(sql("judgements.add_versions"), named)
    if case is not None:
        conn.execute(sql("judgements.decide_case"), {"case": case, "judgement_id": row[0], "at": at})
    return int(row[0])


def lift(conn: psycopg.Connection[Any], judgement_id: int, *, reason: str | None, by: str, at: datetime) -> Judgement:
    """End a judgement; the judgement that was lifted. Its review cases are closed, to be opened anew if need
    be.
    """
    found = [j for j in in_force(conn) if j.judgement_id == judgement_id]
    if not found:
        raise JudgementNotFoundError(f"judgement {judgement_id} is not in force")
    conn.execute(sql("judgements.lift"), {"judgement_id": judgement_id, "reason": reason, "by": by, "at": at})
    conn.execute(sql("judgements.release_cases"), {"judgement_id": judgement_id})
    conn.execute(sql("judgements.forget_suspension"), {"judgement_id": judgement_id})
    return found[0]


def end_expired_pins(conn: psycopg.Connection[Any], *, today: date, at: datetime) -> list[int]:
    """Lift, under the hub lock, the pins whose last day is over or whose source has changed what it says; the records
    that held them. Each is lifted by `onefold`, with the reason, so that it is told and never comes back by itself.
    """
    held: list[int] = []
    for number, records, until, is_over in expired_pins(conn, today):
        reason = f"its last day was {until}" if is_over else "the source has changed what it says"
        was = lift(conn, number, reason=reason, by=BY_ITSELF, at=at)
        held += [*records, *was.applied().left_ids]
    return sorted(set(held))


def former_pin(conn: psycopg.Connection[Any], judgement_id: int, *, today: date) -> Judgement | None:
    """The pin whose place a pin took, if it would hold on the day `today`; None of every other judgement."""
    row = conn.execute(sql("judgements.former_pin"), {"judgement_id": judgement_id, "today": today}).fetchone()
    return None if row is None else Judgement(*row)


def effect_of(conn: psycopg.Connection[Any], judgement_id: int) -> dict[str, Any] | None:
    """judgement_id, verdict, in_force and waiting: how many of its records wait to be resolved or published; None:
    there is none of that number."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("judgements.effect_of"), {"judgement_id": judgement_id}).fetchone()


def in_force(
    conn: psycopg.Connection[Any],
    verdicts: Sequence[str] | None = None,
    record_ids: Sequence[int] | None = None,
) -> list[Judgement]:
    """Judgements that nobody has lifted, oldest first; of some verdicts, and about any of these records."""
    rows = conn.execute(
        sql("judgements.in_force"),
        {
            "verdicts": None if verdicts is None else list(verdicts),
            "record_ids": None if record_ids is None else list(record_ids),
        },
    )
    return [Judgement(*row) for row in rows]


def doubtful(conn: psycopg.Connection[Any], record_ids: Sequence[int] | None = None) -> list[Doubtful]:
    """Records (all, or of these) whose judgements in force may be about somebody else; by record and judgement."""
    parameters = {"record_ids": None if record_ids is None else bigints(record_ids)}
    return [Doubtful(*row) for row in conn.execute(sql("judgements.doubtful"), parameters)]


def versions(
    conn: psycopg.Connection[Any], judged: Sequence[Doubtful], records: pa.Schema, identifiers: pa.Schema
) -> tuple[pa.Table, pa.Table]:
    """Standard records and identifiers as they were when they were judged, in the columns of the schemas;
    `record_id` is the place in `judged`.
    """
    parameters = {
        "judgement_ids": bigints([one.judgement_id for one in judged]),
        "record_ids": bigints([one.record_id for one in judged]),
    }

    def columns(schema: pa.Schema) -> Composed:
        place = SQL("w.n - 1")
        return SQL(", ").join(place if name == "record_id" else Identifier("r", name) for name in schema.names)

    return (
        arrow.read(conn, sql("judgements.versions").format(columns=columns(records)), parameters, schema=records),
        arrow.read(
            conn,
            sql("judgements.version_identifiers").format(columns=columns(identifiers)),
            parameters,
            schema=identifiers,
        ),
    )


def turn_suspension(conn: psycopg.Connection[Any], judged: Sequence[Doubtful]) -> None:
    """Suspend the judgements about these records that are not, and bring those back into force that are."""
    parameters = {
        "judgement_ids": [one.judgement_id for one in judged],
        "record_ids": [one.record_id for one in judged],
    }
    conn.execute(sql("judgements.set_suspended"), parameters)


def load_judgements(
    conn: psycopg.Connection[Any],
    schema: pa.Schema,
    record_ids: Sequence[int] | None = None,
    *,
    only_said: bool = False,
    spoken: Spoken = NOTHING,
) -> pa.Table:
    """`same` and `not_same` in force (about any of these records), by judgement_id, in the columns of
    `schema`; those that are `related` are two clients, and so `not_same`.

    Unless `only_said` or asked about records, behind them what registers state, as `not_same` with numbers from STATED
    on: a group that several are members of is none of its members. Where a human joined the two, that stands.
    Of records that have changed their identity since it is their former version that is spoken of. `spoken` is taken
    for said although it is not.
    """
    found = [one.applied() for one in in_force(conn, GROUPING, record_ids) if not spoken.is_lifted(one)]
    found += [one for one in spoken.said if one.verdict in GROUPING]
    found = [replace(one, verdict="not_same") if one.verdict == "related" else one for one in found]
    columns = {name: [getattr(judgement, name) for judgement in found] for name in schema.names}
    said = pa.table(columns, schema)
    if only_said or record_ids is not None:
        return said
    return pa.concat_tables([said, pa.Table.from_pylist(_stated(conn, found), schema=schema)])


def _stated(conn: psycopg.Connection[Any], judged: Sequence[Judgement]) -> list[dict[str, Any]]:
    joined = [{*one.left_ids, *one.right_ids} for one in judged if one.verdict == "same"]
    rows = []
    for number, (group, members) in enumerate(conn.execute(sql("judgements.stated_apart")), STATED):
        with_group = set().union(*(ids for ids in joined if group in ids))
        apart = [member for member in members if member not in with_group]
        rows.append({"judgement_id": number, "verdict": "not_same", "left_ids": apart, "right_ids": [group]})
    return rows


def different_numbers(
    conn: psycopg.Connection[Any], left_ids: Sequence[int], right_ids: Sequence[int], types: Sequence[str]
) -> list[str]:
    """Of these types of identifiers those of which both sides have valid values and share none."""
    parameters = {"left_ids": bigints(left_ids), "right_ids": bigints(right_ids), "types": list(types)}
    return [row[0] for row in conn.execute(sql("judgements.different_numbers"), parameters).fetchall()]
