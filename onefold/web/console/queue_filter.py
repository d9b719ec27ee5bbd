"""Which cases somebody works through: in the address of the queue, and in a cookie for the way from case to case."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final, Literal, get_args
from urllib.parse import parse_qs, urlencode

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from onefold.errors import UsageError
from onefold.steps.rules import today
from onefold.web.asking import Asker
from onefold.web.hub import Hub
from warehouse.case_queue import CaseFilter, Place

COOKIE: Final = "onefold_queue"
_PLAIN: Final = r"^[^\x00-\x1f]*$"
Show = Literal["all", "mine", "unassigned", "deferred", "proposed", "undo"]
Age = Literal["", "day", "week", "month", "older"]
Order = Literal["impact", "age", "bits"]
_DAYS: Final = {"day": (0, 1), "week": (1, 7), "month": (7, 30), "older": (30, None)}


class QueueFilter(BaseModel):
    """What was chosen; what is empty narrows nothing."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    show: Show = "all"
    kind: Annotated[str, Field(max_length=50, pattern=_PLAIN)] = ""
    source: Annotated[str, Field(max_length=100, pattern=_PLAIN)] = ""
    age: Age = ""
    impact: Annotated[str, Field(pattern=r"^\d{0,9}$")] = ""
    """At least."""
    order: Order = "impact"

    def said(self, **other: str) -> dict[str, str]:
        """What is not as it is by itself, for an address; with other choices in place of these."""
        chosen = {**self.model_dump(), **other}
        return {name: value for name, value in chosen.items() if value != type(self).model_fields[name].default}

    def address(self, **other: str) -> str:
        """The queue with these choices."""
        said = self.said(**other)
        return f"/cases?{urlencode(said)}" if said else "/cases"

    def chosen(self, hub: Hub, asker: Asker) -> CaseFilter:
        """As the warehouse takes it, for who asks, now."""
        now = hub.reading.clock()
        newest, oldest = _DAYS.get(self.age, (None, None))
        state = self.show if self.show in ("deferred", "proposed", "undo") else "open"
        return CaseFilter(
            today(hub.reading),
            state=state,
            kinds=[self.kind] if self.kind else None,
            assignee=asker.name if self.show == "mine" else None,
            unassigned=self.show == "unassigned",
            source=self.source or None,
            least_impact=int(self.impact) if self.impact else None,
            opened_before=now - timedelta(days=newest) if newest else None,
            opened_after=now - timedelta(days=oldest) if oldest else None,
            order=self.order,
        )


def _asked(
    show: Show = "all",
    kind: Annotated[str, Query(max_length=50, pattern=_PLAIN)] = "",
    source: Annotated[str, Query(max_length=100, pattern=_PLAIN)] = "",
    age: Age = "",
    impact: Annotated[str, Query(pattern=r"^\d{0,9}$")] = "",
    order: Order = "impact",
) -> QueueFilter:
    return QueueFilter(show=show, kind=kind, source=source, age=age, impact=impact, order=order)


Asked = Annotated[QueueFilter, Depends(_asked)]
CHOICES: Final = {"show": get_args(Show), "age": get_args(Age), "order": get_args(Order)}


def keep(response: Response, request: Request, name: str, value: str) -> None:
    """For the way from case to case, whose pages need not say it: not for scripts, and only encrypted where the page
    was."""
    response.set_cookie(
        name, value, max_age=43_200, httponly=True, samesite="lax", secure=request.url.scheme == "https", path="/cases"
    )


def kept(request: Request) -> QueueFilter:
    """What was chosen last in this browser; everything, where that cannot be read."""
    said = parse_qs(request.cookies.get(COOKIE, "")[:500])
    try:
        return QueueFilter.model_validate({name: values[0] for name, values in said.items()})
    except ValidationError:
        return QueueFilter()


def place_named(place: Place) -> str:
    """A place in the queue as a word of an address."""
    return f"{place.one}.{place.two}.{place.fingerprint}"


def place_of(word: str) -> Place:
    """The place that the word names. UsageError: it names none."""
    from uuid import UUID

    parts = word.split(".")
    try:
        one, two, case = int(parts[0]), int(parts[1]), str(UUID(parts[2]))
    except (ValueError, IndexError):
        raise UsageError("`after` is no place in the queue: give `next` of the page before.") from None
    if max(abs(one), abs(two)) >= 2**63 or len(parts) != 3:
        raise UsageError("`after` is no place in the queue: give `next` of the page before.")
    return Place(one, two, case)
