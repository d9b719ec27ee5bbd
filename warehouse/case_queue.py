"""The queue of review cases: which of them, in which order, a page on from a place, how many. Read-only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composable, Composed, Literal

from warehouse.arrays import bigints
from warehouse.sql import sql

Answer = dict[str, Any]
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STATES: Final = ("open", "deferred", "proposed", "undo", "any")
"""What waits; what is put aside; what waits for a second person; decided ones of which somebody wants the decision
taken back, which waits for another person; all but those."""
ORDERS: Final = ("impact", "age", "bits")
"""Most impact first; the longest waiting first; the strongest evidence first."""
# Ascending, so that one comparison of rows says what comes behind a place.
_WEIGHT: Final = SQL("-coalesce(c.weight, -2147483647)::bigint")
_AGE: Final = SQL("(extract(epoch FROM c.opened_at) * 1000000)::bigint")
_KEYS: Final[Mapping[str, tuple[SQL, SQL]]] = {
    "impact": (SQL("-c.impact"), _WEIGHT),
    "age": (_AGE, SQL("-c.impact")),
    "bits": (_WEIGHT, SQL("-c.impact")),
}


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases, in which order; each part narrows."""

    today: date
    """What is put aside until a later day is `deferred`."""
    status: str = "open"
    state: str = "open"
    kinds: Sequence[str] | None = None
    assignee: str | None = None
    unassigned: bool = False
    source: str | None = None
    """One of the records is of this source."""
    least_impact: int | None = None
    opened_before: datetime | None = None
    opened_after: datetime | None = None
    cases: Sequence[str] | None = None
    """None but these."""
    order: str = "impact"

    def parameters(self) -> Answer:
        """As the statements take them."""
        return {
            "today": self.today, "assignee": self.assignee, "source": self.source, "least_impact": self.least_impact,
            "kinds": None if self.kinds is None else list(self.kinds), "opened_before": self.opened_before,
            "opened_after": self.opened_after, "cases": None if self.cases is None else list(self.cases),
        }  # fmt: skip

    def which(self) -> Composed:
        """The conditions on the case itself, no more than are asked for: an index of open ones is found by its word."""
        asked = {
            "kinds": self.kinds, "impact": self.least_impact, "before": self.opened_before, "after": self.opened_after,
            "cases": self.cases, "undo": True if self.state == "undo" else None,
        }  # fmt: skip
        found: list[Composable] = [sql(f"case_queue.of_{name}") for name, said in asked.items() if said is not None]
        same = SQL("true") if self.state == "undo" else sql("case_queue.of_status").format(status=Literal(self.status))
        found.append(same)
        if self.source is not None:
            found.append(sql("case_queue.of_source").format(same=same))
        return SQL(" AND ").join(found)

    def whose(self) -> Composed:
        """The conditions on what was done on it."""
        found = [sql("case_queue.of_assignee")] if self.assignee is not None else []
        found += [sql("case_queue.of_nobody")] if self.unassigned else []
        found += [sql(f"case_queue.is_{self.state}")] if self.state not in ("any", "undo") else []
        return SQL(" AND ").join(found or [SQL("true")])


class Place(NamedTuple):
    """Behind which case a page begins."""

    one: int
    two: int
    fingerprint: str


def page(
    conn: psycopg.Connection[Any], chosen: CaseFilter, *, limit: int, after: Place | None = None
) -> tuple[list[Answer], Place | None]:
    """Cases with the natural keys and clients of their records, and `proposed_by`, who proposed what waits for a second
    person; and where this page ends; None: there are no more."""
    return _up_to(limit, _ask(conn, "page", chosen, behind=after is not None, limit=limit + 1, **_after(after)))


def page_and_kinds(
    conn: psycopg.Connection[Any], chosen: CaseFilter, *, limit: int, after: Place | None = None
) -> tuple[list[Answer], Place | None, dict[str, int]]:
    """The same, and kind -> cases that the filter would leave if it named no kinds."""
    more = {"only": None if chosen.kinds is None else list(chosen.kinds), **_after(after)}
    rows = _ask(conn, "page_and_kinds", replace(chosen, kinds=None), limit=limit + 1, **more)
    counts = rows[0]["counts"]
    return *_up_to(limit, [row for row in rows if row["fingerprint"] is not None]), counts


def pairs(conn: psycopg.Connection[Any], chosen: CaseFilter, *, limit: int) -> list[Answer]:
    """The first cases that are about two records: fingerprint, kind, weight and record_ids, in their order."""
    return _ask(conn, "pairs", chosen, limit=limit)


def next_case(conn: psycopg.Connection[Any], chosen: CaseFilter, after: str | None) -> str | None:
    """The case behind this one in the order, from the beginning behind the last one; None: there is no other."""
    place = None
    if after is not None and (found := _ask(conn, "place", chosen, case=after)):
        place = Place(found[0]["one"], found[0]["two"], found[0]["fingerprint"])
    rows = _ask(conn, "next", chosen, **_after(place))
    return rows[0]["fingerprint"] if rows else None


def count(conn: psycopg.Connection[Any], chosen: CaseFilter) -> int:
    """How many cases the filter leaves."""
    return int(_ask(conn, "count", chosen)[0]["cases"])


def states(conn: psycopg.Connection[Any], login: str, today: date) -> Answer:
    """Open cases: all that wait, mine, unassigned, deferred, proposed; undo: decided ones, see STATES."""
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(sql("case_queue.states"), {"login": login, "today": today}).fetchone()
    assert found is not None
    return found


def records_of(conn: psycopg.Connection[Any], cases: Sequence[str]) -> dict[str, Answer]:
    """Status and record_ids of these cases; what is no case, or no name of one, is left out."""
    known = [case for case in cases if _UUID.fullmatch(case)]
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(sql("case_queue.records_of"), {"cases": known}).fetchall()
    return {row["fingerprint"]: row for row in rows}


def asked_about(conn: psycopg.Connection[Any], left_ids: Sequence[int], right_ids: Sequence[int]) -> str | None:
    """The open case that asks about records of both sides, of several the one of most impact."""
    said = {"left_ids": bigints(left_ids), "right_ids": bigints(right_ids)}
    found = conn.execute(sql("case_queue.asked_about"), said).fetchone()
    return None if found is None else found[0]


def asked_pairs(conn: psycopg.Connection[Any]) -> tuple[int, int]:
    """Open cases of two clients, and how many pairs of records they are about."""
    found = conn.execute(sql("case_queue.asked_pairs")).fetchone()
    assert found is not None
    return found[0], found[1]


def _up_to(limit: int, rows: list[Answer]) -> tuple[list[Answer], Place | None]:
    kept = rows[:limit]
    if len(rows) <= limit:
        return kept, None
    return kept, Place(kept[-1]["one"], kept[-1]["two"], kept[-1]["fingerprint"])


def _after(place: Place | None) -> Answer:
    one, two, case = (None, None, None) if place is None else place
    return {"after_one": one, "after_two": two, "after": case}


def _ask(
    conn: psycopg.Connection[Any], name: str, chosen: CaseFilter, *, behind: bool = False, **more: Any
) -> list[Answer]:
    """The rows of a statement; of those `behind` a place only, where it does not look for that itself."""
    one, two = _KEYS[chosen.order]
    places = {"one": one, "two": two}
    whose = chosen.whose()
    if behind:
        whose = SQL(" AND ").join([whose, sql("case_queue.behind").format(**places)])
    statement: Composed = sql(f"case_queue.{name}").format(**places, which=chosen.which(), whose=whose)
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, {**chosen.parameters(), **more}).fetchall()
