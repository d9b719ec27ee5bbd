"""What a truth file says of the records of one kind: which entity each is, counted by point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy.sparse import coo_matrix, csr_matrix

from identity.clustering.points import Points
from identity.encoded import Ints, encode
from identity.features import positions
from identity.population import Population


@dataclass(frozen=True)
class KnownRecords:
    """The records of a population that the truth names, by point. All counts are of records and pairs of records."""

    points: Points
    count: csr_matrix  # point x entity: how many records
    size: Ints  # of each point

    @classmethod
    def of(cls, population: Population, truth: pa.Table) -> KnownRecords:
        points = population.points()
        rows = positions(population.records["record_id"], truth["record_id"])
        names, entity = encode(truth["entity_id"].cast(pa.string()))
        here = (rows >= 0) & (entity >= 0)
        of, entity = points.of[rows[here]], entity[here].astype(np.int64)
        shape = len(points.row), max(len(names), 1)
        count = coo_matrix((np.ones(len(of), dtype=np.int64), (of, entity)), shape=shape).tocsr()
        return cls(points, count, np.asarray(count.sum(axis=1), dtype=np.int64).ravel())

    def true_pairs(self) -> int:
        """Pairs of records of one entity."""
        size = np.asarray(self.count.sum(axis=0), dtype=np.int64).ravel()
        return int((size * (size - 1) // 2).sum())

    def within(self) -> Ints:
        """Of each point its true pairs of records that are alike."""
        pairs = self.count.copy()
        pairs.data = pairs.data * (pairs.data - 1) // 2
        return np.asarray(pairs.sum(axis=1), dtype=np.int64).ravel()

    def between(self, left: Ints, right: Ints) -> Ints:
        """The true pairs of records between points."""
        return np.asarray(self.count[left].multiply(self.count[right]).sum(axis=1), dtype=np.int64).ravel()
