"""A hub whose queue holds cases that only a person can decide, and its console in this process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5

from onefold.context import open_context
from onefold.steps.accounts import add_user
from tests.acceptance.test_console import Console
from tests.support.hub import Hub
from tests.support.served import served

GIVEN = ("Анна", "Борис", "Вера", "Глеб", "Дарья", "Егор", "Жанна", "Захар", "Инна", "Кирилл", "Лидия", "Марк")
FAMILY = ("Керн", "Львов", "Мохов", "Носов", "Орлов", "Панов", "Рыков", "Седов", "Тихон", "Умнов", "Фомин", "Шилов")


def fill_queue(hub: Hub, cases: int, *, of_erp: int = 0) -> None:
    """So many pairs that are called alike and share nothing else; of the last ones one record is in the ERP."""
    names = [(GIVEN[n % 12], FAMILY[(n + n // 12) % 12] + ("" if n < 144 else GIVEN[n // 144])) for n in range(cases)]
    people = [
        {"id": f"{n}", "first": first, "last": last, "emails": f"{md5(last.encode()).hexdigest()[:9]}.{n * 37}@example.ru",
         "born": f"{1950 + n * 7 % 50}-{n * 5 % 12 + 1:02}-{n * 11 % 28 + 1:02}"}
        for n, (first, last) in enumerate(names)
    ]  # fmt: skip
    twins = [{"id": f"t{n}", "first": first, "last": last} for n, (first, last) in enumerate(names)]
    hub.registers["crm_contacts"] = people + twins[: cases - of_erp]
    hub.registers["erp_customers"] = [
        {"code": f"E{n}", "kind": "person", "person": f"{twin['first']} {twin['last']}"}
        for n, twin in enumerate(twins[cases - of_erp :])
    ]
    for name in hub.registers:
        hub.write(name)
    hub.run()


class Desk(Console):
    """The console of a hub, as browsers without scripts see it."""

    def open_cases(self) -> list[str]:
        """Fingerprints of what is open, in the order of the queue."""
        rows = self.hub.query(
            "SELECT fingerprint::text FROM identity.review_case WHERE status = 'open'"
            " ORDER BY impact DESC, weight DESC, fingerprint"
        )
        return [row[0] for row in rows]


@contextmanager
def desk_of(hub: Hub) -> Iterator[Desk]:
    """The console of a hub in this process, with two stewards who see values, one who does not, and a reader."""
    with open_context(hub.settings) as context:
        for login, role, sees in (
            ("ada", "steward", True), ("eve", "steward", True), ("ida", "steward", False), ("max", "reader", True),
        ):  # fmt: skip
            add_user(context, login, role, sees_values=sees, password=None, by="test")
    with served(hub.settings) as address:
        yield Desk(hub, address)


def shown_cases(text: str) -> list[str]:
    """The cases that a page lists, in order."""
    return re.findall(r'<li><a href="/cases/([0-9a-f-]{36})"', text)


def decision(page: str, verdict: str, reason: str = "") -> dict[str, object]:
    """What the form of a case's page sends."""
    seen = re.findall(r'name="seen" value="([^"]+)"', page)
    key = re.search(r'name="key" value="([0-9a-f]+)"', page)
    assert key is not None
    return {"key": key[1], "seen": seen, "verdict": verdict, "reason": reason}
