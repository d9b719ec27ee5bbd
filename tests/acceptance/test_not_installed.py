"""A system of apps lacks some: what it lacks is left out, shown, and told, and nothing else suffers from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import onefold
from tests.support.http_source import Asked, HttpSource, Reply, records


def odoo(asked: Asked) -> Reply:
    """An Odoo with one partner and without Inventory and Helpdesk."""
    body = json.loads(asked.body)["params"]
    if body["service"] == "common":
        return records({"result": 2})
    model = body["args"][3]
    if model in ("stock.picking", "helpdesk.ticket"):
        words = {"name": "odoo.exceptions.UserError", "message": f"Object {model} doesn't exist"}
        return records({"error": {"code": 200, "message": "Odoo Server Error", "data": words}})
    found = [{"id": 7, "name": "Alfa GmbH", "is_company": True, "active": True, "write_date": "2026-02-20 10:00:00"}]
    first = model == "res.partner" and ["id", ">", 0] in body["args"][5][0]
    return records({"result": found if first else []})


@pytest.fixture
def http_source() -> Iterator[HttpSource]:
    server = HttpSource()
    server.start()
    yield server
    server.stop()


def test_what_an_installation_lacks_is_left_out_shown_and_told(
    tmp_path: Path, database_url: str, http_source: HttpSource
) -> None:
    http_source.answers["/jsonrpc"] = odoo
    place = ("--config", tmp_path / "config", "--home", tmp_path / "var", "--database", database_url)
    ways = {"url": http_source.url, "database": "acme", "username": "hub", "password": "made-up-secret"}
    given = [word for name, value in ways.items() for word in ("--set", f"{name}={value}")]
    added = onefold(*place, "--json", "source", "add", "erp", "--connector", "odoo", *given)
    assert added.code == 0, added.said
    assert set(added.json["streams"]) == {"partners", "sale_orders", "invoices", "payments"}
    offered = onefold(*place, "--json", "discover", "erp").json
    assert {one["name"] for one in offered if not one["is_installed"]} == {"deliveries", "returns", "tickets"}
    assert "not installed" in onefold(*place, "discover", "erp").out

    file = tmp_path / "config" / "sources" / "erp.yaml"
    file.write_text(
        file.read_text("utf-8") + "  tickets: {as: interaction, type: service_ticket, party: {stream: "
        "partners, key: 'partner_id[0]'}, occurred_at: create_date}\n",
        "utf-8",
    )
    assert onefold(*place, "--json", "check", "erp").json["absent"] == ["tickets"]
    done = onefold(*place, "--json", "sync", "erp")
    streams = {one["stream"]: one for one in done.json["streams"]}
    assert streams["tickets"]["status"] == "failed" and "not installed" in streams["tickets"]["error"]
    assert streams["partners"]["inserted"] == 1 and streams["payments"]["status"] != "failed"
