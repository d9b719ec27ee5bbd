"""needs: what clients need, and the segments that follow, for those who have news since the last look."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from onefold.errors import UsageError
from onefold.nearest import did_you_mean
from onefold.steps.need_rules import need_fingerprint, need_rules, scheme_fingerprint
from onefold.steps.report import Report
from onefold.steps.rules import fingerprint, today
from warehouse import fingerprints
from warehouse.clock import last_event
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context
    from warehouse.need_rules import Rules

QUEUE: Final = "needs"
_KIND: Final = "needs"
_MANY: Final = 100_000
"""Clients with news from which all are looked at."""
_GROWN: Final = 2
"""By how much clients must have multiplied since the rates were measured for them to be measured anew."""


@dataclass(frozen=True, slots=True)
class NeedsReport(Report):
    """What a look at needs and segments changed."""

    clients: int = 0
    """Who was looked at."""
    needs: int = 0
    """Rows of clients' needs that were written."""
    sightings: int = 0
    entered: int = 0
    """Clients that entered a segment, or unknown."""
    left: int = 0
    measured: bool = False
    """What is to be expected was measured anew, and the schemes checked."""
    refused: tuple[str, ...] = ()
    """Schemes that did not pass their check, and are not served."""
    seconds: float = 0.0


@dataclass(frozen=True)
class Plan:
    """What a look has to do."""

    rules: Rules
    is_whole: bool
    measures: bool
    schemes: frozenset[str] = field(default_factory=frozenset)
    """Schemes whose rules are new."""
    seen: int = 0


def is_idle(context: Context, conn: psycopg.Connection) -> bool:
    """Rules and schemes are those in force, and nothing was published since the last look."""
    configuration = context.configuration
    stored = fingerprints.stored(conn, "rules")
    if _day_of_figures(context) != fingerprints.stored(conn, _KIND).get("figures", UUID(int=0)):
        return False
    if not configuration.needs.needs:
        return QUEUE not in stored or stored[QUEUE] == UUID(int=0)
    if stored.get(QUEUE) != fingerprint(need_fingerprint(configuration)):
        return False
    if _stored_schemes(conn) != _wanted_schemes(context):
        return False
    return fingerprints.stored(conn, _KIND).get("seen") == UUID(int=last_event(conn))


def find_needs(context: Context, conn: psycopg.Connection, *, anew: bool = False) -> NeedsReport:
    """Bring needs and segments up to what is published. `anew`: measure what is to be expected, and check the schemes.

    One transaction without the hub lock: what is published meanwhile has a higher number, and comes next time.
    """
    if not anew and is_idle(context, conn):
        return NeedsReport()
    started = time.perf_counter()
    with _turn(conn), unit_of_work(conn):
        report = _find(context, conn, anew)
        entered, left = _by_figures(context, conn)
    seconds = round(time.perf_counter() - started, 3)
    return replace(report, entered=report.entered + entered, left=report.left + left, seconds=seconds)


def _by_figures(context: Context, conn: psycopg.Connection) -> tuple[int, int]:
    """Schemes of lifecycle and value are told once a day, by the first look of the day; how many entered and left."""
    wanted = _day_of_figures(context)
    if wanted == fingerprints.stored(conn, _KIND).get("figures", UUID(int=0)):
        return 0, 0
    from onefold.steps.segment import update_figure_schemes

    moved = update_figure_schemes(context, conn, today(context))
    fingerprints.remember(conn, _KIND, {"figures": wanted})
    return moved.entered, moved.left


def _day_of_figures(context: Context) -> UUID:
    """Of the day and the schemes of lifecycle and value; nought where there is none."""
    schemes_ = context.configuration.segments.schemes
    told = [[name, one, list(one.segments)] for name, one in sorted(schemes_.items()) if one.basis != "needs"]
    return fingerprint([today(context).isoformat(), told]) if told else UUID(int=0)


def _find(context: Context, conn: psycopg.Connection, anew: bool) -> NeedsReport:
    from onefold.steps.segment import told_beside, update_schemes
    from onefold.steps.word_forms import phrase_forms
    from warehouse import needs

    plan = _plan(context, conn, anew)
    if not plan.rules.signals:
        is_known = fingerprints.stored(conn, "rules").get(QUEUE, UUID(int=0)) != UUID(int=0)
        return _forget(context, conn) if is_known else NeedsReport()
    if plan.measures:
        needs.store_catalogue(conn, plan.rules, phrase_forms)
    touched, clients = not plan.is_whole, 0
    if touched:
        clients = needs.touch(conn, int(fingerprints.stored(conn, _KIND)["seen"]))
        touched = clients <= _MANY
    written, moved = needs.Written(), None
    refused: list[str] = []
    if clients or not touched:
        needs.look(conn, plan.rules, touched=touched, measure=plan.measures)
        clients = clients if touched else needs.looked_at(conn)
        with told_beside(context, conn, plan) as told:
            written = needs.store(conn, plan.rules, touched=touched)
            moved, refused = update_schemes(context, conn, plan, told, touched=touched)
        needs.drop_temporary(conn)
    _remember(context, conn, plan)
    return NeedsReport(
        clients,
        written.needs,
        written.sightings,
        0 if moved is None else moved.entered,
        0 if moved is None else moved.left,
        plan.measures,
        tuple(refused),
    )


def _plan(context: Context, conn: psycopg.Connection, anew: bool) -> Plan:
    from warehouse.standing import standing

    seen = last_event(conn)  # before anything is read: what comes later is looked at again
    configuration, state = context.configuration, fingerprints.stored(conn, _KIND)
    is_new = fingerprints.stored(conn, "rules").get(QUEUE) != fingerprint(need_fingerprint(configuration))
    clients, _ = standing(conn)
    has_grown = clients >= _GROWN * int(state.get("clients", UUID(int=0))) and clients > 0
    known, wanted = _stored_schemes(conn), _wanted_schemes(context)
    changed = {name for name, value in wanted.items() if known.get(name) != value} | (set(known) - set(wanted))
    measures = anew or is_new or has_grown
    return Plan(need_rules(configuration), measures or bool(changed), measures, frozenset(changed), seen)


def _remember(context: Context, conn: psycopg.Connection, plan: Plan) -> None:
    from warehouse.standing import standing

    state = {"seen": UUID(int=plan.seen)}
    if plan.measures:
        state["clients"] = UUID(int=standing(conn)[0])
    fingerprints.remember(conn, _KIND, state)
    fingerprints.remember(conn, "rules", {QUEUE: fingerprint(need_fingerprint(context.configuration))})
    gone = {name: UUID(int=0) for name in plan.schemes}
    fingerprints.remember(conn, "segments", {**gone, **_wanted_schemes(context)})


def _forget(context: Context, conn: psycopg.Connection) -> NeedsReport:
    """There is no catalogue any more: nothing is known of needs."""
    from onefold.steps.segment import forget_schemes
    from warehouse import needs

    needs.clear(conn)
    moved = forget_schemes(context, conn)
    fingerprints.remember(conn, "rules", {QUEUE: UUID(int=0)})
    gone = {name: UUID(int=0) for name in fingerprints.stored(conn, "segments")}
    fingerprints.remember(conn, "segments", gone)
    return NeedsReport(left=moved.left)


def _stored_schemes(conn: psycopg.Connection) -> dict[str, UUID]:
    """Those in force; of one that was taken out nothing is left but nought."""
    return {name: value for name, value in fingerprints.stored(conn, "segments").items() if value != UUID(int=0)}


def _wanted_schemes(context: Context) -> dict[str, UUID]:
    configuration = context.configuration
    return {
        name: fingerprint(scheme_fingerprint(configuration, scheme))
        for name, scheme in configuration.segments.schemes.items()
        if scheme.basis == "needs"
    }


def told_by(context: Context, conn: psycopg.Connection) -> tuple[UUID, int]:
    """A fingerprint of what all needs and segments follow from beside the dealings, and the change event up to which
    they were told; waits for whoever tells them now. While it is the same, a client's are others only with news of the
    client, or in schemes of lifecycle and value by the day."""
    from warehouse import needs, segments

    with _turn(conn):
        rates = [[key, type_, rate.hex()] for (key, type_), rate in sorted(needs.rates(conn).items())]
        served = sorted(name for name, (_, is_served) in segments.known(conn).items() if is_served)
        rules = [fingerprints.stored(conn, "rules").get(QUEUE), *sorted(_stored_schemes(conn).items())]
        state = fingerprints.stored(conn, _KIND)
        seen = int(state["seen"]) if context.configuration.needs.needs and "seen" in state else last_event(conn)
    return fingerprint([rates, served, list(map(str, rules))]), seen


@contextmanager
def _turn(conn: psycopg.Connection) -> Iterator[None]:
    """One process at a time."""
    from warehouse import queue

    with queue.step_lock(conn, QUEUE):
        yield


def overview(context: Context) -> list[dict[str, Any]]:
    """The catalogue with how many clients have each need by what origin."""
    from warehouse import needs

    with context.connection("onefold needs") as conn:
        return needs.overview(conn)


def needs_of(context: Context, who: str, *, need: str | None = None, limit: int = 20) -> dict[str, Any]:
    """A client's needs with their evidence, and the segments of served schemes that it is and was in; `who` is a
    client's id or a record. NothingFound where there is none, UsageError for a `need` that nobody knows."""
    from onefold.steps.client import client
    from warehouse import needs, segments

    found = client(context, who, limit=1)
    client_id = str(found["client_id"])
    with context.connection("onefold needs") as conn:
        rows = needs.of_client(conn, client_id)
        known = sorted({*context.configuration.needs.needs, *(one["need"] for one in rows)})
        if need is not None and need not in known:
            raise UsageError(f"There is no need `{need}` in needs.yaml.", did_you_mean(need, known))
        return {
            "client_id": client_id,
            "display_name": found["display_name"],
            "needs": [one for one in rows if need in (None, one["need"])],
            "evidence": needs.evidence_of(conn, client_id, need=need, limit=limit),
            "segments": segments.of_client(conn, client_id),
        }


def schemes(context: Context) -> dict[str, Any]:
    """`schemes` with their last check and what is to be said of them (`neglected`: nobody uses it, a review is due),
    and `segments` with how many clients are in each."""
    from onefold.steps.segment_use import neglected
    from warehouse import segments

    said = neglected(context)
    with context.connection("onefold segments") as conn:
        told = [{**one, "neglected": said.get(one["scheme"], [])} for one in segments.schemes(conn)]
        return {"schemes": told, "segments": segments.segments(conn)}


def segment_of_records(context: Context, scheme: str) -> dict[str, str | None]:
    """Record (source:stream:key) -> the segment of its client in a served scheme now; None: unknown."""
    from warehouse import segments

    with context.connection("onefold segments") as conn:
        return segments.of_records(conn, scheme)


def check_schemes(context: Context) -> NeedsReport:
    """Measure anew what is to be expected, put every scheme to its check, and move clients by what came out."""
    with context.connection("onefold segments") as conn:
        return find_needs(context, conn, anew=True)
