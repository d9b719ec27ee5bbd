"""The pages on which clients are looked up: search, and everything about one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from onefold.errors import NothingFound
from onefold.steps.client import client as client_step
from onefold.web.api import views
from onefold.web.console.render import labels, language_of, page
from onefold.web.console.session import Visits
from onefold.web.door import TheHub, masks_for, note
from onefold.web.showing import note_client, place_named, place_of, shown, types_of
from warehouse import queries

router: Final = APIRouter(include_in_schema=False)
MOST_FOUND: Final = 50
STORY_PAGE: Final = 50


@router.get("/clients")
def clients(
    request: Request,
    hub: TheHub,
    who: Visits,
    query: Annotated[str, Query(max_length=200)] = "",
) -> HTMLResponse:
    """Search."""
    who.asker.needs("clients")
    masks, found = masks_for(hub, who.asker), []
    if len(query.strip()) > 1:
        with hub.reading.connection() as conn:
            rows = queries.find_clients(conn, query, limit=MOST_FOUND)
        note(hub, who.asker, "console find", [row["client_id"] for row in rows], shown(masks, views.FOUND, rows))
        found = views.found_of(rows, masks)
    return page(
        request, "clients.html", who, query=query, clients=found, most=MOST_FOUND, labels=_labels(hub, request, who)
    )


@router.get("/clients/{client_id}")
def client(
    request: Request,
    hub: TheHub,
    who: Visits,
    client_id: UUID,
    department: Annotated[str | None, Query(max_length=100)] = None,
    after: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """Everything about one client: golden values with their source, records, relationships, the story of all
    departments."""
    who.asker.needs("clients")
    view = client_step(hub.reading, str(client_id), limit=0)
    if view["client_id"] != str(client_id):
        return RedirectResponse(f"/clients/{view['client_id']}", 307)
    if department is not None and department not in {one["department"] for one in view["departments"]}:
        raise NothingFound("Nothing of this department is known of the client.")
    types = None if department is None else types_of(hub, [department], None)
    with hub.reading.connection() as conn:
        rows, end = queries.interactions_of(
            conn, view["client_id"], limit=STORY_PAGE, after=None if after is None else place_of(after), types=types
        )
    masks = masks_for(hub, who.asker)
    note_client(hub, who.asker, "console client", view)
    spoken = language_of(request, who.asker)
    known: Mapping[str, Any] = hub.reading.configuration.interaction_types
    return page(
        request,
        "client.html",
        who,
        client=views.client_of(view, masks),
        story=views.interactions_of(rows, masks),
        next=None if end is None else place_named(end),
        department=department,
        labels=_labels(hub, request, who),
        type_labels={code: one.labels.get(spoken) or code for code, one in known.items()},
    )


def _labels(hub: TheHub, request: Request, who: Visits) -> dict[str, str]:
    return labels(hub.reading.configuration.attributes, language_of(request, who.asker))
