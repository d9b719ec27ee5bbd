"""What people see instead of a page when something is not as it should be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from onefold.web.console.render import language_of, page, translations

_TITLES: Final = {
    403: "This is not yours to do",
    404: "There is no such page",
    409: "It is not as you saw it",
    413: "This is too large",
    422: "This does not fit together",
    429: "Too many attempts",
    503: "The hub is busy; try again in a moment",
}
_NOT_SIGNED_IN: Final = 401
_LONGEST: Final = 500
"""Characters of a way back that the door takes."""


def shown(
    request: Request, status: int, detail: str | None = None, *, headers: Mapping[str, str] | None = None
) -> Response:
    """The door for who is not signed in; else a page that says what is wrong."""
    if status == _NOT_SIGNED_IN:
        to = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        is_way_back = request.method == "GET" and len(to) <= _LONGEST
        return RedirectResponse(f"/sign-in?to={quote(to if is_way_back else '/')}", 303)
    title = translations(language_of(request)).gettext(_TITLES.get(status, "This did not work"))
    answer = page(request, "problem.html", status=status, title=title, detail=detail)
    answer.headers.update(headers or {})
    return answer
