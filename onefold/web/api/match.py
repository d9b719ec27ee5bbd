"""`/v1/match`: which client a record is, before it is created somewhere."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Response

from onefold.steps.lookup import values_of
from onefold.web.api import shapes
from onefold.web.asking import Asker
from onefold.web.door import TheHub, answer, masks_for, needs, note

router: Final = APIRouter(tags=["Match"])


@router.post("/match", response_model=shapes.Matches)
def match(hub: TheHub, asker: Annotated[Asker, Depends(needs("match"))], record: shapes.MatchRequest) -> Response:
    """Search before create: the clients that this record may be, by the same evidence and weights as resolution.
    Nothing is stored."""
    values = values_of(record.attributes)
    with hub.lookup() as lookup:
        found = lookup.match(record.kind, values, country=record.country, limit=record.limit)
    if (masks := masks_for(hub, asker)) is not None:
        for one in found["matches"]:
            one["display_name"] = masks.display_name(one["display_name"], record.kind)
    note(hub, asker, "api match", [one["client_id"] for one in found["matches"]], None if masks is None else [])
    return answer(found)
