"""One text of candidate-pair SQL: PostgreSQL finds what DuckDB finds."""

from __future__ import annotations

import random

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from identity.blocking.keys import BLOCK_LIMIT, candidate_pairs, sql
from identity.incremental import touched_pairs
from identity.schema import BLOCKING_KEY


@pytest.mark.parametrize("share", [1.0, 0.1])
def test_postgresql_and_duckdb_propose_the_same_pairs(empty_database_url: str, share: float) -> None:
    draw = random.Random(5)
    keys = sorted(
        {(draw.randrange(-60, 60) * 2**50 + draw.randrange(2), draw.randrange(400) * 2**45) for _ in range(900)}
    )
    dirty = sorted({record for _, record in keys if draw.random() < share})
    table = pa.table({"key": [k for k, _ in keys], "record_id": [r for _, r in keys]}, schema=BLOCKING_KEY)
    limits = pa.table({"rule": [0, 1], "cap": [8, 3]}, schema=BLOCK_LIMIT)
    here = candidate_pairs(table, limits, pa.table({"record_id": pa.array(dirty, pa.int64())}))
    with psycopg.connect(empty_database_url) as conn, conn.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE blocking_key (key bigint, record_id bigint)")
        cursor.execute("CREATE TEMP TABLE dirty (record_id bigint)")
        cursor.execute("CREATE TEMP TABLE block_limit (rule bigint, cap bigint)")
        cursor.execute("INSERT INTO block_limit VALUES (0, 8), (1, 3)")
        cursor.executemany("INSERT INTO blocking_key VALUES (%s, %s)", keys)
        cursor.executemany("INSERT INTO dirty VALUES (%s)", [(record,) for record in dirty])
        there = cursor.execute(sql("candidate_pairs")).fetchall()
        refused = cursor.execute(sql("refused_blocks")).fetchall()
    assert sorted(there) == sorted(
        zip(*(here.pairs[name].to_pylist() for name in ("left_id", "right_id")), strict=True)
    )
    assert refused == list(zip(*(here.refused[name].to_pylist() for name in ("key", "size")), strict=True))
    if share == 1.0:
        assert candidate_pairs(table, limits).pairs.equals(
            here.pairs.sort_by([("left_id", "ascending"), ("right_id", "ascending")])
        )
        assert candidate_pairs(table, limits).refused.equals(here.refused)
    active = table.filter(pc.invert(pc.is_in(table["key"], value_set=here.refused["key"].combine_chunks())))
    few = touched_pairs(active, np.array(dirty, dtype=np.int64))
    assert sorted(there) == sorted(zip(few["left_id"].to_pylist(), few["right_id"].to_pylist(), strict=True))
    assert here.pairs.num_rows > 0
    assert here.refused.num_rows > 0
