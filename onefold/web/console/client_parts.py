"""Further pages of one client: one entry of its story whole, what a register said word for word, how it was then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse

from onefold.errors import NothingFound
from onefold.steps.client_history import changes_between, known_at
from onefold.web.api import views
from onefold.web.console.client import day_of, type_labels
from onefold.web.console.render import labels, language_of, page
from onefold.web.console.session import Visits
from onefold.web.door import TheHub, masks_for, note
from onefold.web.masking import BLANK, Masks
from warehouse import client_pages

router: Final = APIRouter(include_in_schema=False)
MOST_FIELDS: Final = 500
"""Of a payload that are told; the rest is in `onefold trace`."""
RecordId = Annotated[int, Path(ge=-(2**63), lt=2**63)]
Leaf = tuple[str, Any]


@router.get("/clients/{client_id}/story/{record_id}")
def entry(request: Request, hub: TheHub, who: Visits, client_id: UUID, record_id: RecordId) -> HTMLResponse:
    """One entry: lines, promises, what led to it and what followed, its copies in other registers."""
    who.asker.needs("clients")
    with hub.reading.connection() as conn:
        found = client_pages.entry(conn, str(client_id), record_id)
    if found is None:
        raise NothingFound("Nothing of this number has happened with the client.")
    masks = masks_for(hub, who.asker)
    note(hub, who.asker, "console entry", [str(client_id)], None if masks is None else [])
    (shown,) = views.interactions_of([found], masks)
    if masks is not None:
        found["lines"] = [{**line, "item_name": line["item_name"] and BLANK} for line in found["lines"]]
    return page(
        request,
        "client_entry.html",
        who,
        client_id=client_id,
        record_id=record_id,
        one=shown,
        found=found,
        detail=list(leaves(shown["detail"] or {})),
        named=views.named,
        type_labels=type_labels(hub, request, who),
    )


@router.get("/clients/{client_id}/raw/{record_id}")
def raw(request: Request, hub: TheHub, who: Visits, client_id: UUID, record_id: RecordId) -> HTMLResponse:
    """What the register said, in all versions; who may not see values sees which fields there are."""
    who.asker.needs("clients")
    with hub.reading.connection() as conn:
        found = client_pages.payloads(conn, str(client_id), record_id)
    if not found:
        raise NothingFound("No register has said this of the client: it was made of a card, or is somebody else's.")
    masks = masks_for(hub, who.asker)
    # A record that went to another client since shows that one's data.
    theirs = sorted({str(client_id), found[0]["holder"] or str(client_id)})
    note(hub, who.asker, "console raw", theirs, None if masks is None else [])
    versions = [dict(leaves(one["payload"])) for one in found]
    for at, one in enumerate(found):
        before = versions[at + 1] if at + 1 < len(versions) else None
        one["fields"] = list(_compared(versions[at], before, masks))[:MOST_FIELDS]
        one["more"] = max(0, len(versions[at]) - MOST_FIELDS)
    return page(
        request, "client_raw.html", who, client_id=client_id, versions=found, record=views.named(found[0]),
        is_masked=masks is not None,
    )  # fmt: skip


@router.get("/clients/{client_id}/history")
def history(
    request: Request,
    hub: TheHub,
    who: Visits,
    client_id: UUID,
    on: Annotated[str, Query(max_length=10)] = "",
    until: Annotated[str, Query(max_length=10)] = "",
) -> HTMLResponse:
    """The golden record and the records as they were known at the end of a day, and what had changed by another."""
    who.asker.needs("clients")
    first, second = day_of(on), day_of(until)
    masks = masks_for(hub, who.asker)
    with hub.reading.connection() as conn:
        versions = client_pages.versions(conn, str(client_id))
    if not versions:
        raise NothingFound(f"There is no client {client_id}.")
    then = None if first is None else known_at(hub.reading, str(client_id), end_of(first))
    later = (
        None if first is None else known_at(hub.reading, str(client_id), end_of(second or hub.reading.clock().date()))
    )
    note(hub, who.asker, "console history", [str(client_id)], None if masks is None else [])
    return page(
        request,
        "client_history.html",
        who,
        client_id=client_id,
        on=on,
        until=until,
        versions=[_version(one, masks) for one in versions],
        then=then and _as_shown(then, masks),
        later_is_there=later is not None,
        changes=[]
        if then is None or later is None
        else [_change(c, then["kind"], later["kind"], masks) for c in changes_between(then, later)],
        most=client_pages.MOST,
        labels=labels(hub.reading.configuration.attributes, language_of(request, who.asker)),
    )


def end_of(day: Any) -> datetime:
    """The last moment of a day, UTC: what was published on it is known then."""
    return datetime.combine(day, time.max, UTC)


def leaves(value: Any, path: str = "") -> Iterator[Leaf]:
    """Every value in a document with the way to it: `lines[0].item`."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        for at, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{at}]")
    else:
        yield path, value


def _compared(
    now: Mapping[str, Any], before: Mapping[str, Any] | None, masks: Masks | None
) -> Iterator[tuple[str, Any, str]]:
    """Field, value, and what became of it since the version before: new, changed, gone or nothing."""
    for path, value in now.items():
        state = "" if before is None or before.get(path, _NONE) == value else "changed" if path in before else "new"
        yield path, BLANK if masks is not None and value is not None else value, state
    for path, value in (before or {}).items():
        if path not in now:
            yield path, BLANK if masks is not None and value is not None else value, "gone"


_NONE: Final = object()


def _version(row: Mapping[str, Any], masks: Masks | None) -> dict[str, Any]:
    name = row["display_name"] if masks is None else masks.display_name(row["display_name"], row["kind"])
    from_start = row["valid_from"] == "-infinity"
    return {**row, "display_name": name, "valid_from": None if from_start else row["valid_from"]}


def _as_shown(found: Mapping[str, Any], masks: Masks | None) -> dict[str, Any]:
    shown = _version(found, masks)
    shown["attributes"] = {name: _value(name, v, found["kind"], masks) for name, v in found["attributes"].items()}
    return shown


def _change(change: Mapping[str, Any], before: str, after: str, masks: Masks | None) -> dict[str, Any]:
    """Each side masked by the kind that the client was then."""
    was, now = (
        _value(change["attribute"], change[side], kind, masks) for side, kind in (("was", before), ("now", after))
    )
    return {**change, "was": was, "now": now} if change["attribute"] else dict(change)


def _value(name: str, value: Any, kind: str, masks: Masks | None) -> Any:
    return value if masks is None or not name else masks.value(name, value, kind)
