"""What needs a person, for the console's first page: cases, sources, held runs, quality; not how well everything went.

Quick on a hub of any size: nothing is counted row by row but what is open, and that up to a limit. `status` counts all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onefold.steps.sources import open_holds, sources
from warehouse import concerns, figures, mirror, notices, overlap, quality

if TYPE_CHECKING:
    from onefold.context import Context


def worries(context: Context) -> dict[str, Any]:
    """clients, cases (kind, day, week, month, older, oldest_at, impact), holds, tasks (of an orchestrator,
    that failed or are late: kind, subject, detail, opened_at), sources, rejects (source, stream,
    rejects), invalid (type, found), generic (kind, type, found, names), pairs and combinations of registers as
    they were kept last; concerns that are raised and nobody has taken note of; decayed: what the
    mirror no longer sees served as promised."""
    now = context.clock()
    with context.connection("onefold worries") as conn:
        hub = figures.hub(conn)
        stakes = figures.case_stakes(conn)
        cases = [{**one, "impact": stakes.get(one["kind"], (0, 0))[0]} for one in figures.case_ages(conn, now)]
        return {
            "clients": hub["clients"],
            "cases": cases,
            "concerns": [one for one in concerns.raised(conn) if one["acknowledged_at"] is None],
            "decayed": mirror.decayed(conn),
            "holds": open_holds(conn),
            "tasks": notices.of_tasks(conn),
            "sources": sources(context, conn),
            "rejects": figures.rejects(conn),
            "invalid": quality.invalid(conn),
            "generic": quality.generic(conn),
            "pairs": overlap.latest_pairs(conn),
            "combinations": overlap.combinations(conn),
        }
