"""Concerns: what worries about clients, with the rows that prove it, and people who take note."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from onefold.steps.concerns import acknowledge, concern, concerns
from onefold.web.console.client import type_labels
from onefold.web.console.render import page
from onefold.web.console.session import Sends, Visits
from onefold.web.door import TheHub, masks_for, note
from onefold.web.masking import BLANK
from onefold.web.showing import note_rows

router: Final = APIRouter(include_in_schema=False)
PAGE: Final = 50


@router.get("/concerns")
def listed(request: Request, hub: TheHub, who: Visits) -> HTMLResponse:
    """Every question that is asked, the raised ones first."""
    who.asker.needs("clients")
    rows = sorted(concerns(hub.reading), key=lambda one: (one["raised_at"] is None, one["acknowledged_at"] is not None))
    return page(request, "concerns.html", who, concerns=rows)


@router.get("/concerns/{name}")
def of_name(
    request: Request, hub: TheHub, who: Visits, name: str, after: Annotated[UUID | None, Query()] = None
) -> HTMLResponse:
    """One question: its threshold, who answers for it, the rows that prove it page by page, and when it was raised."""
    who.asker.needs("clients")
    found = concern(hub.reading, name, after=None if after is None else str(after), limit=PAGE)
    masks = masks_for(hub, who.asker)
    clients = sorted({row["client_id"] for row in found["rows"]} - {None})
    note(hub, who.asker, "console concern", clients, None if masks is None else [])
    nobodys = sum(row["client_id"] is None for row in found["rows"])
    note_rows(hub, who.asker, "console concern", "core.concern_row", nobodys if masks is None else 0)
    if masks is not None:
        # What people write freely may name anybody.
        blank = ("note", "summary")
        found["rows"] = [
            {
                **row,
                **{part: row[part] and BLANK for part in blank},
                "display_name": masks.display_name(row["display_name"], row["kind"]),
            }
            for row in found["rows"]
        ]
        for one in (found, *found["raises"]):
            one["acknowledge_reason"] = one["acknowledge_reason"] and BLANK
    return page(
        request, "concern.html", who, one=found, is_first=after is None, type_labels=type_labels(hub, request, who)
    )


@router.post("/concerns/{name}/acknowledge")
def take_note(
    hub: TheHub,
    who: Sends,
    name: str,
    reason: Annotated[str, Form(max_length=1000, pattern=r"^[^\x00]*$")] = "",
) -> Response:
    """Somebody has taken note, and says what is done about it."""
    who.asker.needs("judge")
    acknowledge(hub.reading, name, by=who.asker.name, reason=reason)
    return RedirectResponse(f"/concerns/{name}", 303)
