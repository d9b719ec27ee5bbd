"""Who may sign in to console and API. Secrets come in as hashes: what shows a session or a token is never stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.rows import class_row, dict_row

from warehouse.sql import sql

ROLES: Final = ("reader", "steward", "admin")


class AccountExistsError(Exception):
    """Somebody has that login already, or a program that name."""


class Account(NamedTuple):
    """One person who may sign in."""

    account_id: int
    login: str
    role: str
    sees_values: bool
    password_hash: str | None
    language: str | None
    is_active: bool


class SignedIn(NamedTuple):
    """Whose session it is, with the rights of now."""

    account_id: int
    login: str
    role: str
    sees_values: bool
    language: str | None
    purpose: str | None


class Token(NamedTuple):
    """A program that may ask the API."""

    token_id: int
    name: str
    scopes: list[str]
    purpose: str


def add(
    conn: psycopg.Connection[Any], login: str, role: str, *, sees_values: bool, password_hash: str | None, by: str,
    at: datetime,
) -> int:  # fmt: skip
    """A new account; its number. AccountExistsError: the login is taken."""
    said = {"login": login, "role": role, "sees_values": sees_values, "password_hash": password_hash}
    row = conn.execute(sql("accounts.add"), {**said, "by": by, "at": at}).fetchone()
    if row is None:
        raise AccountExistsError(f"there is an account {login} already")
    return int(row[0])


def change(
    conn: psycopg.Connection[Any], login: str, *, at: datetime, role: str | None = None,
    sees_values: bool | None = None, password_hash: str | None = None, is_active: bool | None = None,
) -> bool:  # fmt: skip
    """Change what is given, and end the account's sessions and links; False: there is no such account."""
    said = {"role": role, "sees_values": sees_values, "password_hash": password_hash, "is_active": is_active}
    return conn.execute(sql("accounts.change"), {"login": login, "at": at, **said}).rowcount == 1


def named(conn: psycopg.Connection[Any], login: str) -> Account | None:
    """The account of that login."""
    with conn.cursor(row_factory=class_row(Account)) as cursor:
        return cursor.execute(sql("accounts.named"), {"login": login}).fetchone()


def everybody(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Accounts by login, without their passwords: login, role, sees_values, has_password, is_active, created_at,
    created_by, seen_at."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("accounts.everybody")).fetchall()


def open_session(
    conn: psycopg.Connection[Any], session_hash: bytes, account_id: int, *, purpose: str | None, at: datetime,
    expires_at: datetime,
) -> None:  # fmt: skip
    """A browser is signed in; sessions that are over are forgotten."""
    said = {"hash": session_hash, "account_id": account_id, "purpose": purpose, "at": at, "expires_at": expires_at}
    conn.execute(sql("accounts.forget_sessions"), {"at": at})
    conn.execute(sql("accounts.open_session"), said)


def session(
    conn: psycopg.Connection[Any], session_hash: bytes, *, at: datetime, unused_since: datetime
) -> SignedIn | None:
    """Who a session is of, if it still counts: neither over nor unused since, and nothing changed about the account."""
    with conn.cursor(row_factory=class_row(SignedIn)) as cursor:
        said = {"hash": session_hash, "at": at, "unused_since": unused_since}
        return cursor.execute(sql("accounts.session"), said).fetchone()


def end_session(conn: psycopg.Connection[Any], session_hash: bytes) -> None:
    """Sign out."""
    conn.execute(sql("accounts.end_session"), {"hash": session_hash})


def add_link(
    conn: psycopg.Connection[Any], link_hash: bytes, account_id: int, *, by: str, at: datetime, expires_at: datetime
) -> None:
    """A link that signs in once; those that are over are forgotten."""
    conn.execute(sql("accounts.forget_links"), {"at": at})
    said = {"hash": link_hash, "account_id": account_id, "by": by, "expires_at": expires_at}
    conn.execute(sql("accounts.add_link"), said)


def use_link(conn: psycopg.Connection[Any], link_hash: bytes, *, at: datetime) -> int | None:
    """Whom a link signs in, the first time and before it is over."""
    row = conn.execute(sql("accounts.use_link"), {"hash": link_hash, "at": at}).fetchone()
    return None if row is None else int(row[0])


def failures(conn: psycopg.Connection[Any], subjects: Sequence[bytes], *, since: datetime) -> int:
    """How often one of these (logins, addresses) failed since then, at most: the larger of the counts."""
    row = conn.execute(sql("accounts.failures"), {"subjects": list(subjects), "since": since}).fetchone()
    assert row is not None
    return int(row[0])


def failed(conn: psycopg.Connection[Any], subjects: Sequence[bytes], *, at: datetime, forget_before: datetime) -> None:
    """Another failure of each of these."""
    conn.execute(sql("accounts.forget_failures"), {"before": forget_before})
    conn.execute(sql("accounts.failed"), {"subjects": list(subjects), "at": at})


def forgive(conn: psycopg.Connection[Any], subject: bytes) -> None:
    """Who signs in rightly has not failed before."""
    conn.execute(sql("accounts.forgive"), {"subject": subject})


def add_token(
    conn: psycopg.Connection[Any], token_hash: bytes, name: str, scopes: Sequence[str], *, purpose: str, by: str,
    at: datetime, expires_at: datetime | None,
) -> int:  # fmt: skip
    """A program may ask the API; the token's number. AccountExistsError: a token that counts has that name."""
    said = {"hash": token_hash, "name": name, "scopes": list(scopes), "purpose": purpose, "by": by, "at": at}
    row = conn.execute(sql("accounts.add_token"), {**said, "expires_at": expires_at}).fetchone()
    if row is None:
        raise AccountExistsError(f"there is a token {name} already")
    return int(row[0])


def token(conn: psycopg.Connection[Any], token_hash: bytes, *, at: datetime) -> Token | None:
    """The program that a token is of, if it still counts."""
    with conn.cursor(row_factory=class_row(Token)) as cursor:
        return cursor.execute(sql("accounts.token"), {"hash": token_hash, "at": at}).fetchone()


def tokens(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    """Tokens by name, those that count first: name, scopes, purpose, created_at, created_by, expires_at, used_at,
    revoked_at."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql("accounts.tokens")).fetchall()


def revoke(conn: psycopg.Connection[Any], name: str, *, at: datetime) -> bool:
    """The token of that name counts no more; False: there is none."""
    return conn.execute(sql("accounts.revoke"), {"name": name, "at": at}).rowcount == 1
