"""The records of a client and of those around it, alike ones taken as one, with all that weighs, joins and forbids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from identity.encoded import Flags, Ints
from identity.explanation.explain import words_of
from identity.population import Population, Rules
from identity.schema import WEIGHT_ONE_BIT


@dataclass(frozen=True)
class PairFinding:
    """Two records (each the first of those that are alike), what they come to, and what says most about them."""

    left_id: int
    right_id: int
    weight: int  # 1/1024 bit
    judged: bool = False  # a human joined them
    words: tuple[Mapping[str, str], ...] = ()  # what it says most by, strongest first
    bits: tuple[float, ...] = ()  # of each of the words


@dataclass(frozen=True)
class Surroundings:
    """Records of one kind; rows are positions in the population."""

    population: Population
    judgements: pa.Table
    distinct: frozenset[str]
    source: npt.NDArray[np.object_]
    client: npt.NDArray[np.object_]  # client id by row; None: it has none
    size: Ints  # by row: how many records it stands for; 0 where another stands for it
    row_of: Mapping[int, int]  # record id -> the row that stands for it
    must: frozenset[tuple[int, int]]  # pairs of rows that a human joined
    apart: frozenset[tuple[int, int]]  # ... and kept apart

    @classmethod
    def of(
        cls, kind: str, records: pa.Table, identifiers: pa.Table, client_of: Mapping[int, str], rules: Rules
    ) -> Surroundings:
        """The records of `kind`, in natural order, under the rules of the whole register."""
        population = Population(kind, records, identifiers, rules)
        client = np.array([client_of.get(record) for record in population.ids.tolist()], dtype=object)
        points = population.points()
        first = points.row[points.of]
        # Alike in everything and still two clients: only until the next run. Each then stands for itself.
        first = np.where(client[first] == client, first, np.arange(len(client)))
        return cls(
            population,
            rules.judgements,
            frozenset(rules.distinct_sources),
            np.array(population.records["source"].to_pylist(), dtype=object),
            client,
            np.bincount(first, minlength=len(client)),
            dict(zip(population.ids.tolist(), first.tolist(), strict=True)),
            frozenset(_ordered(population.same)),
            frozenset(_ordered(population.not_same)),
        )

    @property
    def ids(self) -> Ints:
        """Record ids by row."""
        return self.population.ids

    def points_of(self, client_id: str) -> Ints:
        """The rows that stand for a client's records, in natural order."""
        return np.flatnonzero((self.client == client_id) & (self.size > 0))

    def records_of(self, rows: Ints) -> tuple[int, ...]:
        """The ids of all records that these rows stand for, in natural order."""
        wanted = set(rows.tolist())
        return tuple(record for record, row in self.row_of.items() if row in wanted)

    def is_judged(self, left: Ints, right: Ints) -> Flags:
        """Which pairs of rows a human joined."""
        if not self.must:
            return np.zeros(len(left), dtype=np.bool_)
        pairs = zip(np.minimum(left, right).tolist(), np.maximum(left, right).tolist(), strict=True)
        return np.array([pair in self.must for pair in pairs], dtype=np.bool_)

    def tell(self, pairs: Sequence[PairFinding], most: int = 3) -> tuple[PairFinding, ...]:
        """The pairs with what says most about each."""
        if not pairs:
            return ()
        scorer = self.population.scorer
        left = np.array([self.row_of[pair.left_id] for pair in pairs], dtype=np.int64)
        right = np.array([self.row_of[pair.right_id] for pair in pairs], dtype=np.int64)
        vectors = scorer.comparer.vectors(left, right)
        parts = scorer.parts(vectors, left, right)
        result = []
        for at, pair in enumerate(pairs):
            found = [(int(weight[at]), name) for name, weight in parts.items() if weight[at]]
            found.sort(key=lambda part: (-abs(part[0]), part[1]))
            levels = {name: scorer.comparer.columns[name][int(codes[at]) - 1] for name, codes in vectors.items()}
            # What is no column, as the kin of a pair, is its own level.
            words = tuple(words_of(name, levels.get(name, name)) for _, name in found[:most])
            bits = tuple(weight / WEIGHT_ONE_BIT for weight, _ in found[:most])
            result.append(replace(pair, words=words, bits=bits))
        return tuple(result)


def _ordered(pairs: tuple[Ints, Ints]) -> list[tuple[int, int]]:
    return [(min(a, b), max(a, b)) for a, b in zip(pairs[0].tolist(), pairs[1].tolist(), strict=True)]
