"""Keys by record hold exactly the keys by key."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from identity.blocking.lists import KEY_LIST, key_lists
from identity.schema import BLOCKING_KEY


@given(rules=st.lists(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 6)), max_size=12), max_size=4))
def test_the_keys_of_each_record_stand_in_one_list_in_their_order(rules: list[list[tuple[int, int]]]) -> None:
    """However the records are numbered, and wherever the parts of the table end."""
    parts = [
        pa.table({"key": [key for key, _ in rule], "record_id": [-7 * row for _, row in rule]}, BLOCKING_KEY)
        for rule in rules
    ]
    keys = pa.concat_tables([BLOCKING_KEY.empty_table(), *parts])
    wanted: dict[int, list[int]] = {}
    for rule in rules:
        for key, row in rule:
            wanted.setdefault(-7 * row, []).append(key)
    row = np.array([row for rule in rules for _, row in rule], dtype=np.int32)
    for found in (key_lists(keys, row), key_lists(keys)):
        assert found.schema == KEY_LIST
        assert dict(zip(found["record_id"].to_pylist(), found["keys"].to_pylist(), strict=True)) == wanted
    assert key_lists(keys)["record_id"].to_pylist() == sorted(wanted)
