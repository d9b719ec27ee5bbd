"""A hub's status for people: tables where they compare, sparklines where they look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from onefold.cli.output import Output

_LEVELS: Final = "▁▂▃▄▅▆▇█"
_SHOWN: Final = 20
_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB")


def sparkline(values: Sequence[float]) -> str:
    """The last values as a line of blocks, from the lowest to the highest of them.

    >>> sparkline([0, 1, 2, 7])
    '▁▂▃█'
    """
    shown = values[-_SHOWN:]
    low, high = min(shown, default=0), max(shown, default=0)
    span = (high - low) or 1.0
    return "".join(_LEVELS[round((value - low) / span * (len(_LEVELS) - 1))] for value in shown)


def size(count: int) -> str:
    """Bytes as people read them.

    >>> size(1_572_864)
    '1.5 MiB'
    """
    value, unit = float(count), _UNITS[0]
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:
            break
        value /= 1024
    return f"{value:.0f} {unit}" if value >= 10 or unit == _UNITS[0] else f"{value:.1f} {unit}"


def show_streams(output: Output, found: dict[str, Any]) -> None:
    """Sources and their streams, against their schedule."""
    due = {one["source"]: one for one in found["schedule"]}
    output.table(
        ("stream", "records", "deleted", "rejects", "synced", "newest record", "freshness", "next"),
        [
            (f"{s['source']}:{s['stream']}", s["records"], s["deleted"], s["rejects"], minute(s["synced_at"]),
             minute(s["newest_record_at"]), s["freshness"], _next(due.get(s["source"])))
            for s in found["streams"]
        ],
        title="Sources",
        right=(1, 2, 3),
    )  # fmt: skip


def _next(due: dict[str, Any] | None) -> str | None:
    if due is None or due["schedule"] is None:
        return None
    if not due["due_since"]:
        return minute(due["next"])
    hours, minutes = divmod(due["overdue_seconds"] // 60, 60)
    return "due" if not hours and not minutes else f"due for {hours} h {minutes:02} min"


def show_work(output: Output, found: dict[str, Any]) -> None:
    """What waits: for steps, for people, for systems."""
    waiting = ", ".join(f"{step}: {entries}" for step, entries in found["queues"].items())
    output.say(f"Queues       {waiting or 'empty'}")
    for row in found["unanswered_writes"]:
        output.say(f"Writes       {row['writes']} to {row['source']} are not confirmed; see `onefold receipts`")
    for case in found["case_ages"]:
        count = sum(case[name] for name in ("day", "week", "month", "older"))
        ages = (("day", "up to a day"), ("week", "up to a week"), ("month", "up to 30 days"), ("older", "longer"))
        parts = ", ".join(f"{case[name]} {words}" for name, words in ages if case[name])
        output.say(f"Cases        {count} {case['kind']}: {parts}")
    for reject in found["rejects"]:
        output.say(f"Rejects      {reject['rejects']} {reject['reason']} in {reject['source']}:{reject['stream']}")


def show_trends(output: Output, found: dict[str, Any]) -> None:
    """Steps, weights, disk."""
    output.table(
        ("step", "last, s", "median of 3, s", "against before", "last runs"),
        [
            (f"{one['step']} {one['source'] or ''}", one["last"], one["median"],
             None if one["trend"] is None else f"× {one['trend']:g}", sparkline(one["seconds"]))
            for one in found["steps"][:8]
        ],
        title="Slowest steps",
        right=(1, 2, 3),
    )  # fmt: skip
    for kind in found["weights"]:
        runs = [run for run in kind["runs"] if run["pairs"]]
        if not runs:
            continue
        last = runs[-1]
        medians = [run["median"] for run in runs if run["median"] is not None]
        middle = "none linked" if last["median"] is None else f"linked at {last['median']:.1f} bits in the middle"
        output.say(
            f"Weights      {kind['kind']}: {last['review'] / last['pairs']:.1%} of {last['pairs']} pairs to review "
            f"{sparkline([run['review'] / run['pairs'] for run in runs])}, {middle} {sparkline(medians)}"
        )
    disk = found["disk"]
    parts = ", ".join(f"{name} {size(count)}" for name, count in disk["schemas"].items())
    free = "" if disk["free_bytes"] is None else f"; {size(disk['free_bytes'])} of {size(disk['total_bytes'])} are free"
    output.say(f"Disk         {size(disk['database_bytes'])}: {parts}{free}")


def minute(text: str | None) -> str | None:
    """A moment without its seconds."""
    return None if text is None else text[:16].replace("T", " ")
