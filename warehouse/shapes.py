"""Arrow shapes of the facts that `onefold` hands to the warehouse: tables of `core` without their derived columns.

Amounts and quantities travel as decimal text, never as float; PostgreSQL casts them to numeric.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

INTERACTION: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),  # the source record that it is
        pa.field("source", pa.string(), nullable=False),
        pa.field("stream", pa.string(), nullable=False),
        pa.field("source_key", pa.string(), nullable=False),
        pa.field("type", pa.string(), nullable=False),  # code of core.interaction_type
        pa.field("party_record_id", pa.int64()),  # the client's source record, landed or not yet; null: none named
        pa.field("occurred_at", pa.timestamp("us", tz="UTC")),
        pa.field("occurred_on", pa.date32()),  # local date at the source
        pa.field("time_zone", pa.string()),  # IANA name in which the source meant it
        pa.field("precision", pa.string()),  # day | minute | second
        pa.field("channel", pa.string()),
        pa.field("direction", pa.string()),  # inbound | outbound | internal
        pa.field("document_number", pa.string()),
        pa.field("summary", pa.string()),
        pa.field("amount", pa.string()),
        pa.field("currency", pa.string()),  # ISO 4217
        pa.field("parent_record_id", pa.int64()),
        pa.field("reverses_record_id", pa.int64()),
        pa.field("url", pa.string()),
        pa.field("detail", pa.string(), nullable=False),  # JSON object
        pa.field("content_hash", pa.string(), nullable=False),  # UUID text over all of the above, lines and promises
    ]
)
INTERACTION_LINE: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("position", pa.int32(), nullable=False),
        pa.field("item_code", pa.string()),
        pa.field("item_name", pa.string()),
        pa.field("quantity", pa.string()),
        pa.field("unit", pa.string()),
        pa.field("unit_price", pa.string()),
        pa.field("amount", pa.string()),
    ]
)
PROMISE: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),  # the interaction in which it was made
        pa.field("kind", pa.string(), nullable=False),  # e.g. delivery_date
        pa.field("due_on", pa.date32()),
        pa.field("actual_on", pa.date32()),
        pa.field("due_value", pa.string()),
        pa.field("actual_value", pa.string()),
    ]
)
RATE: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),  # the source record that states it
        pa.field("source", pa.string(), nullable=False),
        pa.field("stream", pa.string(), nullable=False),
        pa.field("source_key", pa.string(), nullable=False),
        pa.field("from_currency", pa.string(), nullable=False),  # ISO 4217
        pa.field("to_currency", pa.string(), nullable=False),
        pa.field("on_date", pa.date32(), nullable=False),  # from which day it holds
        pa.field("rate", pa.string(), nullable=False),  # what `nominal` units cost, decimal text
        pa.field("nominal", pa.string(), nullable=False),
    ]
)
RELATIONSHIP: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),  # the record that states it
        pa.field("from_record_id", pa.int64(), nullable=False),
        pa.field("to_record_id", pa.int64(), nullable=False),
        pa.field(
            "type", pa.string(), nullable=False
        ),  # works_at | branch_of | owner_of | member_of | successor_of | ...
        pa.field("role", pa.string()),  # in words: chief accountant
        pa.field("valid_from", pa.date32()),
        pa.field("valid_to", pa.date32()),
    ]
)
CHILD_LINK: Final = pa.schema(
    [
        pa.field("child_record_id", pa.int64(), nullable=False),
        pa.field("parent_record_id", pa.int64(), nullable=False),
    ]
)
"""A record whose fields feed another record (Bitrix24 requisites): its change queues the parent."""

CONTRIBUTION: Final = pa.schema(
    [
        pa.field("client_id", pa.string(), nullable=False),  # UUID text
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("stream", pa.string(), nullable=False),
        pa.field("source_key", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("is_own", pa.bool_(), nullable=False),
        pa.field("attributes", pa.string(), nullable=False),  # JSON object, as in identity.standard_record
        pa.field("source_updated_at", pa.timestamp("us", tz="UTC")),
    ]
)
"""What publish hands to survivorship: the records of touched clients, by client_id, then natural key, bytewise."""

GOLDEN: Final = pa.schema(
    [
        pa.field("client_id", pa.string(), nullable=False),  # UUID text
        pa.field("kind", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("display_name", pa.string()),
        pa.field("attributes", pa.string(), nullable=False),  # JSON object: attribute -> value or list of values
        pa.field("lineage", pa.string(), nullable=False),  # JSON object: attribute -> record, rule, losing values
        pa.field("record_count", pa.int32(), nullable=False),
        pa.field("golden_hash", pa.string(), nullable=False),  # UUID text over all of the above
    ]
)
"""What survivorship hands back: core.client without its derived columns."""
