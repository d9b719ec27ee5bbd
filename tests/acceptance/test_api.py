"""The read API over HTTP: what it answers, to whom, and what it writes down about it."""

from __future__ import annotations

import base64
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.acceptance.conftest import fill
from tests.support import database as databases
from tests.support.cli import environment, onefold
from tests.support.hub import Hub
from tests.support.served import asking, served, token

EVERYTHING = ("clients", "values", "match", "changes", "cases", "judge")
ANNA, PETR, ROMASHKA = "crm:contacts:2", "crm:contacts:1", "crm:companies:10"


@dataclass
class Api:
    """A hub that is served, and programs that may ask it."""

    hub: Hub
    address: str
    all: httpx.Client
    """May do everything."""
    masked: httpx.Client
    """May read clients and cases, but see no personal data."""

    def client_of(self, record: str) -> str:
        """The client of a record."""
        found = self.all.get("/v1/clients", params={"query": record}).json()["clients"]
        return str(found[0]["client_id"])

    def logged(self) -> list[tuple[Any, ...]]:
        """What the access log says, oldest first."""
        return self.hub.query(
            "SELECT who, how, purpose, client_id::text, fields FROM ops.access_log ORDER BY access_id"
        )


def open_api(hub: Hub) -> Iterator[Api]:
    """A hub's API."""
    secrets = [token(hub.settings, "crm", EVERYTHING), token(hub.settings, "call centre", ("clients", "cases"))]
    with served(hub.settings) as address, asking(address, secrets[0]) as all_, asking(address, secrets[1]) as masked:
        yield Api(hub, address, all_, masked)


@pytest.fixture(scope="module")
def api(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A hub that has run and is served; tests here leave its clients as they are."""
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path_factory.mktemp("api"), url)
        fill(hub)
        hub.run()
        yield from open_api(hub)


@pytest.fixture
def own_api(ready_hub: Hub) -> Iterator[Api]:
    """A hub that is served and may be changed."""
    yield from open_api(ready_hub)


def test_a_client_is_shown_with_the_source_of_every_value_and_the_story_of_all_departments(api: Api) -> None:
    shown = api.all.get(f"/v1/clients/{api.client_of(ROMASHKA)}").json()
    assert shown["kind"] == "organisation" and shown["attributes"]["inn"] == "7707083893"
    assert sorted(one["record"] for one in shown["records"]) == ["crm:companies:10", "erp:customers:C1"]
    name = shown["lineage"]["legal_name"]
    assert name["record"] in ("crm:companies:10", "erp:customers:C1") and name["rule"]
    assert [one["record"] for one in name["losers"]] == [
        one["record"] for one in shown["records"] if one["record"] != name["record"]
    ]
    assert [(one["record"], Decimal(one["amount"])) for one in shown["interactions"]] == [
        ("erp:orders:SO-1", Decimal("1500.5")),
        ("crm:deals:D1", Decimal("1500.5")),
    ]
    assert shown["interaction_count"] == 2 and shown["masked"] == []
    assert [(one["type"], one["direction"], one["role"]) for one in shown["relationships"]] == [
        ("works_at", "from", "директор")
    ]


def test_a_search_finds_by_anything_known(api: Api) -> None:
    anna = api.client_of(ANNA)
    for text in ("Керн Анна", "anna.kern@example.ru", "8 903 555 02 02", ANNA, anna):
        found = api.all.get("/v1/clients", params={"query": text}).json()["clients"]
        assert [one["client_id"] for one in found] == [anna], text
    assert api.all.get("/v1/clients", params={"query": "nobody of that name"}).json() == {"clients": []}


def test_who_may_not_see_values_is_shown_masks_wherever_they_stand(api: Api) -> None:
    anna = api.client_of(ANNA)
    told = api.masked.get(f"/v1/clients/{anna}")
    assert told.json()["display_name"] == "А. К."
    assert told.json()["attributes"]["email"] == ["a•••@•••"] and told.json()["attributes"]["phone"] == ["•••02"]
    assert {"email", "phone", "family_name", "birth_date"} <= set(told.json()["masked"])
    pages = [told, api.masked.get("/v1/clients", params={"query": "Керн"}), api.masked.get("/v1/cases")]
    pages += [api.masked.get(f"/v1/clients/{anna}/{part}") for part in ("interactions", "explain")]
    for page in pages:
        assert page.status_code == 200
        for value in ("Керн", "Анна", "anna.kern", "9035550202", "1990"):
            assert value not in page.text, page.url


def test_an_organisation_s_name_is_nobody_s_and_shown_to_all(api: Api) -> None:
    shown = api.masked.get(f"/v1/clients/{api.client_of(ROMASHKA)}").json()
    assert "Ромашка" in shown["display_name"] and shown["attributes"]["inn"] == "•••93"
    assert shown["relationships"][0]["display_name"] == "Ч. П."
    assert {one["summary"] for one in shown["interactions"]} <= {None, "•••"}


def test_the_access_log_says_who_saw_whom_what_for_and_which_attributes(api: Api) -> None:
    anna = api.client_of(ANNA)
    before = len(api.logged())
    api.masked.get(f"/v1/clients/{anna}", headers={"Onefold-Purpose": "she called"})
    api.all.get(f"/v1/clients/{anna}/interactions")
    masked, all_ = api.logged()[before:]
    assert masked[:4] == ("token:call centre", "api client", "she called", anna)
    assert "language" not in masked[4] and "phone" not in masked[4]
    assert all_ == ("token:crm", "api interactions", "tests of crm", anna, None)


def test_who_is_shown_beside_a_client_stands_in_the_access_log_too(api: Api) -> None:
    romashka, petr = api.client_of(ROMASHKA), api.client_of(PETR)
    before = len(api.logged())
    api.all.get(f"/v1/clients/{romashka}")
    assert [line[1:4:2] for line in api.logged()[before:]] == [("api client", romashka), ("api client related", petr)]


def test_masks_hold_for_names_of_persons_with_an_organisation_and_for_former_values() -> None:
    from onefold.configuration.attributes import STANDARD
    from onefold.web.api.views import explained
    from onefold.web.masking import Masks

    masks = Masks(STANDARD)
    assert masks.value("legal_name", "ООО Ромашка", "organisation") == "ООО Ромашка"
    assert masks.value("name", "Ромашка", "organisation") == "Ромашка"
    for name in ("full_name", "family_name", "given_name"):
        assert masks.value(name, "Иванов Иван", "organisation").startswith("И.")
    former = {"compared": [{"column": "name", "was": "Анна Керн", "is": None, "words": {}}], "record": "crm:contacts:2"}
    told = explained({"kind": "person", "display_name": "Анна Керн", "borders": [], "suspended": [former]}, masks)
    assert "Керн" not in str(told) and told["suspended"][0]["compared"][0]["was"] == "•••"


def test_a_merged_id_leads_on_however_it_is_written(own_api: Api) -> None:
    lev, anna = own_api.client_of("crm:contacts:3"), own_api.client_of(ANNA)
    own_api.all.post("/v1/judgements", json={"verdict": "same", "left": ["crm:contacts:3"], "right": [ANNA]})
    kept = own_api.client_of(ANNA)
    gone = ({lev, anna} - {kept}).pop()
    for written in (gone.upper(), gone.replace("-", ""), "{" + gone + "}"):
        moved = own_api.all.get(f"/v1/clients/{written}")
        assert moved.status_code == 307 and moved.headers["location"] == f"/v1/clients/{kept}", written


def test_a_story_is_read_page_by_page_and_nothing_comes_twice_or_never(api: Api) -> None:
    client = api.client_of(ROMASHKA)
    whole = api.all.get(f"/v1/clients/{client}/interactions").json()
    assert whole["next"] is None
    found, after = [], None
    while True:
        page = api.all.get(
            f"/v1/clients/{client}/interactions", params={"limit": 1, **({"after": after} if after else {})}
        ).json()
        found += page["interactions"]
        if (after := page["next"]) is None:
            break
    assert [one["record"] for one in found] == [one["record"] for one in whole["interactions"]]
    only = api.all.get(f"/v1/clients/{client}/interactions", params={"type": "sales_deal"}).json()["interactions"]
    assert [one["record"] for one in only] == ["crm:deals:D1"]
    for nowhere in (
        "nowhere",
        base64.urlsafe_b64encode(b"5 2024-13-45").decode(),
        base64.b64encode(b"9" * 40).decode(),
    ):
        wrong = api.all.get(f"/v1/clients/{client}/interactions", params={"after": nowhere})
        assert wrong.status_code == 422 and "next" in wrong.json()["detail"], nowhere
    week = base64.urlsafe_b64encode(b"5 2024-W01-1").decode()
    assert api.all.get(f"/v1/clients/{client}/interactions", params={"after": week}).status_code == 200


def test_a_record_is_looked_up_before_it_is_created(api: Api) -> None:
    record = {"kind": "person", "attributes": {"full_name": "Керн Анна", "phone": ["8 903 5550202"]}, "country": "RU"}
    found = api.all.post("/v1/match", json=record).json()
    assert found["matches"][0]["client_id"] == api.client_of(ANNA)
    assert found["matches"][0]["verdict"] == "link" and found["matches"][0]["evidence"]
    refused = api.all.post("/v1/match", json={"kind": "person", "attributes": {"shoe_size": "38"}})
    assert refused.status_code == 422 and "shoe_size" in refused.json()["detail"]


def test_changes_are_read_on_from_a_number(api: Api) -> None:
    first = api.all.get("/v1/changes", params={"after": 0, "limit": 3}).json()
    assert [one["changed_seq"] for one in first["changes"]] == [1, 2, 3] and not first["is_end"]
    rest = api.all.get("/v1/changes", params={"after": first["next"]}).json()
    assert rest["changes"][0]["changed_seq"] == 4 and rest["is_end"]
    end = api.all.get("/v1/changes", params={"after": rest["next"]}).json()
    assert end == {"changes": [], "next": rest["next"], "is_end": True}


def test_a_judgement_takes_effect_before_it_is_answered_and_undo_takes_it_back(own_api: Api) -> None:
    lev, anna = own_api.client_of("crm:contacts:3"), own_api.client_of(ANNA)
    said = own_api.all.post(
        "/v1/judgements", json={"verdict": "same", "left": ["crm:contacts:3"], "right": [ANNA], "reason": "married"}
    )
    assert said.status_code == 201 and said.json()["records_moved"] == 1
    merged = own_api.client_of(ANNA)
    gone = ({lev, anna} - {merged}).pop()
    moved = own_api.all.get(f"/v1/clients/{gone}/interactions", params={"limit": 5})
    assert moved.status_code == 307
    assert moved.headers["location"] == f"/v1/clients/{merged}/interactions?limit=5"
    assert own_api.all.get(f"/v1/clients/{gone}", follow_redirects=True).json()["former_ids"] == [gone]
    back = own_api.all.post(f"/v1/judgements/{said.json()['judgement_id']}/undo", json={"by": "Ada"})
    assert back.status_code == 200
    assert {own_api.client_of("crm:contacts:3"), own_api.client_of(ANNA)} == {lev, anna}
    assert own_api.hub.query("SELECT verdict, decided_by FROM identity.judgement ORDER BY 1") == [
        ("lift", "Ada (token:crm)"),
        ("same", "token:crm"),
    ]


def test_who_would_rather_not_wait_is_answered_when_a_judgement_is_stored(
    own_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onefold.web.console.bulk.PATIENCE", 0.0)
    lev, anna = own_api.client_of("crm:contacts:3"), own_api.client_of(ANNA)

    def settled(answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 202 and answer.headers["preference-applied"] == "respond-async"
        for _ in range(600):
            found = own_api.all.get(answer.headers["location"]).json()
            if not found["waiting"]:
                return dict(found)
            time.sleep(0.1)
        raise AssertionError("it never took effect")

    later = {"Prefer": "respond-async"}
    word = {"verdict": "same", "left": ["crm:contacts:3"], "right": [ANNA], "reason": "married"}
    said = settled(own_api.all.post("/v1/judgements", json=word, headers=later))
    assert said["in_force"] and own_api.client_of("crm:contacts:3") == own_api.client_of(ANNA)
    undo = f"/v1/judgements/{said['judgement_id']}/undo"
    assert not settled(own_api.all.post(undo, json={}, headers=later))["in_force"]
    assert {own_api.client_of("crm:contacts:3"), own_api.client_of(ANNA)} == {lev, anna}
    # What is refused is refused at once, and what is not there is not there.
    assert own_api.all.post(undo, json={}, headers=later).status_code == 404
    assert own_api.all.get("/v1/judgements/987654").status_code == 404


def test_what_was_decided_on_something_that_has_changed_is_refused(own_api: Api) -> None:
    lev, anna = own_api.client_of("crm:contacts:3"), own_api.client_of(ANNA)
    seen = {one: own_api.all.get(f"/v1/clients/{one}").json()["changed_seq"] for one in (lev, anna)}
    word = {"verdict": "same", "left": ["crm:contacts:3"], "right": [ANNA], "expects": seen}
    own_api.hub.registers["crm_contacts"][1]["phone"] = "+7 903 555-03-03"
    own_api.hub.write("crm_contacts")
    own_api.hub.run()
    stale = own_api.all.post("/v1/judgements", json=word)
    assert stale.status_code == 409 and stale.json()["type"] == "urn:onefold:problem:stale"
    assert anna in stale.json()["detail"] and lev not in stale.json()["detail"]
    gone = own_api.all.post("/v1/judgements", json={**word, "expects": {}, "case": lev})
    assert gone.status_code == 409 and gone.json()["type"] == "urn:onefold:problem:stale"
    assert own_api.hub.query("SELECT count(*) FROM identity.judgement") == [(0,)]


def test_two_who_decide_the_same_thing_at_once_are_both_answered_and_one_is_refused(own_api: Api) -> None:
    lev, anna = own_api.client_of("crm:contacts:3"), own_api.client_of(ANNA)
    seen = {one: own_api.all.get(f"/v1/clients/{one}").json()["changed_seq"] for one in (lev, anna)}

    def decide(verdict: str) -> int:
        word = {"verdict": verdict, "left": ["crm:contacts:3"], "right": [ANNA], "expects": seen}
        return own_api.all.post("/v1/judgements", json=word).status_code

    with ThreadPoolExecutor(2) as pool:
        codes = sorted(pool.map(decide, ("same", "not_same")))
    assert codes == [201, 409]


def test_a_pin_is_said_with_its_value(own_api: Api) -> None:
    pin = {"verdict": "pin", "left": [ANNA], "attribute": "city", "value": "Тверь", "reason": "she said so"}
    assert own_api.all.post("/v1/judgements", json=pin).status_code == 201
    assert own_api.all.get(f"/v1/clients/{own_api.client_of(ANNA)}").json()["attributes"]["city"] == "Тверь"
    for wrong in ({**pin, "right": [PETR]}, {**pin, "attribute": None}, {**pin, "verdict": "same"}):
        assert own_api.all.post("/v1/judgements", json=wrong).status_code == 422


@pytest.mark.parametrize(
    ("path", "needed"),
    [("/v1/changes?after=0", "changes"), ("/v1/cases", "cases"), ("/v1/clients?query=anna", "clients")],
)
def test_a_token_may_do_what_it_was_made_for_and_nothing_else(api: Api, path: str, needed: str) -> None:
    secret = token(api.hub.settings, f"may only match, not {needed}", ("match",))
    with asking(api.address, secret) as weak:
        refused = weak.get(path)
    assert refused.status_code == 403 and f"`{needed}`" in refused.json()["detail"]
    assert refused.headers["content-type"] == "application/problem+json"
    assert (
        api.masked.post("/v1/judgements", json={"verdict": "same", "left": [ANNA], "right": [PETR]}).status_code == 403
    )


def test_a_token_that_is_wrong_over_or_revoked_is_refused(api: Api) -> None:
    over = token(api.hub.settings, "over", EVERYTHING, timedelta(seconds=-1))
    revoked = token(api.hub.settings, "revoked", EVERYTHING)
    with asking(api.address, revoked) as one:
        assert one.get("/v1/cases").status_code == 200
        assert onefold(*api.hub.place, "token", "revoke", "revoked").code == 0
        assert one.get("/v1/cases").status_code == 401
    for secret in (None, over, "ofd_guessed", revoked[:-1]):
        with asking(api.address, secret) as nobody:
            refused = nobody.get("/v1/clients", params={"query": "anna"})
            assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Bearer"
    assert revoked not in str(api.hub.query("SELECT * FROM ops.api_token"))


def test_tokens_are_not_guessed(own_api: Api) -> None:
    with asking(own_api.address, "ofd_wrong") as guesser:
        codes = [guesser.get("/v1/cases").status_code for _ in range(32)]
    assert codes == [401] * 30 + [429] * 2
    assert own_api.all.get("/v1/cases").status_code == 200, "who has a token that counts is not locked out with them"


def test_no_body_is_read_to_its_end_whatever_its_length(api: Api) -> None:
    long = {"kind": "person", "attributes": {"full_name": "x" * (2 << 20)}}
    told = api.all.post("/v1/match", json=long)
    assert told.status_code == 413 and told.json()["type"] == "urn:onefold:problem:too-large"
    chunks = iter([json.dumps(long).encode()])
    assert api.all.post("/v1/match", content=chunks).status_code == 413


def test_nobody_may_keep_frame_or_guess_what_is_answered(api: Api) -> None:
    for answer in (api.all.get("/v1/cases"), api.all.get("/nothing"), api.all.get("/health/live")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_a_fault_is_told_by_a_number_and_quotes_nobody(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_args: object, **_kwargs: object) -> None:
        raise ValueError("invalid literal: 'Анна Керн'")

    monkeypatch.setattr("onefold.web.api.clients.client_step", fails)
    told = api.all.get(f"/v1/clients/{UUID(int=1)}")
    assert told.status_code == 500 and told.json()["type"] == "urn:onefold:problem:fault"
    number = told.json()["detail"].rsplit(" ", 1)[1].rstrip(".")
    assert number in caplog.text and "ValueError" in caplog.text
    assert "Керн" not in caplog.text and "Керн" not in told.text


def test_ready_means_that_the_database_answers(api: Api) -> None:
    assert api.all.get("/health/live").json() == {"status": "live"}
    assert api.all.get("/health/ready").json() == {"status": "ready"}


def test_who_asks_after_the_server_has_gone_and_come_back_is_answered(own_api: Api) -> None:
    anna = own_api.client_of(ANNA)
    record = {"kind": "person", "attributes": {"full_name": "Керн Анна"}}
    own_api.all.post("/v1/match", json=record)
    gone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'onefold serve%%'"
    for _ in range(3):
        assert own_api.hub.query(gone)
        assert own_api.all.get(f"/v1/clients/{anna}").status_code == 200
        assert own_api.all.post("/v1/match", json=record).status_code == 200


def test_serve_answers_until_it_is_told_to_end(filled_hub: Hub, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    secret = token(filled_hub.settings, "t", EVERYTHING)
    command = [sys.executable, "-m", "onefold", *filled_hub.place, "serve", "--port", str(port), "--workers", "2"]
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, env=environment(), stdout=log, stderr=log) as serving,
    ):
        try:
            until = time.monotonic() + 60
            with asking(f"http://127.0.0.1:{port}", secret) as client:
                while True:
                    try:
                        assert client.get("/health/ready").status_code == 200
                        break
                    except httpx.TransportError:
                        assert serving.poll() is None and time.monotonic() < until, (tmp_path / "log").read_text()
                        time.sleep(0.1)
                assert client.get("/v1/clients", params={"query": "Керн"}).json()["clients"][0]["display_name"]
            serving.send_signal(signal.SIGTERM)
            assert serving.wait(30) in (0, -signal.SIGTERM)
        finally:
            serving.kill()
    assert "Керн" not in (tmp_path / "log").read_text() and secret not in (tmp_path / "log").read_text()
