"""The page of one client: golden values each with its source, records, everybody's story, what people said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from onefold.errors import NothingFound, UsageError
from onefold.steps.case_undo import case_of, who_undoes
from onefold.steps.client import client as client_step
from onefold.steps.explain_client import explain_client
from onefold.steps.explain_value import explain_value
from onefold.steps.regroup import undo_decision
from onefold.steps.rules import today
from onefold.web.api import views
from onefold.web.console.needs_told import needs_and_segments
from onefold.web.console.render import labels, language_of, page
from onefold.web.console.session import Sends, Visitor, Visits
from onefold.web.door import TheHub, masks_for, note
from onefold.web.hub import Hub
from onefold.web.masking import BLANK, Masks
from onefold.web.showing import note_client, place_named, place_of, types_of
from warehouse import client_pages, concerns, source_fixes
from warehouse.client_pages import Filter

router: Final = APIRouter(include_in_schema=False)
STORY_PAGE: Final = 50
PRINTED: Final = 200
_TOLD: Final = 20
Word = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True, slots=True)
class Story:
    """Which part of a client's story, as the form above it says; empty: all."""

    department: str = ""
    type: str = ""
    register: str = ""
    since: str = ""
    until: str = ""
    amount: bool = False
    words: str = ""

    def wanted(self, hub: Hub, *, sees_values: bool) -> Filter:
        """For the database. Who sees masks may not find out by words what stands behind them. UsageError: no date."""
        departments = [self.department] if self.department else None
        types = [self.type] if self.type else None
        return Filter(
            types=types_of(hub, departments, types) if departments or types else None,
            source=self.register or None,
            since=day_of(self.since),
            until=day_of(self.until),
            with_amount=self.amount,
            words=self.words if sees_values else "",
        )

    def address(self, **more: str) -> str:
        """The same part, on another page."""
        said = {name: getattr(self, name) for name in self.__slots__ if name != "amount"}
        asked = {name: value for name, value in said.items() if value}
        return "?" + urlencode({**asked, **({"amount": "true"} if self.amount else {}), **more})

    @property
    def is_all(self) -> bool:
        """Nothing is left out."""
        return self == Story()


def told(
    department: Word = "", type: Word = "", register: Word = "", since: Word = "", until: Word = "",
    amount: bool = False, words: Word = "",
) -> Story:  # fmt: skip
    """The part that an address names."""
    return Story(department, type, register, since, until, amount, words.strip())


Part = Annotated[Story, Depends(told)]


@router.get("/clients/{client_id}")
def client(
    request: Request,
    hub: TheHub,
    who: Visits,
    client_id: UUID,
    part: Part,
    after: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """Everything about one client."""
    return _shown(request, hub, who, client_id, part, after, template="client.html", limit=STORY_PAGE)


@router.get("/clients/{client_id}/print")
def printed(request: Request, hub: TheHub, who: Visits, client_id: UUID, part: Part) -> Response:
    """The same on paper: nothing to open, and the latest of the story."""
    return _shown(request, hub, who, client_id, part, None, template="client_print.html", limit=PRINTED)


@router.get("/clients/{client_id}/why/{attribute}")
def why(request: Request, hub: TheHub, who: Visits, client_id: UUID, attribute: str) -> HTMLResponse:
    """Why one golden value won, and what every record says instead."""
    who.asker.needs("clients")
    masks = masks_for(hub, who.asker)
    found = explain_value(hub.reading, str(client_id), attribute)
    note(hub, who.asker, "console why", [found["client_id"]], None if masks is None else [])
    if masks is not None:
        found = _masked_value(found, masks)
    return page(request, "client_why.html", who, found=found, labels=_labels(hub, request, who))


@router.get("/clients/{client_id}/explain")
def explain(request: Request, hub: TheHub, who: Visits, client_id: UUID) -> Response:
    """Why its records are one client, and who is near."""
    who.asker.needs("clients")
    found = explain_client(hub.reading, str(client_id))
    if found["client_id"] != str(client_id):
        return RedirectResponse(f"/clients/{found['client_id']}/explain", 307)
    masks = masks_for(hub, who.asker)
    around = [one["client_id"] for one in found["borders"]]
    note(hub, who.asker, "console explain", [found["client_id"], *around], None if masks is None else [])
    return page(request, "client_explain.html", who, found=views.explained(found, masks))


@router.post("/clients/{client_id}/judgements/{judgement_id}/undo")
def undo(hub: TheHub, who: Sends, client_id: UUID, judgement_id: int) -> Response:
    """Take back what was said of the client, with all that was said by the same decision; what
    that changes is done before the page is shown again."""
    who.asker.needs("judge")
    view = client_step(hub.reading, str(client_id), limit=0)
    with hub.reading.connection() as conn:
        said = client_pages.around(conn, view, today=today(hub.reading))["judged"]
    if judgement_id not in {one["judgement_id"] for one in said if one["lifted_at"] is None}:
        raise NothingFound(f"No judgement {judgement_id} on this client is in force.")
    whose = who_undoes(hub.reading, judgement_id, by=who.asker.name)
    if whose is None:
        case = case_of(hub.reading, judgement_id)
        return RedirectResponse(f"/cases/{case}?waits=true" if case else "/cases?waits=true", 303)
    with hub.judging() as context:
        undo_decision(context, judgement_id, reason="undone on the client's page", by=whose)
    return RedirectResponse(f"/clients/{view['client_id']}#said", 303)


def _shown(
    request: Request, hub: Hub, who: Visitor, client_id: UUID, part: Story, after: str | None, *, template: str,
    limit: int,
) -> Response:  # fmt: skip
    who.asker.needs("clients")
    view = client_step(hub.reading, str(client_id), limit=0)
    if view["client_id"] != str(client_id):
        return RedirectResponse(request.url.path.replace(str(client_id), view["client_id"]), 307)
    known: Mapping[str, Any] = hub.reading.configuration.interaction_types
    if part.department and part.department not in {one["department"] for one in view["departments"]}:
        raise NothingFound("Nothing of this department is known of the client.")
    if part.type and part.type not in known:
        raise NothingFound("There is no such type of interaction.")
    masks = masks_for(hub, who.asker)
    wanted = part.wanted(hub, sees_values=who.asker.sees_values)
    place = None if after is None else place_of(after)
    with hub.reading.connection() as conn:
        rows, end = client_pages.story(conn, view["client_id"], wanted, limit=limit, after=place)
        around = client_pages.around(conn, view, today=today(hub.reading))
        fixes = source_fixes.listed(conn, source_fixes.Wanted(client_id=view["client_id"]), limit=_TOLD)
        worries = concerns.of_client(conn, view["client_id"])
        needed = needs_and_segments(conn, view["client_id"], hub.reading.configuration, masks)
    note_client(hub, who.asker, "console print" if template == "client_print.html" else "console client", view)
    shown = views.client_of(view, masks)
    told_of = views.interactions_of(rows, masks)
    for one, row in zip(told_of, rows, strict=True):
        one["record_id"], one["is_counted"] = row["record_id"], row["is_counted"]
    for one, row in zip(shown["records"], view["records"], strict=True):
        one["record_id"] = row["record_id"]
    return page(
        request,
        template,
        who,
        client=shown,
        story=told_of,
        part=part,
        next=None if end is None else part.address(after=place_named(end)),
        outcomes={one["outcome"]: one for one in around["outcomes"]},
        counted=around["counted"],
        names=[_name(one, masks) for one in around["names"]],
        judged=[_said(one, view["kind"], masks) for one in around["judged"]],
        concerns=worries,
        **needed,
        fixes=fixes,
        most_fixes=_TOLD,
        silent=_silent(known, view["departments"]),
        types=sorted({one["type"] for one in view["totals"]}),
        registers=sorted({*hub.reading.configuration.sources}),
        labels=_labels(hub, request, who),
        type_labels=type_labels(hub, request, who),
    )


def _silent(known: Mapping[str, Any], told_by: Sequence[Mapping[str, Any]]) -> list[str]:
    """Departments that keep records of clients and tell nothing of this one."""
    every = {one.department for one in known.values() if one.department}
    return sorted(every - {one["department"] for one in told_by})


def _name(row: Mapping[str, Any], masks: Masks | None) -> dict[str, Any]:
    name = row["display_name"] if masks is None else masks.display_name(row["display_name"], row["kind"])
    return {"name": name, "until": row["until"]}


def _said(row: Mapping[str, Any], kind: str, masks: Masks | None) -> dict[str, Any]:
    """A judgement, without what people write freely where values are masked."""
    if masks is None:
        return dict(row)
    value = row["value"] if row["attribute"] is None else masks.value(row["attribute"], row["value"], kind)
    free = {name: row[name] and BLANK for name in ("reason", "lifted_because")}
    return {**row, "value": value, **free}


def _masked_value(found: Mapping[str, Any], masks: Masks) -> dict[str, Any]:
    name = found["attribute"]
    kind = found["kind"]
    said = [{**one, "value": masks.value(name, one["value"], kind)} for one in found["said"]]
    pin = found["pin"] and {**found["pin"], "note": found["pin"]["note"] and BLANK}
    value = masks.value(name, found["value"], kind)
    return {**found, "display_name": BLANK, "value": value, "said": said, "pin": pin}


def day_of(text: str) -> date | None:
    """A day as forms send it; None: none is said. UsageError: it is none."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError("A day is written as 2026-03-31.") from None


def type_labels(hub: Hub, request: Request, who: Visitor) -> dict[str, str]:
    """What types of interactions are called."""
    spoken = language_of(request, who.asker)
    known: Mapping[str, Any] = hub.reading.configuration.interaction_types
    return {code: one.labels.get(spoken) or code for code, one in known.items()}


def _labels(hub: Hub, request: Request, who: Visitor) -> dict[str, str]:
    return labels(hub.reading.configuration.attributes, language_of(request, who.asker))
