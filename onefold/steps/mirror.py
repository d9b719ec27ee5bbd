"""mirror: whether operations treat the clients of served segments differently, beside what was promised to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np

from onefold.segments.mirror import FEWEST, Company, Finding, Outcome, look, look_further
from onefold.steps.logged import logged
from onefold.steps.need_rules import conditions_of, label
from onefold.steps.report import Report
from onefold.steps.rules import today
from warehouse import fingerprints, mirror, segments
from warehouse.connect import unit_of_work
from warehouse.mirror import Measured

if TYPE_CHECKING:
    import psycopg

    from onefold.configuration.mirror import Outcome as Written
    from onefold.configuration.segments import Scheme
    from onefold.context import Context
    from onefold.segments.assign import Floats

WEEK: Final = timedelta(days=7)
CLIENTS: Final = 100_000
ITEMS: Final = 20
_KIND: Final = "mirror"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = {"": 1.0, "_days": 1.0, "_hours": 1 / 24, "_share": 1.0, "_per_year": 1.0}
"""How the `field` of a policy may end behind the name of its outcome, and what one of it is."""
_SHORTEST: Final = 0.25
"""Years: where rates are compared, who came later than that is taken to have been there for so long."""


@dataclass(frozen=True, slots=True)
class MirrorReport(Report):
    """How many segments and outcomes were looked at, and how many of each verdict there are."""

    schemes: tuple[str, ...]
    verdicts: Mapping[str, int]
    not_served: tuple[str, ...] = ()
    """Schemes that have not passed their check: nothing is told of them."""


@dataclass(frozen=True)
class _Rate(Outcome):
    """An outcome of which each client got a `number` in so many `years`."""

    number: Floats
    years: Floats


@dataclass(frozen=True)
class Promise:
    """What a policy promises of an outcome, in its unit; `from_on`: since when."""

    direction: int
    """1: better than for others; -1: less good."""
    test: str
    value: float | None
    from_on: date | None


@logged("mirror")
def look_into_mirror(context: Context) -> MirrorReport:
    """Look at every served scheme anew, and store what is found. One transaction, without the hub lock."""
    with context.connection("onefold segments") as conn, unit_of_work(conn):
        served = {name: is_served for name, (_, is_served) in segments.known(conn).items()}
        wanted = {name: one for name, one in sorted(context.configuration.segments.schemes.items()) if name in served}
        looked = tuple(name for name in wanted if served[name])
        mirror.forget_others(conn, looked)
        verdicts: dict[str, int] = {}
        for name in looked:
            rows = _of_scheme(context, conn, name, wanted[name])
            mirror.store(conn, name, rows)
            for row in rows:
                verdicts[row["verdict"]] = verdicts.get(row["verdict"], 0) + 1
        at = (context.clock() - _EPOCH) // timedelta(microseconds=1)
        fingerprints.remember(conn, _KIND, {"looked_at": UUID(int=at)})
    return MirrorReport(looked, verdicts, tuple(name for name in wanted if not served[name]))


def look_weekly(context: Context) -> MirrorReport | None:
    """Look, where the last look is a week old or there was none; None: it is not, or nothing is served."""
    if not context.configuration.segments.schemes:
        return None
    with context.connection("onefold segments") as conn:
        looked = fingerprints.stored(conn, _KIND).get("looked_at", UUID(int=0))
        is_due = context.clock() - (_EPOCH + int(looked) * timedelta(microseconds=1)) >= WEEK
        if not is_due or not any(is_served for _, is_served in segments.known(conn).values()):
            return None
    return look_into_mirror(context)


def findings(context: Context) -> list[dict[str, Any]]:
    """What the last look found."""
    with context.connection("onefold segments") as conn:
        return mirror.found(conn)


def _of_scheme(context: Context, conn: psycopg.Connection, name: str, scheme: Scheme) -> list[dict[str, Any]]:
    written = {
        code: one
        for code, one in context.configuration.mirror_outcomes.items()
        if set(one.types) & set(context.configuration.interaction_types)
    }
    codes = list(scheme.segments)
    promised = promises(scheme, written)
    until = today(context) + timedelta(days=1)
    since = until - context.configuration.segments.mirror.since
    # Of what is promised since a day, only that is looked at which happened since.
    begins = {
        code: max([since, *(one.from_on for (_, of), one in promised.items() if of == code and one.from_on)])
        for code in written
    }
    clients = mirror.begin(conn, name, most=CLIENTS)
    places = {code: at for at, code in enumerate(codes)}
    segment = np.array([places.get(one, -1) for one in clients["segment"].to_pylist()], np.int64)
    regions = clients["region"].combine_chunks().dictionary_encode().indices.fill_null(-1)
    region = regions.to_numpy(zero_copy_only=False).astype(np.int64)
    first = np.array(clients["first_on"].to_pylist(), "datetime64[D]")
    reader = _Reader(conn, segment, region, first)
    company, outcomes = reader.company(since, until), reader.outcomes(written, begins, since, until)
    found = look(company, outcomes, len(codes), {key: one.direction for key, one in promised.items()})
    middle = since + (until - since) / 2
    earlier = reader.outcomes(written, dict.fromkeys(written, since), since, middle)
    found = look_further(found, reader.company(since, middle), earlier, reader.later(since, middle, until))
    mirror.end(conn)
    by_name = {one.name: one for one in outcomes}
    # Of what nobody gets, nothing is said unless it is promised.
    found = [one for one in found if by_name[one.outcome].count.any() or (one.segment, one.outcome) in promised]
    at = context.clock()
    return [
        {
            "scheme": name,
            "segment": codes[one.segment],
            "looked_at": at,
            "since_on": begins[one.outcome],
            **_named(list(written).index(one.outcome) + 1, one.outcome, written[one.outcome]),
            **_row(one, by_name[one.outcome], segment, promised.get((one.segment, one.outcome))),
        }
        for one in found
    ]


def promises(scheme: Scheme, written: Mapping[str, Written]) -> dict[tuple[int, str], Promise]:
    """Place of a segment and outcome -> what its policy promises of it. A mere sentence promises nothing that could be
    measured."""
    made = {}
    for place, segment in enumerate(scheme.segments.values()):
        policy = segment.policy
        if policy is None or policy.field is None or policy.expected is None:
            continue
        test, said = policy.expected
        for name, outcome in written.items():
            unit = next((_UNITS[end] for end in _UNITS if policy.field == name + end), None)
            if unit is None:
                continue
            better = 1 if outcome.better == "more" else -1
            wanted = {"at_least": 1, "at_most": -1}.get(test, better)
            made[place, name] = Promise(wanted * better, test, _number(said, unit), policy.from_)
    return made


def _number(said: str, unit: float) -> float | None:
    try:
        return float(said) * unit
    except ValueError:
        return None


@dataclass(frozen=True)
class _Reader:
    """The clients of one scheme, and what they got from when to when."""

    conn: psycopg.Connection
    segment: Any
    region: Any
    first: Any
    """Days of their first dealings ever."""

    def company(self, since: date, until: date) -> Company:
        business = mirror.business(self.conn, since, until)
        items = mirror.items(self.conn, since, until, fewest=FEWEST, most=ITEMS)
        item = items["item"].to_numpy()
        mix = np.zeros((len(self.segment), int(item.max()) + 1 if len(item) else 0))
        mix[items["place"].to_numpy(), item] = items["share"].to_numpy()
        return Company(
            self.segment,
            self._spread(business, "dealings"),
            self._spread(business, "amount"),
            self.region,
            self._spread(business, "years"),
            mix,
        )

    def outcomes(
        self, written: Mapping[str, Written], begins: Mapping[str, date], since: date, until: date
    ) -> Sequence[Outcome]:
        made: list[Outcome] = []
        for name, one in written.items():
            begin = begins[name]
            table = mirror.outcome(self.conn, _measured(one), begin, until)
            value: Any = self._spread(table, "value")
            count: Any = self._spread(table, "dealings")
            better = 1 if one.better == "more" else -1
            if one.measure == "rate":
                years = self._years(mirror.business(self.conn, since, until), begin, until)
                # Where nobody has any, there is nothing to compare.
                count = (years > 0) * float(count.any())
                logs = np.log((value + 0.5) / np.maximum(years, _SHORTEST))
                made.append(_Rate(name, logs, count, True, better, value, years))
            else:
                made.append(Outcome(name, value, count, one.measure != "share", better))
        return made

    def later(self, since: date, middle: date, until: date) -> Floats:
        """Logarithm of sales from the middle on, of those that were clients before."""
        before = self._spread(mirror.business(self.conn, since, middle), "dealings")
        sales = self._spread(mirror.business(self.conn, middle, until), "sales")
        return np.where(before > 0, np.log(sales + 0.5), np.nan)

    def _spread(self, table: Any, column: str) -> Floats:
        made = np.zeros(len(self.segment))
        made[table["place"].to_numpy()] = table[column].to_numpy()
        return made

    def _years(self, business: Any, begin: date, until: date) -> Floats:
        """From the later of `begin` and the first dealing ever until `until`; 0 of who did not deal meanwhile."""
        days = (np.datetime64(until) - np.maximum(self.first, np.datetime64(begin))) / np.timedelta64(1, "D")
        return np.where(self._spread(business, "dealings") > 0, days / 365.25, 0.0)


def _measured(one: Written) -> Measured:
    return Measured(one.measure, one.types, conditions_of(one.when), one.until, one.promise)


def _named(position: int, name: str, outcome: Written) -> dict[str, Any]:
    label_en, label_ru = label(outcome.labels, name)
    return {
        "outcome": name,
        "position": position,
        "label_en": label_en,
        "label_ru": label_ru,
        "measure": outcome.measure,
        "is_less_better": outcome.better == "less",
    }


def _row(one: Finding, outcome: Outcome, segment: Any, promise: Promise | None) -> dict[str, Any]:
    def told(value: float | None) -> float | None:
        if value is None:
            return None
        return round(float(np.expm1(value)) if outcome.is_ratio else value, 4)

    def part(value: float | None) -> float | None:
        return None if value is None else round(float(np.expm1(value)), 4)

    typical = _typical(outcome, segment == one.segment)
    return {
        "is_promised": promise is not None,
        "verdict": one.verdict,
        "clients": one.clients,
        "compared": one.compared,
        "typical": typical,
        "typical_elsewhere": (None if one.yardstick is None else _typical(outcome, segment == one.yardstick)),
        "difference": told(one.difference),
        "difference_low": told(one.low),
        "difference_high": told(one.high),
        "p_value": None if one.p_value is None else round(one.p_value, 6),
        "meets_promise": None if promise is None else _meets(promise, typical),
        "effect": one.effect,
        "effect_difference": part(one.effect_difference),
        "effect_low": part(one.effect_low),
        "effect_high": part(one.effect_high),
    }


def _typical(outcome: Outcome, who: Any) -> float | None:
    """The mean, of days the geometric one, of rates all that these clients got by all their years; None of fewer
    clients than may be told of."""
    told = who & (outcome.count > 0)
    if told.sum() < FEWEST:
        return None
    if isinstance(outcome, _Rate):
        return round(float(outcome.number[told].sum() / outcome.years[told].sum()), 4)
    mean = float(outcome.value[told].mean())
    return round(float(np.exp(mean)) - 0.5 if outcome.is_ratio else mean, 4)


def _meets(promise: Promise, typical: float | None) -> bool | None:
    if typical is None or promise.value is None:
        return None
    if promise.test == "is":
        return abs(typical - promise.value) <= 0.1 * abs(promise.value)
    return typical >= promise.value if promise.test == "at_least" else typical <= promise.value
