"""`/v1/clients`: who they are, their whole story, and why their records are one client."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import AwareDatetime

from onefold.errors import NothingFound, UsageError
from onefold.steps.as_client import as_client as as_client_step
from onefold.steps.client import client as client_step
from onefold.steps.client_history import known_at, names_in_lineage
from onefold.steps.explain_client import explain_client
from onefold.web.api import shapes, views
from onefold.web.asking import Asker
from onefold.web.door import Responses, TheHub, answer, masks_for, needs, note
from onefold.web.showing import note_client, place_named, place_of, shown, types_of
from warehouse import queries, surroundings

router: Final = APIRouter(tags=["Clients"])
Asks = Annotated[Asker, Depends(needs("clients"))]
_MERGED: Final[Responses] = {307: {"description": "The client was merged into another: `Location` leads to it."}}


@router.get("/clients", response_model=shapes.FoundClients)
def find(
    hub: TheHub,
    asker: Asks,
    query: Annotated[
        str, Query(min_length=2, max_length=200, description="A name, e-mail, phone, tax id, source key or client id.")
    ],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Search by anything known about a client; best first."""
    masks = masks_for(hub, asker)
    with hub.reading.connection() as conn:
        rows = queries.find_clients(conn, query, limit=limit)
    note(hub, asker, "api find", [row["client_id"] for row in rows], shown(masks, views.FOUND, rows))
    return answer({"clients": views.found_of(rows, masks)})


@router.get("/clients/{client_id}", response_model=shapes.Client, responses=_MERGED)
def client(
    hub: TheHub,
    asker: Asks,
    request: Request,
    client_id: UUID,
    interactions: Annotated[int, Query(ge=0, le=1000, description="How many of the latest to include.")] = 100,
) -> Response:
    """One client: golden values with their source and losers, records, relationships, the latest of all departments."""
    view = client_step(hub.reading, str(client_id), limit=interactions)
    if view["client_id"] != str(client_id):
        return _moved(request, view["client_id"])
    masks = masks_for(hub, asker)
    note_client(hub, asker, "api client", view)
    return answer(views.client_of(view, masks))


@router.get("/clients/{client_id}/interactions", response_model=shapes.Interactions, responses=_MERGED)
def interactions(
    hub: TheHub,
    asker: Asks,
    request: Request,
    client_id: UUID,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[str | None, Query(max_length=100, description="`next` of the page before.")] = None,
    department: Annotated[list[str] | None, Query(max_length=50, description="Only of these departments.")] = None,
    type: Annotated[list[str] | None, Query(max_length=50, description="Only of these types.")] = None,
) -> Response:
    """A client's story page by page, latest first."""
    place = None if after is None else place_of(after)
    types = None if department is None and type is None else types_of(hub, department, type)
    with hub.reading.connection() as conn:
        current = surroundings.current_client(conn, str(client_id))
        if current != str(client_id):
            return _moved(request, current)
        if not queries.is_client(conn, current):
            raise NothingFound(f"There is no client {client_id}.")
        rows, end = queries.interactions_of(conn, current, limit=limit, after=place, types=types)
    masks = masks_for(hub, asker)
    note(hub, asker, "api interactions", [current], None if masks is None else [])
    told = views.interactions_of(rows, masks)
    return answer({"client_id": current, "interactions": told, "next": None if end is None else place_named(end)})


@router.get("/clients/{client_id}/as-of", response_model=shapes.ClientThen)
def as_of(
    hub: TheHub,
    asker: Asks,
    client_id: UUID,
    at: Annotated[
        AwareDatetime, Query(description="The moment, with its zone: what had been published by then is told.")
    ],
) -> Response:
    """A client as it was known at a moment: its golden record and its records then. An id that has been merged away
    since answers for itself. 404: it was not known yet."""
    try:
        moment = at.astimezone(UTC)
    except OverflowError:
        raise UsageError("`at` is beyond the calendar.") from None
    found = known_at(hub.reading, str(client_id), moment)
    if found is None:
        raise NothingFound(f"Nothing was known of client {client_id} at that moment.")
    masks = masks_for(hub, asker)
    note(hub, asker, "api as-of", [str(client_id)], shown(masks, found["attributes"], [found]))
    return answer(views.client_then(found, moment.isoformat(), names_in_lineage(hub.reading, found), masks))


@router.get("/clients/{client_id}/as-client", response_model=shapes.ClientSees, responses=_MERGED)
def as_client(
    hub: TheHub,
    asker: Asks,
    request: Request,
    client_id: UUID,
    limit: Annotated[int, Query(ge=1, le=1000, description="How many rows of each list to show.")] = 20,
) -> Response:
    """The company as this client sees it: promises kept and broken, waits, days without an answer, what it had to say
    again, departments it went through, complaints and how they ended."""
    found = as_client_step(hub.reading, str(client_id), limit=limit)
    if found.client_id != str(client_id):
        return _moved(request, found.client_id)
    masks = masks_for(hub, asker)
    note(hub, asker, "api as-client", [found.client_id], None if masks is None else [])
    return answer(views.as_client_of(found.as_dict(), masks))


@router.get("/clients/{client_id}/explain", responses=_MERGED)
def explain(
    hub: TheHub,
    asker: Asks,
    request: Request,
    client_id: UUID,
    pairs: Annotated[int, Query(ge=1, le=100, description="How many pairs and neighbours to show of each kind.")] = 10,
) -> Response:
    """Why these records are one client: what holds them together, where they would come apart first, and which other
    clients are near and why they are others. Evidence in words (en, ru) and bits."""
    found = explain_client(hub.reading, str(client_id), limit=pairs)
    if found["client_id"] != str(client_id):
        return _moved(request, found["client_id"])
    masks = masks_for(hub, asker)
    around = [one["client_id"] for one in found["borders"]]
    note(hub, asker, "api explain", [found["client_id"], *around], None if masks is None else [])
    return answer(views.explained(found, masks))


def _moved(request: Request, current: str) -> Response:
    path = request.url.path.replace(request.path_params["client_id"], current)
    return RedirectResponse(path + (f"?{request.url.query}" if request.url.query else ""), 307)
