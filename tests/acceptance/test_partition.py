"""Invariant 1: the partition is a function of the current records alone, whatever the order, batching and history."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.acceptance.conftest import FreshDatabases
from tests.support.drills import examples
from tests.support.hub import Hub

NAMES = [
    ("Иван", "Петров"),
    ("Пётр", "Иванов"),
    ("Anna", "Schmidt"),
    ("Мария", "Сидорова"),
    ("Olga", "Smirnova"),
]
BIRTHS = ["1980-01-02", "1985-07-30", "1990-12-12"]


@st.composite
def contact(draw: st.DrawFn, key: int) -> dict[str, Any]:
    first, last = draw(st.sampled_from(NAMES))
    return {
        "id": str(key),
        "first": first,
        "last": last,
        "born": draw(st.sampled_from([*BIRTHS, None])),
        "emails": draw(st.sampled_from([None, f"{key % 4}@mail.example.ru", "info@firm.example.ru"])),
        "phone": draw(st.sampled_from([None, f"+7 916 555-00-{key % 5:02d}"])),
    }


@st.composite
def history(draw: st.DrawFn) -> tuple[list[list[dict[str, Any]]], list[dict[str, Any]]]:
    """Batches of full registers (inserts, updates, deletes between them), ending in the final records."""
    final = [draw(contact(key)) for key in range(draw(st.integers(2, 9)))]
    batches = []
    for _ in range(draw(st.integers(0, 3))):
        keep = [record for record in final if draw(st.booleans())]
        changed = [draw(contact(int(r["id"]))) if draw(st.integers(0, 3)) == 0 else r for r in keep]
        extra = [draw(contact(key)) for key in range(20, 20 + draw(st.integers(0, 3)))]
        batches.append(draw(st.permutations([*changed, *extra])))
    batches.append(draw(st.permutations(final)))
    return batches, final


@pytest.mark.timeout(900)
@pytest.mark.searches
@settings(max_examples=examples(4, 36), deadline=None, suppress_health_check=list(HealthCheck))
@given(history())
def test_any_history_that_ends_in_the_same_records_gives_the_partition_of_one_batch_run(
    tmp_path_factory: pytest.TempPathFactory,
    fresh_databases: FreshDatabases,
    story: tuple[list[list[dict[str, Any]]], list[dict[str, Any]]],
) -> None:
    batches, final = story
    partitions = []
    for registers in (batches, [final]):
        with fresh_databases() as url:
            hub = Hub(Path(tmp_path_factory.mktemp("hub")), url)
            for register in registers:
                hub.write("crm_contacts", register)
                hub.run()
            partitions.append(hub.partition())
    assert partitions[0] == partitions[1]
