"""Blocking: which records are worth comparing. Keys by rule, and the pairs of records that share one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from identity import parts
from identity.blocking.pairing import Pairing, in_key_order
from identity.encoded import MISSING, Codes, Flags, Ints, Values
from identity.features import Features
from identity.generic import generic_values
from identity.hashing import Hashes, combine, hash_text, signed
from identity.parallel import in_parallel, threads
from identity.schema import BLOCKING_KEY, KINDS
from identity.settings import KindSettings, MatchingSettings, rule_name

BLOCK_LIMIT: Final = pa.schema(
    [pa.field("rule", pa.int64(), nullable=False), pa.field("cap", pa.int64(), nullable=False)]
)
"""Of each rule (`rule_number`) the most records that an active block holds; below 2 the rule is off."""


RULES_PER_KIND: Final = 128
"""Rules that one kind may have: the low eight bits of a key say which rule of which kind made it."""
RULE_BITS: Final = 0xFF
_SPAN: Final = 65_536  # records at once: their keys stay in the processor's cache


def rule_number(kind: str, index: int) -> int:
    """What the low eight bits of a rule's keys are."""
    return KINDS.index(kind) * RULES_PER_KIND + index


def rule_index(key: int) -> int:
    """The index of the rule that made a key, among those of its kind."""
    return key % RULES_PER_KIND


def block_limits(kind: str, settings: KindSettings, cap: int, caps: Mapping[str, int]) -> pa.Table:
    """BLOCK_LIMIT rows of a kind: to how many records a block of each rule is active. `caps`, by the rule's name, were
    learnt from the data; `cap` bounds them and holds for the other rules."""
    numbers = [rule_number(kind, index) for index in range(len(settings.blocking))]
    limits = [min(cap, caps.get(rule_name(rule), cap)) for rule in settings.blocking]
    return pa.table({"rule": numbers, "cap": limits}, schema=BLOCK_LIMIT)


@dataclass(frozen=True)
class RuleKeys:
    """The keys of one kind of record, by rule, then by key and then by record."""

    by_rule: list[tuple[Ints, Codes]]  # keys, and of each the position of its record

    @property
    def key(self) -> Ints:
        """All keys."""
        return np.concatenate([np.zeros(0, dtype=np.int64), *(key for key, _ in self.by_rule)])

    @property
    def row(self) -> Codes:
        """Of each key the position of its record."""
        return np.concatenate([np.zeros(0, dtype=np.int32), *(row for _, row in self.by_rule)])

    @property
    def rule(self) -> npt.NDArray[np.int16]:
        """Of each key the index of the rule that made it."""
        return np.repeat(np.arange(len(self.by_rule), dtype=np.int16), [len(key) for key, _ in self.by_rule])

    def given_up(self) -> Iterator[tuple[Ints, Codes]]:
        """The keys of one rule after the other, which are then no longer held here."""
        self.by_rule.reverse()
        while self.by_rule:
            yield self.by_rule.pop()


def keys_by_rule(features: Features, kind: str, settings: KindSettings, eligible: Flags) -> RuleKeys:
    """Every key of the eligible records of one kind; a record and key appear once."""
    used = list(dict.fromkeys(value for rule in settings.blocking for value in rule))
    features.prepare(value.field for value in used)
    known = [value for value in used if not features.values(value.field).is_empty]
    derived = in_parallel(
        lambda value: _hashed(parts.derive(features.values(value.field), value)), known, len(features)
    )
    columns = dict(zip(known, derived, strict=True))
    rows = np.flatnonzero(eligible)
    spans = [rows[at : at + _SPAN] for at in range(0, len(rows), _SPAN)]

    def keys_of(index: int) -> tuple[Ints, Codes]:
        rule = settings.blocking[index]
        if not spans or any(value not in columns for value in rule):
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
        start = hash_text(f"{kind}:{rule_name(rule)}")
        found = [_rule_keys([columns[value] for value in rule], start, span) for span in spans]
        key = np.concatenate([key for key, _ in found])
        key = key & ~np.uint64(RULE_BITS) | np.uint64(rule_number(kind, index))
        return in_key_order(signed(key), np.concatenate([row for _, row in found]))

    return RuleKeys(in_parallel(keys_of, range(len(settings.blocking)), len(rows)))


@dataclass(frozen=True)
class _Hashed:
    """The hashes of one blocking value: of record i those at `codes[offsets[i]:offsets[i + 1]]`, each once and in an
    order that depends on the values alone."""

    hashes: Hashes  # per distinct value
    offsets: npt.NDArray[np.integer]  # none for `single`
    codes: Codes
    single: Codes | None  # of each record its code, MISSING without one; None: some have several


def _hashed(values: Values) -> _Hashed:
    hashes = values.hashes
    if values.is_single:
        return _Hashed(hashes, np.zeros(0, dtype=np.int32), values.single(), values.single())
    order = np.argsort(hashes)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    both = np.sort(values.rows * len(order) + rank[values.codes])
    both = both[np.diff(both, prepend=-1) != 0]
    rows, codes = np.divmod(both, len(order))
    offsets = np.searchsorted(rows, np.arange(values.records + 1)).astype(np.int32)
    return _Hashed(hashes[order], offsets, codes.astype(np.int32), None)


def _rule_keys(columns: Sequence[_Hashed], start: np.uint64, rows: Ints) -> tuple[Hashes, Codes]:
    """The keys of one rule and the records (of `rows`) that have them: one for each choice of a value a column."""
    key: Hashes = np.full(len(rows), start, dtype=np.uint64)
    for column in columns:
        if column.single is not None:
            codes = column.single[rows]
            has = codes != MISSING
            rows, key, codes = rows[has], key[has], codes[has]
        else:
            begins = column.offsets[rows]
            count = column.offsets[rows + 1] - begins
            at = np.repeat(begins - (np.cumsum(count) - count), count) + np.arange(int(count.sum()))
            rows, key, codes = np.repeat(rows, count), np.repeat(key, count), column.codes[at]
        key = combine(key, column.hashes[codes])
    return key, rows.astype(np.int32)


def blocking_keys(
    records: pa.Table, identifiers: pa.Table, settings: MatchingSettings, generic: pa.Table | None = None
) -> pa.Table:
    """BLOCKING_KEY rows of all `records`: a 64-bit hash of (kind, rule, standard values), several per record.

    Own organisations and their staff, invalid identifiers and generic values (GENERIC; found among these
    records when not given) make no keys. In natural order of the records, then by rule.
    """
    if generic is None:
        generic = generic_values(records, identifiers, settings.generic_names)
    tables = []
    for kind in KINDS:
        mine = records.filter(pa.compute.equal(records["kind"], kind))
        features = Features.of(mine, identifiers, generic.filter(pa.compute.equal(generic["kind"], kind)))
        eligible = ~mine["is_own"].to_numpy()
        keys = keys_by_rule(features, kind, settings.kind(kind), eligible)
        key, row = keys.key, keys.row
        order = np.argsort(row, kind="stable")
        ids = mine["record_id"].to_numpy()[row[order]]
        tables.append(pa.table({"key": key[order], "record_id": ids}, schema=BLOCKING_KEY))
    return pa.concat_tables(tables)


@cache
def sql(name: str) -> str:
    """The text of one statement of `identity/sql`, for DuckDB; what lies at its top for PostgreSQL 15+ too."""
    return files("identity").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class CandidatePairs:
    """Distinct pairs (left_id < right_id as integers) and the blocks that were refused for their size."""

    pairs: pa.Table  # left_id, right_id: int64; in order where every record was paired
    refused: pa.Table  # key, size: int64; largest first


def candidate_pairs(keys: pa.Table, limits: pa.Table, dirty: pa.Table | None = None) -> CandidatePairs:
    """The pairs of records that share a key of BLOCKING_KEY which is active under `limits` (BLOCK_LIMIT); with `dirty`
    (record_id) only those it touches."""
    if dirty is None:
        return _all_pairs(keys, limits)
    import duckdb  # a tenth of what loading all of this takes, and runs need it nowhere else

    with duckdb.connect(config={"threads": threads()}) as engine:
        return _run(engine, keys, limits, dirty)


def _all_pairs(keys: pa.Table, limits: pa.Table) -> CandidatePairs:
    """What the SQL finds with every record dirty, by sorting: many times faster and in less memory."""
    ids = keys["record_id"].to_numpy()
    known = np.sort(pd.unique(ids))
    pairing = Pairing.of_keys(keys["key"].to_numpy(), np.searchsorted(known, ids), limits, len(known))
    _, left, right = pairing.chosen()
    refused = pairing.refused.select(["key", "size"])
    return CandidatePairs(pa.table({"left_id": known[left], "right_id": known[right]}), refused)


def _run(engine: Any, keys: pa.Table, limits: pa.Table, dirty: pa.Table) -> CandidatePairs:
    engine.register("blocking_key", keys)
    engine.register("block_limit", limits)
    engine.register("dirty", dirty)
    pairs = engine.sql(sql("candidate_pairs")).to_arrow_table()
    refused = engine.sql(sql("refused_blocks")).to_arrow_table()
    integers = pa.schema([("left_id", pa.int64()), ("right_id", pa.int64())])
    sizes = pa.schema([("key", pa.int64()), ("size", pa.int64())])
    return CandidatePairs(pairs.cast(integers), refused.cast(sizes))
