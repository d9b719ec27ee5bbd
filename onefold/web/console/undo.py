"""Taking a decision back: what that would do, and doing it."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from onefold.steps.case_undo import case_of, who_undoes
from onefold.steps.consequences import consequences_of_undo
from onefold.steps.judge import JudgeReport
from onefold.steps.regroup import undo_decision
from onefold.web.console.bulk import soon
from onefold.web.console.render import language_of, page
from onefold.web.console.session import Sends, Visits
from onefold.web.console.would import told_of
from onefold.web.door import TheHub, masks_for, note

router: Final = APIRouter(include_in_schema=False)
Number = Annotated[int, Path(ge=1, lt=2**63)]


@router.get("/judgements/{judgement_id}/would")
def would(request: Request, hub: TheHub, who: Visits, judgement_id: Number) -> HTMLResponse:
    """What undoing a judgement, with what was said by the same decision, would do; nothing is written."""
    who.asker.needs("judge")
    masks = masks_for(hub, who.asker)
    found = consequences_of_undo(hub.reading, judgement_id)
    note(
        hub, who.asker, "console consequences", [one.client_id for one in found.clients], None if masks is None else []
    )
    return page(
        request,
        "would_undo.html",
        who,
        judgement=judgement_id,
        case=case_of(hub.reading, judgement_id),
        **told_of(hub, found, masks, language_of(request, who.asker)),
    )


@router.post("/judgements/{judgement_id}/undo")
def undo(
    hub: TheHub, who: Sends, judgement_id: Number,
    why: Annotated[str, Form(alias="note", max_length=2000, pattern=r"^[^\x00]*$")] = "",
) -> Response:  # fmt: skip
    """A new decision: evidence decides again. What two people decided waits for another one first."""
    who.asker.needs("judge")
    whose = who_undoes(hub.reading, judgement_id, by=who.asker.name)
    if whose is None:
        return RedirectResponse("/cases?waits=true", 303)

    def say() -> JudgeReport:
        with hub.judging() as context:
            return undo_decision(context, judgement_id, reason=why.strip() or "undone in the console", by=whose)

    case = case_of(hub.reading, judgement_id)
    report = say() if case is None else soon(hub, who, case, say)
    return report if isinstance(report, Response) else RedirectResponse("/cases", 303)
