"""By what a client is in a reader's scope is kept; the open versions of an event's documents are found by an index.

Revision ID: 0024
Revises: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An index on the few versions that are open; a table, empty, and how far it is kept up.

    It is filled when policies are next set, where row-level security is on.
    """
    op.create_table(
        "client_scope",
        sa.Column("client_id", sa.Uuid(), nullable=False, comment="The client"),
        sa.Column(
            "display_name",
            sa.Text(),
            nullable=True,
            comment="The name by which it is searched; null of one that is gone",
        ),
        sa.Column(
            "scope",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="Sources of its records as s:source, types of its interactions as t:type, in order",
        ),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client_scope")),
        schema="core",
        comment="By what each client is in scope, where row-level security is on; kept up with the change feed",
    )
    op.add_column(
        "hub_clock",
        sa.Column(
            "scoped_event_id",
            sa.BigInteger(),
            nullable=True,
            comment="The change event up to which core.client_scope is kept; null: it is not",
        ),
        schema="ops",
    )
    op.create_index(
        "ix_interaction_version_open_event",
        "interaction_version",
        [sa.text("((version ->> 'event_id'::text)::bigint)")],
        schema="core",
        postgresql_where=sa.text("ended_seq IS NULL"),
    )


def downgrade() -> None:
    """Policies of before find out for themselves."""
    op.drop_index("ix_interaction_version_open_event", "interaction_version", schema="core")
    op.drop_column("hub_clock", "scoped_event_id", schema="ops")
    op.drop_table("client_scope", schema="core")
