"""Odoo tells what an installation lacks, in any language; what holds for all stands in its cassettes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.errors import CredentialsError, NotInstalledError, SourceDataError
from connectors.page import StreamRequest, TellsAbsent
from connectors.registry import connector_class
from connectors.rest.connector import RestConnector

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SETTINGS = {
    "odoo": {"url": "https://o.test", "database": "acme", "username": "hub@acme.test", "password": "made-up-secret"},
    "odoo_json2": {"url": "https://o.test", "api_key": "made-up-secret"},
}
PARTNER = {"id": 7, "name": "Alfa Handels GmbH", "is_company": True, "write_date": "2026-02-20 10:00:00"}


def opened(dialect: str, answers: Callable[[str], httpx.Response | None]) -> RestConnector:
    """A system that answers a question of a model as `answers` says; by default with one partner, or nothing."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if dialect == "odoo" and body["params"]["service"] == "common":
            return httpx.Response(200, json={"result": 2})
        model = body["params"]["args"][3] if dialect == "odoo" else request.url.path.split("/")[-2]
        given = answers(model)
        if given is not None:
            return given
        asked_first = '["id", ">", 0]' in json.dumps(body)
        found = [PARTNER] if model == "res.partner" and asked_first else []
        return httpx.Response(200, json={"result": found} if dialect == "odoo" else found)

    made: Any = connector_class(dialect)
    connector: RestConnector = made(
        "erp", SETTINGS[dialect], transport=httpx.MockTransport(answer), pause=lambda _: None, now=lambda: NOW
    )
    return connector


def lacks(dialect: str, *models: str) -> Callable[[str], httpx.Response | None]:
    """Without these models: JSON-RPC says so in the language of the user, JSON-2 in English."""

    def answer(model: str) -> httpx.Response | None:
        if model not in models:
            return None
        if dialect == "odoo":
            told = {"name": "odoo.exceptions.UserError", "message": f"Das Objekt {model} ist nicht vorhanden"}
            return httpx.Response(200, json={"error": {"code": 200, "message": "Odoo Server Error", "data": told}})
        told = {"name": "werkzeug.exceptions.NotFound", "message": f"404 Not Found: the model '{model}' does not exist"}
        return httpx.Response(404, json=told)

    return answer


@pytest.mark.parametrize("dialect", list(SETTINGS))
def test_what_is_not_installed_is_told_and_the_rest_is_offered(dialect: str) -> None:
    with opened(dialect, lacks(dialect, "helpdesk.ticket")) as connector:
        found = {info.name: info.is_installed for info in connector.discover()}
        assert found == {name: name != "tickets" for name in connector.manifest.streams}
        assert isinstance(connector, TellsAbsent)
        assert connector.absent(["partners", "deliveries", "tickets"]) == ["tickets"]
        with pytest.raises(
            NotInstalledError, match=r"erp:tickets: .*not installed.*helpdesk\.ticket.* Take the stream"
        ):
            list(connector.read(StreamRequest("tickets"), None))
        (page, *_) = connector.read(StreamRequest("partners"), None)
        assert [row.key for row in page.rows] == ["7"]


def test_a_missing_right_is_no_missing_app() -> None:
    words = "You are not allowed to access 'Transfer' (stock.picking) records."
    told = {"name": "odoo.exceptions.AccessError", "message": words}
    refused = httpx.Response(200, json={"error": {"code": 200, "message": "Odoo Server Error", "data": told}})
    with opened("odoo", lambda model: refused if model == "stock.picking" else None) as connector:
        assert connector.absent(["deliveries"]) == []
        with pytest.raises(CredentialsError, match="not allowed"):
            list(connector.read(StreamRequest("deliveries"), None))


def test_a_model_that_every_odoo_has_is_never_said_to_be_not_installed() -> None:
    with opened("odoo", lacks("odoo", "res.partner")) as connector, pytest.raises(SourceDataError, match="vorhanden"):
        list(connector.read(StreamRequest("partners"), None))
