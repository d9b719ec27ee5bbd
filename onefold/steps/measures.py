"""measures: the metrics of metrics.yaml and the shipped ones, and loyalty with its grounds, brought up to what is
published. What is read of them: measures_told.py.

`onefold metrics` and onefold/metrics.py are the hub's own figures for monitoring; what is measured of clients is told
by `onefold measures`.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from onefold.configuration.shipped import shipped_text
from onefold.steps.need_rules import label
from onefold.steps.report import Report
from onefold.steps.rules import fingerprint, today
from warehouse import fingerprints
from warehouse.clock import last_event
from warehouse.connect import unit_of_work

if TYPE_CHECKING:
    import psycopg

    from onefold.configuration.metrics import Metric
    from onefold.context import Context

QUEUE: Final = "metrics"
FILE: Final = "metrics.yaml"
_KIND: Final = "metrics"
_FOUND: Final = "metrics_found"
"""Of the last look: how many definitions failed, and on what sums stand."""
_MANY: Final = 20_000
"""Clients with news from which all are looked at."""
GROUNDS: Final = ("promises_kept", "needs_met")
OUTCOMES: Final = ("retained", "repeated")
FEWEST_CLIENTS: Final = 5
"""Clients of a month or segment below which its value is not told: it would tell what one of them did."""
FEWEST_OF_GROUND: Final = 3
"""Observations of a ground that a client needs to be looked at for loyalty."""
_PLACES: Final = Decimal("0.000001")
_LARGEST: Final = 1e22
_NONE: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class MeasuresReport(Report):
    """What a look at the metrics changed."""

    clients: int | None = None
    """Who was looked at; None: everybody, or nobody where nothing was new."""
    metrics: int = 0
    """Definitions that were run."""
    rows: int = 0
    """Rows that were written."""
    failed: tuple[str, ...] = ()
    """Definitions that PostgreSQL refused."""
    seconds: float = 0.0


def is_idle(context: Context, conn: psycopg.Connection) -> bool:
    """Definitions are those in force, nothing was published since the last look, and the day is the same."""
    stored = fingerprints.stored(conn, _KIND)
    if not is_wanted(context):
        return all(value == _NONE for value in stored.values())
    return stored == _state(context, conn)


def is_wanted(context: Context) -> bool:
    """There is a metrics.yaml; an empty one asks for the shipped metrics."""
    return FILE in context.configuration.documents


def find_metrics(context: Context, conn: psycopg.Connection) -> MeasuresReport:
    """Bring values and loyalty up to what is published; after `find_needs`, whose outcome is measured too.

    Without the hub lock: what is published meanwhile has a higher number, and comes next time.
    """
    if is_idle(context, conn):
        return MeasuresReport()
    started = time.perf_counter()
    with _turn(conn):
        report = _find(context, conn) if is_wanted(context) else _forget(conn)
    return replace(report, seconds=round(time.perf_counter() - started, 3))


def _find(context: Context, conn: psycopg.Connection) -> MeasuresReport:
    from warehouse import metrics, needs
    from warehouse.served_sql import reading_role

    state, stored = _state(context, conn), fingerprints.stored(conn, _KIND)
    at_last = fingerprints.stored(conn, _FOUND)
    # A failed definition has no rows, so that it is asked of all until it works again.
    touched = at_last.get("failed", _NONE) == _NONE and all(
        stored.get(name) == state[name] for name in ("rules", "day", "needs")
    )
    configured = context.configuration.metrics
    known = _types(context)
    asked = asked_of(context)
    if touched:
        with unit_of_work(conn):
            count = needs.touch(conn, int(stored["seen"]))
            touched = count <= _MANY
            if touched:
                asked = replace(asked, clients=metrics.touched_clients(conn))
                if not asked.clients and metrics.standing(conn) == at_last.get("standing"):
                    fingerprints.remember(conn, _KIND, state)
                    return MeasuresReport(0)
    here = {name: one for name, one in configured.items() if known & set(one.types)}
    definitions = [metrics.Definition(name, one.kind, one.sql) for name, one in here.items()]
    failed = metrics.observe(conn, definitions, asked, reading_role(conn))
    with unit_of_work(conn):
        if touched:
            metrics.take_touched(conn, asked.clients or ())
        rows = metrics.store_months(conn, sorted(failed), touched=touched)
        standing = metrics.standing(conn)
        if rows or failed or not touched or standing != at_last.get("standing"):
            found = metrics.sums(conn)
            rows += _store_values(conn, configured, found)
            rows += metrics.store(conn, "metric", catalogue(configured, known, found, failed), ("metric",))
        if not touched:
            rows += _store_loyalty(context, conn, configured)
        fingerprints.remember(conn, _KIND, state)
        fingerprints.remember(conn, _FOUND, {"failed": UUID(int=len(failed)), "standing": standing})
    metrics.forget_found(conn)
    return MeasuresReport(
        len(asked.clients) if asked.clients is not None else None, len(definitions), rows, tuple(sorted(failed))
    )


def _forget(conn: psycopg.Connection) -> MeasuresReport:
    from warehouse import metrics

    with unit_of_work(conn):
        metrics.clear(conn)
        for kind in (_KIND, _FOUND):
            fingerprints.remember(conn, kind, dict.fromkeys(fingerprints.stored(conn, kind), _NONE))
    return MeasuresReport()


def asked_of(context: Context) -> Any:
    """What definitions may ask for: the hub's day, and what tells mailings."""
    from onefold.steps.as_client import mailing_rules
    from warehouse.metrics import Asked

    return Asked(today(context), mailing_rules(context))


def _types(context: Context) -> set[str]:
    """Interaction types that the hub's sources give."""
    sources = context.configuration.sources.values()
    return {code for source in sources for stream in source.streams.values() for code in stream.type_codes}


def _state(context: Context, conn: psycopg.Connection) -> dict[str, UUID]:
    own = context.configuration.own_metrics.model_dump(mode="json")
    of_needs = [sorted(fingerprints.stored(conn, kind).items()) for kind in ("segments", "needs")]
    rules = [name for name in sorted(fingerprints.stored(conn, "rules").items()) if name[0] == "needs"]
    # What a look of needs has seen moves with every publish, and its clients are looked at here too.
    told = [[[name, str(value)] for name, value in kind if name != "seen"] for kind in (*of_needs, rules)]
    seen = last_event(conn)
    if any(value != _NONE for _, value in rules):
        # What needs have not seen moves clients between segments when they do: it is looked at here then too.
        seen = min(seen, int(fingerprints.stored(conn, "needs").get("seen", UUID(int=seen))))
    return {
        "rules": fingerprint([shipped_text(FILE), own, sorted(_types(context))]),
        "day": fingerprint([today(context).isoformat()]),
        "needs": fingerprint(told),
        "seen": UUID(int=seen),
    }


def _store_values(conn: psycopg.Connection, configured: Mapping[str, Metric], found: Sequence[Any]) -> int:
    from warehouse import metrics

    rows = []
    for row in found:
        one = configured.get(row.metric)
        if one is None or (row.scope != "hub" and row.scope not in one.over):
            continue
        told: tuple[Decimal | None, Decimal | None, Decimal | None] = (None, None, None)
        if row.n >= one.minimum and (row.scope == "hub" or row.m >= FEWEST_CLIENTS):
            told = _told(one.kind, row)
        place = {
            "hub": "hub",
            "month": f"month:{row.month}",
            "segment": f"segment:{row.scheme}:{row.segment}",
        }[row.scope]
        rows.append(
            {
                "metric": row.metric,
                "place": place,
                "scope": row.scope,
                "month": row.month,
                "scheme": row.scheme,
                "segment": row.segment,
                "version": one.version,
                "observations": row.n,
                "clients": row.m,
                "value": told[0],
                "low": told[1],
                "high": told[2],
            }
        )
    return metrics.store(conn, "metric_value", rows, ("metric", "place"))


def _told(kind: str, row: Any) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """The value and its interval; None where sums are beyond what numbers hold."""
    from onefold.measures.intervals import Sums, estimate

    try:
        made = estimate(kind, Sums(row.n, row.m, *map(float, (row.t, row.w, row.tt, row.tw, row.ww))))
    except ArithmeticError:
        return None, None, None
    told = (made.value, made.low, made.high)
    if any(value is not None and not abs(value) < _LARGEST for value in told):
        return None, None, None
    if kind == "total":
        return row.t, None, None
    return _rounded(made.value), _rounded(made.low), _rounded(made.high)


def _rounded(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(value).quantize(_PLACES)


def catalogue(
    configured: Mapping[str, Metric], known: set[str], found: Sequence[Any], failed: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Definitions as rows of core.metric; `failed`: name -> what PostgreSQL said."""
    observed = {row.metric for row in found if row.scope == "hub"}
    rows = []
    for name, one in configured.items():
        label_en, label_ru = label(one.labels, name)
        why_en, why_ru = _why(one, known, failed.get(name)) if name not in observed else (None, None)
        rows.append(
            {
                "metric": name,
                "version": one.version,
                "label_en": label_en,
                "label_ru": label_ru,
                "perspective": one.perspective,
                "unit": one.unit,
                "direction": one.direction,
                "kind": one.kind,
                "types": list(one.types),
                "breakdowns": list(one.over),
                "minimum": one.minimum,
                "minimum_per_client": one.minimum_per_client,
                "definition": one.sql,
                "is_available": name in observed,
                "why_en": why_en,
                "why_ru": why_ru,
            }
        )
    return rows


def _why(one: Metric, known: set[str], error: str | None) -> tuple[str, str | None]:
    """Why nothing is observed."""
    if error is not None:
        return f"PostgreSQL refuses its SQL: {error}", f"PostgreSQL не принимает её SQL: {error}"
    if not known & set(one.types):
        types = ", ".join(one.types)
        return f"No source gives {types}.", f"Ни один источник не даёт {types}."
    if one.missing:
        return label(one.missing, "")
    return "Nothing is observed yet.", "Пока нечего наблюдать."


def _store_loyalty(context: Context, conn: psycopg.Connection, configured: Mapping[str, Metric]) -> int:
    from onefold.measures.intervals import wilson
    from onefold.measures.loyalty import judge
    from warehouse import metrics

    since = today(context) - timedelta(days=365)
    names = [name for name in GROUNDS if name in configured and configured[name].kind == "share"]
    counted: dict[str, list[Any]] = defaultdict(list)
    for row in metrics.grounds(conn, names, since, minimum=FEWEST_OF_GROUND):
        counted[row.metric].append(row)
    told, bands = [], []
    for ground in GROUNDS:
        for outcome in OUTCOMES:
            clients, back = tables(counted[ground], outcome)
            every = int(clients.sum())
            made = judge(clients, back) if every else None
            why_en, why_ru = _why_not(ground, made)
            told.append(
                {
                    "ground": ground,
                    "outcome": outcome,
                    "since": since,
                    "clients": every,
                    **{
                        name: None if made is None or (value := getattr(made, name)) is None else round(value, 6)
                        for name in ("difference", "low", "high", "trend_p")
                    },
                    "verdict": "not available" if made is None else made.verdict,
                    "why_en": why_en,
                    "why_ru": why_ru,
                }
            )
            for band in range(4 if every else 0):
                n, came = int(clients[:, band].sum()), int(back[:, band].sum())
                share, low, high = (round(one, 6) for one in (came / n, *wilson(came / n, n))) if n else (None,) * 3
                bands.append(
                    {
                        "ground": ground,
                        "outcome": outcome,
                        "band": band,
                        "clients": n,
                        "came_back": came,
                        "share": share,
                        "low": low,
                        "high": high,
                    }
                )
    written = metrics.store(conn, "loyalty", told, ("ground", "outcome"))
    return written + metrics.store(conn, "loyalty_band", bands, ("ground", "outcome", "band"))


def tables(rows: Sequence[Any], outcome: str) -> tuple[Any, Any]:
    """Clients, and those who came back, as strata by bands."""
    import numpy as np

    strata = sorted({row.stratum for row in rows})
    clients, back = (np.zeros((len(strata), 4), np.int64) for _ in range(2))
    for row in rows:
        clients[strata.index(row.stratum), row.band] += row.clients
        back[strata.index(row.stratum), row.band] += getattr(row, outcome)
    return clients, back


def _why_not(ground: str, made: Any) -> tuple[str | None, str | None]:
    if made is None:
        return (
            f"No client who bought one to three years ago has {FEWEST_OF_GROUND} observations of {ground} from then.",
            f"Ни у одного клиента, покупавшего от года до трёх лет назад, нет {FEWEST_OF_GROUND} наблюдений {ground}.",
        )
    if made.is_few:
        return (
            "Fewer than 20 clients of like volume are in the upper or the lower two bands,"
            " or hardly any, or nearly all, came back.",
            "В двух верхних или двух нижних полосах меньше 20 клиентов со сходным объёмом,"
            " либо вернулись почти все или почти никто.",
        )
    return None, None


@contextmanager
def _turn(conn: psycopg.Connection) -> Iterator[None]:
    """One process at a time."""
    from warehouse import queue

    with queue.step_lock(conn, QUEUE):
        yield
