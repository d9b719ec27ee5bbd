"""`golden`: the golden record of every client, with the lineage of every value."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.hashing import digest_uuids
from identity.standard.columns import encode_json_strings
from identity.survive.candidates import Candidates, Ints, Records, read_attributes
from identity.survive.choice import Chosen, choose_all, choose_group, choose_one
from identity.survive.pins import PIN, apply_pins
from identity.survive.settings import SurvivorshipRules

CONTRIBUTION: Final = pa.schema(
    [
        pa.field("client_id", pa.string(), nullable=False),
        pa.field("record_id", pa.int64(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("stream", pa.string(), nullable=False),
        pa.field("source_key", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("is_own", pa.bool_(), nullable=False),
        pa.field("trust", pa.int32(), nullable=False),  # of the source; more is better
        pa.field("attributes", pa.string(), nullable=False),  # as in schema.RECORD
        pa.field("source_updated_at", pa.timestamp("us", tz="UTC")),
    ]
)
"""One standard record of a client; all records of each client that is to be published, in any order."""

GOLDEN: Final = pa.schema(
    [
        pa.field("client_id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("role", pa.string(), nullable=False),
        pa.field("display_name", pa.string(), nullable=False),
        # JSON object: attribute -> value, or list of values where every one is kept
        pa.field("attributes", pa.string(), nullable=False),
        # JSON object: attribute -> {"record_id", "rule", "group"?, "invalid"?, "derived"?, "values"?,
        # "losers"?}
        pa.field("lineage", pa.string(), nullable=False),
        pa.field("record_count", pa.int32(), nullable=False),
        pa.field(
            "golden_hash", pa.string(), nullable=False
        ),  # UUID text of a digest over all of the above but client_id
    ]
)
ROLE_ORDER: Final = ("client", "prospect", "supplier", "authority", "staff")
"""A client of several roles has the first of them."""
BATCH_RECORDS: Final = 400_000
"""Records per batch, cut between clients; keeps string columns below Arrow's 2 GiB."""
_NAME_OF_LAST_RESORT: Final = (
    "full_name",
    "legal_name",
    "family_name",
    "given_name",
    "email",
    "phone",
    "domain",
    "website",
)

__all__ = ["CONTRIBUTION", "GOLDEN", "PIN", "golden"]


def golden(
    contributions: pa.Table, rules: SurvivorshipRules, pins: pa.Table | None = None, *, told: bool = True
) -> pa.Table:
    """The golden record of each client (`CONTRIBUTION` -> `GOLDEN`), ordered by client_id.

    Where the lineage is not `told`, for who asks for the values alone, it may be empty, and the hash is another one:
    half the work.
    `pins` (`PIN`) are the steward's decisions in force, each held by one record. The order of the inputs is
    no matter:
    ties go to the smaller natural key (source, stream, source_key; bytewise).
    """
    if contributions.num_rows == 0:
        return GOLDEN.empty_table()
    keys = [(name, "ascending") for name in ("client_id", "source", "stream", "source_key")]
    table = contributions.combine_chunks()
    if not _is_sorted(table, [name for name, _ in keys]):
        table = table.take(pc.sort_indices(table, sort_keys=keys)).combine_chunks()
    ids = table["client_id"].combine_chunks()
    starts = np.ones(len(ids), dtype=bool)
    starts[1:] = pc.not_equal(ids.slice(1), ids.slice(0, len(ids) - 1)).to_numpy(zero_copy_only=False)
    first = np.flatnonzero(starts)
    parts = []
    begin = 0
    while begin < len(ids):
        cut = np.searchsorted(first, begin + BATCH_RECORDS)
        end = int(first[cut]) if cut < len(first) else len(ids)
        parts.append(_golden_batch(table.slice(begin, end - begin), starts[begin:end], rules, pins, told))
        begin = end
    return pa.concat_tables(parts)


def _is_sorted(table: pa.Table, names: list[str]) -> bool:
    """Whether each row stands behind the one before it by these columns (texts, bytewise)."""
    size = max(table.num_rows - 1, 0)
    undecided = pa.array(np.ones(size, dtype=bool))
    for name in names:
        column = table[name].combine_chunks()
        before, after = column.slice(0, size), column.slice(1)
        if pc.any(pc.and_(undecided, pc.greater(before, after))).as_py():
            return False
        undecided = pc.and_(undecided, pc.equal(before, after))
    return True


def _records(table: pa.Table, starts: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Records:
    updated = pc.fill_null(table["source_updated_at"].combine_chunks().cast(pa.int64()), np.iinfo(np.int64).min + 1)
    return Records(
        np.cumsum(starts, dtype=np.int64) - 1,
        table["record_id"].combine_chunks(),
        table["source"].combine_chunks(),
        table["stream"].combine_chunks(),
        table["trust"].combine_chunks().to_numpy(zero_copy_only=False).astype(np.int64),
        updated.to_numpy(zero_copy_only=False),
    )


def _golden_batch(
    table: pa.Table,
    starts: np.ndarray[tuple[int], np.dtype[np.bool_]],
    rules: SurvivorshipRules,
    pins: pa.Table | None,
    told: bool,
) -> pa.Table:
    told = told or (pins is not None and pins.num_rows > 0)  # what a pin replaces is found in the lineage
    records = _records(table, starts)
    first = np.flatnonzero(starts)
    size = len(first)
    candidates = read_attributes(table["attributes"].combine_chunks())
    chosen = _choose(records, candidates, rules, told)
    if pins is not None and pins.num_rows:
        apply_pins(records, chosen, pins, rules)
    names = sorted(chosen)
    attributes = _documents([(name, chosen[name].client, chosen[name].value_json) for name in names], size)
    told_of = names if told else ()
    lineage = _documents([(name, chosen[name].client, chosen[name].lineage_json) for name in told_of], size)
    index = pa.array(first)
    kind, source_key = (
        table["kind"].combine_chunks().take(index),
        table["source_key"].combine_chunks().take(index),
    )
    rank_of_role = pc.index_in(table["role"].combine_chunks(), pa.array(ROLE_ORDER)).fill_null(len(ROLE_ORDER) - 1)
    best_role = np.minimum.reduceat(rank_of_role.to_numpy(zero_copy_only=False), first)
    role = pa.array(ROLE_ORDER).take(pa.array(best_role))
    fallback = pc.binary_join_element_wise(records.source.take(index), source_key, ":")
    display = _display_name(chosen, size, kind, fallback)
    count = pa.array(np.diff(np.append(first, len(starts))).astype(np.int32))
    hashed = pc.binary_join_element_wise(kind, role, display, attributes, lineage, count.cast(pa.string()), "\x1f")
    hashes = digest_uuids(hashed)
    client_id = table["client_id"].combine_chunks().take(index)
    columns = [client_id, kind, role, display, attributes, lineage, count, hashes]
    return pa.Table.from_arrays(columns, schema=GOLDEN)


def _choose(
    records: Records, candidates: dict[str, Candidates], rules: SurvivorshipRules, told: bool
) -> dict[str, Chosen]:
    group_of = rules.group_of(candidates)
    chosen: dict[str, Chosen] = {}
    groups: dict[str, dict[str, Candidates]] = {}
    for name, found in candidates.items():
        if name in group_of:
            groups.setdefault(group_of[name], {})[name] = found
        elif rules.keeps_all(name):
            chosen[name] = choose_all(records, name, found, rules, told=told)
        else:
            chosen[name] = choose_one(records, name, found, rules, told=told)
    for group, members in groups.items():
        chosen.update(choose_group(records, group, members, rules, told=told))
    return chosen


def _documents(entries: list[tuple[str, Ints, pa.Array]], size: int) -> pa.Array:
    """One JSON object per client from (attribute, clients, JSON) in order of attribute."""
    if not any(len(clients) for _, clients, _ in entries):
        return pa.array(["{}"] * size, pa.string())
    client = np.concatenate([clients for _, clients, _ in entries])
    rank = np.concatenate([np.full(len(c), i, dtype=np.int64) for i, (_, c, _) in enumerate(entries)])
    order = np.argsort(client * len(entries) + rank, kind="stable")
    client, rank = client[order], rank[order]
    texts = pa.concat_arrays([texts for _, _, texts in entries]).take(pa.array(order))
    names = encode_json_strings(pa.array([name for name, _, _ in entries], pa.string()))
    pieces = pc.binary_join_element_wise(names.take(pa.array(rank)), texts, ":")
    offsets = np.zeros(size + 1, dtype=np.int32)
    np.cumsum(np.bincount(client, minlength=size), out=offsets[1:])
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), pieces), ",")
    return pc.binary_join_element_wise("{", joined, "}", "")


def _display_name(chosen: dict[str, Chosen], size: int, kind: pa.Array, fallback: pa.Array) -> pa.Array:
    """A client's name for people: its golden name, else what else tells it apart, else `source:key`."""

    def of(name: str) -> pa.Array:
        if name not in chosen:
            return pa.nulls(size, pa.string())
        index = np.full(size, -1, dtype=np.int64)
        index[chosen[name].client] = np.arange(len(chosen[name].client))
        return chosen[name].first_value.take(pa.array(index, mask=index < 0))

    legal_first = pc.if_else(pc.equal(kind, "organisation"), of("legal_name"), pa.scalar(None, pa.string()))
    both = pc.binary_join_element_wise(of("given_name"), of("family_name"), " ")
    return pc.coalesce(legal_first, of("full_name"), both, *(of(name) for name in _NAME_OF_LAST_RESORT[1:]), fallback)
