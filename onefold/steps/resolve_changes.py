"""Resolve what changed and the components that it touches; the outcome is that of comparing everything.

The database is asked by key only: for the changed records, the records that are alike or share an active block with
them, and whatever hangs together with those.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.accepted import ACCEPTED
from identity.blocking.lists import key_lists
from identity.comparison.names import read_words
from identity.encoded import Ints
from identity.features import borne_as, in_natural_order, positions
from identity.generic import GENERIC
from identity.incremental import (
    ALIKE,
    crossing,
    differences,
    first_two,
    moved_points,
    regrouped,
    still_refused,
    touched_pairs,
    unshared,
    without,
)
from identity.judgements import same_groups
from identity.plausible import plausible_of
from identity.population import Population, Rules
from identity.resolve import POINT, REFUSED, Resolution, point_table, resolve_under
from identity.schema import BLOCKING_KEY, IDENTIFIER, JUDGEMENT, KINDS, PAIR, RECORD
from onefold.errors import UsageError
from onefold.steps.ahead import storing
from onefold.steps.engine import most_in_memory
from onefold.steps.reading import Readers
from onefold.steps.rules import distinct_sources
from warehouse import evidence, judgements, resolution

if TYPE_CHECKING:
    import psycopg

    from identity.model import MatchModel
    from identity.settings import MatchingSettings
    from onefold.context import Context
    from warehouse.judgements import Spoken

MOST_AS_IF = 20_000
"""Records that a preview resolves anew; of more it would take longer than anybody waits."""
FEW_TOUCHED = 20_000
"""So many records are always read by key ..."""
SHARE_TOUCHED = 0.5
"""... and more while they are no larger a part of all, and fit into `memory`: of a larger one the whole is read and
compared sooner."""
_PAIR_IDS = pa.schema([PAIR.field("left_id"), PAIR.field("right_id")])


class Widespread(Exception):
    """More records hang together with what changed than are read by key."""


@dataclass(frozen=True)
class Changes:
    """The outcome for the part of the register that the changes touch."""

    found: Resolution
    record_ids: Sequence[int]  # every record that was looked at anew, those that are gone included
    candidate_pairs: int  # pairs of the changed records that were compared


class _Part:
    """Standard records and identifiers read so far; nothing is read twice."""

    def __init__(self, readers: Readers, attributes: Sequence[str]) -> None:
        self._readers = readers
        self._attributes = attributes
        self._asked: set[int] = set()
        self.records = RECORD.empty_table()
        self.identifiers = IDENTIFIER.empty_table()

    def read(self, record_ids: Iterable[int], *, on: psycopg.Connection | None = None) -> None:
        """Read those of these records that were not asked for yet; `on`: by this connection only."""
        new = sorted(set(record_ids) - self._asked)
        if new:
            self._asked.update(new)
            parts = [self._rows(on, new)] if on else self._readers.halves(new, self._rows)
            self.records = pa.concat_tables([self.records, *(records for records, _ in parts)])
            self.identifiers = pa.concat_tables([self.identifiers, *(identifiers for _, identifiers in parts)])

    def _rows(self, conn: psycopg.Connection, record_ids: Sequence[int]) -> tuple[pa.Table, pa.Table]:
        return (
            resolution.load_records(conn, RECORD, record_ids, self._attributes, in_order=False),
            resolution.load_identifiers(conn, IDENTIFIER, record_ids),
        )

    def of(self, record_ids: Ints) -> tuple[pa.Table, pa.Table]:
        """These records, in natural order, and their identifiers."""
        wanted = pa.array(np.asarray(record_ids, dtype=np.int64))
        records = self.records.filter(pc.is_in(self.records["record_id"], value_set=wanted))
        return (
            in_natural_order(records.combine_chunks()),
            self.identifiers.filter(pc.is_in(self.identifiers["record_id"], value_set=wanted)),
        )


def resolve_changes(context: Context, readers: Readers, model: MatchModel, changed: Sequence[int]) -> Changes:
    """Resolve the part of the register that the `changed` records touch and store its keys, points, pairs and values.

    In the caller's transaction under the hub lock. The clusters are the caller's to store. Widespread: the whole has to
    be compared; what was written until then is the caller's to take back.
    """
    Thread(target=read_words, name="words", daemon=True).start()  # while the database is at work
    conn, settings = readers.conn, context.configuration.matching
    part = _Part(readers, settings.open_attributes)
    generic_before, generic, dirty = _generic_now(readers, settings.generic_names, changed)
    said = judgements.load_judgements(conn, JUDGEMENT)
    accepted = evidence.load_accepted(conn, ACCEPTED)
    rules = Rules(model, settings, said, distinct_sources(context), generic, accepted)
    seeds = set(dirty.tolist())
    if evidence.is_judged(conn, dirty.tolist()):
        rules, others = _accepted_now(conn, rules, accepted, part)
        seeds |= others
    most = min(int(SHARE_TOUCHED * resolution.record_count(conn)), most_in_memory(context.configuration.hub))
    most = max(FEW_TOUCHED, most)
    outcome = _resolved(readers, rules, part, dirty, seeds, most, stores=True)
    evidence.change_pairs(conn, outcome.known, outcome.changes.found.pairs)
    evidence.change_points(conn, outcome.points_before, outcome.points)
    evidence.change_generic(conn, generic_before, generic, dirty.tolist())
    return outcome.changes


def resolve_as_if(
    context: Context, conn: psycopg.Connection, model: MatchModel, spoken: Spoken, named: Sequence[int]
) -> Changes:
    """What `resolve_changes` would find, were `spoken` said of the `named` records; nothing is stored, and the
    transaction may be one that only reads. UsageError: more than `MOST_AS_IF` records hang together with them."""
    try:
        return _as_if(context, conn, model, spoken, named)
    except Widespread:
        raise UsageError(
            f"More than {MOST_AS_IF:,} records hang together with these: what would come of it is not told beforehand.",
            "Say it all the same: it is resolved beside, and its page says how far that is; it can be taken back.",
        ) from None


def _as_if(
    context: Context, conn: psycopg.Connection, model: MatchModel, spoken: Spoken, named: Sequence[int]
) -> Changes:
    settings = context.configuration.matching
    part = _Part(Readers(conn), settings.open_attributes)
    said, accepted = judgements.load_judgements(conn, JUDGEMENT, spoken=spoken), evidence.load_accepted(conn, ACCEPTED)
    rules = Rules(model, settings, said, distinct_sources(context), evidence.load_generic(conn, GENERIC), accepted)
    dirty = np.unique(np.array(named, dtype=np.int64))
    groups = same_groups(said)
    before = same_groups(judgements.load_judgements(conn, JUDGEMENT)) if spoken.lifted else []
    asked = set(named)
    if _make_values_one(part, [group for group in (*groups, *before) if not asked.isdisjoint(group)], settings):
        rules, others = _accepted_now(conn, rules, accepted, part, stores=False)
        seeds = {*dirty.tolist(), *others}
        return _resolved(Readers(conn), rules, part, dirty, seeds, MOST_AS_IF, stores=False).changes
    # No record is another and no value counts otherwise: the stored pairs are those that would be found.
    seeds = {*dirty.tolist(), *evidence.load_points(conn, POINT, dirty.tolist())["first_id"].to_pylist()}
    touched, known = _closure(conn, seeds, PAIR.empty_table(), PAIR.empty_table(), groups, MOST_AS_IF)
    part.read(touched)
    ids = np.array(sorted(touched), dtype=np.int64)
    found = resolve_under(rules, *part.of(ids), pairs=known.select(_PAIR_IDS.names))
    return Changes(found, ids.tolist(), known.num_rows)


def _make_values_one(part: _Part, groups: Sequence[Sequence[int]], settings: MatchingSettings) -> bool:
    """Whether joining the records of one of these groups makes values of a contradicting type one."""
    part.read([record for group in groups for record in group])
    kinds = (settings.person, settings.organisation)
    types = sorted({name for kind in kinds if kind is not None for name in kind.contradictions})
    for group in groups:
        rows = part.of(np.array(group, dtype=np.int64))[1]
        rows = rows.filter(pc.and_(rows["is_valid"], pc.is_in(rows["type"], value_set=pa.array(types, pa.string()))))
        values = set(zip(rows["type"].to_pylist(), rows["value"].to_pylist(), strict=True))
        if len(values) > len({name for name, _ in values}):
            return True
    return False


@dataclass(frozen=True)
class _Outcome:
    """What was found, and what of it stood before."""

    changes: Changes
    known: pa.Table  # PAIR
    points_before: pa.Table  # POINT
    points: pa.Table


def _resolved(
    readers: Readers, rules: Rules, part: _Part, dirty: Ints, seeds: set[int], most: int, *, stores: bool
) -> _Outcome:
    """The part of the register that the `dirty` records and the `seeds` touch; its keys are stored if it `stores`.
    Widespread: it is more than `most` records."""
    conn = readers.conn
    part.read(dirty.tolist())
    rekeyed, firsts, points_before, points = _points_now(conn, rules, part, dirty)
    # Whoever has become alike to others is tied to the first of them by no stored pair yet.
    seeds |= {*rekeyed.tolist(), *points["first_id"].to_pylist()}
    keys = _keys_now(readers, rules, part, rekeyed, firsts)
    # The keys are stored while their pairs are compared and clustered; the other connection can be asked meanwhile.
    with storing(lambda: keys.store(conn)) if stores else nullcontext(lambda: None) as stored:
        pairs = _plausible(rules, part, keys.candidates)
        if readers.other is None or len(keys.closed):
            stored()
        stale = _without_key(conn, keys.closed)
        reader = readers.other or conn
        touched, known = _closure(reader, seeds, pairs, stale, same_groups(rules.judgements), most)
        part.read(touched, on=reader)
        ids = np.array(sorted(touched), dtype=np.int64)
        standing = _standing(known.select(_PAIR_IDS.names), stale, rekeyed)
        candidates = pa.concat_tables([standing, pairs.select(_PAIR_IDS.names)])
        found = resolve_under(rules, *part.of(ids), pairs=candidates)
    changes = Changes(found, ids.tolist(), keys.candidates.num_rows)
    return _Outcome(changes, known, points_before, points)


def _generic_now(readers: Readers, more_than: int, changed: Sequence[int]) -> tuple[pa.Table, pa.Table, Ints]:
    """All generic values as they were and as they are, and the records whose own values count otherwise than before:
    the changed ones, and all that bear a value which has become generic or is not any more."""
    all_before = readers.beside(lambda other: evidence.load_generic(other, GENERIC))
    conn = readers.conn
    values = evidence.values_of(conn, changed)
    counted = evidence.names_behind(conn, GENERIC, values, more_than) if values else GENERIC.empty_table()
    before = all_before()
    named = [f"{kind}\x1f{name}\x1f{value}" for kind in KINDS for name, value in values]
    looked_at = pc.is_in(_named(before), value_set=pa.array(named, pa.string()))
    now = pa.concat_tables([before.filter(pc.invert(looked_at)), counted])
    now = now.sort_by([(name, "ascending") for name in ("kind", "type", "value")])
    crossed = [*_missing(before, now), *_missing(now, before)]
    dirty = [*changed, *evidence.holders(conn, sorted(set(crossed)))]
    return before, now, np.unique(np.array(dirty, dtype=np.int64))


def _named(generic: pa.Table) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(generic["kind"], generic["type"], generic["value"], "\x1f")


def _missing(values: pa.Table, others: pa.Table) -> list[tuple[str, str]]:
    """Type and value of those that are not among the others."""
    only = values.filter(pc.invert(pc.is_in(_named(values), value_set=_named(others).combine_chunks())))
    return list(zip(only["type"].to_pylist(), only["value"].to_pylist(), strict=True))


def _accepted_now(
    conn: psycopg.Connection, rules: Rules, before: pa.Table, part: _Part, *, stores: bool = True
) -> tuple[Rules, set[int]]:
    """The rules with the values that people's words make one as of now, stored where it `stores`; and all records that
    bear one for which that changed since `before`."""
    judged = sorted({record for group in same_groups(rules.judgements) for record in group})
    part.read(judged)
    records, identifiers = part.of(np.array(judged, dtype=np.int64))
    anew = replace(rules, accepted=None)
    accepted = pa.concat_tables([Population(kind, records, identifiers, anew).accepted for kind in KINDS])
    then, now = ({tuple(row.values()) for row in table.to_pylist()} for table in (before, accepted))
    turned = sorted({borne_as(row[1], row[2]) for row in then ^ now})
    if stores:
        evidence.replace_accepted(conn, accepted)
    others = evidence.holders(conn, turned) if stores else evidence.bearers(conn, turned)
    return replace(rules, accepted=accepted), set(others)


def _points_now(
    conn: psycopg.Connection, rules: Rules, part: _Part, dirty: Ints
) -> tuple[Ints, Ints, pa.Table, pa.Table]:
    """Records whose point changed (the dirty ones, and others in whose points they come or go); those of them that are
    the first of their point now; and the POINT rows of all of them as they were and as they are."""
    before = evidence.load_points(conn, POINT, dirty.tolist())
    records, identifiers = part.of(dirty)
    fresh = _look(rules, records, identifiers)
    prints = pa.concat_arrays([t["fingerprint"].combine_chunks().drop_null() for t in (before, fresh)]).unique()
    others = evidence.alike(conn, ALIKE, prints.to_pylist())
    others = others.filter(pc.invert(pc.is_in(others["record_id"], value_set=pa.array(dirty))))
    # No join: to load what joins takes longer.
    named = records.take(pa.array(positions(records["record_id"], fresh["record_id"])))
    mine = pa.table([*fresh.columns, *(named[name] for name in ALIKE.names[3:])], names=ALIKE.names)
    alike = pa.concat_tables([others, mine.filter(pc.is_valid(mine["fingerprint"])).cast(ALIKE)])
    two = first_two(alike)
    part.read(two.tolist())
    among = np.union1d(dirty, two)
    now = regrouped(alike, fresh if len(among) == len(dirty) else _look(rules, *part.of(among)))
    moved = moved_points(others, now.filter(pc.invert(pc.is_in(now["record_id"], value_set=pa.array(dirty)))))
    of_dirty = now.filter(pc.is_in(now["record_id"], value_set=pa.array(dirty)))
    rows = pa.concat_tables([of_dirty, moved])
    rekeyed = np.union1d(dirty, moved["record_id"].to_numpy())
    firsts = rows["record_id"].to_numpy()[rows["record_id"].to_numpy() == rows["first_id"].to_numpy()]
    part.read(firsts.tolist())
    were = others.filter(pc.is_in(others["record_id"], value_set=pa.array(rekeyed))).select(POINT.names)
    return rekeyed, np.sort(firsts), pa.concat_tables([before, were]), rows


def _look(rules: Rules, records: pa.Table, identifiers: pa.Table) -> pa.Table:
    """POINT rows of these records taken by themselves."""
    found = [point_table(Population(kind, records, identifiers, rules)) for kind in _kinds(records)]
    return pa.concat_tables([POINT.empty_table(), *found])


def _kinds(records: pa.Table) -> list[str]:
    """The kinds that some of the records are of."""
    there = pc.unique(records["kind"]).to_pylist()
    return [kind for kind in KINDS if kind in there]


@dataclass(frozen=True)
class _Keys:
    """What the changed records' keys propose, and what of them is to be stored."""

    removed: pa.Table  # BLOCKING_KEY
    added: pa.Table
    after: pa.Table  # all keys of the records that have some
    was_refused: pa.Table  # REFUSED
    refused: pa.Table
    closed: Ints  # records of blocks that have come over their limit
    candidates: pa.Table  # left_id, right_id

    def store(self, conn: psycopg.Connection) -> None:
        evidence.change_keys(conn, self.removed, self.added, key_lists(self.after))
        evidence.change_refused(conn, self.was_refused, self.refused)


def _keys_now(readers: Readers, rules: Rules, part: _Part, rekeyed: Ints, firsts: Ints) -> _Keys:
    """The keys of the `rekeyed` records, of which only `firsts` have some, and the pairs that they and the blocks that
    came back under their limit propose; both records of each pair are read."""
    conn = readers.conn
    records, identifiers = part.of(firsts)
    populations = [Population(kind, records, identifiers, rules) for kind in KINDS]
    limits = pa.concat_tables([population.limits() for population in populations])
    after = pa.concat_tables([population.key_table() for population in populations])
    before = evidence.load_keys(conn, BLOCKING_KEY, rekeyed.tolist())
    removed, added = differences(before, after)
    keys = np.union1d(before["key"].to_numpy(), after["key"].to_numpy())
    was_refused = evidence.refused_blocks(conn, REFUSED, keys.tolist())
    refused = still_refused(before, after, was_refused, limits)
    wanted = np.setdiff1d(keys, refused["key"].to_numpy())
    found = readers.halves(wanted.tolist(), lambda one, part: evidence.block_members(one, BLOCKING_KEY, part))
    fresh = added.filter(pc.is_in(added["key"], value_set=pa.array(wanted)))
    members = pa.concat_tables([without(pa.concat_tables(found), removed), fresh])
    blocks = crossing(refused, was_refused, members, limits)
    in_opened = blocks.active.filter(pc.is_in(blocks.active["key"], value_set=pa.array(blocks.opened)))
    dirty = np.union1d(firsts, in_opened["record_id"].to_numpy())
    candidates = touched_pairs(blocks.active, dirty)
    part.read([*candidates["left_id"].to_pylist(), *candidates["right_id"].to_pylist()])
    closed = members.filter(pc.is_in(members["key"], value_set=pa.array(blocks.closed)))["record_id"].to_numpy()
    return _Keys(removed, added, after, was_refused, blocks.refused, np.setdiff1d(closed, rekeyed), candidates)


def _without_key(conn: psycopg.Connection, members: Ints) -> pa.Table:
    """The stored pairs among `members` of blocks that have come over their limit which share no other key. Call it when
    the keys are stored."""
    if len(members) == 0:
        return _PAIR_IDS.empty_table()
    pairs = evidence.load_pairs(conn, PAIR, members.tolist()).select(_PAIR_IDS.names)
    inside = pa.array(members)
    pairs = pairs.filter(
        pc.and_(pc.is_in(pairs["left_id"], value_set=inside), pc.is_in(pairs["right_id"], value_set=inside))
    )
    keys = evidence.load_keys(conn, BLOCKING_KEY, members.tolist())
    refused = evidence.refused_blocks(conn, REFUSED, pc.unique(keys["key"]).to_pylist())
    return unshared(pairs, keys, refused)


def _plausible(rules: Rules, part: _Part, candidates: pa.Table) -> pa.Table:
    """Those of the candidate pairs (left_id, right_id) that are plausible."""
    ids = pc.unique(pa.chunked_array([*candidates["left_id"].chunks, *candidates["right_id"].chunks], pa.int64()))
    return plausible_of(rules, *part.of(ids.to_numpy()), candidates).select(_PAIR_IDS.names)


def _closure(
    conn: psycopg.Connection,
    seeds: set[int],
    pairs: pa.Table,
    stale: pa.Table,
    groups: Sequence[Sequence[int]],
    most: int,
) -> tuple[set[int], pa.Table]:
    """Every record that hangs together with the seeds or the ends of new or stale pairs: through plausible pairs, old
    or new, clients, and what a human joined. And the stored pairs (PAIR) of all of them. Widespread: they are more than
    `most`."""
    joined: dict[int, set[int]] = {}
    for group in groups:
        for record in group:
            joined.setdefault(record, set()).update(group)
    for left, right in zip(pairs["left_id"].to_pylist(), pairs["right_id"].to_pylist(), strict=True):
        joined.setdefault(left, set()).add(right)
        joined.setdefault(right, set()).add(left)
    seen: set[int] = set()
    new = seeds.union(*(table[name].to_pylist() for table in (pairs, stale) for name in _PAIR_IDS.names))
    stored = []
    while new:
        seen |= new
        if len(seen) > most:
            raise Widespread
        ids = sorted(new)
        found = evidence.load_pairs(conn, PAIR, ids)
        stored.append(found)
        reached = {*found["left_id"].to_pylist(), *found["right_id"].to_pylist(), *evidence.together(conn, ids)}
        new = reached.union(*(joined.get(record, ()) for record in ids)) - seen
    return seen, pa.concat_tables([PAIR.empty_table(), *stored])


def _standing(stored: pa.Table, stale: pa.Table, rekeyed: Ints) -> pa.Table:
    """Those of the stored pairs that hold whatever the `rekeyed` records are now; none of the `stale` ones."""
    gone = pa.array(rekeyed)
    known = stored.filter(
        pc.invert(pc.or_(pc.is_in(stored["left_id"], value_set=gone), pc.is_in(stored["right_id"], value_set=gone)))
    )
    return known.join(stale, _PAIR_IDS.names, join_type="left anti").cast(_PAIR_IDS) if stale.num_rows else known
