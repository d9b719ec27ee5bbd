"""Cases to Excel, and back with a preview."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse

from onefold.errors import UsageError
from onefold.steps import case_batch
from onefold.steps.case_desk import Word
from onefold.steps.case_workbook import CHOICES, MOST, Row, Shown, read, write
from onefold.web.console.bulk import start
from onefold.web.console.queue_filter import kept
from onefold.web.console.render import language_of, page
from onefold.web.console.session import Sends, Visits
from onefold.web.door import TheHub, masks_for, note
from warehouse import case_queue

router: Final = APIRouter(include_in_schema=False)
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_STATES: Final = ("ready", "stale", "unknown", "wrong", "twice", "empty")


@router.get("/cases/workbook")
def door(request: Request, hub: TheHub, who: Visits) -> HTMLResponse:
    """Out and back."""
    who.asker.needs("cases")
    asked = kept(request)
    with hub.reading.connection() as conn:
        count = case_queue.count(conn, asked.chosen(hub, who.asker))
    return page(request, "workbook.html", who, asked=asked, count=min(count, MOST), rows=None, most=MOST)


@router.get("/cases/workbook.xlsx")
def out(request: Request, hub: TheHub, who: Visits) -> Response:
    """The chosen cases as a workbook, as this person may see them."""
    who.asker.needs("cases")
    masks, language = masks_for(hub, who.asker), language_of(request, who.asker)
    shown = None if masks is None else Shown(masks.value, masks.display_name)
    chosen = kept(request).chosen(hub, who.asker)
    with TemporaryDirectory(prefix="onefold-cases-") as folder:
        path = Path(folder) / "cases.xlsx"
        _, clients = write(hub.reading, chosen, path, shown=shown, language=language)
        note(hub, who.asker, "console cases workbook", clients, None if masks is None else [])
        body = path.read_bytes()
    return Response(body, media_type=_XLSX, headers={"Content-Disposition": 'attachment; filename="cases.xlsx"'})


@router.post("/cases/workbook")
def back(request: Request, hub: TheHub, who: Sends, file: Annotated[UploadFile | None, File()] = None) -> HTMLResponse:
    """What a decided workbook would do, line by line; nothing is done."""
    who.asker.needs("judge")
    if file is None:
        raise UsageError("Choose a workbook first.")
    with TemporaryDirectory(prefix="onefold-cases-") as folder:
        path = Path(folder) / "cases.xlsx"
        path.write_bytes(file.file.read())
        rows = read(hub.reading, path)
    counts = {state: sum(row.state == state for row in rows) for state in _STATES}
    words = json.dumps([_plain(row) for row in rows if row.word is not None], separators=(",", ":"))
    asked = kept(request)
    return page(
        request, "workbook.html", who, asked=asked, count=0, rows=rows, counts=counts, words=words, most=MOST,
        choices=CHOICES[language_of(request, who.asker)],
    )  # fmt: skip


@router.post("/cases/workbook/apply")
def apply(hub: TheHub, who: Sends, words: Annotated[str, Form(max_length=1 << 20)]) -> Response:
    """Decide what was ready; each line is looked at once more when it is its turn."""
    who.asker.needs("judge")
    said = _words(words)
    batch = case_batch.begin(hub.reading, "workbook", len(said), by=who.asker.name)
    start(hub, batch, said, who)
    return RedirectResponse(f"/cases/batches/{batch}", 303)


def _plain(row: Row) -> list[Any]:
    assert row.word is not None
    word = row.word
    return [word.case, word.verdict, list(word.left), list(word.right), word.reason, dict(word.seen)]


def _words(text: str) -> list[Word]:
    try:
        found = [Word(*one) for one in json.loads(text)]
        for word in found:
            is_fit = word.verdict in ("same", "not_same") and all(isinstance(n, int) for n in word.seen.values())
            texts = [word.case, word.reason, *word.left, *word.right, *word.seen]
            if not is_fit or not all(isinstance(one, str) and "\x00" not in one for one in texts):
                raise ValueError
    except (ValueError, TypeError, AttributeError):
        raise UsageError("This form does not fit; load the workbook again.") from None
    if len(found) > MOST:
        raise UsageError(f"At most {MOST} cases are decided at once.")
    return found
