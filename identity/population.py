"""The records of one kind, and everything that they are blocked, compared and held apart or together by."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.accepted import accepted_values, stand_ins
from identity.blocking.keys import RuleKeys, block_limits
from identity.clustering.points import Points, points_of
from identity.comparison.score import Scorer, Scores
from identity.encoded import Ints
from identity.hashing import Hashes
from identity.judgements import constraints_of, judged_ids
from identity.model import MatchModel
from identity.register import KindRegister
from identity.schema import BLOCKING_KEY
from identity.settings import MatchingSettings


@dataclass(frozen=True)
class Rules:
    """What all records of a register are resolved under."""

    model: MatchModel
    settings: MatchingSettings
    judgements: pa.Table  # JUDGEMENT rows in force
    distinct_sources: Collection[str]
    generic: pa.Table  # GENERIC rows of the whole register
    accepted: pa.Table | None = None  # ACCEPTED rows of the whole register; None: these records are all there are


class Population:
    """Records of one kind in natural order; rows are positions in them."""

    def __init__(
        self, kind: str, records: pa.Table, identifiers: pa.Table, rules: Rules, held: KindRegister | None = None
    ) -> None:
        """`records` and `identifiers` may hold other kinds too; only `kind` is taken. `held`: these records of the
        kind, where they are known already."""
        self.kind = kind
        self.register = held or KindRegister(kind, records, identifiers, rules.settings, rules.generic)
        self.records, self.ids = self.register.records, self.register.ids
        self.settings, self.model = rules.settings.kind(kind), rules.model.kind(kind)
        self._cap = rules.settings.block_cap
        self.features = self.register.features
        self.same, self.not_same, self.conflicts = constraints_of(rules.judgements, self.records["record_id"])
        self.accepted = (
            accepted_values(self.features, kind, self.settings.contradictions, self.same)
            if rules.accepted is None
            else rules.accepted
        )
        self.eligible = self.register.eligible
        distinct = pa.array(sorted(rules.distinct_sources), pa.string())
        self._apart = pc.is_in(self.records["source"], value_set=distinct).to_numpy()
        self._source = self.records["source"].combine_chunks().dictionary_encode().indices.to_numpy()
        # What a human or a distinct register speaks of stands alone, however alike it is to others.
        self.free = self.eligible & ~self._apart
        judged = judged_ids(rules.judgements)
        if len(judged):
            self.free &= ~np.isin(self.ids, judged)

    @cached_property
    def scorer(self) -> Scorer:
        """What weighs pairs of rows; who only makes keys of them needs none."""
        comparer = self.register.comparer(self.model.words).accepting(stand_ins(self.accepted, self.kind))
        return Scorer(self.features, self.kind, self.settings, self.model, comparer)

    def score(self, left: Ints, right: Ints) -> Scores:
        """Weights of pairs of rows, and which of them a contradiction or a distinct register forbids."""
        scores = self.scorer.score(left, right)
        apart = self._apart[left] & (self._source[left] == self._source[right])
        return Scores(scores.weight, scores.forbidden | apart, scores.joined)

    def keys(self) -> RuleKeys:
        """Every blocking key of the records that are evidence."""
        return self.register.keys

    def key_table(self) -> pa.Table:
        """`keys` as BLOCKING_KEY."""
        keys = self.keys()
        return pa.table({"key": keys.key, "record_id": self.ids[keys.row]}, schema=BLOCKING_KEY)

    def limits(self) -> pa.Table:
        """BLOCK_LIMIT rows of this kind's rules."""
        return block_limits(self.kind, self.settings, self._cap, self.model.caps)

    def fingerprints(self) -> Hashes:
        """A hash of everything that is compared or blocked on, of each row; the same in every run."""
        return self.register.fingerprints

    def points(self, fingerprint: Hashes | None = None) -> Points:
        """The rows with those that are alike in everything (by `fingerprints`, where known) taken as one."""
        return points_of(self.scorer, self.fingerprints() if fingerprint is None else fingerprint, self.free)

    def natural_keys(self) -> pa.Array:
        """`source:stream:key` of each row."""
        return self.register.natural_keys
