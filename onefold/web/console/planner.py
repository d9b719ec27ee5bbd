"""Where the thresholds could lie for a number of cases a day."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from onefold.errors import NothingFound
from onefold.steps.case_plan import plan
from onefold.web.console.render import language_of, page
from onefold.web.console.session import Visits
from onefold.web.door import TheHub
from onefold.web.hub import Hub

router: Final = APIRouter(include_in_schema=False)
PerDay = Annotated[int, Query(ge=1, le=10_000)]
Days = Annotated[int, Query(ge=1, le=366)]
_CHART_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""A chart brings its own style, and nothing else; it is a picture of a page, never a part of it."""


@router.get("/cases/planner")
def planner(request: Request, hub: TheHub, who: Visits, per_day: PerDay = 25, days: Days = 20) -> HTMLResponse:
    """The plan, with its table beside the chart; nothing is changed by it."""
    who.asker.needs("cases")
    return page(request, "planner.html", who, per_day=per_day, days=days, plan=_plan(hub, per_day, days))


@router.get("/cases/planner.svg")
def chart(
    request: Request, hub: TheHub, who: Visits, kind: Literal["person", "organisation"], per_day: PerDay = 25,
    days: Days = 20,
) -> Response:  # fmt: skip
    """The chart of one kind."""
    from onefold.charts.case_plan import plan_chart

    who.asker.needs("cases")
    found = _plan(hub, per_day, days)
    of = [one for one in found["kinds"] if one["kind"] == kind] if found else []
    if not of:
        raise NothingFound("No pair of this kind is plausible.")
    svg = plan_chart(of[0], language_of(request, who.asker)).svg
    return Response(svg, media_type="image/svg+xml", headers={"Content-Security-Policy": _CHART_POLICY})


def _plan(hub: Hub, per_day: int, days: int) -> dict[str, Any] | None:
    try:
        return plan(hub.reading, per_day, days)
    except NothingFound:
        return None
