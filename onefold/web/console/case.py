"""A case: its records side by side, the evidence on it, the word, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from onefold.errors import NothingFound, UsageError
from onefold.steps.case_desk import Word
from onefold.steps.explain import explain
from onefold.steps.judge import AsSeen, JudgeReport, judge, lift
from onefold.web.api import views
from onefold.web.console import desk
from onefold.web.console.bulk import soon
from onefold.web.console.render import labels, language_of, page
from onefold.web.console.session import Done, Sends, Visits, proof_of, proven
from onefold.web.door import TheHub, masks_for, note
from onefold.web.hub import Hub
from onefold.web.masking import Masks
from warehouse import queries

router: Final = APIRouter(include_in_schema=False)
_GROUPS: Final = (
    ("identifying", frozenset({"identity", "name"})),
    ("contact", frozenset({"contact", "financial"})),
    ("descriptive", frozenset({"none", "special"})),
)
"""Rows of a comparison in the order in which people look: by the class of personal data."""


@router.get("/cases/{case}")
def case(
    request: Request, hub: TheHub, who: Visits, case: UUID, done: Done = None, held: bool = False, waits: bool = False
) -> HTMLResponse:
    """One case: its records side by side, and what speaks for and against one client."""
    who.asker.needs("cases")
    with hub.reading.connection() as conn:
        found = queries.review_case(conn, str(case))
    if found is None:
        raise NothingFound(f"There is no case {case}.")
    again = desk.asked_again(request, hub, who, str(case))
    if again is not None:
        found = desk.as_asked_first(found, again.seen)
    masks, records = masks_for(hub, who.asker), found["records"]
    names = [views.named(one) for one in records]
    evidence = _evidence(hub, names)
    if evidence is not None and again is not None:
        evidence["forbidden"] = [one for one in evidence["forbidden"] if one["reason"] != "judgement"]
    clients = sorted({one["client_id"] for one in records} - {None})
    note(hub, who.asker, "console case", clients, None if masks is None else [])
    spoken = language_of(request, who.asker)
    return page(
        request,
        "case.html",
        who,
        case=found,
        names=names,
        records=[_shown(one, masks) for one in records],
        groups=_groups(records, hub.reading.configuration.attributes, masks),
        labels=labels(hub.reading.configuration.attributes, spoken),
        findings=[] if evidence is None else [one for one in evidence["findings"] if one["level"] != "missing"],
        evidence=evidence,
        most_bits=max((abs(one["bits"]) for one in evidence["findings"]), default=0) or 1 if evidence else 1,
        done=proven(who, done),
        held=held,
        waits=waits,
        desk=desk.shown(hub, str(case), masks, is_asked_again=again is not None),
    )


@router.post("/cases/{case}")
def decide(
    request: Request,
    hub: TheHub,
    who: Sends,
    case: UUID,
    verdict: Annotated[Literal["same", "not_same"], Form()],
    seen: Annotated[list[str] | None, Form(max_length=100)] = None,
    reason: Annotated[str, Form(max_length=2000, pattern=r"^[^\x00]*$")] = "",
) -> Response:
    """The word: done before the next case is shown. Stale: it is not as it was when the page was made."""
    who.asker.needs("judge")
    with hub.reading.connection() as conn:
        found = queries.review_case(conn, str(case))
    if found is None or len(found["records"]) < 2:
        raise NothingFound(f"There is no case {case} of several records.")
    names = [views.named(one) for one in found["records"]]
    if verdict == "not_same" and len(names) > 2:
        raise UsageError("Of more than two records say it pair by pair: `onefold judge not-same`.")
    as_seen = AsSeen(str(case), _seen(seen))
    word = Word(str(case), verdict, names[:1], names[1:], reason, as_seen.clients)
    if (other := desk.instead(request, hub, who, word)) is not None:
        return other

    def said() -> JudgeReport:
        with hub.judging() as context:
            return judge(context, verdict, names[:1], names[1:], reason=reason, by=who.asker.name, seen=as_seen)

    report = soon(hub, who, str(case), said)
    if isinstance(report, Response):
        return report
    told = {"after": str(case), "done": proof_of(who, report.judgement_id)}
    return RedirectResponse(f"/cases/next?{urlencode({**told, **({'held': 'true'} if report.is_held else {})})}", 303)


@router.post("/judgements/{judgement_id}/undo")
def undo(hub: TheHub, who: Sends, judgement_id: int) -> Response:
    """A new decision: evidence decides again."""
    who.asker.needs("judge")
    with hub.judging() as context:
        lift(context, judgement_id, reason="undone in the console", by=who.asker.name)
    return RedirectResponse("/cases", 303)


def _evidence(hub: Hub, names: Sequence[str]) -> dict[str, Any] | None:
    """What speaks for and against the first two; None where there is but one, or one is of a source that is gone."""
    if len(names) < 2:
        return None
    try:
        return explain(hub.reading, names[0], names[1])
    except (NothingFound, UsageError):
        return None


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


def _shown(record: Mapping[str, Any], masks: Masks | None) -> dict[str, Any]:
    name = record["display_name"]
    shown = name if masks is None else masks.display_name(name, record["kind"])
    same = ("source", "stream", "source_key", "kind", "role", "url", "client_id", "changed_seq")
    return {**{key: record[key] for key in same}, "display_name": shown}


def _groups(
    records: Sequence[Mapping[str, Any]], attributes: Mapping[str, Any], masks: Masks | None
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Rows by group: name, state (agree, differ, alone) and the values of each record, masked where it is due.

    What agrees is found before it is masked.
    """
    # The way to the card stands in the head.
    names = dict.fromkeys(name for one in records for name in one["attributes"] if name != "url")
    rows: dict[str, list[dict[str, Any]]] = {group: [] for group, _ in _GROUPS}
    for name in names:
        known = attributes.get(name)
        said = [[str(value["v"]) for value in one["attributes"].get(name, ())] for one in records]
        there = [set(values) for values in said if values]
        state = "alone" if len(there) < 2 else "agree" if set.intersection(*there) else "differ"
        cells = [
            [value if masks is None else masks.value(name, value, one["kind"]) for value in values]
            for one, values in zip(records, said, strict=True)
        ]
        of = next((group for group, classes in _GROUPS if known and known.personal_data in classes), "descriptive")
        rows[of].append({"name": name, "state": state, "cells": cells})
    return [(group, found) for group, found in rows.items() if found]
