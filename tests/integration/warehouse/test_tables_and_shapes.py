"""Arrow shapes equal the tables' columns, and enumerations equal their CHECK constraints."""

from __future__ import annotations

import pyarrow as pa
import pytest
from sqlalchemy import BigInteger, Boolean, Date, DateTime, Integer, Numeric, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from identity import schema
from identity.accepted import ACCEPTED
from identity.blocking.lists import KEY_LIST
from identity.documents import schema as documents
from identity.documents.settings import MONEY
from identity.generic import GENERIC
from identity.resolve import POINT, REFUSED
from warehouse import shapes
from warehouse.models import enums, metadata

SHAPES = {
    "identity.standard_record": (schema.RECORD, set()),
    "identity.identifier": (schema.IDENTIFIER, set()),
    "identity.blocking_key": (schema.BLOCKING_KEY, set()),
    "identity.key_list": (KEY_LIST, set()),
    "identity.pair": (schema.PAIR, set()),
    "identity.point": (POINT, set()),
    "identity.refused_block": (REFUSED, set()),
    "identity.generic_value": (GENERIC, set()),
    "identity.accepted_value": (ACCEPTED, set()),
    "identity.child_link": (shapes.CHILD_LINK, set()),
    "core.interaction": (
        shapes.INTERACTION,
        {
            "client_id",
            "changed_seq",
            "is_deleted",
            "chain_id",
            "reporting_amount",
            "reporting_currency",
            "rate",
            "rate_on",
            "reversal_of",
            "reversed_by",
            "reversed_amount",
            "event_id",
            "is_counted",
            "counted_by",
        },
    ),
    "core.exchange_rate": (shapes.RATE, {"changed_seq", "is_deleted", "served"}),
    "core.document_link": (documents.LINK, {"since"}),
    "core.document_place": (documents.PLACE, set()),
    "core.document_open": (documents.OPEN, set()),
    "core.interaction_line": (shapes.INTERACTION_LINE, {"is_removed", "is_unpublished"}),
    "core.promise": (shapes.PROMISE, {"promise_key", "is_removed", "is_unpublished"}),
    "core.relationship": (shapes.RELATIONSHIP, {"relationship_key", "changed_seq", "is_deleted"}),
    "core.client": (
        shapes.GOLDEN,
        {"valid_from", "changed_seq", "is_deleted", "redirected_to", "redirected_at", "is_redirected"},
    ),
}
TYPES = {
    # Amounts of links travel as integers of 1/10,000.
    pa.int64(): (BigInteger, Numeric),
    pa.int32(): (Integer,),
    pa.bool_(): (Boolean,),
    pa.date32(): (Date,),
    pa.timestamp("us", tz="UTC"): (DateTime,),
    # JSON, UUIDs and decimals travel as text.
    pa.string(): (Text, JSONB, Uuid, Numeric),
    pa.list_(pa.int64()): (ARRAY,),
}


@pytest.mark.parametrize("name", SHAPES)
def test_an_arrow_shape_equals_its_table(name: str) -> None:
    shape, derived = SHAPES[name]
    table: Table = metadata.tables[name]
    assert [column.name for column in table.columns if column.name not in derived] == list(shape.names)
    for field in shape:
        column = table.columns[field.name]
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        assert isinstance(column.type, TYPES[kind]), field.name
        if name != "core.client" or field.name != "display_name":
            assert column.nullable == field.nullable, field.name


def test_kinds_and_roles_are_those_of_identity() -> None:
    assert enums.KINDS == schema.KINDS
    assert enums.ROLES == schema.ROLES


def test_what_amounts_mean_is_what_documents_are_linked_by() -> None:
    assert (*MONEY, "none") == enums.MONEY


def test_what_survivorship_gives_is_what_is_stored() -> None:
    from identity import survive

    assert survive.GOLDEN.names == shapes.GOLDEN.names
    assert [f.type for f in survive.GOLDEN] == [f.type for f in shapes.GOLDEN]
    assert set(shapes.CONTRIBUTION.names) == set(survive.CONTRIBUTION.names) - {"trust"}


def test_no_amount_is_a_float() -> None:
    floats = [
        str(c) for t in metadata.tables.values() for c in t.columns if c.type.__visit_name__ in ("float", "double")
    ]
    # Probabilities, how often something is expected, and estimates with their intervals are no amounts.
    told = ["typical", "typical_elsewhere", "difference", "difference_low", "difference_high", "p_value"]
    told += ["effect_difference", "effect_low", "effect_high"]
    assert floats == [
        *(f"loyalty.{name}" for name in ("difference", "low", "high", "trend_p")),
        *(f"loyalty_band.{name}" for name in ("share", "low", "high")),
        "need_rate.rate",
        "client_segment.probability",
        "client_segment.runner_up_probability",
        *(f"segment_mirror.{name}" for name in told),
    ]
