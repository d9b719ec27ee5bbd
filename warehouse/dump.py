"""The canonical dump: what a hub knows, without the accidents of one run.

Two hubs that went through the same input have equal dumps, however often they were killed on the way: run
ids, clock columns and surrogate keys are left out, and histories stand as numbered sequences of values.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.sql import SQL, Composable, Identifier, Literal

from warehouse.sql import qualified, sql


@dataclass(frozen=True, slots=True)
class _Plan:
    """How one table is dumped."""

    without: tuple[str, ...] = ()
    sequence_of: tuple[str, ...] = ()
    """The columns whose rows form one history ..."""
    in_order_of: str | None = None
    """... and the column that orders it."""


_CLOCKS: Final = ("changed_seq", "run_id")
_PLANS: Final = {
    "raw.record": _Plan(("ingested_at", *_CLOCKS)),
    "raw.record_version": _Plan(
        ("version_key", "ingested_at", "superseded_at", *_CLOCKS), ("record_id",), "version_key"
    ),
    "raw.held_record": _Plan(("hold_id", "ingested_at", *_CLOCKS)),
    "identity.standard_record": _Plan(),
    "identity.identifier": _Plan(),
    "identity.blocking_key": _Plan(),
    "identity.key_list": _Plan(),
    "identity.pair": _Plan(),
    "identity.refused_block": _Plan(),
    "identity.point": _Plan(),
    "identity.generic_value": _Plan(),
    "identity.generic_holder": _Plan(),
    "identity.accepted_value": _Plan(),
    "identity.document_key": _Plan(),
    "identity.document_twin": _Plan(),
    "identity.shared_document": _Plan(),
    "identity.judgement": _Plan(("decided_at",)),
    "identity.judged_record": _Plan(),
    "identity.former_record": _Plan(("until_at",)),
    "identity.crosswalk": _Plan(("since", *_CLOCKS)),
    "identity.crosswalk_history": _Plan(
        ("valid_from", "valid_to", "ended_seq", "opened_seq"), ("record_id",), "valid_from"
    ),
    "identity.client_id_ledger": _Plan(("id", "at", *_CLOCKS), ("client_id",), "id"),
    "identity.model": _Plan(("created_at",)),
    "identity.review_case": _Plan(("opened_at", "closed_at")),
    "identity.child_link": _Plan(),
    # Which cards were served between two others depends on when publish came by.
    "identity.card_version": _Plan(("version_key", "ended_seq")),
    "core.client": _Plan(("valid_from", "redirected_at", *_CLOCKS)),
    "core.client_scope": _Plan(),
    "core.client_history": _Plan(
        ("valid_from", "valid_to", "opened_seq", "redirected_at", *_CLOCKS), ("client_id",), "valid_from"
    ),
    "core.interaction_type": _Plan(),
    "core.interaction_field": _Plan(),
    "core.attribute": _Plan(),
    "core.interaction": _Plan(_CLOCKS),
    "core.interaction_version": _Plan(
        # Promises bear surrogate keys; the content hash that is in the version covers them.
        ("ended_seq", "known_from", "known_to", "promises", *_CLOCKS),
        ("record_id",),
        "changed_seq",
    ),
    "core.interaction_line": _Plan(("is_unpublished",)),
    "core.promise": _Plan(("promise_key", "is_unpublished")),
    "core.exchange_rate": _Plan(("served", *_CLOCKS)),
    "core.reporting": _Plan(),
    "core.document_link": _Plan(("since",)),
    "core.document_open": _Plan(),
    "core.document_place": _Plan(),
    "core.need": _Plan(),
    "core.need_signal": _Plan(),
    "core.need_rate": _Plan(),
    "core.client_need": _Plan(),
    "core.client_need_evidence": _Plan(),
    # After an erasure clients are counted by the next look that moves one.
    "core.segment_scheme": _Plan(("checked_at", "unknown")),
    "core.segment": _Plan(("clients",)),
    "core.concern": _Plan(),
    "core.concern_raise": _Plan(("raised_at", "closed_at", "acknowledged_at"), ("concern",), "raised_at"),
    "core.concern_row": _Plan(("since",)),
    "core.segment_mirror": _Plan(("looked_at",)),
    "core.client_segment": _Plan(("entered_at", "left_at"), ("client_id", "scheme"), "entered_at"),
    "core.metric": _Plan(),
    "core.client_metric_month": _Plan(),
    "core.metric_value": _Plan(),
    "core.loyalty": _Plan(),
    "core.loyalty_band": _Plan(),
    "core.relationship": _Plan(("relationship_key", *_CLOCKS)),
    "core.relationship_version": _Plan(("relationship_key", "ended_seq", "known_from", "known_to", *_CLOCKS)),
    "ops.guard_override": _Plan(("override_id", "made_at", "ended_at"), ("client_id", "purpose"), "override_id"),
    "ops.checkpoint": _Plan(("at", "passed_run_id", *_CLOCKS)),
    "ops.reject": _Plan(("first_at", "closed_at", *_CLOCKS)),
    "ops.pending": _Plan(("id",)),
    "ops.sweep_mark": _Plan(("id", "pass_id")),
    "ops.change_event": _Plan(("id", "at"), ("client_id",), "id"),
    "ops.reader_scope": _Plan(),
    "ops.source_department": _Plan(),
    "ops.definition": _Plan(("at",)),
    "ops.write_receipt": _Plan(
        # Of a change whose answer was lost, a look says what the answer would have said in other words.
        ("receipt_id", "undoes", "golden_seq", "sent_at", "answered_at", "echoed_at", "code", *_CLOCKS),
        ("record_id",),
        "receipt_id",
    ),
    "ops.erasure": _Plan(("erasure_id", "erased_at", "replayed_at", "lifted_at")),
    "ops.suppression": _Plan(("erasure_id",)),
    "ops.case_desk": _Plan(),
    "ops.case_event": _Plan(("event_id", "at", "batch_id"), ("fingerprint",), "event_id"),
    "ops.case_proposal": _Plan(("proposal_id", "proposed_at", "answered_at", "seen"), ("fingerprint",), "proposal_id"),
}
LEFT_OUT: Final = (
    "ops.run", "ops.hold", "ops.hub_clock", "ops.alembic_version", "ops.source_token",
    "ops.register_overlap", "ops.register_combination", "ops.reconciliation", "ops.reconciliation_row",
    "ops.access_log", "ops.segment_use", "ops.notice", "ops.feed_reader", "ops.case_batch", "ops.case_repeat",
    "ops.source_fix", "ops.source_fix_week",
    "ops.account", "ops.session", "ops.sign_in_link", "ops.sign_in_failure", "ops.api_token",
)  # fmt: skip
"""Nothing but runs and clocks, secrets, what was counted on some day, who looked, who was told, who read how far, what
chance asks again, since when a register is wrong."""


def canonical_dump(conn: psycopg.Connection[Any], only: Collection[str] | None = None) -> dict[str, list[str]]:
    """Table -> its rows as JSON text, ordered bytewise; of all tables, or `only` of these."""
    return {table: _rows(conn, table, plan) for table, plan in _PLANS.items() if only is None or table in only}


def row_versions(conn: psycopg.Connection[Any]) -> dict[str, set[tuple[str, str, str]]]:
    """(ctid, xmin, xmax) of every row of `raw`, `identity` and `core`: equal before and after a run that
    wrote nothing.
    """
    tables = [table for table in _PLANS if not table.startswith("ops.")]
    return {
        table: set(conn.execute(sql("dump.row_versions").format(table=qualified(table))).fetchall()) for table in tables
    }


def _rows(conn: psycopg.Connection[Any], table: str, plan: _Plan) -> list[str]:
    number: Composable = SQL("NULL")
    if plan.in_order_of is not None:
        number = SQL("row_number() OVER (PARTITION BY {} ORDER BY {})").format(
            SQL(", ").join(map(Identifier, plan.sequence_of)), Identifier(plan.in_order_of)
        )
    statement = sql("dump.rows").format(
        table=qualified(table),
        without=Literal(list(plan.without)),
        number=number,
        is_open=SQL("t.valid_to IS NULL") if "valid_to" in plan.without else SQL("NULL"),
        condition=SQL("t.client_id IS NOT NULL") if table == "ops.change_event" else SQL("true"),
    )
    return [row[0] for row in conn.execute(statement)]
