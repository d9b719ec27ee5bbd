"""The queue: what waits for a person's word, and the way from one case to the next."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from onefold.web.api import views
from onefold.web.console.render import page
from onefold.web.console.session import Done, Visits, proven
from onefold.web.door import TheHub, masks_for, note
from warehouse import queries

router: Final = APIRouter(include_in_schema=False)
MOST: Final = 100


@router.get("/cases")
def cases(
    request: Request,
    hub: TheHub,
    who: Visits,
    kind: Annotated[str | None, Query(max_length=50, pattern=r"^[^\x00]*$")] = None,
    done: Done = None,
    held: bool = False,
) -> HTMLResponse:
    """The queue, most impact first."""
    who.asker.needs("cases")
    masks = masks_for(hub, who.asker)
    with hub.reading.connection() as conn:
        rows = queries.review_cases(conn, limit=MOST, kinds=None if kind is None else [kind])
        counts = {one["kind"]: one["cases"] for one in queries.case_counts(conn)}
    told = [views.case_of(row, masks) for row in rows]
    clients = {one["client_id"] for case in told for one in case["records"]} - {None}
    note(hub, who.asker, "console cases", sorted(clients), None if masks is None else [])
    return page(
        request, "cases.html", who, cases=told, counts=counts, kind=kind, done=proven(who, done), held=held, most=MOST
    )


@router.get("/cases/next")
def following(hub: TheHub, who: Visits, after: UUID | None = None, done: Done = None, held: bool = False) -> Response:
    """On to the next one."""
    who.asker.needs("cases")
    with hub.reading.connection() as conn:
        found = queries.next_case(conn, None if after is None else str(after))
    told = "" if done is None else f"?{urlencode({'done': done, **({'held': 'true'} if held else {})})}"
    return RedirectResponse(f"/cases/{found}{told}" if found else f"/cases{told}", 303)
