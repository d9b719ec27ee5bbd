"""How the console looks where no link leads: to who sees masks or may do less, refused, and with an empty, a short and a
long queue."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from onefold.web.console import home
from tests.acceptance.test_browser import PICTURES
from tests.support import database as databases
from tests.support.browser import DESK, PHONE, Looking, barriers, chromium, refused, width_over
from tests.support.console_hub import LONG, MANY, Place, console_hub
from warehouse.connect import connect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.scale

_MANY_CASES = """
INSERT INTO identity.review_case (fingerprint, kind, record_ids, status, weight, impact, evidence, opened_at)
SELECT gen_random_uuid(), kind, record_ids, 'open', weight - n % 5000, impact + n % 977, evidence, now() - interval '1 minute' * n
FROM generate_series(1, 10000) AS n,
    LATERAL (SELECT * FROM identity.review_case WHERE status = 'closed' ORDER BY weight DESC OFFSET n % 4 LIMIT 1) AS c
"""
_FIFTY = """
SELECT x.client_id::text, (array_agg(x.record_id ORDER BY x.record_id))[1:2] FROM identity.crosswalk AS x
GROUP BY 1 ORDER BY count(*) DESC LIMIT 1
"""


@pytest.fixture(scope="module")
def place(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with databases.database(server_url, template) as url, console_hub(tmp_path_factory.mktemp("states"), url) as one:
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


LOOKS = ((DESK, "light", "en"), (DESK, "dark", "ru"), (PHONE, "light", "ru"), (PHONE, "dark", "en"))


class Pictures:
    """Takes each state at both widths, in both lights and languages, and keeps what is wrong with it."""

    def __init__(self, place: Place, browser: Browser, login: str | None) -> None:
        self._place, self._browser, self._login = place, browser, login
        self.found: list[str] = []

    def of(self, name: str, show: Callable[[Page], object]) -> None:
        """What `show` leads a page to."""
        cookie = None if self._login is None else self._place.cookie(self._login)
        for size, scheme, language in LOOKS:
            folder = PICTURES / f"{size[0]}-{scheme}-{language}"
            folder.mkdir(parents=True, exist_ok=True)
            look = {"size": size, "color_scheme": scheme, "locale": language}
            with Looking(self._browser, self._place.address, cookie, **look) as looking:
                page = looking.context.new_page()
                show(page)
                told = [f"policy: {one}" for one in refused(page)] + barriers(page)
                if (over := width_over(page)) > 0:
                    told.append(f"{over} pixels wider than the window")
                assert page.locator("html").get_attribute("lang") == language
                page.screenshot(path=folder / f"state-{name}.png", full_page=True)
                self.found += [f"{name}, {size[0]} {scheme} {language}: {one}" for one in told]


def led(path: str) -> Callable[[Page], object]:
    """To this path."""
    return lambda page: page.goto(path)


def first_case(place: Place) -> str:
    """An open case of persons."""
    rows = place.hub.query(
        "SELECT fingerprint::text FROM identity.review_case WHERE status = 'open' ORDER BY weight DESC"
    )
    return str(rows[0][0])


@pytest.mark.parametrize(("login", "paths"), [
    ("eve", ("/", f"/clients?{urlencode({'query': LONG})}", "/cases", "case", "client", "/sources", "/fix", "/model")),
    ("ron", ("/", f"/clients?{urlencode({'query': LONG})}", "client", "/fix")),
])  # fmt: skip
def test_who_sees_masks_sees_them_in_pages_that_look_right(
    place: Place, browser: Browser, login: str, paths: tuple[str, ...]
) -> None:
    client = place.hub.query(_FIFTY)[0][0]
    taken = Pictures(place, browser, login)
    for path in paths:
        name = re.sub(r"\W+", "", path.partition("?")[0]) or "home"
        to = {"case": f"/cases/{first_case(place)}", "client": f"/clients/{client}"}.get(path, path)
        taken.of(f"{login}-{name}", led(to))
    assert taken.found == []


def test_what_is_refused_says_so_in_a_page_that_looks_right(
    place: Place, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = first_case(place)
    steward, reader, nobody = (Pictures(place, browser, login) for login in ("ada", "ron", None))

    def stale(page: Page) -> None:
        page.goto(f"/cases/{case}")
        for field in page.locator('form#word input[name="seen"]').all():
            field.evaluate("one => one.value = one.value.replace(/ .*/, ' 1')")
        page.locator('button[value="same"]').click()

    def wrong_password(page: Page) -> None:
        page.goto("/sign-in")
        page.fill('input[name="login"]', "nobody")
        page.fill('input[name="password"]', "wrong")
        page.locator("form button.main").click()

    steward.of("404", led("/cases/00000000-0000-0000-0000-000000000000"))
    steward.of("409", stale)
    steward.of("422", led("/cases?kind=%00"))
    reader.of("403", led("/sources"))
    nobody.of("sign-in", led("/sign-in"))
    nobody.of("429", lambda page: [wrong_password(page) for _ in range(11)])

    def fails(_: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(home, "worries", fails)
    steward.of("500", led("/"))
    assert steward.found + reader.found + nobody.found == []


def test_a_queue_of_none_of_one_of_fifty_records_and_of_ten_thousand_look_right(place: Place, browser: Browser) -> None:
    taken = Pictures(place, browser, "ada")
    with connect(place.hub.database_url, application_name="onefold tests") as conn:
        conn.execute("UPDATE identity.review_case SET status = 'closed' WHERE status = 'open'")
        taken.of("queue-0", led("/cases"))
        taken.of("home-0", led("/"))
        taken.of("planner-0", led("/cases/planner?per_day=25"))
        client, records = place.hub.query(_FIFTY)[0]
        conn.execute(
            "UPDATE identity.review_case SET status = 'open', record_ids = %s WHERE fingerprint ="
            " (SELECT fingerprint FROM identity.review_case WHERE status = 'closed' LIMIT 1)", [records],
        )  # fmt: skip
        taken.of("queue-1", led("/cases"))
        taken.of("case-of-50", led("/cases/next"))
        taken.of("client-of-50", led(f"/clients/{client}"))
        conn.execute(_MANY_CASES)
        conn.execute("ANALYZE identity.review_case")
        taken.of("queue-10000", led("/cases"))
        taken.of("home-10000", led("/"))
        taken.of("patterns-10000", led("/cases/patterns"))
        taken.of("search-of-50", led(f"/clients?{urlencode({'query': MANY, 'all': 'true'})}"))
    assert taken.found == []
