"""A case: its records side by side, the evidence on it, the word, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from onefold.charts.evidence import pair_chart
from onefold.errors import NothingFound, UsageError
from onefold.steps import case_desk
from onefold.steps.case_desk import Word
from onefold.steps.consequences import consequences_as_asked, consequences_of, together
from onefold.steps.explain import explain
from onefold.steps.judge import RELATIONSHIPS, AsSeen, JudgeReport
from onefold.web.console import desk, held_together
from onefold.web.console.beside import may_be_revealed, rows_of, shown_record
from onefold.web.console.bulk import soon
from onefold.web.console.render import LANGUAGES, labels, language_of, page, translations
from onefold.web.console.saying import ONE_RECORD, Question, Said, Verdict, details
from onefold.web.console.session import Done, Sends, Visits, proof_of, proven
from onefold.web.console.would import told_of
from onefold.web.door import TheHub, masks_for, note
from onefold.web.hub import Hub
from onefold.web.masking import Masks
from warehouse import queries, resolution
from warehouse.case_repeats import Due

router: Final = APIRouter(include_in_schema=False)
MOST_RECORDS: Final = 50
"""Records that stand side by side; of larger clients the others are on their pages."""
Place = Annotated[int | None, Query(ge=1, le=MOST_RECORDS)]
"""A column of the page."""
Name = Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")]
Seen = Annotated[list[str] | None, Form(max_length=100)]
_STAYS: Final = ("pin",)
"""After these the case waits as before."""


@router.get("/keys")
def keys(request: Request, who: Visits) -> HTMLResponse:
    """What the keys do."""
    return page(request, "keys.html", who)


@router.get("/cases/{case}/before")
def before(hub: TheHub, who: Visits, case: UUID) -> Response:
    """The open case before this one in the queue; the last of all where there is none."""
    who.asker.needs("cases")
    with hub.reading.connection() as conn:
        found = queries.case_before(conn, str(case))
    return RedirectResponse(f"/cases/{found}" if found else "/cases", 303)


@router.get("/cases/{case}")
def case(
    request: Request,
    hub: TheHub,
    who: Visits,
    case: UUID,
    left: Place = None,
    right: Place = None,
    pin: Name = None,
    done: Done = None,
    held: bool = False,
    waits: bool = False,
) -> HTMLResponse:
    """One case: its records side by side, what they would be together, and what speaks for and against one client.

    `left` and `right` are the two whose evidence is shown; `pin` the attribute of which a value may be pinned.
    """
    who.asker.needs("cases")
    told: dict[str, Any] = {"done": proven(who, done), "held": held, "waits": waits}
    question, again = _asked(request, hub, who, case)
    return _page(request, hub, who, question, (left, right), pin, is_again=again is not None, **told)


@router.post("/cases/{case}/reveal")
def reveal(
    request: Request, hub: TheHub, who: Sends, case: UUID, attribute: Annotated[str, Form(max_length=100)]
) -> HTMLResponse:
    """The page with the values of one attribute, for who must decide and sees masks: each time is written down."""
    who.asker.needs("judge")
    question, again = _asked(request, hub, who, case)
    if not may_be_revealed(hub.reading.configuration.attributes.get(attribute)):
        raise NothingFound("This attribute is not revealed.")
    note(hub, who.asker, "console reveal", _clients(question.records), [attribute])
    return _page(request, hub, who, question, (None, None), None, revealed=(attribute,), is_again=again is not None)


@router.post("/cases/{case}/would/{verdict}")
def would(
    request: Request,
    hub: TheHub,
    who: Sends,
    case: UUID,
    verdict: Verdict,
    more: Annotated[Said, Depends(details)],
    seen: Seen = None,
) -> HTMLResponse:
    """What the word would do, found by the functions that will do it; nothing is written."""
    who.asker.needs("judge")
    question, again = _asked(request, hub, who, case)
    return _would(request, hub, who, question, replace(more, verdict=verdict), seen, again)


@router.get("/cases/{case}/cut")
def cut(
    request: Request,
    hub: TheHub,
    who: Visits,
    case: UUID,
    left: Annotated[int, Query(ge=-(2**63), lt=2**63)],
    right: Annotated[int, Query(ge=-(2**63), lt=2**63)],
) -> HTMLResponse:
    """What becomes of the client when two of its records are told apart."""
    who.asker.needs("judge")
    question, again = _asked(request, hub, who, case)
    return _would(request, hub, who, question, Said("cut", chosen=(left, right)), question.seen(), again)


@router.post("/cases/{case}")
def decide(
    request: Request,
    hub: TheHub,
    who: Sends,
    case: UUID,
    verdict: Annotated[Verdict, Form()],
    more: Annotated[Said, Depends(details)],
    seen: Seen = None,
) -> Response:
    """The word: done before the next case is shown. Stale: it is not as it was when the page was made."""
    who.asker.needs("judge")
    what = replace(more, verdict=verdict)
    question, again = _asked(request, hub, who, case)
    if what.verdict in ONE_RECORD and len(question.asked) != 1:
        raise NothingFound(f"Case {case} does not ask this.", "Load the page again.")
    if len(question.asked) < 2 and what.verdict not in (*ONE_RECORD, "pin"):
        raise NothingFound(f"There is no case {case} of several records.")
    as_seen = AsSeen(str(case), _seen(seen))
    if again is not None and what.verdict == "pin":
        as_seen = AsSeen()  # it answers nothing, and holds whatever else was decided
    elif again is not None:
        return desk.answered_again(hub, who, str(case), question.answer(what))
    elif (other := _instead(hub, who, question, what, as_seen)) is not None:
        return other

    def say() -> JudgeReport:
        with hub.judging() as context:
            return question.do(context, what, by=who.asker.name, seen=as_seen)

    report = soon(hub, who, str(case), say)
    if isinstance(report, Response):
        return report
    told = {} if report.verdict == "lift" else {"done": proof_of(who, report.judgement_id)}
    told |= {"held": "true"} if report.is_held else {}
    if what.verdict in _STAYS:
        return RedirectResponse(f"/cases/{case}?{urlencode(told)}", 303)
    return RedirectResponse(f"/cases/next?{urlencode({'after': str(case), **told})}", 303)


def _instead(hub: Hub, who: Visits, question: Question, what: Said, seen: AsSeen) -> Response | None:
    """Where the word waits for a second person: see `desk.instead`. UsageError: it cannot wait, and needs one."""
    if what.verdict == "pin":
        return None
    if what.verdict in ("move", *ONE_RECORD):
        named = [question.name(one) for one in what.chosen if one in question.ids] or [
            question.name(one) for one in question.asked
        ]
        if case_desk.asks_second(hub.reading, [*named, *([what.client] if what.verdict == "move" else [])]):
            raise UsageError(
                "This decision needs a second person, and this answer cannot wait for one.",
                "Say it as the same or not the same, which another person confirms.",
            )
        return None
    verdict: str = {"cut": "not_same", "split": "not_same"}.get(what.verdict, what.verdict)
    with hub.reading.connection() as conn:
        (word,) = question.words(hub.reading, conn, what)
        names = resolution.names_of(conn, [*word.left_ids, *word.right_ids])
    left, right = ([names[one] for one in side] for side in (word.left_ids, word.right_ids))
    said = Word(str(question.case["fingerprint"]), verdict, left, right, what.reason, seen.clients, word.relationship)
    return desk.instead(hub, who, said)


def _asked(request: Request, hub: Hub, who: Visits, case: UUID) -> tuple[Question, Due | None]:
    """The question as it is shown: one that is asked once more stands there as when it was asked first."""
    again = desk.asked_again(request, hub, who, str(case))
    question = _question(hub, case, MOST_RECORDS if again is None else 0)
    return (question if again is None else Question(desk.as_asked_first(question.case, again.seen))), again


def _question(hub: Hub, case: UUID, others: int = MOST_RECORDS) -> Question:
    with hub.reading.connection() as conn:
        found = queries.review_case(conn, str(case), others=others)
    if found is None:
        raise NothingFound(f"There is no case {case}.")
    found["records"] = found["records"][:MOST_RECORDS]
    return Question(found)


def _page(
    request: Request,
    hub: Hub,
    who: Visits,
    question: Question,
    pair: tuple[int | None, int | None],
    pin: str | None,
    *,
    revealed: Sequence[str] = (),
    is_again: bool = False,
    **values: Any,
) -> HTMLResponse:
    configuration, masks, records = hub.reading.configuration, masks_for(hub, who.asker), question.records
    language = language_of(request, who.asker)
    at = _pair(pair, len(records))
    evidence = _evidence(hub, [question.name(question.ids[one]) for one in at], masks) if at else None
    if evidence is not None and is_again:
        evidence["forbidden"] = [one for one in evidence["forbidden"] if one["reason"] != "judgement"]
    with hub.reading.connection() as conn:
        decided = [] if is_again else queries.decisions_about(conn, question.asked)
        compared = queries.identity_cases(conn, question.asked)
    clients = _clients(records)
    golden = together(hub.reading, clients, question.ids if is_again else None) if len(records) > 1 else {}
    note(hub, who.asker, "console case", clients, None if masks is None else [])
    known = [name for one in records for name in one["attributes"]]
    return page(
        request,
        "case.html",
        who,
        case=question.case,
        records=[shown_record(one, masks) for one in records],
        asked=question.asked,
        groups=rows_of(
            records, configuration.attributes, masks, asked=len(question.asked), together=golden, revealed=revealed
        ),
        labels=labels(configuration.attributes, language),
        findings=[] if evidence is None else [one for one in evidence["findings"] if one["level"] != "missing"],
        evidence=evidence,
        pair=[one + 1 for one in at],
        waterfall=None if evidence is None else pair_chart(evidence, language),
        graph=held_together.chart(hub.reading, question, language) if len(records) > 2 and not is_again else None,
        decided=decided,
        compared=[] if masks is not None else [one for found in compared.values() for one in found],
        relationships=RELATIONSHIPS,
        pinning=pin if pin in known else None,
        first_to_pin=next((name for name in known if name in configuration.attributes), None),
        desk=desk.shown(hub, str(question.case["fingerprint"]), masks, is_asked_again=is_again),
        **{"done": None, "held": False, "waits": False, **values},
    )


def _would(
    request: Request, hub: Hub, who: Visits, question: Question, what: Said, seen: Sequence[str] | None,
    again: Due | None = None,
) -> HTMLResponse:  # fmt: skip
    masks, language = masks_for(hub, who.asker), language_of(request, who.asker)
    if again is None:
        found = consequences_of(hub.reading, lambda context, conn: question.words(context, conn, what))
    else:
        of = {int(record): client for record, client in again.seen.items()}
        found = consequences_as_asked(hub.reading, of, is_same=question.answer(what) == "same")
    known = sorted({*_clients(question.records), *(one.client_id for one in found.clients)})
    note(hub, who.asker, "console consequences", known, None if masks is None else [])
    return page(
        request,
        "would.html",
        who,
        case=question.case,
        what=what,
        names={one["record_id"]: question.name(one["record_id"]) for one in question.records},
        seen=list(seen or ()),
        **told_of(hub, found, masks, language),
    )


def _clients(records: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({one["client_id"] for one in records} - {None})


def _pair(wanted: tuple[int | None, int | None], count: int) -> list[int]:
    """Places of the two whose evidence is shown; the first two where nothing else is wanted."""
    at = [one - 1 for one in wanted if one is not None and one <= count]
    if len(set(at)) == 2:
        return at
    return [0, 1] if count > 1 else []


def _evidence(hub: Hub, names: Sequence[str], masks: Masks | None) -> dict[str, Any] | None:
    """What speaks for and against the two, without their values where those are masked; None where one is of a source
    that is gone."""
    try:
        found = explain(hub.reading, names[0], names[1], proposed=False)
    except (NothingFound, UsageError):
        return None
    if masks is not None:
        found["findings"] = [{**one, "left": None, "right": None} for one in found["findings"]]
        found["forbidden"] = [
            {**one, "words": {spoken: translations(spoken).gettext(one["reason"]) for spoken in LANGUAGES}}
            for one in found["forbidden"]
        ]
    return found


def _seen(said: Sequence[str] | None) -> dict[str, int]:
    """client_id -> changed_seq, of `client_id changed_seq`. UsageError: a form of ours says nothing else."""
    found = {}
    for one in said or ():
        client, _, number = one.partition(" ")
        try:
            found[str(UUID(client))] = int(number)
        except ValueError:
            raise UsageError("This form does not fit; load the page again.") from None
    return found
