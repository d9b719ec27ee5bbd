"""`/v1/concerns` and `/v1/segments`: what worries, with the rows that prove it; and lists for a purpose."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response

from onefold.steps.concerns import acknowledge, concern, concerns
from onefold.steps.needs import schemes
from onefold.steps.segment_use import segment_list
from onefold.web.api import shapes, views
from onefold.web.asking import Asker
from onefold.web.door import Responses, TheHub, answer, masks_for, needs, note

router: Final = APIRouter(tags=["Concerns and segments"])
Asks = Annotated[Asker, Depends(needs("clients"))]
Name = Annotated[str, Path(max_length=100, pattern=r"^[a-z0-9_]+$")]
_CONFLICT: Final[Responses] = {422: {"model": shapes.Problem, "description": "It is not raised, or does not fit."}}


@router.get("/concerns", response_model=shapes.Concerns)
def list_all(hub: TheHub, asker: Asks) -> Response:
    """Every concern and what it says now; of no client in particular."""
    masks = masks_for(hub, asker)
    return answer({"concerns": [views.concern_of(one, masks) for one in concerns(hub.reading)]})


@router.get("/concerns/{name}", response_model=shapes.ConcernRows)
def show(
    hub: TheHub,
    asker: Asks,
    name: Name,
    after: Annotated[UUID | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """A concern with the clients and interactions that prove it now."""
    found = concern(hub.reading, name, after=None if after is None else str(after), limit=limit)
    masks = masks_for(hub, asker)
    clients = sorted({row["client_id"] for row in found["rows"]} - {None})
    note(hub, asker, "api concerns", clients, None if masks is None else [])
    rows = [views.concern_row_of(row, masks) for row in found["rows"]]
    return answer({**views.concern_of(found, masks), "rows": rows, "next": found["next"]})


@router.post("/concerns/{name}/acknowledge", response_model=shapes.Concern, responses=_CONFLICT)
def note_it(
    hub: TheHub,
    asker: Annotated[Asker, Depends(needs("judge"))],
    name: Name,
    said: shapes.Acknowledgement,
) -> Response:
    """Take note of a raised concern, with what is done about it: it is told no more until it is raised again."""
    noted = acknowledge(hub.reading, name, by=asker.name, reason=said.reason)
    return answer(views.concern_of(noted, masks_for(hub, asker)))


@router.get("/segments", response_model=shapes.Segments)
def segments(hub: TheHub, _asker: Asks) -> Response:
    """The segments of the schemes that are served, with their policies and how many clients are in each."""
    told = schemes(hub.reading)
    served = {one["scheme"]: one for one in told["schemes"] if one["is_served"]}
    rows = [
        {**{name: one[name] for name in views.SEGMENT}, **{name: served[one["scheme"]][name] for name in views.SCHEME}}
        for one in told["segments"]
        if one["scheme"] in served
    ]
    return answer({"segments": rows})


@router.get("/segments/{scheme}/{segment}/clients", response_model=shapes.SegmentClients)
def clients_of(
    hub: TheHub,
    asker: Asks,
    scheme: Name,
    segment: Name,
    purpose: Annotated[str, Query(max_length=100, pattern=r"^[a-z0-9_]+$", description="One of guards.purposes.")],
    after: Annotated[UUID | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Clients of the segment, on the list or not.")] = 100,
) -> Response:
    """A segment's clients for a purpose, without those whom a guard, a refused consent or a contact ban keeps off;
    these are counted by reason, page by page. Written down with who asks."""
    masks = masks_for(hub, asker)
    found = segment_list(
        hub.reading, f"{scheme}.{segment}", purpose=purpose, who=asker.name, how="api segments",
        after=None if after is None else str(after), limit=limit, fields=None if masks is None else [],
    )  # fmt: skip
    clients = [views.list_row_of(one, masks) for one in found.clients]
    left_out = [{name: one[name] for name in ("client_id", "left_out")} for one in found.left_out]
    same = {"scheme": found.scheme, "segment": found.segment, "purpose": found.purpose}
    return answer({**same, "clients": clients, "left_out": left_out, "reasons": found.reasons, "next": found.next})
