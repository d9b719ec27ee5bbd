"""Search: clients by anything known about them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from onefold.web.api import views
from onefold.web.console.render import labels, language_of, page
from onefold.web.console.session import Visits
from onefold.web.door import TheHub, masks_for, note
from onefold.web.showing import shown
from warehouse import queries

router: Final = APIRouter(include_in_schema=False)
FOUND_PAGE: Final = 50
MOST_FOUND: Final = 1000
"""Further ones are not looked for: say more."""
Order = Literal["best", "name", "records"]
_ORDERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "name": lambda row: ((row["display_name"] or "\uffff").casefold(), row["client_id"]),
    "records": lambda row: (-row["record_count"], (row["display_name"] or "").casefold(), row["client_id"]),
}


@router.get("/clients")
def clients(
    request: Request,
    hub: TheHub,
    who: Visits,
    query: Annotated[str, Query(max_length=200)] = "",
    order: Order = "best",
    number: Annotated[int, Query(alias="page", ge=1, le=MOST_FOUND // FOUND_PAGE)] = 1,
    all: bool = False,
) -> Response:
    """Search. What is exactly one client's, such as a phone, leads to that client, unless `all` are asked for."""
    who.asker.needs("clients")
    masks = masks_for(hub, who.asker)
    rows: list[dict[str, Any]] = []
    if len(query.strip()) > 1:
        # To order by anything else than likeness, all have to be known.
        limit = number * FOUND_PAGE + 1 if order == "best" else MOST_FOUND
        with hub.reading.connection() as conn:
            rows = queries.find_clients(conn, query, limit=limit)
    exact = [row for row in rows if row["why"] != "name"]
    if len(exact) == 1 and number == 1 and not all:
        note(hub, who.asker, "console find", [exact[0]["client_id"]], [])
        return RedirectResponse(f"/clients/{exact[0]['client_id']}", 303)
    if order in _ORDERS:
        rows.sort(key=_ORDERS[order])
    first = (number - 1) * FOUND_PAGE
    told = rows[first : first + FOUND_PAGE]
    if told:
        note(hub, who.asker, "console find", [row["client_id"] for row in told], shown(masks, views.FOUND, told))
    return page(
        request,
        "clients.html",
        who,
        query=query,
        order=order,
        number=number,
        clients=views.found_of(told, masks),
        has_more=len(rows) > first + FOUND_PAGE and number < MOST_FOUND // FOUND_PAGE,
        is_cut=len(rows) >= MOST_FOUND,
        marked=lambda text: marked(str(text), query) if masks is None else [(str(text), False)],
        labels=labels(hub.reading.configuration.attributes, language_of(request, who.asker)),
    )


def marked(text: str, query: str) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is a word of the query, or has its digits.

    >>> marked("Anna Kern", "kern")
    [('Anna ', False), ('Kern', True)]
    """
    words = [re.escape(word) for word in query.split()]
    digits = re.sub(r"\D", "", query)
    if len(digits) >= 5 and not any(c.isalpha() for c in query):
        # A leading 8 and a leading +7 are the same number.
        words.append(r"\D*".join(digits[1:] if len(digits) == 11 else digits))
    if not words:
        return [(text, False)]
    pieces = re.split(f"({'|'.join(sorted(words, key=len, reverse=True))})", text, flags=re.IGNORECASE)
    return [(piece, at % 2 == 1) for at, piece in enumerate(pieces) if piece]
