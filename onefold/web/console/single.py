"""Signing in by the company's own sign-in, and the door that offers it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from onefold.errors import HubBusy, NothingFound
from onefold.steps.accounts import add_user, change_user
from onefold.web import oidc
from onefold.web.console import session
from onefold.web.console.render import page
from onefold.web.door import TheHub
from onefold.web.hub import Hub
from warehouse import accounts

router: Final = APIRouter(include_in_schema=False)
_COOKIE: Final = "onefold_oidc"
_MINUTES: Final = 10
_ROLES: Final = accounts.ROLES
_AT_ONCE: Final = BoundedSemaphore(2)
"""Who waits for the provider holds a thread: a slow one leaves the others to those who are in already."""


def door(request: Request, hub: Hub, to: str, wrong: str | None = None, status: int = 200) -> HTMLResponse:
    """The page to sign in on, with what this hub allows."""
    known = hub.reading.configuration.hub.console
    offered = known.oidc is not None
    return page(
        request, "sign_in.html", to=to, wrong=wrong, status=status, single=offered, passwords=known.passwords
    )  # fmt: skip


@router.get("/oidc")
def begin(request: Request, hub: TheHub, to: Annotated[str, Query(max_length=500)] = "/") -> Response:
    """On to the company's sign-in."""
    try:
        with _waiting():
            url, attempt = _provider(hub).begin(session.inside(to))
    except oidc.NotVouchedFor as error:
        return door(request, hub, session.inside(to), str(error), 503)
    answer = RedirectResponse(url, 303)
    # Lax and not strict: the provider's page leads back here.
    answer.set_cookie(
        session.cookie_name(request, _COOKIE), base64.urlsafe_b64encode(msgspec.json.encode(attempt)).decode(),
        max_age=60 * _MINUTES, httponly=True, samesite="lax", secure=request.url.scheme == "https", path="/",
    )  # fmt: skip
    return answer


@router.get(oidc.BACK)
def back(request: Request, hub: TheHub) -> Response:
    """In, as whom the company's sign-in vouches for; or the door, and why."""
    cookie = session.cookie_name(request, _COOKIE)
    try:
        attempt = msgspec.json.decode(base64.urlsafe_b64decode(request.cookies.get(cookie, "")), type=oidc.Attempt)
    except (ValueError, msgspec.MsgspecError):
        attempt = oidc.Attempt("", "", "", "/")
    answer: Response
    try:
        provider = _provider(hub)
        if not attempt.state:
            raise oidc.NotVouchedFor("This sign-in was not begun in this browser, or is over: begin it again.")
        with _waiting():
            vouched = provider.end(attempt, dict(request.query_params))
        secret = session.open_for(hub, _login_of(hub, vouched), "console")
    except oidc.NotVouchedFor as error:
        answer = door(request, hub, "/", str(error), 403)
    else:
        answer = RedirectResponse(session.inside(attempt.to), 303)
        session.keep(answer, request, secret)
    answer.delete_cookie(cookie, httponly=True, samesite="lax", secure=request.url.scheme == "https")
    return answer


@contextmanager
def _waiting() -> Iterator[None]:
    """While the provider is asked. HubBusy: enough wait for it."""
    if not _AT_ONCE.acquire(blocking=False):
        raise HubBusy("Others are signing in; try again in a moment.")
    try:
        yield
    finally:
        _AT_ONCE.release()


def _provider(hub: Hub) -> oidc.Provider:
    known = hub.reading.configuration.hub.console
    if known.oidc is None or known.address is None:
        raise NothingFound("This hub has no single sign-on.")
    return oidc.Provider(hub.reading, known.oidc, known.address)


def _login_of(hub: Hub, vouched: oidc.Vouched) -> str:
    """The account of whom is vouched for, with the role that the provider gives. NotVouchedFor: nobody lets them in."""
    known = hub.reading.configuration.hub.console.oidc
    assert known is not None
    default = "reader" if known.roles and known.creates_readers else None
    role = max(vouched.roles, key=_ROLES.index, default=default)
    with hub.reading.connection() as conn:
        found = accounts.named(conn, vouched.login)
    if found is not None and not found.is_active:
        raise oidc.NotVouchedFor("This account was let go here.")
    if known.roles and role is None:
        raise oidc.NotVouchedFor("The company's sign-in gives no role here.")
    if found is None:
        if not known.creates_readers:
            raise oidc.NotVouchedFor("Nobody has let this account in here: ask who runs the hub.")
        add_user(hub.writing, vouched.login, role or "reader", sees_values=False, password=None, by="single sign-on")
    elif role is not None and role != found.role:
        change_user(hub.writing, found.login, role=role, sees_values=None, password=None, is_active=None)
    return vouched.login
