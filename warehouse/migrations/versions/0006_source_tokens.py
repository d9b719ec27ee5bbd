"""Tokens that sources hand out are kept between runs, readable by those who run the hub only.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table of tokens, hidden from roles that may read but not write."""
    op.create_table(
        "source_token",
        sa.Column("source", sa.Text(), nullable=False, comment="Source"),
        sa.Column("token", postgresql.JSONB(), nullable=False, comment="Access and refresh token, and when it ends"),
        sa.Column(
            "saved_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was saved",
        ),
        sa.PrimaryKeyConstraint("source", name="pk_source_token"),
        schema="ops",
        comment="Tokens that sources hand out; secret",
    )
    # Roles that exist already were granted SELECT on every new table of the schema.
    op.execute(
        """
        DO $$
        DECLARE reader regrole;
        BEGIN
            FOR reader IN
                SELECT a.grantee::regrole
                FROM pg_class AS c, aclexplode(c.relacl) AS a
                WHERE c.oid = 'ops.source_token'::regclass AND a.grantee NOT IN (0, c.relowner)
                GROUP BY a.grantee
                HAVING bool_and(a.privilege_type = 'SELECT')
            LOOP
                EXECUTE format('REVOKE ALL ON ops.source_token FROM %s', reader);
            END LOOP;
        END
        $$
        """
    )


def downgrade() -> None:
    """Forget the tokens: sources start from the configured ones."""
    op.drop_table("source_token", schema="ops")
