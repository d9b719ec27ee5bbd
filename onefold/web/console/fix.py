"""Fix at the source: what is wrong in each register, for those who keep it; as a page and as a workbook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from onefold.steps.fix_at_source import KINDS, fix_counts, fixes, write_fixes
from onefold.web.api import views
from onefold.web.console.render import labels, language_of, page
from onefold.web.console.session import Visits
from onefold.web.door import TheHub, masks_for, note
from warehouse.source_fixes import Wanted

router: Final = APIRouter(include_in_schema=False)
PAGE: Final = 50
Word = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")]
_EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which entries, as the form says; empty: all."""

    register: str = ""
    owner: str = ""
    kind: str = ""
    attribute: str = ""
    client: str = ""
    state: str = "open"

    def wanted(self) -> Wanted:
        """For the step."""
        return Wanted(
            source=self.register or None,
            kind=self.kind or None,
            attribute=self.attribute or None,
            client_id=self.client or None,
            is_open=self.state == "open",
        )

    def address(self) -> str:
        """The same, in an address."""
        return urlencode({one.name: value for one in fields(self) if (value := getattr(self, one.name))})


def told(
    register: Word = "",
    owner: Word = "",
    kind: Word = "",
    attribute: Word = "",
    client: UUID | None = None,
    state: Literal["open", "closed"] = "open",
) -> Asked:
    """What an address asks for."""
    return Asked(register, owner, kind, attribute, "" if client is None else str(client), state)


Asks = Annotated[Asked, Depends(told)]


@router.get("/fix")
def fix(
    request: Request, hub: TheHub, who: Visits, asked: Asks, after: Annotated[int, Query(ge=0, lt=2**63)] = 0
) -> HTMLResponse:
    """The list, and how many there are by register and owner, and week by week."""
    who.asker.needs("clients")
    masks = masks_for(hub, who.asker)
    rows, end = fixes(hub.reading, asked.wanted(), owner=asked.owner or None, after=after, limit=PAGE)
    counts = fix_counts(hub.reading)
    clients = sorted({row["client_id"] for row in rows})
    note(hub, who.asker, "console fix", clients, None if masks is None else [])
    attributes: Mapping[str, Any] = hub.reading.configuration.attributes
    return page(
        request,
        "fix.html",
        who,
        asked=asked,
        address=asked.address(),
        entries=[views.fix_of(row, masks) for row in rows],
        next=end,
        counts=counts,
        most_open=max((one["open_at_end"] for one in counts["weeks"]), default=0) or 1,
        kinds=KINDS,
        registers=sorted({one["source"] for one in counts["rows"]} | ({asked.register} - {""})),
        owners=sorted({one["owner"] for one in counts["rows"] if one["owner"]} | ({asked.owner} - {""})),
        labels=labels(attributes, language_of(request, who.asker)),
    )


@router.get("/fix.xlsx")
def workbook(hub: TheHub, who: Visits, asked: Asks) -> Response:
    """The same as a workbook of a bounded number of entries; masks stand where they do on the page."""
    who.asker.needs("clients")
    masks = masks_for(hub, who.asker)
    with TemporaryDirectory(prefix="onefold-") as folder:
        path = Path(folder) / "fix.xlsx"
        report = write_fixes(
            hub.reading,
            path,
            asked.wanted(),
            owner=asked.owner or None,
            shown=lambda row: views.fix_of(row, masks),
            about=lambda clients: note(hub, who.asker, "console fix xlsx", clients, None if masks is None else []),
        )
        content = path.read_bytes()
    name = f"fix-{asked.register}.xlsx" if asked.register.isalnum() and asked.register.isascii() else "fix.xlsx"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Onefold-Rows": str(report.rows)}
    return Response(content, media_type=_EXCEL, headers=headers)
