"""One word for cases with the same evidence, a sample shown; how far it has come, and taking it back together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Annotated, Any, Final, Literal, TypeVar
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from onefold.errors import Stale, UsageError
from onefold.steps import case_batch
from onefold.steps.case_desk import Word
from onefold.steps.case_patterns import AT_ONCE, MOST, Pattern, patterns, shown
from onefold.steps.judge import JudgeReport
from onefold.web.api import views
from onefold.web.console.queue_filter import kept
from onefold.web.console.render import page
from onefold.web.console.session import Sends, Visitor, Visits
from onefold.web.door import TheHub, masks_for, note
from onefold.web.hub import Hub

Done = TypeVar("Done")

router: Final = APIRouter(include_in_schema=False)
PATIENCE = 1.0
"""Seconds that a person waits for a decision before they are told that it is being taken."""


@router.get("/cases/patterns")
def grouped(request: Request, hub: TheHub, who: Visits) -> HTMLResponse:
    """The cases that were chosen, by what their evidence says; nothing of anybody."""
    who.asker.needs("cases")
    asked = kept(request)
    found = patterns(hub.reading, asked.chosen(hub, who.asker))
    return page(request, "patterns.html", who, patterns=found[:200], asked=asked, most=MOST)


@router.get("/cases/patterns/{pattern}")
def one(request: Request, hub: TheHub, who: Visits, pattern: str) -> HTMLResponse:
    """A sample of the cases of a pattern, and the word for all of them."""
    who.asker.needs("cases")
    found, masks = _pattern(request, hub, who, pattern), masks_for(hub, who.asker)
    chosen, sample = [case["fingerprint"] for case in found.cases[:AT_ONCE]], found.sample()
    rows = shown(hub.reading, kept(request).chosen(hub, who.asker), {*chosen, *sample})
    told = [views.case_of(rows[case], masks) for case in sample if case in rows]
    clients = {one["client_id"] for case in told for one in case["records"]} - {None}
    note(hub, who.asker, "console pattern", sorted(clients), None if masks is None else [])
    said = [_as_seen(rows[case]) for case in chosen if case in rows]
    return page(
        request, "pattern.html", who, pattern=found, sample=told, at_once=len(said), said=said,
    )  # fmt: skip


@router.post("/cases/patterns/{pattern}")
def decide(
    request: Request,
    hub: TheHub,
    who: Sends,
    pattern: str,
    verdict: Annotated[Literal["same", "not_same"], Form()],
    case: Annotated[list[str] | None, Form(max_length=AT_ONCE)] = None,
    reason: Annotated[str, Form(max_length=2000, pattern=r"^[^\x00]*$")] = "",
) -> Response:
    """The word for all that were shown as alike and still are; the others are left out and named."""
    who.asker.needs("judge")
    seen = dict(_seen(line) for line in case or ())
    alike = {case["fingerprint"] for case in _pattern(request, hub, who, pattern).cases}
    rows = shown(hub.reading, kept(request).chosen(hub, who.asker), alike & seen.keys())
    words = [_word(rows[one], verdict, reason, seen[one]) for one in seen if one in rows]
    left_out = [one for one in seen if one not in rows]
    batch = case_batch.begin(hub.reading, "pattern", len(seen), by=who.asker.name)
    start(hub, batch, words, who, {"stale": left_out} if left_out else None)
    return RedirectResponse(f"/cases/batches/{batch}", 303)


@router.get("/cases/batches/{batch}")
def progress(request: Request, hub: TheHub, who: Visits, batch: UUID) -> HTMLResponse:
    """How far it has come; the page comes again by itself until it is through."""
    who.asker.needs("cases")
    found = case_batch.found(hub.reading, str(batch))
    answer = page(request, "batch.html", who, batch=found)
    if found["finished_at"] is None and not found["is_stopped"]:
        answer.headers["Refresh"] = "2"
    return answer


@router.post("/cases/batches/{batch}/undo")
def undo(hub: TheHub, who: Sends, batch: UUID) -> Response:
    """Take all of it back, as a batch of its own."""
    who.asker.needs("judge")
    total = len(case_batch.decisions(hub.reading, str(batch)))
    own = case_batch.begin(hub.reading, "undo", total, by=who.asker.name)
    _apart(lambda: case_batch.undo_all(hub.writing, own, str(batch), by=who.asker.name, turn=hub.judging))
    return RedirectResponse(f"/cases/batches/{own}", 303)


def at_once(said: Callable[[], Done]) -> Future[Done]:
    """A decision that is being taken, beside the requests: through where that is a moment's work, and then raises what
    it raises."""
    taken: Future[Done] = Future()

    def take() -> None:
        try:
            taken.set_result(said())
        except BaseException as error:
            taken.set_exception(error)

    _apart(take)
    try:
        taken.result(timeout=PATIENCE)
    except TimeoutError:
        if taken.done():  # in this very moment, or it is what the decision itself says
            taken.result()
    return taken


def soon(hub: Hub, who: Visitor, case: str, said: Callable[[], JudgeReport]) -> JudgeReport | Response:
    """What a decision did; where that takes longer than a moment, the way to a page that says how far it is and what
    became of it, while it is taken all the same."""
    taken = at_once(said)
    if taken.done():
        return taken.result()
    batch = case_batch.begin(hub.reading, "decision", 1, by=who.asker.name)

    def tell() -> None:
        with case_batch.at_work(hub.writing, batch):
            error = taken.exception()  # when it is through
            outcome = "held" if error is None and taken.result().is_held else "done"
            case_batch.end(hub.writing, batch, outcome if error is None else case_batch.outcome_of(error), case)

    _apart(tell)
    return RedirectResponse(f"/cases/batches/{batch}", 303)


def start(
    hub: Hub, batch: str, words: Sequence[Word], who: Visitor, left_out: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Decide them beside the requests: each waits for its turn as the decision of a person does."""
    by = who.asker.name
    _apart(lambda: case_batch.decide_all(hub.writing, batch, words, by=by, turn=hub.judging, left_out=left_out))


def _apart(work: Any) -> None:
    # It ends with the process: what it had done stands, and its page says that it was stopped.
    threading.Thread(target=work, name="onefold batch", daemon=True).start()


def _pattern(request: Request, hub: Hub, who: Visitor, pattern: str) -> Pattern:
    for found in patterns(hub.reading, kept(request).chosen(hub, who.asker)):
        if found.pattern == pattern:
            return found
    raise Stale("No case has this evidence any more.", "Look again.")


def _as_seen(row: Mapping[str, Any]) -> str:
    clients = {one["client_id"]: one["changed_seq"] for one in row["records"] or () if one["client_id"]}
    return " ".join([row["fingerprint"], *(f"{client}:{number}" for client, number in sorted(clients.items()))])


def _seen(line: str) -> tuple[str, dict[str, int]]:
    try:
        case, *clients = line.split()
        pairs = (one.split(":") for one in clients)
        return str(UUID(case)), {str(UUID(client)): int(number) for client, number in pairs}
    except ValueError:
        raise UsageError("This form does not fit; load the page again.") from None


def _word(row: Mapping[str, Any], verdict: str, reason: str, seen: Mapping[str, int]) -> Word:
    names = [views.named(one) for one in row["records"]]
    return Word(row["fingerprint"], verdict, names[:1], names[1:], reason, seen)
