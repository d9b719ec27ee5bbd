"""SAP's OData 2 and 4 as mock-sap speaks them, a quarter of all requests failing: delta links, keysets, deletions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.page import Page, State, StreamRequest
from connectors.registry import connector_class
from connectors.testing_parts import Ledger, keys_of
from tests.support.mock_sap import USER, MockSap, mock_sap

PARTNERS = {2: "A_BusinessPartner", 4: "BusinessPartner"}


@pytest.fixture(scope="module")
def sap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockSap]:
    """A slow system that fails at random."""
    with mock_sap(tmp_path_factory.mktemp("live"), "--error-rate", "0.25", "--latency-ms", "20") as system:
        yield system


def service(sap: MockSap, version: int) -> str:
    """The business partners' service."""
    return sap.service("API_BUSINESS_PARTNER_SRV") if version == 2 else sap.partners_v4


def read(sap: MockSap, version: int, state: State | None = None, **options: Any) -> list[Page]:
    """A pass over the business partners; the waits between attempts take no time."""
    settings = {"url": service(sap, version), "username": USER[0], "password": USER[1]}
    made: Any = connector_class(f"odata_v{version}")
    stream = {"entity": PARTNERS[version], "key": "BusinessPartner", **options}
    with made("sap", settings, pause=lambda _s: None, now=lambda: datetime.now(UTC)) as connector:
        saved = json.loads(json.dumps(state)) if state is not None else None
        return list(connector.read(StreamRequest("partners", options=stream), saved))


def truth(sap: MockSap) -> set[str]:
    """The keys as the system itself holds them."""
    answer = sap.call("GET", f"{sap.partners_v4}/BusinessPartner?$select=BusinessPartner")
    return {record["BusinessPartner"] for record in answer["value"]}


def payloads(pages: list[Page]) -> dict[str, Any]:
    """Rows by key."""
    return {row.key: json.loads(row.payload) for page in pages for row in page.rows}


@pytest.mark.parametrize("version", [2, 4])
def test_a_delta_brings_each_change_and_each_deletion_however_often_the_system_fails(
    sap: MockSap, version: int
) -> None:
    pages = read(sap, version, delta=True)
    ledger = Ledger().land(pages)
    assert ledger.alive == truth(sap)
    for number in range(6):
        alive = sorted(truth(sap))
        changed, gone = alive[number], alive[-1]
        address = f"{service(sap, version)}/{PARTNERS[version]}"
        sap.call("PATCH", f"{address}('{changed}')", {"SearchTerm1": f"V{version}N{number}"})
        sap.call("DELETE", f"{address}('{gone}')")
        pages = read(sap, version, pages[-1].state, delta=True)
        assert payloads(pages)[changed]["SearchTerm1"] == f"V{version}N{number}"
        assert gone in {key for page in pages for key in page.tombstones}
        assert ledger.land(pages).alive == truth(sap)
    assert sap.failures() > 0


@pytest.mark.parametrize("version", [2, 4])
@pytest.mark.parametrize("way", ["keyset", "skip"])
def test_pages_of_a_failing_system_lose_nothing_and_bring_nothing_twice(sap: MockSap, version: int, way: str) -> None:
    protocol = {"paging": {"kind": "keyset", "key": "BusinessPartner", "limit": 3, "limit_param": "$top"}}
    if way == "skip":
        protocol = {"paging": {"kind": "offset", "param": "$skip", "limit": 3, "limit_param": "$top", "overlap": 0}}
    pages = read(sap, version, paging_by=way, **protocol)
    keys = keys_of(pages)
    assert len(pages) >= 3 and len(keys) == len(set(keys)) and set(keys) == truth(sap)
    for count in (1, len(pages) // 2):
        rest = read(sap, version, pages[count - 1].state, paging_by=way, **protocol)
        assert keys_of(pages[:count]) + keys_of(rest) == keys
