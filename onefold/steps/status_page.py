"""A status to look at: how long steps take, how weights lie, how long cases wait, what the database holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from onefold.charts.axes import percent, plain
from onefold.charts.bars import Bar, bar_chart
from onefold.charts.canvas import Chart
from onefold.charts.lines import Line, line_chart

MOST_LINES: Final = 4
MEBIBYTE: Final = 1 << 20


def charts(found: dict[str, Any]) -> list[Chart]:
    """The charts of a status as `onefold.steps.status` gives it; those without anything to show are left out."""
    drawn = [
        _slowest(found["steps"]),
        *map(_spread, found["weights"]),
        _ages(found["case_ages"]),
        _sizes(found["disk"]),
    ]
    return [chart for chart in [*drawn, _durations(found["steps"])] if chart is not None]


def named(step: dict[str, Any]) -> str:
    """`sync crm`, `resolve`."""
    return f"{step['step']} {step['source'] or ''}".rstrip()


def _slowest(steps: Sequence[dict[str, Any]]) -> Chart | None:
    bars = [Bar(named(one), one["median"], _against(one["trend"])) for one in steps[:12]]
    words = "Median of the last three runs of each step, in seconds, and that against the runs before."
    return bar_chart("Slowest steps", words, bars, unit="seconds") if bars else None


def _against(trend: float | None) -> str:
    return "" if trend is None else f"{trend:g} times as long as before"


def _durations(steps: Sequence[dict[str, Any]]) -> Chart | None:
    chosen = [one for one in steps if len(one["seconds"]) > 1][:MOST_LINES]
    if not chosen:
        return None
    count = max(len(one["seconds"]) for one in chosen)
    lines = [Line(named(one), [*[None] * (count - len(one["seconds"])), *one["seconds"]]) for one in chosen]
    highest = max(max(one["seconds"]) for one in chosen)
    return line_chart(
        "How long the last runs took",
        "The steps that take longest, run by run; the last run is at 0.",
        [float(at - count + 1) for at in range(count)],
        lines,
        x_label="runs before the last",
        y_label="seconds",
        y_range=(0.0, highest * 1.05 or 1.0),
        y_words=plain,
        x_words=_run,
    )


def _spread(kind: dict[str, Any]) -> Chart | None:
    runs = [run for run in kind["runs"] if run["pairs"]]
    if len(runs) < 2:
        return None
    return line_chart(
        f"Pairs of {kind['kind']} records, run by run",
        "The share of plausible pairs that were linked and that people are asked about, in what each run of resolve"
        " compared anew; the last run is at 0.",
        [float(at - len(runs) + 1) for at in range(len(runs))],
        [
            Line("linked", [run["linked"] / run["pairs"] for run in runs]),
            Line("to review", [run["review"] / run["pairs"] for run in runs]),
        ],
        x_label="runs before the last",
        y_words=percent,
        x_words=_run,
    )


def _run(number: float) -> str:
    """There is no half of a run."""
    return plain(number) if number == int(number) else ""


def _ages(ages: Sequence[dict[str, Any]]) -> Chart | None:
    spans = {"day": "up to a day", "week": "up to a week", "month": "up to 30 days", "older": "longer"}
    bars = [Bar(f"{row['kind']}, {words}", row[name]) for row in ages for name, words in spans.items() if row[name]]
    return bar_chart("For how long cases wait", "Open cases by kind and age.", bars, unit="cases") if bars else None


def _sizes(disk: dict[str, Any]) -> Chart:
    bars = [Bar(f"{row['schema']}.{row['table']}", row["bytes"] / MEBIBYTE) for row in disk["tables"]]
    free = "" if disk["free_bytes"] is None else f" {disk['free_bytes'] / MEBIBYTE:,.0f} MiB are free on its disk."
    words = f"The database holds {disk['database_bytes'] / MEBIBYTE:,.0f} MiB; its largest tables with indexes.{free}"
    return bar_chart("Largest tables", words, bars, unit="MiB", words=lambda value: plain(round(value, 1)))
