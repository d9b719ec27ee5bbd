"""A sweep by keys finds what is gone without reading everything again, and never deletes by mistake."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.errors import SourceConfigurationError, SourceDataError
from connectors.page import Page, State, StreamRequest
from connectors.rest.connector import RestConnector
from connectors.testing_parts import Ledger, keys_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STREAM: dict[str, Any] = {
    "path": "people",
    "records": "items",
    "key": "id",
    "updated_at": "at",
    "params": {"since": "{since}"},
    "changes": {"format": "iso", "lookback": 0},
    "paging": {"kind": "page", "pages": "pages"},
    "deletes": {"kind": "sweep", "every": "7d", "keys": {"params": {"only": "id"}}},
}


class People:
    """A source of people who change and go; `asked` is every question."""

    def __init__(self) -> None:
        self.alive = {str(number): NOW - timedelta(days=30 - number) for number in range(1, 8)}
        self.asked: list[dict[str, str]] = []
        self.forgets_key = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        params = dict(request.url.params)
        self.asked.append(params)
        since = datetime.fromisoformat(params["since"]) if params.get("since") else None
        found = [{"id": key, "at": at.isoformat()} for key, at in self.alive.items() if since is None or at >= since]
        if params.get("only"):
            found = [{} if self.forgets_key and one["id"] == "3" else {"id": one["id"]} for one in found]
        page = int(params["page"])
        return httpx.Response(200, json={"items": found[page * 3 - 3 : page * 3], "pages": -(-len(found) // 3)})

    def read(self, state: State | None = None, *, days: int = 0, **stream: Any) -> list[Page]:
        """A pass, so many days later."""
        self.asked.clear()
        settings = {"manifest": {"base_url": "https://crm.test/", "streams": {"people": {**STREAM, **stream}}}}
        connector = RestConnector(
            "crm", settings, transport=httpx.MockTransport(self), now=lambda: NOW + timedelta(days=days)
        )
        saved = json.loads(json.dumps(state)) if state is not None else None
        with connector:
            return list(connector.read(StreamRequest("people"), saved))

    def kinds(self) -> set[str]:
        """What was asked for: `all`, `changes`, `keys`."""
        return {"keys" if one.get("only") else "changes" if one.get("since") else "all" for one in self.asked}


@pytest.fixture
def people() -> People:
    return People()


def test_a_sweep_that_is_due_reads_changes_and_keys_and_nothing_else(people: People) -> None:
    first = people.read()
    assert people.kinds() == {"all"} and first[-1].snapshot is not None
    ledger = Ledger().land(first)
    del people.alive["2"]
    quiet = people.read(first[-1].state, days=1)
    assert people.kinds() == {"changes"} and all(page.snapshot is None for page in quiet)
    people.alive["5"] = people.alive["9"] = NOW + timedelta(days=7)
    state = quiet[-1].state if quiet else first[-1].state
    swept = people.read(state, days=8)
    assert people.kinds() == {"changes", "keys"}
    assert sorted(keys_of(swept)) == ["5", "7", "9"], "7 stands at the bound itself"
    assert ledger.land(swept).alive == set(people.alive)
    marks = [page.snapshot for page in swept if page.snapshot is not None]
    assert [mark.is_complete for mark in marks] == [False, False, True]
    later = people.read(swept[-1].state, days=9)
    assert people.kinds() == {"changes"} and all(page.snapshot is None for page in later)


def test_a_sweep_by_keys_that_was_killed_goes_on_marking(people: People) -> None:
    first = people.read()
    del people.alive["2"]
    people.alive["9"] = NOW + timedelta(days=7)
    whole = people.read(first[-1].state, days=8)
    assert len(whole) >= 3
    for count in range(1, len(whole)):
        rest = people.read(whole[count - 1].state, days=8)
        ledger = Ledger().land(first).land(whole[:count]).land(rest)
        assert ledger.alive == set(people.alive)
        assert rest[-1].state == whole[-1].state


def test_a_key_that_the_answer_leaves_out_is_an_error_and_no_deletion(people: People) -> None:
    first = people.read()
    people.forgets_key = True
    with pytest.raises(SourceDataError, match="without their key"):
        people.read(first[-1].state, days=8)


def test_without_changes_there_is_nothing_to_save() -> None:
    with pytest.raises(SourceConfigurationError, match="needs `changes`"):
        People().read(changes=None)


@pytest.mark.parametrize(
    ("protocol", "stream", "asked"),
    [
        (
            {"kind": "odata", "version": 4},
            {"entity": "C", "key": "ID", "modified": "At", "select": ["ID", "N"], "expand": ["X"], "filter": "Y eq 1"},
            {"$select": "ID", "$filter": "Y eq 1"},
        ),
        (
            {"kind": "jsonrpc", "dialect": "tryton", "database": "d", "username": "u", "password": "p"},
            {"model": "party.party", "fields": ["name"], "modified": "at"},
            ["id"],
        ),
    ],
)
def test_protocols_know_how_keys_are_asked_for(protocol: Any, stream: Any, asked: Any) -> None:
    from connectors.manifest import Manifest
    from connectors.templates import render

    rule = {"kind": "sweep", "every": "7d", "keys": True}
    manifest = Manifest.model_validate(
        {"base_url": "https://x.test", "protocol": protocol, "streams": {"s": {**stream, "deletes": rule}}}
    )
    alone = manifest.streams["s"].keys_alone()
    assert alone is not None and alone.changes is None
    values = {"after": 0, "limit": 10}
    if isinstance(asked, dict):
        assert render(alone.params, values) == asked
    else:
        assert render(alone.body, values)["params"][4] == asked
