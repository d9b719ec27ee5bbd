"""Home: what needs a person, each number with the way to its rows."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from onefold.steps.worries import worries
from onefold.web.console.render import labels, language_of, page
from onefold.web.console.session import Visits
from onefold.web.door import TheHub, masks_for, note
from onefold.web.masking import Masks
from onefold.web.showing import note_rows
from warehouse import overlap, quality

router: Final = APIRouter(include_in_schema=False)
PAGE: Final = 50
MOST_GENERIC: Final = 200
Type = Annotated[str, Query(alias="type", max_length=50, pattern=r"^[^\x00]*$")]

Name = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]


@router.get("/")
def home(request: Request, hub: TheHub, who: Visits) -> HTMLResponse:
    """Cases by age, sources that are late or fail, held runs, the registers' overlap, quality. Who may not see cases
    sees what concerns everybody: sources and overlap."""
    found = worries(hub.reading)
    return page(
        request,
        "home.html",
        who,
        **found,
        troubled=[one for one in found["sources"] if one["troubles"]],
        settles="cases" in who.asker.scopes,
        counted=quality.COUNTED,
        labels=labels(hub.reading.configuration.attributes, language_of(request, who.asker)),
    )


@router.get("/quality/invalid")
def invalid(
    request: Request,
    hub: TheHub,
    who: Visits,
    kind: Type,
    after: Annotated[int, Query(ge=-(2**63), lt=2**63)] = -(2**63),
) -> HTMLResponse:
    """Identifiers of a type that are not valid, page by page, with the records that bear them."""
    who.asker.needs("cases")
    with hub.reading.connection() as conn:
        rows = quality.invalid_rows(conn, kind, after=after, limit=PAGE)
    masks = masks_for(hub, who.asker)
    clients = sorted({row["client_id"] for row in rows} - {None})
    note(hub, who.asker, "console invalid", clients, None if masks is None else [])
    unnamed = sum(row["client_id"] is None for row in rows)
    note_rows(hub, who.asker, "console invalid", "identity.identifier", unnamed if masks is None else 0)
    records = len({row["record_id"] for row in rows})
    return page(
        request,
        "invalid.html",
        who,
        type=kind,
        rows=[{**row, "value": _value(masks, kind, row)} for row in rows],
        next=rows[-1]["record_id"] if records == PAGE else None,
        labels=labels(hub.reading.configuration.attributes, language_of(request, who.asker)),
    )


@router.get("/quality/generic")
def generic(request: Request, hub: TheHub, who: Visits, kind: Type) -> HTMLResponse:
    """Values of a type that have too many names behind them to tell one client from another."""
    who.asker.needs("cases")
    with hub.reading.connection() as conn:
        rows = quality.generic_rows(conn, kind, limit=MOST_GENERIC)
    masks = masks_for(hub, who.asker)
    note_rows(hub, who.asker, "console generic", "identity.generic_value", len(rows) if masks is None else 0)
    return page(
        request,
        "generic.html",
        who,
        type=kind,
        rows=[{**row, "value": _value(masks, kind, row)} for row in rows],
        most=MOST_GENERIC,
        labels=labels(hub.reading.configuration.attributes, language_of(request, who.asker)),
    )


@router.get("/overlap")
def of_pair(request: Request, hub: TheHub, who: Visits, first: Name, second: Name, both: bool = True) -> HTMLResponse:
    """Some of the clients that stand in two registers, or in the first and not in the second."""
    who.asker.needs("clients")
    with hub.reading.connection() as conn:
        rows = overlap.some_clients(conn, first, second, is_in_both=both, limit=PAGE)
    masks = masks_for(hub, who.asker)
    note(hub, who.asker, "console overlap", sorted(row["client_id"] for row in rows), None if masks is None else [])
    if masks is not None:
        rows = [{**row, "display_name": masks.display_name(row["display_name"], row["kind"])} for row in rows]
    return page(request, "overlap.html", who, rows=rows, first=first, second=second, both=both, most=PAGE)


def _value(masks: Masks | None, name: str, row: dict[str, Any]) -> Any:
    return row["value"] if masks is None else masks.value(name, row["value"], row["kind"])
