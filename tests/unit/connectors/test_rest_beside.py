"""Further requests for a page's records, whose finds are laid into them."""

from __future__ import annotations

import json
from typing import Any

import httpx

from connectors.page import StreamRequest
from connectors.rest.connector import RestConnector

MANIFEST: dict[str, Any] = {
    "base_url": "https://crm.test",
    "streams": {
        "deals": {
            "path": "deals",
            "records": "items",
            "key": "id",
            "beside": [
                {
                    "path": "links",
                    "body": {"ids": "{keys}"},
                    "records": "links",
                    "key": "deal",
                    "pick": "people[].id",
                    "into": "links.people",
                }
            ],
        }
    },
}


def test_what_is_told_of_a_record_is_laid_into_it_and_nothing_told_is_an_empty_list() -> None:
    asked: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/deals":
            return httpx.Response(200, json={"items": [{"id": 1}, {"id": 2}]})
        asked.append(json.loads(request.content))
        links = [{"deal": "1", "people": [{"id": 7}, {"id": 8}]}, {"deal": "9", "people": [{"id": 6}]}]
        return httpx.Response(200, json={"links": links})

    with RestConnector("crm", {"manifest": MANIFEST}, transport=httpx.MockTransport(answer)) as connector:
        rows = [row for page in connector.read(StreamRequest("deals"), None) for row in page.rows]
    assert asked == [{"ids": ["1", "2"]}]
    assert [json.loads(row.payload)["links"] for row in rows] == [{"people": [7, 8]}, {"people": []}]
