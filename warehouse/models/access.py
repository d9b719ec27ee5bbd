"""Schema `ops`: which readers see which departments, where row-level security is on."""

from __future__ import annotations

from sqlalchemy import Text

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
