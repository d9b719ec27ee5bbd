"""The shapes in which data enters and leaves `identity`: Arrow schemas, each a table or a plain hand-over.

A test asserts that `RECORD`, `IDENTIFIER`, `BLOCKING_KEY` and `PAIR` equal the columns of their tables.
Records are always handed over in natural-key order (source, stream, source_key; bytewise), so that a row's position
is its rank and every tie breaks by position.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

KINDS: Final = ("person", "organisation")
ROLES: Final = ("client", "prospect", "supplier", "staff", "authority")

HEAD: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("stream", pa.string(), nullable=False),
        pa.field("source_key", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("default_country", pa.string()),  # ISO 3166-1 alpha-2, for phones and addresses without one
        pa.field("source_updated_at", pa.timestamp("us", tz="UTC")),
    ]
)
"""One row per mapped client record, before standardisation."""

VALUE: Final = pa.schema(
    [
        pa.field("row", pa.int32(), nullable=False),  # index into the HEAD table of the same batch
        pa.field("attribute", pa.string(), nullable=False),  # standard or open attribute, e.g. email
        pa.field("value", pa.string(), nullable=False),  # as the source wrote it, trimmed
        pa.field("repair", pa.string()),  # what the mapping mended (`leading zero`), or null
    ]
)
"""The mapped values in long form; several rows of one (row, attribute) are a multi-valued attribute, in order."""

RECORD: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("stream", pa.string(), nullable=False),
        pa.field("source_key", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("is_own", pa.bool_(), nullable=False),  # own organisation or its staff: never a client, never evidence
        # Comparable forms: casefolded, NFKC, punctuation out. `*_latin` is the Latin key of the field beside it.
        pa.field("full_name", pa.string()),  # person: given middle family, or the name as far as it could be read
        pa.field("full_latin", pa.string()),
        pa.field("given_name", pa.string()),
        pa.field("given_latin", pa.string()),
        pa.field("middle_name", pa.string()),  # middle name or patronymic
        pa.field("middle_latin", pa.string()),
        pa.field("family_name", pa.string()),
        pa.field("family_latin", pa.string()),
        pa.field("birth_date", pa.date32()),
        pa.field("gender", pa.string()),
        pa.field("org_name", pa.string()),  # organisation: name core without legal form
        pa.field("org_latin", pa.string()),
        pa.field("legal_form", pa.string()),  # canonical form class, e.g. `llc`
        pa.field("country", pa.string()),  # ISO 3166-1 alpha-2
        pa.field("region", pa.string()),
        pa.field("city", pa.string()),
        pa.field("street", pa.string()),
        pa.field("house", pa.string()),
        pa.field("postcode", pa.string()),
        # JSON object for the golden record: attribute -> [{"v": display value, "invalid"?: why, "repaired"?: what}]
        pa.field("attributes", pa.string(), nullable=False),
        pa.field("source_updated_at", pa.timestamp("us", tz="UTC")),
        # UUID text of a 16-byte digest over everything above but source_updated_at and the record's own id
        pa.field("content_hash", pa.string(), nullable=False),
    ]
)
"""identity.standard_record: one row per source record of a person or organisation."""

IDENTIFIER: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("type", pa.string(), nullable=False),  # email, phone, inn, kpp, ogrn, vat, domain, ...
        pa.field("value", pa.string(), nullable=False),  # standard form: E.164, lower-cased, digits only
        pa.field("is_valid", pa.bool_(), nullable=False),
        pa.field("invalid_reason", pa.string()),
    ]
)
"""identity.identifier: typed, multi-valued; invalid values are kept and are no evidence."""

BLOCKING_KEY: Final = pa.schema(
    [pa.field("key", pa.int64(), nullable=False), pa.field("record_id", pa.int64(), nullable=False)]
)
"""identity.blocking_key: 64-bit hash of (kind, rule, standard value)."""

PAIR: Final = pa.schema(
    [
        pa.field("left_id", pa.int64(), nullable=False),  # the smaller natural key, bytewise
        pa.field("right_id", pa.int64(), nullable=False),
        pa.field("weight", pa.int32(), nullable=False),  # match weight in 1/1024 bit
        pa.field("model_version", pa.int32(), nullable=False),
    ]
)
"""identity.pair: plausible pairs only."""

JUDGEMENT: Final = pa.schema(
    [
        pa.field("judgement_id", pa.int64(), nullable=False),
        pa.field("verdict", pa.string(), nullable=False),  # same | not_same
        pa.field("left_ids", pa.list_(pa.int64()), nullable=False),
        pa.field("right_ids", pa.list_(pa.int64()), nullable=False),
    ]
)
"""Judgements in force. `same`: all of left and right must link; `not_same`: no left with any right."""

CROSSWALK: Final = pa.schema(
    [pa.field("record_id", pa.int64(), nullable=False), pa.field("client_id", pa.string(), nullable=False)]
)
"""identity.crosswalk: which client a record belongs to now (client_id: UUID text)."""

WEIGHT_ONE_BIT: Final = 1024
"""Match weights are integers of 1/1024 bit, so that sums are the same on one thread, two threads and Spark."""
