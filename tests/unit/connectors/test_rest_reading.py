"""A manifest's stream is read page by page, resumed, and kept from endless loops.

The fake sits at the transport.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from connectors.canonical import decode
from connectors.errors import SourceConfigurationError, SourceDataError
from connectors.page import Page, StreamRequest
from connectors.rest.connector import RestConnector

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PEOPLE = [
    {"id": number, "name": f"n{number}", "updated_at": f"2026-02-{number:02d}T10:00:00Z"} for number in range(1, 8)
]
Handler = Callable[[httpx.Request], httpx.Response]


def connect(streams: dict[str, Any], handler: Handler, *, now: datetime = NOW, **manifest: Any) -> RestConnector:
    settings = {"manifest": {"base_url": "https://crm.test/api/", "streams": streams, **manifest}}
    return RestConnector(
        "crm", settings, transport=httpx.MockTransport(handler), pause=lambda _seconds: None, now=lambda: now
    )


def read(connector: RestConnector, state: Any = None, **request: Any) -> list[Page]:
    with connector:
        return list(
            connector.read(StreamRequest("contacts", **request), json.loads(json.dumps(state)) if state else None)
        )


def keys(pages: list[Page]) -> list[str]:
    return [row.key for page in pages for row in page.rows]


def offset_handler(request: httpx.Request) -> httpx.Response:
    offset, limit = int(request.url.params["offset"]), int(request.url.params["limit"])
    return httpx.Response(200, json={"items": PEOPLE[offset : offset + limit], "total": len(PEOPLE)})


def page_handler(request: httpx.Request) -> httpx.Response:
    page = int(request.url.params["page"])
    if page > 3:
        return httpx.Response(404)
    return httpx.Response(200, json={"items": PEOPLE[(page - 1) * 3 : page * 3]})


def cursor_handler(request: httpx.Request) -> httpx.Response:
    start = int(request.url.params.get("after", 0))
    more = start + 3 < len(PEOPLE)
    paging = {"next": {"after": str(start + 3)}} if more else {}
    return httpx.Response(200, json={"items": PEOPLE[start : start + 3], "paging": paging})


def keyset_handler(request: httpx.Request) -> httpx.Response:
    after = int(request.url.params.get("id__gt", 0))
    return httpx.Response(200, json={"items": [person for person in PEOPLE if person["id"] > after][:3]})


def next_url_handler(request: httpx.Request) -> httpx.Response:
    start = int(request.url.params.get("skip", 0))
    body: dict[str, Any] = {"items": PEOPLE[start : start + 3]}
    if start + 3 < len(PEOPLE):
        # Absolute on even pages, relative on odd ones.
        body["next"] = f"contacts?skip={start + 3}" if start else f"https://crm.test/api/contacts?skip={start + 3}"
    return httpx.Response(200, json=body)


def link_handler(request: httpx.Request) -> httpx.Response:
    start = int(request.url.params.get("skip", 0))
    link = f'</api/contacts?skip=0>; rel="first", </api/contacts?skip={start + 3}>; rel="next"' if start + 3 < 7 else ""
    return httpx.Response(200, json={"items": PEOPLE[start : start + 3]}, headers={"Link": link})


PAGINGS: dict[str, tuple[dict[str, Any], Handler]] = {
    "offset": ({"kind": "offset", "limit": 3}, offset_handler),
    "offset with total": ({"kind": "offset", "limit": 3, "total": "total"}, offset_handler),
    "offset, short ends": ({"kind": "offset", "limit": 3, "end": ["short"]}, offset_handler),
    "page": ({"kind": "page", "end": ["404"]}, page_handler),
    "cursor": ({"kind": "cursor", "path": "paging.next.after", "param": "after"}, cursor_handler),
    "keyset": ({"kind": "keyset", "param": "id__gt", "key": "id"}, keyset_handler),
    "next_url": ({"kind": "next_url", "path": "next"}, next_url_handler),
    "link header": ({"kind": "next_url", "header": "Link"}, link_handler),
}


@pytest.fixture(params=PAGINGS, ids=str)
def source(request: pytest.FixtureRequest) -> Callable[[], RestConnector]:
    paging, handler = PAGINGS[request.param]
    stream = {"path": "contacts", "records": "items", "key": "id", "paging": paging}
    return lambda: connect({"contacts": stream}, handler)


def test_every_paging_reads_everything_once(source: Callable[[], RestConnector]) -> None:
    assert keys(read(source())) == [str(number) for number in range(1, 8)]


def test_every_paging_resumes_at_the_page_after_a_kill(source: Callable[[], RestConnector]) -> None:
    whole = read(source())
    for count in range(1, len(whole)):
        rest = read(source(), whole[count - 1].state)
        assert keys(whole[:count]) + keys(rest) == keys(whole)
        assert rest[-1].state == whole[-1].state


def test_a_plain_stream_takes_few_lines_of_yaml() -> None:
    text = """
manifest:
  base_url: https://crm.test/api
  auth: {kind: bearer, token: secret}
  streams:
    contacts:
      path: contacts
      records: items
      key: id
      paging: {kind: offset, limit: 3}
"""
    assert len(text.strip().splitlines()) <= 10
    settings = YAML(typ="safe").load(text)
    with RestConnector("crm", settings, transport=httpx.MockTransport(offset_handler)) as connector:
        assert len(keys(list(connector.read(StreamRequest("contacts"), None)))) == 7


def test_a_bare_list_is_a_page() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=PEOPLE)

    assert len(keys(read(connect({"contacts": {"path": "contacts", "key": "id"}}, handler)))) == 7


def test_no_content_is_the_end() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        return httpx.Response(204) if page > 1 else httpx.Response(200, json={"items": PEOPLE})

    stream = {"path": "contacts", "records": "items", "key": "id", "paging": {"kind": "page"}}
    assert len(keys(read(connect({"contacts": stream}, handler)))) == 7


@pytest.mark.parametrize("kind", ["page", "offset"])
def test_a_page_that_repeats_for_ever_is_an_error(kind: str) -> None:
    stream = {"path": "contacts", "records": "items", "key": "id", "paging": {"kind": kind}}
    connector = connect({"contacts": stream}, lambda _request: httpx.Response(200, json={"items": PEOPLE}))
    with pytest.raises(SourceDataError, match=r"crm:contacts.*same page a second time.*paging"):
        read(connector)


@pytest.mark.parametrize(
    ("paging", "body"),
    [
        ({"kind": "cursor", "path": "next", "param": "after"}, {"next": "same"}),
        ({"kind": "next_url", "path": "next"}, {"next": "/api/contacts?x=1"}),
    ],
)
def test_a_repeated_cursor_is_an_error(paging: dict[str, Any], body: dict[str, Any]) -> None:
    counter = iter(range(1000))

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"items": [{"id": next(counter)}], **body})

    stream = {"path": "contacts", "records": "items", "key": "id", "paging": paging}
    with pytest.raises(SourceDataError, match="second time"):
        read(connect({"contacts": stream}, handler))


def test_a_next_page_on_another_host_is_refused_unless_the_host_is_kept() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "crm.test"
        if "skip" in request.url.params:
            return httpx.Response(200, json={"items": PEOPLE[3:]})
        return httpx.Response(200, json={"items": PEOPLE[:3], "next": "http://inner:8080/api/contacts?skip=3"})

    stream = {
        "path": "contacts",
        "records": "items",
        "key": "id",
        "paging": {"kind": "next_url", "path": "next"},
    }
    with pytest.raises(SourceDataError, match=r"another host \(inner\).*keep_host"):
        read(connect({"contacts": stream}, handler))
    stream["paging"] = {"kind": "next_url", "path": "next", "keep_host": True}
    assert len(keys(read(connect({"contacts": stream}, handler)))) == 7


def test_a_selector_that_finds_nothing_names_what_came() -> None:
    stream = {"path": "contacts", "records": "data.items", "key": "id"}
    connector = connect({"contacts": stream}, lambda _request: httpx.Response(200, json={"items": [], "took": 1}))
    with pytest.raises(SourceDataError, match=r"data\.items.*items, took"):
        read(connector)


def test_bad_rows_are_set_aside_with_their_place() -> None:
    body = (
        b'{"items": [{"id": 1}, {"name": "x"}, {"id": 2, "t": "a\\u0000"}, "text", {"id": 1.0, "v": 2},'
        b'{"id": 3, "b": 123456789012345678901234567890}]}'
    )
    connector = connect(
        {"contacts": {"path": "contacts", "records": "items", "key": "id"}},
        lambda _: httpx.Response(200, content=body),
    )
    (page,) = read(connector)
    assert [row.key for row in page.rows] == ["1", "3"]
    assert b"123456789012345678901234567890" in page.rows[1].payload
    assert [(item.reason, item.place) for item in page.rejects] == [
        ("missing-key", "contacts page 1 record 2"),
        ("not-storable", "contacts page 1 record 3"),
        ("malformed-row", "contacts page 1 record 4"),
        ("duplicate-key", "contacts page 1 record 1"),
    ]


class ChangesServer:
    """A register with a time filter, and a clock of its own."""

    def __init__(self, skew: timedelta = timedelta()) -> None:
        self.people = {person["id"]: dict(person) for person in PEOPLE}
        self.asked: list[dict[str, str]] = []
        self.skew = skew

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(dict(request.url.params))
        since, until = request.url.params.get("since", ""), request.url.params.get("until", "~")
        found = sorted(
            (person for person in self.people.values() if since <= person["updated_at"] <= until),
            key=lambda person: person["id"],
        )
        offset = int(request.url.params["offset"])
        headers = {"Date": format_datetime(NOW + self.skew, usegmt=True)}
        return httpx.Response(200, json={"items": found[offset : offset + 3]}, headers=headers)

    def connector(self, **stream: Any) -> RestConnector:
        spec = {
            "path": "contacts",
            "records": "items",
            "key": "id",
            "updated_at": "updated_at",
            "paging": {"kind": "offset", "limit": 3},
            "changes": {"param": "since", "until_param": "until", "lookback": "1h"},
            **stream,
        }
        return connect({"contacts": spec}, self)


def test_only_changes_are_asked_for_after_the_first_read() -> None:
    server = ChangesServer()
    first = read(server.connector())
    assert len(keys(first)) == 7
    assert "since" not in server.asked[0]
    assert server.asked[0]["until"] == "2026-03-01T12:00:00Z"
    server.people[2]["updated_at"] = "2026-02-28T09:00:00Z"
    server.asked.clear()
    second = read(server.connector(), first[-1].state)
    assert server.asked[0]["since"] == "2026-02-07T09:00:00Z"
    assert keys(second) == ["2", "7"]
    assert read(server.connector(), second[-1].state)[-1].state == second[-1].state


def test_the_pass_keeps_its_bounds_when_it_is_resumed() -> None:
    server = ChangesServer()
    whole = read(server.connector())
    server.asked.clear()
    rest = read(server.connector(), whole[0].state)
    assert server.asked[0]["until"] == "2026-03-01T12:00:00Z"
    assert rest[-1].state == whole[-1].state


@pytest.mark.parametrize("skew", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_source_whose_clock_is_an_hour_off_loses_nothing(skew: timedelta) -> None:
    server = ChangesServer(skew)
    stamp = (NOW + skew - timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    server.people[1]["updated_at"] = stamp
    state = read(server.connector())[-1].state
    later = (NOW + skew + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    server.people[3]["updated_at"] = later
    connector = server.connector()
    connector._now = lambda: NOW + timedelta(hours=2)
    assert "3" in keys(read(connector, state))


def test_a_record_of_the_year_2099_does_not_end_later_reading() -> None:
    server = ChangesServer()
    server.people[1]["updated_at"] = "2099-01-01T00:00:00Z"
    stream = {"changes": {"param": "since", "lookback": "1h"}}
    state = read(server.connector(**stream))[-1].state
    assert state["since"] <= NOW.isoformat()


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("epoch", "1772323200"),
        ("epoch_ms", "1772323200000"),
        ("date", "2026-03-01"),
        ("sql", "2026-03-01 03:00:00"),
        ("odata", "datetime'2026-03-01T03:00:00'"),
        ("%d.%m.%Y", "01.03.2026"),
        ("http", "Sun, 01 Mar 2026 00:00:00 GMT"),
    ],
)
def test_times_are_written_as_the_source_wants_them(how: str, text: str) -> None:
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=[])

    stream = {
        "path": "contacts",
        "key": "id",
        "updated_at": "at",
        "changes": {"param": "filter", "template": "updated>={since}", "format": how, "lookback": 0},
    }
    connector = connect({"contacts": stream}, handler)
    state = read(connector, timezone="Europe/Moscow")
    assert state == [] or state[-1].rows == []
    first = read(
        connect(
            {"contacts": stream},
            lambda _: httpx.Response(200, json=[{"id": 1, "at": "2026-03-01T00:00:00Z"}]),
        ),
        timezone="Europe/Moscow",
    )
    read(connect({"contacts": stream}, handler), first[-1].state, timezone="Europe/Moscow")
    assert asked[-1].url.params["filter"] == f"updated>={text}"


def test_flagged_records_are_tombstones() -> None:
    people = [{"id": 1, "DeletionMark": False}, {"id": 2, "DeletionMark": True}]
    stream = {"path": "contacts", "key": "id", "deletes": {"kind": "flag", "path": "DeletionMark"}}
    (page,) = read(connect({"contacts": stream}, lambda _: httpx.Response(200, json=people)))
    assert (keys([page]), list(page.tombstones)) == (["1"], ["2"])


def test_a_key_that_is_given_again_outlives_the_deletion_of_its_earlier_record() -> None:
    listed = {"Oak": "2026-02-20T10:00:00Z"}
    gone: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("bin"):
            return httpx.Response(200, json=[{"name": name} for name in gone])
        return httpx.Response(200, json=[{"name": name, "updated_at": at} for name, at in listed.items()])

    stream = {
        "path": "contacts", "key": "name", "updated_at": "updated_at", "changes": {"param": "since"},
        "deletes": [{"kind": "tombstones", "path": "bin", "key": "name"}],
    }  # fmt: skip
    first = read(connect({"contacts": stream}, handler))
    listed["Oak"] = "2026-03-01T11:00:00Z"  # deleted, and made anew under its name
    gone += ["Oak", "Elm"]
    second = read(connect({"contacts": stream}, handler), first[-1].state)
    assert keys(second) == ["Oak"] and [key for page in second for key in page.tombstones] == ["Elm"]
    listed.clear()  # deleted for good
    third = read(connect({"contacts": stream}, handler), second[-1].state)
    assert not keys(third) and [key for page in third for key in page.tombstones] == ["Oak", "Elm"]


def test_a_sweep_marks_a_complete_pass_and_resumes_the_same_one() -> None:
    stream = {
        "path": "contacts",
        "records": "items",
        "key": "id",
        "paging": {"kind": "offset", "limit": 3},
        "deletes": "sweep",
    }
    whole = read(connect({"contacts": stream}, offset_handler))
    marks = [page.snapshot for page in whole]
    assert [mark.is_complete for mark in marks if mark] == [False] * (len(whole) - 1) + [True]
    rest = read(connect({"contacts": stream}, offset_handler), whole[0].state)
    assert [page.snapshot for page in rest] == marks[1:]
    again = read(connect({"contacts": stream}, offset_handler), whole[-1].state)
    assert again[0].snapshot is not None
    assert again[0].snapshot.pass_id != marks[0].pass_id if marks[0] else False


def test_a_sweep_may_be_due_only_now_and_then() -> None:
    server = ChangesServer()
    sweep = {"deletes": {"kind": "sweep", "every": "1d"}}
    first = read(server.connector(**sweep))
    assert first[-1].snapshot is not None
    soon = server.connector(**sweep)
    pages = read(soon, first[-1].state)
    assert all(page.snapshot is None for page in pages)
    late = server.connector(**sweep)
    late._now = lambda: NOW + timedelta(days=2)
    assert read(late, first[-1].state)[-1].snapshot is not None


def test_bodies_are_templates() -> None:
    asked: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(decode(request.content))
        start = asked[-1].get("offset", 0)
        return httpx.Response(200, json={"result": PEOPLE[start : start + 3]})

    stream = {
        "path": "rpc",
        "method": "POST",
        "records": "result",
        "key": "id",
        "body": {
            "method": "contact.list",
            "offset": "{offset}",
            "filter": {"since": "{since}"},
            "q": "limit {limit}",
        },
        "paging": {"kind": "offset", "limit": 3, "param": None, "limit_param": None},
    }
    assert len(keys(read(connect({"contacts": stream}, handler)))) == 7
    assert asked[1] == {"method": "contact.list", "offset": 3, "filter": {}, "q": "limit 3"}


def test_options_of_the_stream_add_to_the_manifest() -> None:
    seen: list[httpx.URL] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        return httpx.Response(200, json=PEOPLE)

    stream = {"path": "contacts", "params": {"a": 1, "city": "Köln & Москва"}, "key": "id"}
    read(connect({"contacts": stream}, handler), options={"params": {"b": True}})
    assert dict(seen[0].params) == {"a": "1", "b": "true", "city": "Köln & Москва"}
    read(connect({}, handler), options={"path": "people"}, key="id")
    assert seen[-1].path == "/api/people"


def test_an_unknown_stream_suggests_the_nearest() -> None:
    with pytest.raises(SourceConfigurationError, match="Did you mean 'contact'"):
        read(connect({"contact": {"path": "x"}}, offset_handler))


def test_discovery_and_check_show_what_the_source_holds() -> None:
    stream = {
        "path": "contacts",
        "records": "items",
        "key": "id",
        "updated_at": "updated_at",
        "paging": {"kind": "offset", "limit": 3},
        "deletes": "sweep",
    }
    with connect({"contacts": stream}, offset_handler) as connector:
        (info,) = connector.discover()
        assert (info.name, info.key, info.updated_at, info.deletes) == (
            "contacts",
            "id",
            "updated_at",
            "sweep",
        )
        assert {field.path: field.type for field in info.fields} == {
            "id": "number",
            "name": "text",
            "updated_at": "timestamp",
        }
        assert "crm.test answers" in connector.check().message


def test_the_next_page_is_fetched_while_the_current_one_lands() -> None:
    import threading

    asked = threading.Semaphore(0)

    def handler(request: httpx.Request) -> httpx.Response:
        asked.release()
        return offset_handler(request)

    stream = {"path": "contacts", "records": "items", "key": "id", "paging": {"kind": "offset", "limit": 1}}
    with connect({"contacts": stream}, handler) as connector:
        pages: Iterator[Page] = connector.read(StreamRequest("contacts"), None)
        next(pages)
        for _ in range(2):
            assert asked.acquire(timeout=5)
        pages.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name == "onefold-prefetch"]
