"""The tables of the hub as SQLModel classes, one module per schema or room. Importing this takes seconds: migrations
and tests only.
"""

from warehouse.models import (
    access,
    accounts,
    concerns,
    core,
    desk,
    documents,
    evidence,
    facts,
    feed,
    holds,
    identity,
    in_common,
    metrics,
    needs,
    notices,
    ops,
    privacy,
    rates,
    raw,
    reports,
    source_fixes,
    versions,
)
from warehouse.models.base import SCHEMAS, Table

metadata = Table.metadata

__all__ = [
    "SCHEMAS",
    "access",
    "accounts",
    "concerns",
    "core",
    "desk",
    "documents",
    "evidence",
    "facts",
    "feed",
    "holds",
    "identity",
    "in_common",
    "metadata",
    "metrics",
    "needs",
    "notices",
    "ops",
    "privacy",
    "rates",
    "raw",
    "reports",
    "source_fixes",
    "versions",
]
