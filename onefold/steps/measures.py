"""measures: the metrics of metrics.yaml and the shipped ones, told from both sides, and loyalty with its grounds.

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
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from onefold.errors import UsageError
from onefold.nearest import did_you_mean
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
ONE_SIDED: Final = {
    "en": "All of these are told from the company's side: nothing here says what clients lived through.",
    "ru": "Всё это показатели со стороны компании: ничто здесь не говорит о том, что пережили клиенты.",
}
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
    asked = _asked(context)
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
            rows += metrics.store(conn, "metric", _catalogue(configured, known, found, failed), ("metric",))
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


def _asked(context: Context) -> Any:
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
        "rules": fingerprint([_shipped(), own, sorted(_types(context))]),
        "day": fingerprint([today(context).isoformat()]),
        "needs": fingerprint(told),
        "seen": UUID(int=seen),
    }


@cache
def _shipped() -> str:
    """The shipped file as it is: read, not parsed, since a run without news asks for it."""
    return files("onefold.configuration").joinpath("data", FILE).read_text("utf-8")


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


def _catalogue(
    configured: Mapping[str, Metric], known: set[str], found: Sequence[Any], failed: Mapping[str, str]
) -> list[dict[str, Any]]:
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


def registry(context: Context) -> list[dict[str, Any]]:
    """The metrics with whether they are available, and the value of the hub."""
    from warehouse import metrics

    with context.connection("onefold measures") as conn:
        rows, values = metrics.read(conn, "metrics"), metrics.read(conn, "values")
    configured, known = context.configuration.metrics, {row["metric"] for row in rows}
    unmeasured = {name: one for name, one in configured.items() if name not in known}
    rows += [_unmeasured(row) for row in _catalogue(unmeasured, set(), (), {})]
    of_hub = {row["metric"]: row for row in values if row["scope"] == "hub"}
    empty = dict.fromkeys(("observations", "clients", "value", "low", "high"))
    return [
        {**row, **{name: of_hub.get(row["metric"], empty)[name] for name in empty}} for row in rows
    ]  # fmt: skip


def _unmeasured(row: Mapping[str, Any]) -> dict[str, Any]:
    """A definition that no run has looked at, in the shape of those that one has."""
    names = {"direction": "better", "kind": "aggregation", "types": "interaction_types"}
    found = {names.get(name, name): value for name, value in row.items()}
    return found | {
        "why_en": "Not measured yet: a run does it once there is a config/metrics.yaml (`metrics: {}` is enough).",
        "why_ru": "Ещё не измерено: запуск делает это, когда есть config/metrics.yaml (достаточно `metrics: {}`).",
    }


def one_metric(context: Context, name: str) -> dict[str, Any]:
    """One metric with its values by month and segment. UsageError for a name that nobody knows."""
    found = next((row for row in registry(context) if row["metric"] == name), None)
    if found is None:
        raise _unknown(context, name)
    return {**found, **_broken_down(context, [name])[name]}


def report(context: Context, names: Sequence[str] | None = None) -> dict[str, Any]:
    """The metrics of these names (None: all), client-side and enterprise-side apart, each with its value by month and
    segment; `is_one_sided` and `note` when only the company's side is told. UsageError for an unknown name."""
    rows = registry(context)
    for name in names or ():
        if all(row["metric"] != name for row in rows):
            raise _unknown(context, name)
    wanted = [row for row in rows if names is None or row["metric"] in names]
    parts = _broken_down(context, [row["metric"] for row in wanted])
    told = [{**row, **parts[row["metric"]]} for row in wanted]
    one_sided = is_one_sided(told)
    return {
        "client": [row for row in told if row["perspective"] == "client"],
        "enterprise": [row for row in told if row["perspective"] == "enterprise"],
        "is_one_sided": one_sided,
        "note": ONE_SIDED if one_sided else None,
    }


def is_one_sided(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Nothing that is told is from the client's side: a metric without a value tells nothing."""
    told = [row for row in rows if row["value"] is not None]
    return bool(told) and all(row["perspective"] == "enterprise" for row in told)


def loyalty(context: Context) -> list[dict[str, Any]]:
    """By ground and kind of coming back the verdict, each with its bands."""
    from warehouse import metrics

    with context.connection("onefold measures") as conn:
        rows, bands = metrics.read(conn, "loyalty"), metrics.read(conn, "loyalty_bands")
    return [
        {
            **row,
            "bands": [
                {name: band[name] for name in band if name not in ("ground", "loyalty")}
                for band in bands
                if (band["ground"], band["loyalty"]) == (row["ground"], row["loyalty"])
            ],
        }
        for row in rows
    ]


def metrics_of(context: Context, client_id: str) -> list[dict[str, Any]]:
    """The values of one client that have enough observations, each beside that of all (`of_all`)."""
    from warehouse import metrics

    with context.connection("onefold measures") as conn:
        return metrics.read(conn, "of_client", client_id=client_id)


def check(context: Context) -> list[dict[str, Any]]:
    """Each definition with what is wrong with it: metric, place (file and line of one's own), problem (None: nothing).
    Nothing is stored."""
    from onefold.configuration.crosscheck_metrics import NAMES
    from onefold.configuration.served_sql import refusal
    from warehouse import metrics
    from warehouse.served_sql import reading_role

    asked, found = _asked(context), []
    with context.connection("onefold measures") as conn:
        role = reading_role(conn)
        for name, one in context.configuration.metrics.items():
            problem = refusal(one.sql, NAMES)
            if problem is None:
                columns, problem = metrics.try_out(conn, metrics.Definition(name, one.kind, one.sql), asked, role)
                missing = [
                    column
                    for column in ("client_id", "occurred_on", "value", *(("weight",) if one.kind == "ratio" else ()))
                    if column not in columns
                ]
                if problem is None and missing:
                    problem = f"It has no column {', '.join(missing)}."
            found.append({"metric": name, "place": _place(context, name), "problem": problem})
    return found


def _place(context: Context, name: str) -> str:
    if name not in context.configuration.own_metrics.metrics:
        return "shipped"
    file, place = context.configuration.place(FILE, "metrics", name)
    return f"{file}:{place[0]}"


def _broken_down(context: Context, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    from warehouse import metrics

    with context.connection("onefold measures") as conn:
        values = metrics.read(conn, "values")
    wanted = ("observations", "clients", "value", "low", "high")
    found: dict[str, dict[str, Any]] = {name: {"months": [], "segments": []} for name in names}
    for row in values:
        if row["metric"] not in found or row["scope"] == "hub":
            continue
        of = ("month",) if row["scope"] == "month" else ("scheme", "segment")
        found[row["metric"]][f"{row['scope']}s"].append({name: row[name] for name in (*of, *wanted)})
    return found


def _unknown(context: Context, name: str) -> UsageError:
    known = sorted(context.configuration.metrics)
    return UsageError(
        f"There is no metric `{name}`.", did_you_mean(name, known) or "`onefold measures list` names them."
    )


@contextmanager
def _turn(conn: psycopg.Connection) -> Iterator[None]:
    """One process at a time."""
    from warehouse import queue

    with queue.step_lock(conn, QUEUE):
        yield
