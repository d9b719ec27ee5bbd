"""A register: standard records with what can be told of them whatever the model. Training and resolving share it, so
that columns are encoded and keys made once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from identity.blocking.keys import RuleKeys, keys_by_rule
from identity.clustering.points import fingerprints
from identity.comparison.compare import Comparer, WordWeights
from identity.encoded import Codes, Ints
from identity.features import Features, filtered, in_natural_order, natural_keys
from identity.generic import generic_values
from identity.hashing import Hashes
from identity.settings import KindSettings, MatchingSettings


class KindRegister:
    """The records of one kind, in natural order; rows are positions in them."""

    def __init__(
        self, kind: str, records: pa.Table, identifiers: pa.Table, settings: MatchingSettings, generic: pa.Table
    ) -> None:
        """`records`, in natural order, `identifiers` and `generic` may hold other kinds too; only `kind` is taken."""
        self.kind = kind
        self.settings: KindSettings = settings.kind(kind)
        self.records = filtered(records, pc.equal(records["kind"], kind))
        self.ids: Ints = self.records["record_id"].to_numpy()
        self.eligible = ~self.records["is_own"].to_numpy()
        self.features = Features.of(self.records, identifiers, generic.filter(pc.equal(generic["kind"], kind)))
        self._comparer: tuple[WordWeights, Comparer] | None = None

    def comparer(self, words: WordWeights) -> Comparer:
        """The comparisons of these records under weights of words."""
        if self._comparer is None or self._comparer[0] != words:
            self._comparer = words, Comparer(self.features, self.kind, self.settings, words)
        return self._comparer[1]

    @cached_property
    def keys(self) -> RuleKeys:
        """Every blocking key of the records that are evidence."""
        return keys_by_rule(self.features, self.kind, self.settings, self.eligible)

    def given_up_keys(self) -> Iterator[tuple[Ints, Codes]]:
        """`keys` rule by rule, which are then no longer held here: whoever asks again has them made again."""
        keys = self.keys
        del self.__dict__["keys"]
        return keys.given_up()

    @cached_property
    def fingerprints(self) -> Hashes:
        """A hash of everything that is compared or blocked on, of each row; the same in every run."""
        return fingerprints(self.features, self.kind, self.settings)

    @cached_property
    def natural_keys(self) -> pa.Array:
        """`source:stream:key` of each row."""
        return natural_keys(self.records)


class Register:
    """RECORD and IDENTIFIER tables under settings, their kinds made when first asked for."""

    def __init__(
        self, records: pa.Table, identifiers: pa.Table, settings: MatchingSettings, generic: pa.Table | None = None
    ) -> None:
        """`generic`: GENERIC rows of a larger register that these records are a part of."""
        self.records = in_natural_order(records)
        self.identifiers = identifiers
        self.settings = settings
        self.generic = generic_values(self.records, identifiers, settings.generic_names) if generic is None else generic
        self._kinds: dict[str, KindRegister] = {}

    def of(self, kind: str) -> KindRegister:
        """The records of a kind."""
        if kind not in self._kinds:
            self._kinds[kind] = KindRegister(kind, self.records, self.identifiers, self.settings, self.generic)
        return self._kinds[kind]

    def alone(self, kind: str) -> Register:
        """The records of a kind as a register of their own, in which they are what they are in this one."""
        records = filtered(self.records, pc.equal(self.records["kind"], kind))
        return Register(records, self.identifiers, self.settings, self.generic)

    def evidence(self, kind: str) -> KindRegister:
        """The records of a kind that are evidence: without own organisations and their staff."""
        mine = self.of(kind)
        if bool(mine.eligible.all()):
            return mine
        records = filtered(mine.records, pa.array(mine.eligible))
        return KindRegister(kind, records, self.identifiers, self.settings, self.generic)
