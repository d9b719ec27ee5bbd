"""Which records have to be settled together, and how they are dealt out to executors: told by ids alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.clustering.cluster import SplitComponent, components
from identity.clustering.linkage import Thresholds
from identity.encoded import Codes, Ints
from identity.judgements import constraints_of
from identity.population import Rules
from identity.schema import KINDS
from identity.staged.ranks import Ranks

_PAIRS_AT_ONCE: Final = 1_000_000
"""About so many cross pairs are scored by one call on an executor, unless one component has more."""


@dataclass(frozen=True)
class Components:
    """The points of all components of several."""

    members: pa.Table  # component, size (records) and record_id, which is of each point its first
    split: tuple[tuple[str, SplitComponent], ...]  # the kind, and what was over the bound; `first`: a row


def components_of(rules: Rules, records: pa.Table, pairs: pa.Table, alike: pa.Table) -> Components:
    """The components of a register, as the run in memory makes them.

    `records`: record_id and kind of all, in natural order; `pairs`: left_id, right_id, weight and forbidden of the
    plausible ones; `alike`: left_id and right_id, the first of a point and another record of it.
    """
    ids, count = records["record_id"], records.num_rows
    ranks, kinds = Ranks(ids.to_numpy()), pc.index_in(records["kind"], value_set=pa.array(KINDS)).to_numpy()
    size = 1 + np.bincount(ranks.of(alike["left_id"].to_numpy()), minlength=count)
    is_open = pairs.filter(pc.invert(pairs["forbidden"]))
    left, right = (ranks.of(is_open[name].to_numpy()).astype(np.int64) for name in ("left_id", "right_id"))
    weight, of_pair = is_open["weight"].to_numpy(), kinds[left]
    nothing = np.zeros(0, dtype=np.int64)
    row, component, split, made = [nothing], [nothing], [], 0
    for number in np.unique(kinds).tolist():
        kind, mine, rows = KINDS[number], of_pair == number, np.flatnonzero(kinds == number)
        (one, two), _, _ = constraints_of(rules.judgements, ids.take(pa.array(rows)))
        edges = (left[mine], right[mine], weight[mine])
        found, over = components(count, edges, Thresholds.of(rules.model, kind), (rows[one], rows[two]))
        several = np.flatnonzero((np.bincount(found, minlength=count) > 1)[found])
        row.append(several)
        component.append(np.unique(found[several], return_inverse=True)[1] + made)
        made += int(component[-1].max(initial=-1)) + 1
        split += [(kind, one) for one in over]
    rows = np.concatenate(row)
    members = {"component": np.concatenate(component), "size": size[rows], "record_id": ranks.ids[rows]}
    return Components(pa.table(members), tuple(split))


def dealt_out(component: Ints, least: int, per_part: int) -> Codes:
    """Of each point its part, where its component is known: parts of about equal work, at least so many if there is
    enough of it, and in each no more points than `per_part` and those of one component."""
    points = np.bincount(component, minlength=1)
    load = points / per_part + points * (points - 1) / (2 * _PAIRS_AT_ONCE)
    before = np.cumsum(load) - load
    share = min(1.0, float(load.sum()) / least) or 1.0
    part = np.unique(before // share, return_inverse=True)[1]
    return part[component].astype(np.int32)
