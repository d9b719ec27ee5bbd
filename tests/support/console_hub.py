"""A served hub for who looks at its console: doubtful twins, a client of fifty records, long names, and a register in
which every field holds what must never be run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from onefold.context import open_context
from onefold.steps.accounts import add_user
from tests.acceptance.conftest import fill
from tests.support.hub import Hub
from tests.support.served import served, session_of

MARKUP = "<script>alert(1)</script>"
ATTRIBUTE = '" onmouseover="alert(2)" x=\''
TEMPLATE = "{{7*7}}${7*7}#{7*7}"
FORMULA = "=1+2+cmd|' /C calc'!A1"
HOSTILE = f"{MARKUP}{ATTRIBUTE}{TEMPLATE}"
LONG = "Константинопольский-Преображенский-Воздвиженский"
LONG_FIRM = f"Государственное бюджетное общеобразовательное учреждение «{LONG}{LONG} имени {LONG}»"
MANY = "many.records@example.ru"
PEOPLE = (("ada", "steward", True), ("eve", "steward", False), ("max", "reader", True), ("ron", "reader", False),
          ("adm", "admin", True), ("amy", "admin", False))  # fmt: skip
"""login, role, whether they see values."""


@dataclass(frozen=True)
class Place:
    """A hub, and where it is served."""

    hub: Hub
    address: str

    def cookie(self, login: str) -> str:
        """A session of this person."""
        return session_of(self.hub.database_url, login, "console")

    @contextmanager
    def visitor(self, login: str | None, **settings: object) -> Iterator[httpx.Client]:
        """A browser without scripts; follows where it is led."""
        cookies = {} if login is None else {"onefold_session": self.cookie(login)}
        with httpx.Client(
            base_url=self.address,
            timeout=60,
            cookies=cookies,
            follow_redirects=True,
            **settings,  # type: ignore[arg-type]
        ) as browser:
            yield browser


def people(hub: Hub, password: str | None = None) -> None:
    """Everybody of `PEOPLE` may sign in."""
    with open_context(hub.settings) as context:
        for login, role, sees in PEOPLE:
            add_user(context, login, role, sees_values=sees, password=password, by="test")


def fill_console(hub: Hub) -> None:
    """The registers."""
    fill(hub)
    contacts = hub.registers["crm_contacts"]
    contacts.append({"id": "4", "first": "Анна", "last": "Керн"})
    for number, name in enumerate(("Одинцова", "Двойнова", "Тройкина", "Четвергова")):
        contacts += [{"id": f"t{number}{side}", "first": "Вера", "last": name} for side in "ab"]
    contacts += [
        {"id": f"m{number}", "first": "Мария", "last": "Многозаписева", "born": "1981-03-04", "emails": MANY,
         "phone": "+7 903 555-04-04"} for number in range(50)
    ]  # fmt: skip
    contacts.append(
        {"id": "l1", "first": LONG, "last": LONG, "middle": LONG, "emails": "long.name@example.ru", "city": LONG,
         "company": "l2", "title": LONG}
    )  # fmt: skip
    contacts.append({"id": "l3", "first": LONG, "last": LONG})
    contacts += [{"id": f"f{side}", "first": FORMULA, "last": FORMULA} for side in "ab"]
    hub.registers["crm_companies"].append({"id": "l2", "name": LONG_FIRM, "inn": "7728168971", "site": "l.example.ru"})
    for name, fields in HOSTILE_ROWS.items():
        hub.registers[name].append(
            {key: value if key in _PLAIN else f"{value}{HOSTILE}" for key, value in fields.items()}
        )
    hub.registers["crm_deals"].append(
        {"id": "bad", "company": "10", "closed": HOSTILE, "sum": HOSTILE, "stage": HOSTILE}
    )
    for name in hub.registers:
        hub.write(name)


_PLAIN = frozenset({"kind", "company", "customer", "closed", "date", "sum", "total", "inn"})
"""Fields that a row is refused without, or that lead to another."""
HOSTILE_ROWS: dict[str, dict[str, str]] = {
    "crm_contacts": {"id": "h1", "first": "Зло", "last": "Злой", "middle": "З", "born": "1970-01-01", "phone": "+7 903 555-66-66",
                     "emails": "evil@example.org", "city": "Г", "title": "Д", "company": f"h2{HOSTILE}"},
    "crm_companies": {"id": "h2", "name": "Злая фирма", "inn": "7736050003", "kpp": "7", "phone": "+7 495 555-66-66", "site": "evil.example.org"},
    "crm_deals": {"id": "h3", "company": f"h2{HOSTILE}", "closed": "2026-02-01", "sum": "3.00", "stage": "won"},
    "erp_customers": {"code": "h4", "kind": "company", "name": "Злая фирма", "inn": "7736050003", "mail": "evil@example.org", "tel": "+7 495 555-66-66"},
    "erp_orders": {"no": "h5", "customer": f"h4{HOSTILE}", "date": "2026-02-02", "total": "3.00"},
}  # fmt: skip


@contextmanager
def console_hub(folder: Path, database_url: str, password: str | None = None) -> Iterator[Place]:
    """The hub, run and served."""
    hub = Hub(folder, database_url)
    fill_console(hub)
    hub.run()
    people(hub, password)
    with served(hub.settings) as address:
        yield Place(hub, address)
