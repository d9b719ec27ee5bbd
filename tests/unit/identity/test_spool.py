"""Rows that are dealt out to parts on disk come back part by part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from identity.staged import spool as module
from identity.staged.spool import Spool


@pytest.mark.parametrize("held", [0, 1 << 20])
def test_each_part_has_its_rows_in_the_order_in_which_they_came(
    tmp_path: Path, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_HELD", held)
    draw = np.random.default_rng(1)
    part, number = draw.integers(0, 5, 200) * 3, np.arange(200)
    with Spool(tmp_path / "rows") as spool:
        for at in range(0, 200, 50):
            text = pa.array([f"row {n}" for n in number[at : at + 50]])
            spool.add(part[at : at + 50], pa.table({"n": number[at : at + 50], "text": text}))
        found = dict(spool.each())
        assert spool.parts() == [0, 3, 6, 9, 12] == list(found)
        assert spool.read(1) is None
    for one, rows in found.items():
        assert rows["n"].to_pylist() == number[part == one].tolist()
        assert rows["text"].to_pylist() == [f"row {n}" for n in number[part == one]]


def test_nothing_is_left_on_disk_and_no_rows_have_no_parts(tmp_path: Path) -> None:
    with Spool(tmp_path / "rows") as spool:
        spool.add(np.zeros(0, dtype=np.int32), pa.table({"n": pa.array([], pa.int64())}))
        assert spool.parts() == []
        spool.add(np.zeros(3, dtype=np.int32), pa.table({"n": [1, 2, 3]}))
        assert spool.parts() == [0]
        assert list(tmp_path.iterdir()) == []
