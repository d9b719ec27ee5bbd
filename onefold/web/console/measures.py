"""What is measured of clients: what they live through beside what the company counts, and whether they come back."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from onefold.errors import NothingFound, UsageError
from onefold.steps.measures_told import loyalty, one_metric, registry, report
from onefold.web.console.client import type_labels
from onefold.web.console.render import page
from onefold.web.console.session import Visits
from onefold.web.door import TheHub
from warehouse import segment_pages

router: Final = APIRouter(include_in_schema=False)
Names = Annotated[list[Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]] | None, Query(max_length=100)]
MONTHS: Final = 24
"""Of a metric that are drawn; the table has all of them."""


@router.get("/measures")
def listed(request: Request, hub: TheHub, who: Visits, only: Names = None) -> HTMLResponse:
    """Both sides next to each other, or those that are chosen; and loyalty with its grounds."""
    who.asker.needs("clients")
    found = report(hub.reading, only or None)
    return page(
        request,
        "measures.html",
        who,
        **found,
        every=registry(hub.reading),
        only=set(only or ()),
        loyalty=loyalty(hub.reading),
    )


@router.get("/measures/{name}")
def of_name(request: Request, hub: TheHub, who: Visits, name: str) -> HTMLResponse:
    """One metric: what it means, how it is counted, month by month and by segment."""
    who.asker.needs("clients")
    try:
        found = one_metric(hub.reading, name)
    except UsageError as error:
        raise NothingFound(str(error)) from None
    with hub.reading.connection() as conn:
        labels = {(one["scheme"], one["segment"]): one for one in segment_pages.segments(conn)}
    return page(
        request,
        "measure.html",
        who,
        one=found,
        segments=[_named(row, labels) for row in found["segments"]],
        months=found["months"],
        type_labels=type_labels(hub, request, who),
        drawn=[row for row in found["months"] if row["value"] is not None][-MONTHS:],
    )


def _named(row: dict[str, Any], labels: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    known = labels.get((row["scheme"], row["segment"]), {})
    return {**row, "label_en": known.get("label_en") or row["segment"], "label_ru": known.get("label_ru")}
