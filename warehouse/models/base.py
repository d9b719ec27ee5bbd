"""What all tables share: the naming of constraints, and one short way to declare a commented column."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import CheckConstraint, Column, MetaData
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel

SCHEMAS: Final = {
    "raw": "What the sources said, record by record, with superseded versions",
    "identity": "Standard records, evidence, judgements, and which record belongs to which client",
    "core": "Golden clients with history and lineage, and the facts that hang on source records",
    "ops": "Runs, checkpoints, rejects, work queues, the change feed and the hub clock",
    "onefold_v1": "The served contract, version 1: views only; columns are appended and never removed",
    "onefold_v1_asof": "The views of onefold_v1 as they were known at the moment of the setting onefold.as_of",
}
"""Schema -> comment. Migrations create them before anything else."""

NAMING: Final = {
    "pk": "pk_%(table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
}


class Table(SQLModel):
    """The base of every table of the hub."""

    metadata = MetaData(naming_convention=NAMING)


def column(
    type_: TypeEngine[Any] | type[TypeEngine[Any]],
    comment: str,
    *,
    key: bool = False,
    null: bool = False,
    default: Any = None,
    extra: tuple[Any, ...] = (),
) -> Any:
    """A column with its comment; `default` is the server's, `extra` an Identity or ForeignKey.

    A key is given with the row unless `extra` says otherwise: no sequence is made for it.
    """
    return Field(
        sa_column=Column(
            type_,
            *extra,
            primary_key=key,
            nullable=null,
            server_default=default,
            comment=comment,
            autoincrement="auto" if extra else False,
        )
    )


def one_of(column_name: str, values: tuple[str, ...]) -> CheckConstraint:
    """A CHECK that the column holds one of `values`."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column_name} IN ({listed})", name=column_name)
