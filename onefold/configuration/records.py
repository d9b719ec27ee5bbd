"""`authority.yaml` and `expectations.yaml`: what people agreed, and what must hold in the result."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from onefold.configuration.base import Name, Strict, problem


class Authority(Strict):
    """Which register decides an attribute or a type of document, and who agreed."""

    attribute: Name | None = None
    document: Name | None = Field(None, description="An interaction type, when a document's register is decided.")
    register_: Name = Field(alias="register", description="The source that decides.")
    agreed_by: str | None = None
    agreed_on: date | None = None
    review_on: date | None = Field(None, description="When to look at it again.")
    because: str | None = None

    @model_validator(mode="after")
    def _one_subject(self) -> Authority:
        if (self.attribute is None) == (self.document is None):
            raise problem("authority", "an entry names either `attribute` or `document`.")
        return self

    def is_overdue(self, day: date) -> bool:
        """It was to be looked at again before `day`."""
        return self.review_on is not None and self.review_on < day


class AuthorityFile(Strict):
    """`authority.yaml`."""

    authority: list[Authority] = Field(default_factory=list)


def _record(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*:[^:]+:.+", value):
        raise problem("record", f"found `{value}`; a record is written source:stream:key, such as crm:contacts:42.")
    return value


Record = Annotated[str, AfterValidator(_record), Field(examples=["crm:contacts:42"])]


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


class RecordSet(Strict):
    """Records about which something must hold."""

    records: list[Record] = Field(min_length=2)
    because: str | None = None


class ExpectedValue(Strict):
    """A golden value that must hold for the client of a record."""

    record: Record
    attribute: Name
    value: Annotated[str, BeforeValidator(_text)]
    because: str | None = None


class ExpectedCount(Strict):
    """How many rows a served view may have."""

    view: Annotated[
        str, Field(pattern=r"^[a-z][a-z0-9_]*$", description="A view of onefold_v1.", examples=["dim_client"])
    ]
    at_least: int | None = Field(None, ge=0)
    at_most: int | None = Field(None, ge=0)
    because: str | None = None

    @model_validator(mode="after")
    def _bounded(self) -> ExpectedCount:
        if self.at_least is None and self.at_most is None:
            raise problem("view", "neither `at_least` nor `at_most` is given; nothing is expected.")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise problem("at_most", "`at_most` is less than `at_least`; no count would do.")
        return self


class ExpectationsFile(Strict):
    """`expectations.yaml`: checked by `onefold test`, `onefold plan` and `onefold apply`."""

    same_client: list[RecordSet] = Field(default_factory=list, description="All of these share one client.")
    different_clients: list[RecordSet] = Field(default_factory=list, description="No two of these share a client.")
    values: list[ExpectedValue] = Field(default_factory=list)
    counts: list[ExpectedCount] = Field(default_factory=list, description="How many rows served views have.")

    def __bool__(self) -> bool:
        return bool(self.same_client or self.different_clients or self.values or self.counts)
