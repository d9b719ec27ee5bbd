"""`sources/*.yaml`: one source system, its connector, and how its streams become clients and interactions."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, field_validator, model_validator

from onefold.configuration.base import (
    Country,
    Currency,
    Duration,
    FieldPath,
    Labels,
    Language,
    Name,
    OneOrMany,
    Strict,
    TimeZone,
    problem,
)
from onefold.configuration.origins import (
    CHANNELS,
    DIRECTIONS,
    ROLES,
    ChildField,
    Constant,
    KindRule,
    Paths,
    Reference,
    RoleOrText,
    Sources,
    Text,
    TypeRule,
    check_where,
)
from onefold.configuration.write_back import WriteBack


class Defaults(Strict):
    """What the source leaves unsaid."""

    country: Country | None = Field(None, description="For phones and addresses without a country.")
    timezone: TimeZone | None = Field(None, description="How the source's naive times are meant; UTC when absent.")
    currency: Currency | None = Field(None, description="For amounts without a currency.")
    language: Language | None = Field(None, description="The language of its texts.")

    def day(self, moment: datetime) -> date:
        """The day that a moment belongs to."""
        return moment.astimezone(ZoneInfo(self.timezone) if self.timezone else UTC).date()

    def over(self, other: Defaults | None) -> Defaults:
        """These defaults, completed from `other`."""
        if other is None:
            return self
        mine = {name: value for name, value in self if value is not None}
        return Defaults(**{**dict(other), **mine})


class Freshness(Strict):
    """How old the newest data may grow before the hub warns or fails."""

    warn_after: Duration | None = None
    fail_after: Duration | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Freshness:
        if self.warn_after and self.fail_after and self.fail_after < self.warn_after:
            raise problem("freshness", "`fail_after` is shorter than `warn_after`; the warning would never come.")
        return self


class ChangeLimits(Strict):
    """What a run may change of one stream before it is held. What is not said is as in hub.yaml."""

    deleted: float | None = Field(None, ge=0, le=1, description="Share of the stream's records that may be deleted.")
    emptied: float | None = Field(
        None, ge=0, le=1, description="Share of a field's values that may become empty, for each field."
    )
    changed: float | None = Field(None, ge=0, le=1, description="Share of the stream's records that may change.")
    merged: float | None = Field(None, ge=0, le=1, description="In hub.yaml only.")
    at_least: int = Field(50, ge=0, description="Fewer records or clients than this never hold a run.")


class WorksAt(Reference):
    """Where a person works: a relationship from this record to each organisation named."""

    role: Text | None = Field(None, description="What the person is there, in words.")
    valid_from: FieldPath | None = None
    valid_to: FieldPath | None = None


class Related(WorksAt):
    """Any other relationship from this record to another."""

    type: Name = Field(description="works_at, branch_of, owner_of, member_of, successor_of, or a word of your own.")


class Sum(Strict):
    """Several amounts of one record added up: what was paid in cash, by transfer and by each check."""

    sum: list[FieldPath] = Field(min_length=1, description="Paths; every value at each of them counts.")


class Amount(Strict):
    """Money, kept as exact decimals."""

    value: FieldPath | list[FieldPath] | Sum = Field(description="A path; a list: the first that is filled; or a sum.")
    currency: Text | None = Field(None, description="A path, or a fixed ISO 4217 code; else the source's default.")


class Promise(Strict):
    """What was promised to the client, and what happened."""

    kind: Name = Field(description="For example delivery_date.")
    due: FieldPath | None = Field(None, description="The promised date.")
    actual: FieldPath | None = Field(None, description="The date on which it happened.")
    due_value: FieldPath | None = Field(None, description="The promised value, when it is no date.")
    actual_value: FieldPath | None = None

    @model_validator(mode="after")
    def _promises(self) -> Promise:
        if self.due is None and self.due_value is None:
            raise problem("promise", "a promise needs `due` (a date) or `due_value`.")
        return self


class Rate(Strict):
    """An exchange rate: what `nominal` units of one currency cost in another, from a day on."""

    from_: Text = Field(alias="from", description="What is bought: a path, or a fixed ISO 4217 code.")
    to: Text | None = Field(None, description="In what it is paid; absent: the source's default currency.")
    on: Paths = Field(description="From which day it holds.")
    value: FieldPath
    nominal: FieldPath | None = Field(None, description="For how many units; absent: for one.")


class Lines(Strict):
    """An interaction's lines: rows inside the record (`each`), or records of a child stream."""

    each: FieldPath | None = Field(None, description="The path of the rows, such as items[]; line paths start there.")
    stream: str | None = None
    where: dict[str, Any] | None = None
    item_code: Text | None = None
    item_name: Text | None = None
    quantity: FieldPath | None = None
    unit: Text | None = None
    unit_price: FieldPath | None = None
    amount: FieldPath | None = None
    position: FieldPath | None = Field(None, description="Sorts the lines; else they stand as the source gives them.")

    @model_validator(mode="after")
    def _one_origin(self) -> Lines:
        if (self.each is None) == (self.stream is None):
            raise problem("lines", "lines need either `each` (rows inside the record) or `stream` with `where`.")
        if self.stream is not None and not self.where:
            raise problem("lines", "lines of a child stream need `where` with one condition that is `$key`.")
        if self.where is not None:
            check_where(self.where, needs_key=True)
        return self


PARTY_KEYS: Final = frozenset({"role", "fields", "works_at", "relationships"})
INTERACTION_KEYS: Final = frozenset(
    {
        "type", "party", "occurred_at", "amount", "lines", "promise", "detail", "parent", "reverses",
        "document_number", "channel", "direction", "summary",
    }
)  # fmt: skip
RATE_KEYS: Final = frozenset({"rate"})
RELATIONSHIP_KEYS: Final = frozenset({"type", "role", "from_", "to", "valid_from", "valid_to"})


class StreamConfiguration(Strict):
    """One stream: its key, and what its records become. Without `as` it is only landed, or feeds others."""

    as_: KindRule | None = Field(
        None,
        alias="as",
        description="person | organisation | interaction | relationship | rate, or a choice of the first two.",
    )
    title: Labels | None = None
    key: str | list[str] | None = Field(
        None,
        description="Path(s) of the source key; `content` for rows without one; absent: the connector's own.",
    )
    updated_at: str | None = Field(None, description="Path of the time of the last change.")
    volatile: list[str] = Field(
        default_factory=list,
        description="Paths kept in raw but outside the hash: they change without meaning anything.",
    )
    options: dict[str, Any] = Field(
        default_factory=dict,
        description="Settings of this stream for its connector (a file pattern, a table, a request).",
    )
    defaults: Defaults | None = Field(None, description="Where this stream differs from its source.")
    limits: ChangeLimits | None = None
    where: dict[str, Any] | None = Field(
        None,
        description="Only records that have these values are mapped (1C: `IsFolder: false`).",
    )
    url: str | None = Field(None, description="The card in its own system; {key} stands for the key.")
    # persons and organisations
    role: RoleOrText | None = Field(
        None,
        description="Of a party: client | prospect | supplier | staff | authority, or a choice by value; "
        "of a relationship: what one is to the other, in words (a path).",
    )
    fields: dict[str, Sources] | None = Field(
        None, description="Attribute (standard or open): where its values come from."
    )
    works_at: Annotated[list[WorksAt], OneOrMany()] | None = None
    relationships: Annotated[list[Related], OneOrMany()] | None = None
    write_back: WriteBack | None = Field(None, description="What the hub writes to the records, and to which fields.")
    # interactions
    type: TypeRule | None = Field(None, description="Code of the interaction type, or a choice; see interactions.yaml.")
    party: Annotated[list[Reference], OneOrMany()] | None = Field(
        None, description="The record of the client whom the interaction was with; of several the first that has a key."
    )
    occurred_at: Paths | None = Field(None, description="When it happened; a date alone has the precision of a day.")
    amount: Amount | None = None
    lines: Lines | None = None
    promise: Annotated[list[Promise], OneOrMany()] | None = None
    detail: dict[str, Text] | None = Field(None, description="Further values, by name.")
    parent: Reference | None = Field(None, description="The interaction that this one follows (invoice of an order).")
    reverses: Reference | None = Field(None, description="The interaction that this one takes back.")
    document_number: Text | None = None
    channel: Text | None = Field(None, description=f"A path, or one of: {', '.join(CHANNELS)}.")
    direction: Text | None = Field(None, description="A path, or inbound | outbound | internal.")
    summary: Text | None = None
    # exchange rates
    rate: Rate | None = Field(None, description="The parts of an exchange rate.")
    # relationships
    from_: Reference | None = Field(None, alias="from")
    to: Reference | None = None
    valid_from: FieldPath | None = None
    valid_to: FieldPath | None = None

    @property
    def kind(self) -> Literal["party", "interaction", "relationship", "rate"] | None:
        """What a stream's records become; None: nothing by themselves."""
        if self.as_ is None:
            return None
        if self.as_ in ("interaction", "relationship", "rate"):
            return self.as_
        return "party"

    @property
    def type_codes(self) -> list[str]:
        """The interaction types that its records can have."""
        if self.kind != "interaction" or self.type is None:
            return []
        if isinstance(self.type, str):
            return [self.type]
        return [*self.type.cases.values(), *([self.type.otherwise] if self.type.otherwise else [])]

    @field_validator("where")
    @classmethod
    def _filter(cls, where: dict[str, Any] | None) -> dict[str, Any] | None:
        if where is not None:
            check_where(where, needs_key=False)
        return where

    @field_validator("key", "updated_at", "volatile")
    @classmethod
    def _key_paths(cls, value: Any) -> Any:
        for path in [value] if isinstance(value, str) else value or []:
            if not path.strip():
                raise problem("path", "found an empty path.")
        return value

    @field_validator("url")
    @classmethod
    def _only_the_key(cls, url: str | None) -> str | None:
        for name in re.findall(r"\{(.*?)\}", url or ""):
            if name != "key":
                raise problem("url", f"found `{{{name}}}`; only {{key}} can stand in a url.")
        return url


def _schedule(value: str) -> str:
    from onefold.configuration.schedule import ScheduleError, check

    try:
        check(value)
    except ScheduleError as error:
        raise problem("schedule", f"found `{value}`: {error}") from None
    return value


Schedule = Annotated[str, AfterValidator(_schedule), Field(examples=["0 * * * *", "@daily"])]


class SourceConfiguration(Strict):
    """One source system."""

    source: Name = Field(description="Its name in the hub; part of every record's identity, so it never changes.")
    title: Labels | None = Field(None, description="Its name for people.")
    department: Name | None = Field(None, description="Who works with it.")
    owner: str | None = Field(None, description="Who answers for its data.")
    connector: str = Field(
        min_length=1,
        description="A manifest or class of the catalogue, files, sql, singer:tap-x or airbyte:source-x.",
    )
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description="Settings of the connector; secrets are named as ${NAME}, never written here.",
    )
    defaults: Defaults = Defaults()  # type: ignore[call-arg]
    trust: int = Field(50, ge=0, le=100, description="Used by survivorship: the higher wins.")
    distinct: bool = Field(False, description="This register is known to hold each client once.")
    schedule: Schedule | None = Field(None, description="When it is synced: five cron fields, or @hourly, @daily, ...")
    freshness: Freshness | None = None
    enabled: bool = Field(True, description="False: configured, but left out of runs.")
    streams: dict[Annotated[str, Field(min_length=1)], StreamConfiguration] = Field(default_factory=dict)

    @property
    def pool(self) -> str:
        """Under which name an orchestrator counts who reads it, and keeps its secrets."""
        return f"onefold_{self.source}"

    def mapped(self, kind: str) -> dict[str, StreamConfiguration]:
        """The streams mapped as party, interaction, relationship or rate."""
        return {name: stream for name, stream in self.streams.items() if stream.kind == kind}

    def children(self) -> dict[str, set[str]]:
        """Child stream -> the streams whose records it feeds."""
        feeds: dict[str, set[str]] = {}
        for name, stream in self.streams.items():
            for sources in (stream.fields or {}).values():
                for one in sources:
                    if isinstance(one, ChildField):
                        feeds.setdefault(one.stream, set()).add(name)
            if stream.lines is not None and stream.lines.stream is not None:
                feeds.setdefault(stream.lines.stream, set()).add(name)
        return feeds


__all__ = [
    "CHANNELS", "DIRECTIONS", "ROLES", "Amount", "ChangeLimits", "ChildField", "Constant", "Defaults",
    "Freshness", "Lines", "Promise", "Rate", "Reference", "Related", "SourceConfiguration", "StreamConfiguration",
    "WorksAt",
]  # fmt: skip
