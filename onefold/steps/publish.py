"""publish: golden records, their history, derived links and the change feed, for the clients that changed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from identity.survive import PIN, SurvivorshipRules
from identity.survive import golden as golden_records
from onefold.steps.report import PublishReport
from onefold.steps.rules import requeue_changed_rules
from warehouse import golden, judgements, queue, runs, served
from warehouse.clock import hub_lock, next_as_of
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

CHUNK = 100_000
"""Queue entries a transaction."""


def publish(context: Context) -> PublishReport:
    """Bring golden records and facts up to the crosswalk; a client that comes out as it was is not written.

    Each chunk is one transaction under the hub lock, with one `as_of`.
    """
    started = time.perf_counter()
    rules = survivorship_rules(context)
    with context.connection("onefold publish") as conn:
        with unit_of_work(conn):
            hub_lock(conn)
            served.extend(conn, open_attributes(context))
            requeue_changed_rules(
                conn, "publish", [rules.settings, dict(rules.authority), sorted(rules.multi), trust(context)]
            )
        waiting = queue.size(conn, "publish")
        if not waiting:
            return PublishReport(None, round(time.perf_counter() - started, 3))
        run_id = runs.start_run(conn, command="publish", at=context.clock())
        total, clients = golden.Published(), 0
        with context.progress.stage("publish", waiting) as stage:
            while True:
                taken, touched, published = _chunk(context, conn, rules)
                if not taken:
                    break
                total, clients = total + published, clients + touched
                stage.advance(taken)
        report = PublishReport(
            run_id,
            round(time.perf_counter() - started, 3),
            clients=clients,
            created=total.created,
            changed=total.changed,
            retired=total.retired,
            revived=total.revived,
            redirected=total.redirected,
            links_moved=total.links_moved,
            change_events=total.change_events,
        )
        runs.finish_run(conn, run_id, status="done", report=report.as_dict(), at=context.clock())
    return report


def _chunk(context: Context, conn: psycopg.Connection, rules: SurvivorshipRules) -> tuple[int, int, golden.Published]:
    """One transaction: entries taken, clients looked at, what was written."""
    with unit_of_work(conn):
        hub_lock(conn)
        batch = queue.read(conn, "publish", CHUNK)
        if not batch:
            return 0, 0, golden.Published()
        as_of = next_as_of(conn, context.clock)
        touched = golden.touched_clients(conn, batch.record_ids)
        contributions = with_trust(context, golden.load_contributions(conn, touched))
        found = golden_records(contributions, rules, load_pins(conn, contributions))
        published = golden.store_golden(conn, found, touched, as_of=as_of)
        published += golden.refresh_facts(conn, batch.record_ids, as_of=as_of)
        queue.done(conn, batch)
        return len(batch.pending_ids), len(touched), published


def survivorship_rules(context: Context) -> SurvivorshipRules:
    """survivorship.yaml, authority.yaml and the multi-valued open attributes, as `golden` takes them."""
    configuration = context.configuration
    authority: dict[str, list[str]] = {}
    for entry in configuration.authority:
        if entry.attribute is not None:
            authority.setdefault(entry.attribute, []).append(entry.register_)
    multi = frozenset(name for name, a in configuration.open_attributes.items() if a.multi)
    return SurvivorshipRules(
        configuration.survivorship, {name: tuple(sources) for name, sources in authority.items()}, multi
    )


def open_attributes(context: Context) -> list[dict[str, Any]]:
    """The attributes that attributes.yaml adds, as the served views know them."""
    plain = {"number", "boolean", "date"}
    return [
        {
            "name": name,
            "kind": "any" if found.kind == "both" else found.kind,
            "type": found.type if found.type in plain else "text",
            "is_multi": found.multi,
            "label_en": found.labels.get("en") or name,
            "label_ru": found.labels.get("ru"),
            "personal_data": found.personal_data,
        }
        for name, found in context.configuration.open_attributes.items()
    ]


def trust(context: Context) -> dict[str, int]:
    """How far each source is trusted, 0..100."""
    return {name: source.trust for name, source in context.configuration.sources.items()}


def with_trust(context: Context, contributions: pa.Table) -> pa.Table:
    """Contributions with the trust of their sources; 0 for a source that is no longer configured."""
    trusted = trust(context)
    column = pa.array([trusted.get(name, 0) for name in contributions["source"].to_pylist()], pa.int32())
    return contributions.append_column("trust", column)


def load_pins(conn: psycopg.Connection, contributions: pa.Table) -> pa.Table:
    """Pinned values in force that are anchored on these records, in the columns of PIN."""
    ids = set(contributions["record_id"].to_pylist())
    rows = [
        {
            "record_id": pin.left_ids[0],
            "attribute": pin.attribute,
            "value": pin.value if isinstance(pin.value, str) else str(pin.value),
            "policy": pin.policy or "pin",
            "reason": pin.reason,
        }
        for pin in judgements.in_force(conn, ("pin",))
        if pin.left_ids and pin.left_ids[0] in ids
    ]
    return pa.Table.from_pylist([{name: row.get(name) for name in PIN.names} for row in rows], schema=PIN)
