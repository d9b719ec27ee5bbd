"""Settling cases on the console's pages, as a browser without scripts does it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from onefold.context import open_context
from onefold.steps.accounts import add_user
from onefold.steps.judge import judge
from tests.acceptance.conftest import fill
from tests.acceptance.test_console import Console, key_of, words_of
from tests.support import database as databases
from tests.support.hub import Hub
from tests.support.served import served

TWIN = {"id": "4", "first": "Анна", "last": "Керн"}
"""Called as another contact is, and nothing else is known: nobody but a person can say."""


@pytest.fixture(scope="module")
def filled(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """What the hub of each test is a copy of: one case, and people of each role."""
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path_factory.mktemp("review"), url)
        fill(hub)
        hub.registers["crm_contacts"].append(TWIN)
        hub.write("crm_contacts")
        hub.run()
        with open_context(hub.settings) as context:
            for login, role, sees in (("ada", "steward", True), ("eve", "steward", False), ("max", "reader", True)):
                add_user(context, login, role, sees_values=sees, password=None, by="test")
        yield hub


@pytest.fixture
def review(ready_hub: Hub) -> Iterator[Console]:
    """A served hub with one case, and people of each role."""
    with served(ready_hub.settings) as address:
        yield Console(ready_hub, address)


def first_case(browser: httpx.Client) -> httpx.Response:
    """The page of the case at the head of the queue."""
    queue = browser.get("/cases")
    link = re.search(r'href="(/cases/[0-9a-f-]{36})"', queue.text)
    assert link is not None, words_of(queue)
    return browser.get(link[1])


def said(page: httpx.Response, verdict: str) -> dict[str, object]:
    """What the form of a case's page sends."""
    seen = re.findall(r'name="seen" value="([^"]+)"', page.text)
    return {"key": key_of(page), "seen": seen, "verdict": verdict, "reason": "asked her"}


def anna(hub: Hub) -> set[str]:
    """The clients of the two records."""
    found = hub.query(
        "SELECT DISTINCT client_id::text FROM onefold_v1.xref_client_record WHERE source_key IN ('2', '4') AND stream = 'contacts'"
    )
    return {row[0] for row in found}


def test_a_case_shows_its_records_side_by_side_and_what_speaks_for_and_against(review: Console) -> None:
    with review.signed_in("ada") as browser:
        page = first_case(browser)
    words = words_of(page)
    for told in ("crm · contacts · 2", "crm · contacts · 4", "Керн", "family name: the same", "Together"):
        assert told in words, told
    assert 'class="agree"' in page.text and page.text.count("<td>Керн</td>") == 2


def test_a_word_takes_effect_at_once_and_is_taken_back_by_a_click(review: Console) -> None:
    with review.signed_in("ada") as browser:
        page = first_case(browser)
        assert len(anna(review.hub)) == 2
        done = browser.post(page.url.path, data=said(page, "same"))
        assert done.url.path == "/cases" and "Nothing waits for you" in words_of(done)
        assert len(anna(review.hub)) == 1
        assert review.hub.query("SELECT verdict, decided_by, reason FROM identity.judgement") == [
            ("same", "ada", "asked her")
        ]
        undo = re.search(r'action="(/judgements/\d+/undo)"', done.text)
        assert undo is not None
        again = browser.post(undo[1], data={"key": key_of(done)})
        assert again.url.path == "/cases" and len(anna(review.hub)) == 2


def test_not_the_same_keeps_them_apart_and_is_not_asked_again_without_new_evidence(review: Console) -> None:
    with review.signed_in("ada") as browser:
        page = first_case(browser)
        browser.post(page.url.path, data=said(page, "not_same"))
        review.hub.run()
        assert "Nothing waits for you" in words_of(browser.get("/cases"))
        closed = browser.get(page.url.path)
        assert "open no more" in words_of(closed) and 'name="verdict"' not in closed.text
        for less, status in ((1024, "decided"), (2048, "open")):
            # As if the evidence had been weaker by then.
            review.hub.query("UPDATE identity.review_case SET weight = weight - %s RETURNING 1", (less,))
            for city in ("Тверь", "Псков"):  # it waits whatever runs
                review.hub.registers["crm_contacts"][-1]["city"] = f"{city} {less}"
                review.hub.write("crm_contacts")
                review.hub.run()
            assert review.hub.query("SELECT status FROM identity.review_case") == [(status,)]
        again = first_case(browser)
        assert "Decided before" in words_of(again) and "not the same" in words_of(again)
        browser.post(again.url.path, data=said(again, "not_same"))
        assert "Nothing waits for you" in words_of(browser.get("/cases"))
    assert len(anna(review.hub)) == 2


def test_a_case_that_somebody_else_has_decided_is_refused_and_nothing_is_decided_twice(review: Console) -> None:
    with review.signed_in("ada") as one, review.signed_in("eve") as two:
        pages = first_case(one), first_case(two)

        def decide(at: int) -> int:
            browser = (one, two)[at]
            return browser.post(pages[at].url.path, data=said(pages[at], ("same", "not_same")[at])).status_code

        with ThreadPoolExecutor(2) as pool:
            codes = sorted(pool.map(decide, (0, 1)))
    assert codes == [200, 409]
    assert review.hub.query("SELECT count(*) FROM identity.judgement") == [(1,)]


def test_what_has_changed_since_the_page_was_made_is_looked_at_again(review: Console) -> None:
    with review.signed_in("ada") as browser:
        page = first_case(browser)
        review.hub.registers["crm_contacts"][-1]["city"] = "Тверь"
        review.hub.write("crm_contacts")
        review.hub.run()
        stale = browser.post(page.url.path, data=said(page, "same"))
    assert stale.status_code == 409 and "Changed since they were looked at" in words_of(stale)
    assert review.hub.query("SELECT count(*) FROM identity.judgement") == [(0,)]


def test_a_word_that_would_change_too_much_is_told_as_waiting(review: Console) -> None:
    with review.hub.context() as context:
        judge(context, "same", ["crm:contacts:2"], ["crm:contacts:3"], reason="x", by="ada")
    config = review.hub.folder / "config" / "hub.yaml"
    before = config.read_text("utf-8") if config.exists() else ""
    config.write_text(before + "\nlimits: {largest_client: 2, at_least: 1}\n", "utf-8")
    with served(review.hub.settings) as address:
        own = Console(review.hub, address)
        with own.signed_in("ada") as browser:
            page = first_case(browser)
            done = browser.post(page.url.path, data=said(page, "same"))
    assert "takes effect when the held run is released" in words_of(done) and "in effect." not in words_of(done)
    assert len(anna(review.hub)) == 2


def test_a_link_from_elsewhere_offers_to_undo_nothing(review: Console) -> None:
    with review.signed_in("ada") as browser:
        page = first_case(browser)
        done = browser.post(page.url.path, data=said(page, "same"))
        told = done.url.params["done"]
        for forged in (
            "1",
            "1.",
            told.partition(".")[0],
            told[:-1] + ("1" if told.endswith("0") else "0"),
            "-1",
            "x" * 50,
        ):
            assert "/undo" not in browser.get("/cases", params={"done": forged}).text, forged
        assert "/undo" in browser.get("/cases", params={"done": told}).text
    with review.signed_in("eve") as browser:
        assert "/undo" not in browser.get("/cases", params={"done": told}).text, "another session's"


def test_what_is_asked_wrongly_is_answered_with_a_page(review: Console) -> None:
    with review.signed_in("ada") as browser:
        for path, code in (
            ("/cases?kind=%00", 422),
            ("/cases/none", 422),
            ("/cases/next?after=x", 422),
            ("/nothing", 404),
        ):
            page = browser.get(path)
            assert page.status_code == code and page.headers["content-type"].startswith("text/html"), path


def test_who_may_not_decide_decides_nothing_and_who_may_not_see_values_sees_masks(review: Console) -> None:
    with review.signed_in("eve") as browser:
        page = first_case(browser)
        assert page.text.count("<td>К.</td>") == 2
        for value in ("Керн", "anna.kern", "9035550202", "1990"):
            assert value not in page.text, value
    with review.signed_in("max") as browser:
        home = browser.get("/")
        assert browser.get("/cases").status_code == 403 and browser.get(page.url.path).status_code == 403
        form = {"key": key_of(home), "verdict": "same", "seen": []}
        assert browser.post(page.url.path, data=form).status_code == 403
        assert browser.post("/judgements/1/undo", data={"key": key_of(home)}).status_code == 403
    with review.signed_in("ada") as browser:
        assert browser.post(page.url.path, data={"verdict": "same"}).status_code == 403, "no form of ours"
        for wrong in ({"verdict": "burn"}, {"verdict": "same", "seen": ["nonsense"]}):
            assert browser.post(page.url.path, data={"key": key_of(browser.get("/")), **wrong}).status_code == 422
    assert review.hub.query("SELECT count(*) FROM identity.judgement") == [(0,)]
    assert review.hub.query("SELECT DISTINCT how FROM ops.access_log ORDER BY 1") == [
        ("console case",),
        ("console cases",),
    ]
