"""Blocking: which records are worth comparing. Keys by rule, and the pairs of records that share one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from identity import parts
from identity.features import Features, Flags, Ints, Values
from identity.generic import generic_values
from identity.hashing import Hashes, combine, hash_strings, hash_text, signed
from identity.schema import BLOCKING_KEY, KINDS
from identity.settings import BlockingRule, BlockingValue, KindSettings, MatchingSettings


def rule_name(rule: BlockingRule) -> str:
    """How reports and explanations call a rule: `family_name.sound + postcode`."""
    return " + ".join(str(value) for value in rule)


@dataclass(frozen=True)
class RuleKeys:
    """The keys of one kind of record, and the rule that made each."""

    key: Ints
    row: Ints  # position of the record
    rule: npt.NDArray[np.int16]  # index into the kind's rules


def keys_by_rule(features: Features, kind: str, settings: KindSettings, eligible: Flags) -> RuleKeys:
    """Every key of the eligible records of one kind; a record and key appear once."""
    hashed: dict[BlockingValue, tuple[Values, Hashes]] = {}
    keys, rows, rules = [], [], []
    for index, rule in enumerate(settings.blocking):
        row, key = _rule_keys(features, kind, rule, np.flatnonzero(eligible), hashed)
        keys.append(key)
        rows.append(row)
        rules.append(np.full(len(row), index, dtype=np.int16))
    return RuleKeys(signed(np.concatenate(keys)), np.concatenate(rows), np.concatenate(rules))


def _rule_keys(
    features: Features,
    kind: str,
    rule: BlockingRule,
    rows: Ints,
    hashed: dict[BlockingValue, tuple[Values, Hashes]],
) -> tuple[Ints, Hashes]:
    start = hash_text(f"{kind}:{rule_name(rule)}")
    key: Hashes = np.full(len(rows), start, dtype=np.uint64)
    several = False
    for value in rule:
        if value not in hashed:
            column = parts.derive(features.values(value.field), value)
            hashed[value] = (column, hash_strings(column.unique))
        column, hashes = hashed[value]
        several |= not column.is_single
        count = column.counts[rows]
        ends = np.cumsum(count)
        at = np.repeat(column.offsets[rows] - (ends - count), count) + np.arange(int(count.sum()))
        rows = np.repeat(rows, count)
        key = combine(np.repeat(key, count), hashes[column.codes[at]])
    if several and len(rows):
        order = np.lexsort((key, rows))
        rows, key = rows[order], key[order]
        fresh = np.ones(len(rows), dtype=np.bool_)
        fresh[1:] = (rows[1:] != rows[:-1]) | (key[1:] != key[:-1])
        rows, key = rows[fresh], key[fresh]
    return rows, key


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
        order = np.argsort(keys.row, kind="stable")
        ids = mine["record_id"].to_numpy()[keys.row[order]]
        tables.append(pa.table({"key": keys.key[order], "record_id": ids}, schema=BLOCKING_KEY))
    return pa.concat_tables(tables)


@cache
def sql(name: str) -> str:
    """The text of one statement of `identity/sql`, for DuckDB, PostgreSQL 15+ and Spark alike."""
    return files("identity").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class CandidatePairs:
    """Distinct pairs (left_id < right_id as integers) and the blocks that were refused for their size."""

    pairs: pa.Table  # left_id, right_id: int64
    refused: pa.Table  # key, size: int64; largest first


def candidate_pairs(keys: pa.Table, cap: int, dirty: pa.Table | None = None) -> CandidatePairs:
    """The pairs of records that share an active key of BLOCKING_KEY; with `dirty` (record_id) only those it
    touches."""
    if keys.num_rows == 0:
        nothing = pa.table({"left_id": pa.array([], pa.int64()), "right_id": pa.array([], pa.int64())})
        return CandidatePairs(nothing, nothing.rename_columns(["key", "size"]))
    with duckdb.connect(config={"threads": threads()}) as engine:
        return _run(engine, keys, cap, dirty)


def _run(engine: Any, keys: pa.Table, cap: int, dirty: pa.Table | None) -> CandidatePairs:
    engine.register("blocking_key", keys)
    engine.register("block_limit", pa.table({"cap": pa.array([cap], pa.int64())}))
    if dirty is None:
        dirty = pa.table({"record_id": pa.array(pd.unique(keys["record_id"].to_numpy()), pa.int64())})
    engine.register("dirty", dirty)
    pairs = engine.sql(sql("candidate_pairs")).to_arrow_table()
    refused = engine.sql(sql("refused_blocks")).to_arrow_table()
    integers = pa.schema([("left_id", pa.int64()), ("right_id", pa.int64())])
    sizes = pa.schema([("key", pa.int64()), ("size", pa.int64())])
    return CandidatePairs(pairs.cast(integers), refused.cast(sizes))


def threads() -> int:
    """How many threads DuckDB uses: all cores."""
    import os

    return os.cpu_count() or 1
