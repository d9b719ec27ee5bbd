"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915
    """The first tables."""

    op.create_table(
        "attribute",
        sa.Column("name", sa.Text(), nullable=False, comment="Name of the attribute and of its column in dim_client"),
        sa.Column(
            "kind", sa.Text(), server_default=sa.text("'any'"), nullable=False, comment="person, organisation or any"
        ),
        sa.Column(
            "type",
            sa.Text(),
            server_default=sa.text("'text'"),
            nullable=False,
            comment="text, number, boolean, date or timestamp",
        ),
        sa.Column(
            "is_multi", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="May have several values"
        ),
        sa.Column("label_en", sa.Text(), nullable=False, comment="Label in English"),
        sa.Column("label_ru", sa.Text(), nullable=True, comment="Label in Russian"),
        sa.Column("personal_data", sa.Text(), nullable=True, comment="Class of personal data"),
        sa.CheckConstraint("kind IN ('person', 'organisation', 'any')", name=op.f("ck_attribute_kind")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_attribute")),
        schema="core",
        comment="Golden attributes that were added by attributes.yaml",
    )
    op.create_table(
        "client",
        sa.Column("client_id", sa.Uuid(), nullable=False, comment="Stable id"),
        sa.Column("kind", sa.Text(), nullable=False, comment="person or organisation"),
        sa.Column("role", sa.Text(), nullable=False, comment="client, prospect, supplier, staff or authority"),
        sa.Column("display_name", sa.Text(), nullable=True, comment="The name to show"),
        sa.Column(
            "attributes",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Golden values: attribute -> value or list of values",
        ),
        sa.Column(
            "lineage",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Attribute -> record, rule and losing values",
        ),
        sa.Column("record_count", sa.Integer(), nullable=False, comment="Source records behind it"),
        sa.Column("golden_hash", sa.Uuid(), nullable=False, comment="Hash over the golden values and lineage"),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False, comment="As of when it is as it is"),
        sa.Column("changed_seq", sa.BigInteger(), nullable=False, comment="The last change event of this client"),
        sa.Column(
            "is_deleted",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Merged into another or left without records",
        ),
        sa.CheckConstraint("kind IN ('person', 'organisation')", name=op.f("ck_client_kind")),
        sa.CheckConstraint(
            "role IN ('client', 'prospect', 'supplier', 'staff', 'authority')", name=op.f("ck_client_role")
        ),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client")),
        schema="core",
        comment="The golden record of every party, current; a merged or retired one is marked deleted",
    )
    op.create_index("ix_client_changed_seq", "client", ["changed_seq"], unique=False, schema="core")
    op.create_table(
        "client_history",
        sa.Column("client_id", sa.Uuid(), nullable=False, comment="The client"),
        sa.Column(
            "valid_from",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="As of when the version held; -infinity for the first",
        ),
        sa.Column(
            "valid_to",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="As of when it no longer held; null: it still does",
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="person or organisation"),
        sa.Column("role", sa.Text(), nullable=False, comment="client, prospect, supplier, staff or authority"),
        sa.Column("display_name", sa.Text(), nullable=True, comment="The name to show"),
        sa.Column(
            "attributes",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Golden values of the version",
        ),
        sa.Column("lineage", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="Lineage of the version"),
        sa.Column("record_count", sa.Integer(), nullable=False, comment="Source records behind it"),
        sa.Column("golden_hash", sa.Uuid(), nullable=False, comment="Hash over the golden values and lineage"),
        sa.Column(
            "changed_seq",
            sa.BigInteger(),
            nullable=False,
            comment="The change event that opened or last closed the version",
        ),
        sa.Column(
            "is_deleted",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The version says that the client was merged or retired",
        ),
        sa.PrimaryKeyConstraint("client_id", "valid_from", name=op.f("pk_client_history")),
        schema="core",
        comment="Versions of golden records; the first is valid from -infinity",
    )
    op.create_index(
        "uq_client_history_open",
        "client_history",
        ["client_id"],
        unique=True,
        schema="core",
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "interaction",
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="The source record that it is"),
        sa.Column("source", sa.Text(), nullable=False, comment="Source"),
        sa.Column("stream", sa.Text(), nullable=False, comment="Stream"),
        sa.Column("source_key", sa.Text(), nullable=False, comment="The record's key in its source"),
        sa.Column("type", sa.Text(), nullable=False, comment="Code of core.interaction_type"),
        sa.Column(
            "party_record_id", sa.BigInteger(), nullable=True, comment="The client's source record, landed or not yet"
        ),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True, comment="When it happened"),
        sa.Column("occurred_on", sa.Date(), nullable=True, comment="Local date at the source"),
        sa.Column("time_zone", sa.Text(), nullable=True, comment="Time zone in which the source meant it"),
        sa.Column("precision", sa.Text(), nullable=True, comment="day, minute or second"),
        sa.Column("channel", sa.Text(), nullable=True, comment="Channel, such as phone or shop"),
        sa.Column("direction", sa.Text(), nullable=True, comment="inbound, outbound or internal"),
        sa.Column("document_number", sa.Text(), nullable=True, comment="Number of the document"),
        sa.Column("summary", sa.Text(), nullable=True, comment="One line for the timeline"),
        sa.Column("amount", sa.Numeric(), nullable=True, comment="Amount in its currency"),
        sa.Column("currency", sa.Text(), nullable=True, comment="Currency, ISO 4217"),
        sa.Column("parent_record_id", sa.BigInteger(), nullable=True, comment="The interaction that it belongs to"),
        sa.Column("reverses_record_id", sa.BigInteger(), nullable=True, comment="The interaction that it reverses"),
        sa.Column("url", sa.Text(), nullable=True, comment="The card in its own system"),
        sa.Column(
            "detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="Further fields of its type"
        ),
        sa.Column("content_hash", sa.Uuid(), nullable=False, comment="Hash over all of the above, lines and promises"),
        sa.Column(
            "client_id", sa.Uuid(), nullable=True, comment="Derived: the client that party_record_id belongs to now"
        ),
        sa.Column(
            "changed_seq",
            sa.BigInteger(),
            nullable=True,
            comment="The change event; null until the change is published",
        ),
        sa.Column(
            "is_deleted",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Its source record is gone",
        ),
        sa.CheckConstraint("direction IN ('inbound', 'outbound', 'internal')", name=op.f("ck_interaction_direction")),
        sa.CheckConstraint("precision IN ('day', 'minute', 'second')", name=op.f("ck_interaction_precision")),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_interaction")),
        schema="core",
        comment="What happened with a client: one row per source record that states it",
    )
    op.create_index("ix_interaction_changed_seq", "interaction", ["changed_seq"], unique=False, schema="core")
    op.create_index(
        "ix_interaction_client_id_occurred_at", "interaction", ["client_id", "occurred_at"], unique=False, schema="core"
    )
    op.create_index("ix_interaction_party_record_id", "interaction", ["party_record_id"], unique=False, schema="core")
    op.create_index(
        "ix_interaction_unpublished",
        "interaction",
        ["record_id"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("changed_seq IS NULL"),
    )
    op.create_table(
        "interaction_line",
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="The interaction"),
        sa.Column("position", sa.Integer(), nullable=False, comment="Position, from 1"),
        sa.Column("item_code", sa.Text(), nullable=True, comment="The item's code in its source"),
        sa.Column("item_name", sa.Text(), nullable=True, comment="The item's name"),
        sa.Column("quantity", sa.Numeric(), nullable=True, comment="Quantity"),
        sa.Column("unit", sa.Text(), nullable=True, comment="Unit of the quantity"),
        sa.Column("unit_price", sa.Numeric(), nullable=True, comment="Price of one unit"),
        sa.Column("amount", sa.Numeric(), nullable=True, comment="Amount of the line"),
        sa.PrimaryKeyConstraint("record_id", "position", name=op.f("pk_interaction_line")),
        schema="core",
        comment="Lines of an order, invoice or delivery",
    )
    op.create_table(
        "interaction_type",
        sa.Column("code", sa.Text(), nullable=False, comment="Code, such as sales_order"),
        sa.Column("department", sa.Text(), nullable=True, comment="Department that works with it"),
        sa.Column("label_en", sa.Text(), nullable=False, comment="Label in English"),
        sa.Column("label_ru", sa.Text(), nullable=True, comment="Label in Russian"),
        sa.Column("direction", sa.Text(), nullable=True, comment="inbound, outbound or internal"),
        sa.Column(
            "detail_schema",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="JSON Schema of detail",
        ),
        sa.Column(
            "money",
            sa.Text(),
            server_default=sa.text("'none'"),
            nullable=False,
            comment="What its amount means: quoted, ordered, invoiced, paid, credited, none",
        ),
        sa.Column("tax", sa.Text(), nullable=True, comment="net or gross"),
        sa.CheckConstraint(
            "direction IN ('inbound', 'outbound', 'internal')", name=op.f("ck_interaction_type_direction")
        ),
        sa.CheckConstraint(
            "money IN ('quoted', 'ordered', 'invoiced', 'paid', 'credited', 'none')",
            name=op.f("ck_interaction_type_money"),
        ),
        sa.CheckConstraint("tax IN ('net', 'gross')", name=op.f("ck_interaction_type_tax")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_interaction_type")),
        schema="core",
        comment="The open registry of interaction types, from interactions.yaml",
    )
    op.create_table(
        "promise",
        sa.Column("promise_key", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Surrogate"),
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="The interaction in which it was made"),
        sa.Column("kind", sa.Text(), nullable=False, comment="What was promised, such as delivery_date"),
        sa.Column("due_on", sa.Date(), nullable=True, comment="Promised date"),
        sa.Column("actual_on", sa.Date(), nullable=True, comment="Date on which it happened"),
        sa.Column("due_value", sa.Numeric(), nullable=True, comment="Promised value"),
        sa.Column("actual_value", sa.Numeric(), nullable=True, comment="Value that came"),
        sa.PrimaryKeyConstraint("promise_key", name=op.f("pk_promise")),
        schema="core",
        comment="What was promised to the client, and what happened",
    )
    op.create_index("ix_promise_record_id", "promise", ["record_id"], unique=False, schema="core")
    op.create_table(
        "relationship",
        sa.Column("relationship_key", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Surrogate"),
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="The record that states it"),
        sa.Column(
            "from_record_id", sa.BigInteger(), nullable=False, comment="The one: employee, branch, owner, successor"
        ),
        sa.Column(
            "to_record_id",
            sa.BigInteger(),
            nullable=False,
            comment="The other: employer, head office, company, predecessor",
        ),
        sa.Column(
            "type", sa.Text(), nullable=False, comment="works_at, branch_of, owner_of, member_of, successor_of, ..."
        ),
        sa.Column("role", sa.Text(), nullable=True, comment="In words, such as chief accountant"),
        sa.Column("valid_from", sa.Date(), nullable=True, comment="From when it holds"),
        sa.Column("valid_to", sa.Date(), nullable=True, comment="Until when it held"),
        sa.Column(
            "changed_seq",
            sa.BigInteger(),
            nullable=True,
            comment="The change event; null until the change is published",
        ),
        sa.Column(
            "is_deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="No longer stated"
        ),
        sa.PrimaryKeyConstraint("relationship_key", name=op.f("pk_relationship")),
        schema="core",
        comment="Relationships between source records, so that they survive merge and unmerge",
    )
    op.create_index("ix_relationship_from_record_id", "relationship", ["from_record_id"], unique=False, schema="core")
    op.create_index("ix_relationship_record_id", "relationship", ["record_id"], unique=False, schema="core")
    op.create_index("ix_relationship_to_record_id", "relationship", ["to_record_id"], unique=False, schema="core")
    op.create_index(
        "ix_relationship_unpublished",
        "relationship",
        ["relationship_key"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("changed_seq IS NULL"),
    )
    op.create_table(
        "blocking_key",
        sa.Column("key", sa.BigInteger(), nullable=False, comment="64-bit hash of kind, rule and standard value"),
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="The source record"),
        sa.PrimaryKeyConstraint("key", "record_id", name=op.f("pk_blocking_key")),
        schema="identity",
        comment="Blocking keys: records that share one are compared",
    )
    op.create_index("ix_blocking_key_record_id", "blocking_key", ["record_id"], unique=False, schema="identity")
    op.create_table(
        "child_link",
        sa.Column("child_record_id", sa.BigInteger(), nullable=False, comment="The record that feeds"),
        sa.Column("parent_record_id", sa.BigInteger(), nullable=False, comment="The record that is fed"),
        sa.PrimaryKeyConstraint("child_record_id", "parent_record_id", name=op.f("pk_child_link")),
        schema="identity",
        comment="Records whose fields feed another record, such as requisites",
    )
    op.create_index(
        "ix_child_link_parent_record_id", "child_link", ["parent_record_id"], unique=False, schema="identity"
    )
    op.create_table(
        "client_id_ledger",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Rises with every event"),
        sa.Column("client_id", sa.Uuid(), nullable=False, comment="The client id"),
        sa.Column("event", sa.Text(), nullable=False, comment="mint, redirect, retire or revive"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="The as_of of the event"),
        sa.Column("target_client_id", sa.Uuid(), nullable=True, comment="For redirect: the survivor"),
        sa.Column("founding_key", sa.Text(), nullable=False, comment="Natural key of the founding record"),
        sa.Column("mint_number", sa.Integer(), nullable=False, comment="The n-th mint for that founding key, from 1"),
        sa.Column("run_id", sa.BigInteger(), nullable=True, comment="The run"),
        sa.CheckConstraint("event IN ('mint', 'redirect', 'retire', 'revive')", name=op.f("ck_client_id_ledger_event")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_id_ledger")),
        schema="identity",
        comment="The life of every client id; append-only",
    )
    op.create_index("ix_client_id_ledger_client_id", "client_id_ledger", ["client_id"], unique=False, schema="identity")
    op.create_index(
        "ix_client_id_ledger_founding_key",
        "client_id_ledger",
        ["founding_key"],
        unique=False,
        schema="identity",
        postgresql_where=sa.text("event = 'mint'"),
    )
    op.create_index(
        "ix_client_id_ledger_target_client_id",
        "client_id_ledger",
        ["target_client_id"],
        unique=False,
        schema="identity",
        postgresql_where=sa.text("target_client_id IS NOT NULL"),
    )
    op.create_table(
        "crosswalk",
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="The source record"),
        sa.Column("client_id", sa.Uuid(), nullable=False, comment="The client"),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False, comment="As of when the record belongs to it"),
        sa.Column("changed_seq", sa.BigInteger(), nullable=False, comment="The change event of this link"),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_crosswalk")),
        schema="identity",
        comment="Which client a source record belongs to now",
    )
    op.create_index("ix_crosswalk_client_id", "crosswalk", ["client_id"], unique=False, schema="identity")
    op.create_table(
        "crosswalk_history",
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="The source record"),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False, comment="As of when the link held"),
        sa.Column(
            "valid_to",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="As of when it no longer held; null: it still does",
        ),
        sa.Column("client_id", sa.Uuid(), nullable=False, comment="The client"),
        sa.Column("ended_seq", sa.BigInteger(), nullable=True, comment="The change event that ended the link"),
        sa.PrimaryKeyConstraint("record_id", "valid_from", name=op.f("pk_crosswalk_history")),
        schema="identity",
        comment="Which client a source record belonged to when; one open row per linked record",
    )
    op.create_index(
        "ix_crosswalk_history_client_id", "crosswalk_history", ["client_id"], unique=False, schema="identity"
    )
    op.create_index(
        "uq_crosswalk_history_open",
        "crosswalk_history",
        ["record_id"],
        unique=True,
        schema="identity",
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "identifier",
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="The source record"),
        sa.Column("type", sa.Text(), nullable=False, comment="email, phone, inn, kpp, ogrn, vat, domain, ..."),
        sa.Column("value", sa.Text(), nullable=False, comment="Standard form: E.164, lower case, digits only"),
        sa.Column("is_valid", sa.Boolean(), nullable=False, comment="Passed its checksum or format"),
        sa.Column("invalid_reason", sa.Text(), nullable=True, comment="Why it is not valid"),
        schema="identity",
        comment="Typed, multi-valued identifiers of records; invalid ones are no evidence",
    )
    op.create_index("ix_identifier_record_id", "identifier", ["record_id"], unique=False, schema="identity")
    op.create_index(
        "ix_identifier_value_type",
        "identifier",
        ["value", "type"],
        unique=False,
        schema="identity",
        postgresql_where=sa.text("is_valid"),
    )
    op.create_table(
        "judgement",
        sa.Column(
            "judgement_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Rises with every judgement",
        ),
        sa.Column(
            "verdict",
            sa.Text(),
            nullable=False,
            comment="same, not_same, related, cannot_tell; pin: a golden value; lift: ends another judgement",
        ),
        sa.Column(
            "left_ids",
            postgresql.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="Records on the one side; the anchor of a pin",
        ),
        sa.Column(
            "right_ids",
            postgresql.ARRAY(sa.BigInteger()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Records on the other side",
        ),
        sa.Column("relationship", sa.Text(), nullable=True, comment="For related: branch_of, household, namesake, ..."),
        sa.Column("attribute", sa.Text(), nullable=True, comment="For a pin: the golden attribute"),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment="For a pin: the value"),
        sa.Column("policy", sa.Text(), nullable=True, comment="For a pin: how long it holds"),
        sa.Column("until", sa.Date(), nullable=True, comment="For a pin until a date: that date"),
        sa.Column("lifts", sa.BigInteger(), nullable=True, comment="For a lift: the judgement that it ends"),
        sa.Column("reason", sa.Text(), nullable=True, comment="Why, in the steward's words"),
        sa.Column("decided_by", sa.Text(), nullable=False, comment="Who decided"),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False, comment="When it was decided"),
        sa.CheckConstraint(
            "policy IN ('pin', 'until_source_changes', 'until_date', 'fill_if_empty')", name=op.f("ck_judgement_policy")
        ),
        sa.CheckConstraint(
            "verdict IN ('same', 'not_same', 'related', 'cannot_tell', 'pin', 'lift')",
            name=op.f("ck_judgement_verdict"),
        ),
        sa.ForeignKeyConstraint(["lifts"], ["identity.judgement.judgement_id"], name=op.f("fk_judgement_lifts")),
        sa.PrimaryKeyConstraint("judgement_id", name=op.f("pk_judgement")),
        schema="identity",
        comment="What humans decided; append-only, in force until a later row lifts it",
    )
    op.create_index(
        "ix_judgement_left_ids", "judgement", ["left_ids"], unique=False, schema="identity", postgresql_using="gin"
    )
    op.create_index(
        "ix_judgement_lifts",
        "judgement",
        ["lifts"],
        unique=True,
        schema="identity",
        postgresql_where=sa.text("lifts IS NOT NULL"),
    )
    op.create_index(
        "ix_judgement_right_ids", "judgement", ["right_ids"], unique=False, schema="identity", postgresql_using="gin"
    )
    op.create_table(
        "model",
        sa.Column("version", sa.Integer(), nullable=False, comment="Rises with every version"),
        sa.Column("kind", sa.Text(), nullable=False, comment="prior, em, supervised"),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="The frozen model"),
        sa.Column(
            "is_current",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The version that resolve uses",
        ),
        sa.Column(
            "fingerprint", sa.Uuid(), nullable=False, comment="BLAKE2b-128 of the body: the same model is stored once"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, comment="When it was saved"),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_model")),
        schema="identity",
        comment="Versions of the match model: weights, term frequencies, thresholds",
    )
    op.create_index(
        "uq_model_current",
        "model",
        ["is_current"],
        unique=True,
        schema="identity",
        postgresql_where=sa.text("is_current"),
    )
    op.create_table(
        "pair",
        sa.Column("left_id", sa.BigInteger(), nullable=False, comment="The record with the smaller natural key"),
        sa.Column("right_id", sa.BigInteger(), nullable=False, comment="The other record"),
        sa.Column("weight", sa.Integer(), nullable=False, comment="Match weight in 1/1024 bit"),
        sa.Column("model_version", sa.Integer(), nullable=False, comment="The model that weighed it"),
        sa.PrimaryKeyConstraint("left_id", "right_id", name=op.f("pk_pair")),
        schema="identity",
        comment="Plausible pairs of records with their match weight",
    )
    op.create_index("ix_pair_right_id", "pair", ["right_id"], unique=False, schema="identity")
    op.create_table(
        "review_case",
        sa.Column(
            "fingerprint", sa.Uuid(), nullable=False, comment="Of kind and records: the same question is one case"
        ),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="Why it is a case: band, contradiction, distinct, leftover, changed_identity, ...",
        ),
        sa.Column("record_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False, comment="The records in question"),
        sa.Column(
            "status",
            sa.Text(),
            server_default=sa.text("'open'"),
            nullable=False,
            comment="open, closed (the question is gone) or decided",
        ),
        sa.Column("weight", sa.Integer(), nullable=True, comment="Match weight in 1/1024 bit"),
        sa.Column(
            "impact",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Order in which to look: larger first",
        ),
        sa.Column(
            "evidence",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Levels and bits of each comparison, and what stood in the way",
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False, comment="When it was opened"),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True, comment="When it was closed or decided"),
        sa.Column("judgement_id", sa.BigInteger(), nullable=True, comment="The judgement that decided it"),
        sa.CheckConstraint("status IN ('open', 'closed', 'decided')", name=op.f("ck_review_case_status")),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_review_case")),
        schema="identity",
        comment="Links that a human should decide, with their evidence",
    )
    op.create_index(
        "ix_review_case_impact",
        "review_case",
        ["impact"],
        unique=False,
        schema="identity",
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "ix_review_case_record_ids",
        "review_case",
        ["record_ids"],
        unique=False,
        schema="identity",
        postgresql_using="gin",
    )
    op.create_table(
        "standard_record",
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="The source record"),
        sa.Column("source", sa.Text(), nullable=False, comment="Source"),
        sa.Column("stream", sa.Text(), nullable=False, comment="Stream"),
        sa.Column("source_key", sa.Text(), nullable=False, comment="The record's key in its source"),
        sa.Column("kind", sa.Text(), nullable=False, comment="person or organisation"),
        sa.Column("role", sa.Text(), nullable=False, comment="client, prospect, supplier, staff or authority"),
        sa.Column(
            "is_own",
            sa.Boolean(),
            nullable=False,
            comment="Our own organisation or its staff: never a client, never evidence",
        ),
        sa.Column("full_name", sa.Text(), nullable=True, comment="Person: comparable form of the whole name"),
        sa.Column("full_latin", sa.Text(), nullable=True, comment="Latin key of full_name"),
        sa.Column("given_name", sa.Text(), nullable=True, comment="Comparable given name"),
        sa.Column("given_latin", sa.Text(), nullable=True, comment="Latin key of given_name"),
        sa.Column("middle_name", sa.Text(), nullable=True, comment="Comparable middle name or patronymic"),
        sa.Column("middle_latin", sa.Text(), nullable=True, comment="Latin key of middle_name"),
        sa.Column("family_name", sa.Text(), nullable=True, comment="Comparable family name"),
        sa.Column("family_latin", sa.Text(), nullable=True, comment="Latin key of family_name"),
        sa.Column("birth_date", sa.Date(), nullable=True, comment="Birth date"),
        sa.Column("gender", sa.Text(), nullable=True, comment="Gender as the source states it"),
        sa.Column("org_name", sa.Text(), nullable=True, comment="Organisation: comparable name without legal form"),
        sa.Column("org_latin", sa.Text(), nullable=True, comment="Latin key of org_name"),
        sa.Column("legal_form", sa.Text(), nullable=True, comment="Class of the legal form, such as llc"),
        sa.Column("country", sa.Text(), nullable=True, comment="Country, ISO 3166-1 alpha-2"),
        sa.Column("region", sa.Text(), nullable=True, comment="Comparable region"),
        sa.Column("city", sa.Text(), nullable=True, comment="Comparable city"),
        sa.Column("street", sa.Text(), nullable=True, comment="Comparable street"),
        sa.Column("house", sa.Text(), nullable=True, comment="Comparable house number"),
        sa.Column("postcode", sa.Text(), nullable=True, comment="Comparable postcode"),
        sa.Column(
            "attributes",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Values for the golden record: attribute -> list of {v, invalid, repaired}",
        ),
        sa.Column(
            "source_updated_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the source says that it changed",
        ),
        sa.Column(
            "content_hash",
            sa.Uuid(),
            nullable=False,
            comment="Hash over everything but record_id and source_updated_at",
        ),
        sa.CheckConstraint("kind IN ('person', 'organisation')", name=op.f("ck_standard_record_kind")),
        sa.CheckConstraint(
            "role IN ('client', 'prospect', 'supplier', 'staff', 'authority')", name=op.f("ck_standard_record_role")
        ),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_standard_record")),
        schema="identity",
        comment="The standard form of every source record of a person or organisation",
    )
    op.create_index(
        "ix_standard_record_source_stream", "standard_record", ["source", "stream"], unique=False, schema="identity"
    )
    op.create_table(
        "change_event",
        sa.Column("id", sa.BigInteger(), nullable=False, comment="Contiguous, allocated under the hub lock"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="The as_of of the change"),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="created, changed, redirected, retired, revived; links, facts: a batch that moved",
        ),
        sa.Column("client_id", sa.Uuid(), nullable=True, comment="The client; null for a batch of links or facts"),
        sa.Column(
            "payload",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="What changed: fields, target, counts",
        ),
        sa.CheckConstraint(
            "kind IN ('created', 'changed', 'redirected', 'retired', 'revived', 'links', 'facts')",
            name=op.f("ck_change_event_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_event")),
        schema="ops",
        comment="The change feed; ids are contiguous and in commit order",
    )
    op.create_index(
        "ix_change_event_client_id",
        "change_event",
        ["client_id"],
        unique=False,
        schema="ops",
        postgresql_where=sa.text("client_id IS NOT NULL"),
    )
    op.create_table(
        "checkpoint",
        sa.Column("source", sa.Text(), nullable=False, comment="Source"),
        sa.Column("stream", sa.Text(), nullable=False, comment="Stream"),
        sa.Column(
            "state",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="The connector's own state; only it reads it",
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="When the last page was landed"),
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="The run that landed it"),
        sa.PrimaryKeyConstraint("source", "stream", name=op.f("pk_checkpoint")),
        schema="ops",
        comment="Where the next sync of a stream resumes; written with the page's rows",
    )
    op.create_table(
        "definition",
        sa.Column("kind", sa.Text(), nullable=False, comment="What it is: sql, mapping, ..."),
        sa.Column("name", sa.Text(), nullable=False, comment="Its name within the kind"),
        sa.Column("fingerprint", sa.Uuid(), nullable=False, comment="BLAKE2b-128 of the installed text"),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was installed",
        ),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_definition")),
        schema="ops",
        comment="Hashes of things that are installed from files: SQL definitions, mappings",
    )
    op.create_table(
        "hub_clock",
        sa.Column(
            "only_row",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="Always true: there is one row",
        ),
        sa.Column("last_as_of", sa.DateTime(timezone=True), nullable=True, comment="The last as_of that was given out"),
        sa.Column(
            "last_event_id",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="The last id of ops.change_event",
        ),
        sa.CheckConstraint("only_row", name=op.f("ck_hub_clock_only_row")),
        sa.PrimaryKeyConstraint("only_row", name=op.f("pk_hub_clock")),
        schema="ops",
        comment="One row: the last as_of and the last change event, moved under the hub lock only",
    )
    op.create_table(
        "pending",
        sa.Column("step", sa.Text(), nullable=False, comment="The step that has to look at the record"),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Rises with every entry"),
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="The record"),
        sa.CheckConstraint("step IN ('standardise', 'resolve', 'publish')", name=op.f("ck_pending_step")),
        sa.PrimaryKeyConstraint("step", "id", name=op.f("pk_pending")),
        schema="ops",
        comment="Work queues: a step reads rows, and deletes exactly those with its results",
    )
    op.create_table(
        "reject",
        sa.Column(
            "fingerprint",
            sa.Uuid(),
            nullable=False,
            comment="BLAKE2b-128 of source, stream, step, place, reason and bytes",
        ),
        sa.Column("source", sa.Text(), nullable=False, comment="Source"),
        sa.Column("stream", sa.Text(), nullable=False, comment="Stream"),
        sa.Column("source_key", sa.Text(), nullable=True, comment="The record's key, if it could be read"),
        sa.Column("record_id", sa.BigInteger(), nullable=True, comment="The record, if its key could be read"),
        sa.Column("step", sa.Text(), nullable=False, comment="Where it was refused: sync or standardise"),
        sa.Column("reason", sa.Text(), nullable=False, comment="Short code in kebab-case"),
        sa.Column(
            "detail", sa.Text(), nullable=False, comment="One sentence for a data engineer; holds no client data"
        ),
        sa.Column(
            "place",
            sa.Text(),
            nullable=False,
            comment="Where it stands at the source: file and line, page, sheet and cell",
        ),
        sa.Column(
            "path", sa.Text(), nullable=True, comment="The field's path in the payload, if one field is to blame"
        ),
        sa.Column("payload", sa.LargeBinary(), nullable=False, comment="The input as it came, byte by byte"),
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="The run that refused it first"),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False, comment="When it was refused first"),
        sa.Column(
            "is_open",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="Still refused as far as is known",
        ),
        sa.Column(
            "is_retried",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="It was tried again since",
        ),
        sa.Column(
            "closed_at", sa.DateTime(timezone=True), nullable=True, comment="When a later version or mapping took it in"
        ),
        sa.CheckConstraint("step IN ('sync', 'standardise')", name=op.f("ck_reject_step")),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_reject")),
        schema="ops",
        comment="Input that could not be landed or mapped, kept with its bytes and its reason",
    )
    op.create_index(
        "ix_reject_record_id",
        "reject",
        ["record_id"],
        unique=False,
        schema="ops",
        postgresql_where=sa.text("record_id IS NOT NULL"),
    )
    op.create_index("ix_reject_source_stream", "reject", ["source", "stream"], unique=False, schema="ops")
    op.create_table(
        "run",
        sa.Column("run_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Rises with every run"),
        sa.Column("command", sa.Text(), nullable=False, comment="The step: sync, standardise, resolve, publish, ..."),
        sa.Column("source", sa.Text(), nullable=True, comment="The source that it worked on, if one"),
        sa.Column("status", sa.Text(), nullable=False, comment="running, done, failed, deferred or stopped"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="When it began"),
        sa.Column(
            "finished_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it ended; null while running or after a crash",
        ),
        sa.Column(
            "report",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="Its report: counts and ids, no client data",
        ),
        sa.CheckConstraint(
            "status IN ('running', 'done', 'failed', 'deferred', 'stopped')", name=op.f("ck_run_status")
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run")),
        schema="ops",
        comment="One execution of a step",
    )
    op.create_index("ix_run_command_source_run_id", "run", ["command", "source", "run_id"], unique=False, schema="ops")
    op.create_table(
        "sweep_mark",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Rises with every page"),
        sa.Column("source", sa.Text(), nullable=False, comment="Source"),
        sa.Column("stream", sa.Text(), nullable=False, comment="Stream"),
        sa.Column("pass_id", sa.Text(), nullable=False, comment="The pass; stays the same when it is resumed"),
        sa.Column(
            "record_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False, comment="Records on one page of the pass"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweep_mark")),
        schema="ops",
        comment="Records that an unfinished pass over a whole stream has shown so far",
    )
    op.create_index(
        "ix_sweep_mark_source_stream_pass_id", "sweep_mark", ["source", "stream", "pass_id"], unique=False, schema="ops"
    )
    op.create_table(
        "record",
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="64-bit hash of source, stream and source_key"),
        sa.Column("source", sa.Text(), nullable=False, comment="Name of the source system in config/sources"),
        sa.Column("stream", sa.Text(), nullable=False, comment="Stream of the source"),
        sa.Column("source_key", sa.Text(), nullable=False, comment="The record's key in its source"),
        sa.Column(
            "payload",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="The record as the source says it",
        ),
        sa.Column(
            "payload_hash",
            sa.Uuid(),
            nullable=False,
            comment="BLAKE2b-128 of the canonical JSON without volatile paths",
        ),
        sa.Column(
            "is_deleted",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The source no longer has the record",
        ),
        sa.Column(
            "is_deletion_inferred",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The deletion was inferred: a complete pass over the stream did not show the key",
        ),
        sa.Column(
            "source_updated_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the source says that it changed",
        ),
        sa.Column("ingested_at", sa.DateTime(timezone=True), nullable=False, comment="When this version was landed"),
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="The run that landed this version"),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_record")),
        schema="raw",
        comment="The current version of every source record; a deletion leaves a tombstone",
    )
    op.create_index("ix_record_source_stream", "record", ["source", "stream"], unique=False, schema="raw")
    op.create_table(
        "record_version",
        sa.Column(
            "version_key",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Rises with every superseded version",
        ),
        sa.Column("record_id", sa.BigInteger(), nullable=False, comment="The record"),
        sa.Column(
            "payload",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="The record as the source said it then",
        ),
        sa.Column("payload_hash", sa.Uuid(), nullable=False, comment="Hash of that payload"),
        sa.Column("is_deleted", sa.Boolean(), nullable=False, comment="That version was a tombstone"),
        sa.Column(
            "is_deletion_inferred",
            sa.Boolean(),
            nullable=False,
            comment="That deletion was inferred by a complete pass",
        ),
        sa.Column(
            "source_updated_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the source said that it changed",
        ),
        sa.Column("ingested_at", sa.DateTime(timezone=True), nullable=False, comment="When that version was landed"),
        sa.Column(
            "superseded_at", sa.DateTime(timezone=True), nullable=False, comment="When the next version was landed"
        ),
        sa.Column("run_id", sa.BigInteger(), nullable=False, comment="The run that landed that version"),
        sa.PrimaryKeyConstraint("version_key", name=op.f("pk_record_version")),
        schema="raw",
        comment="Versions of source records that a later version superseded",
    )
    op.create_index("ix_record_version_record_id", "record_version", ["record_id"], unique=False, schema="raw")
