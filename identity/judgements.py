"""Judgements as constraints: which records a human joined and which were kept apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from identity.encoded import Ints
from identity.features import positions


@dataclass(frozen=True)
class Conflict:
    """A judgement that opposes an earlier one; it is not applied."""

    judgement_id: int
    opposes: tuple[int, ...]  # the earlier judgements that together say the opposite


class _Groups:
    """Disjoint sets of record ids, each with the judgements that made it."""

    def __init__(self) -> None:
        self._members: dict[int, set[int]] = {}
        self._by: dict[int, set[int]] = {}

    def members(self, record: int) -> set[int]:
        return self._members.get(record, {record})

    def by(self, record: int) -> set[int]:
        return self._by.get(record, set())

    def join(self, records: list[int], judgement: int) -> None:
        members = set().union(*(self.members(record) for record in records))
        by = {judgement}.union(*(self.by(record) for record in records))
        for record in members:
            self._members[record], self._by[record] = members, by

    def groups(self) -> list[list[int]]:
        """Each group once, in order."""
        return sorted(sorted(group) for group in {id(members): members for members in self._members.values()}.values())


def constraints_of(
    judgements: pa.Table, record_ids: pa.ChunkedArray
) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints], list[Conflict]]:
    """JUDGEMENT rows as pairs of positions in `record_ids`: (same, not same), and what could not be applied.

    In order of judgement_id. Records that are not there (deleted, or of another kind) are left out of the
    pairs, but still connect what was joined through them.
    """
    if judgements.num_rows == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return (nothing, nothing), (nothing, nothing), []
    groups, apart, conflicts = _applied(judgements)
    known = _known([record for group in groups for record in group], record_ids)
    present = [[record for record in group if record in known] for group in groups]
    same = [(group[0], record) for group in present for record in group[1:]]
    return _positions(same, record_ids), _positions(apart, record_ids), conflicts


def same_groups(judgements: pa.Table) -> list[list[int]]:
    """The groups of record ids that JUDGEMENT rows make one client, in order; deleted records included."""
    return _applied(judgements)[0]


def _applied(judgements: pa.Table) -> tuple[list[list[int]], list[tuple[int, int]], list[Conflict]]:
    """Groups that are one client, pairs that are not, and what opposes what was said before it."""
    groups = _Groups()
    apart: list[tuple[int, int, int]] = []
    conflicts = []
    for row in judgements.sort_by("judgement_id").to_pylist():
        left, right = row["left_ids"], row["right_ids"]
        if row["verdict"] == "same":
            joined = set().union(*(groups.members(record) for record in [*left, *right]))
            against = tuple(sorted({by for a, b, by in apart if a in joined and b in joined}))
            if against:
                conflicts.append(Conflict(row["judgement_id"], against))
            elif joined:
                groups.join([*left, *right], row["judgement_id"])
        else:
            together = [a for a in left if groups.members(a) & set(right)]
            if together:
                against = tuple(sorted(set().union(*(groups.by(a) for a in together))))
                conflicts.append(Conflict(row["judgement_id"], against))
            else:
                apart += [(a, b, row["judgement_id"]) for a in left for b in right if a != b]
    return groups.groups(), [(a, b) for a, b, _ in apart], conflicts


def judged_ids(judgements: pa.Table) -> Ints:
    """The ids of all records that JUDGEMENT rows name."""
    if judgements.num_rows == 0:
        return np.zeros(0, dtype=np.int64)
    lists = [judgements[name].combine_chunks().flatten().to_numpy() for name in ("left_ids", "right_ids")]
    return np.concatenate(lists).astype(np.int64)


def _known(wanted: list[int], record_ids: pa.ChunkedArray) -> set[int]:
    ids = np.array(wanted, dtype=np.int64)
    return set(ids[positions(record_ids, pa.chunked_array([ids])) >= 0].tolist())


def _positions(pairs: list[tuple[int, int]], record_ids: pa.ChunkedArray) -> tuple[Ints, Ints]:
    ids = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    left = positions(record_ids, pa.chunked_array([ids[:, 0]]))
    right = positions(record_ids, pa.chunked_array([ids[:, 1]]))
    known = (left >= 0) & (right >= 0)
    return left[known], right[known]
