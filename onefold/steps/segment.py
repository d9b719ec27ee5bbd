"""segment: which clients are in which segment of the schemes by needs, once a scheme has passed its check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from onefold.segments.assign import REASONS, Compositions, assign
from onefold.segments.gate import Gate, Sample, check
from onefold.steps.need_rules import label, scheme_rules
from warehouse import needs, segments

if TYPE_CHECKING:
    import psycopg

    from onefold.configuration.segments import Scheme, Segment
    from onefold.context import Context
    from onefold.steps.needs import Plan
    from warehouse.need_rules import Rules
    from warehouse.segments import Moved

SAMPLE: Final = 20_000
"""Clients with whose dealings a scheme is checked."""
_MILLION: Final = 1_000_000


@dataclass(frozen=True)
class Told:
    """By what schemes are told: of clients their compositions, of schemes whose rules or rates are new the check."""

    table: pa.Table
    gates: Mapping[str, Future[Gate]]


@contextmanager
def told_beside(context: Context, conn: psycopg.Connection, plan: Plan) -> Iterator[Told]:
    """Read what `needs.look` left, and check schemes beside what the block does."""
    wanted = by_needs(context)
    table = segments.compositions(conn, plan.rules) if wanted else pa.table({})
    with ThreadPoolExecutor(1) as beside:
        gates = {}
        for name, scheme in sorted(wanted.items()):
            if plan.measures or name in plan.schemes:
                sample = sample_of(conn, plan.rules, scheme.minimum, table)
                gates[name] = beside.submit(check, sample, scheme_rules(context.configuration, scheme))
        yield Told(table, gates)


def update_schemes(
    context: Context, conn: psycopg.Connection, plan: Plan, told: Told, *, touched: bool
) -> tuple[Moved, list[str]]:
    """Bring the schemes up to the dealings that `needs.look` counted: move the clients of those that passed their
    check. How many moved, and which schemes did not pass."""
    stored = {name: is_served for name, (_, is_served) in segments.known(conn).items()}
    gone = sorted(set(stored) - set(context.configuration.segments.schemes))
    at = segments.moment(conn, context.clock(), touched=touched and not gone)
    moved = segments.Moved()
    refused: list[str] = []
    for name in gone:
        moved += segments.forget_scheme(conn, name, at=at)
    wanted = by_needs(context)
    if not wanted:
        return moved, refused
    found = compositions_of(told.table, len(plan.rules.needs))
    for name, scheme in sorted(wanted.items()):
        is_new = name in told.gates
        if is_new:
            gate = told.gates[name].result()
            _store(conn, name, scheme, gate, at)
            stored[name] = gate.passes
        if not stored[name]:
            refused.append(name)
        if stored[name] or is_new:
            members = members_of(told.table, found, context, scheme) if stored[name] else segments.MEMBER.empty_table()
            why = "rules" if is_new else None
            moved += segments.store_members(conn, name, members, touched=touched, at=at, why=why)
    return moved, refused


def by_needs(context: Context) -> dict[str, Scheme]:
    """The schemes by needs."""
    return {name: one for name, one in context.configuration.segments.schemes.items() if one.basis == "needs"}


def update_figure_schemes(context: Context, conn: psycopg.Connection, day: date) -> Moved:
    """Bring the schemes of lifecycle and value up to `day`; they need no check, since they claim no need."""
    at, moved = segments.moment(conn, context.clock(), touched=False), segments.Moved()
    configured = context.configuration.segments.schemes
    for name, (basis, _) in sorted(segments.known(conn).items()):
        if basis != "needs" and name not in configured:
            moved += segments.forget_scheme(conn, name, at=at)
    wanted = {name: scheme for name, scheme in sorted(configured.items()) if scheme.basis != "needs"}
    if not wanted:
        return moved
    segments.reckon_figures(conn, day)
    for name, scheme in wanted.items():
        _store(conn, name, scheme, None, at)
        spans = {
            code: {figure: (span.at_least, span.at_most) for figure, span in segment.when.items()}
            for code, segment in scheme.segments.items()
        }
        moved += segments.store_by_figures(conn, name, spans, at=at)
    segments.drop_figures(conn)
    return moved


def forget_schemes(context: Context, conn: psycopg.Connection) -> Moved:
    """There are no needs any more, and so no schemes by them."""
    at, moved = segments.moment(conn, context.clock(), touched=False), segments.Moved()
    by_figures = set(context.configuration.segments.schemes) - set(by_needs(context))
    for name in sorted(set(segments.known(conn)) - by_figures):
        moved += segments.forget_scheme(conn, name, at=at)
    return moved


def sample_of(conn: psycopg.Connection, rules: Rules, minimum: int, table: pa.Table) -> Sample:
    """Clients of `table` with at least `minimum` dealings, their dealings, and what these show."""
    ids, dealings, sightings = segments.sample(conn, rules, minimum=minimum, most=SAMPLE)
    places = pa.compute.index_in(pa.array(ids, pa.string()), value_set=table["client_id"].combine_chunks())
    catalogue = [str(need["code"]) for need in rules.needs]
    by_key = {signal.key: signal for signal in rules.signals}
    keys = sightings["signal_key"].to_numpy()
    column = np.array([catalogue.index(by_key[key].need) for key in keys.tolist()], np.int64)
    weight = np.array([-by_key[key].weight if by_key[key].is_against else by_key[key].weight for key in keys.tolist()])
    # Dealings are in the order of their clients, sightings in that of their records.
    records = dealings["record_id"].to_numpy()
    order = np.argsort(records, kind="stable")
    sighting = order[np.searchsorted(records[order], sightings["record_id"].to_numpy())] if len(keys) else keys
    ageing = np.zeros(len(catalogue))
    rate = {side: np.zeros((len(rules.dealing_types), len(catalogue))) for side in (False, True)}
    for (key, type_), value in needs.rates(conn).items():
        signal = by_key[key]
        rate[signal.is_against][rules.dealing_types.index(type_), catalogue.index(signal.need)] += value
    for signal in rules.signals:
        ageing[catalogue.index(signal.need)] = signal.ageing
    return Sample(
        found=compositions_of(table.take(places), len(catalogue)),
        client=dealings["place"].to_numpy(),
        kind=dealings["type"].to_numpy(),
        sighting=sighting,
        column=column,
        weight=weight.astype(np.float64),
        ageing=ageing,
        age=dealings["age"].to_numpy().astype(np.float64),
        rate_for=rate[False],
        rate_against=rate[True],
    )


def compositions_of(table: pa.Table, count: int) -> Compositions:
    """Clients by needs, of which there are `count`, in sightings; columns that the table lacks are nought."""
    there = set(table.column_names)

    def columns(side: str) -> Any:
        made = np.zeros((table.num_rows, count))
        for at in range(count):
            if (name := f"{side}_{at}") in there:
                made[:, at] = table[name].to_numpy()
        return made

    return Compositions(
        dealings=table["dealings"].to_numpy().astype(np.float64),
        seen_for=columns("seen_for") / _MILLION,
        expected_for=columns("expected_for") / _MILLION,
        seen_against=columns("seen_against") / _MILLION,
        expected_against=columns("expected_against") / _MILLION,
        said=columns("said"),
    )


def members_of(table: pa.Table, found: Compositions, context: Context, scheme: Scheme) -> pa.Table:
    """The clients as rows of warehouse.segments.MEMBER."""
    rules = scheme_rules(context.configuration, scheme)
    done = assign(found, rules)
    names = pa.array(rules.segments, pa.string())

    def named(places: Any) -> pa.Array:
        return names.take(pa.array(places, pa.int64(), mask=places < 0))

    return pa.table(
        [
            table["client_id"].combine_chunks(),
            named(done.segment),
            pa.array(REASONS, pa.string()).take(pa.array(done.reason)),
            pa.array(done.probability, pa.float64()),
            named(done.runner_up),
            pa.array(done.runner_up_probability, pa.float64()),
        ],
        schema=segments.MEMBER,
    )


def _store(conn: psycopg.Connection, name: str, scheme: Scheme, gate: Gate | None, at: Any) -> None:
    label_en, label_ru = label(scheme.labels, name)
    row = {
        "scheme": name,
        "basis": scheme.basis,
        "label_en": label_en,
        "label_ru": label_ru,
        "owner": scheme.owner,
        "review_on": scheme.review,
        "is_served": gate is None or gate.passes,
        "checked_at": None if gate is None else at,
        "figures": None if gate is None else gate.as_dict(),
    }
    parts = []
    for position, (code, segment) in enumerate(scheme.segments.items(), 1):
        part_en, part_ru = label(segment.labels, code)
        parts.append(
            {
                "scheme": name,
                "segment": code,
                "position": position,
                "label_en": part_en,
                "label_ru": part_ru,
                "needs": segment.needs,
                **_policy(segment),
            }
        )
    segments.store_scheme(conn, row, parts)


def _policy(segment: Segment) -> dict[str, Any]:
    policy = segment.policy
    test, value = (policy.expected if policy is not None else None) or (None, None)
    return {
        "policy": None if policy is None else policy.says,
        "policy_field": None if policy is None else policy.field,
        "policy_test": test,
        "policy_value": value,
        "policy_from": None if policy is None else policy.from_,
    }
