"""Who is signed in to the console: passwords, links that sign in once, sessions, and forms that only our pages send.

A session is a secret in a cookie whose hash the database keeps, with the rights of now: signing out, a new password or
another role ends it at once, in every process.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from urllib.parse import quote

import psycopg
from fastapi import Depends, Form, Query, Request, Response

from onefold.steps import passwords
from onefold.steps.accounts import hash_of, new_secret
from onefold.web.asking import OF_ROLE, Asker, NotAllowed, NotSignedIn, TooManyAttempts
from onefold.web.door import FAILURES_COUNT_FOR, FORGET_AFTER, TheHub, address_of
from onefold.web.hub import Hub
from warehouse import accounts

Done = Annotated[str | None, Query(max_length=60)]
"""What was just decided, as `proof_of` has it."""
COOKIE: Final = "onefold_session"
LASTS: Final = timedelta(hours=12)
UNUSED_FOR: Final = timedelta(hours=1)
MOST_FAILURES: Final = 10
"""Wrong passwords of one login, or from one address, before none is looked at for a while."""


class WrongPassword(NotSignedIn):
    """Login and password do not belong together; which of them is wrong is not told."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person who is signed in, and what shows that a form is of our own pages."""

    asker: Asker
    form_key: str


def sign_in(hub: Hub, request: Request, login: str, password: str, purpose: str) -> str:
    """The secret of a new session. WrongPassword; TooManyAttempts: neither is looked at any more."""
    if not hub.reading.configuration.hub.console.passwords:
        raise WrongPassword("Nobody signs in with a password here.")
    at = hub.reading.clock()
    subjects = [hash_of(f"login {login.casefold()}"), hash_of(f"address {address_of(request)}")]
    with hub.reading.connection() as conn:
        if accounts.failures(conn, subjects, since=at - FAILURES_COUNT_FOR) >= MOST_FAILURES:
            raise TooManyAttempts("Too many wrong passwords; try again in ten minutes.")
        found = accounts.named(conn, login)
        stored = found.password_hash if found is not None and found.is_active else None
        is_right = passwords.is_right(stored, password)
        if found is None or not is_right:
            accounts.failed(conn, subjects, at=at, forget_before=at - FORGET_AFTER)
            raise WrongPassword("Login and password do not belong together.")
        accounts.forgive(conn, subjects[0])
        return _open(conn, found.account_id, purpose, at)


def use_link(hub: Hub, secret: str, purpose: str) -> str:
    """The secret of a new session of whom the link signs in. NotSignedIn: it was used, or is over."""
    at = hub.reading.clock()
    with hub.reading.connection() as conn:
        account_id = accounts.use_link(conn, hash_of(secret), at=at)
        if account_id is None:
            raise NotSignedIn("This link was used already, or is over: ask for another.")
        return _open(conn, account_id, purpose, at)


def open_for(hub: Hub, login: str, purpose: str) -> str:
    """The secret of a new session of whom others vouch for. NotSignedIn: there is no such account that may sign in."""
    at = hub.reading.clock()
    with hub.reading.connection() as conn:
        found = accounts.named(conn, login)
        if found is None or not found.is_active:
            raise NotSignedIn("There is no such account that may sign in.")
        return _open(conn, found.account_id, purpose, at)


def inside(to: str) -> str:
    """A path of ours: nobody is led elsewhere by a link that looks like ours."""
    is_ours = to.startswith("/") and not to.startswith(("//", "/\\")) and "\\" not in to
    return quote(to, safe="/?&=%#+") if is_ours and to.isprintable() else "/"


def sign_out(hub: Hub, request: Request) -> None:
    """The session of this browser counts no more."""
    with hub.reading.connection() as conn:
        accounts.end_session(conn, hash_of(_secret(request)))


def keep(response: Response, request: Request, secret: str) -> None:
    """The cookie of a session: not for scripts, not for other sites, only encrypted where the page was."""
    response.set_cookie(
        cookie_name(request), secret, max_age=int(LASTS.total_seconds()), httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip


def forget(response: Response, request: Request) -> None:
    """The browser keeps the cookie no more."""
    response.delete_cookie(cookie_name(request), httponly=True, samesite="lax", secure=request.url.scheme == "https")


def cookie_name(request: Request, name: str = COOKIE) -> str:
    """Over TLS a name that browsers take from this host only, so that a neighbour cannot put in one of theirs."""
    return f"__Host-{name}" if request.url.scheme == "https" else name


def _secret(request: Request) -> str:
    return request.cookies.get(cookie_name(request), "")


def visitor(request: Request, hub: TheHub) -> Visitor:
    """Who is signed in. NotSignedIn: nobody."""
    secret = _secret(request)
    at = hub.reading.clock()
    shown = hash_of(secret)
    found = hub.first_asked(lambda conn: accounts.session(conn, shown, at=at, unused_since=at - UNUSED_FOR))
    if found is None:
        raise NotSignedIn("Sign in.")
    scopes = OF_ROLE[found.role] | ({"values"} if found.sees_values else set())
    asker = Asker(found.login, frozenset(scopes), found.purpose, found.language, found.account_id)
    return Visitor(asker, form_key(secret))


Visits = Annotated[Visitor, Depends(visitor)]


def form_of(who: Visits, key: Annotated[str, Form(max_length=100)] = "") -> Visitor:
    """Who sends a form of our own pages. NotAllowed: it is from elsewhere."""
    if not hmac.compare_digest(key.encode(), who.form_key.encode()):
        raise NotAllowed("This form is not of a page of this session: load the page again.")
    return who


Sends = Annotated[Visitor, Depends(form_of)]


def form_key(secret: str) -> str:
    """What forms of a session hold, by which other sites cannot send them: a function of what the cookie holds."""
    return hmac.new(secret.encode(), b"onefold form", hashlib.sha256).hexdigest()


def proof_of(who: Visitor, number: int) -> str:
    """A number that this session was told, so that a link from elsewhere cannot name another: `NUMBER.PROOF`."""
    made = hmac.new(who.form_key.encode(), f"done {number}".encode(), hashlib.sha256).hexdigest()
    return f"{number}.{made[:16]}"


def proven(who: Visitor, said: str | None) -> int | None:
    """The number of `proof_of`; None: it is not of this session."""
    number = (said or "").partition(".")[0]
    if not number.isdecimal() or len(number) > 18:
        return None
    return int(number) if hmac.compare_digest((said or "").encode(), proof_of(who, int(number)).encode()) else None


def _open(conn: psycopg.Connection[Any], account_id: int, purpose: str, at: datetime) -> str:
    secret = new_secret()
    accounts.open_session(
        conn, hash_of(secret), account_id, purpose=purpose or None, at=at, expires_at=at + LASTS
    )  # fmt: skip
    return secret
