"""Lists made of segments: guarded, for a purpose, written down; and segments that nobody uses, or to be reviewed.

Consents and contact bans always win. The other guards a named person may override for a client, with a reason and until
a day.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from onefold.configuration.segments import GUARDS
from onefold.errors import NothingFound, UsageError
from onefold.nearest import did_you_mean
from onefold.steps.concern_rules import contacts, events
from onefold.steps.logged import logged
from onefold.steps.report import Report
from onefold.steps.rules import today
from warehouse import guards
from warehouse.concern_rules import MoreThan
from warehouse.connect import unit_of_work
from warehouse.guards import Ban, GuardRules, Use

if TYPE_CHECKING:
    from onefold.configuration import Configuration
    from onefold.context import Context

COLUMNS: Final = ("client_id", "kind", "display_name", "email", "phone", "probability", "entered_at")
LEFT_OUT: Final = ("client_id", "display_name", "left_out")


@dataclass(frozen=True, slots=True)
class SegmentList(Report):
    """A segment's clients for a purpose."""

    scheme: str
    segment: str
    purpose: str
    clients: tuple[dict[str, Any], ...]
    """On the list: COLUMNS, `overridden` (guards) and `overridden_by`."""
    left_out: tuple[dict[str, Any], ...]
    """Kept off it: LEFT_OUT; why is erased, `banned: ATTRIBUTE`, or one of GUARDS."""
    file: str | None = None
    next: str | None = None
    """The client after whom there are more."""

    @property
    def reasons(self) -> dict[str, int]:
        """Reason -> how many it keeps off; a client may have several."""
        found: dict[str, int] = {}
        for one in self.left_out:
            for reason in one["left_out"]:
                found[reason] = found.get(reason, 0) + 1
        return dict(sorted(found.items()))


def guard_rules(configuration: Configuration, purpose: str) -> GuardRules:
    """What keeps clients off lists for a purpose. UsageError: no list may be for it."""
    known = configuration.segments.guards
    if purpose not in known.purposes:
        hint = did_you_mean(purpose, known.purposes) or f"They are for {', '.join(known.purposes)}."
        raise UsageError(f"There is no purpose `{purpose}` in `guards.purposes` of segments.yaml.", hint)
    wanted = known.purposes[purpose]
    pressure = known.pressure
    # As many as were agreed are enough: the list would bring one more.
    limit = (
        None
        if pressure is None or "contact_pressure" not in wanted
        else MoreThan(pressure.most - 1, contacts(pressure.types), pressure.within.days)
    )
    return GuardRules(
        bans_of(configuration),
        events(known.open_complaint) if "open_complaint" in wanted else None,
        known.complaints_since.days,
        known.promises_since.days if "broken_promise" in wanted else None,
        limit,
    )


def bans_of(configuration: Configuration) -> list[Ban]:
    """What forbids contact whatever the purpose: all but the most of each consent, and what the guards name."""
    found = []
    survivorship = configuration.survivorship
    for name in configuration.attributes:
        rule = survivorship.fields.get(name)
        if rule is not None and "most_restrictive" in (rule.rules or ()):
            # Nobody has said of another value that it allows anything.
            found.append(Ban(name, [rule.order[-1]], others=True))
    return [*found, *(Ban(name, values) for name, values in configuration.segments.guards.bans.items())]


@logged("segment_list")
def segment_list(
    context: Context,
    name: str,
    *,
    purpose: str,
    who: str,
    how: str,
    path: Path | None = None,
    after: str | None = None,
    limit: int | None = None,
    fields: Sequence[str] | None = None,
) -> SegmentList:
    """The clients of a segment (SCHEME.SEGMENT, or SEGMENT where only one scheme has it) for a purpose, without those
    whom a guard or a ban keeps off; written to `path` (.csv or .xlsx) if there is one. `limit`: so many clients of the
    segment, on the list or not, on from the id `after`. Who took it, with which `fields` (None: all), is written down
    before. NothingFound, UsageError."""
    if path is not None and path.suffix.lower() not in (".csv", ".xlsx"):
        raise UsageError(
            f"{path} is neither a CSV file nor a workbook.", "Give it a name that ends with .csv or .xlsx."
        )
    rules = guard_rules(context.configuration, purpose)
    with context.connection("onefold segments list") as conn:
        scheme, segment = _find(conn, name)
        with unit_of_work(conn):
            wanted = None if limit is None else limit + 1
            rows = guards.members(
                conn, scheme, segment, purpose, rules, today=today(context), after=after, limit=wanted
            )
            more = limit is not None and len(rows) > limit
            rows = rows[:limit]
            on = [row for row in rows if not row["left_out"]]
            off = [row for row in rows if row["left_out"]]
            use = Use(who, how, scheme, segment, purpose, len(on), len(off))
            guards.note_use(conn, use, at=context.clock())
            # Those who are left out are told too.
            _log_access(context, conn, [row["client_id"] for row in rows], use, fields)
    clients = tuple(
        {
            **{name: row[name] for name in COLUMNS},
            "overridden": row["overridden"],
            "overridden_by": row["overridden_by"],
        }
        for row in on
    )
    left_out = tuple({name: row[name] for name in LEFT_OUT} for row in off)
    file = None if path is None else str(path)
    last = str(rows[-1]["client_id"]) if more else None
    found = SegmentList(scheme, segment, purpose, clients, left_out, file, last)
    if path is not None:
        _write(path, found)
    return found


def _log_access(context: Context, conn: Any, clients: Sequence[str], use: Use, fields: Sequence[str] | None) -> None:
    from warehouse.subject import log_access

    log_access(conn, clients, who=use.who, how=use.how, at=context.clock(), purpose=use.purpose, fields=fields)


def _write(path: Path, found: SegmentList) -> None:
    from onefold.export.excel import Sheet, write_sheets
    from onefold.export.parts import whole_file

    rows = [tuple(one[name] for name in COLUMNS) for one in found.clients]
    off = [(one["client_id"], one["display_name"], ", ".join(one["left_out"])) for one in found.left_out]
    with whole_file(path) as temporary:
        if path.suffix.lower() == ".xlsx":
            write_sheets(temporary, [Sheet("list", COLUMNS, rows), Sheet("left out", LEFT_OUT, off)])
            return
        # Whom a guard keeps off is in no file that goes to who calls the others.
        with temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(rows)


def _find(conn: Any, name: str) -> tuple[str, str]:
    known = guards.served_segments(conn)
    fitting = [one for one in known if name in (".".join(one), one[1])]
    if not fitting:
        hint = did_you_mean(name, [".".join(one) for one in known])
        raise NothingFound(f"No scheme that is served has a segment `{name}`.", hint or "See: onefold segments list")
    if len(fitting) > 1:
        raise UsageError(
            f"Several schemes have a segment `{name}`.", f"Say one of {', '.join(map('.'.join, fitting))}."
        )
    return fitting[0]


def note_use(
    context: Context,
    scheme: str,
    *,
    who: str,
    how: str,
    segment: str | None = None,
    purpose: str | None = None,
    clients: int | None = None,
) -> None:
    """Write down that somebody looked at a segment, as a page does that shows who is in it."""
    with context.connection("onefold segments use") as conn:
        guards.note_use(conn, Use(who, how, scheme, segment, purpose, clients), at=context.clock())


def override_guard(
    context: Context, who: str, *, purpose: str, reason: str, by: str, until: date, only: Sequence[str] = ()
) -> dict[str, Any]:
    """A named person's word that a client (its id, or a record) may be on lists for a purpose in spite of guards (all
    that the purpose has, or `only` these), up to and with the day `until`. A ban cannot be overridden. NothingFound,
    UsageError."""
    from onefold.steps.client import client

    guard_rules(context.configuration, purpose)
    wanted = list(context.configuration.segments.guards.purposes[purpose])
    for one in only:
        if one not in GUARDS:
            hint = did_you_mean(one, GUARDS) or "Consents and contact bans cannot be overridden."
            raise UsageError(f"`{one}` is no guard that can be overridden.", hint)
    chosen = sorted(set(only) & set(wanted) if only else wanted)
    if not chosen:
        raise UsageError(f"Lists for {purpose} have none of these guards.", "There is nothing to override.")
    if not reason.strip() or not by.strip():
        raise UsageError("An override needs a reason, and who says so.", 'Say --reason "why".')
    day = today(context)
    if until < day or (until - day).days > 366:
        raise UsageError(f"{until} is no day on which it could end.", "Say one from today on, within a year.")
    client_id = str(client(context, who, limit=1)["client_id"])
    with context.connection("onefold segments override") as conn, unit_of_work(conn):
        said = {"purpose": purpose, "guards": chosen, "reason": reason.strip(), "by": by, "until": until}
        number = guards.override(conn, client_id, at=context.clock(), **said)  # type: ignore[arg-type]
    return {"override_id": number, "client_id": client_id, **said, "until": until.isoformat()}


def end_override(context: Context, override_id: int, *, by: str) -> dict[str, Any]:
    """Take an override back. NothingFound."""
    with context.connection("onefold segments override") as conn, unit_of_work(conn):
        if not guards.end_override(conn, override_id, by=by, at=context.clock()):
            raise NothingFound(f"There is no override {override_id} in force.", "See: onefold segments overrides")
    return {"override_id": override_id, "ended_by": by}


def overrides(context: Context) -> list[dict[str, Any]]:
    """Overrides, the latest first: override_id, client_id, display_name, purpose, guards, reason, made_by, made_at,
    until, ended_at, ended_by, is_in_force."""
    with context.connection("onefold segments overrides") as conn:
        return guards.overrides(conn, today=today(context))


def uses(context: Context, scheme: str | None = None, *, limit: int = 100) -> list[dict[str, Any]]:
    """Who used segments, the latest first: at, who, how, purpose, scheme, segment, clients, left_out."""
    with context.connection("onefold segments uses") as conn:
        return guards.uses(conn, scheme=scheme, limit=limit)


def neglected(context: Context) -> dict[str, list[str]]:
    """Scheme -> what is to be said of it in words: that nobody used it for long, that its review is due. Only those of
    which there is something to say."""
    found: dict[str, list[str]] = {}
    after = context.configuration.segments.unused_after
    with context.connection("onefold segments uses") as conn:
        for one in guards.last_uses(conn):
            since = one["used_at"] or one["began_at"]
            if since is not None and context.clock() - since >= after:
                what = "not used" if one["used_at"] is None else "last used on " + one["used_at"].date().isoformat()
                found.setdefault(one["scheme"], []).append(f"{what}, which is {(context.clock() - since).days} days")
            if one["review_on"] is not None and one["review_on"] < today(context):
                found.setdefault(one["scheme"], []).append(f"its review was due on {one['review_on']}")
    return found
