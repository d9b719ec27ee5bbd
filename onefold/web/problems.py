"""Problem details (RFC 9457): how the API tells an error. The message of a fault in our own code stays here: it
could quote a client's data.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from onefold.errors import HubBusy, NewerHub, NothingFound, OnefoldError, Stale, TooLate, UsageError
from onefold.failures import describe, exit_code
from onefold.steps.judge import OpposingJudgements
from onefold.web.asking import NotAllowed, NotSignedIn, TooManyAttempts
from onefold.web.console import problems as console

MEDIA_TYPE: Final = "application/problem+json"
_LOG: Final = logging.getLogger("onefold.web")
_KINDS: Final[tuple[tuple[type[Exception], int, str, str], ...]] = (
    (NotSignedIn, 401, "not-signed-in", "A token is needed"),
    (NotAllowed, 403, "not-allowed", "The token has no such right"),
    (NothingFound, 404, "not-found", "There is no such thing"),
    (OpposingJudgements, 409, "opposing-judgements", "It was judged otherwise before"),
    (Stale, 409, "stale", "It is not as it was when you looked"),
    (TooLate, 410, "no-longer-kept", "What comes next is no longer kept"),
    (UsageError, 422, "not-understood", "The request does not fit together"),
    (TooManyAttempts, 429, "too-many-attempts", "Too many wrong attempts"),
    (HubBusy, 503, "busy", "The hub is busy with this"),
    (NewerHub, 503, "newer-hub", "The hub was migrated by a newer version"),
)
_RETRY_AFTER: Final = {429: "600", 503: "5"}
_DATABASE: Final = 6


def problem(
    status: int, kind: str, title: str, detail: str | None = None, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    """One problem as a response. `kind` names it for programs: `urn:onefold:problem:KIND`."""
    body = {"type": f"urn:onefold:problem:{kind}", "title": title, "status": status, "detail": detail, **more}
    given = {**_headers(status), **(headers or {})}
    if status == 401:
        given["WWW-Authenticate"] = "Bearer"
    return JSONResponse({k: v for k, v in body.items() if v is not None}, status, headers=given, media_type=MEDIA_TYPE)


class Told(NamedTuple):
    """What an error is to whoever asked."""

    status: int
    kind: str
    title: str
    detail: str | None = None


def told_of(error: Exception) -> Told:
    """What an error is told as; the hints are for people at a command line and left out. What nobody expected is logged
    under a number, and its message stays here."""
    detail = describe(error)
    if isinstance(error, OnefoldError) and error.hint:
        detail = detail.removesuffix(f" {error.hint}")
    for kind, status, name, title in _KINDS:
        if isinstance(error, kind):
            return Told(status, name, title, detail)
    if type(error).__name__ == "PoolTimeout":
        return Told(503, "busy", "All connections are in use")
    if exit_code(error) == _DATABASE:
        _LOG.error("database: %s", detail)
        return Told(503, "database", "The hub's database does not answer")
    number = secrets.token_hex(4)
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = "" if where is None else f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}"
    _LOG.error("fault %s: %s at %s", number, type(error).__name__, place)
    return Told(500, "fault", "Something failed here", f"This is a fault in Onefold. Its log has it as fault {number}.")


def answer_to(request: Request, error: Exception) -> Response:
    """A problem for programs, a page for people."""
    return refused(request, told_of(error))


def refused(request: Request, told: Told) -> Response:
    """The same of what is no error of ours."""
    if not _is_page(request):
        return problem(*told)
    return console.shown(request, told.status, told.detail, kind=told.kind, headers=_headers(told.status))


def _headers(status: int) -> dict[str, str]:
    return {"Retry-After": _RETRY_AFTER[status]} if status in _RETRY_AFTER else {}


def _is_page(request: Request) -> bool:
    """Asked for by a person in a browser, not by a program."""
    return not request.url.path.startswith(("/v1/", "/health/", "/static/", "/metrics"))


def install(app: FastAPI) -> None:
    """Every error that an application means to tell becomes a problem; for others there is `guard.py`."""

    def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        if _is_page(request):
            return console.shown(request, 422)
        # Where and what is wrong, and not what was said: that may be somebody's data.
        found = [{"in": ".".join(map(str, one["loc"])), "detail": one["msg"]} for one in error.errors()]
        return problem(422, "not-understood", "The request does not fit", errors=found)

    def known(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if _is_page(request):
            return console.shown(request, error.status_code, headers=error.headers)
        title = HTTPStatus(error.status_code).phrase
        kind = title.lower().replace(" ", "-").replace("'", "")
        return problem(error.status_code, kind, title, headers=error.headers)

    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, known)
    app.add_exception_handler(OnefoldError, answer_to)
