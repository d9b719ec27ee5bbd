"""From what the form of a case says to judgements: those that a preview thinks of, and the step that takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Form

from onefold.errors import UsageError
from onefold.steps.judge import (
    AsSeen,
    HowRelated,
    JudgeReport,
    check_words,
    judge,
    others_of,
    settle_identity,
    split_off,
)
from onefold.steps.regroup import move, words_of_move
from onefold.web.api import views
from onefold.web.console.beside import values_of
from warehouse.judgements import Judgement

if TYPE_CHECKING:
    import psycopg

    from onefold.context import Context

Verdict = Literal["same", "not_same", "related", "cannot_tell", "split", "cut", "move", "pin", "still", "new"]
Policy = Literal["pin", "until_source_changes", "until_date", "fill_if_empty"]
ONE_RECORD: Final = ("still", "new")
"""Answers to the question whether a record is about somebody else now."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the form of a case says."""

    verdict: Verdict = "same"
    chosen: tuple[int, ...] = ()
    """Records that were chosen."""
    relationship: HowRelated = "household"
    is_reversed: bool = False
    """The second is to the first what the relationship says."""
    client: str = ""
    attribute: str = ""
    value: str = ""
    """`RECORD_ID NUMBER`: a value of a record by its number; it may not be told by itself."""
    policy: Policy = "pin"
    until: date | None = None
    reason: str = ""


def details(
    chosen: Annotated[list[int] | None, Form(max_length=100)] = None,
    relationship: Annotated[HowRelated, Form()] = "household",
    turned: Annotated[bool, Form()] = False,
    client: Annotated[str, Form(max_length=36)] = "",
    attribute: Annotated[str, Form(max_length=100, pattern=r"^[^\x00]*$")] = "",
    value: Annotated[str, Form(max_length=40)] = "",
    policy: Annotated[Policy, Form()] = "pin",
    until: Annotated[str, Form(max_length=10)] = "",
    reason: Annotated[str, Form(max_length=2000, pattern=r"^[^\x00]*$")] = "",
) -> Said:
    """What the form says but for the verdict."""
    try:
        day = date.fromisoformat(until) if until else None
    except ValueError:
        raise UsageError(f"{until} is no day.", "2027-01-31") from None
    return Said(
        "same", tuple(chosen or ()), relationship, turned, client.strip(), attribute, value, policy, day, reason
    )  # fmt: skip


class Question:
    """A case with the records that its page shows."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        self.case = case
        self.records: Sequence[Mapping[str, Any]] = case["records"]
        self.ids = [one["record_id"] for one in self.records]
        self.asked = [one for one in case["record_ids"] if one in set(self.ids)]

    def seen(self) -> list[str]:
        """What a form says that its reader had before their eyes: `client_id changed_seq`."""
        known = {one["client_id"]: one["changed_seq"] for one in self.records}
        return [f"{client} {seq}" for client, seq in known.items() if client is not None and seq is not None]

    def name(self, record_id: int) -> str:
        """`source:stream:key`."""
        return views.named(self.records[self.ids.index(record_id)])

    def sides(self, what: Said) -> tuple[list[int], list[int]]:
        """The records that `same`, `not_same`, `related` or `cannot_tell` is said of. UsageError: that is unclear."""
        chosen = self._chosen(what)
        if what.verdict == "same":
            group = chosen if len(chosen) > 1 else self.asked
            return self._several(group[:1], group[1:])
        if what.verdict == "cannot_tell":
            return self._several(self.asked[:1], self.asked[1:])
        if what.verdict == "related":
            pair = chosen if len(chosen) == 2 else self.asked
            if len(pair) != 2:
                raise UsageError("Choose the two records that are related.")
            pair = pair[::-1] if what.is_reversed else pair
            return pair[:1], pair[1:]
        if what.verdict == "cut":
            if len(chosen) != 2:
                raise UsageError("Choose two records.")
            return chosen[:1], chosen[1:]
        if chosen and set(chosen) != set(self.ids):
            return chosen, [one for one in self.ids if one not in chosen]
        if len(self.asked) > 2:
            raise UsageError("Choose the records that are none of the others.")
        return self._several(self.asked[:1], self.asked[1:])

    def answer(self, what: Said) -> str:
        """What is said of the two records of the question by it; raises as `do` where that is not said whole."""
        if what.verdict == "pin":
            self.pinned(what)
        if what.verdict == "move":
            one, client = self._one(what), self._client(what)
            of_others = {row["client_id"] for row in self.records if row["record_id"] != one}
            return "same" if client in of_others else "not_same"
        if what.verdict == "split":
            self._some(what)
        if what.verdict in ("split", "pin", *ONE_RECORD):
            return "not_same"
        self.sides(what)
        check_words(what.verdict, _related(what), what.reason)
        return _verdict(what)

    def words(self, context: Context, conn: psycopg.Connection, what: Said) -> list[Judgement]:
        """The judgements that `do` would say, for a preview. UsageError: it is not said whole."""
        reason = what.reason or None
        if what.verdict in ONE_RECORD:
            raise UsageError("What comes of this answer is not told beforehand.")
        if what.verdict == "split":
            off = self._some(what)
            return [Judgement("not_same", off, others_of(conn, off), reason=reason)]
        if what.verdict == "move":
            return words_of_move(context, conn, self._one(what), self._client(what), what.reason or "-")
        if what.verdict == "pin":
            record, value = self.pinned(what)
            return [Judgement("pin", [record], reason=reason, **_pin(what, value))]
        return [Judgement(_verdict(what), *self.sides(what), relationship=_related(what), reason=reason)]

    def do(self, context: Context, what: Said, *, by: str, seen: AsSeen) -> JudgeReport:
        """Say it. Stale: it is not as it was `seen`."""
        how: dict[str, Any] = {"reason": what.reason, "by": by, "seen": seen}
        if what.verdict in ONE_RECORD:
            return settle_identity(context, self.name(self.asked[0]), same=what.verdict == "still", **how)
        if what.verdict == "split":
            return split_off(context, [self.name(one) for one in self._some(what)], **how)
        if what.verdict == "move":
            return move(context, self.name(self._one(what)), self._client(what), **how)
        if what.verdict == "pin":
            record, value = self.pinned(what)
            return judge(context, "pin", [self.name(record)], **_pin(what, value), **how)
        left, right = ([self.name(one) for one in side] for side in self.sides(what))
        return judge(context, _verdict(what), left, right, relationship=_related(what), **how)

    def pinned(self, what: Said) -> tuple[int, str]:
        """The record that holds a pin, and the value. UsageError: none was chosen."""
        record, _, number = what.value.partition(" ")
        try:
            at = self.ids.index(int(record))
            return self.ids[at], values_of(self.records[at], what.attribute)[int(number)]
        except (ValueError, IndexError):
            raise UsageError("Choose the value that is to be pinned.") from None

    def _chosen(self, what: Said) -> list[int]:
        if strangers := [one for one in what.chosen if one not in self.ids]:
            raise UsageError(f"{len(strangers)} of the chosen records are not of this case.", "Load the page again.")
        return [one for one in self.ids if one in what.chosen]

    def _some(self, what: Said) -> list[int]:
        found = self._chosen(what)
        if not found:
            raise UsageError("Choose the records first.")
        return found

    def _one(self, what: Said) -> int:
        found = self._some(what)
        if len(found) > 1:
            raise UsageError("Choose one record.")
        return found[0]

    def _client(self, what: Said) -> str:
        try:
            return str(UUID(what.client))
        except ValueError:
            raise UsageError("Choose the client that it is to come to.") from None

    def _several(self, left: list[int], right: list[int]) -> tuple[list[int], list[int]]:
        if not right:
            raise UsageError("This needs two records.")
        return left, right


def _verdict(what: Said) -> str:
    return "not_same" if what.verdict == "cut" else what.verdict


def _related(what: Said) -> str | None:
    return what.relationship if what.verdict == "related" else None


def _pin(what: Said, value: str) -> dict[str, Any]:
    return {"attribute": what.attribute, "value": value, "policy": what.policy, "until": what.until}
