"""What a stage does with a part of the register: each function calls what the run in memory calls of the whole."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.blocking.pairing import RuleBlocks
from identity.clustering.cluster import Constraints, settle
from identity.clustering.linkage import Thresholds
from identity.encoded import Ints, whole
from identity.features import positions
from identity.hashing import signed
from identity.plausible import COMPARED, pair_table, plausible_between
from identity.population import Population, Rules
from identity.resolve import LABEL
from identity.schema import BLOCKING_KEY, KINDS, PAIR
from identity.staged.cards import tables_of

KEYED: Final = pa.schema(
    [
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("fingerprint", pa.int64()),  # as in POINT
        pa.field("keys", pa.list_(pa.int64()), nullable=False),  # by rule and then by key
    ]
)
"""What can be told of a record by itself."""
PLACE_BITS: Final = 32
"""The low bits of an `entry`, which are the place of a card; the others number its block."""
_NEARLY_ALL: Final = 0.85
"""The share of cards above which it takes longer to choose them than to encode the others too."""
SETTLED: Final = pa.schema([LABEL.field("record_id"), LABEL.field("label")])
"""Of the first record of each point its client."""


def keyed(rules: Rules, cards: pa.Table) -> pa.Table:
    """KEYED rows of any cards."""
    records, identifiers = tables_of(cards)
    found = [KEYED.empty_table()]
    for kind in KINDS:
        population = Population(kind, records, identifiers, rules)
        count, keys = len(population.ids), population.keys()
        row = keys.row
        offsets = np.zeros(count + 1, dtype=np.int32)
        np.cumsum(np.bincount(row, minlength=count), out=offsets[1:])
        columns = [
            population.ids,
            pa.repeat(pa.scalar(kind), count),
            pa.array(signed(population.fingerprints()), mask=~population.free),
            pa.ListArray.from_arrays(pa.array(offsets), pa.array(keys.key[np.argsort(row, kind="stable")])),
        ]
        found.append(pa.table(columns, schema=KEYED))
    return pa.concat_tables(found)


def keys_of(keyed: pa.Table) -> pa.Table:
    """BLOCKING_KEY rows of record_id and keys (KEYED)."""
    lists = whole(keyed["keys"])
    return pa.table([lists.flatten(), keyed["record_id"].take(pc.list_parent_indices(lists))], schema=BLOCKING_KEY)


def alike(rules: Rules, cards: pa.Table) -> pa.Table:
    """PAIR rows that tie records to the first of their point; with each card come all of its fingerprint."""
    records, identifiers = tables_of(cards)
    found = [PAIR.empty_table()]
    for kind in KINDS:
        population = Population(kind, records, identifiers, rules)
        found.append(pair_table(population.ids, None, population.points(), rules.model.version))
    return pa.concat_tables(found)


def met(rules: Rules, cards: pa.Table, entries: Ints, border: int) -> tuple[int, pa.Table]:
    """How many candidate pairs records propose, and COMPARED rows of those that are plausible.

    `cards` are in natural order; `entries` say who is in an active block: its number << PLACE_BITS | the place of
    the card, ascending. `border`, if there is one: the place of the first card of a second part; pairs within a part
    are then left out.
    """
    if border:
        cards, entries, border = _across(cards, entries, border)
    records, identifiers = tables_of(cards)
    number, found = 0, [COMPARED.empty_table()]
    for kind in KINDS:
        mine = pc.equal(records["kind"], kind).to_numpy()
        rows = np.cumsum(mine, dtype=np.int32)
        count, below = int(rows[-1]) if len(rows) else 0, int(rows[border - 1]) if border else 0
        if count == 0 or (border and below in (0, count)):
            continue
        at = _places(entries)
        here = mine[at]
        block = entries[here] >> PLACE_BITS
        starts = np.append(np.flatnonzero(np.diff(block, prepend=-1)), len(block))
        population = Population(kind, records, identifiers, rules)
        blocks = RuleBlocks.of(rows[at[here]] - 1, starts)
        more, pairs = plausible_between(population, blocks, below, rules.model.version)
        number, found = number + more, [*found, pairs]
    return number, pa.concat_tables(found)


def _places(entries: Ints) -> Ints:
    return entries & ((1 << PLACE_BITS) - 1)


def _across(cards: pa.Table, entries: Ints, border: int) -> tuple[pa.Table, Ints, int]:
    """The entries of blocks with cards of both parts, and where not nearly all cards are in one, those that are: of
    small parts of a large register these are few."""
    place, block = _places(entries), entries >> PLACE_BITS
    starts = np.append(np.flatnonzero(np.diff(block, prepend=-1)), len(block))
    first, last = place[starts[:-1]], place[starts[1:] - 1]
    entries = entries[np.repeat((first < border) & (last >= border), np.diff(starts))]
    place, there = _places(entries), np.zeros(cards.num_rows, dtype=np.bool_)
    there[place] = True
    if np.count_nonzero(there) > _NEARLY_ALL * len(there):
        return cards, entries, border
    moved = np.cumsum(there) - 1 - np.arange(len(there))
    return cards.filter(pa.array(there)), entries + moved[place], int(np.count_nonzero(there[:border]))


def settled(rules: Rules, members: pa.Table) -> pa.Table:
    """SETTLED rows of whole components. `members`: the cards of their points' first records, each with the number of
    its `component` and the `size` of its point."""
    records, identifiers = tables_of(members)
    found = [SETTLED.empty_table()]
    for kind in KINDS:
        population = Population(kind, records, identifiers, rules)
        at = positions(members["record_id"], pa.chunked_array([population.ids]))
        component, size = (members[name].to_numpy()[at] for name in ("component", "size"))
        constraints = Constraints(population.same, population.not_same)
        label = settle(component, size, population.score, Thresholds.of(rules.model, kind), constraints)
        found.append(pa.table([population.ids, population.ids[label]], schema=SETTLED))
    return pa.concat_tables(found)
