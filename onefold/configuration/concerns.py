"""`concerns.yaml`: questions that are asked of what is published after each publish, and what has to hold for alarm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from onefold.configuration.base import Duration, Labels, Name, OneOrMany, Strict, duration_text, problem
from onefold.configuration.needs import Condition, Looked

TEMPLATES: Final = ("none_of", "more_than", "drifts_from", "missed_and_silent", "contact_pressure", "sql")


def _days(value: timedelta) -> timedelta:
    if value % timedelta(days=1):
        raise problem(
            "days", f"found `{duration_text(value)}`; dealings are known by their day: say whole days, as 7d."
        )
    return value


Days = Annotated[Duration, AfterValidator(_days)]
Window = Annotated[
    Duration,
    AfterValidator(_days),
    AfterValidator(lambda value: value if value else _refuse_nought()),
]


def _refuse_nought() -> timedelta:
    raise problem("days", "a window has one day at least.")


class Event(Strict):
    """Dealings that are meant."""

    types: Annotated[list[Name], OneOrMany()] = Field(min_length=1, description="Interaction types.")
    source: Name | None = Field(None, description="Only as this register states them.")
    when: dict[Looked, Condition] = Field(default_factory=dict, description="What has to hold of them: all of it.")
    promise: Annotated[list[Literal["kept", "missed", "overdue", "open", "none"]], OneOrMany()] | None = Field(
        None, description="What became of a promise that goes with them; none: there is none."
    )


Events = Annotated[list[Event], OneOrMany(), Field(min_length=1)]


class NoneOf(Strict):
    """None of these follows within so many days after those."""

    of: Events = Field(description="What should follow, for the same client, from that day on.")
    within: Days
    after: Events = Field(description="After what.")
    since: Window = Field(
        timedelta(days=180), validate_default=True, description="What lies further back is not looked at."
    )


class MoreThan(Strict):
    """A client has more of these within so many days than it should."""

    count: Annotated[int, Field(ge=0)]
    of: Events
    within: Window


class DriftsFrom(Strict):
    """A figure leaves its own earlier level, or two registers part.

    With `against` the figure is `of` over `against`; with `before` it is compared with its level in the days before the
    window, without it with 1.
    """

    of: Events
    against: Events | None = Field(None, description="The other side, such as the same papers in another register.")
    figure: Literal["count", "amount"] = Field("count", description="amount: in the reporting currency.")
    window: Window = Field(description="The days that are looked at.")
    before: Window | None = Field(None, description="The days before them that tell its own level.")
    by: Annotated[Decimal, Field(gt=0)] = Field(description="By which share it may be another; 0.3: by 30 %.")
    per: Literal["hub", "client"] = "hub"
    minimum: Annotated[int, Field(ge=1)] = Field(
        20,
        description="Dealings now or before (of a share: of a side now, and of both before); of fewer nothing is said.",
    )

    @model_validator(mode="after")
    def _has_a_level(self) -> DriftsFrom:
        if self.against is None and self.before is None:
            raise problem("level", "a figure drifts from `before` (its own earlier level) or from `against`.")
        return self


class MissedAndSilent(Strict):
    """A promise was not kept, and nobody said a word to the client."""

    promised: Events | None = Field(None, description="Dealings with promises; without it, all of them.")
    kind: Annotated[list[str], OneOrMany()] | None = Field(None, description="Kinds of promises; without it, all.")
    later_than: Days = Field(timedelta(0), validate_default=True, description="By how much it may be late.")
    contact: Events = Field(description="What counts as a word to the client.")
    before: Days = Field(timedelta(days=3), validate_default=True, description="From how long before the day due ...")
    within: Days = Field(timedelta(days=3), validate_default=True, description="... until how long after it.")
    since: Window = Field(
        timedelta(days=180), validate_default=True, description="What was due longer ago is not looked at."
    )


class ExamplePromise(Strict):
    """A promise of an example; days are counted back from today, negative ones lie ahead."""

    kind: str = "delivery_date"
    due_days_ago: int
    actual_days_ago: int | None = None


class ExampleInteraction(Strict):
    """A dealing of an example."""

    type: Name
    days_ago: int
    client: str | None = Field("a", description="Any word; the same word is the same client.")
    source: Name = "example"
    channel: str | None = None
    direction: str | None = None
    summary: str | None = None
    amount: Decimal | None = None
    detail: dict[str, Any] = Field(default_factory=dict)
    promise: ExamplePromise | None = None
    times: Annotated[int, Field(ge=1, le=1000)] = 1


class Example(Strict):
    """What stands in the served views, and nothing else."""

    interactions: list[ExampleInteraction] = Field(default_factory=list)
    rows: dict[Name, list[dict[str, Any]]] = Field(
        default_factory=dict, description="Rows of other served views by their columns; `client` as above."
    )


class Examples(Strict):
    """Both directions."""

    raised: list[Example] = Field(min_length=1, description="Each of these must raise it.")
    calm: list[Example] = Field(min_length=1, description="None of these may.")


def _select(value: str) -> str:
    from onefold.configuration.concern_sql import refused

    if (wrong := refused(value)) is not None:
        raise problem("sql", wrong)
    return value


class Concern(Strict):
    """One question, and what raises it."""

    question: Labels = Field(description="In a sentence, as its owner would ask it.")
    owner: str | None = Field(None, description="Who is to look at it; else the owner of the file.")
    threshold: Annotated[int, Field(ge=1)] = Field(
        1, description="From how many clients on it is raised (rows, where they are of no client)."
    )
    none_of: NoneOf | None = None
    more_than: MoreThan | None = None
    drifts_from: DriftsFrom | None = None
    missed_and_silent: MissedAndSilent | None = None
    contact_pressure: Annotated[list[Name], OneOrMany()] | None = Field(
        None, description="Beyond `guards.pressure` of segments.yaml, by contacts of these types."
    )
    sql: Annotated[str, AfterValidator(_select)] | None = Field(
        None, description="One SELECT over views of onefold_v1, with client_id, record_id or both, and perhaps note."
    )
    types: Annotated[list[Name], OneOrMany()] = Field(
        default_factory=list, description="Of sql: the interaction types without which there is nothing to ask."
    )
    examples: Examples

    @property
    def template(self) -> str:
        """Which of TEMPLATES it is."""
        return next(name for name in TEMPLATES if getattr(self, name) is not None)

    def looked_at(self) -> Iterator[tuple[str, Sequence[Event], bool]]:
        """Where it says so, the dealings that it looks at, and whether all it needs of them are their promises."""
        if (none := self.none_of) is not None:
            yield "none_of.of", none.of, False
            yield "none_of.after", none.after, False
        elif (more := self.more_than) is not None:
            yield "more_than.of", more.of, all(one.promise and "none" not in one.promise for one in more.of)
        elif (drift := self.drifts_from) is not None:
            yield "drifts_from.of", drift.of, False
            if drift.against is not None:
                yield "drifts_from.against", drift.against, False
        elif (missed := self.missed_and_silent) is not None:
            if missed.promised is not None:
                yield "missed_and_silent.promised", missed.promised, True
            yield "missed_and_silent.contact", missed.contact, False

    @model_validator(mode="after")
    def _is_one_question(self) -> Concern:
        said = [name for name in TEMPLATES if getattr(self, name) is not None]
        if len(said) != 1:
            found = " and ".join(said) if said else "none"
            raise problem("template", f"found {found}; a concern says exactly one of {', '.join(TEMPLATES)}.")
        if self.types and self.sql is None:
            raise problem("types", "`types` goes with `sql`; the templates name the types that they look at.")
        return self


class ConcernsFile(Strict):
    """`concerns.yaml`. With it the shipped concerns are asked too; one of the same name takes a shipped one's place."""

    shipped: bool | list[Name] = Field(True, description="Which of the shipped concerns are asked: all, none or these.")
    owner: str | None = Field(None, description="Who looks at concerns without an owner of their own.")
    timeout: Duration = Field(
        timedelta(seconds=60), validate_default=True, description="How long one question may take the database."
    )
    concerns: dict[Name, Concern] = Field(default_factory=dict)
