"""Schema `identity`: what a resolution leaves for the next one, as warehouse.evidence writes it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import ARRAY

from warehouse.models.base import Table, column


class BlockingKey(Table, table=True):
    """Blocking keys of records; columns as identity.schema.BLOCKING_KEY."""

    __tablename__ = "blocking_key"
    # No unique key, and no index by record: there are twenty keys to a record. What those of a record are stands in
    # KeyList.
    __mapper_args__ = {"primary_key": ["key", "record_id"]}  # noqa: RUF012
    __table_args__ = (
        Index("ix_blocking_key_key", "key"),
        {
            "schema": "identity",
            "comment": "Blocking keys of the first record of each point: records that share one are compared",
        },
    )

    key: int = column(BigInteger, "56-bit hash of kind, rule and standard value, and the number of the rule")
    record_id: int = column(BigInteger, "The source record")


class KeyList(Table, table=True):
    """The keys of BlockingKey by record; columns as identity.blocking.lists.KEY_LIST."""

    __tablename__ = "key_list"
    __table_args__ = (
        {"schema": "identity", "comment": "All blocking keys of a record in one row, for records with any"},
    )

    record_id: int = column(BigInteger, "The first record of a point", key=True)
    keys: list[int] = column(ARRAY(BigInteger), "Its blocking keys, by rule")


class RefusedBlock(Table, table=True):
    """Blocks over the limit of their rule; columns as identity.resolve.REFUSED."""

    __tablename__ = "refused_block"
    __table_args__ = (
        {"schema": "identity", "comment": "Blocking keys that too many records share: they propose no pairs"},
    )

    key: int = column(BigInteger, "The blocking key", key=True)
    size: int = column(BigInteger, "Records that share it, each point counted once")


class Point(Table, table=True):
    """Which records are alike in everything; columns as identity.resolve.POINT."""

    __tablename__ = "point"
    __table_args__ = (
        Index("ix_point_fingerprint", "fingerprint", postgresql_where=text("fingerprint IS NOT NULL")),
        {"schema": "identity", "comment": "What the last resolution knew of a record: which others are alike"},
    )

    record_id: int = column(BigInteger, "The source record", key=True)
    fingerprint: int | None = column(BigInteger, "Hash of all that is compared; null: it stands alone", null=True)
    first_id: int = column(BigInteger, "The first of the records that are taken as one with it")


class GenericValue(Table, table=True):
    """Identifier values that say nothing about one client; columns as identity.generic.GENERIC."""

    __tablename__ = "generic_value"
    __table_args__ = (
        {"schema": "identity", "comment": "Identifier values with so many names behind them that they are no evidence"},
    )

    kind: str = column(Text, "person or organisation", key=True)
    type: str = column(Text, "Type of the identifier", key=True)
    value: str = column(Text, "Standard form", key=True)
    names: int = column(BigInteger, "Distinct names behind it")


class GenericHolder(Table, table=True):
    """Which records bore a generic value at the last resolution."""

    __tablename__ = "generic_holder"
    # No unique key on the value: see identity.Identifier.
    __mapper_args__ = {"primary_key": ["record_id", "type", "value"]}  # noqa: RUF012
    __table_args__ = (
        Index("ix_generic_holder_record_id", "record_id"),
        {"schema": "identity", "comment": "Records that bear a generic value, as the last resolution saw them"},
    )

    record_id: int = column(BigInteger, "The source record")
    type: str = column(Text, "Type of the identifier")
    value: str = column(Text, "Standard form")


class AcceptedValue(Table, table=True):
    """Identifier values that a human's word makes one; columns as identity.accepted.ACCEPTED."""

    __tablename__ = "accepted_value"
    __table_args__ = (
        {"schema": "identity", "comment": "Identifier values that a judgement makes one: they do not contradict"},
    )

    kind: str = column(Text, "person or organisation", key=True)
    type: str = column(Text, "Type of the identifier", key=True)
    value: str = column(Text, "Standard form", key=True)
    stands_for: str = column(Text, "The smallest of the values that are one")


class Pair(Table, table=True):
    """Plausible pairs; columns as identity.schema.PAIR."""

    __tablename__ = "pair"
    __table_args__ = (
        Index("ix_pair_right_id", "right_id"),
        {"schema": "identity", "comment": "Plausible pairs of records with their match weight"},
    )

    left_id: int = column(BigInteger, "The record with the smaller natural key", key=True)
    right_id: int = column(BigInteger, "The other record", key=True)
    weight: int = column(Integer, "Match weight in 1/1024 bit")
    model_version: int = column(Integer, "The model that weighed it")
