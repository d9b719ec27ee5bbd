"""`/v1/fixes`: what is wrong in the registers, for programs that hand it to those who keep them."""

from __future__ import annotations

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from onefold.steps.fix_at_source import fix_counts
from onefold.steps.fix_at_source import fixes as fixes_step
from onefold.web.api import shapes, views
from onefold.web.asking import Asker
from onefold.web.door import TheHub, answer, masks_for, needs, note
from warehouse.source_fixes import Wanted

router: Final = APIRouter(tags=["Fix at the source"])
Asks = Annotated[Asker, Depends(needs("clients"))]
Word = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]


@router.get("/fixes", response_model=shapes.Fixes)
def fixes(
    hub: TheHub,
    asker: Asks,
    register: Word = None,
    owner: Word = None,
    kind: Annotated[Literal["duplicate", "invalid", "outvoted", "contradicts", "emptied"] | None, Query()] = None,
    attribute: Word = None,
    client: Annotated[UUID | None, Query(description="Only of this client.")] = None,
    state: Literal["open", "closed"] = "open",
    after: Annotated[int, Query(ge=0, lt=2**63, description="`next` of the page before.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Duplicates and wrong values in the registers, each until a sync shows it mended; oldest first."""
    wanted = Wanted(register, kind, attribute, None if client is None else str(client), is_open=state == "open")
    masks = masks_for(hub, asker)
    rows, end = fixes_step(hub.reading, wanted, owner=owner, after=after, limit=limit)
    note(hub, asker, "api fixes", sorted({row["client_id"] for row in rows}), None if masks is None else [])
    return answer({"fixes": [views.fix_of(row, masks) for row in rows], "next": end})


@router.get("/fixes/counts", response_model=shapes.FixCounts)
def counts(hub: TheHub, _asker: Asks) -> Response:
    """How many are open by register and owner, by attribute, and week by week; of no client in particular."""
    return answer(fix_counts(hub.reading))
