"""`/v1/cases` and `/v1/judgements`: what waits for a person's word, and saying it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Response

from onefold import logs
from onefold.errors import UsageError
from onefold.steps.case_desk import refuse_alone
from onefold.steps.case_undo import refuse_undo_alone
from onefold.steps.judge import AsSeen, JudgeReport, effect_of, judge, lift
from onefold.steps.rules import today
from onefold.web.api import shapes, views
from onefold.web.asking import Asker
from onefold.web.console.bulk import at_once
from onefold.web.console.queue_filter import place_named, place_of
from onefold.web.door import Responses, TheHub, answer, masks_for, needs, note
from onefold.web.hub import Hub
from warehouse import case_queue
from warehouse.case_queue import CaseFilter

log: Final = logging.getLogger(__name__)
router: Final = APIRouter(tags=["Review"])
Judges = Annotated[Asker, Depends(needs("judge"))]
Number = Annotated[int, Path(ge=1, lt=2**63)]
Prefer = Annotated[
    str | None, Header(max_length=200, description="`respond-async`: answer when it is stored (RFC 7240).")
]
Told = Callable[[int], None]
_REFUSED: Final[Responses] = {
    409: {"model": shapes.Problem, "description": "It is not as it was seen, or it was judged otherwise before."}
}
_LATER: Final[Responses] = {
    202: {"model": shapes.Effect, "description": "It is stored and takes effect; `Location` leads to how far it is."}
}


@router.get("/cases", response_model=shapes.Cases)
def cases(
    hub: TheHub,
    asker: Annotated[Asker, Depends(needs("cases"))],
    status: Literal["open", "decided", "closed"] = "open",
    state: Annotated[
        Literal["open", "deferred", "proposed", "undo", "any"],
        Query(
            description="`open` waits now, `deferred` is put aside, `proposed` waits for a second person; `undo` is "
            "decided, and waits for a second person to take that back, whatever its `status`."
        ),
    ] = "any",
    kind: Annotated[list[shapes.Text] | None, Query(max_length=20)] = None,
    assignee: Annotated[shapes.Text | None, Query(description="The login of whose they are.")] = None,
    unassigned: Annotated[bool, Query(description="Only those that are nobody's.")] = False,
    source: Annotated[shapes.Text | None, Query(description="One of the records is of this source.")] = None,
    least_impact: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    opened_before: datetime | None = None,
    opened_after: datetime | None = None,
    order: Annotated[
        Literal["impact", "age", "bits"],
        Query(description="Most impact first, the longest waiting first, or the strongest evidence first."),
    ] = "impact",
    after: Annotated[str | None, Query(max_length=100, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> Response:
    """Review cases, most impact first, a page at a time."""
    masks = masks_for(hub, asker)
    chosen = CaseFilter(
        today(hub.reading), status=status, state=state, kinds=kind, assignee=assignee, unassigned=unassigned,
        source=source, least_impact=least_impact, opened_before=_in_zone(opened_before),
        opened_after=_in_zone(opened_after), order=order,
    )  # fmt: skip
    with hub.reading.connection() as conn:
        rows, end = case_queue.page(conn, chosen, limit=limit, after=None if after is None else place_of(after))
    told = [
        {**views.case_of(row, masks), **{name: row[name] for name in ("assignee", "deferred_until", "proposed_by")}}
        for row in rows
    ]
    clients = {one["client_id"] for case in told for one in case["records"]} - {None}
    note(hub, asker, "api cases", sorted(clients), None if masks is None else [])
    return answer({"cases": told, "next": None if end is None else place_named(end)})


@router.post("/judgements", status_code=201, response_model=shapes.Judged, responses={**_REFUSED, **_LATER})
def say(hub: TheHub, asker: Judges, word: shapes.JudgementRequest, prefer: Prefer = None) -> Response:
    """Say that records are the same client or not, that two clients are related, that nobody can tell, or pin a golden
    value. It is stored, and the clients that it
    touches are resolved and published before the answer, unless that would change more than the limits allow (`held`);
    `judgements/{id}/undo` takes it back. With `Prefer: respond-async` it is answered when it is stored (202) where the
    rest takes longer than a second."""
    is_pin = word.verdict == "pin"
    if is_pin is not (word.attribute is not None) or (is_pin and word.right) or (not is_pin and not word.right):
        raise UsageError("A pin has `attribute`, `value` and in `left` its record; all else has records on both sides.")
    seen = AsSeen(None if word.case is None else str(word.case), {str(one): seq for one, seq in word.expects.items()})
    if not is_pin:
        refuse_alone(hub.reading, [*word.left, *word.right])

    def said(told: Told | None) -> JudgeReport:
        with hub.judging() as context:
            return judge(
                context,
                word.verdict,
                word.left,
                word.right,
                attribute=word.attribute,
                value=word.value,
                policy=word.policy,
                until=word.until,
                relationship=word.relationship,
                reason=word.reason,
                by=_whose(asker, word.by),
                seen=seen,
                told=told,
            )

    return _answered(hub, prefer, said, 201)


@router.get("/judgements/{judgement_id}", response_model=shapes.Effect)
def effect(hub: TheHub, asker: Judges, judgement_id: Number) -> Response:  # noqa: ARG001
    """Whether a judgement has taken effect."""
    return answer(effect_of(hub.reading, judgement_id))


@router.post("/judgements/{judgement_id}/undo", response_model=shapes.Judged, responses={**_REFUSED, **_LATER})
def undo(hub: TheHub, asker: Judges, judgement_id: int, why: shapes.UndoRequest, prefer: Prefer = None) -> Response:
    """Lift a judgement by a new decision: evidence decides again, or of a pin the one whose place it took. `Prefer` as
    for saying it."""
    refuse_undo_alone(hub.reading, judgement_id)

    def said(told: Told | None) -> JudgeReport:
        with hub.judging() as context:
            return lift(context, judgement_id, reason=why.reason, by=_whose(asker, why.by), told=told)

    return _answered(hub, prefer, said, 200)


def _answered(hub: Hub, prefer: str | None, said: Callable[[Told | None], JudgeReport], status: int) -> Response:
    """What a word did, when it is through; or that it is stored, where who asked would rather not wait for the rest:
    that goes on beside the requests, and with the next run should this process end."""
    if prefer is None or "respond-async" not in {part.split(";")[0].strip().lower() for part in prefer.split(",")}:
        return answer(_judged(said(None)), status)
    stored: Future[int] = Future()
    taken = at_once(lambda: said(stored.set_result))
    either: list[Future[Any]] = [stored, taken]
    wait(either, return_when=FIRST_COMPLETED)  # it may stand behind a run, and then is stored nowhere yet
    if taken.done():
        return answer(_judged(taken.result()), status)
    taken.add_done_callback(_tell_end)
    number = stored.result()
    told = answer(effect_of(hub.reading, number), 202)
    told.headers.update({"Location": f"/v1/judgements/{number}", "Preference-Applied": "respond-async"})
    return told


def _tell_end(taken: Future[JudgeReport]) -> None:
    """Nobody waits for it any more: the log has what ended it."""
    if (error := taken.exception()) is not None:
        logs.tell(
            log, logging.ERROR, "judgement.failed", "a judgement could not take effect", error=type(error).__name__
        )


def _in_zone(at: datetime | None) -> datetime | None:
    """A time that names no zone is in UTC, as all that the API answers."""
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _whose(asker: Asker, by: str | None) -> str:
    """The program always stands in the judgement, also where it says whose word it passes on."""
    return asker.name if by is None else f"{by} ({asker.name})"


def _judged(report: JudgeReport) -> dict[str, object]:
    return {
        "judgement_id": report.judgement_id,
        "verdict": report.verdict,
        "held": report.is_held,
        "records_moved": report.resolve.moved,
        "clients_changed": report.publish.clients,
        "cases_opened": report.resolve.cases_opened,
        "cases_closed": report.resolve.cases_closed,
        "again": report.again,
    }
