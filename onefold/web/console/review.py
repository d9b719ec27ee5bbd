"""The queue: what waits for a person's word, narrowed to what somebody works through, and on from case to case."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from onefold.steps.case_repeats import agreement, asked_instead
from onefold.web.api import views
from onefold.web.console.queue_filter import CHOICES, COOKIE, Asked, keep, kept, place_named, place_of
from onefold.web.console.render import page
from onefold.web.console.session import Done, Visits, proven
from onefold.web.door import TheHub, masks_for, note
from warehouse import case_queue

router: Final = APIRouter(include_in_schema=False)
MOST: Final = 100
ASKED_COOKIE: Final = "onefold_asked"
"""Which case somebody was led to last."""


@router.get("/cases")
def cases(
    request: Request,
    hub: TheHub,
    who: Visits,
    asked: Asked,
    after: Annotated[str | None, Query(max_length=100)] = None,
    done: Done = None,
    held: bool = False,
    waits: bool = False,
) -> HTMLResponse:
    """The queue, a page at a time."""
    who.asker.needs("cases")
    masks, chosen = masks_for(hub, who.asker), asked.chosen(hub, who.asker)
    with hub.reading.connection() as conn:
        place = None if after is None else place_of(after)
        rows, end, counts = case_queue.page_and_kinds(conn, chosen, limit=MOST, after=place)
        states = case_queue.states(conn, who.asker.name, chosen.today)
    more = {"assignee": "assignee", "until": "deferred_until", "proposed_by": "proposed_by"}
    told = [{**views.case_of(row, masks), **{name: row[of] for name, of in more.items()}} for row in rows]
    clients = {one["client_id"] for case in told for one in case["records"]} - {None}
    note(hub, who.asker, "console cases", sorted(clients), None if masks is None else [])
    answer = page(
        request,
        "cases.html",
        who,
        cases=told,
        counts=counts,
        total=counts.get(asked.kind, 0) if asked.kind else sum(counts.values()),
        states=states,
        asked=asked,
        choices=CHOICES,
        sources=sorted(hub.reading.configuration.sources),
        next=None if end is None else place_named(end),
        quality=agreement(hub.reading),
        done=proven(who, done),
        held=held,
        waits=waits,
    )
    keep(answer, request, COOKIE, urlencode(asked.said()))
    return answer


@router.get("/cases/next")
def following(
    request: Request,
    hub: TheHub,
    who: Visits,
    after: UUID | None = None,
    done: Done = None,
    held: bool = False,
    waits: bool = False,
) -> Response:
    """On to the next one of those that were chosen; now and then to one that is asked once more."""
    who.asker.needs("cases")
    wanted = kept(request)
    case = None if after is None else str(after)
    with hub.reading.connection() as conn:
        found = case_queue.next_case(conn, wanted.chosen(hub, who.asker), case)
    again = asked_instead(hub.reading, by=who.asker.name, always=found is None) if "judge" in who.asker.scopes else None
    told = {"done": done} if done is not None else {}
    told |= {name: "true" for name, is_so in (("held", held), ("waits", waits)) if is_so}
    to = again if again is not None and again != case else found
    if to is None:
        return RedirectResponse(f"/cases?{urlencode({**wanted.said(), **told})}" if told else wanted.address(), 303)
    answer = RedirectResponse(f"/cases/{to}?{urlencode(told)}" if told else f"/cases/{to}", 303)
    keep(answer, request, ASKED_COOKIE, to)
    return answer
