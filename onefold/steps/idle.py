"""Steps that have nothing to do, told by queues and fingerprints alone: neither Arrow nor NumPy is loaded for it.

Each function gives the report of the step that would find nothing, or None when the step has to be asked.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from onefold.steps import concerns, fix_at_source, measures, needs
from onefold.steps.in_common import is_idle
from onefold.steps.model_settings import note_on
from onefold.steps.report import PublishReport, ResolveReport, StandardiseReport
from onefold.steps.rules import (
    departments,
    document_rules,
    has_work,
    mapping_fingerprints,
    open_attributes,
    publish_rules,
    reporting_rules,
    resolve_rules,
    today,
)
from warehouse import derived_facts, fingerprints, match_models, queue, row_security, served
from warehouse.clock import time_zone
from warehouse.interaction_types import changed_interaction_types
from warehouse.pins import expired_pins
from warehouse.standing import standing

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context


def idle_standardise(context: Context, conn: psycopg.Connection) -> StandardiseReport | None:
    """No raw record waits, and mappings and interaction types are those in force."""
    started = time.perf_counter()
    known = fingerprints.stored(conn, "mapping")
    wanted = mapping_fingerprints(context.configuration)
    if (
        not queue.is_empty(conn, "standardise")
        or any(known.get(name) != value for name, value in wanted.items())
        or changed_interaction_types(conn, context.configuration.interaction_rows())
    ):
        return None
    return StandardiseReport(None, round(time.perf_counter() - started, 3))


def idle_resolve(context: Context, conn: psycopg.Connection) -> ResolveReport | None:
    """No client record waits, and matching rules and model are those in force."""
    started = time.perf_counter()
    head = match_models.current_head(conn)
    if head is None or has_work(conn, "resolve", resolve_rules(context, head.version)) or not is_idle(context, conn):
        return None
    clients, cases = standing(conn)
    note = note_on(head, context.configuration.matching)
    seconds = round(time.perf_counter() - started, 3)
    return ResolveReport(None, seconds, clients=clients, cases_open=cases, model_note=note)


def idle_publish(context: Context, conn: psycopg.Connection) -> PublishReport | None:
    """No record waits, survivorship and open attributes are those in force, and no pin has expired."""
    started = time.perf_counter()
    if (
        has_work(conn, "publish", publish_rules(context))
        or served.changed_attributes(conn, open_attributes(context))
        or derived_facts.reporting(conn) != reporting_rules(context)
        or time_zone(conn) != context.configuration.hub.defaults.timezone
    ):
        return None
    is_held = context.configuration.hub.row_security
    if has_work(conn, "documents", document_rules(context)) or not fix_at_source.is_idle(context, conn):
        return None
    if not (needs.is_idle(context, conn) and measures.is_idle(context, conn) and concerns.is_idle(context, conn)):
        return None
    if expired_pins(conn, today(context)) or not row_security.is_as_wanted(conn, is_held, departments(context)):
        return None
    return PublishReport(None, round(time.perf_counter() - started, 3))
