"""Sources: how fresh they are, their runs, what was refused of them and why, what is held and what to do about it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from onefold import logs
from onefold.errors import NothingFound, UsageError
from onefold.steps import hold as holding
from onefold.steps import sources as step
from onefold.web.console.bulk import at_once
from onefold.web.console.render import language_of, page
from onefold.web.console.session import Sends, Visits
from onefold.web.door import TheHub, masks_for, note
from onefold.web.masking import BLANK
from onefold.web.showing import note_rows
from warehouse import quality

router: Final = APIRouter(include_in_schema=False)
log: Final = logging.getLogger(__name__)
PAGE: Final = 25
MOST_BYTES: Final = 2_000
"""Of a payload that was refused."""
Name = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]*$")]
_PAGES: Final = frozenset(
    {
        "amocrm", "bitrix24", "business_central", "commerceml", "datev", "dolibarr", "dynamics365", "erpnext", "files",
        "hubspot", "jsonrpc", "moysklad", "odoo", "onec", "quickbooks", "salesforce", "sap_business_one", "sql",
        "tryton", "xero", "zendesk",
    }
)  # fmt: skip


def docs_of(connector: str) -> str:
    """The page of the documentation that tells about a connector: its own, that of its kind, or the catalogue's.

    >>> docs_of("singer:tap-github")
    'docs/connectors/singer.md'
    """
    kind = connector.partition(":")[0]
    name = "odata" if kind.startswith("odata") else "odoo" if kind.startswith("odoo") else kind
    known = name in _PAGES or name in ("singer", "airbyte", "odata")
    return f"docs/connectors/{name if known else 'catalogue'}.md"


@router.get("/sources")
def sources(request: Request, hub: TheHub, who: Visits) -> HTMLResponse:
    """All sources, those that need somebody first; and the runs that are held."""
    who.asker.needs("cases")
    with hub.reading.connection() as conn:
        found, holds = step.sources(hub.reading, conn), step.open_holds(conn)
    return page(request, "sources.html", who, sources=found, holds=holds, titles=_titles(found, request, who))


def _titles(found: list[dict[str, Any]], request: Request, who: Visits) -> dict[str, str]:
    spoken = language_of(request, who.asker)
    return {one["source"]: (one["title"] or {}).get(spoken, "") for one in found}


@router.get("/sources/{name}")
def source(request: Request, hub: TheHub, who: Visits, name: Name) -> HTMLResponse:
    """One source: streams, runs, its days as plots, which fields came or went, what was refused."""
    who.asker.needs("cases")
    with hub.reading.connection() as conn:
        found = step.source(hub.reading, conn, name)
    titles = _titles([found], request, who)
    return page(
        request, "source.html", who, source=found, title=titles[name], docs=docs_of(found["connector"]),
        counted=quality.COUNTED,
    )  # fmt: skip


@router.get("/sources/{name}/rejects")
def rejects(
    request: Request,
    hub: TheHub,
    who: Visits,
    name: Name,
    reason: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
    after: Annotated[str | None, Query(max_length=100)] = None,
) -> HTMLResponse:
    """What of a source could not be taken in, newest first, with its place and its payload."""
    who.asker.needs("cases")
    place = None if after is None else _place_of(after)
    with hub.reading.connection() as conn:
        rows = quality.reject_rows(conn, name, reason=reason, after=place, limit=PAGE, most_bytes=MOST_BYTES)
        reasons = quality.reject_reasons(conn, name)
    if not rows and name not in hub.reading.configuration.sources:
        raise NothingFound(f"There is no source {name}.")
    masked = masks_for(hub, who.asker) is not None
    note(hub, who.asker, "console rejects", sorted({r["client_id"] for r in rows} - {None}), [] if masked else None)
    unnamed = sum(row["client_id"] is None for row in rows)
    note_rows(hub, who.asker, "console rejects", f"ops.reject of {name}", 0 if masked else unnamed)
    last = rows[-1] if len(rows) == PAGE else None
    asked = {} if reason is None else {"reason": reason}
    following = None if last is None else urlencode({**asked, "after": f"{last['first_at']} {last['fingerprint']}"})
    return page(
        request,
        "rejects.html",
        who,
        name=name,
        reason=reason,
        reasons=reasons,
        rows=[{**row, "payload": payload_of(row, masked=masked)} for row in rows],
        next=following,
        masked=masked,
        counted=quality.COUNTED,
    )


def payload_of(row: Mapping[str, Any], *, masked: bool) -> str:
    """The beginning of what was refused; masked only the names of its fields, of what has none nothing."""
    begin: bytes = row["payload"]
    cut = row["bytes"] > len(begin)
    if not masked:
        return begin.decode("utf-8", "replace") + ("…" if cut else "")
    try:
        found = json.loads(begin)
    except ValueError:
        return BLANK
    return ", ".join(f"{name}: {BLANK}" for name in found) if isinstance(found, dict) else BLANK


def _place_of(text: str) -> quality.RejectPlace:
    """UsageError: the address names no place in the list."""
    from datetime import datetime

    at, _, number = text.rpartition(" ")
    try:
        return quality.RejectPlace(datetime.fromisoformat(at).isoformat(), str(UUID(number)))
    except ValueError:
        raise UsageError("This address names no place in the list; begin at its first page.") from None


@router.get("/held/{run_id}")
def held(request: Request, hub: TheHub, who: Visits, run_id: int) -> HTMLResponse:
    """A run that is held: what went beyond the limits, what is aside, and for admins the two ways out; while it is
    taken in, how far that is."""
    who.asker.needs("cases")
    if not 0 <= run_id < 2**63:
        raise NothingFound("There is no such run.")
    found = holding.look_at_run(hub.reading, run_id)
    if found["hold"] is None:
        raise NothingFound(f"Nothing of run {run_id} is held.")
    work = holding.under_way(hub.reading, found["hold"])
    answer = page(request, "held.html", who, run=found, hold=found["hold"], may="admin" in who.asker.scopes, work=work)
    if work is not None and work["is_on"]:
        answer.headers["Refresh"] = "2"
    return answer


@router.post("/held/{run_id}")
def decide(
    hub: TheHub, who: Sends, run_id: int, decision: Annotated[Literal["release", "discard"], Form()]
) -> Response:
    """An admin's word about it, by the step that the command line takes; where that is more than a moment's work, its
    page says how far it is."""
    who.asker.needs("admin")
    if not 0 <= run_id < 2**63:
        raise NothingFound("There is no such run.")
    take = holding.release if decision == "release" else holding.discard
    # The turn is taken here and given back there: that there is none is answered, not lost.
    with ExitStack() as stack:
        context = stack.enter_context(hub.judging())
        turn = stack.pop_all()

    def say() -> object:
        with turn:
            return take(context, run_id, by=who.asker.name)

    taken = at_once(say)
    if not taken.done():
        taken.add_done_callback(partial(_tell_end, run_id))
    return RedirectResponse(f"/held/{run_id}", 303)


def _tell_end(run_id: int, taken: Future[object]) -> None:
    """Nobody waits for it any more: the log has what ended it, its page how far it came."""
    if (error := taken.exception()) is not None:
        kind = type(error).__name__
        logs.tell(log, logging.ERROR, "held.failed", "a decision about a held run failed", run_id=run_id, error=kind)
