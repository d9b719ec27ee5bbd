"""One need of a client with all its grounds: every dealing in which something speaks for it or against it."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from onefold.errors import NothingFound, UsageError
from onefold.steps.client import client as client_step
from onefold.web.console.client import type_labels
from onefold.web.console.needs_told import by_need, said_in
from onefold.web.console.render import page
from onefold.web.console.session import Visits
from onefold.web.door import TheHub, masks_for, note
from warehouse import need_pages
from warehouse.need_pages import Place

router: Final = APIRouter(include_in_schema=False)
PAGE: Final = 50
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_AFTER: Final = re.compile(r"(\d{4}-\d\d-\d\d|)\.(-?\d{1,19})\.(\d{1,9})")


@router.get("/clients/{client_id}/needs/{need}")
def of_need(
    request: Request,
    hub: TheHub,
    who: Visits,
    client_id: UUID,
    need: str,
    after: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    """One need of a client, with every dealing in which something speaks for it or against it."""
    who.asker.needs("clients")
    nothing = NothingFound("Nothing in its dealings speaks of such a need.")
    if not _NAME.fullmatch(need):
        raise nothing
    view = client_step(hub.reading, str(client_id), limit=0)
    if view["client_id"] != str(client_id):
        return RedirectResponse(request.url.path.replace(str(client_id), view["client_id"]), 307)
    masks = masks_for(hub, who.asker)
    configuration = hub.reading.configuration
    place = place_of(after)
    with hub.reading.connection() as conn:
        found = need_pages.of_client(conn, str(client_id))
        rows, end = need_pages.evidence(conn, str(client_id), need, limit=PAGE, after=place)
    told = [one for one in by_need(found, configuration, masks) if one["need"] == need]
    if not told:
        raise nothing
    note(hub, who.asker, "console need", [str(client_id)], None if masks is None else [])
    name = view["display_name"]
    return page(
        request,
        "client_need.html",
        who,
        client_id=client_id,
        name=name if masks is None else masks.display_name(name, view["kind"]),
        one=told[0],
        sightings=[{**row, "said": said_in(configuration, row, masks)} for row in rows],
        next=None if end is None else after_of(end),
        type_labels=type_labels(hub, request, who),
    )


def after_of(place: Place) -> str:
    """A place among sightings as one word of an address."""
    return f"{place.day or ''}.{place.record_id}.{place.signal_key}"


def place_of(text: str) -> Place | None:
    """The place that the word names; None: it is empty. UsageError: it names none."""
    if not text:
        return None
    found = _AFTER.fullmatch(text)
    try:
        if found is None or not -(2**63) <= int(found[2]) < 2**63:
            raise ValueError
        return Place(date.fromisoformat(found[1]) if found[1] else None, int(found[2]), int(found[3]))
    except ValueError:
        raise UsageError("`after` is no place among these dealings: go on from the page before.") from None
