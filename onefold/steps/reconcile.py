"""reconcile: does everything that came stand in what is served, row by row and amount by amount."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from onefold.mapping import RawRow, StreamMapper, compile_source
from onefold.mapping.paths import top_level_name
from onefold.steps.logged import logged, start_run
from onefold.steps.report import Report
from warehouse import reconciliation, runs
from warehouse.connect import unit_of_work
from warehouse.reconciliation import Found, Judged, Stated

if TYPE_CHECKING:
    from onefold.configuration import Configuration
    from onefold.context import Context


@dataclass(frozen=True, slots=True)
class ReconcileReport(Report):
    """What a reconciliation found."""

    run_id: int
    seconds: float
    streams: int
    rows: int
    """Records of the sources, tombstones included."""
    unexplained: int
    """Records that are missing, too many or of another amount without a reason, and rows that are not served."""


@logged("reconcile")
def reconcile(context: Context) -> ReconcileReport:
    """Count every stream from the source to the served views and keep the result; nothing else is written.

    It sees one moment of the database and takes no hub lock: it may run beside everything but another one. The amounts
    of the sources are read anew: in SQL where an amount is a plain number under one name, else by the mapping, one by
    one.
    """
    started = time.perf_counter()
    configuration = context.configuration
    streams = [
        Stated(name, stream, configured.kind or "none")
        for name, source in configuration.sources.items()
        for stream, configured in source.streams.items()
    ]
    with context.connection("onefold report") as conn:
        with unit_of_work(conn):
            run_id = start_run(context, conn, "reconcile")
        with context.progress.stage("reconcile", len(streams)) as stage, reconciliation.begin(conn, streams) as found:
            for place, mapper in _mappers(configuration, streams):
                _look_again(found, place, mapper)
                if configuration.sources[place.source].streams[place.stream].amount is not None:
                    _compare_amounts(found, place, mapper, _amount_name(configuration, place))
                stage.advance()
            found.store(run_id, context.clock())
        rows = reconciliation.last(conn)
        report = ReconcileReport(
            run_id,
            round(time.perf_counter() - started, 3),
            streams=len(rows),
            rows=sum(row["raw_rows"] for row in rows),
            unexplained=sum(row["unexplained"] + abs(row["unserved"]) for row in rows),
        )
        runs.finish_run(conn, run_id, status="done", report=report.as_dict(), at=context.clock())
    return report


def last_reconciliation(context: Context) -> list[dict[str, Any]]:
    """The streams of the last reconciliation; none: there was none yet."""
    with context.connection("onefold report") as conn:
        return reconciliation.last(conn)


def rows_behind(context: Context, name: str, reason: str | None, *, limit: int) -> list[dict[str, Any]]:
    """The records behind the last reconciliation's numbers of a source or `source:stream`, for one reason or all."""
    source, _, stream = name.partition(":")
    with context.connection("onefold report") as conn:
        return reconciliation.rows_behind(conn, source, stream or None, reason, limit=limit)


def _mappers(configuration: Configuration, streams: Sequence[Stated]) -> list[tuple[Stated, StreamMapper]]:
    compiled = {name: compile_source(source, configuration) for name, source in configuration.sources.items()}
    return [(place, compiled[place.source][place.stream]) for place in streams if place.kind != "none"]


def _look_again(found: reconciliation.Reconciliation, place: Stated, mapper: StreamMapper) -> None:
    """Records without a standard form: what the mapping makes of them now tells whether anything is wrong."""
    for rows in found.missing(place):
        mapped = mapper.map_batch([_raw(row) for row in rows])
        reasons = dict.fromkeys(mapped.left_out, "left_out")
        reasons |= {reject.record_id: "rejected" for reject in mapped.rejects if not reject.is_partial}
        amounts = _amounts(mapped.interactions)
        found.judge([Judged(i, reasons.get(i, "missing"), amounts.get(i)) for i in (row.record_id for row in rows)])


def _compare_amounts(
    found: reconciliation.Reconciliation, place: Stated, mapper: StreamMapper, name: str | None
) -> None:
    for rows in found.known(place, name):
        amounts = _amounts(mapper.map_batch([_raw(row) for row in rows]).interactions)
        others = [
            (row.record_id, amounts.get(row.record_id), row.amount)
            for row in rows
            if amounts.get(row.record_id) != row.amount
        ]
        if others:
            found.differ(place, others)


def _raw(row: Found) -> RawRow:
    return RawRow(row.record_id, row.source_key, row.payload, row.source_updated_at)


def _amounts(interactions: Any) -> dict[int, Decimal]:
    ids, amounts = (interactions.column(name).to_pylist() for name in ("record_id", "amount"))
    return {i: Decimal(amount) for i, amount in zip(ids, amounts, strict=True) if amount is not None}


def _amount_name(configuration: Configuration, place: Stated) -> str | None:
    """The payload's key under which all amounts of a stream stand; None: they are found in another way."""
    amount = configuration.sources[place.source].streams[place.stream].amount
    return top_level_name(amount.value) if amount is not None and isinstance(amount.value, str) else None
