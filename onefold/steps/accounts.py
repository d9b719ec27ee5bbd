"""token: which programs may ask the API, and what for. user: which people may sign in to the console."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from onefold.errors import NothingFound, UsageError
from onefold.steps.passwords import hashed
from onefold.steps.report import Report
from warehouse import accounts

if TYPE_CHECKING:
    from onefold.context import Context

SCOPES: Final[Mapping[str, str]] = {
    "clients": "read clients, their records, interactions and evidence; personal data masked",
    "values": "see personal data unmasked",
    "match": "ask which client a record is",
    "changes": "read the change feed",
    "cases": "read review cases",
    "judge": "say that records are the same client or not, pin values, undo",
    "metrics": "read the hub's own figures",
}
"""What a token may be allowed."""
TOKEN_PREFIX: Final = "ofd_"
"""So that scanners for leaked secrets know one when they see it."""


def new_secret() -> str:
    """256 random bits in the letters of a URL: a session, a link, a token."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> bytes:
    """What is stored of a secret that chance made: there is nothing to guess, so that no slow hash is needed."""
    return hashlib.sha256(secret.encode()).digest()


@dataclass(frozen=True, slots=True)
class NewToken(Report):
    """A token that was made; only its hash is kept."""

    name: str
    scopes: tuple[str, ...]
    expires_at: str | None
    token: str = field(repr=False)


def create_token(
    context: Context, name: str, scopes: Sequence[str], *, purpose: str, by: str, valid_for: timedelta | None
) -> NewToken:
    """Let a program ask the API. UsageError: there is no such scope, or a token that counts has that name."""
    if unknown := sorted(set(scopes) - set(SCOPES)):
        raise UsageError(f"There is no right {unknown[0]}.", f"They are {', '.join(SCOPES)}.")
    at = context.clock()
    expires_at = None if valid_for is None else at + valid_for
    secret = TOKEN_PREFIX + new_secret()
    with context.connection("onefold token") as conn:
        try:
            accounts.add_token(
                conn, hash_of(secret), name, sorted(set(scopes)), purpose=purpose, by=by, at=at, expires_at=expires_at
            )
        except accounts.AccountExistsError as error:
            raise UsageError(f"{error}.", f"Take it back first: onefold token revoke {name}") from None
    return NewToken(name, tuple(sorted(set(scopes))), None if expires_at is None else expires_at.isoformat(), secret)


def tokens(context: Context) -> list[dict[str, Any]]:
    """Every token that was made, without what shows it; those that count first."""
    with context.connection("onefold token") as conn:
        return accounts.tokens(conn)


def revoke_token(context: Context, name: str) -> None:
    """The token counts no more, at once. NothingFound: there is none of that name."""
    with context.connection("onefold token") as conn:
        if not accounts.revoke(conn, name, at=context.clock()):
            raise NothingFound(f"There is no token {name} that counts.", "`onefold token list` shows them.")


def add_user(context: Context, login: str, role: str, *, sees_values: bool, password: str | None, by: str) -> None:
    """Let a person sign in; without a password by a link only. UsageError: the login is taken, or the password is too
    short."""
    stored = None if password is None else hashed(password)
    with context.connection("onefold user") as conn:
        try:
            at = context.clock()
            accounts.add(conn, login, role, sees_values=sees_values, password_hash=stored, by=by, at=at)
        except accounts.AccountExistsError as error:
            raise UsageError(f"{error}.", f"Change it: onefold user change {login} ...") from None


def change_user(
    context: Context, login: str, *, role: str | None, sees_values: bool | None, password: str | None,
    is_active: bool | None,
) -> None:  # fmt: skip
    """Change what is given; whoever is signed in by that login is signed out. NothingFound: there is no such login."""
    with context.connection("onefold user") as conn:
        if not accounts.change(
            conn, login, at=context.clock(), role=role, sees_values=sees_values, is_active=is_active,
            password_hash=None if password is None else hashed(password),
        ):  # fmt: skip
            raise NothingFound(f"There is no user {login}.", "`onefold user list` shows them.")


def users(context: Context) -> list[dict[str, Any]]:
    """Everybody who may sign in, or might."""
    with context.connection("onefold user") as conn:
        return accounts.everybody(conn)


def sign_in_link(context: Context, login: str, *, by: str, valid_for: timedelta) -> str:
    """The end of a link that signs this person in once. NothingFound: there is no such login that may sign in."""
    secret = new_secret()
    with context.connection("onefold user") as conn:
        found = accounts.named(conn, login)
        if found is None or not found.is_active:
            raise NothingFound(f"There is no user {login} who may sign in.", "`onefold user list` shows them.")
        at = context.clock()
        accounts.add_link(conn, hash_of(secret), found.account_id, by=by, at=at, expires_at=at + valid_for)
    return f"/sign-in/{secret}"
