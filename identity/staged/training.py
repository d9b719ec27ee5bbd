"""Training over parts of the register: pairs are drawn by ids on the driver and compared where their cards come
together, and what comes back is how many pairs show the same."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.accepted import ACCEPTED
from identity.blocking.keys import block_limits, sql
from identity.blocking.pairing import RuleBlocks, blocks_of_rules, split_by_rule
from identity.clustering.points import Points
from identity.comparison.compare import WordWeights, level_names
from identity.comparison.score import Weights
from identity.encoded import Ints, whole
from identity.features import in_natural_order, positions
from identity.generic import GENERIC
from identity.hashing import hash_strings, signed
from identity.model import KindModel, MatchModel
from identity.population import Population, Rules
from identity.register import KindRegister
from identity.schema import BLOCKING_KEY, JUDGEMENT, KINDS, PAIR, RECORD
from identity.settings import MatchingSettings
from identity.staged.calculator import Calculator, PairWork, give, read
from identity.staged.cards import tables_of
from identity.staged.run import CARDS, StagedRun
from identity.staged.work import alike, keys_of
from identity.training.counting import COUNT, Counts, counts_of
from identity.training.observed import Asked, Look, holders, weighing, width
from identity.training.terms import LEAST, Sightings, counted_values, word_weights
from identity.training.train import train_observed

_NAMED: Final = pa.schema(
    [RECORD.field(name) for name in ("record_id", "source", "stream", "source_key", "kind", "is_own")]
)
_HASHED: Final = pa.schema([("record_id", pa.int64()), ("name_hash", pa.int64())])
_VALUES: Final = pa.schema([("value", pa.string()), ("seen", pa.int64())])
_WEIGHED: Final = pa.schema([("left_id", pa.int64()), ("right_id", pa.int64()), ("weight", pa.int32())])
_ENDS: Final = pa.schema([("left_id", pa.int64()), ("right_id", pa.int64())])


def train_cards(
    calculator: Calculator,
    settings: MatchingSettings,
    base: MatchModel,
    version: int,
    distinct_sources: Collection[str] = (),
) -> tuple[MatchModel, pa.Table]:
    """What `train` gives of the records whose cards lie in the calculator's folder, and their generic values (GENERIC).

    What is written to the folder is the caller's to remove.
    """
    rules = Rules(
        base, settings, JUDGEMENT.empty_table(), distinct_sources, GENERIC.empty_table(), ACCEPTED.empty_table()
    )
    run = StagedRun(calculator, rules)
    run.find_generic()
    run.make_keys()
    records = in_natural_order(read(calculator.folder, CARDS, _NAMED))
    observed = (InParts(calculator, run.rules, kind, records) for kind in KINDS)
    return train_observed(observed, settings, base, version), run.rules.generic


class InParts:
    """`Observed`: ids, keys and counts are here, and records in the parts of a calculator.

    Of several kinds one has to be done with before another is begun: they use the same names.
    """

    def __init__(self, engine: Calculator, rules: Rules, kind: str, records: pa.Table) -> None:
        """`rules`: with the generic values of the whole register. `records`: those of all kinds, in natural order,
        without what they say."""
        self._engine, self._rules = engine, rules
        self.kind, self.settings = kind, rules.settings.kind(kind)
        mine = records.filter(pc.and_(pc.equal(records["kind"], kind), pc.invert(records["is_own"])))
        self._ids = mine["record_id"]
        self.holders = holders(mine["source"], rules.distinct_sources)
        self._give("chosen", pa.table({"kind": [kind]}))

    def words(self, prior: WordWeights) -> WordWeights:
        """As `Observed`."""
        if self.kind != "organisation":
            return prior
        self._engine.query("names", _query("names"))
        return word_weights(self._read("names", pa.schema([RECORD.field("org_latin")]))["org_latin"].to_pylist(), prior)

    def points(self, model: KindModel) -> Points:
        """As `Observed`; without the weights."""
        self._engine.query("repeated", _query("repeated"))
        self._engine.grouped("alike", CARDS, sql("staged/alike_in_parts"), partial(alike, self._under(model)), PAIR)
        found = self._read("alike", _ENDS)
        first, other = (self._rows(found[name]) for name in _ENDS.names)
        of_each = np.arange(len(self._ids), dtype=np.int64)
        of_each[other[other >= 0]] = first[other >= 0]
        return Points.of_first(of_each, np.zeros(len(of_each), dtype=np.int32))

    def blocks(self, points: Points, cap: int) -> list[RuleBlocks]:  # noqa: ARG002 - those that stand for one are known
        """As `Observed`."""
        self._engine.each("blocking_key", "keyed", keys_of, BLOCKING_KEY, _query("firsts"))
        self._give("block_limit", self._limits(cap))
        keys = self._read("blocking_key", BLOCKING_KEY)
        row = self._rows(keys["record_id"]).astype(np.int32)
        entries = split_by_rule(keys["key"].to_numpy(), row, self._limits(cap)["rule"].to_pylist())
        return blocks_of_rules(entries, [cap] * len(entries))

    def count(self, model: KindModel, look: Look, asked: Asked) -> Counts:
        """As `Observed`: by a group-by over what the parts have counted."""
        self._ask((asked.left, asked.right), asked.about)
        self._compare("shown", partial(shown, self._under(model), self.kind, look), COUNT)
        self._engine.query("counts", _query("counts"))
        return Counts.of_table(self._read("counts", COUNT), width(look, level_names(self.kind, self.settings)))

    def weighing(self, model: KindModel, pairs: tuple[Ints, Ints], least: int) -> tuple[Ints, Ints, Weights]:
        """As `Observed`."""
        self._ask(pairs, np.zeros_like(pairs[0]))
        self._compare("heavy", partial(weighed, self._under(model), self.kind, least), _WEIGHED)
        found = self._read("heavy", _WEIGHED)
        left, right = (self._rows(found[name]) for name in _ENDS.names)
        order = np.lexsort((right, left))
        return left[order], right[order], found["weight"].to_numpy()[order]

    def plausible(self, model: KindModel, blocks: list[RuleBlocks]) -> tuple[Ints, Ints]:  # noqa: ARG002
        """As `Observed`; the blocks are made anew, of the same keys, where the cards are."""
        self._engine.compare(self._under(model))
        found = self._read("pairs", _ENDS)
        self._ask(
            (self._rows(found["left_id"]), self._rows(found["right_id"])), np.zeros(found.num_rows, dtype=np.int64)
        )
        self._compare("possible", partial(possible, self._under(model), self.kind), _ENDS)
        found = self._read("possible", _ENDS)
        return self._rows(found["left_id"]), self._rows(found["right_id"])

    def sightings(self, field: str) -> Sightings:
        """As `Observed`."""
        count = partial(values_seen, self._rules, self.kind, field)
        if field == "org_name":  # of each name is counted what all who bear it have
            self._engine.each("named", CARDS, names_of, _HASHED, _query("evidence"))
            self._engine.grouped("values_seen", CARDS, _query("named_in_parts"), count, _VALUES)
        else:
            self._engine.each("values_seen", CARDS, count, _VALUES, _query("evidence"))
        self._give("listed", pa.table({"least": [LEAST]}))
        for name in ("sightings", "frequent", "total"):
            self._engine.query(name, _query(name))
        frequent = self._read("frequent", _VALUES).to_pydict()
        (total,) = self._read("total", pa.schema([_VALUES.field("seen")]))["seen"].to_pylist()
        return Sightings(total, dict(zip(frequent["value"], frequent["seen"], strict=True)))

    def _ask(self, pairs: tuple[Ints, Ints], about: Ints) -> None:
        """Give the calculator pairs of rows."""
        ids = self._ids.to_numpy()
        self._give("asked", pa.table({"left_id": ids[pairs[0]], "right_id": ids[pairs[1]], "about": about}))

    def _compare(self, name: str, work: PairWork, schema: pa.Schema) -> None:
        """What `work` gives of the pairs that were given and the cards of both their records, part by part."""
        self._engine.query("parted", _query("asked_in_parts"))
        self._engine.query("members", _query("members_of_asked"))
        self._engine.cogrouped(name, "FROM parted", sql("staged/cards_of_members"), work, schema)

    def _under(self, model: KindModel) -> Rules:
        """The rules with this model of the kind."""
        both = self._rules.model
        mine = replace(both, person=model) if self.kind == "person" else replace(both, organisation=model)
        return replace(self._rules, model=mine)

    def _limits(self, cap: int) -> pa.Table:
        return block_limits(self.kind, self.settings, cap, {})

    def _rows(self, ids: pa.ChunkedArray) -> Ints:
        return positions(self._ids, ids)

    def _give(self, name: str, rows: pa.Table) -> None:
        give(self._engine.folder, name, rows)
        self._engine.known(name)

    def _read(self, name: str, schema: pa.Schema) -> pa.Table:
        return read(self._engine.folder, name, schema)


def shown(rules: Rules, kind: str, look: Look, pairs: pa.Table, cards: pa.Table) -> pa.Table:
    """COUNT rows of some pairs, whose cards are all here."""
    population, left, right = _met(rules, kind, pairs, cards)
    scorer = population.scorer
    return counts_of(pairs["about"].to_numpy(), look(scorer, scorer.vectors(left, right), left, right)).table()


def weighed(rules: Rules, kind: str, least: int, pairs: pa.Table, cards: pa.Table) -> pa.Table:
    """Those of some pairs that weigh enough, with their weights."""
    population, *ends = _met(rules, kind, pairs, cards)
    left, right, weight, _ = weighing(population.scorer, population.features, (ends[0], ends[1]), least)
    return pa.table([population.ids[left], population.ids[right], weight], schema=_WEIGHED)


def possible(rules: Rules, kind: str, pairs: pa.Table, cards: pa.Table) -> pa.Table:
    """Those of some pairs that no contradiction keeps apart."""
    population, left, right = _met(rules, kind, pairs, cards)
    free = pa.array(~population.scorer.comparer.contradicts(left, right))
    return pairs.filter(free).select(_ENDS.names).cast(_ENDS)


def _met(rules: Rules, kind: str, pairs: pa.Table, cards: pa.Table) -> tuple[Population, Ints, Ints]:
    """The records of cards, and the pairs as rows."""
    population = Population(kind, *tables_of(cards), rules)
    known = pa.chunked_array([pa.array(population.ids)])
    return population, positions(known, pairs["left_id"]), positions(known, pairs["right_id"])


def names_of(cards: pa.Table) -> pa.Table:
    """Of each card with a name of an organisation its hash."""
    named = cards.filter(pc.and_(pc.is_valid(cards["org_latin"]), pc.not_equal(cards["org_latin"], "")))
    hashes = signed(hash_strings(whole(named["org_latin"])))
    return pa.table([named["record_id"], pa.array(hashes)], schema=_HASHED)


def values_seen(rules: Rules, kind: str, field: str, cards: pa.Table) -> pa.Table:
    """How often the values of a field are seen in these cards."""
    features = KindRegister(kind, *tables_of(cards), rules.settings, rules.generic).features
    values, seen = counted_values(features, field)
    return pa.table([values, seen], schema=_VALUES)


def _query(name: str) -> str:
    return sql(f"training/{name}")
