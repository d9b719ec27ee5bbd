"""Giant blocks in a whole hub, and long stories of changes: minutes, so they have a tier of their own."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest

from onefold.steps.resolve import resolve
from tests.support.hub import Hub

pytestmark = [pytest.mark.scale, pytest.mark.timeout(3600)]
MOST_MIB = 4_000


def test_a_phone_of_fifty_thousand_and_a_name_of_a_hundred_thousand_cost_little_and_merge_little(hub: Hub) -> None:
    path = hub.folder / "data" / "crm_contacts.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for n in range(50_000):
            card = {"id": f"p{n}", "first": f"Имя{n % 977}", "last": f"Фамилия{n}", "phone": "+7 495 555-00-00"}
            file.write(json.dumps(card, ensure_ascii=False) + "\n")
        for n in range(100_000):
            file.write(json.dumps({"id": f"t{n}", "first": "Test", "last": "Test"}) + "\n")
    report = hub.run()
    assert report.resolve.clients == 150_000
    named = {block["rule"]: block["size"] for block in report.resolve.refused_blocks}
    assert max(named.values()) == 100_000
    ((kind, value, names),) = hub.query("SELECT type, value, names FROM identity.generic_value")
    assert (kind, value) == ("phone", "+74955550000")
    assert names > 10_000
    hub.write("crm_deals", [])
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"id": "new", "first": "Test", "last": "Test", "phone": "+7 495 555-00-00"}) + "\n")
    changed = hub.run()
    assert changed.resolve.clients == 150_001
    assert changed.resolve.compared < 10
    with hub.context() as context:
        assert resolve(context, everything=True).moved == 0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 < MOST_MIB


def test_a_thousand_changes_leave_nothing_for_resolving_everything_to_write(hub: Hub, tmp_path: Path) -> None:
    from tests.acceptance.test_incremental import versions

    def card(n: int, version: int) -> dict[str, str | None]:
        return {
            "id": str(n),
            "first": ("Иван", "Anna", "Olga", "Пётр")[(n * 7 + version) % 4],
            "last": f"Фамилия{(n // 3 + version) % 400}",
            "born": f"19{60 + n % 30}-0{1 + n % 9}-1{(n + version) % 10}",
            "emails": f"{n // 2}@mail.example.ru" if n % 3 else None,
            "phone": f"+7 916 555-{n // 40:02d}-00" if n % 2 else None,
        }

    people = {n: card(n, 0) for n in range(3_000)}
    for step in range(1, 6):
        hub.write("crm_contacts", list(people.values()))
        hub.run()
        before = versions(hub)
        with hub.context() as context:
            resolve(context, everything=True)
        assert versions(hub) == before
        people |= {n: card(n, step) for n in range(step, 3_000, 5)}
