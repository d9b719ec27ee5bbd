"""How records of a stream are written back: one request for a batch, and where its answer tells of each row.

A row's names in the texts: {key}, {fields} (an object), {pairs} (a list of {field} and {value}), {token} (the change's
idempotence key). A batch has {rows} for `$each`, which gives each row's names, and a {token} of its own.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from connectors.paths import FieldPath, compile_path
from connectors.settings import Settings
from connectors.templates import fill

ROW_NAMES = frozenset({"key", "fields", "pairs", "token", "field", "value", "rows"})
"""Names that are filled in while writing."""
LOOK_NAMES = frozenset({"key", "keys", "names"})


class Told(Settings):
    """Rows of which an answer tells: a list of them, or (map) an object by their names."""

    rows: FieldPath | None = Field(default=None, description="The answer itself if not given.")
    shape: Literal["list", "map"] = "list"
    key: FieldPath | tuple[FieldPath, ...] | None = Field(
        default=None, description="Of a list: path of the row's name, or several to look at; with [] of several rows."
    )
    code: FieldPath | None = None
    message: FieldPath | None = None

    @model_validator(mode="after")
    def _is_named(self) -> Told:
        if self.shape == "list" and self.key is None:
            raise ValueError("a list of rows needs `key`: the path of each row's name")
        return self


class InOrder(Settings):
    """Rows of an answer that stand in the order in which they were sent."""

    rows: FieldPath | None = Field(default=None, description="The answer itself if not given.")
    ok: FieldPath = Field(description="True where the row was taken.")
    code: FieldPath | None = None
    message: FieldPath | None = None


class WriteAnswer(Settings):
    """What an answer says of each row. Without any of it a success means that all were taken."""

    named: str = Field(default="{key}", description="How the answer calls a row.")
    accepted: Told | None = Field(default=None, description="With it, rows that are in neither list are unknown.")
    refused: Told | None = None
    in_order: InOrder | None = None
    code: FieldPath | None = Field(default=None, description="Of a request refused as a whole: path of its code.")
    busy: tuple[str, ...] = Field(default=(), description="Codes of rows that mean: not now.")

    @model_validator(mode="after")
    def _one_way(self) -> WriteAnswer:
        if self.in_order is not None and (self.accepted or self.refused):
            raise ValueError("give either `in_order`, or `accepted` and `refused`")
        return self


class Look(Settings):
    """A request for the present records of a batch, before one is sent again of which no answer came."""

    path: str
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, Any] = Field(default_factory=dict)
    body: Any = Field(default=None, description="{keys}: those of the records; {names}: the fields that are written.")
    records: FieldPath | tuple[FieldPath, ...] | None = None
    shape: Literal["list", "object", "map"] = "list"
    missing_is_empty: bool = False
    empty_on: tuple[int, ...] = ()


class WriteTable(Settings):
    """Fields that are rows of a table inside the record.

    Only the whole table can be written: the rows that `look` shows stand, one is changed or added.
    """

    match: str = Field(description="Which names of fields are keys of rows: a regular expression for the whole name.")
    into: str = Field(description="The member that holds the table.")
    key: str = Field(description="The row's member that holds its key.")
    value: str = Field(description="The row's member that holds the value.")
    row: dict[str, Any] = Field(default_factory=dict, description="Further members of a new row.")

    @field_validator("match")
    @classmethod
    def _compiles(cls, match: str) -> str:
        return _pattern(match)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return text


class Write(Settings):
    """How values reach the records of a stream. They are set, never added to: a change sent twice changes nothing."""

    path: str = Field(description="Below `base_url`.")
    method: Literal["PATCH", "PUT", "POST"] = "PATCH"
    params: dict[str, Any] = Field(default_factory=dict)
    headers: dict[str, Any] = Field(default_factory=dict, description="{token}: for an idempotence header.")
    body: Any = "{fields}"
    encoding: Literal["json", "form"] = "json"
    batch: int = Field(default=1, ge=1, le=1000, description="Records in one request.")
    weight: float = Field(default=1, gt=0, description="What one request costs of the budgets.")
    key_type: Literal["text", "number"] = "text"
    fields: str = Field(default=".+", description="Which fields may be written: a regular expression for the name.")
    field_type: Literal["text", "number"] = "text"
    as_text: bool = Field(default=False, description="Numbers and yes or no are written as text.")
    empty: Any = Field(
        default=None,
        description="What a field is set to so that it holds nothing, null too if it is said. Without it a value that "
        "was written where nothing stood cannot be taken back.",
    )
    value: str = Field(default="{field}", description="Path of a {field} in the record as it is read.")
    marks: tuple[FieldPath, ...] = Field(
        default=(), description="What a write changes besides: times and versions. Neither makes a record another one."
    )
    table: WriteTable | None = None
    answer: WriteAnswer = WriteAnswer()
    look: Look | None = None

    @field_validator("fields")
    @classmethod
    def _compiles(cls, fields: str) -> str:
        return _pattern(fields)

    @model_validator(mode="after")
    def _fits(self) -> Write:
        if self.table is not None and self.look is None:
            raise ValueError("`table` needs `look`: a table is written whole, so its other rows must be known")
        compile_path(fill(self.value, {"field": "name"}))
        return self

    @property
    def can_empty(self) -> bool:
        """It is said how a field is emptied."""
        return "empty" in self.model_fields_set

    def is_in_table(self, field: str) -> bool:
        """The field is a row of the table."""
        return self.table is not None and re.fullmatch(self.table.match, field) is not None

    def may_write(self, field: str) -> bool:
        """The field's name is one that can be written."""
        if self.field_type == "number" and not field.isdecimal():
            return False
        return re.fullmatch(self.fields, field) is not None

    def path_of(self, field: str) -> str:
        """Where a field's value stands in a record as it is read."""
        if self.table is not None and self.is_in_table(field):
            return f"{self.table.into}[{self.table.key}={field}].{self.table.value}"
        return fill(self.value, {"field": field})
