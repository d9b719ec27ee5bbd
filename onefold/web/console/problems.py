"""What people see instead of a page when something is not as it should be."""

from __future__ import annotations

import re
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
_ADVICE: Final = {
    403: "Your role or rights do not allow it. Who runs the hub can change that.",
    404: "The address is wrong, or what it names is gone.",
    409: "Somebody has decided meanwhile, or what it is about has changed. Nothing was done.",
    413: "Send less at once.",
    422: "What was sent does not fit. Go back, load the page again and say it once more.",
    429: "Wait ten minutes, then try again.",
    503: "Others are at work on it. Wait a moment and send it again.",
}
_OF_KIND: Final = {
    "database": (
        "The hub's database does not answer",
        "Wait a moment and try it again. If it stays so, tell who runs the hub.",
    ),
    "newer-hub": (
        "The hub was migrated by a newer version",
        "Who runs the hub has to start the newer version here too.",
    ),
}
"""Title and advice where the status alone would say something else."""
_NOT_SO: Final = "It cannot be done as it was said; what is missing stands below."
_GONE: Final = _ADVICE[404]
_FAULT: Final = "Try it once more. If it stays so, tell who runs the hub the number below."
_CASE: Final = re.compile(r"/cases/[0-9a-f-]{36}(?=/|$)")
_NOT_SIGNED_IN: Final = 401
_STALE: Final = 409
_UNFIT: Final = 422
_FAULTY: Final = 500
_LONGEST: Final = 500
"""Characters of a way back that the door takes."""


def shown(
    request: Request,
    status: int,
    detail: str | None = None,
    *,
    kind: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The door for who is not signed in; else a page that says what is wrong. `kind`: the problem's, as
    programs are told it."""
    if status == _NOT_SIGNED_IN:
        to = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        is_way_back = request.method == "GET" and len(to) <= _LONGEST
        return RedirectResponse(f"/sign-in?to={quote(to if is_way_back else '/')}", 303)
    words = translations(language_of(request))
    case = _CASE.match(request.url.path) if status == _STALE else None
    title, advice = _OF_KIND.get(kind, (_TITLES.get(status, "This did not work"), advice_of(status, detail)))
    answer = page(
        request,
        "problem.html",
        status=status,
        title=words.gettext(title),
        advice=words.gettext(advice),
        # Written for logs and programs, in English.
        detail=detail,
        again=None if case is None else case.group(),
    )
    answer.headers.update(headers or {})
    return answer


def advice_of(status: int, detail: str | None) -> str:
    """What can be done about it, in English. Of what does not fit together the detail says what is missing; to send the
    same again does not help then."""
    if status == _UNFIT and detail:
        return _NOT_SO
    return _ADVICE.get(status) or (_FAULT if status == _FAULTY else _GONE)
