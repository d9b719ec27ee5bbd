"""`/v1/changes`: what has changed, in order, for those who keep a copy."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from onefold.steps.changes import changes as changes_step
from onefold.web.api import shapes
from onefold.web.asking import Asker
from onefold.web.door import Responses, TheHub, answer, needs

router: Final = APIRouter(tags=["Changes"])
_GONE: Final[Responses] = {
    410: {"model": shapes.Problem, "description": "What comes next is no longer kept: read all anew."}
}


@router.get("/changes", response_model=shapes.Changes, responses=_GONE)
def changes(
    hub: TheHub,
    _asker: Annotated[Asker, Depends(needs("changes"))],
    after: Annotated[int, Query(ge=0, lt=2**63, description="The last `changed_seq` that you have.")],
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> Response:
    """Change events behind a number, in order of their commits: nothing comes in later before what you have read."""
    found = list(changes_step(hub.reading, after=after, limit=limit))
    told = [
        {
            "changed_seq": one.changed_seq,
            "changed_at": one.changed_at.isoformat(),
            "change": one.change,
            "client_id": None if one.client_id is None else str(one.client_id),
            "payload": one.payload,
        }
        for one in found
    ]
    return answer({"changes": told, "next": found[-1].changed_seq if found else after, "is_end": len(found) < limit})
