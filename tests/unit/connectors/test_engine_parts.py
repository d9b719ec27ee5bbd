"""Tokens and sessions, deletions, deltas, caps and children: each against answers in the documented shapes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from connectors.errors import ComeBackLater, CredentialsError, SourceConfigurationError, SourceDataError
from connectors.page import Page, StreamRequest
from connectors.rest.connector import RestConnector
from connectors.templates import render
from connectors.tokens import MemoryTokens

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Handler = Callable[[httpx.Request], httpx.Response]
SECRET = "geheim-4711"


def connect(handler: Handler, streams: dict[str, Any] | None = None, *, now: datetime = NOW, **manifest: Any) -> Any:
    streams = streams or {"contacts": {"path": "contacts", "key": "id"}}
    made = {"base_url": "https://crm.test/api", "streams": streams, **manifest}
    transport = httpx.MockTransport(handler)
    return RestConnector("crm", {"manifest": made}, transport=transport, pause=lambda _s: None, now=lambda: now)


def read(connector: Any, state: Any = None, name: str = "contacts", **request: Any) -> list[Page]:
    with connector:
        return list(connector.read(StreamRequest(name, **request), json.loads(json.dumps(state)) if state else None))


def keys(pages: list[Page]) -> list[str]:
    return [row.key for page in pages for row in page.rows]


def gone(pages: list[Page]) -> list[str]:
    return [key for page in pages for key in page.tombstones]


class RotatingServer:
    """Gives a new refresh token with each use and refuses one that was used."""

    def __init__(self) -> None:
        self.refresh, self.access, self.refreshed = "first", "none-yet", 0
        self.lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self.lock:
            if request.url.host == "login.test":
                form = parse_qs(request.content.decode())
                if form["refresh_token"] != [self.refresh]:
                    return httpx.Response(400, json={"error": "invalid_grant", "error_description": SECRET})
                self.refreshed += 1
                self.refresh, self.access = f"refresh-{self.refreshed}", f"access-{self.refreshed}"
                time.sleep(0.02)
                return httpx.Response(
                    200, json={"access_token": self.access, "refresh_token": self.refresh, "expires_in": 3600}
                )
            if request.headers.get("Authorization") != f"Bearer {self.access}":
                return httpx.Response(401, json={"error": "expired"})
            return httpx.Response(200, json=[{"id": 1}])


ROTATING = {
    "kind": "oauth2", "grant": "refresh_token", "token_url": "https://login.test/token",
    "client_id": "me", "client_secret": SECRET, "refresh_token": "first",
}  # fmt: skip


def test_two_readers_at_once_burn_no_rotating_refresh_token() -> None:
    server, store, failures = RotatingServer(), MemoryTokens(), []

    def one() -> None:
        try:
            connector = connect(server, auth=ROTATING)
            connector.keep_tokens(store)
            assert keys(read(connector)) == ["1"]
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert server.refreshed == 1


def test_a_token_revoked_in_mid_run_is_renewed_once_and_a_refused_refresh_says_what_to_do() -> None:
    server, store = RotatingServer(), MemoryTokens()
    first = connect(server, auth=ROTATING)
    first.keep_tokens(store)
    read(first)
    server.access = "revoked"
    second = connect(server, auth=ROTATING)
    second.keep_tokens(store)
    assert keys(read(second)) == ["1"]
    assert server.refreshed == 2
    server.access = server.refresh = "revoked"
    third = connect(server, auth=ROTATING)
    third.keep_tokens(store)
    with pytest.raises(CredentialsError, match=r"invalid_grant.*authorise") as caught:
        read(third)
    assert SECRET not in str(caught.value)


def test_client_credentials_and_signed_assertions_get_a_token() -> None:
    asked: list[dict[str, list[str]]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.host == "login.test":
            asked.append(parse_qs(request.content.decode()))
            return httpx.Response(200, json={"access_token": "t-1", "expires_in": 3600})
        assert request.headers["Authorization"] == "Bearer t-1"
        return httpx.Response(200, json=[{"id": 1}])

    plain = {
        "kind": "oauth2",
        "token_url": "https://login.test/t",
        "client_id": "me",
        "client_secret": SECRET,
        "scope": "all",
    }
    assert keys(read(connect(handler, auth=plain))) == ["1"]
    assert asked[0]["grant_type"] == ["client_credentials"] and asked[0]["scope"] == ["all"]
    key = "a shared secret that is long enough for HS256"
    claims = {
        "private_key": key,
        "algorithm": "HS256",
        "issuer": "me",
        "subject": "ann@x.test",
        "audience": "https://login.test",
    }
    signed = {"kind": "oauth2", "grant": "jwt_bearer", "token_url": "https://login.test/t", "jwt": claims}
    assert keys(read(connect(handler, auth=signed))) == ["1"]
    import jwt

    said = jwt.decode(
        asked[1]["assertion"][0], key, ["HS256"], audience="https://login.test", options={"verify_iat": False}
    )
    assert (said["iss"], said["sub"]) == ("me", "ann@x.test")


def test_a_session_logs_in_again_when_it_has_ended_and_its_values_stand_in_bodies() -> None:
    logins: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if request.url.path == "/api/login":
            logins.append(body)
            return httpx.Response(200, json={"uid": len(logins)}, headers={"Set-Cookie": f"session=s{len(logins)}"})
        if len(logins) == 1 and body["page"] == 1:
            return httpx.Response(401)
        assert request.headers["Cookie"] == "session=s2" and body["uid"] == 2 and request.headers["X-Uid"] == "2"
        return httpx.Response(200, json=[{"id": n} for n in range(2)] if body["page"] == 1 else [])

    auth = {
        "kind": "session", "path": "login", "body": {"password": SECRET}, "values": {"uid": "uid"},
        "headers": {"X-Uid": "{uid}"},
    }  # fmt: skip
    stream = {
        "path": "q", "method": "POST", "key": "id", "body": {"uid": "{uid}", "page": "{page}"},
        "paging": {"kind": "page", "param": None},
    }  # fmt: skip
    assert keys(read(connect(handler, {"contacts": stream}, auth=auth))) == ["0", "1"]
    assert len(logins) == 2


@pytest.mark.parametrize("answer", [httpx.Response(200, json={"uid": False}), httpx.Response(403, json={})])
def test_a_refused_login_is_told_without_the_password(answer: httpx.Response) -> None:
    auth = {"kind": "session", "path": "login", "body": {"password": SECRET}, "values": {"uid": "uid"}}
    with pytest.raises(CredentialsError, match="login was refused") as caught:
        read(connect(lambda _request: answer, auth=auth))
    assert SECRET not in str(caught.value)


def test_of_several_ways_the_first_with_all_its_values_is_taken() -> None:
    seen: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("Authorization"))
        return httpx.Response(200, json=[])

    manifest = {
        "base_url": "https://crm.test",
        "parameters": {"token": {"optional": True}, "user": {"optional": True}},
        "auth": [{"kind": "bearer", "token": "{token}"}, {"kind": "basic", "username": "{user}"}],
        "streams": {"contacts": {"path": "c", "key": "id"}},
    }
    for given in ({"token": "abc"}, {"user": "ann"}):
        settings = {"manifest": manifest, "parameters": given}
        read(RestConnector("crm", settings, transport=httpx.MockTransport(handler)))
    assert seen[0] == "Bearer abc" and (seen[1] or "").startswith("Basic ")
    with pytest.raises(SourceConfigurationError, match="no credentials: give token or user"):
        RestConnector("crm", {"manifest": manifest})


class DeltaServer:
    """OData 4 with delta links: a full read of two pages, then what changed; old tokens are gone."""

    def __init__(self) -> None:
        self.expired, self.asked = False, []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        query = dict(request.url.params)
        if "$deltatoken" in query:
            if self.expired:
                return httpx.Response(410, json={"error": {"code": "410"}})
            removed = [
                {"@removed": {"reason": "deleted"}, "ID": 2},
                {
                    "@odata.context": "$metadata#C/$deletedEntity",
                    "id": "https://crm.test/api/C(3)",
                    "reason": "deleted",
                },
            ]
            return httpx.Response(200, json={"value": [{"ID": 9}, *removed], "@odata.deltaLink": "C?$deltatoken=two"})
        if "$skiptoken" in query:
            return httpx.Response(200, json={"value": [{"ID": 3}], "@odata.deltaLink": "C?$deltatoken=one"})
        assert request.headers["Prefer"] == "odata.track-changes"
        return httpx.Response(200, json={"value": [{"ID": 1}, {"ID": 2}], "@odata.nextLink": "C?$skiptoken=2"})


ENTITY = {"contacts": {"entity": "C", "key": "ID", "delta": True}}


def test_a_delta_brings_changes_and_deletions_and_an_expired_one_reads_everything_anew() -> None:
    server = DeltaServer()
    protocol = {"kind": "odata", "version": 4}
    first = read(connect(server, ENTITY, protocol=protocol))
    assert keys(first) == ["1", "2", "3"] and first[-1].snapshot and first[-1].snapshot.is_complete
    second = read(connect(server, ENTITY, protocol=protocol), first[-1].state)
    assert keys(second) == ["9"] and gone(second) == ["2", "3"] and second[-1].snapshot is None
    server.expired = True
    third = read(connect(server, ENTITY, protocol=protocol), second[-1].state)
    assert keys(third) == ["1", "2", "3"]
    assert (
        third[-1].snapshot
        and third[-1].snapshot.is_complete
        and third[-1].snapshot.pass_id != first[-1].snapshot.pass_id
    )


def test_tombstones_and_archived_records_are_asked_for_after_the_stream() -> None:
    asked: list[dict[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        if request.url.path.endswith("/deleted"):
            return httpx.Response(200, json={"items": [{"contact": 7, "was": "x"}, {"note": 1}]})
        number = 5 if "archived" in request.url.params else 1
        return httpx.Response(200, json=[{"id": number, "at": "2026-02-01T00:00:00Z"}])

    stream = {
        "path": "contacts", "key": "id", "updated_at": "at", "changes": {"param": "since", "lookback": 0},
        "deletes": [
            {"kind": "archived", "params": {"archived": True}},
            {"kind": "tombstones", "path": "deleted", "records": "items", "key": "contact"},
        ],
    }  # fmt: skip
    first = read(connect(handler, {"contacts": stream}))
    assert keys(first) == ["1"] and gone(first) == ["5", "7"]
    assert [reject.reason for page in first for reject in page.rejects] == ["missing-key"]
    asked.clear()
    again = connect(handler, {"contacts": stream})
    read(again, first[-1].state)
    assert [query.get("since") for query in asked] == ["2026-02-01T00:00:00Z"] * 3
    # Killed between the stream and a feed: the next reader goes on with the feed.
    asked.clear()
    rest = read(connect(handler, {"contacts": stream}), first[0].state)
    assert keys(rest) == [] and gone(rest) == ["5", "7"] and len(asked) == 2


class CappedServer:
    """Brings at most 10 records for one question, without saying that there were more."""

    def __init__(self, moments: list[datetime]) -> None:
        self.records = [{"id": n, "at": moment.isoformat()} for n, moment in enumerate(moments)]
        self.most = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        low, high = (datetime.fromisoformat(request.url.params[name]) for name in ("from", "to"))
        found = [record for record in self.records if low <= datetime.fromisoformat(record["at"]) <= high]
        self.most = max(self.most, len(found))
        return httpx.Response(200, json=found[:10])


CAPPED = {
    "path": "contacts", "key": "id", "updated_at": "at",
    "changes": {"param": "from", "until_param": "to", "cap": 10, "start": "2026-01-01"},
}  # fmt: skip


def test_a_question_at_the_cap_is_halved_and_nothing_is_lost() -> None:
    burst = [datetime(2026, 2, 3, 4, 5, tzinfo=UTC) + timedelta(seconds=n * 7) for n in range(60)]
    server = CappedServer([*burst, *(datetime(2026, 1, n, tzinfo=UTC) for n in range(1, 31))])
    pages = read(connect(server, {"contacts": CAPPED}))
    assert set(keys(pages)) == {str(n) for n in range(90)}
    assert server.most > 10
    for cut in range(len(pages)):
        rest = read(connect(server, {"contacts": CAPPED}), pages[cut].state)
        assert set(keys(pages[: cut + 1])) | set(keys(rest)) == {str(n) for n in range(90)}


def test_more_than_the_cap_within_one_second_is_an_error_not_a_loss() -> None:
    server = CappedServer([datetime(2026, 2, 3, tzinfo=UTC)] * 11)
    with pytest.raises(SourceDataError, match="within one second"):
        read(connect(server, {"contacts": CAPPED}))


def test_a_mark_older_than_the_source_remembers_reads_everything() -> None:
    asked: list[dict[str, str]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        return httpx.Response(200, json=[{"id": 1, "at": "2026-02-28T00:00:00Z"}])

    stream = {"path": "c", "key": "id", "updated_at": "at", "changes": {"param": "since", "oldest": "30d"}}
    state = read(connect(handler, {"contacts": stream}))[-1].state
    read(connect(handler, {"contacts": stream}, now=NOW + timedelta(days=5)), state)
    read(connect(handler, {"contacts": stream}, now=NOW + timedelta(days=50)), state)
    assert ["since" in query for query in asked] == [False, True, False]


COMPANIES = [{"id": n, "at": f"2026-02-{n:02d}T00:00:00Z", "kind": "firm" if n != 4 else "other"} for n in range(1, 8)]


def children_handler(asked: list[str]) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path + "?" + request.url.query.decode())
        if request.url.path.endswith("/companies"):
            start, since = int(request.url.params.get("offset", 0)), request.url.params.get("since", "")
            found = [company for company in COMPANIES if company["at"] >= since]
            return httpx.Response(200, json=found[start : start + 3])
        if request.url.path.endswith("/people"):
            ids = request.url.params["ids"].split(",")
            return httpx.Response(200, json={f"c{n}": [{"id": f"{n}-{m}"} for m in "ab"] for n in ids})
        company = request.url.path.split("/")[-2]
        return (
            httpx.Response(404)
            if company == "5"
            else httpx.Response(200, json=[{"id": f"{company}-{m}"} for m in "ab"])
        )

    return handler


def child_streams(**parent: Any) -> dict[str, Any]:
    return {
        "companies": {
            "path": "companies", "key": "id", "updated_at": "at", "paging": {"kind": "offset", "limit": 3},
            "changes": {"param": "since", "lookback": 0},
        },
        "contacts": {
            "path": "companies/{company}/people2", "key": "id", "empty_on": [404],
            "parent": {"stream": "companies", "values": {"company": "id"}, "carry": {"company_id": "id"}, **parent},
        },
    }  # fmt: skip


def test_children_are_asked_for_parent_by_parent_and_carry_their_parent() -> None:
    asked: list[str] = []
    pages = read(connect(children_handler(asked), child_streams(where={"kind": "firm"})))
    assert keys(pages) == [f"{n}-{m}" for n in (1, 2, 3, 6, 7) for m in "ab"]
    assert json.loads(pages[0].rows[0].payload)["company_id"] == 1
    asked.clear()
    again = read(connect(children_handler(asked), child_streams(where={"kind": "firm"})), pages[-1].state)
    # Only the parents that changed since the last one seen.
    assert keys(again) == ["7-a", "7-b"] and len(asked) == 3


def test_children_come_in_batches_and_resume_behind_the_parents_that_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.rest.children.ENOUGH", 3)
    streams = child_streams()
    streams["contacts"] |= {
        "path": "people", "params": {"ids": "{companies|list}"}, "shape": "map",
        "parent": {"stream": "companies", "values": {"companies": "id"}, "batch": 2},
    }  # fmt: skip
    whole = read(connect(children_handler([]), streams))
    assert keys(whole) == [f"{n}-{m}" for n in range(1, 8) for m in "ab"]
    assert len(whole) > 3
    for cut in range(1, len(whole)):
        rest = read(connect(children_handler([]), streams), whole[cut - 1].state)
        assert keys(whole[:cut]) + keys(rest) == keys(whole)


def test_offsets_over_a_set_that_shrinks_lose_nothing_with_an_overlap() -> None:
    people = [{"id": n} for n in range(40)]
    asked: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        offset, limit = (int(request.url.params[name]) for name in ("offset", "limit"))
        asked.append(offset)
        answer = people[offset : offset + limit]
        if len(asked) == 2:
            del people[2:8]  # six records before the reader's place go away
        return httpx.Response(200, json=answer)

    stream = {"path": "c", "key": "id", "paging": {"kind": "offset", "limit": 5, "overlap": 1}}
    pages = read(connect(handler, {"contacts": stream}))
    assert {str(person["id"]) for person in people} <= set(keys(pages))
    assert len(asked) < 20


def test_a_spent_day_budget_comes_back_later_instead_of_sleeping() -> None:
    handler = lambda _request: httpx.Response(200, json=[{"id": 1}], headers={"X-Left": "0", "X-Reset": "7200"})  # noqa: E731
    signals = [{"header": "X-Reset", "remaining": "X-Left"}]
    connector = connect(handler, limits={"signals": signals})
    with connector:
        assert [row.key for page in connector.read(StreamRequest("contacts"), None) for row in page.rows] == ["1"]
        with pytest.raises(ComeBackLater, match="budget is spent") as caught:
            list(connector.read(StreamRequest("contacts"), None))
    assert timedelta(hours=1) < caught.value.retry_at - datetime.now(UTC) <= timedelta(hours=2)


def test_directives_make_queries_whose_conditions_come_and_go() -> None:
    query = {
        "$join": " ",
        "$of": [
            "SELECT Id FROM C",
            {"$join": " AND ", "$prefix": "WHERE ", "$of": ["At >= {since}", "Id > {after|quoted}"]},
        ],
    }
    assert render(query, {}) == "SELECT Id FROM C"
    assert render(query, {"since": 1, "after": "O'N"}) == "SELECT Id FROM C WHERE At >= 1 AND Id > 'O''N'"
    assert render({"f": {"$json": [{"$if": "since", "$then": ["m", ">=", "{since}"]}]}}, {}) == {"f": "[]"}
    each = {"$each": "ids", "$key": "c{item}", "$value": "get?id={item}"}
    assert render(each, {"ids": [1, 2]}) == {"c1": "get?id=1", "c2": "get?id=2"}


@pytest.mark.parametrize(
    "auth",
    [
        {"kind": "oauth2", "token_url": "https://login.test/t", "client_id": "me", "client_secret": SECRET},
        {
            "kind": "session",
            "path": "login",
            "body": {"p": SECRET},
            "values": {"key": "key"},
            "headers": {"X-Key": "{key}"},
        },
    ],
    ids=["oauth2", "session"],
)
def test_tokens_and_cookies_follow_no_redirect_to_another_host(auth: dict[str, Any]) -> None:
    strangers: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.host == "elsewhere.test":
            strangers.append(request)
            return httpx.Response(200, json=[])
        if request.url.host == "login.test" or request.url.path.endswith("/login"):
            token = {"access_token": "token-9", "key": "token-9"}
            return httpx.Response(200, json=token, headers={"Set-Cookie": "session=token-9"})
        return httpx.Response(302, headers={"Location": "https://elsewhere.test/x"})

    read(connect(handler, auth=auth, headers={"X-Own": "mine"}))
    sent = " ".join(f"{name}={value}" for name, value in strangers[0].headers.items())
    assert "token-9" not in sent and "mine" not in sent


def test_a_token_endpoint_that_redirects_gets_no_secret_twice() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(307, headers={"Location": "https://elsewhere.test/x"})

    auth = {"kind": "oauth2", "token_url": "https://login.test/t", "client_id": "me", "client_secret": SECRET}
    with pytest.raises(SourceDataError, match="credentials do not follow it"):
        read(connect(handler, auth=auth))
    assert asked == ["login.test"]


def test_odd_times_huge_numbers_and_double_keys_of_a_page_are_kept_or_told() -> None:
    body = b"""[{"id": 1, "at": "0000-00-00"}, {"id": 2, "at": "1753-01-01T00:00:00"}, {"id": 18446744073709551617, "at": 1},
        {"id": 1, "at": "2026-02-01"}, {"id": 3, "at": "9999-12-31T23:59:59+00:00"}]"""
    stream = {"path": "c", "key": "id", "updated_at": "at", "changes": {"param": "since"}}
    pages = read(connect(lambda _request: httpx.Response(200, content=body), {"contacts": stream}))
    assert keys(pages) == ["2", "18446744073709551617", "1", "3"]
    assert [reject.reason for reject in pages[0].rejects] == ["duplicate-key"]
    # A record dated 9999 does not end all later reading.
    assert pages[-1].state["since"] == NOW.isoformat()


def test_fields_that_may_not_be_described_are_discovered_all_the_same() -> None:
    described = {"path": "fields", "fields": "fields", "name": "id", "label": "title", "prefix": "uf"}

    def handler(request: httpx.Request, *, allowed: bool) -> httpx.Response:
        if request.url.path.endswith("/fields"):
            fields = [
                {"id": "uf1", "title": "Shoe size"},
                {"id": "uf2", "title": "Card"},
                {"id": "name", "title": "Name"},
            ]
            return httpx.Response(200, json={"fields": fields}) if allowed else httpx.Response(403)
        return httpx.Response(200, json=[{"id": 1, "uf1": 42}])

    streams = {"contacts": {"path": "contacts", "key": "id", "described": described}}
    for allowed, labels in (
        (True, {"id": None, "uf1": "Shoe size", "uf2": "Card"}),
        (False, {"id": None, "uf1": None}),
    ):
        with connect(lambda request, allowed=allowed: handler(request, allowed=allowed), streams) as connector:  # type: ignore[misc]
            (found,) = connector.discover()
        assert {field.path: field.label for field in found.fields} == labels
