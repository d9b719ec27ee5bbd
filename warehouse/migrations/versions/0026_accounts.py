"""People and programs may sign in to console and API; the access log says what for.

Revision ID: 0026
Revises: 0025
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)
_TEXTS = postgresql.ARRAY(sa.Text())
_ACCOUNT = "ops.account.account_id"


def upgrade() -> None:
    """Tables, empty until somebody is let in; two columns of the access log, null for what came before."""
    op.create_table(
        "account",
        _number("account_id", "Rises with every account"),
        _column("login", sa.Text(), "The name to sign in with; upper and lower case are the same"),
        _column("role", sa.Text(), "reader looks, steward decides too, admin manages too"),
        _column("sees_values", sa.Boolean(), "Sees personal data; else masks in its place"),
        _column("password_hash", sa.Text(), "Argon2id; null: signs in by link, or not until a password is set", True),
        _column("language", sa.Text(), "Language of the console; null: the browser's", True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False, comment="May sign in"),
        _column("signed_out_at", _AT, "Sessions from before count no more: a new password, another role"),
        _column("created_at", _AT, "When it was made"),
        _column("created_by", sa.Text(), "Who made it"),
        sa.CheckConstraint("role IN ('reader', 'steward', 'admin')", name=op.f("ck_account_role")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account")),
        schema="ops",
        comment="People who may sign in to the console",
    )
    op.create_index("uq_account_login", "account", [sa.text("lower(login)")], unique=True, schema="ops")
    op.create_table(
        "session",
        _column("session_hash", sa.LargeBinary(), "SHA-256 of what the cookie holds"),
        _column("account_id", sa.BigInteger(), "Who"),
        _column("purpose", sa.Text(), "What the person looks at clients for, as said at signing in", True),
        _column("created_at", _AT, "When it began"),
        _column("seen_at", _AT, "When it was last used, to the minute"),
        _column("expires_at", _AT, "When it ends whatever is done"),
        sa.ForeignKeyConstraint(["account_id"], [_ACCOUNT], name=op.f("fk_session_account_id")),
        sa.PrimaryKeyConstraint("session_hash", name=op.f("pk_session")),
        schema="ops",
        comment="Browsers that are signed in",
    )
    op.create_index("ix_session_account_id", "session", ["account_id"], schema="ops")
    op.create_table(
        "sign_in_link",
        _column("link_hash", sa.LargeBinary(), "SHA-256 of what the link holds"),
        _column("account_id", sa.BigInteger(), "Whom it signs in"),
        _column("created_by", sa.Text(), "Who made it"),
        _column("expires_at", _AT, "Until when it is good"),
        _column("used_at", _AT, "When it was used; it is no good any more", True),
        sa.ForeignKeyConstraint(["account_id"], [_ACCOUNT], name=op.f("fk_sign_in_link_account_id")),
        sa.PrimaryKeyConstraint("link_hash", name=op.f("pk_sign_in_link")),
        schema="ops",
        comment="Links that sign in once: the console's own, and invitations",
    )
    op.create_table(
        "sign_in_failure",
        _number("failure_id", "Rises with every failure"),
        _column("subject_hash", sa.LargeBinary(), "SHA-256 of the login, or of the address it came from"),
        _column("at", _AT, "When"),
        sa.PrimaryKeyConstraint("failure_id", name=op.f("pk_sign_in_failure")),
        schema="ops",
        comment="Failed attempts to sign in, of the last hours",
    )
    op.create_index("ix_sign_in_failure_subject_hash_at", "sign_in_failure", ["subject_hash", "at"], schema="ops")
    op.create_table(
        "api_token",
        _number("token_id", "Rises with every token"),
        _column("token_hash", sa.LargeBinary(), "SHA-256 of the token"),
        _column("name", sa.Text(), "The program's name, as the access log has it"),
        _column("scopes", _TEXTS, "What it may do"),
        _column("purpose", sa.Text(), "What it reads clients for"),
        _column("created_at", _AT, "When it was made"),
        _column("created_by", sa.Text(), "Who made it"),
        _column("expires_at", _AT, "Until when it is good; null: until it is revoked", True),
        _column("used_at", _AT, "When it was last used, to the hour", True),
        _column("revoked_at", _AT, "When it was revoked", True),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_api_token")),
        schema="ops",
        comment="Programs that may ask the API, and what for",
    )
    op.create_index("uq_api_token_token_hash", "api_token", ["token_hash"], unique=True, schema="ops")
    op.create_index(
        "uq_api_token_name",
        "api_token",
        ["name"],
        unique=True,
        schema="ops",
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    purpose = "What for, as who looked or made the token said; null: by command"
    op.add_column("access_log", _column("purpose", sa.Text(), purpose, True), schema="ops")
    fields = "Attributes that were shown unmasked; null: all"
    op.add_column("access_log", _column("fields", _TEXTS, fields, True), schema="ops")
    _say_how("The command (client, find, subject-report, export) or the call of the API")


def downgrade() -> None:
    """Nobody signs in."""
    _say_how("The command: client, find, subject-report, export")
    op.drop_column("access_log", "fields", schema="ops")
    op.drop_column("access_log", "purpose", schema="ops")
    for name in ("api_token", "sign_in_failure", "sign_in_link", "session", "account"):
        op.drop_table(name, schema="ops")


def _column(name: str, of: sa.types.TypeEngine[Any], comment: str, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, of, nullable=null, comment=comment)


def _number(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), sa.Identity(always=True), nullable=False, comment=comment)


def _say_how(comment: str) -> None:
    op.alter_column("access_log", "how", comment=comment, schema="ops")
