"""as_client: the company as one client sees it, the data behind a page that can be printed. Read-only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from onefold.errors import NothingFound
from onefold.steps.records import is_client_id, one_record
from onefold.steps.report import Report
from onefold.steps.rules import today
from warehouse import queries
from warehouse.as_client import MailingRules, lived_through

if TYPE_CHECKING:
    from onefold.context import Context

Row = Mapping[str, Any]
_OURS: Final = ("record_id", "is_known", "is_answered", "outcome", "of_all")


@dataclass(frozen=True, slots=True)
class ClientSees(Report):
    """What a client lived through; days are ISO texts, `days` whole days, texts the registers' own.

    Rows that tell a type of dealing have `type`, `label_en` and `label_ru` (null: none was written).
    """

    client_id: str
    kind: str
    display_name: str | None
    on: str
    """As of which day; what is open has waited until then."""
    first_on: str | None
    last_on: str | None
    dealings: int
    promises: tuple[Row, ...] = ()
    """By `kind` and type: kept, missed (it came too late, or too little), overdue (it has not come), open (not yet
    due), most_days_late."""
    kept_share: float | None = None
    """Of the promises that fell due, 0 to 1; None where none did."""
    broken: tuple[Row, ...] = ()
    """The latest missed and overdue ones: kind, type, document_number, summary, due_on, actual_on, days_late, outcome,
    due_value and actual_value."""
    waits: tuple[Row, ...] = ()
    """By kind and type of what came: times, median_days, most_days; reckoned from the order where there is one."""
    unanswered: tuple[Row, ...] = ()
    """Requests and complaints without an answer, the longest first: type, document_number, summary, asked_on, due_on,
    days (since it was asked). Those of which no register says whether they were answered are not among them."""
    answer_days: float | None = None
    """Mean days from a request to its answer, of those that were answered on a day that is known."""
    repeats: tuple[Row, ...] = ()
    """What it had to say again in the same words within 30 days: type, summary, times, first_on, last_on."""
    departments: tuple[Row, ...] = ()
    """Whom it dealt with: department, dealings, last_on."""
    matters: int = 0
    """Matters of more than one step, and through how many departments they went: on average, at most."""
    mean_departments: float | None = None
    most_departments: int | None = None
    complaints: tuple[Row, ...] = ()
    """The latest first: document_number, summary, asked_on, answered_on, days, status, `ended`: answered
    in time | answered late | answered | open | not known."""
    began_client: int = 0
    """Contacts that it began, and those that the company did; greetings and mailings are none."""
    began_company: int = 0
    not_counted: tuple[Row, ...] = ()
    """Greetings and mailings, which are of no use to it: type, times, last_on."""
    more: Mapping[str, int] = field(default_factory=dict)
    """Of broken, unanswered, repeats and complaints: how many there are beside those that are told."""


def as_client(context: Context, who: str, *, limit: int = 20) -> ClientSees:
    """The company as the client of an id or record sees it; of each list the first `limit`.

    A merged-away id answers with its survivor. NothingFound when there is no such client.
    """
    day = today(context)
    with context.connection("onefold as-client") as conn:
        if is_client_id(who):
            client_id: str | None = who
        else:
            record = one_record(context, who)
            client_id = queries.clients_of_records(conn, [record]).get(record)
        view = queries.client_view(conn, client_id, limit=1) if client_id else None
        if view is None:
            raise NothingFound(
                f"There is no client {who}.", "`onefold find TEXT` searches by name, e-mail, phone or tax id."
            )
        found = lived_through(conn, view["client_id"], mailing_rules(context), day=day, limit=limit)
    (asked,), (span,), (matters,), (contacts,) = (found[part] for part in ("asked", "span", "matters", "contacts"))
    kept = sum(row["kept"] for row in found["promises"])
    broken = sum(row["missed"] + row["overdue"] for row in found["promises"])
    mean = matters["mean_departments"]
    counted = {
        "broken": broken, "unanswered": asked["unanswered"], "complaints": asked["complaints"],
        "repeats": found["repeats"][0]["of_all"] if found["repeats"] else 0,
    }  # fmt: skip
    return ClientSees(
        client_id=view["client_id"],
        kind=view["kind"],
        display_name=view["display_name"],
        on=day.isoformat(),
        first_on=span["first_on"],
        last_on=span["last_on"],
        dealings=span["dealings"],
        promises=tuple(found["promises"]),
        kept_share=round(kept / (kept + broken), 4) if kept + broken else None,
        broken=tuple(found["broken"]),
        waits=tuple(found["waits"]),
        unanswered=tuple(map(_plain, found["unanswered"])),
        answer_days=asked["answer_days"],
        repeats=tuple(map(_plain, found["repeats"])),
        departments=tuple(found["departments"]),
        matters=matters["matters"],
        mean_departments=None if mean is None else float(mean),
        most_departments=matters["most_departments"],
        complaints=tuple(
            {**_plain(row), "ended": ended(row)} for row in found["complaints"]
        ),
        began_client=contacts["by_client"],
        began_company=contacts["by_company"],
        not_counted=tuple(found["not_counted"]),
        more={name: count - len(found[name]) for name, count in counted.items()},
    )  # fmt: skip


def mailing_rules(context: Context) -> MailingRules:
    """What metrics.yaml tells greetings and mailings by."""
    said = context.configuration.no_value
    return MailingRules(tuple(said.types), tuple(said.channels), tuple(said.kinds), tuple(said.words))


def ended(row: Row) -> str:
    """How a request ended, in words.

    >>> ended({"is_known": True, "is_answered": True, "outcome": "missed"})
    'answered late'
    """
    if not row["is_known"]:
        return "not known"
    if not row["is_answered"]:
        return "open"
    return {"kept": "answered in time", "missed": "answered late"}.get(row["outcome"] or "", "answered")


def _plain(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in _OURS}
