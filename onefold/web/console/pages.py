"""The pages: home, clients, one client; signing in and out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final
from urllib.parse import quote, urlsplit
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from onefold.errors import NothingFound
from onefold.steps.client import client as client_step
from onefold.steps.status import status
from onefold.web.api import views
from onefold.web.asking import NotSignedIn, TooManyAttempts
from onefold.web.console import session
from onefold.web.console.render import LANGUAGES, labels, language_of, page
from onefold.web.console.session import Sends, Visits, WrongPassword
from onefold.web.door import TheHub, masks_for, note
from onefold.web.showing import note_client, place_named, place_of, shown, types_of
from warehouse import overlap, queries

router: Final = APIRouter(include_in_schema=False)
MOST_FOUND: Final = 50
STORY_PAGE: Final = 50
_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_STATIC: Final = ("console.css", "keys.js", "mark.svg")


@cache
def _file(name: str) -> bytes:
    return (files(__package__) / "static" / name).read_bytes()


@router.get("/static/{name}")
def static(name: str) -> Response:
    """What pages look like and their shortcuts; nothing of anybody, so that browsers may keep it."""
    if name not in _STATIC:
        raise NothingFound(f"There is no file {name}.")
    kept = {"Cache-Control": "public, max-age=3600"}
    return Response(_file(name), media_type=_TYPES[name.rpartition(".")[2]], headers=kept)


@router.get("/sign-in")
def sign_in_page(request: Request, to: Annotated[str, Query(max_length=500)] = "/") -> HTMLResponse:
    """The door."""
    return page(request, "sign_in.html", to=_inside(to), wrong=None)


@router.post("/sign-in")
def sign_in(
    request: Request,
    hub: TheHub,
    login: Annotated[str, Form(max_length=100, pattern=r"^[^\x00]*$")],
    password: Annotated[str, Form(max_length=1000)],
    purpose: Annotated[str, Form(max_length=200, pattern=r"^[^\x00]*$")] = "",
    to: Annotated[str, Form(max_length=500)] = "/",
) -> Response:
    """In, or the door again; which of login and password was wrong is not told."""
    try:
        secret = session.sign_in(hub, request, login, password, purpose)
    except (WrongPassword, TooManyAttempts) as error:
        code = 429 if isinstance(error, TooManyAttempts) else 403
        return page(request, "sign_in.html", to=_inside(to), wrong=str(error), status=code)
    answer = RedirectResponse(_inside(to), 303)
    session.keep(answer, request, secret)
    return answer


@router.get("/sign-in/{secret}")
def sign_in_by_link(request: Request, hub: TheHub, secret: str) -> Response:
    """The link that `onefold console` opens, or an invitation: once."""
    try:
        opened = session.use_link(hub, secret, "console")
    except NotSignedIn as error:
        return page(request, "sign_in.html", to="/", wrong=str(error), status=403)
    answer = RedirectResponse("/", 303)
    session.keep(answer, request, opened)
    return answer


@router.post("/sign-out")
def sign_out(request: Request, hub: TheHub, _who: Sends) -> Response:
    """Out; the cookie is worth nothing any more, wherever it was copied to."""
    session.sign_out(hub, request)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(session.COOKIE)
    return answer


@router.post("/language")
def language(
    _who: Sends, language: Annotated[str, Form()], back: Annotated[str, Form(max_length=500)] = "/"
) -> Response:
    """Another language for this browser."""
    answer = RedirectResponse(_inside(back), 303)
    if language in LANGUAGES:
        answer.set_cookie("onefold_language", language, max_age=365 * 86_400, httponly=True, samesite="lax")
    return answer


@router.get("/")
def home(request: Request, hub: TheHub, who: Visits) -> HTMLResponse:
    """What needs a person: cases, late sources, refused rows, held runs; and who is kept in several registers."""
    found = status(hub.reading)
    with hub.reading.connection() as conn:
        kept = [pair for pair in overlap.pairs(conn) if pair.is_latest]
    return page(
        request,
        "home.html",
        who,
        found=found,
        holds=found["holds"],
        cases_open=sum(one["cases"] for one in found["cases"]),
        rejects=sum(one["rejects"] for one in found["rejects"]),
        late=sum(one["freshness"] != "fresh" for one in found["streams"]),
        overlap=kept,
    )


@router.get("/clients")
def clients(
    request: Request,
    hub: TheHub,
    who: Visits,
    query: Annotated[str, Query(max_length=200)] = "",
) -> HTMLResponse:
    """Search."""
    who.asker.needs("clients")
    masks, found = masks_for(hub, who.asker), []
    if len(query.strip()) > 1:
        with hub.reading.connection() as conn:
            rows = queries.find_clients(conn, query, limit=MOST_FOUND)
        note(hub, who.asker, "console find", [row["client_id"] for row in rows], shown(masks, views.FOUND, rows))
        found = views.found_of(rows, masks)
    return page(
        request, "clients.html", who, query=query, clients=found, most=MOST_FOUND, labels=_labels(hub, request, who)
    )


@router.get("/clients/{client_id}")
def client(
    request: Request,
    hub: TheHub,
    who: Visits,
    client_id: UUID,
    department: Annotated[str | None, Query(max_length=100)] = None,
    after: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """Everything about one client: golden values with their source, records, relationships, the story of all
    departments."""
    who.asker.needs("clients")
    view = client_step(hub.reading, str(client_id), limit=0)
    if view["client_id"] != str(client_id):
        return RedirectResponse(f"/clients/{view['client_id']}", 307)
    if department is not None and department not in {one["department"] for one in view["departments"]}:
        raise NothingFound("Nothing of this department is known of the client.")
    types = None if department is None else types_of(hub, [department], None)
    with hub.reading.connection() as conn:
        rows, end = queries.interactions_of(
            conn, view["client_id"], limit=STORY_PAGE, after=None if after is None else place_of(after), types=types
        )
    masks = masks_for(hub, who.asker)
    note_client(hub, who.asker, "console client", view)
    spoken = language_of(request, who.asker)
    known: Mapping[str, Any] = hub.reading.configuration.interaction_types
    return page(
        request,
        "client.html",
        who,
        client=views.client_of(view, masks),
        story=views.interactions_of(rows, masks),
        next=None if end is None else place_named(end),
        department=department,
        labels=_labels(hub, request, who),
        type_labels={code: one.labels.get(spoken) or code for code, one in known.items()},
    )


def _labels(hub: TheHub, request: Request, who: Visits) -> dict[str, str]:
    return labels(hub.reading.configuration.attributes, language_of(request, who.asker))


def _inside(to: str) -> str:
    """A path of ours: nobody is led elsewhere by a link that looks like ours."""
    parts = urlsplit(to)
    is_ours = to.startswith("/") and not to.startswith(("//", "/\\")) and not parts.netloc and "\\" not in to
    return quote(to, safe="/?&=%#+") if is_ours and to.isprintable() else "/"
