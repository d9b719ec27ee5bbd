"""What the API answers, as its OpenAPI description has it. Times are ISO 8601 in UTC, amounts decimal numbers as
text, records are named `source:stream:key`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from onefold.steps.judge import HowRelated

Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""What PostgreSQL can hold as text."""

ClientId = Field(description="The client's id; an id of before a merge leads to its survivor.")
Seq = Field(description="Its number in the change feed: greater, when anything about it changes.")


class Shape(BaseModel):
    """Of answers; what is not named here is not there."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """RFC 9457."""

    type: str = Field(description="`urn:onefold:problem:KIND`, for programs.")
    title: str
    status: int
    detail: str | None = None


class Loser(Shape):
    """A value that did not become golden."""

    value: Any
    record: str | None
    reason: str | None = Field(description="By which rule it lost.")


class Lineage(Shape):
    """Where a golden value comes from."""

    record: str | None
    rule: str = Field(description="Why this value: pin, authority, recent, only, all, ...")
    losers: list[Loser]


class Record(Shape):
    """A record of a register that belongs to the client."""

    record: str
    kind: str
    role: str
    url: str | None = Field(description="The record's card in its own system.")
    attributes: dict[str, list[Any]] = Field(description="What the record says, in standard form.")
    source_updated_at: datetime | None
    since: datetime = Field(description="As of when it belongs to this client.")


class Relationship(Shape):
    """To another client, as registers state it."""

    type: str
    role: str | None
    direction: Literal["to", "from"]
    client_id: UUID | None
    display_name: str | None
    valid_from: str | None
    valid_to: str | None


class Promise(Shape):
    """What was promised to the client, and what happened."""

    kind: str
    due_on: str | None
    actual_on: str | None
    due_value: Any
    actual_value: Any


class Interaction(Shape):
    """What happened with the client, in any department."""

    record: str
    type: str
    department: str | None
    occurred_at: datetime | None
    occurred_on: date | None
    precision: str | None = Field(description="day: the time of day is not known.")
    direction: str | None
    channel: str | None
    document_number: str | None
    summary: str | None
    amount: str | None
    currency: str | None
    money: str | None = Field(description="quoted, ordered, invoiced, paid, credited or none.")
    url: str | None
    detail: dict[str, Any] | None
    promises: list[Promise]


class Department(Shape):
    """How much of the client's story a department tells."""

    department: str
    interactions: int
    share: float
    last_on: date | None


class Client(Shape):
    """One client: its golden record with the source of every value, its records, and the latest of its story."""

    client_id: UUID = ClientId
    kind: str
    role: str
    display_name: str | None
    is_deleted: bool = Field(description="Without records: every register has deleted it.")
    record_count: int
    valid_from: datetime
    changed_seq: int | None = Seq
    attributes: dict[str, Any]
    lineage: dict[str, Lineage]
    records: list[Record]
    relationships: list[Relationship]
    departments: list[Department]
    interactions: list[Interaction]
    interaction_count: int
    former_ids: list[str]
    open_cases: list[str]
    masked: list[str] = Field(description="What is shown as a mask, because the token may not see values.")


class Found(Shape):
    """A client that was found."""

    client_id: UUID
    kind: str
    role: str
    display_name: str | None
    record_count: int
    why: str = Field(description="What matched: client id, source key, name, or the kind of identifier.")
    attributes: dict[str, Any] = Field(description="E-mail, phone, INN and city, where there are any.")


class FoundClients(Shape):
    """Best first."""

    clients: list[Found]


class Interactions(Shape):
    """A page of a client's story, latest first, those without a time last."""

    client_id: UUID
    interactions: list[Interaction]
    next: str | None = Field(description="`after` of the next page; null: there is none.")


class Change(Shape):
    """One change event."""

    changed_seq: int
    changed_at: datetime
    change: str
    client_id: UUID | None
    payload: dict[str, Any]


class Changes(Shape):
    """Change events in order."""

    changes: list[Change]
    next: int = Field(description="`after` of the next request.")
    is_end: bool = Field(description="There was nothing more when it was asked.")


class CaseRecord(Shape):
    """A record that a case is about."""

    record: str
    client_id: UUID | None
    display_name: str | None


class Case(Shape):
    """Something that waits for a person's word."""

    case: str = Field(description="Its fingerprint; give it with a judgement, so that nothing is decided twice.")
    kind: str
    status: str
    bits: float | None = Field(description="The match weight of its strongest pair.")
    impact: int = Field(description="Interactions of the clients that it is about.")
    opened_at: datetime
    records: list[CaseRecord]
    assignee: str | None = Field(description="The login of whose it is.")
    deferred_until: date | None = Field(description="It is put aside until this day.")
    proposed_by: str | None = Field(description="Who proposed what waits for a second person.")


class Cases(Shape):
    """In the order that was asked for; by itself by impact, then weight."""

    cases: list[Case]
    next: str | None = Field(description="Where the next page begins: `after`. Null: there is none.")


class Fix(Shape):
    """A duplicate or a wrong value in a register."""

    fix_id: int
    kind: Literal["duplicate", "invalid", "outvoted", "contradicts", "emptied"]
    source: str = Field(description="The register in which it is to be mended.")
    owner: str | None = Field(description="Who is to mend it, as authority.yaml or the source has it.")
    record: str
    other: str | None = Field(description="Of a duplicate the other record; else the one whose value is better.")
    client_id: UUID
    attribute: str | None = Field(description="null: the record itself.")
    value: str | None = Field(description="What the register says.")
    better: str | None = Field(description="The golden value, or what the register said before it was emptied.")
    rule: str | None = Field(description="What makes it invalid, or the rule by which it lost.")
    opened_at: datetime
    closed_at: datetime | None
    closed_as: Literal["fixed", "gone", "apart", "judged", "settled"] | None
    url: str | None = Field(description="The record's card in its own system.")
    other_url: str | None


class Fixes(Shape):
    """Oldest first."""

    fixes: list[Fix]
    next: int | None = Field(description="`after` of the next page; null: there is none.")


class FixCount(Shape):
    """What is open in a register, of one owner."""

    source: str
    owner: str | None
    entries: int
    duplicate: int
    invalid: int
    outvoted: int
    contradicts: int
    emptied: int


class FixAttribute(Shape):
    """What is open of one attribute."""

    attribute: str
    entries: int


class FixWeek(Shape):
    """One week, named by its Monday."""

    week_on: date
    opened: int
    closed: int
    open_at_end: int


class FixCounts(Shape):
    """What is open, and how it went in the last twelve weeks."""

    open: int
    rows: list[FixCount]
    attributes: list[FixAttribute]
    weeks: list[FixWeek]


class RecordThen(Shape):
    """A record that the client had at that moment."""

    record: str
    since: datetime
    said_at: datetime | None = Field(description="When what its register had said by then came.")


class ClientSees(Shape):
    """The company as one client sees it; rows name their type with labels, and documents with the registers' texts."""

    client_id: UUID
    kind: str
    display_name: str | None
    on: date = Field(description="As of which day.")
    first_on: date | None
    last_on: date | None
    dealings: int
    promises: list[dict[str, Any]] = Field(description="By kind and type: kept, missed, overdue, open, most_days_late.")
    kept_share: float | None = Field(description="Of the promises that fell due; null where none did.")
    broken: list[dict[str, Any]] = Field(description="The latest promises that were not kept.")
    waits: list[dict[str, Any]] = Field(description="By kind and type: times, median_days, most_days.")
    unanswered: list[dict[str, Any]] = Field(description="Requests and complaints without an answer, longest first.")
    answer_days: float | None = Field(description="Mean days from a request to its answer.")
    repeats: list[dict[str, Any]] = Field(description="What had to be said again within 30 days.")
    departments: list[dict[str, Any]]
    matters: int = Field(description="Matters of more than one step.")
    mean_departments: float | None = Field(description="Through how many departments these went.")
    most_departments: int | None
    complaints: list[dict[str, Any]] = Field(description="The latest first, each with how it `ended`.")
    began_client: int = Field(description="Contacts that the client began.")
    began_company: int
    not_counted: list[dict[str, Any]] = Field(description="Greetings and mailings, which are of no use to the client.")
    more: dict[str, int] = Field(
        description="Of broken, unanswered, repeats and complaints: how many there are beside those that are told."
    )


class MetricsReport(Shape):
    """Metrics by side. Each has metric, label_en, label_ru, unit, better, value, low, high, observations, clients,
    is_available, why_en, why_ru, definition, months and segments."""

    client: list[dict[str, Any]] = Field(description="As clients live it.")
    enterprise: list[dict[str, Any]] = Field(description="As the company counts it.")
    is_one_sided: bool = Field(description="Nothing that is told is from the client's side.")
    note: dict[str, str] | None = Field(description="The same in words, by language.")


class LoyaltyReport(Shape):
    """Loyalty with its grounds: ground, loyalty, verdict, difference, low, high, clients, and bands of each."""

    loyalty: list[dict[str, Any]]


class ClientThen(Shape):
    """A client as it was known at a moment."""

    client_id: UUID
    as_of: datetime
    kind: str
    role: str
    display_name: str | None
    is_deleted: bool
    redirected_to: UUID | None = Field(description="It had been merged into this one by then.")
    valid_from: datetime | None = Field(description="null: from the beginning.")
    valid_to: datetime | None
    attributes: dict[str, Any]
    lineage: dict[str, Lineage]
    records: list[RecordThen]
    masked: list[str]


class EvidenceLine(Shape):
    """What one comparison says."""

    column: str
    level: str
    bits: float
    words: dict[str, str]


class Match(Shape):
    """A client that the record may be."""

    client_id: UUID
    display_name: str | None
    record: str = Field(description="The client's record that is most like it.")
    verdict: Literal["link", "review", "forbidden"]
    bits: float
    link_bits: float = Field(description="From here on it is linked.")
    probability: float
    evidence: list[EvidenceLine]


class Matches(Shape):
    """The likeliest first."""

    kind: str
    compared: int
    truncated: bool
    matches: list[Match]


class MatchRequest(BaseModel):
    """A record that is not stored."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"kind": "person", "attributes": {"full_name": "Anna Kern", "phone": "+7 916 123-45-67"}},
    ]})  # fmt: skip
    kind: Literal["person", "organisation"]
    attributes: dict[str, Text | Annotated[list[Text], Field(max_length=100)]] = Field(
        max_length=100, description="What is known of it: attribute -> value, or several."
    )
    country: str | None = Field(None, pattern="^[A-Z]{2}$", description="Whose phone numbers and identifiers they are.")
    limit: int = Field(5, ge=1, le=50)


class JudgementRequest(BaseModel):
    """A person's word. It takes effect at once for the clients that it touches."""

    model_config = ConfigDict(extra="forbid")
    verdict: Literal["same", "not_same", "related", "cannot_tell", "pin"] = Field(
        description="`related` are two clients; `cannot_tell` answers a case, and `reason` says what would settle it."
    )
    left: list[Text] = Field(min_length=1, max_length=1000, description="Records (source:stream:key) or client ids.")
    right: list[Text] = Field(default_factory=list, max_length=1000)
    relationship: HowRelated | None = Field(
        None, description="Of `related`: what the left is to the right; of `household` and `namesake` they are alike."
    )
    attribute: Text | None = Field(None, description="Of a pin.")
    value: Text | None = Field(None, max_length=10_000, description="Of a pin.")
    policy: Literal["pin", "until_source_changes", "until_date", "fill_if_empty"] = "pin"
    until: date | None = Field(None, description="The last day of a pin.")
    reason: Text = Field("", max_length=2000)
    by: Text | None = Field(None, max_length=200, description="Whose word it is, where the program speaks for people.")
    case: UUID | None = Field(
        None,
        description="The case that it answers: refused (409) if that is open no more. Of `related` and `cannot_tell` "
        "else the open one that asks about records of both sides.",
    )
    expects: dict[UUID, int] = Field(
        default_factory=dict, max_length=1000,
        description="client_id -> changed_seq as it was seen: refused (409) if one has changed since.",
    )  # fmt: skip


class UndoRequest(BaseModel):
    """Why a judgement is lifted."""

    model_config = ConfigDict(extra="forbid")
    reason: Text = Field("", max_length=2000)
    by: Text | None = Field(None, max_length=200)


class Judged(Shape):
    """A judgement as stored, and what it did."""

    judgement_id: int
    verdict: str
    held: bool = Field(description="It would change more than the hub's limits allow, and waits for `onefold release`.")
    records_moved: int
    clients_changed: int
    cases_opened: int
    cases_closed: int
    again: int | None = Field(description="Of a pin that was taken back: the one that it had replaced, said again.")


class Effect(Shape):
    """Whether a judgement has taken effect: when none of its records wait any more."""

    judgement_id: int
    verdict: str
    in_force: bool = Field(description="It was not taken back.")
    waiting: int = Field(description="How many of its records wait to be resolved or published.")
    steps: list[str] = Field(description="Steps of the hub that are at work now.")


class Concern(Shape):
    """A question that is asked after each publish, and what it says now."""

    concern: str
    question_en: str
    question_ru: str | None
    owner: str | None
    template: str
    threshold: int = Field(description="From how many clients on it is raised.")
    is_shipped: bool
    state: Literal["calm", "raised", "not_available", "failed"]
    why: str | None = Field(description="Why it is not available, or failed.")
    clients: int
    row_count: int
    is_cut: bool = Field(description="There are more rows than are kept.")
    raised_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledge_reason: str | None


class Concerns(Shape):
    """In the order in which they are asked."""

    concerns: list[Concern]


class ConcernRow(Shape):
    """A client or an interaction that proves it."""

    client_id: UUID | None
    display_name: str | None
    record: str | None
    type: str | None
    occurred_on: date | None
    summary: str | None
    note: str | None
    since: datetime


class ConcernRows(Concern):
    """A concern with its rows."""

    rows: list[ConcernRow]
    next: UUID | None = Field(description="`after` of the next page; null: there is none.")


class Acknowledgement(BaseModel):
    """What is said to a raised concern."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[Text, Field(min_length=1, max_length=2000, description="What is done about it; name no client.")]


class Segment(Shape):
    """A segment of a scheme that is served."""

    scheme: str
    segment: str
    label_en: str
    label_ru: str | None
    needs: list[str]
    policy: str | None
    policy_field: str | None
    policy_test: str | None
    policy_value: str | None
    policy_from: date | None
    clients: int
    basis: str
    owner: str | None
    review_on: date | None
    neglected: list[str] = Field(description="That nobody uses the scheme, or that its review is due, in words.")


class Segments(Shape):
    """By scheme, in the order of segments.yaml."""

    segments: list[Segment]


class SegmentClient(Shape):
    """A client on a list."""

    client_id: UUID
    kind: str
    display_name: str | None
    email: Any
    phone: Any
    probability: float
    entered_at: datetime
    overridden: list[str] = Field(description="Guards that a person overrode.")
    overridden_by: str | None


class LeftOut(Shape):
    """A client that is kept off a list."""

    client_id: UUID
    left_out: list[str] = Field(
        description="erased, `banned: ATTRIBUTE`, open_complaint, broken_promise, contact_pressure."
    )


class SegmentClients(Shape):
    """A list for a purpose."""

    scheme: str
    segment: str
    purpose: str
    clients: list[SegmentClient]
    left_out: list[LeftOut]
    reasons: dict[str, int] = Field(description="How many of this page each keeps off.")
    next: UUID | None = Field(description="`after` of the next page; null: there is none.")
