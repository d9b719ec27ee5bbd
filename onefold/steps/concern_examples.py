"""Concerns tried on their own examples, in both directions, by the same questions in the same database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_OID, uuid5

import psycopg

from onefold.configuration.segments import Pressure
from onefold.errors import NothingFound, UsageError
from onefold.nearest import did_you_mean
from onefold.steps.concern_rules import concerns_asked, rule_of
from onefold.steps.report import Report
from onefold.steps.rules import today

if TYPE_CHECKING:
    from onefold.configuration.concerns import Concern, Example
    from onefold.context import Context
    from warehouse.concern_rules import Asked

PRESSURE: Final = Pressure.model_validate({"most": 3, "within": "30d"})
"""With which examples of contact pressure are tried, whatever is agreed."""
Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Tried(Report):
    """An example, and what it did."""

    concern: str
    direction: str
    """raised: it must raise the concern; calm: it must not."""
    number: int
    """Its place in that list, from 1."""
    found: int
    """Clients (rows, where they are of none) that the question found."""
    passes: bool
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ExamplesReport(Report):
    """What became of all examples."""

    tried: tuple[Tried, ...]

    @property
    def failed(self) -> tuple[Tried, ...]:
        """Those that did what they must not."""
        return tuple(one for one in self.tried if not one.passes)


def try_examples(context: Context, names: Sequence[str] = ()) -> ExamplesReport:
    """Try the examples of all concerns, or of these. Nothing is stored. NothingFound; UsageError: an example names a
    view or a column that is not served."""
    known = concerns_asked(context.configuration)
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) if known else "Write config/concerns.yaml."
            raise NothingFound(f"There is no concern `{name}`.", hint)
    with context.connection("onefold concerns test") as conn:
        tried = [
            one for name, (concern, _) in known.items() if not names or name in names
            for one in _try(conn, name, concern, today(context))
        ]  # fmt: skip
    return ExamplesReport(tuple(tried))


def _try(conn: psycopg.Connection[Any], name: str, concern: Concern, day: date) -> Iterator[Tried]:
    from warehouse.concern_rules import Asked

    asked = Asked({"concern": name}, rule_of(concern, PRESSURE))
    for direction in ("raised", "calm"):
        for number, example in enumerate(getattr(concern.examples, direction), 1):
            rows = _rows_of(conn, name, concern, example, day)
            found, error = _count(conn, asked, rows, day)
            is_raised = error is None and found >= concern.threshold
            yield Tried(name, direction, number, found, error is None and is_raised == (direction == "raised"), error)


def _count(conn: psycopg.Connection[Any], asked: Asked, rows: Rows, day: date) -> tuple[int, str | None]:
    from warehouse import concerns

    try:
        with conn.transaction(force_rollback=True):
            return concerns.try_example(conn, asked, rows, today=day), None
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        return 0, str(error).splitlines()[0]


def _rows_of(conn: psycopg.Connection[Any], name: str, concern: Concern, example: Example, day: date) -> Rows:
    """Rows of every view that the question reads, with nothing where the example says nothing."""
    from onefold.configuration.concern_sql import views_of
    from warehouse import concerns

    rows: Rows = {"fct_interaction": [], "fct_promise": [], "fct_promise_outcome": []}
    if concern.sql is not None:
        rows |= {view: [] for view in views_of(concern.sql)}
    number = 0
    for one in example.interactions:
        for _ in range(one.times):
            number += 1
            rows["fct_interaction"].append(_interaction(one, number, day))
            if one.promise is not None:
                promise = _promise(one, number, day)
                rows["fct_promise"].append(promise)
                own = {"is_counted": True, "counted_key": number, "counted_by": number}
                rows["fct_promise_outcome"].append({**promise, **own})
    for view, given in example.rows.items():
        columns = concerns.columns_of(conn, view)
        if not columns:
            raise UsageError(f"concerns.yaml: an example of `{name}` has rows of `{view}`, which is no served view.")
        for row in given:
            made = {key: value for key, value in row.items() if key != "client"}
            if "client" in row:
                made["client_id"] = _client(row["client"])
            strange = sorted(set(made) - set(columns))
            if strange:
                raise UsageError(
                    f"concerns.yaml: an example of `{name}` has the column `{strange[0]}`, which {view} has not.",
                    did_you_mean(strange[0], columns),
                )
            rows.setdefault(view, []).append({"is_deleted": False, **made} if "is_deleted" in columns else made)
    return rows


def _interaction(one: Any, number: int, day: date) -> dict[str, Any]:
    on = (day - timedelta(days=one.days_ago)).isoformat()
    amount = None if one.amount is None else str(one.amount)
    return {
        "record_id": number,
        "client_id": _client(one.client),
        "type": one.type,
        "occurred_on": on,
        "occurred_at": f"{on}T00:00:00Z",
        "precision": "day",
        "channel": one.channel,
        "direction": one.direction,
        "summary": one.summary,
        "amount": amount,
        "reporting_amount": amount,
        "detail": one.detail,
        "source": one.source,
        "stream": "example",
        "source_key": str(number),
        "is_deleted": False,
    }


def _promise(one: Any, number: int, day: date) -> dict[str, Any]:
    promise = one.promise
    due = day - timedelta(days=promise.due_days_ago)
    actual = None if promise.actual_days_ago is None else day - timedelta(days=promise.actual_days_ago)
    return {
        "promise_key": number,
        "record_id": number,
        "client_id": _client(one.client),
        "type": one.type,
        "kind": promise.kind,
        "due_on": due.isoformat(),
        "actual_on": None if actual is None else actual.isoformat(),
        "is_kept": None if actual is None else actual <= due,
        "days_late": None if actual is None else (actual - due).days,
        "days_overdue": (day - due).days if actual is None and due < day else None,
        "is_deleted": False,
    }


def _client(word: Any) -> str | None:
    return None if word is None else str(uuid5(NAMESPACE_OID, f"onefold example {word}"))
