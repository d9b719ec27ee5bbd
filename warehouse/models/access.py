"""Which readers see which departments, and by what a client is in scope, where row-level security is on."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from warehouse.models.base import Table, column


class ReaderScope(Table, table=True):
    """Departments that a database role may see."""

    __tablename__ = "reader_scope"
    __table_args__ = (
        {"schema": "ops", "comment": "Departments that a role of the database sees, where row-level security is on"},
    )

    role: str = column(Text, "Role of the database, or a group that it is a member of", key=True)
    department: str = column(Text, "Department", key=True)


class SourceDepartment(Table, table=True):
    """The department of each source, as its configuration says."""

    __tablename__ = "source_department"
    __table_args__ = ({"schema": "ops", "comment": "The department of each source, as its configuration says"},)

    source: str = column(Text, "Source", key=True)
    department: str = column(Text, "Department")


class ClientScope(Table, table=True):
    """By what a client is in a reader's scope; empty while row-level security is off."""

    __tablename__ = "client_scope"
    __table_args__ = (
        {
            "schema": "core",
            "comment": "By what each client is in scope, where row-level security is on; kept up with the change feed",
        },
    )

    client_id: UUID = column(Uuid, "The client", key=True)
    display_name: str | None = column(Text, "The name by which it is searched; null of one that is gone", null=True)
    scope: list[str] = column(
        ARRAY(Text), "Sources of its records as s:source, types of its interactions as t:type, in order"
    )
