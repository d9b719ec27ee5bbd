"""What of SAP Business One's documents and payments comes out as money, days and references."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.cassette import Replay, load_cassette
from connectors.page import StreamRequest
from onefold.configuration.load import read_configuration
from onefold.mapping import RawRow, compile_source
from onefold.steps.source_add import _yaml
from warehouse.keys import record_id

CASSETTE = load_cassette(Path(__file__).parents[2] / "connectors" / "catalogue" / "sap_business_one.cassette.yaml")


@pytest.fixture(params=["Europe/Berlin", "America/New_York"])
def interactions(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """Mapped interactions of a stream, in a company east or west of Greenwich."""
    made: Any = registry.connector_class("sap_business_one")
    replay = Replay(CASSETTE.exchanges)
    with made("erp", CASSETTE.settings, transport=replay, now=lambda: CASSETTE.now) as connector:
        text = _yaml(
            "erp", "sap_business_one", {**CASSETTE.settings, "password": "${PW}"}, list(connector.discover()), {},
            registry.shipped("sap_business_one"),
        )  # fmt: skip
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "erp.yaml").write_text(text.replace("Europe/Berlin", request.param), encoding="utf-8")
    configuration, problems = read_configuration(tmp_path)
    assert configuration is not None and not problems
    mappers = compile_source(configuration.sources["erp"], configuration)

    def mapped(stream: str) -> list[dict[str, Any]]:
        with made(
            "erp", CASSETTE.settings, transport=Replay(CASSETTE.exchanges), now=lambda: CASSETTE.now
        ) as connector:
            pages = list(connector.read(StreamRequest(stream), None))
        rows = [row for page in pages for row in page.rows]
        raws = [RawRow(record_id("erp", stream, row.key), row.key, row.payload, row.updated_at, None) for row in rows]
        found: list[dict[str, Any]] = mappers[stream].map_batch(raws).interactions.to_pylist()
        return found

    return mapped


def test_a_payment_is_cash_transfer_checks_and_cards_together(interactions: Any) -> None:
    (payment,) = interactions("payments")
    assert (float(payment["amount"]), payment["currency"]) == (119.0, "EUR")
    assert payment["parent_record_id"] == record_id("erp", "invoices", "9")


def test_an_order_in_a_foreign_currency_has_that_currencys_total(interactions: Any) -> None:
    own, foreign = interactions("orders")
    assert (float(own["amount"]), own["currency"]) == (119.0, "EUR")
    assert (float(foreign["amount"]), foreign["currency"]) == (130.5, "USD")


def test_a_day_stays_that_day_in_every_time_zone(interactions: Any) -> None:
    (delivery,) = interactions("deliveries")
    assert delivery["occurred_on"] == date(2026, 2, 20)
    assert delivery["parent_record_id"] == record_id("erp", "orders", "5")
