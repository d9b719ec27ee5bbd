"""How many records there are, told before they are read."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from connectors.page import TellsVolumes
from connectors.rest.connector import RestConnector

SUMMED: dict[str, Any] = {"path": "deals", "records": "items", "paging": {"kind": "offset", "limit": 2, "total": "all"}}


def connect(streams: dict[str, Any], **manifest: Any) -> RestConnector:
    """A source of 41 people, 17 deals, and secret papers."""

    def answer(request: httpx.Request) -> httpx.Response:
        match request.url.path:
            case "/people/$count":
                assert request.headers["accept"] == "text/plain, */*"
                return httpx.Response(200, text="41", headers={"Content-Type": "text/plain"})
            case "/deals":
                return httpx.Response(200, json={"items": [{"id": 1}, {"id": 2}], "all": 17})
            case "/papers/count":
                return httpx.Response(403)
        return httpx.Response(200, json={"found": {"number": "8"}})

    settings = {"manifest": {"base_url": "https://crm.test/", "streams": streams, **manifest}}
    return RestConnector("crm", settings, transport=httpx.MockTransport(answer), pause=lambda _: None)


def test_a_question_of_its_own_or_the_paging_tells_the_number() -> None:
    counted = {"path": "visits", "count": {"path": "visits/number", "at": "found.number"}}
    papers = {"path": "papers", "count": {"path": "papers/count"}}
    connector = connect({"deals": SUMMED, "visits": counted, "papers": papers, "mute": {"path": "mute"}})
    assert isinstance(connector, TellsVolumes)
    assert connector.volumes(["deals", "visits", "papers", "mute", "unknown"]) == {"deals": 17, "visits": 8}


def test_odata_counts_by_itself() -> None:
    connector = connect({"people": {"entity": "people", "key": "ID"}}, protocol={"kind": "odata", "version": 4})
    assert connector.volumes(["people"]) == {"people": 41}


@pytest.mark.parametrize("dialect", ["odoo", "odoo_json2", "tryton"])
def test_models_are_counted_by_the_streams_own_domain(dialect: str) -> None:
    login = {"database": "db", "username": "u", "password": "p"} if dialect != "odoo_json2" else {}
    domain = [["active", "in", [True, False]], {"$if": "since", "$then": ["x", "=", 1]}]
    asked: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        import json

        body = json.loads(request.content)
        asked.append((request.url.path, body))
        is_login = "authenticate" in str(body) or "login" in str(body.get("method"))
        number = ([1, "key", None] if dialect == "tryton" else 1) if is_login else 5
        return httpx.Response(200, json=number if dialect == "odoo_json2" else {"result": number})

    manifest = {
        "base_url": "https://erp.test/",
        "protocol": {"kind": "jsonrpc", "dialect": dialect, **login},
        "streams": {"p": {"model": "party.party", "domain": domain}},
    }
    settings = {"manifest": manifest}
    with RestConnector("erp", settings, transport=httpx.MockTransport(answer), pause=lambda _: None) as connector:
        assert connector.volumes(["p"]) == {"p": 5}
    path, body = asked[-1]
    assert "search_count" in path + str(body)
    assert "'active', 'in', [True, False]" in str(body) and "since" not in str(body) and "'x'" not in str(body)
