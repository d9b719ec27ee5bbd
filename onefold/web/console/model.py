"""Model: what the matcher learned and how it searches; from what is kept, and nothing is trained from here."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from onefold.steps.model_page import model_page
from onefold.web.console.render import language_of, page
from onefold.web.console.session import Visits
from onefold.web.door import TheHub

router: Final = APIRouter(include_in_schema=False)
PLANNER: Final = "/cases/planner"


@router.get("/model")
def model(
    request: Request, hub: TheHub, who: Visits, version: Annotated[int | None, Query(ge=1, lt=2**31)] = None
) -> HTMLResponse:
    """The version in use, or another one: weights in bits, thresholds, blocking, how weights lie, what it changed."""
    who.asker.needs("cases")
    found = model_page(hub.reading, version)
    spoken = language_of(request, who.asker)
    kinds = {} if found["model"] is None else found["model"]["kinds"]
    return page(
        request,
        "model.html",
        who,
        **found,
        kinds=[(name, kind) for name, kind in kinds.items() if kind["columns"]],
        columns={name: [_spoken(one, spoken) for one in kind["columns"]] for name, kind in kinds.items()},
        planner=PLANNER if _has(request, PLANNER) else None,
    )


def _spoken(column: dict[str, Any], language: str) -> dict[str, Any]:
    levels = [{**level, "level": level["words"][language]} for level in column["levels"]]
    return {**column, "column": column["words"][language], "levels": levels}


def _has(request: Request, path: str) -> bool:
    return any(getattr(route, "path", None) == path for route in request.app.routes)
