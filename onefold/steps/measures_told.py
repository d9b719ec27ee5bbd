"""What was measured of clients, as commands, API and console tell it, and whether definitions would work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from onefold.errors import UsageError
from onefold.nearest import did_you_mean
from onefold.steps.measures import FILE, asked_of, catalogue

if TYPE_CHECKING:
    from onefold.context import Context

ONE_SIDED: Final = {
    "en": "All of these are told from the company's side: nothing here says what clients lived through.",
    "ru": "Всё это показатели со стороны компании: ничто здесь не говорит о том, что пережили клиенты.",
}


def registry(context: Context) -> list[dict[str, Any]]:
    """The metrics with whether they are available, and the value of the hub."""
    from warehouse import metrics

    with context.connection("onefold measures") as conn:
        rows, values = metrics.read(conn, "metrics"), metrics.read(conn, "values")
    configured, known = context.configuration.metrics, {row["metric"] for row in rows}
    unmeasured = {name: one for name, one in configured.items() if name not in known}
    rows += [_unmeasured(row) for row in catalogue(unmeasured, set(), (), {})]
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

    asked, found = asked_of(context), []
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
