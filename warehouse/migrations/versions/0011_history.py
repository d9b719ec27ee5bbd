"""What was published and replaced since is kept, and nothing is served before it is published.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ENDED = "The change event that published what came after it; null: nothing yet, readers still see this version"
_JSONB = postgresql.JSONB(astext_type=sa.Text())
_AT = sa.DateTime(timezone=True)


_REDIRECTED = """
UPDATE core.{table} AS c SET redirected_to = l.target_client_id, redirected_at = l.at, is_redirected = true
FROM (
    SELECT DISTINCT ON (client_id) client_id, event, target_client_id, at
    FROM identity.client_id_ledger
    WHERE event <> 'mint'
    ORDER BY client_id, id DESC
) AS l
WHERE l.client_id = c.client_id AND l.event = 'redirect' AND c.is_deleted
"""


def _spans() -> list[sa.Column[object]]:
    return [
        sa.Column(
            "changed_seq", sa.BigInteger(), nullable=False, comment="The change event that published the version"
        ),
        sa.Column("ended_seq", sa.BigInteger(), nullable=True, comment=_ENDED),
        sa.Column("known_from", _AT, nullable=True, comment="As of when it was published"),
        sa.Column("known_to", _AT, nullable=True, comment="As of when its successor was published"),
    ]


def _open(table: str, key: str, schema: str) -> None:
    op.create_index(
        f"uq_{table}_open", table, [key], unique=True, schema=schema, postgresql_where=sa.text("ended_seq IS NULL")
    )


def upgrade() -> None:
    """Three tables, empty; columns without a rewrite; indexes to read on from a number."""
    op.create_table(
        "interaction_version",
        sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="The interaction"),
        *_spans(),
        sa.Column("client_id", sa.Uuid(), nullable=True, comment="The client that it belonged to"),
        sa.Column(
            "version",
            _JSONB,
            nullable=False,
            comment="The row of core.interaction as it was, but for its changed_seq",
        ),
        sa.Column("lines", _JSONB, nullable=True, comment="Its rows of core.interaction_line"),
        sa.Column("promises", _JSONB, nullable=True, comment="Its rows of core.promise"),
        sa.PrimaryKeyConstraint("record_id", "changed_seq", name="pk_interaction_version"),
        schema="core",
        comment="Published versions of interactions that were corrected, deleted or moved since",
    )
    _open("interaction_version", "record_id", "core")
    op.create_index("ix_interaction_version_client_id", "interaction_version", ["client_id"], schema="core")
    op.create_table(
        "relationship_version",
        sa.Column("relationship_key", sa.BigInteger(), autoincrement=False, nullable=False, comment="The relationship"),
        *_spans(),
        sa.Column(
            "version",
            _JSONB,
            nullable=False,
            comment="The row of core.relationship as it was, but for keys and changed_seq",
        ),
        sa.PrimaryKeyConstraint("relationship_key", "changed_seq", name="pk_relationship_version"),
        schema="core",
        comment="Published versions of relationships that ended, came back or moved since",
    )
    _open("relationship_version", "relationship_key", "core")
    op.create_table(
        "card_version",
        sa.Column("version_key", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Surrogate"),
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="The record"),
        sa.Column("ended_seq", sa.BigInteger(), nullable=True, comment=_ENDED),
        sa.Column("source", sa.Text(), nullable=False, comment="Source"),
        sa.Column("stream", sa.Text(), nullable=False, comment="Stream"),
        sa.Column("source_key", sa.Text(), nullable=False, comment="The record's key in its source"),
        sa.Column("kind", sa.Text(), nullable=True, comment="person or organisation"),
        sa.Column("role", sa.Text(), nullable=True, comment="client, prospect, supplier, staff or authority"),
        sa.Column("url", sa.Text(), nullable=True, comment="The card in its own system"),
        sa.PrimaryKeyConstraint("version_key", name="pk_card_version"),
        schema="identity",
        comment="Kind, role and card of records as they were served before they changed",
    )
    _open("card_version", "record_id", "identity")
    op.create_index("ix_card_version_record_id", "card_version", ["record_id", "ended_seq"], schema="identity")
    _parts()
    _links()
    _clients()


def _parts() -> None:
    for table in ("interaction_line", "promise"):
        op.add_column(
            table,
            sa.Column(
                "is_removed",
                sa.Boolean(),
                server_default=sa.text("false"),
                nullable=False,
                comment="The interaction no longer has it",
            ),
            schema="core",
        )
        op.add_column(
            table,
            sa.Column(
                "is_unpublished",
                sa.Boolean(),
                nullable=True,
                comment="Readers still see what stood here before; else null",
            ),
            schema="core",
        )
        op.create_index(
            f"ix_{table}_unpublished", table, ["record_id"], schema="core", postgresql_where=sa.text("is_unpublished")
        )
    op.create_index("ix_relationship_changed_seq", "relationship", ["changed_seq"], schema="core")


def _links() -> None:
    comment = "The change event of this link or of its card; null until it is published"
    op.alter_column(
        "crosswalk",
        "changed_seq",
        existing_type=sa.BigInteger(),
        nullable=True,
        comment=comment,
        existing_comment="The change event of this link",
        schema="identity",
    )
    op.create_index("ix_crosswalk_changed_seq", "crosswalk", ["changed_seq"], schema="identity")
    # What stands here was served: 0 says so without a rewrite of the table.
    op.add_column(
        "crosswalk_history",
        sa.Column(
            "opened_seq",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=True,
            comment="The change event that published the link",
        ),
        schema="identity",
    )
    op.alter_column("crosswalk_history", "opened_seq", server_default=None, schema="identity")
    op.alter_column(
        "crosswalk_history",
        "ended_seq",
        existing_type=sa.BigInteger(),
        comment="The change event that published its end",
        existing_comment="The change event that ended the link",
        schema="identity",
    )
    op.create_index(
        "ix_crosswalk_history_ended_seq",
        "crosswalk_history",
        ["ended_seq"],
        schema="identity",
        postgresql_where=sa.text("valid_to IS NOT NULL"),
    )


def _clients() -> None:
    op.add_column(
        "client_history",
        sa.Column(
            "opened_seq",
            sa.BigInteger(),
            nullable=True,
            comment="The change event that opened the version, where changed_seq tells the end",
        ),
        schema="core",
    )
    for table in ("client", "client_history"):
        op.add_column(
            table,
            sa.Column(
                "redirected_to",
                sa.Uuid(),
                nullable=True,
                comment="The client it was last merged into, also when that was undone",
            ),
            schema="core",
        )
        op.add_column(
            table,
            sa.Column("redirected_at", _AT, nullable=True, comment="As of when that was"),
            schema="core",
        )
        op.add_column(
            table,
            sa.Column(
                "is_redirected",
                sa.Boolean(),
                server_default=sa.text("false"),
                nullable=False,
                comment="It answers by redirected_to now",
            ),
            schema="core",
        )
    op.create_index("ix_client_history_changed_seq", "client_history", ["changed_seq"], schema="core")
    op.create_index(
        "ix_client_redirected_to",
        "client",
        ["redirected_to"],
        schema="core",
        postgresql_where=sa.text("redirected_to IS NOT NULL"),
    )
    op.execute(
        """
        UPDATE core.client_history AS h SET opened_seq = e.id
        FROM ops.change_event AS e
        WHERE h.valid_to IS NOT NULL AND e.client_id = h.client_id
            AND (e.at = h.valid_from OR h.valid_from = '-infinity' AND e.kind = 'created')
        """
    )
    for statement in (
        _REDIRECTED.format(table="client"),
        _REDIRECTED.format(table="client_history") + " AND c.valid_to IS NULL",
    ):
        op.execute(statement)


def downgrade() -> None:
    """What was replaced is forgotten; what waits to be published is served at once."""
    for table in ("interaction_line", "promise"):
        op.execute(f"DELETE FROM core.{table} WHERE is_removed")  # noqa: S608
        op.drop_index(f"ix_{table}_unpublished", table, schema="core")
        op.drop_column(table, "is_unpublished", schema="core")
        op.drop_column(table, "is_removed", schema="core")
    op.drop_index("ix_relationship_changed_seq", "relationship", schema="core")
    op.execute(
        "UPDATE identity.crosswalk SET changed_seq = (SELECT max(id) FROM ops.change_event) WHERE changed_seq IS NULL"
    )
    op.alter_column("crosswalk", "changed_seq", existing_type=sa.BigInteger(), nullable=False, schema="identity")
    op.drop_index("ix_crosswalk_changed_seq", "crosswalk", schema="identity")
    op.drop_index("ix_crosswalk_history_ended_seq", "crosswalk_history", schema="identity")
    op.drop_column("crosswalk_history", "opened_seq", schema="identity")
    op.drop_index("ix_client_history_changed_seq", "client_history", schema="core")
    op.drop_index("ix_client_redirected_to", "client", schema="core")
    op.drop_column("client_history", "opened_seq", schema="core")
    for table in ("client", "client_history"):
        for name in ("is_redirected", "redirected_at", "redirected_to"):
            op.drop_column(table, name, schema="core")
    op.drop_table("card_version", schema="identity")
    op.drop_table("relationship_version", schema="core")
    op.drop_table("interaction_version", schema="core")
