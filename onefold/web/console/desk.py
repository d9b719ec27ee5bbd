"""What is done on a case besides deciding it: giving it to somebody, putting it aside, the second word."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from onefold.errors import UsageError
from onefold.steps import case_desk, case_repeats, case_undo
from onefold.steps.judge import JudgeReport
from onefold.web.console.bulk import soon
from onefold.web.console.review import ASKED_COOKIE
from onefold.web.console.session import Sends, Visitor, proof_of
from onefold.web.door import TheHub
from onefold.web.hub import Hub
from onefold.web.masking import BLANK, Masks

router: Final = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=2000, pattern=r"^[^\x00]*$")]


@router.post("/cases/{case}/assign")
def assign(
    request: Request, hub: TheHub, who: Sends, case: UUID,
    assignee: Annotated[str, Form(max_length=100, pattern=r"^[^\x00]*$")] = "",
) -> Response:  # fmt: skip
    """Whose it is."""
    who.asker.needs("judge")
    if asked_again(request, hub, who, str(case)) is not None:
        return RedirectResponse(f"/cases/{case}", 303)
    case_desk.assign(hub.reading, str(case), assignee.strip() or None, by=who.asker.name)
    return RedirectResponse(f"/cases/{case}", 303)


@router.post("/cases/{case}/defer")
def defer(
    request: Request, hub: TheHub, who: Sends, case: UUID, until: Annotated[str, Form(max_length=10)] = "",
    note: Text = "",
) -> Response:  # fmt: skip
    """Aside until a day, and on to the next; without a day, back at once."""
    who.asker.needs("judge")
    day = _day(until)
    if asked_again(request, hub, who, str(case)) is None:
        case_desk.defer(hub.reading, str(case), day, by=who.asker.name, note=note)
    return RedirectResponse(f"/cases/{case}" if day is None else f"/cases/next?after={case}", 303)


@router.post("/cases/{case}/comment")
def comment(hub: TheHub, who: Sends, case: UUID, text: Text = "") -> Response:
    """Something for whoever looks at it next."""
    who.asker.needs("judge")
    case_desk.comment(hub.reading, str(case), text, by=who.asker.name)
    return RedirectResponse(f"/cases/{case}", 303)


@router.post("/cases/{case}/answer")
def answer(
    hub: TheHub, who: Sends, case: UUID, verdict: Annotated[Literal["confirm", "refuse", "refuse_undo"], Form()],
    note: Text = "",
) -> Response:  # fmt: skip
    """The second person's word."""
    who.asker.needs("judge")
    told = {"after": str(case)}
    if verdict == "refuse_undo":
        case_undo.refuse_undo(hub.reading, str(case), by=who.asker.name, note=note)
        return RedirectResponse(f"/cases/{case}", 303)
    if verdict == "refuse":
        with hub.judging() as context:
            case_desk.answer(context, str(case), confirms=False, by=who.asker.name, note=note)
    else:

        def say() -> JudgeReport:
            with hub.judging() as context:
                done = case_desk.answer(context, str(case), confirms=True, by=who.asker.name, note=note)
            assert done is not None
            return done

        report = soon(hub, who, str(case), say)
        if isinstance(report, Response):
            return report
        told |= {"done": proof_of(who, report.judgement_id)} | ({"held": "true"} if report.is_held else {})
    return RedirectResponse(f"/cases/next?{urlencode(told)}", 303)


def instead(hub: Hub, who: Visitor, word: case_desk.Word) -> Response | None:
    """Where a decision waits for a second person, the way on. None: it takes effect now."""
    if case_desk.propose(hub.reading, word, by=who.asker.name):
        return RedirectResponse(f"/cases/next?{urlencode({'after': word.case, 'waits': 'true'})}", 303)
    return None


def answered_again(hub: Hub, who: Visitor, case: str, verdict: str) -> Response:
    """The second answer to a case that is asked once more is kept, and leads on as the first one did."""
    case_repeats.answer(hub.reading, case, verdict, by=who.asker.name)
    return RedirectResponse(f"/cases/next?{urlencode({'after': case})}", 303)


def asked_again(request: Request, hub: Hub, who: Visitor, case: str) -> Any | None:
    """Whether somebody was led to this case to be asked once more; who comes by another way sees it as it is."""
    if request.cookies.get(ASKED_COOKIE) != case:
        return None
    return case_repeats.asked_again(hub.reading, case, by=who.asker.name)


def shown(hub: Hub, case: str, masks: Masks | None, *, is_asked_again: bool = False) -> dict[str, Any]:
    """History and desk of a case. What people write may name anybody: it is masked whole. Of a case that is asked once
    more nothing is told that was done on it."""
    found = case_desk.history(hub.reading, case)
    if is_asked_again:
        return {**found, "assignee": None, "deferred_until": None, "proposal": None, "undo": None, "events": []}
    if masks is not None:
        found["events"] = [{**one, "note": one["note"] and BLANK} for one in found["events"]]
    return found


def as_asked_first(found: Mapping[str, Any], seen: Mapping[str, str]) -> dict[str, Any]:
    """A decided case as it was when it was asked: open, each record with its client and its own name."""
    records = []
    for one in found["records"]:
        said = {name: values[0]["v"] for name, values in one["attributes"].items() if values}
        parts = (said.get("given_name"), said.get("middle_name"), said.get("family_name"))
        name = said.get("legal_name") or said.get("full_name") or " ".join(str(part) for part in parts if part)
        client = seen.get(str(one["record_id"]), one["client_id"])
        records.append({**one, "client_id": client, "display_name": name or one["display_name"]})
    return {**found, "status": "open", "records": records}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text.strip() else None
    except ValueError:
        raise UsageError("This is no day; write it as 2027-01-31.") from None
