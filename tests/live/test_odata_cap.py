"""OData 4 and 2 as SAP CAP speaks them: relative next links, 1,000 a page, `/Date(ms)/`, keys of guid'...'."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from connectors.errors import CredentialsError
from connectors.page import Page, State, StreamRequest
from connectors.registry import connector_class
from connectors.testing_parts import Ledger, keys_of
from tests.support.cap_service import USER, CapService, cap_service

COUNT = 2300
BEFORE, LAST = "2026-01-02T03:04:05Z", "2026-01-09T03:04:05Z"
VERSIONS = [2, 4]


def key_of(number: int) -> str:
    """The key of a partner."""
    return str(UUID(int=number + 2**100))


@pytest.fixture(scope="module")
def cap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CapService]:
    """A service of 2,300 partners."""
    partners = [
        {
            "ID": key_of(n),
            "modifiedAt": BEFORE if n < COUNT - 1 else LAST,
            "kind": "2",
            "name": f"Müller {n} GmbH",
            "city": "Wien",
        }
        for n in range(COUNT)
    ]
    with cap_service(tmp_path_factory.mktemp("live"), {"sales-Partners": partners}) as service:
        yield service


def connect(cap: CapService, version: int, now: datetime, password: str = USER[1]) -> Any:
    """The generic connector of the dialect."""
    settings = {"url": cap.v2 if version == 2 else cap.v4, "username": USER[0], "password": password}
    made: Any = connector_class(f"odata_v{version}")
    return made("cap", settings, now=lambda: now)


def read(
    cap: CapService, version: int, state: State | None = None, *, ahead: timedelta = timedelta(), **options: Any
) -> Iterator[Page]:
    """Pages of the partners; `ahead`: so much later than now."""
    if version == 2:
        options = {"changes": {"format": "odata_offset"}, **options}
    stream = {
        "entity": "BusinessPartners", "key": "ID", "modified": "modifiedAt",
        "deletes": {"kind": "sweep", "every": "7d"}, **options,
    }  # fmt: skip
    with connect(cap, version, datetime.now(UTC) + ahead) as connector:
        saved = json.loads(json.dumps(state)) if state is not None else None
        yield from connector.read(StreamRequest("partners", options=stream), saved)


@pytest.mark.parametrize("version", VERSIONS)
def test_all_pages_come_by_the_services_links(cap: CapService, version: int) -> None:
    pages = list(read(cap, version))
    keys = keys_of(pages)
    assert [len(page.rows) for page in pages][:2] == [1000, 1000]
    assert len(keys) == len(set(keys)) and set(keys) >= {key_of(n) for n in range(10, COUNT)}
    row = next(row for page in pages for row in page.rows if row.key == key_of(10))
    assert row.updated_at == datetime.fromisoformat(BEFORE)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("way", ["next", "keyset"])
def test_a_kill_after_any_page_loses_nothing_and_reads_nothing_twice(cap: CapService, version: int, way: str) -> None:
    options = {"paging_by": way, "key_type": "guid"}
    whole = list(read(cap, version, **options))
    assert len(whole) >= 3
    for count in range(1, len(whole)):
        rest = list(read(cap, version, whole[count - 1].state, **options))
        assert keys_of(whole[:count]) + keys_of(rest) == keys_of(whole)


@pytest.mark.parametrize("version", VERSIONS)
def test_only_changes_come_and_a_sweep_shows_what_is_gone(cap: CapService, version: int) -> None:
    first = list(read(cap, version))
    ledger = Ledger().land(first)
    changed, gone = key_of(version), key_of(version + 5)
    cap.change("BusinessPartners", changed, {"city": f"Linz {version}"})
    added = cap.create("BusinessPartners", {"kind": "1", "firstName": "Ada", "lastName": "Winter"})["ID"]
    cap.delete("BusinessPartners", gone)
    second = list(read(cap, version, first[-1].state))
    assert {changed, added} <= set(keys_of(second)) and len(keys_of(second)) <= 8
    assert gone in ledger.land(second).alive
    third = list(read(cap, version, second[-1].state, ahead=timedelta(days=8)))
    ledger.land(third)
    assert gone not in ledger.alive and {changed, added} <= ledger.alive
    assert len(ledger.alive) == cap.client.get("BusinessPartners/$count").json()


def test_keyset_paging_misses_nothing_while_records_before_it_go(cap: CapService) -> None:
    alive = set(keys_of(list(read(cap, 4))))
    pages = read(cap, 4, paging_by="keyset", key_type="guid")
    seen = keys_of([next(pages)])
    for key in seen[20:40]:
        cap.delete("BusinessPartners", key)
    seen += keys_of(list(pages))
    assert set(seen) == alive and len(seen) == len(alive)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_service_is_discovered_and_a_wrong_password_told(cap: CapService, version: int) -> None:
    now = datetime.now(UTC)
    with connect(cap, version, now) as connector:
        connector.check()
        streams = {info.name: info for info in connector.discover()}
    with connect(cap, version, now) as connector:
        connector.settings.streams["BusinessPartners"] = {"entity": "BusinessPartners", "key": "ID"}
        volumes = connector.volumes(["BusinessPartners", "SalesOrders"])
    assert volumes == {"BusinessPartners": cap.client.get("BusinessPartners/$count").json()}
    assert set(streams) == {"BusinessPartners", "SalesOrders", "OrderItems"}
    types = {field.path: field.type for field in streams["BusinessPartners"].fields}
    assert streams["BusinessPartners"].key == "ID" and types["modifiedAt"] == "timestamp"
    with connect(cap, version, now, "wrong") as connector, pytest.raises(CredentialsError) as told:
        connector.check()
    assert "wrong" not in str(told.value)
