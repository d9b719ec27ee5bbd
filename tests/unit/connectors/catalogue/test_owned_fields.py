"""Fields that the hub writes are read along where a system gives only what is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from connectors.cassette import load_cassette
from connectors.page import StreamRequest
from connectors.registry import connector_class

FOLDER = Path(__file__).parent
CASES = {
    "hubspot": ("contacts", "onefold_id", {"results": []}),
    "salesforce": ("accounts", "Onefold_Id__c", {"records": [], "done": True}),
    "odoo": ("partners", "x_onefold_id", {"result": []}),
    "odoo_json2": ("partners", "x_onefold_id", []),
    "tryton": ("parties", "x_onefold_id", {"result": []}),
}


def asked(name: str, request: StreamRequest, empty: Any) -> str:
    """What a first read asks of the stream, after a login."""
    seen: list[str] = []

    def answer(got: httpx.Request) -> httpx.Response:
        text = unquote(str(got.url)) + got.content.decode()
        if "token" in got.url.path:
            return httpx.Response(200, json={"access_token": "t"})
        if "login" in text or "authenticate" in text:
            return httpx.Response(200, json={"result": [1, "key"] if "login" in text else 2})
        seen.append(text)
        return httpx.Response(200, json=empty)

    made: Any = connector_class(name)
    settings = load_cassette(FOLDER / f"{name}.cassette.yaml").settings
    with made("it", settings, transport=httpx.MockTransport(answer)) as connector:
        list(connector.read(request, None))
    return seen[0]


@pytest.mark.parametrize("name", CASES)
def test_a_field_of_the_hub_is_asked_for_once_it_is_owned(name: str) -> None:
    stream, field, empty = CASES[name]
    without = asked(name, StreamRequest(stream), empty)
    owned = asked(name, StreamRequest(stream, owned=(field,)), empty)
    assert field not in without and owned.count(field) == 1
