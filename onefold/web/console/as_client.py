"""The company as one client sees it, on a page that can be printed."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from onefold.steps.as_client import as_client
from onefold.steps.measures_told import metrics_of
from onefold.web.api import views
from onefold.web.console.render import page
from onefold.web.console.session import Visits
from onefold.web.door import TheHub, masks_for, note

router: Final = APIRouter(include_in_schema=False)


@router.get("/clients/{client_id}/as-client")
def as_it_sees_us(
    request: Request, hub: TheHub, who: Visits, client_id: UUID, limit: Annotated[int, Query(ge=1, le=1000)] = 20
) -> Response:
    """Promises, waits, requests, repeats, departments, complaints and who began, from the client's side."""
    who.asker.needs("clients")
    found = as_client(hub.reading, str(client_id), limit=limit)
    if found.client_id != str(client_id):
        return RedirectResponse(f"/clients/{found.client_id}/as-client", 307)
    masks = masks_for(hub, who.asker)
    note(hub, who.asker, "console as-client", [found.client_id], None if masks is None else [])
    return page(
        request,
        "client_sees.html",
        who,
        client_id=client_id,
        more_limit=min(10 * limit, 1000) if limit < 1000 else None,
        sees=views.as_client_of(found.as_dict(), masks),
        measured=[one for one in metrics_of(hub.reading, found.client_id) if one["perspective"] == "client"],
    )
