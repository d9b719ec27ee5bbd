"""The CRM behaves as a vendor's API does."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from onefold.demo import CrmServer, World, crm_server, generate
from onefold.demo.crm_server import main
from onefold.demo.registers.crm import load_store, save_store

TOKEN = "a-token-of-the-test"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return generate(tmp_path_factory.mktemp("world"), seed=7, scale=0.2)


@pytest.fixture
def server(world: World) -> Iterator[CrmServer]:
    with crm_server(world.folder, TOKEN, rate=10_000, error_rate=0.0, lifetime=60) as running:
        yield running


@pytest.fixture
def client(server: CrmServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {TOKEN}"}) as opened:
        yield opened


def everything(client: httpx.Client, stream: str, **params: Any) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = client.get(stream, params={"limit": 50, **params, **cursor}).raise_for_status().json()
        assert len(answer["results"]) <= 50
        records += answer["results"]
        if "next_cursor" not in answer["paging"]:
            return records
        cursor = {"cursor": answer["paging"]["next_cursor"]}


@pytest.mark.parametrize("stream", ["contacts", "companies", "deals", "activities"])
def test_cursor_pages_give_every_record_once(client: httpx.Client, world: World, stream: str) -> None:
    ids = [record["id"] for record in everything(client, stream)]
    assert len(ids) == len(set(ids))
    assert set(ids) == {record["id"] for record in load_store(world.folder)[stream]}


def test_next_addresses_lead_to_the_end_and_keep_the_filter(client: httpx.Client) -> None:
    url: str | None = str(client.base_url) + "deals?limit=40&updated_since=2025-06-01T00:00:00Z"
    seen = []
    while url:
        answer = client.get(url).json()
        seen += [record["updated_at"] for record in answer["results"]]
        url = answer["paging"].get("next")
    assert seen == sorted(seen)
    assert len(seen) == answer["total"]
    assert all(moment >= "2025-06-01T00:00:00Z" for moment in seen)


@pytest.mark.parametrize("since", ["2025-11-01T03:00:00+03:00", "2025-11-01", "2025-11-01T00:00:00.000000Z"])
def test_updated_since_understands_iso_times(client: httpx.Client, since: str) -> None:
    recent = everything(client, "contacts", updated_since=since)
    assert recent == everything(client, "contacts", updated_since="2025-11-01T00:00:00Z")
    assert 0 < len(recent) < len(everything(client, "contacts"))


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 201}, {"limit": "x"}, {"cursor": "%%%"}, {"updated_since": "last week"}]
)
def test_a_wrong_question_is_a_400(client: httpx.Client, query: dict[str, Any]) -> None:
    assert client.get("contacts", params=query).status_code == 400


def test_an_unknown_resource_is_a_404(client: httpx.Client) -> None:
    assert client.get("secrets").status_code == 404


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}])
def test_a_wrong_token_is_a_401_and_reads_nothing(server: CrmServer, header: dict[str, str]) -> None:
    answer = httpx.get(f"{server.url}/contacts", headers=header)
    assert answer.status_code == 401
    assert TOKEN not in answer.text
    assert server.counts["unauthorised"] == 1


def test_too_many_requests_get_a_429_that_says_when_to_come_back(world: World) -> None:
    with (
        crm_server(world.folder, TOKEN, rate=5, error_rate=0.0, lifetime=60) as server,
        httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {TOKEN}"}) as client,
    ):
        answers = [client.get("me") for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
        assert answers[-1].headers["Retry-After"] == "1"
        time.sleep(1.05)
        assert client.get("me").status_code == 200


def test_failures_are_seeded_and_never_come_twice_running(world: World) -> None:
    def statuses(seed: int) -> list[int]:
        with (
            crm_server(world.folder, TOKEN, rate=10_000, error_rate=0.4, seed=seed, lifetime=60) as server,
            httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {TOKEN}"}) as client,
        ):
            return [client.get("me").status_code for _ in range(40)]

    first = statuses(1)
    assert first == statuses(1)
    assert 500 in first
    assert (500, 500) not in set(itertools.pairwise(first))


def test_a_changed_store_is_served_at_once(client: httpx.Client, world: World) -> None:
    before = everything(client, "companies")
    store = load_store(world.folder)
    store["companies"][0]["name"] = "Переименованная"
    save_store(world.folder, store)
    after = everything(client, "companies")
    assert before != after
    assert "Переименованная" in {record["name"] for record in after}


def test_the_server_ends_with_its_lifetime(world: World) -> None:
    with crm_server(world.folder, TOKEN, lifetime=0.2) as server:
        server.wait()
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url, timeout=2)


def test_it_listens_on_this_machine_only(server: CrmServer) -> None:
    assert server.url.startswith("http://127.0.0.1:")


def test_the_command_needs_a_token(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ONEFOLD_DEMO_CRM_TOKEN", raising=False)
    with pytest.raises(SystemExit):
        main(["--folder", str(world.folder)])
    monkeypatch.setenv("ONEFOLD_DEMO_CRM_TOKEN", TOKEN)
    capsys.readouterr()
    assert main(["--folder", str(world.folder), "--lifetime", "0.2"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("http://127.0.0.1:")
    assert TOKEN not in told
