"""Alembic's entry: runs on the connection that `warehouse.migrate` hands over, and creates the schemas first."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

from warehouse.models import SCHEMAS, metadata


def run(connection: Connection) -> None:
    """Everything in the caller's transaction, so that a failed migration leaves the tables as they were."""
    for schema in SCHEMAS:
        connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_schemas=True,
        version_table="alembic_version",
        version_table_schema="ops",
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
