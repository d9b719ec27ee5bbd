"""What large work leaves behind goes back to the system."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from identity.memory import give_back, held_little

STATUS = Path("/proc/self/status")


def held_mib() -> int:
    [line] = [line for line in STATUS.read_text(encoding="ascii").splitlines() if line.startswith("RssAnon")]
    return int(line.split()[1]) // 1024


@pytest.mark.skipif(not STATUS.exists(), reason="the memory of a process is read from Linux")
def test_freed_memory_between_what_is_held_goes_back() -> None:
    parts = [np.ones(8_000) for _ in range(4_000)]  # 244 MiB in pieces that the allocator keeps
    kept = parts[::100]
    before = held_mib()
    del parts
    give_back(1_000_000)
    assert held_mib() < before - 150
    assert len(kept) == 40


def test_few_records_are_not_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("identity.memory._of_system", lambda _: pytest.fail("looked"))
    give_back(10)


@pytest.mark.skipif(not STATUS.exists(), reason="the memory of a process is read from Linux")
def test_columns_freed_in_a_run_that_holds_little_go_back_at_once() -> None:
    before = pa.default_memory_pool().backend_name
    with held_little():
        assert pa.default_memory_pool().backend_name == "system"
        at_first = held_mib()
        columns = [pa.array(np.ones(1_000_000)).take(pa.array(np.arange(1_000_000))) for _ in range(20)]
        assert held_mib() > at_first + 120
        del columns[1:]
        assert held_mib() < at_first + 30
        assert len(columns) == 1
    assert pa.default_memory_pool().backend_name == before
