"""What people see instead of a page when something is not as it should be."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from onefold.errors import NothingFound, OnefoldError, Stale, UsageError
from onefold.steps.judge import OpposingJudgements
from onefold.web.asking import NotAllowed, NotSignedIn
from onefold.web.console.render import language_of, page, translations

_STATUS: Final = ((NotAllowed, 403), (NothingFound, 404), (Stale, 409), (OpposingJudgements, 409), (UsageError, 422))

_TITLES: Final = {
    403: "This is not yours to do",
    404: "There is no such page",
    409: "It is not as you saw it",
    422: "This does not fit together",
}


def shown(request: Request, error: OnefoldError) -> Response:
    """The door for who is not signed in; else a page that says what is wrong."""
    if isinstance(error, NotSignedIn):
        to = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        return RedirectResponse(f"/sign-in?to={quote(to if request.method == 'GET' else '/')}", 303)
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    words = translations(language_of(request)).gettext
    title = words(_TITLES.get(status, "This did not work"))
    detail = str(error).removesuffix(f" {error.hint}") if error.hint else str(error)
    return page(request, "problem.html", status=status, title=title, detail=detail)


def not_found(request: Request) -> Response:
    """No such page."""
    return shown(request, NothingFound(request.url.path))
