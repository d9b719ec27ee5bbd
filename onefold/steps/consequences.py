"""What a decision would do, found by the functions that will do it: clients, golden values, interactions, consents.

Reads one moment in a transaction that can write nothing, and waits for nobody.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from identity.schema import CROSSWALK
from identity.survive import golden as golden_records
from onefold.steps.client_ids import reassigned
from onefold.steps.judge import refuse_opposed
from onefold.steps.models import model_in_force
from onefold.steps.publish import load_pins
from onefold.steps.regroup import words_of_undo
from onefold.steps.resolve_changes import resolve_as_if
from onefold.steps.rules import survivorship_rules, with_trust
from warehouse import golden, queries, resolution
from warehouse import judgements as stored
from warehouse.clock import one_moment, reads_only

if TYPE_CHECKING:
    import psycopg

    from identity.survive import SurvivorshipRules
    from onefold.context import Context

Values = Mapping[str, Any]
_NUMBERS_FROM = stored.STATED >> 1
"""A judgement that is only thought of has a number behind all others and before what registers state."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client that the decision touches, as it is and as it would be; None: it is not there."""

    client_id: str
    kind: str
    before: str | None
    """Its display name."""
    after: str | None
    records_before: int
    records_after: int
    into: str | None
    """The client that would hold most of its records, where it would be gone."""


@dataclass(frozen=True, slots=True)
class Change:
    """A golden value of a client that would change; None: there is none."""

    client_id: str
    kind: str
    attribute: str
    before: Any
    after: Any
    """Of a client that would be gone: what the one that holds its records would have."""
    is_consent: bool
    is_lost: bool
    """The client would be gone, and this value with it."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """What would be, were it said."""

    clients: tuple[Client, ...]
    moves: Mapping[int, tuple[str | None, str | None]]
    """record -> the client that it would leave and the one that it would come to."""
    values: tuple[Change, ...]
    golden: Mapping[str, Values]
    """client_id -> golden values that it would have."""
    interactions: tuple[Mapping[str, Any], ...]
    """By from_id, to_id, type and currency of what would move: label_en, label_ru, interactions, amount."""


def consequences(context: Context, words: Sequence[stored.Judgement]) -> Consequences:
    """What would be, were these judgements said: `same`, `not_same`, `related`, `cannot_tell`, `pin`.

    Raises OpposingJudgements, NothingFound and UsageError as saying it would.
    """
    return consequences_of(context, lambda _context, _conn: words)


def consequences_of(
    context: Context, say: Callable[[Context, psycopg.Connection], Sequence[stored.Judgement]]
) -> Consequences:
    """`consequences` of the judgements that `say` finds in the moment that is read."""
    with context.connection("onefold consequences") as conn, one_moment(conn):
        reads_only(conn)
        words = say(context, conn)
        for word in words:
            refuse_opposed(context, conn, word.verdict, [word.left_ids, word.right_ids], word.attribute)
        return _consequences(context, conn, words, ())


def consequences_of_undo(context: Context, judgement_id: int) -> Consequences:
    """What would be, were a judgement undone with what was said by the same decision. NothingFound: it is not in
    force."""
    with context.connection("onefold consequences") as conn, one_moment(conn):
        reads_only(conn)
        return _consequences(context, conn, *words_of_undo(context, conn, judgement_id))


def consequences_as_asked(context: Context, asked: Mapping[int, str], *, is_same: bool) -> Consequences:
    """What would have been when a case was asked, of its records alone: record -> client then. `is_same`: all of them
    would have been one client; else nothing would have changed."""
    first = min(asked.values())
    moves = {record: (client, first) for record, client in sorted(asked.items()) if client != first} if is_same else {}
    if not moves:
        return Consequences((), {}, (), {}, ())
    with context.connection("onefold consequences") as conn, one_moment(conn):
        reads_only(conn)
        now = set(queries.clients_of_records(conn, list(asked)).values())
        mine = with_trust(context, golden.load_contributions(conn, sorted(now)))
        others = dict.fromkeys(mine["record_id"].to_pylist())
        rules = survivorship_rules(context)
        was, will = (
            _Golden.of(
                golden_records(
                    _regrouped_contributions(mine, {**others, **of}), rules, load_pins(conn, mine), told=False
                )
            )
            for of in (asked, dict.fromkeys(asked, first))
        )
        moving = tuple(queries.moving_interactions(conn, moves))
    clients = _clients(was, will, moves)
    return Consequences(clients, moves, tuple(_changes(was, will, clients, rules)), will.values, moving)


def together(context: Context, client_ids: Sequence[str], only: Sequence[int] | None = None) -> Values:
    """The golden values that one client with all records of these would have, or with `only` some of them."""
    with context.connection("onefold consequences") as conn, one_moment(conn):
        reads_only(conn)
        mine = with_trust(context, golden.load_contributions(conn, client_ids))
        if only is not None:
            now = sorted(set(queries.clients_of_records(conn, only).values()))
            mine = with_trust(context, golden.load_contributions(conn, now))
            mine = mine.filter(pc.is_in(mine["record_id"], pa.array(only, pa.int64())))
        one = pa.repeat(pa.scalar(client_ids[0] if client_ids else ""), mine.num_rows)
        joined = mine.set_column(0, mine.schema.field(0), one)
        found = _Golden.of(golden_records(joined, survivorship_rules(context), load_pins(conn, mine), told=False))
    return next(iter(found.values.values()), {})


def _consequences(
    context: Context, conn: psycopg.Connection, words: Sequence[stored.Judgement], lifted: Sequence[int]
) -> Consequences:
    in_force = stored.in_force(conn) if lifted or any(one.verdict == "pin" for one in words) else []
    gone = [one for one in in_force if one.judgement_id in lifted or any(_replaces(word, one) for word in words)]
    spoken = stored.Spoken(
        [replace(one, judgement_id=_NUMBERS_FROM + n) for n, one in enumerate(words)],
        {one.judgement_id for one in gone if one.judgement_id is not None},
    )
    before: dict[int, str] = {}
    after: dict[int, str | None] = {}
    named = {i for one in (*words, *gone) if one.verdict in stored.GROUPING for i in (*one.left_ids, *one.right_ids)}
    if named:
        before, after = _regrouped(context, conn, spoken, sorted(named))
    moves = {i: (before.get(i), after[i]) for i in after if before.get(i) != after[i]}
    pinned = [one.left_ids[0] for one in (*words, *gone) if one.verdict == "pin"]
    of_pins = set(queries.clients_of_records(conn, pinned).values()) if pinned else set()
    touched = {client for move in moves.values() for client in move if client is not None} | of_pins
    rules = survivorship_rules(context)
    mine = with_trust(context, golden.load_contributions(conn, sorted(touched)))
    was = _Golden.stored(golden.stored_golden(conn, sorted(touched)))
    will = _Golden.of(
        golden_records(_regrouped_contributions(mine, after), rules, load_pins(conn, mine, spoken), told=False)
    )
    clients = _clients(was, will, moves)
    return Consequences(
        clients,
        moves,
        tuple(_changes(was, will, clients, rules)),
        will.values,
        tuple(queries.moving_interactions(conn, moves)) if moves else (),
    )


def _replaces(word: stored.Judgement, former: stored.Judgement) -> bool:
    """A pin takes the place of a former one of its record on its field."""
    return (word.verdict, former.verdict) == ("pin", "pin") and (
        (word.attribute, list(word.left_ids)) == (former.attribute, list(former.left_ids))
    )


def _regrouped(
    context: Context, conn: psycopg.Connection, spoken: stored.Spoken, named: Sequence[int]
) -> tuple[dict[int, str], dict[int, str | None]]:
    """record -> client, now and then, of all records that the decision touches."""
    changes = resolve_as_if(context, conn, model_in_force(context, conn), spoken, named)
    crosswalk = resolution.load_crosswalk(conn, CROSSWALK, changes.record_ids)
    ids = reassigned(conn, changes.found.labels, crosswalk, {})
    pairs = zip(*(ids.assignments[name].to_pylist() for name in ("record_id", "client_id")), strict=True)
    now = zip(*(crosswalk[name].to_pylist() for name in ("record_id", "client_id")), strict=True)
    return dict(now), dict(pairs)


def _regrouped_contributions(mine: pa.Table, after: Mapping[int, str | None]) -> pa.Table:
    """The same records under the clients that they would belong to; those of none are left out."""
    now = zip(mine["record_id"].to_pylist(), mine["client_id"].to_pylist(), strict=True)
    clients = pa.array([after.get(record, client) for record, client in now], pa.string())
    return (
        mine.set_column(0, mine.schema.field(0).with_nullable(True), clients)
        .filter(clients.is_valid())
        .cast(mine.schema)
    )


_OF_GOLDEN = ("attributes", "display_name", "kind", "record_count")


@dataclass(frozen=True, slots=True)
class _Golden:
    """Golden records by client_id."""

    values: Mapping[str, Values]
    names: Mapping[str, str]
    kinds: Mapping[str, str]
    records: Mapping[str, int]

    @classmethod
    def stored(cls, rows: Sequence[Mapping[str, Any]]) -> _Golden:
        """Of what is published."""
        return cls(*({row["client_id"]: row[name] for row in rows} for name in _OF_GOLDEN))

    @classmethod
    def of(cls, table: pa.Table) -> _Golden:
        """Of GOLDEN."""
        rows = table.select(["client_id", *_OF_GOLDEN]).to_pylist()
        return cls.stored([{**row, "attributes": json.loads(row["attributes"])} for row in rows])


def _clients(was: _Golden, will: _Golden, moves: Mapping[int, tuple[str | None, str | None]]) -> tuple[Client, ...]:
    """Those that are there first, each group by id."""
    heirs: dict[str, Counter[str]] = {}
    for left, reached in moves.values():
        if left is not None and reached is not None:
            heirs.setdefault(left, Counter())[reached] += 1
    found = []
    for client in sorted({*was.names, *will.names}, key=lambda one: (one not in was.names, one)):
        heir = heirs.get(client) if client not in will.names else None
        found.append(
            Client(
                client,
                will.kinds.get(client) or was.kinds[client],
                was.names.get(client),
                will.names.get(client),
                was.records.get(client, 0),
                will.records.get(client, 0),
                min(heir, key=lambda one: (-heir[one], one)) if heir else None,
            )
        )
    return tuple(found)


def _changes(was: _Golden, will: _Golden, clients: Sequence[Client], rules: SurvivorshipRules) -> Iterator[Change]:
    """Values of clients that stay or come, each where it differs; of one that goes what its heir does not have."""
    for client in clients:
        before, after = was.values.get(client.client_id, {}), will.values.get(client.client_id, {})
        if client.after is None:
            after = {} if client.into is None else will.values[client.into]
        for name in sorted({*before, *after}) if client.after is not None else sorted(before):
            one, two = before.get(name), after.get(name)
            is_kept = one == two or (client.after is None and _holds(two, one))
            if not is_kept:
                is_consent = "most_restrictive" in rules.of(name)
                yield Change(client.client_id, client.kind, name, one, two, is_consent, client.after is None)


def _holds(kept: Any, value: Any) -> bool:
    """Every value of the one is among those of the other."""
    values, among = (one if isinstance(one, list) else [one] for one in (value, kept))
    return all(one in among for one in values)
