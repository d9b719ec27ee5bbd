"""Changes only: what else has to be looked at anew when some records changed, so that a whole run would say the same.

Block limits and points are functions of all records. A change can therefore reach records that it does not touch: it
takes the place of the first of those that are alike, or brings a block over its limit or back under it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from identity.blocking.keys import RULE_BITS
from identity.encoded import Ints
from identity.features import in_natural_order
from identity.resolve import POINT, REFUSED
from identity.schema import BLOCKING_KEY

ALIKE: Final = pa.schema(
    [*POINT, *(pa.field(name, pa.string(), nullable=False) for name in ("source", "stream", "source_key"))]
)
"""POINT rows with the parts of the natural key; a fingerprint is never null here."""


def first_two(alike: pa.Table) -> Ints:
    """The ids of the first two records of each fingerprint that several bear: they tell whether its records are one
    point, and which of them is its first."""
    ordered = _ordered(alike)
    place = ordered.groupby("fingerprint", sort=False).cumcount()
    several = ordered.groupby("fingerprint", sort=False)["record_id"].transform("size") > 1
    found: Ints = ordered["record_id"].to_numpy()[(several & (place < 2)).to_numpy()]
    return found


def regrouped(alike: pa.Table, looked_at: pa.Table) -> pa.Table:
    """POINT rows of all records of `alike` (ALIKE, whose `first_id` is what it was) as they are now, and of those of
    `looked_at` that stand alone.

    `looked_at`: POINT of a resolution of the changed records and of `first_two`.
    """
    ordered = _ordered(alike)
    collapsed = looked_at.filter(pc.not_equal(looked_at["first_id"], looked_at["record_id"]))["fingerprint"].to_numpy()
    first = ordered.groupby("fingerprint", sort=False)["record_id"].transform("first")
    is_one = ordered["fingerprint"].isin(collapsed)
    grouped = pd.DataFrame(
        {
            "record_id": ordered["record_id"],
            "fingerprint": ordered["fingerprint"],
            "first_id": first.where(is_one, ordered["record_id"]),
        }
    )
    alone = looked_at.filter(looked_at["fingerprint"].is_null())
    return pa.concat_tables([pa.Table.from_pandas(grouped, POINT, preserve_index=False), alone])


def _ordered(alike: pa.Table) -> pd.DataFrame:
    columns = in_natural_order(alike).select(["record_id", "fingerprint"])
    return pd.DataFrame({name: columns[name].to_numpy() for name in columns.column_names})


def moved_points(before: pa.Table, after: pa.Table) -> pa.Table:
    """Those rows of `after` (POINT) whose first record is another one than in `before`, or that were not there."""
    old = pd.Series(before["first_id"].to_numpy(), index=before["record_id"].to_numpy())
    was = old.reindex(after["record_id"].to_numpy()).to_numpy()
    return after.filter(pa.array(was != after["first_id"].to_numpy()))


@dataclass(frozen=True)
class Blocks:
    """The blocks whose members changed."""

    refused: pa.Table  # REFUSED: those over their limit now
    active: pa.Table  # BLOCKING_KEY of those that are not
    opened: Ints  # keys that were over their limit and are not any more: all their pairs are new
    closed: Ints  # keys that have come over their limit: their pairs need another key now


def still_refused(before: pa.Table, after: pa.Table, was_refused: pa.Table, limits: pa.Table) -> pa.Table:
    """Those of the refused blocks `was_refused` (REFUSED) that are still over their limit, with their new sizes.

    `before` and `after`: the keys of all records whose keys were written. Nobody has to read these blocks.
    """
    grown = _counts(after).sub(_counts(before), fill_value=0)
    key = was_refused["key"].to_numpy()
    size = was_refused["size"].to_numpy() + grown.reindex(key, fill_value=0).to_numpy().astype(np.int64)
    over = size > _limits(key, limits)
    return pa.table({"key": key[over], "size": size[over]}, schema=REFUSED)


def crossing(refused: pa.Table, was_refused: pa.Table, members: pa.Table, limits: pa.Table) -> Blocks:
    """What became of the blocks whose members changed: `refused` of them are `still_refused`, `members`
    (BLOCKING_KEY) are all members of the others."""
    sizes = _counts(members)
    key, size = sizes.index.to_numpy(), sizes.to_numpy()
    over = size > _limits(key, limits)
    was = was_refused["key"].to_numpy()
    more = pa.table({"key": key[over], "size": size[over].astype(np.int64)}, schema=REFUSED)
    active = members.filter(pa.array(~np.isin(members["key"].to_numpy(), key[over])))
    opened = np.setdiff1d(was, np.union1d(refused["key"].to_numpy(), key[over]))
    return Blocks(pa.concat_tables([refused, more]).sort_by("key"), active, opened, np.setdiff1d(key[over], was))


def touched_pairs(active: pa.Table, dirty: Ints) -> pa.Table:
    """What `candidate_pairs` finds with these `dirty` records in active blocks (BLOCKING_KEY of all their members):
    left_id, right_id. Of a few blocks it is there before an engine has started."""
    key, record = active["key"].to_numpy(), active["record_id"].to_numpy()
    members = pd.DataFrame({"key": key, "record": record})
    both = members[np.isin(record, dirty)].merge(members, on="key", suffixes=("", "_other"))
    one, other = both["record"].to_numpy(), both["record_other"].to_numpy()
    apart = one != other
    ends = pd.DataFrame({"left_id": np.minimum(one, other)[apart], "right_id": np.maximum(one, other)[apart]})
    return pa.Table.from_pandas(ends.drop_duplicates(), preserve_index=False)


def unshared(pairs: pa.Table, keys: pa.Table, refused: pa.Table) -> pa.Table:
    """Those of `pairs` (left_id, right_id) whose records share no active key any more. `keys`: BLOCKING_KEY of all
    these records; `refused`: those of the keys that are over their limit."""
    usable = keys.filter(pa.array(~np.isin(keys["key"].to_numpy(), refused["key"].to_numpy())))
    by_record = pd.DataFrame({"record": usable["record_id"].to_numpy(), "key": usable["key"].to_numpy()})
    ends = pd.DataFrame({"left": pairs["left_id"].to_numpy(), "right": pairs["right_id"].to_numpy()})
    left = ends.reset_index().merge(by_record, left_on="left", right_on="record")
    both = left.merge(by_record, left_on=["right", "key"], right_on=["record", "key"])
    alone = np.ones(len(ends), dtype=np.bool_)
    alone[both["index"].to_numpy()] = False
    return pairs.filter(pa.array(alone))


def without(keys: pa.Table, others: pa.Table) -> pa.Table:
    """Those of `keys` (BLOCKING_KEY) that are not among `others`."""
    return differences(keys, others)[0]


def differences(keys: pa.Table, others: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Those of `keys` (BLOCKING_KEY) that are not among `others`, and those of `others` not among `keys`."""
    key, record = (np.concatenate([table[name].to_numpy() for table in (keys, others)]) for name in BLOCKING_KEY.names)
    order = np.lexsort((record, key))
    key, record = key[order], record[order]
    again = np.flatnonzero((key[1:] == key[:-1]) & (record[1:] == record[:-1]))
    alone = np.ones(len(order), dtype=np.bool_)
    alone[order[again]] = alone[order[again + 1]] = False
    return keys.filter(pa.array(alone[: len(keys)])), others.filter(pa.array(alone[len(keys) :]))


def _counts(keys: pa.Table) -> pd.Series[int]:
    key, count = np.unique(keys["key"].to_numpy(), return_counts=True)
    return pd.Series(count, index=key)


def _limits(key: Ints, limits: pa.Table) -> Ints:
    cap = dict(zip(limits["rule"].to_pylist(), limits["cap"].to_pylist(), strict=True))
    rules, of = np.unique(key & RULE_BITS, return_inverse=True)
    found: Ints = np.array([cap[rule] for rule in rules.tolist()], dtype=np.int64)[of]
    return found
