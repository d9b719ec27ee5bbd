"""The shipped configuration reads and maps the generated registers whole."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.page import Row, StreamRequest
from connectors.registry import open_connector
from onefold.configuration import Configuration, load_configuration, resolve_secrets
from onefold.demo import World, crm_server, generate
from onefold.demo.society import own_organisations
from onefold.demo.world import read_truth
from onefold.mapping import Mapped, RawRow, compile_source
from warehouse.keys import record_id

ROOT = Path(__file__).parents[4]
Rows = dict[tuple[str, str], list[Row]]


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return load_configuration(ROOT / "config")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return generate(tmp_path_factory.mktemp("world"), seed=7, scale=0.3)


@pytest.fixture(scope="module")
def rows(world: World, configuration: Configuration) -> Rows:
    """Every row that the configured connectors read from a world."""
    found: Rows = {}
    with crm_server(world.folder, "token", rate=1000, lifetime=120) as server:
        environment = {
            "ONEFOLD_DEMO_DATA": str(world.folder),
            "ONEFOLD_DEMO_CRM_URL": server.url,
            "ONEFOLD_DEMO_CRM_TOKEN": "token",
        }
        for name, source in configuration.sources.items():
            with open_connector(source.connector, name, resolve_secrets(source.settings, environment)) as connector:
                connector.check()
                for stream, asked in source.streams.items():
                    request = StreamRequest(
                        stream, asked.key, asked.updated_at, tuple(asked.volatile), dict(asked.options)
                    )
                    found[name, stream] = [row for page in connector.read(request, None) for row in page.rows]
    return found


@pytest.fixture(scope="module")
def mapped(rows: Rows, configuration: Configuration) -> dict[tuple[str, str], Mapped]:
    return {
        (name, stream): mapper.map_batch(
            [
                RawRow(record_id(name, stream, row.key), row.key, row.payload, row.updated_at)
                for row in rows[name, stream]
            ]
        )
        for name, source in configuration.sources.items()
        for stream, mapper in compile_source(source, configuration).items()
    }


def test_every_record_of_the_truth_is_read_under_its_id(rows: Rows, world: World) -> None:
    truth = read_truth(world.folder)
    places = {tuple(record.split(":", 2)[:2]) for record in truth}
    read = {f"{source}:{stream}:{row.key}" for (source, stream) in places for row in rows[source, stream]}
    assert read == truth.keys()


def test_every_interaction_is_read(rows: Rows, world: World) -> None:
    read = {f"{source}:{stream}": len(found) for (source, stream), found in rows.items()}
    assert {place: read[place] for place in world.interactions} == world.interactions


def test_nothing_of_the_demo_is_rejected_by_the_mapping(mapped: dict[tuple[str, str], Mapped]) -> None:
    assert {place: found.rejects for place, found in mapped.items() if found.rejects} == {}


def test_every_interaction_names_a_client_that_exists(mapped: dict[tuple[str, str], Mapped]) -> None:
    clients = {one for found in mapped.values() for one in found.head["record_id"].to_pylist()}
    named = [one for found in mapped.values() for one in found.interactions["party_record_id"].to_pylist()]
    assert named
    assert set(named) <= clients


def test_invoices_keep_every_kopek_of_what_was_invoiced(mapped: dict[tuple[str, str], Mapped], world: World) -> None:
    invoices = mapped["accounting", "invoices"].interactions
    orders = mapped["erp", "orders"].interactions
    total: Counter[str] = Counter()
    for table in (invoices, orders):
        for amount, currency in zip(table["amount"].to_pylist(), table["currency"].to_pylist(), strict=True):
            assert Decimal(amount).as_tuple().exponent in (0, -1, -2)
            total[currency] += int(Decimal(amount) * 100)
    assert set(total) == set(world.planted_turnover)


def test_kinds_and_roles_are_told_apart(mapped: dict[tuple[str, str], Mapped]) -> None:
    head = mapped["erp", "customers"].head
    assert {"person", "organisation"} == set(head["kind"].to_pylist())
    assert {"client", "supplier", "staff"} == set(head["role"].to_pylist())


def test_the_companys_own_firms_are_those_of_the_hub(configuration: Configuration) -> None:
    named = {
        number
        for firm in configuration.hub.own_organisations
        for kind in ("inn", "vat")
        for number in firm.identifiers().get(kind, ())
    }
    assert named == {firm.inn or firm.vat for firm in own_organisations()}


@pytest.mark.parametrize("name", ["senzing_truthset", "febrl3", "febrl4", "historical_50k"])
def test_every_example_configuration_is_valid(name: str) -> None:
    assert load_configuration(ROOT / "docs" / "examples" / name / "config").sources


def test_the_expectations_agree_with_the_planted_truth(tmp_path: Path, configuration: Configuration) -> None:
    truth = read_truth(generate(tmp_path, seed=7).folder)
    for one in configuration.expectations.same_client:
        assert len({truth[record] for record in one.records}) == 1
    for one in configuration.expectations.different_clients:
        entities = [truth[record] for record in one.records]
        assert len(entities) == len(set(entities))
    assert all(one.record in truth for one in configuration.expectations.values)
