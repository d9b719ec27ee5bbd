"""The console in a browser: by keyboard alone, in two tabs, without scripts; what its policy stops, whom it keeps out,
and how it looks."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from tests.support import database as databases
from tests.support.browser import DESK, PHONE, Looking, barriers, chromium, refused, width_over
from tests.support.console_hub import HOSTILE, LONG, MANY, Place, console_hub, people
from tests.support.drills import IS_THOROUGH, examples
from tests.support.hub import Hub
from tests.support.served import served
from tests.support.walking import Seen, Visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

STARTS = (
    "/",
    *(f"/clients?{urlencode({'query': one})}" for one in ("Злой", LONG, MANY, "Ромашка", "nobody at all", HOSTILE)),
)
BESIDE = ("/nothing", "/cases?kind=%00", "/sign-in")
"""Pages that no link leads to."""
FEW = ("/", "/clients", "/clients/{client_id}", "/cases", "/cases/{case}", "/fix", "/sources", "/model")
"""Of these kinds one each is looked at in `make test`; all that links lead to in `make test-scale`."""
PICTURES = Path(__file__).parents[2] / "build" / "console"


@pytest.fixture(scope="module")
def place(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with databases.database(server_url, template) as url, console_hub(tmp_path_factory.mktemp("seen"), url) as one:
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


def pages(visit: Visit) -> Iterator[Seen]:
    """What a visit comes by; in `make test` until there is one of each of the few."""
    wanted = set(FEW)
    for one in visit.walk(STARTS):
        kind = one.kind.partition(" ")[0]
        if one.is_page and (IS_THOROUGH or kind in wanted):
            wanted.discard(kind)
            yield one
        if not (wanted or IS_THOROUGH):
            return
    assert not wanted, f"no link leads to {wanted}"


@pytest.fixture(scope="module")
def seen(place: Place) -> list[Seen]:
    """Every page of the console, of each kind one or (in make test-scale) a few: what an admin who follows every link comes by."""
    with place.visitor("adm") as visitor:
        found = list(pages(Visit(visitor, most_of_a_kind=examples(1, 4))))
    assert [(one.path, one.answer.status_code) for one in found if one.answer.status_code != 200] == []
    return found


def of_each_kind(seen: list[Seen]) -> list[str]:
    """One of each kind, the largest."""
    found: dict[str, Seen] = {}
    for one in seen:
        if one.kind not in found or len(one.answer.content) > len(found[one.kind].answer.content):
            found[one.kind] = one
    return [*(one.path for one in found.values()), *BESIDE]


def clients(place: Place) -> int:
    """How many clients there are."""
    return int(place.hub.query("SELECT count(DISTINCT client_id) FROM identity.crosswalk")[0][0])


def by_keyboard(page: Page, wanted: str) -> None:
    """Go on with Tab and Enter, as who has no mouse, to the first link like this."""
    for _ in range(60):
        page.keyboard.press("Tab")
        at = page.evaluate("document.activeElement.getAttribute('href') || ''")
        if re.fullmatch(wanted, at):
            page.keyboard.press("Enter")
            page.wait_for_url(lambda address: re.search(wanted, address) is not None)
            return
    raise AssertionError(f"no link like {wanted} is reached with Tab on {page.url}")


def test_two_records_are_made_one_client_and_apart_again_by_keyboard_alone(place: Place, browser: Browser) -> None:
    with Looking(browser, place.address, place.cookie("ada")) as looking:
        page = looking.page("/")
        by_keyboard(page, "/cases")
        by_keyboard(page, r"/cases/[0-9a-f-]{36}")
        apart = clients(place)
        with page.expect_navigation():
            page.keyboard.press("m")
        assert clients(place) == apart - 1 and page.locator(".done").count() == 1
        with page.expect_navigation():
            page.keyboard.press("u")
        assert clients(place) == apart
        page.keyboard.press("/")
        page.keyboard.type("m")
        assert page.url.startswith(f"{place.address}/cases") and clients(place) == apart, "m is a letter here"
        assert looking.wrong == []
    assert place.hub.query("SELECT verdict FROM identity.judgement ORDER BY judgement_id DESC LIMIT 2") == [
        ("lift",),
        ("same",),
    ]


def test_of_two_tabs_on_one_case_the_second_is_refused_and_shown_why(place: Place, browser: Browser) -> None:
    before = place.hub.query("SELECT count(*) FROM identity.judgement")[0][0]
    case = place.hub.query("SELECT fingerprint::text FROM identity.review_case WHERE status = 'open' ORDER BY 1")[0][0]
    with (
        Looking(browser, place.address, place.cookie("ada")) as one,
        Looking(browser, place.address, place.cookie("eve")) as two,
    ):
        first, second = one.page(f"/cases/{case}"), two.page(f"/cases/{case}")
        with first.expect_navigation():
            first.keyboard.press("n")
        with second.expect_navigation():
            second.keyboard.press("m")
        assert "not as you saw it" in second.inner_text("main")
        second.goto(f"/cases/{case}")
        assert "open no more" in second.inner_text("main")
    assert place.hub.query("SELECT count(*) FROM identity.judgement")[0][0] == before + 1


def test_a_case_is_settled_in_a_browser_that_runs_no_script(place: Place, browser: Browser) -> None:
    with Looking(browser, place.address, place.cookie("ada"), java_script_enabled=False) as looking:
        page = looking.page("/cases/next")
        page.locator('button[value="same"]').click()
        page.locator(".done button").click()
        page.fill(".find input", "Ромашка")
        page.keyboard.press("Enter")
        page.locator('a[href^="/clients/"]').first.click()
        assert "7707083893" in page.inner_text("main")
        page.locator(".menu summary").click()
        page.locator(".menu button").first.click()
        assert page.locator("html").get_attribute("lang") == "ru"


@pytest.mark.searches
def test_no_page_breaks_its_policy_keeps_anybody_out_or_is_wider_than_a_phone(
    place: Place, browser: Browser, seen: list[Seen]
) -> None:
    found: list[str] = []
    with Looking(browser, place.address, place.cookie("adm")) as looking:
        page = looking.page("/")
        for path in of_each_kind(seen):
            page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
            page.emulate_media(color_scheme="light")
            page.goto(path)
            told = [f"policy: {one}" for one in refused(page)] + barriers(page)
            page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
            page.emulate_media(color_scheme="dark")
            if (over := width_over(page)) > 0:
                told.append(f"{over} pixels wider than a phone")
            told += [f"dark: {one}" for one in barriers(page, "color-contrast")]
            found += [f"{path}: {one}" for one in told]
        # A page that says that there is none, or that what was asked is nonsense, is told as such to the browser.
        wrong = [one for one in looking.wrong if "the server responded with a status of 4" not in one]
    assert found == [] and wrong == []


@pytest.mark.scale
@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_every_page_at_every_width_in_every_light(
    place: Place, browser: Browser, seen: list[Seen], language: str, scheme: str, size: tuple[int, int]
) -> None:
    """And a picture of each in build/console, to be looked at by people."""
    folder = PICTURES / f"{size[0]}-{scheme}-{language}"
    folder.mkdir(parents=True, exist_ok=True)
    found: list[str] = []
    locale = {"locale": language}
    with Looking(browser, place.address, place.cookie("adm"), size=size, color_scheme=scheme, **locale) as looking:
        page = looking.page("/")
        for number, path in enumerate([*(one.path for one in seen), *BESIDE]):
            page.goto(path)
            told = [f"policy: {one}" for one in refused(page)] + barriers(page)
            if (over := width_over(page)) > 0:
                told.append(f"{over} pixels wider than the window")
            assert page.locator("html").get_attribute("lang") == language
            found += [f"{path}: {one}" for one in told]
            name = re.sub(r"[^\w]+", "-", path.partition("?")[0]).strip("-") or "home"
            page.screenshot(path=folder / f"{number:02}-{name[:40]}.png", full_page=True)
    assert found == []


@pytest.mark.scale
def test_twenty_clear_cases_take_a_key_each(server_url: str, template: str, tmp_path: Path, browser: Browser) -> None:
    """The protocol of docs/console-protocol.md: from one case to the next without a mouse, each word in effect before."""
    surnames = ("Авдеев", "Белов", "Власов", "Громов", "Дорохов", "Ершов", "Жуков", "Зимин", "Ильин", "Козлов")
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path, url)
        hub.registers["crm_contacts"] = [
            {"id": f"{first}{last}{side}", "first": first, "last": last}
            for last in surnames for first in ("Борис", "Иван") for side in "ab"
        ]  # fmt: skip
        hub.write("crm_contacts")
        hub.run()
        people(hub)
        with served(hub.settings) as address:
            own = Place(hub, address)
            apart, keys, began = clients(own), 0, time.monotonic()
            with Looking(browser, address, own.cookie("ada")) as looking:
                page = looking.page("/cases/next")
                for number in range(20):
                    assert re.search(r"/cases/[0-9a-f-]{36}", page.url), f"case {number}: {page.url}"
                    with page.expect_navigation():
                        page.keyboard.press("m" if number % 4 else "n")
                        keys += 1
            took = time.monotonic() - began
            assert clients(own) == apart - 15 and keys == 20
            assert hub.query("SELECT verdict, count(*) FROM identity.judgement GROUP BY 1 ORDER BY 1") == [
                ("not_same", 5), ("same", 15),
            ]  # fmt: skip
    PICTURES.mkdir(parents=True, exist_ok=True)
    told = f"20 cases, {keys} keys, {took:.1f} s from the first page to the last word in effect\n"
    (PICTURES / "protocol.txt").write_text(told, "utf-8")
