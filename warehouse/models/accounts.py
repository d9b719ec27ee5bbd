"""Schema `ops`: who may sign in to console and API, with which rights, and the secrets that show it, as hashes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, DateTime, ForeignKey, Identity, Index, LargeBinary, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY

from warehouse.models import enums
from warehouse.models.base import Table, column, one_of

_AT = DateTime(timezone=True)


class Account(Table, table=True):
    """One person who may sign in."""

    __tablename__ = "account"
    __table_args__ = (
        one_of("role", enums.ACCOUNT_ROLES),
        {"schema": "ops", "comment": "People who may sign in to the console"},
    )

    account_id: int = column(BigInteger, "Rises with every account", key=True, extra=(Identity(always=True),))
    login: str = column(Text, "The name to sign in with; upper and lower case are the same")
    role: str = column(Text, "reader looks, steward decides too, admin manages too")
    sees_values: bool = column(Boolean, "Sees personal data; else masks in its place")
    password_hash: str | None = column(
        Text, "Argon2id; null: signs in by link, or not until a password is set", null=True
    )
    language: str | None = column(Text, "Language of the console; null: the browser's", null=True)
    is_active: bool = column(Boolean, "May sign in", default=text("true"))
    signed_out_at: datetime = column(_AT, "Sessions from before count no more: a new password, another role")
    created_at: datetime = column(_AT, "When it was made")
    created_by: str = column(Text, "Who made it")


Index("uq_account_login", func.lower(Account.login), unique=True)


class Session(Table, table=True):
    """One browser that is signed in."""

    __tablename__ = "session"
    __table_args__ = (
        Index("ix_session_account_id", "account_id"),
        {"schema": "ops", "comment": "Browsers that are signed in"},
    )

    session_hash: bytes = column(LargeBinary, "SHA-256 of what the cookie holds", key=True)
    account_id: int = column(BigInteger, "Who", extra=(ForeignKey("ops.account.account_id"),))
    purpose: str | None = column(Text, "What the person looks at clients for, as said at signing in", null=True)
    created_at: datetime = column(_AT, "When it began")
    seen_at: datetime = column(_AT, "When it was last used, to the minute")
    expires_at: datetime = column(_AT, "When it ends whatever is done")


class SignInLink(Table, table=True):
    """A link that signs in once, without a password."""

    __tablename__ = "sign_in_link"
    __table_args__ = ({"schema": "ops", "comment": "Links that sign in once: the console's own, and invitations"},)

    link_hash: bytes = column(LargeBinary, "SHA-256 of what the link holds", key=True)
    account_id: int = column(BigInteger, "Whom it signs in", extra=(ForeignKey("ops.account.account_id"),))
    created_by: str = column(Text, "Who made it")
    expires_at: datetime = column(_AT, "Until when it is good")
    used_at: datetime | None = column(_AT, "When it was used; it is no good any more", null=True)


class SignInFailure(Table, table=True):
    """A wrong password or token, so that nobody tries thousands."""

    __tablename__ = "sign_in_failure"
    __table_args__ = (
        Index("ix_sign_in_failure_subject_hash_at", "subject_hash", "at"),
        {"schema": "ops", "comment": "Failed attempts to sign in, of the last hours"},
    )

    failure_id: int = column(BigInteger, "Rises with every failure", key=True, extra=(Identity(always=True),))
    subject_hash: bytes = column(LargeBinary, "SHA-256 of the login, or of the address it came from")
    at: datetime = column(_AT, "When")


class ApiToken(Table, table=True):
    """A program that may ask the API."""

    __tablename__ = "api_token"
    __table_args__ = (
        Index("uq_api_token_token_hash", "token_hash", unique=True),
        Index("uq_api_token_name", "name", unique=True, postgresql_where=text("revoked_at IS NULL")),
        {"schema": "ops", "comment": "Programs that may ask the API, and what for"},
    )

    token_id: int = column(BigInteger, "Rises with every token", key=True, extra=(Identity(always=True),))
    token_hash: bytes = column(LargeBinary, "SHA-256 of the token")
    name: str = column(Text, "The program's name, as the access log has it")
    scopes: list[str] = column(ARRAY(Text), "What it may do")
    purpose: str = column(Text, "What it reads clients for")
    created_at: datetime = column(_AT, "When it was made")
    created_by: str = column(Text, "Who made it")
    expires_at: datetime | None = column(_AT, "Until when it is good; null: until it is revoked", null=True)
    used_at: datetime | None = column(_AT, "When it was last used, to the hour", null=True)
    revoked_at: datetime | None = column(_AT, "When it was revoked", null=True)
