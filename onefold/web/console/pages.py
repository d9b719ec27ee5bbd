"""The pages that are nobody's own: signing in and out, the language, what browsers keep."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from onefold.errors import NothingFound
from onefold.web.asking import NotSignedIn, TooManyAttempts
from onefold.web.console import plots, session
from onefold.web.console.render import LANGUAGES
from onefold.web.console.session import Sends, WrongPassword
from onefold.web.console.single import door
from onefold.web.door import TheHub

router: Final = APIRouter(include_in_schema=False)
_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_STATIC: Final = ("charts.css", "console.css", "keys.js", "mark.svg")


@cache
def _file(name: str) -> bytes:
    return plots.STYLE if name == "charts.css" else (files(__package__) / "static" / name).read_bytes()


@router.get("/static/{name}")
def static(name: str) -> Response:
    """What pages look like and their shortcuts; nothing of anybody, so that browsers may keep it."""
    if name not in _STATIC:
        raise NothingFound(f"There is no file {name}.")
    kept = {"Cache-Control": "public, max-age=3600"}
    return Response(_file(name), media_type=_TYPES[name.rpartition(".")[2]], headers=kept)


@router.get("/sign-in")
def sign_in_page(request: Request, hub: TheHub, to: Annotated[str, Query(max_length=500)] = "/") -> HTMLResponse:
    """The door."""
    return door(request, hub, session.inside(to))


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
        return door(request, hub, session.inside(to), str(error), code)
    answer = RedirectResponse(session.inside(to), 303)
    session.keep(answer, request, secret)
    return answer


@router.get("/sign-in/{secret}")
def sign_in_by_link(request: Request, hub: TheHub, secret: str) -> Response:
    """The link that `onefold console` opens, or an invitation: once."""
    try:
        opened = session.use_link(hub, secret, "console")
    except NotSignedIn as error:
        return door(request, hub, "/", str(error), 403)
    answer = RedirectResponse("/", 303)
    session.keep(answer, request, opened)
    return answer


@router.post("/sign-out")
def sign_out(request: Request, hub: TheHub, _who: Sends) -> Response:
    """Out; the cookie is worth nothing any more, wherever it was copied to."""
    session.sign_out(hub, request)
    answer = RedirectResponse("/sign-in", 303)
    session.forget(answer, request)
    return answer


@router.post("/language")
def language(
    _who: Sends, language: Annotated[str, Form()], back: Annotated[str, Form(max_length=500)] = "/"
) -> Response:
    """Another language for this browser."""
    answer = RedirectResponse(session.inside(back), 303)
    if language in LANGUAGES:
        answer.set_cookie("onefold_language", language, max_age=365 * 86_400, httponly=True, samesite="lax")
    return answer
