"""What API and console share of showing a client: the line in the access log, and how to go on in a long story."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from onefold.errors import UsageError
from onefold.web.asking import Asker
from onefold.web.door import masks_for, note
from onefold.web.hub import Hub
from onefold.web.masking import Masks
from warehouse import queries, subject


def note_client(hub: Hub, asker: Asker, how: str, view: Mapping[str, Any]) -> None:
    """Write down that a client is shown, and those whom it is related to by name."""
    masks = masks_for(hub, asker)
    note(hub, asker, how, [view["client_id"]], shown(masks, view["attributes"], [view]))
    related = {one["client_id"] for one in view["relationships"]} - {None, view["client_id"]}
    note(hub, asker, f"{how} related", sorted(related), None if masks is None else [])


def note_rows(hub: Hub, asker: Asker, how: str, table: str, rows: int) -> None:
    """Write down that rows of a table are shown that are of no client, or not surely; nothing where there are none."""
    if rows:
        at = hub.reading.clock()
        with hub.reading.connection() as conn:
            number = subject.begin_taking(conn, table, who=asker.name, how=how, at=at, purpose=asker.purpose)
            subject.end_taking(conn, number, rows=rows)


def shown(masks: Masks | None, names: object, rows: object) -> list[str] | None:
    """Which attributes a masked answer shows as they are; None: all."""
    if masks is None:
        return None
    kinds = {row["kind"] for row in rows}  # type: ignore[attr-defined]
    return sorted({name for kind in kinds for name in masks.shown(names, kind)})  # type: ignore[arg-type]


def types_of(hub: Hub, departments: Sequence[str] | None, types: Sequence[str] | None) -> list[str]:
    """The interaction types of these departments among these types; None: all."""
    known = hub.reading.configuration.interaction_types
    of = (code for code, one in known.items() if departments is None or one.department in departments)
    return [code for code in of if types is None or code in types]


def place_named(place: queries.Place) -> str:
    """A place in a story as one word of an address."""
    return base64.urlsafe_b64encode(f"{place.record_id} {place.occurred_at or ''}".encode()).decode().rstrip("=")


def place_of(text: str) -> queries.Place:
    """The place that the word names. UsageError: it names none."""
    from datetime import datetime

    try:
        number, _, at = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(" ")
        # As it reads, and not as it is written: PostgreSQL takes fewer forms.
        place = queries.Place(datetime.fromisoformat(at).isoformat() if at else None, int(number))
    except (ValueError, binascii.Error):
        raise UsageError("`after` is no place in a client's story: give `next` of the page before.") from None
    if not -(2**63) <= place.record_id < 2**63:
        raise UsageError("`after` is no place in a client's story: give `next` of the page before.")
    return place
