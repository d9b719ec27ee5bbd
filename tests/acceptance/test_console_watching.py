"""Home, sources and model on the console: what they tell, to whom, and that a word about a held run is done."""

from __future__ import annotations

import json
import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Event
from typing import Any

import httpx
import pytest

from onefold.context import Context, open_context
from onefold.errors import HubBusy, NothingFound, UsageError
from onefold.steps import hold as holding
from onefold.steps.accounts import add_user
from onefold.steps.blocking import blocking
from onefold.steps.orchestrated import note_failure
from onefold.steps.standardise import standardise
from onefold.steps.sync import sync
from onefold.web import hub as web_hub
from onefold.web.asking import Asker
from onefold.web.console.session import Visitor
from onefold.web.console.sources import decide
from tests.acceptance.conftest import fill
from tests.acceptance.test_case_queue import through
from tests.acceptance.test_console import Console, key_of, words_of
from tests.support import database as databases
from tests.support.hub import Hub
from tests.support.served import asking, served, token
from warehouse import holds

SECRET = "Тайная Персона"
PATHS = ("/", "/sources", "/sources/crm", "/sources/crm/rejects", "/model", "/quality/invalid?type=email")


@pytest.fixture(scope="module")
def watched(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A served hub with refused rows, an identifier that is not valid and a held run; one person of each role."""
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path_factory.mktemp("watching"), url)
        fill(hub)
        hub.registers["crm_contacts"] += [
            {"id": None, "first": SECRET, "last": f"<script>{number}</script>"} for number in range(30)
        ]
        hub.registers["crm_contacts"].append({"id": "7", "first": "Ада", "last": "Л", "emails": "not an address"})
        hub.write("crm_contacts")
        hub.run()
        held(hub)
        with open_context(hub.settings) as context:
            note_failure(context, "onefold_publish.resolve", "the disk is full")
            blocking(context)
            for login, role, sees in (("root", "admin", True), ("ada", "steward", True), ("eve", "steward", False),
                                      ("max", "reader", True)):  # fmt: skip
                add_user(context, login, role, sees_values=sees, password=None, by="test")
        with served(hub.settings) as address:
            yield Console(hub, address)


def held(hub: Hub) -> None:
    """Of the sheet's rows more are gone than the limits allow."""
    rows = [{"id": str(number), "first": f"F{number}", "last": f"L{number}"} for number in range(100, 140)]
    hub.configure("sheet", SHEET)
    hub.write("sheet", rows)
    (hub.folder / "config" / "hub.yaml").write_text(LIMITS, encoding="utf-8")
    hub.run()
    hub.write("sheet", rows[:5])
    with hub.context() as context:
        sync(context, "sheet")


LIMITS = "languages: [en]\nreporting_currency: RUB\nlimits: {deleted: 0.2, at_least: 3}\n"
SHEET = """
source: sheet
title: {en: Sheet of friends, ru: Таблица друзей}
department: service
connector: files
settings: {}
defaults: {country: RU, timezone: Europe/Moscow, currency: RUB, language: ru}
trust: 10
freshness: {warn_after: 1h, fail_after: 2h}
streams:
  friends:
    as: person
    key: id
    options: {path: data/sheet.jsonl}
    fields: {given_name: first, family_name: last}
"""


def run_of(browser: httpx.Client) -> str:
    """The address of the held run, as the list of sources has it."""
    found = re.search(r'href="(/held/\d+)"', browser.get("/sources").text)
    assert found is not None
    return found[1]


def test_home_says_what_needs_somebody_and_leads_to_the_rows(watched: Console) -> None:
    with watched.signed_in("ada") as browser:
        home = browser.get("/")
        words = words_of(home)
        for told in ("30 rows were refused", "1 run is held", "Identifiers that are not valid", "sheet", "stale"):
            assert told in words, told
        assert "onefold_publish.resolve failed: the disk is full" in words
        for link in ("/sources/crm/rejects", "/quality/invalid?type=email", "/sources/sheet", "/sources#held"):
            assert f'href="{link}"' in home.text, link
            assert browser.get(link.partition("#")[0]).status_code == 200


def test_what_is_shown_goes_by_role(watched: Console) -> None:
    with watched.signed_in("max") as browser:
        home = words_of(browser.get("/"))
        assert "onefold_publish.resolve failed" in home and "disk" not in home
        assert "late or failing" in home and "Data quality" not in home and "refused" not in home
        for path in PATHS[1:]:
            assert browser.get(path).status_code == 403, path
    with watched.signed_in("ada") as browser:
        page = browser.get(run_of(browser))
        assert "An admin decides" in words_of(page) and "release" not in page.text
        answer = browser.post(page.url.path, data={"key": key_of(page), "decision": "release"})
        assert answer.status_code == 403


def test_sources_stand_beside_their_promise_with_their_last_run(watched: Console) -> None:
    with watched.signed_in("ada") as browser:
        listed, one = browser.get("/sources"), browser.get("/sources/sheet")
    words = words_of(listed)
    assert words.index("sheet") < words.index("crm"), "what needs somebody stands first"
    for told in ("Sheet of friends", "1 hr", "held", "sheet:friends: 35 of 40"):
        assert told in words, told
    for told in ("Day by day", "Last runs", "docs/connectors/files.md", "Everything was taken in"):
        assert told in words_of(one), told
    with watched.signed_in("ada") as browser:
        assert browser.get("/sources/nowhere").status_code == 404


def test_rejects_are_paged_and_masked_and_written_down(watched: Console) -> None:
    log = "SELECT who, how, scope, purpose, row_count FROM ops.access_log WHERE how = 'console rejects' ORDER BY access_id"
    with watched.signed_in("eve") as browser:
        page = browser.get("/sources/crm/rejects")
        assert SECRET not in page.text and "first: •••" in words_of(page)
    assert [row for row in watched.hub.query(log) if row[0] == "eve"] == []
    with watched.signed_in("ada") as browser:
        page = browser.get("/sources/crm/rejects?reason=missing-key")
        assert SECRET in words_of(page) and "crm_contacts.jsonl" in words_of(page) and "<script>1" not in page.text
        link = re.search(r'rel="next" href="([^"]+)"', page.text)
        assert link is not None
        second = browser.get(link[1].replace("&amp;", "&"))
        assert (page.text.count("<code class"), second.text.count("<code class")) == (25, 5)
        assert browser.get("/sources/crm/rejects?after=x").status_code == 422
    assert watched.hub.query(log)[-2:] == [
        ("ada", "console rejects", "ops.reject of crm", "answering calls", rows) for rows in (25, 5)
    ]


def test_identifiers_that_are_not_valid_are_masked_and_written_down(watched: Console) -> None:
    with watched.signed_in("ada") as browser:
        assert "not an address" in words_of(browser.get("/quality/invalid?type=email"))
    with watched.signed_in("eve") as browser:
        assert "not an address" not in browser.get("/quality/invalid?type=email").text
        assert "There are none" in words_of(browser.get("/quality/generic?type=email"))
    who = watched.hub.query("SELECT who FROM ops.access_log WHERE how = 'console invalid' ORDER BY access_id")
    assert who[-2:] == [("ada",), ("eve",)]


def test_the_numbers_of_two_registers_lead_to_their_clients(watched: Console) -> None:
    for login, name in (("max", "Чайковский"), ("eve", "П. Ч.")):
        with watched.signed_in(login) as browser:
            home = browser.get("/")
            assert 'href="/overlap?first=crm&amp;second=erp"' in home.text
            both = words_of(browser.get("/overlap?first=crm&second=erp"))
            alone = words_of(browser.get("/overlap?first=crm&second=erp&both=false"))
        assert (name in both or " ".join(reversed(name.split())) in both) and name not in alone, login
    how = "SELECT DISTINCT who FROM ops.access_log WHERE how = 'console overlap' ORDER BY 1"
    assert watched.hub.query(how) == [("eve",), ("max",)]


def test_the_model_is_told_by_what_is_kept(watched: Console) -> None:
    with watched.signed_in("eve") as browser:
        words = words_of(browser.get("/model"))
        assert browser.get("/model?version=999").status_code == 404
    for told in ("shipped weights", "e-mail", "Pairs that each rule proposes", "One bit doubles the odds", "Керн"):
        assert (told in words) == (told != "Керн"), told
    kept = watched.hub.query("SELECT report::text FROM ops.run WHERE command = 'blocking'")
    assert len(kept) == 1 and "чайковский" not in kept[0][0].lower() and "petr@" not in kept[0][0]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_plot_is_told_in_words_and_has_no_style_of_its_own(watched: Console, language: str) -> None:
    plots = 0
    with watched.signed_in("root", language) as browser:
        for path in PATHS:
            page = browser.get(path)
            assert page.status_code == 200 and "<style" not in page.text and "style=" not in page.text
            for svg in re.findall(r"<svg xmlns.*?</svg>", page.text, re.S):
                plots += 1
                root = ET.fromstring(svg)
                assert root.get("role") == "img"
                title, description = root[0].text, root[1].text
                assert title and description
                if language == "ru":
                    assert re.search("[а-я]", title), title
        css = browser.get("/static/charts.css")
    assert plots > 4 and css.headers["content-type"].startswith("text/css") and ".plot text{" in css.text


def test_an_admin_discards_a_held_run_and_takes_it_in_after_all(
    watched: Console, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def friends() -> int:
        query = "SELECT count(*) FROM raw.record WHERE source = 'sheet' AND NOT is_deleted"
        return int(watched.hub.query(query)[0][0])

    with watched.signed_in("root") as browser:
        page = browser.get(run_of(browser))
        assert "35 of 40" in words_of(page) and friends() == 40
        key = key_of(page)
        assert browser.post(page.url.path, data={"key": "0", "decision": "discard"}).status_code == 403
        left = browser.post(page.url.path, data={"key": key, "decision": "discard"})
        assert left.url.path == page.url.path and "root" in words_of(left) and friends() == 40
        again = browser.post(page.url.path, data={"key": key, "decision": "discard"})
        assert again.status_code == 422
        browser.cookies.set("onefold_language", "ru")
        assert "было бы удалено записей: 35 из 40 (предел: 20" in words_of(browser.get(page.url.path))
        browser.cookies.delete("onefold_language")
        monkeypatch.setattr("onefold.web.console.bulk.PATIENCE", 0.5)
        told = Event()

        def stopped(context: Context, **_: bool) -> None:
            told.wait(60)
            standardise(context)
            raise ZeroDivisionError

        monkeypatch.setattr(holding, "_brought_up", stopped)
        taken = browser.post(page.url.path, data={"key": key, "decision": "release"})
        assert "refresh" in taken.headers and 'name="decision"' not in taken.text
        assert "It is being taken in and published" in words_of(taken)
        run_id = int(page.url.path.rpartition("/")[2])
        with watched.hub.context() as context, context.connection() as conn:
            with pytest.raises(UsageError, match="released already"):
                holding.release(context, run_id, by="ada")
            assert not holds.decide(conn, run_id, "discarded", seen="discarded", by="ada", now=context.clock())
        told.set()
        taken = through(browser, taken)
        for words in (
            "It is taken in",
            "What waits is published by the next run.",
            "waits for resolve: 35",
            "released",
        ):
            assert words in words_of(taken), words
        assert friends() == 5
        failed = [record.fields for record in caplog.records if getattr(record, "event", "") == "held.failed"]  # type: ignore[attr-defined]
        assert failed == [{"run_id": run_id, "error": "ZeroDivisionError"}]
        watched.hub.run()
        done = words_of(browser.get(page.url.path))
        assert "It is taken in" not in done and "released" in done


def test_a_word_about_a_held_run_that_finds_no_turn_is_answered_so(
    watched: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_hub, "_PATIENCE", 0.01)
    root = Visitor(Asker("root", frozenset({"admin"}), None), "")
    with web_hub.open_hub(watched.hub.settings) as hub:
        with ExitStack() as others:
            for _ in range(web_hub.THREADS // 2):
                others.enter_context(hub.judging())
            with pytest.raises(HubBusy, match="say it again"):
                decide(hub, root, 1, "release")
        for _ in range(web_hub.THREADS):  # each gives its turn back
            with pytest.raises(NothingFound, match="Nothing of run 1 is held"):
                decide(hub, root, 1, "release")


def test_figures_are_for_a_token_of_their_own_or_for_this_machine(watched: Console) -> None:
    scrapes, reads = (token(watched.hub.settings, name, [name]) for name in ("metrics", "clients"))
    for secret, headers, status in (
        (None, {}, 200),
        (None, {"X-Forwarded-For": "127.0.0.1"}, 401),
        (scrapes, {"X-Forwarded-For": "198.51.100.7"}, 200),
        (reads, {}, 403),
        ("ofd_guessed", {}, 401),
    ):
        with asking(watched.address, secret) as program:
            answer = program.get("/metrics", headers=headers)
        assert answer.status_code == status, (secret, headers)
        if status == 200:
            assert "onefold_up 1.0" in answer.text and answer.text.endswith("# EOF\n")
            assert 'onefold_stream_freshness{source="sheet"' in answer.text and "Керн" not in answer.text


def test_each_answer_is_a_line_without_the_path_or_what_was_asked(
    watched: Console, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "onefold.web.watching")
    with watched.signed_in("ada") as browser:
        answers = [
            browser.get("/clients", params={"query": "Керн"}),
            browser.get("/sources/sheet"),
            browser.get("/nowhere"),
        ]
    deadline = time.monotonic() + 10  # a line is written when the answer has gone

    def written() -> list[dict[str, Any]]:
        ours = [record for record in caplog.records if record.name == "onefold.web.watching"]
        return [{**record.fields, "event": record.event} for record in ours]  # type: ignore[attr-defined]

    while len(written()) < len(answers) and time.monotonic() < deadline:
        time.sleep(0.01)
    lines = written()
    told = {line["request_id"]: (line["event"], line["route"], line["status"]) for line in lines}
    assert [told[answer.headers["x-request-id"]] for answer in answers] == [
        ("request.answered", "/clients", 200), ("request.answered", "/sources/{name}", 200), ("request.answered", None, 404)
    ]  # fmt: skip
    assert "Керн" not in str(lines) and "sheet" not in str(lines)


def test_a_run_keeps_which_fields_its_records_have(watched: Console) -> None:
    ((report,),) = watched.hub.query(
        "SELECT report::text FROM ops.run WHERE command = 'sync' AND source = 'erp' ORDER BY run_id LIMIT 1"
    )
    streams = {one["stream"]: one for one in json.loads(report)["streams"]}
    assert streams["orders"]["columns"] == ["customer", "date", "no", "total"]
    assert streams["orders"]["looked_at"] == 3
