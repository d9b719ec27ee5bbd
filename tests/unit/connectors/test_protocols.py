"""OData's dialects and JSON-RPC's: short forms become requests and answers in the documented shapes."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from connectors.errors import CredentialsError, SourceConfigurationError, SourceDataError
from connectors.page import Page, StreamRequest
from connectors.rest.connector import RestConnector

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PEOPLE = [{"ID": n, "Name": f"n{n}", "At": f"/Date({1767225600000 + n * 86400000})/"} for n in range(1, 6)]


def connect(handler: Callable[[httpx.Request], httpx.Response], streams: dict[str, Any], **manifest: Any) -> Any:
    made = {"base_url": "https://erp.test/srv", "streams": streams, **manifest}
    transport = httpx.MockTransport(handler)
    return RestConnector("erp", {"manifest": made}, transport=transport, pause=lambda _s: None, now=lambda: NOW)


def read(connector: Any, state: Any = None) -> list[Page]:
    with connector:
        saved = json.loads(json.dumps(state)) if state else None
        return list(connector.read(StreamRequest("people", timezone="Europe/Moscow"), saved))


def keys(pages: list[Page]) -> list[str]:
    return [row.key for page in pages for row in page.rows]


def test_odata_2_reads_d_results_next_links_and_ticks() -> None:
    asked: list[dict[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        start = int(request.url.params.get("$skiptoken", 0))
        more = {"__next": f"https://erp.test/srv/People?$skiptoken={start + 2}"} if start + 2 < len(PEOPLE) else {}
        return httpx.Response(200, json={"d": {"results": PEOPLE[start : start + 2], **more}})

    streams = {"people": {"entity": "People", "key": "ID", "modified": "At", "select": ["ID", "Name", "At"]}}
    pages = read(connect(handler, streams, protocol={"kind": "odata", "version": 2}))
    assert keys(pages) == ["1", "2", "3", "4", "5"]
    assert pages[0].rows[0].updated_at == datetime(2026, 1, 2, tzinfo=UTC)
    assert asked[0] == {"$select": "ID,Name,At", "$format": "json"}
    asked.clear()
    read(connect(handler, streams, protocol={"kind": "odata", "version": 2}), pages[-1].state)
    # In the source's own time zone, five minutes earlier.
    assert asked[0]["$filter"] == "At ge datetime'2026-01-06T02:55:00'"


def test_an_overlap_that_brings_the_one_living_record_again_is_no_repeated_page() -> None:
    records = [{"ID": 1, "Gone": True}, {"ID": 2, "Gone": False}]

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"value": records[int(request.url.params["$skip"]) :]})

    deletes = [{"kind": "flag", "path": "Gone"}]
    streams = {"people": {"entity": "People", "key": "ID", "deletes": deletes}}
    pages = read(connect(handler, streams, protocol={"kind": "odata", "version": 3}))
    assert set(keys(pages)) == {"2"} and [key for page in pages for key in page.tombstones] == ["1"]


def test_odata_3_pages_by_skip_in_the_order_of_the_key_with_an_overlap() -> None:
    asked: list[str] = []
    refs = [{"Ref_Key": f"{n:08d}-0000-0000-0000-000000000000", "DeletionMark": n == 3} for n in range(5)]

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        skip, top = (int(request.url.params[name]) for name in ("$skip", "$top"))
        assert request.url.params["$orderby"] == "Ref_Key"
        return httpx.Response(200, json={"odata.metadata": "...", "value": refs[skip : skip + top]})

    stream = {
        "entity": "Catalog_Контрагенты", "key": "Ref_Key", "filter": "IsFolder eq false",
        "deletes": {"kind": "flag", "path": "DeletionMark"},
    }  # fmt: skip
    pages = read(connect(handler, {"people": stream}, protocol={"kind": "odata", "version": 3, "page_size": 3}))
    assert len(set(keys(pages))) == 4
    assert {key for page in pages for key in page.tombstones} == {refs[3]["Ref_Key"]}
    assert "Catalog_%D0%9A" in asked[0]


@pytest.mark.parametrize(
    ("version", "key_type", "condition"),
    [
        (2, "guid", "ID gt guid'7'"), (4, "guid", "ID gt 7"), (4, "number", "ID gt 7"), (3, "text", "ID gt '7'"),
    ],
)  # fmt: skip
def test_odata_keysets_write_keys_as_the_dialect_wants_them(version: int, key_type: str, condition: str) -> None:
    asked: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("$filter"))
        value = [{"ID": "7"}] if len(asked) == 1 else []
        return httpx.Response(200, json={"d": {"results": value}} if version == 2 else {"value": value})

    stream = {"entity": "P", "key": "ID", "key_type": key_type, "filter": "A eq 1", "paging_by": "keyset"}
    read(connect(handler, {"people": stream}, protocol={"kind": "odata", "version": version}))
    assert asked == ["A eq 1", f"A eq 1 and {condition}"]


@pytest.mark.parametrize(("version", "inner"), [(2, "d"), (4, "")])
def test_links_of_a_service_behind_a_proxy_are_followed_on_the_address_that_is_configured(
    version: int, inner: str
) -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        link = "http://localhost:4004/srv/P?$skiptoken=2"
        if version == 2:
            more = {"__next": link} if len(asked) == 1 else {}
            return httpx.Response(200, json={"d": {"results": [{"ID": len(asked)}], **more}})
        more = {"@odata.nextLink": link} if len(asked) == 1 else {}
        return httpx.Response(200, json={"value": [{"ID": len(asked)}], **more})

    stream = {"entity": "P", "key": "ID", "filter": "A eq 'x+y'"}
    pages = read(connect(handler, {"people": stream}, protocol={"kind": "odata", "version": version}))
    assert keys(pages) == ["1", "2"] and asked[1] == "https://erp.test/srv/P?$skiptoken=2"
    # Strict services read + as a plus sign.
    assert "A%20eq%20%27x%2By%27" in asked[0]


def test_odata_2_names_in_a_delta_what_was_deleted() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if "!deltatoken" not in request.url.params:
            assert request.headers["Prefer"] == "odata.track-changes"
            first = "https://erp.test/srv/P?$format=json&!deltatoken='D1'"
            return httpx.Response(200, json={"d": {"results": [{"ID": "7"}, {"ID": "8"}], "__delta": first}})
        assert request.url.params["!deltatoken"] == "'D1'"
        gone = [
            {"__metadata": {"uri": f"https://erp.test/srv/P({key})", "deleted": True}} for key in ("'7'", "guid'0-8'")
        ]
        later = "https://erp.test/srv/P?!deltatoken='D2'"
        return httpx.Response(200, json={"d": {"results": [{"ID": "9"}, *gone], "__delta": later}})

    stream = {"people": {"entity": "P", "key": "ID", "delta": True}}
    protocol = {"kind": "odata", "version": 2}
    first = read(connect(handler, stream, protocol=protocol))
    second = read(connect(handler, stream, protocol=protocol), first[-1].state)
    assert keys(second) == ["9"] and [key for page in second for key in page.tombstones] == ["7", "0-8"]
    with pytest.raises(SourceConfigurationError, match="OData 3 has no delta"):
        connect(handler, stream, protocol={"kind": "odata", "version": 3})


def test_odata_errors_are_told_in_the_services_words() -> None:
    answer = httpx.Response(400, json={"error": {"code": "x", "message": {"value": "no property Nmae"}}})
    streams = {"people": {"entity": "P", "key": "ID"}}
    with pytest.raises(SourceDataError, match="no property Nmae"):
        read(connect(lambda _request: answer, streams, protocol={"kind": "odata", "version": 2}))
    answer = httpx.Response(400, json={"error": {"code": "x", "message": "no property Nmae"}})
    with pytest.raises(SourceDataError, match="no property Nmae"):
        read(connect(lambda _request: answer, streams, protocol={"kind": "odata", "version": 4}))


class Odoo:
    """The answers of Odoo's /jsonrpc: uid or false, execute_kw, errors with status 200."""

    def __init__(self, password: str = "p") -> None:
        self.password, self.calls = password, []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)["params"]
        assert request.url.path == "/srv/jsonrpc"
        if asked["service"] == "common":
            good = asked["args"] == ["db", "ann", self.password, {}]
            return httpx.Response(200, json={"jsonrpc": "2.0", "id": 1, "result": 2 if good else False})
        database, uid, password, model, method, (domain,), options = asked["args"]
        assert (database, uid, password, method) == ("db", 2, self.password, "search_read")
        self.calls.append((model, domain, options))
        if model == "res.secret":
            data = {"name": "builtins.KeyError", "message": "res.secret", "debug": "Traceback"}
            return httpx.Response(200, json={"jsonrpc": "2.0", "id": 1, "error": {"code": 200, "data": data}})
        after = next(value for field, op, value in domain if (field, op) == ("id", ">"))
        found = [{"id": n, "write_date": f"2026-02-0{n} 10:00:00"} for n in range(1, 6) if n > after]
        return httpx.Response(200, json={"jsonrpc": "2.0", "id": 1, "result": found[: options["limit"]]})


ODOO = {"kind": "jsonrpc", "dialect": "odoo", "database": "db", "username": "ann", "password": "p", "page_size": 2}


def test_odoo_is_read_behind_the_last_id_and_asked_for_changes() -> None:
    server = Odoo()
    streams = {"people": {"model": "res.partner", "fields": ["name"], "domain": [["active", "in", [True, False]]]}}
    pages = read(connect(server, streams, protocol=ODOO))
    assert keys(pages) == ["1", "2", "3", "4", "5"]
    model, domain, options = server.calls[0]
    assert (model, domain) == ("res.partner", [["active", "in", [True, False]], ["id", ">", 0]])
    assert options["fields"] == ["name", "id", "write_date"] and options["order"] == "id"
    server.calls.clear()
    read(connect(server, streams, protocol=ODOO), pages[-1].state)
    # Odoo's times are UTC, whatever the source's configured zone.
    assert ["write_date", ">=", "2026-02-05 09:55:00"] in server.calls[0][1]


def test_odoo_tells_a_wrong_password_and_an_error_with_status_200() -> None:
    with pytest.raises(CredentialsError, match="login was refused"):
        read(connect(Odoo("other"), {"people": {"model": "res.partner"}}, protocol=ODOO))
    with pytest.raises(SourceDataError, match=r"reports an error: res\.secret"):
        read(connect(Odoo(), {"people": {"model": "res.secret"}}, protocol=ODOO))


def test_tryton_keeps_its_session_in_a_header_and_its_times_in_objects() -> None:
    calls: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        assert request.url.path == "/srv/db/rpc/"
        if asked["method"] == "common.db.login":
            assert asked["params"] == ["ann", {"password": "p"}]
            return httpx.Response(200, json={"id": 1, "result": [7, "key"]})
        assert asked["method"] == "model.party.party.search_read"
        pair = base64.b64encode(b"ann:7:key").decode()
        assert request.headers["Authorization"] == f"Session {pair}"
        calls.append(asked["params"])
        moment = {"__class__": "datetime", "year": 2026, "month": 2, "day": 3, "hour": 4, "minute": 5, "second": 6}
        value = [{"id": 1, "write_date": None}, {"id": 2, "write_date": moment}] if len(calls) % 2 else []
        return httpx.Response(200, json={"id": 1, "result": value})

    protocol = {"kind": "jsonrpc", "dialect": "tryton", "database": "db", "username": "ann", "password": "p"}
    streams = {"people": {"model": "party.party", "fields": ["name"]}}
    pages = read(connect(handler, streams, protocol=protocol))
    assert keys(pages) == ["1", "2"]
    assert pages[0].rows[1].updated_at == datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    calls.clear()
    read(connect(handler, streams, protocol=protocol), pages[-1].state)
    changed = calls[0][0][0]
    assert changed[0] == "OR" and changed[1][2]["minute"] == 0 and changed[1][2]["__class__"] == "datetime"


def test_tryton_hides_no_inactive_record_where_its_changes_are_asked_for() -> None:
    calls: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        calls.append(asked["params"])
        moment = {"__class__": "datetime", "year": 2026, "month": 2, "day": 3, "hour": 4, "minute": 5, "second": 6}
        found = [{"id": 1, "write_date": moment}] if asked["params"][0][-1] == ["id", ">", 0] else []
        return httpx.Response(200, json={"id": 1, "result": [7, "key"] if "login" in asked["method"] else found})

    protocol = {"kind": "jsonrpc", "dialect": "tryton", "database": "db", "username": "ann", "password": "p"}
    streams = {"people": {"model": "party.party", "domain": [["active", "in", [True, False]]]}}
    pages = read(connect(handler, streams, protocol=protocol))
    calls.clear()
    read(connect(handler, streams, protocol=protocol), pages[-1].state)
    named, changed, _behind = calls[1][0]
    assert named == ["active", "in", [True, False]]
    # Tryton adds `active = true` to a nested list that does not name `active`; this one does, and is true of none.
    assert changed[:2] == ["OR", ["active", "=", None]] and len(changed) == 4


def test_odoo_19_is_asked_by_names_at_an_address_a_method() -> None:
    seen: list[tuple[str, str, Any]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.path, request.headers["authorization"], json.loads(request.content)))
        found = [{"id": 4, "name": "A", "write_date": "2026-02-05 10:00:00"}] if len(seen) == 1 else []
        return httpx.Response(200, json=found)

    streams = {"people": {"model": "res.partner", "fields": ["name"], "context": {"active_test": False}}}
    auth = {"kind": "bearer", "token": "key"}
    pages = read(connect(handler, streams, protocol={"kind": "jsonrpc", "dialect": "odoo_json2"}, auth=auth))
    assert keys(pages) == ["4"]
    path, proof, asked = seen[0]
    assert (path, proof) == ("/srv/json/2/res.partner/search_read", "Bearer key")
    assert asked == {
        "domain": [["id", ">", 0]], "fields": ["name", "id", "write_date"], "limit": 500, "order": "id",
        "context": {"active_test": False},
    }  # fmt: skip


@pytest.mark.parametrize("name", ["builtins.ValueError", "psycopg2.OperationalError"])
def test_odoo_19_tells_a_mistake_in_the_question_and_tries_a_passing_fault_again(name: str) -> None:
    answers = [httpx.Response(500, json={"name": name, "message": "Invalid field"}), httpx.Response(200, json=[])]
    streams = {"people": {"model": "res.partner"}}
    auth = {"kind": "bearer", "token": "key"}
    protocol = {"kind": "jsonrpc", "dialect": "odoo_json2"}
    connector = connect(lambda _request: answers.pop(0), streams, protocol=protocol, auth=auth)
    if name == "builtins.ValueError":
        with pytest.raises(SourceDataError, match="Invalid field"):
            read(connector)
    else:
        read(connector)
        assert not answers


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ({"protocol": {"kind": "soap"}}, r"protocol\.kind is one of"),
        ({"protocol": {"kind": "odata", "version": 5}}, "version"),
        ({"protocol": {"kind": "jsonrpc", "dialect": "odoo"}}, "needs `database`"),
        ({"protocol": {"kind": "odata", "version": 3}, "streams": {"a": {"entity": "A"}}}, "needs `key`"),
        ({"protocol": "odata", "streams": {"a": {"entity": "A", "colour": 1}}}, "colour"),
    ],
)
def test_mistakes_in_short_forms_are_named(manifest: dict[str, Any], words: str) -> None:
    with pytest.raises(SourceConfigurationError, match=words) as caught:
        RestConnector("erp", {"manifest": {"base_url": "https://erp.test", **manifest}})
    assert not re.search("Traceback", str(caught.value))


EDMX = """<?xml version="1.0" encoding="utf-8"?>
<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"><edmx:DataServices>
<Schema Namespace="S" xmlns="http://schemas.microsoft.com/ado/2009/11/edm" xmlns:sap="http://www.sap.com/Protocols/SAPData">
<EntityType Name="Base"><Key><PropertyRef Name="Ref_Key"/></Key><Property Name="Ref_Key" Type="Edm.Guid"/></EntityType>
<EntityType Name="Контрагент" BaseType="S.Base"><Property Name="ИНН" Type="Edm.String" sap:label="ИНН контрагента"/>
<Property Name="Дата" Type="Edm.DateTime"/><Property Name="Телефоны" Type="Collection(S.Phone)"/></EntityType>
<EntityContainer Name="C"><EntitySet Name="Catalog_Контрагенты" EntityType="S.Контрагент"/></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""


def test_an_odata_service_shows_its_entity_sets_and_any_of_them_is_a_stream() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("$metadata"):
            return httpx.Response(200, text=EDMX, headers={"Content-Type": "application/xml"})
        return httpx.Response(200, json={"value": [{"Ref_Key": "a"}] if request.url.params["$skip"] == "0" else []})

    connector = connect(handler, {}, protocol={"kind": "odata", "version": 3})
    with connector:
        (info,) = connector.discover()
        assert (info.name, info.key) == ("Catalog_Контрагенты", "Ref_Key")
        assert [(field.path, field.type, field.label) for field in info.fields] == [
            ("Ref_Key", "text", None), ("ИНН", "text", "ИНН контрагента"), ("Дата", "timestamp", None),
            ("Телефоны", "list", None),
        ]  # fmt: skip
        pages = list(connector.read(StreamRequest(info.name, key="Ref_Key"), None))
    assert keys(pages) == ["a"]


@pytest.mark.parametrize("text", ["<a", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "{}"])
def test_a_metadata_document_that_is_none_is_named(text: str) -> None:
    answer = httpx.Response(200, text=text, headers={"Content-Type": "application/xml"})
    connector = connect(lambda _request: answer, {}, protocol={"kind": "odata"})
    with connector, pytest.raises(SourceDataError, match="at GET"):
        connector.discover()
