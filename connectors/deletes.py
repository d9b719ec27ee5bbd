"""How it shows that a record is gone from the source: a closed set of rules, several of which may hold for a stream."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from connectors.changes import Changes
from connectors.paging import Paging
from connectors.paths import FieldPath
from connectors.settings import Duration, Settings


class FlagDeletes(Settings):
    """A field of the record says that it is deleted: it equals one of `equals`, or with none given, it is there."""

    kind: Literal["flag"] = "flag"
    path: FieldPath
    equals: tuple[str, ...] = ("true", "1")
    ends_with: str | None = Field(default=None, description="Instead of `equals`: how the text at `path` ends.")
    key: FieldPath | None = Field(default=None, description="Where the key of a deleted record stands, if elsewhere.")
    pattern: str | None = Field(default=None, description="Regular expression; its first group in `key` is the key.")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            if pattern is not None and re.compile(pattern).groups != 1:
                raise ValueError("the pattern has exactly one group: the key")
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return pattern


class DeltaDeletes(FlagDeletes):
    """A delta names what was deleted among its records: OData's `@removed`."""

    kind: Literal["delta"]  # type: ignore[assignment]
    path: FieldPath = "'@removed'"
    equals: tuple[str, ...] = ()


class SweepKeys(Settings):
    """The stream asked for its keys alone. What is given stands instead of the stream's own."""

    path: str | None = None
    params: dict[str, Any] | None = None
    headers: dict[str, Any] | None = None
    body: Any = None
    records: FieldPath | tuple[FieldPath, ...] | None = None
    paging: Paging | None = None


class SweepDeletes(Settings):
    """Everything is read; what a complete pass did not show is deleted. With `every`, only when so long has passed.

    With `keys` a sweep that is due reads what changed, and then the keys of everything instead of all records.
    """

    kind: Literal["sweep"] = "sweep"
    every: Duration = timedelta(0)
    keys: SweepKeys | None = Field(
        default=None, description="How only keys are asked for; `true` for OData, Odoo and Tryton."
    )


class ArchivedDeletes(Settings):
    """The same question asked a second time, for what is archived or deleted: `archived=true`, `queryAll`."""

    kind: Literal["archived"]
    path: str | None = Field(default=None, description="Instead of the stream's.")
    params: dict[str, Any] = Field(default_factory=dict, description="On top of the stream's.")
    headers: dict[str, Any] = Field(default_factory=dict, description="On top of the stream's.")
    body: Any = Field(default=None, description="Instead of the stream's.")
    changes: Changes | None = Field(default=None, description="Instead of the stream's.")
    where: FlagDeletes | None = Field(default=None, description="Only such records are deleted; all if not given.")


class TombstoneDeletes(Settings):
    """A feed of its own names the keys of what was deleted."""

    kind: Literal["tombstones"]
    path: str
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, Any] = Field(default_factory=dict)
    headers: dict[str, Any] = Field(default_factory=dict)
    body: Any = None
    records: FieldPath | tuple[FieldPath, ...] | None = None
    key: FieldPath | tuple[FieldPath, ...] = "id"
    paging: Paging | None = Field(default=None, description="No paging if not given.")
    changes: Changes | None = Field(default=None, description="The stream's, if not given.")
    where: FlagDeletes | None = Field(default=None, description="Only such entries are deletions; all if not given.")


def _listed(value: Any) -> Any:
    items = value if isinstance(value, list | tuple) else [value]
    return tuple({"kind": item} if isinstance(item, str) else item for item in items if item not in ("none", None))


Deletes = Annotated[
    tuple[
        Annotated[
            FlagDeletes | DeltaDeletes | SweepDeletes | ArchivedDeletes | TombstoneDeletes,
            Field(discriminator="kind"),
        ],
        ...,
    ],
    BeforeValidator(_listed),
]
