"""Hubs for acceptance tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support import database as databases
from tests.support.hub import Hub

FreshDatabases = Callable[[], AbstractContextManager[str]]
"""Makes migrated, empty databases that are dropped at the end of their `with` block."""


@pytest.fixture
def fresh_databases(server_url: str, template: str) -> FreshDatabases:
    """For tests that need more than one database, or one per example."""
    return lambda: databases.database(server_url, template)


@pytest.fixture
def hub(tmp_path: Path, database_url: str) -> Hub:
    """An empty hub of two file sources on a database of its own."""
    return Hub(tmp_path, database_url)


@pytest.fixture(scope="session")
def filled(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """What every `ready_hub` is a copy of: nobody works on it."""
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path_factory.mktemp("filled"), url)
        fill(hub)
        hub.run()
        yield hub


@pytest.fixture
def database_url(server_url: str, template: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A hub of this test's own, empty but for `ready_hub`."""
    if "ready_hub" in request.fixturenames:
        template = urlsplit(request.getfixturevalue("filled").database_url).path.lstrip("/")
    with databases.database(server_url, template) as url:
        yield url


@pytest.fixture
def filled_hub(hub: Hub) -> Hub:
    """A hub that has run: two people and two firms that stand in both registers, deals and orders."""
    fill(hub)
    hub.run()
    return hub


@pytest.fixture
def ready_hub(hub: Hub, filled: Hub) -> Hub:
    """The same as a copy: for tests that do not look at the run itself."""
    return hub.like(filled)


def fill(hub: Hub) -> None:
    """Write the registers of `filled_hub`."""
    hub.registers["crm_contacts"] = [
        {"id": "1", "first": "Пётр", "last": "Чайковский", "born": "1980-05-07", "emails": "petr@example.ru",
         "phone": "8 (916) 555-01-01", "company": "10", "title": "директор", "city": "Клин"},
        {"id": "2", "first": "Анна", "last": "Керн", "born": "1990-02-11", "emails": "anna.kern@example.ru",
         "phone": "+7 903 555-02-02"},
        {"id": "3", "first": "Lev", "last": "Tolstoy", "born": "1975-09-09", "emails": "lev@example.org"},
    ]  # fmt: skip
    hub.registers["crm_companies"] = [
        {
            "id": "10",
            "name": "ООО «Ромашка»",
            "inn": "7707083893",
            "phone": "+7 495 555-10-10",
            "site": "romashka.example.ru",
        },
        {"id": "11", "name": "Василёк, ООО", "inn": "5003052454"},
    ]
    hub.registers["crm_deals"] = [
        {"id": "D1", "company": "10", "closed": "2026-02-01", "sum": "1500.50", "stage": "won"},
        {"id": "D2", "company": "11", "closed": "2026-02-03T10:00:00+03:00", "sum": "99.90", "stage": "lost"},
    ]
    hub.registers["erp_customers"] = [
        {"code": "C1", "kind": "company", "name": "Ромашка ООО", "inn": "7707083893"},
        {"code": "C2", "kind": "person", "person": "Чайковский Петр", "born": "1980-05-07", "mail": "petr@example.ru",
         "tel": "+79165550101"},
        {"code": "C3", "kind": "company", "name": "GmbH Müller & Söhne"},
    ]  # fmt: skip
    hub.registers["erp_orders"] = [
        {"no": "SO-1", "customer": "C1", "date": "2026-02-02", "total": "1500.50"},
        {"no": "SO-2", "customer": "C2", "date": "2026-02-05", "total": "20.00"},
        {"no": "SO-3", "customer": "C9", "date": "2026-02-06", "total": "7.00"},
    ]
    for name in hub.registers:
        hub.write(name)
