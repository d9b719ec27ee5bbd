"""The work of `in_common`: all documents, or those that changed and whatever shares a key with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.documents.in_common import SHARED, in_common
from identity.documents.papers import KEY, PAPER, common_rules, keys_of
from identity.documents.schema import Ints
from identity.documents.twins import TWIN, twins_of
from warehouse import in_common as stored

if TYPE_CHECKING:
    import psycopg

    from identity.documents.settings import DocumentSettings


@dataclass(frozen=True)
class Work:
    """What every part needs."""

    conn: psycopg.Connection
    settings: DocumentSettings

    def keys(self, record_ids: Ints) -> pa.Table:
        """The keys (KEY) of these documents as they are stated now."""
        return keys_of(stored.papers(self.conn, PAPER, self._states, record_ids), self.settings)

    def all_keys(self) -> pa.Table:
        """The keys of all documents; only keys are in memory at once, which are a fraction of what documents say."""
        pieces = stored.all_papers(self.conn, PAPER, self._states)
        found = pa.concat_tables([KEY.empty_table(), *(keys_of(piece, self.settings) for piece in pieces)])
        return found.sort_by([("record_id", "ascending"), ("face", "ascending")])

    @property
    def _states(self) -> dict[str, Sequence[str]]:
        return {"fields": self.settings.states.fields, "void": self.settings.states.void}


def share_all(work: Work) -> None:
    """Look at all documents."""
    # First: what standardise commits while documents are read stays queued.
    stored.forget_queue(work.conn)
    keys = work.all_keys()
    stored.store_keys(work.conn, keys, None)
    twins = twins_of(keys, work.settings)
    stored.store_twins(work.conn, twins, None)
    stored.store_shared(work.conn, in_common(twins), None)


def share_nothing(work: Work) -> None:
    """Documents are no evidence any more."""
    stored.store_shared(work.conn, SHARED.empty_table(), None)
    stored.store_twins(work.conn, TWIN.empty_table(), None)
    stored.store_keys(work.conn, KEY.empty_table(), None)
    stored.forget_queue(work.conn)


def share_changed(work: Work, record_ids: Sequence[int]) -> None:
    """Look at the changed documents, at those that share a key with them, before or after, and at all twins of the
    records that these name."""
    conn, cap = work.conn, common_rules().largest_block
    changed = np.array(sorted(record_ids), np.int64)
    # A block that is over its limit by more than what changed is so before and after. A document stands in it with each
    # of its faces: as it is, and with or without the tax of each rate.
    most = cap + len(changed) * (1 + len(work.settings.tax_rates))
    near = stored.neighbours(conn, changed, most)
    stored.store_keys(conn, work.keys(changed), changed)
    near = np.union1d(near, stored.neighbours(conn, changed, most))
    before = stored.twins_of(conn, TWIN, near)
    # Whether two are twins depends on all that share a key with either.
    around = stored.neighbours(conn, stored.neighbours(conn, near, cap + 1), cap + 1)
    twins = twins_of(stored.keys_of(conn, KEY, around), work.settings)
    after = twins.filter(pc.or_(_is_of(twins["left_record_id"], near), _is_of(twins["right_record_id"], near)))
    stored.store_twins(conn, after, near)
    parties = _parties([before, after])
    if not len(parties):
        return
    theirs = stored.twins_of(conn, TWIN, parties, by_party=True)
    # How much of what a record has is with others is asked of both sides.
    every = stored.twins_of(conn, TWIN, np.union1d(parties, _parties([theirs])), by_party=True)
    shared = in_common(every)
    mine = pc.or_(_is_of(shared["record_id"], parties), _is_of(shared["other_record_id"], parties))
    stored.store_shared(conn, shared.filter(mine), parties)


def _parties(twins: list[pa.Table]) -> Ints:
    columns = [table[name].to_numpy() for table in twins for name in ("left_party_id", "right_party_id")]
    found: Ints = np.unique(np.concatenate(columns))
    return found


def _is_of(column: pa.ChunkedArray, ids: Ints) -> pa.ChunkedArray:
    return pc.is_in(column, value_set=pa.array(ids))
