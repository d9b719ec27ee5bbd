"""Alembic's entry: runs on the connection that `warehouse.migrate` hands over, and creates the schemas first."""

from __future__ import annotations

from typing import Any

from alembic import context
from alembic.ddl.postgresql import PostgresqlImpl
from sqlalchemy import Column, Connection, Index, text

from warehouse.models import SCHEMAS, metadata


class PreparedImpl(PostgresqlImpl):
    """PostgreSQL, where `warehouse.prepare` may have made columns and indexes of large tables beforehand: those that
    are there stay. Alembic takes the class for its dialect when it is defined."""

    __dialect__ = "postgresql"

    def add_column(self, table_name: str, column: Column[Any], *, schema: Any = None, **kw: Any) -> None:
        """Add it, or find it there."""
        if not self.as_sql:
            kw["if_not_exists"] = True
        super().add_column(table_name, column, schema=schema, **kw)

    def create_index(self, index: Index, **kw: Any) -> None:
        """Create it, or find it there."""
        if not self.as_sql:
            kw["if_not_exists"] = True
        super().create_index(index, **kw)


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
