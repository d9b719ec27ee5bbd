"""Why a client is what it is: what holds its records together, what speaks against it, and why it ends where it
ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from identity.comparison.score import Weights
from identity.encoded import Flags, Ints
from identity.explanation.explain_border import Border, borders_of
from identity.explanation.surroundings import PairFinding, Surroundings
from identity.features import in_natural_order
from identity.population import Rules

MOST_POINTS: Final = 1_000
"""Of more different records than these, the first in natural order are looked at."""
FAR_BORDERS: Final = 3
"""So many clients are told that share blocks with this one and have no plausible pair with it."""


@dataclass(frozen=True)
class Member:
    """A record, and how many records of the client are like it in everything that is compared, itself included."""

    record_id: int
    alike: int


@dataclass(frozen=True)
class Seam:
    """Where the client would part first: of all parts that one link holds, the two whose pairs say least."""

    link: PairFinding  # the strongest pair between them
    left: int  # records on the left's side
    right: int
    mean: int  # mean weight of all pairs between the parts
    smaller: tuple[int, ...]  # the records of the smaller part; of equal ones the right's


@dataclass(frozen=True)
class ClusterEvidence:
    """Everything about one client's shape. Weights in 1/1024 bit."""

    kind: str
    records: int
    members: tuple[Member, ...]
    pairs: int  # of different records
    linking: int  # pairs that would be linked alone
    plausible: int  # pairs that speak for it (plausible or more)
    held_by: tuple[PairFinding, ...]  # the strongest links that together reach every record; weakest first
    seam: Seam | None
    against: tuple[PairFinding, ...]  # pairs that speak against it, strongest objection first
    bridges: tuple[tuple[int, tuple[int, ...]], ...]  # record without which its plausible links fall apart: part sizes
    borders: tuple[Border, ...]
    link: int
    review: int
    plausible_at: int
    is_cut: bool  # more different records than are looked at


def explain_cluster(
    records: pa.Table,
    identifiers: pa.Table,
    client_of: Mapping[int, str],
    client_id: str,
    rules: Rules,
    *,
    limit: int = 10,
) -> ClusterEvidence:
    """The evidence on `client_id`, of its own RECORD rows and those of the clients around it.

    `client_of` names the client of every record; `rules` know what is generic in the whole register. `limit`: how many
    pairs against, bridges and borders are told, the most telling first. Records of another kind than the client's first
    are left out. KeyError: it has no record here.
    """
    records = in_natural_order(records)
    mine = [client_of.get(record) == client_id for record in records["record_id"].to_pylist()]
    if not any(mine):
        raise KeyError(f"no record of {client_id} is here")
    kind = records["kind"][mine.index(True)].as_py()
    around = Surroundings.of(kind, records, identifiers, client_of, rules)
    own = around.points_of(client_id)
    looked_at = own[:MOST_POINTS]
    inside = _Inside.of(around, looked_at)
    model = rules.model.kind(kind)
    borders = _telling(borders_of(around, looked_at, client_id))[:limit]
    return ClusterEvidence(
        kind=kind,
        records=int(around.size[own].sum()),
        members=tuple(Member(int(around.ids[at]), int(around.size[at])) for at in own.tolist()),
        pairs=len(inside.weight),
        linking=int((inside.weight >= model.link).sum()),
        plausible=int((inside.weight >= model.plausible).sum()),
        held_by=around.tell(inside.tree()),
        seam=inside.seam(),
        against=around.tell(inside.against(limit)),
        bridges=inside.bridges()[:limit],
        borders=tuple(replace(border, strongest=around.tell([border.strongest])[0]) for border in borders),
        link=model.link,
        review=model.review,
        plausible_at=model.plausible,
        is_cut=len(own) > MOST_POINTS,
    )


def _telling(borders: list[Border]) -> list[Border]:
    """The borders across which a pair is plausible or a human has spoken, and the nearest few of the others."""
    near = [border for border in borders if border.plausible or border.reason == "judgement"]
    far = [border for border in borders if border not in near]
    return near + far[:FAR_BORDERS]


@dataclass(frozen=True)
class _Inside:
    """All pairs of the points of one client."""

    around: Surroundings
    own: Ints
    left: Ints  # positions in `own`
    right: Ints
    weight: Weights
    judged: Flags

    @classmethod
    def of(cls, around: Surroundings, own: Ints) -> _Inside:
        left, right = np.triu_indices(len(own), 1)
        weight = around.population.score(own[left], own[right]).weight
        return cls(around, own, left, right, weight, around.is_judged(own[left], own[right]))

    def _finding(self, at: int) -> PairFinding:
        ids = self.around.ids[self.own]
        pair = int(ids[self.left[at]]), int(ids[self.right[at]])
        return PairFinding(*pair, int(self.weight[at]), bool(self.judged[at]))

    @cached_property
    def _tree(self) -> Ints:
        """The pairs of a maximum spanning tree, weakest first; what a human joined counts as strongest."""
        count = len(self.own)
        if count < 2:
            return np.zeros(0, dtype=np.int64)
        # Every pair has a rank of its own, so that there is one tree.
        order = np.lexsort((self.right, self.left, -self.weight.astype(np.int64), ~self.judged))
        rank = np.empty(len(order), dtype=np.float64)
        rank[order] = np.arange(1, len(order) + 1)
        tree = minimum_spanning_tree(coo_matrix((rank, (self.left, self.right)), shape=(count, count)).tocsr())
        chosen: Ints = order[np.sort(tree.data.astype(np.int64))[::-1] - 1]
        return chosen

    def tree(self) -> list[PairFinding]:
        """The strongest links that together reach every record, weakest first."""
        return [self._finding(at) for at in self._tree.tolist()]

    def seam(self) -> Seam | None:
        """Of the cuts through one link of the tree the one with the lowest mean across; of equal ones the weakest."""
        if len(self._tree) == 0:
            return None
        count, size = len(self.own), self.around.size[self.own].astype(np.float64)
        pulls = np.zeros((count, count))
        pulls[self.left, self.right] = self.weight * size[self.left] * size[self.right]
        pulls += pulls.T
        beyond = self._beyond()
        # Whole numbers far below 2**53, so that the sums are exact in any order.
        across = ((beyond @ pulls) * (1 - beyond)).sum(axis=1)
        sizes = beyond @ size
        mean = across // (sizes * (size.sum() - sizes))
        at = int(mean.argmin())
        link = int(self._tree[at])
        on_left = beyond[at] == beyond[at, self.left[link]]
        left, right = int(size[on_left].sum()), int(size[~on_left].sum())
        smaller = self.own[on_left if left < right else ~on_left]
        finding = self.around.tell([self._finding(link)])[0]
        return Seam(finding, left, right, int(mean[at]), self.around.records_of(smaller))

    def _beyond(self) -> npt.NDArray[np.float64]:
        """Of each link of the tree (a line) which points (columns) lie beyond it, seen from the first point."""
        count = len(self.own)
        near: list[list[tuple[int, int]]] = [[] for _ in range(count)]
        for at, (one, two) in enumerate(
            zip(self.left[self._tree].tolist(), self.right[self._tree].tolist(), strict=True)
        ):
            near[one].append((two, at))
            near[two].append((one, at))
        beyond, to_do = np.zeros((len(self._tree), count)), [(0, -1, list[int]())]
        while to_do:
            point, came_by, path = to_do.pop()
            beyond[path, point] = 1
            to_do += [(other, at, [*path, at]) for other, at in near[point] if at != came_by]
        return beyond

    def against(self, limit: int) -> list[PairFinding]:
        """Pairs below plausibility, lightest first."""
        order = np.lexsort((self.right, self.left, self.weight))
        below = order[self.weight[order] < self.around.population.model.plausible]
        return [self._finding(at) for at in below[:limit].tolist()]

    def bridges(self) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """Records without which the plausible links fall into more parts; those that part most first."""
        keep = self.judged | (self.weight >= self.around.population.model.plausible)
        left, right = self.left[keep], self.right[keep]
        degree = np.bincount(self.left[self._tree], minlength=len(self.own))
        degree += np.bincount(self.right[self._tree], minlength=len(self.own))
        whole = len(np.unique(_parts(len(self.own), left, right)))
        size, found = self.around.size[self.own], []
        for at in np.flatnonzero(degree > 1).tolist():
            other = (left != at) & (right != at)
            part = _parts(len(self.own), left[other], right[other])
            part[at] = -1
            labels = np.unique(part[part >= 0])
            if len(labels) > whole:
                sizes = sorted((int(size[part == label].sum()) for label in labels), reverse=True)
                found.append((int(self.around.ids[self.own[at]]), tuple(sizes)))
        return tuple(sorted(found, key=lambda bridge: (bridge[1][0], bridge[0])))


def _parts(count: int, left: Ints, right: Ints) -> Ints:
    graph = coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
