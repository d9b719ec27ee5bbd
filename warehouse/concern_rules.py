"""Concerns as plain values, and what the templates are in SQL.

Each is a SELECT of client_id, record_id and note over `onefold_v1.fct_interaction` and `fct_promise_outcome`, or over
tables of the same names elsewhere. Days are counted to `%(today)s`, the day for those views too (`clock.today_is`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from psycopg.sql import SQL, Composable, Identifier, Literal

from warehouse.need_rules import Condition, literal, meets
from warehouse.sql import sql

SERVED: Final = "onefold_v1"
ALL: Final = SQL("IS NOT NULL")
"""All clients."""


@dataclass(frozen=True, slots=True)
class Event:
    """Dealings that are meant."""

    types: Sequence[str]
    source: str | None = None
    conditions: Sequence[Condition] = ()
    promise: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class NoneOf:
    """None of `of` within `within` days after one of `after`."""

    of: Sequence[Event]
    within: int
    after: Sequence[Event]
    since: int

    def query(self, schema: str) -> Composable:
        """The dealings after which nothing came."""
        return sql("concerns.none_of").format(
            of=events(self.of, schema), after=events(self.after, schema), within=Literal(self.within),
            since=Literal(self.since),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class MoreThan:
    """More than `count` of these within so many days."""

    count: int
    of: Sequence[Event]
    within: int

    def query(self, schema: str, *, among: Composable = ALL) -> Composable:
        """All of those of clients that have more."""
        return sql("concerns.more_than").format(
            of=events(self.of, schema, among=among), count=Literal(self.count), within=Literal(self.within)
        )


@dataclass(frozen=True, slots=True)
class DriftsFrom:
    """A figure, or a ratio of two, is another than before, or than one."""

    of: Sequence[Event]
    against: Sequence[Event] | None
    figure: str
    window: int
    before: int | None
    by: Decimal
    per: str
    minimum: int

    def query(self, schema: str) -> Composable:
        """The dealings of the window, with the level and what it was."""
        value = SQL("1::numeric") if self.figure == "count" else SQL("coalesce(i.reporting_amount, 0)")
        sides = [SQL("SELECT true AS is_of, i.*, {} AS value FROM {} AS i").format(value, events(self.of, schema))]
        if self.against is not None:
            other = SQL("SELECT false AS is_of, i.*, {} AS value FROM {} AS i")
            sides.append(other.format(value, events(self.against, schema)))
        ratio = self.against is not None
        now = "nullif(l.now_of, 0) / nullif(l.now_against, 0)" if ratio else f"l.now_of / {self.window}.0"
        before = "nullif(l.before_of, 0) / nullif(l.before_against, 0)" if ratio else f"l.before_of / {self.before}.0"
        counted = ["greatest(l.now_count, l.before_count) >= {0}"]
        if ratio:
            # A side that has come to nothing is the worst drift of all.
            now = (
                "CASE WHEN l.now_against <> 0 THEN coalesce(l.now_of, 0) / l.now_against"
                " WHEN l.now_of <> 0 THEN 'Infinity'::numeric END"
            )
            counted = ["greatest(l.now_count, l.now_against_count) >= {0}"]
            counted += ["least(l.before_count, l.before_against_count) >= {0}"] if self.before is not None else []
        return sql("concerns.drifts_from").format(
            sides=SQL(" UNION ALL ").join(sides),
            key=SQL("e.client_id") if self.per == "client" else SQL("NULL::uuid"),
            window=Literal(self.window),
            reach=Literal(self.window + (self.before or 0)),
            now=SQL(now),
            level=SQL(before if self.before is not None else "1::numeric"),
            counted=SQL(" AND ".join(counted)).format(Literal(self.minimum)),
            by=Literal(self.by),
        )


@dataclass(frozen=True, slots=True)
class MissedAndSilent:
    """A promise was missed, and no contact lies around the day on which it was due."""

    promised: Sequence[Event] | None
    kinds: Sequence[str] | None
    later_than: int
    contact: Sequence[Event]
    before: int
    within: int
    since: int

    def query(self, schema: str) -> Composable:
        """The dealings whose promise was broken so."""
        promised = None if self.promised is None else events(self.promised, schema)
        return sql("concerns.missed_and_silent").format(
            promised=promised or SQL("{} ").format(Identifier(schema, "fct_interaction")),
            promises=Identifier(schema, "fct_promise_outcome"), contact=events(self.contact, schema),
            kinds=SQL("true") if self.kinds is None else SQL("p.kind = ANY ({}::text[])").format(_texts(self.kinds)),
            later_than=Literal(self.later_than), before=Literal(self.before), within=Literal(self.within),
            since=Literal(self.since),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Written:
    """A SELECT of the configuration; `shifted` gives it for a day and a schema."""

    text: str
    shifted: Callable[[str, date, str], str]


@dataclass(frozen=True, slots=True)
class Asked:
    """One concern as the warehouse takes it."""

    row: Mapping[str, Any]
    """concern, position, question_en, question_ru, owner, template, threshold, is_shipped."""
    rule: NoneOf | MoreThan | DriftsFrom | MissedAndSilent | Written | None
    """None: it is not available, for `why`."""
    why: str | None = None

    @property
    def name(self) -> str:
        """The concern's name."""
        return str(self.row["concern"])


def events(wanted: Sequence[Event], schema: str, *, among: Composable = ALL) -> Composable:
    """The dealings that any of these means, as a subquery; of clients `among`, a condition on `client_id`. Of dealings
    that tell the same promise it has one, where any is meant by what became of it."""
    found = SQL(" OR ").join(SQL("({})").format(_means(one)) for one in wanted)
    interactions = Identifier(schema, "fct_interaction")
    if all(one.promise is None for one in wanted):
        return sql("concerns.events").format(interactions=interactions, found=found, among=among)
    promises = Identifier(schema, "fct_promise_outcome")
    return sql("concerns.promise_events").format(interactions=interactions, promises=promises, found=found, among=among)


def _means(event: Event) -> Composable:
    parts: list[Composable] = [SQL("i.type = ANY ({}::text[])").format(_texts(event.types))]
    if event.source is not None:
        parts.append(SQL("i.source = {}").format(literal(event.source)))
    parts += [meets(one) for one in event.conditions]
    if event.promise is not None:
        none = "o.record_id IS NULL" if "none" in event.promise else "false"
        parts.append(SQL("({} OR o.outcomes && {}::text[])").format(SQL(none), _texts(event.promise)))
    return SQL(" AND ").join(parts)


def _texts(values: Sequence[str]) -> Literal:
    return literal(list(values))
