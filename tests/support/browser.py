"""A browser that looks at a console: Debian's Chromium by Playwright, which brings none of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PHONE, DESK = (390, 844), (1280, 900)
_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Scripts of the test are put in by the debugger's protocol, which no page's policy stands against.
_LISTEN = """
window.refusedByPolicy = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.refusedByPolicy.push(`${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`);
});
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; the test is left out where none is installed."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        # Tests run as root in containers, where Chromium's own sandbox cannot be set up.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()


class Looking:
    """A browser's profile that is signed in, and what went wrong in it."""

    def __init__(self, browser: Browser, address: str, cookie: str | None, **settings: Any) -> None:
        width, height = settings.pop("size", DESK)
        self.context: BrowserContext = browser.new_context(
            base_url=address, viewport={"width": width, "height": height}, **settings
        )
        self.context.set_default_timeout(20_000)
        self.context.add_init_script(_LISTEN)
        if cookie is not None:
            self.context.add_cookies([{"name": "onefold_session", "value": cookie, "url": address}])
        self.wrong: list[str] = []
        self.context.on("dialog", self._dialog)
        self.context.on("weberror", lambda error: self.wrong.append(f"error: {error.error}"))
        self.context.on("console", lambda said: self.wrong.append(said.text) if said.type == "error" else None)

    def _dialog(self, dialog: Any) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def page(self, path: str = "/") -> Page:
        """A tab that shows this."""
        tab = self.context.new_page()
        tab.goto(path)
        return tab

    def __enter__(self) -> Looking:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


def refused(page: Page) -> list[str]:
    """What the page's own policy stopped."""
    return list(page.evaluate("window.refusedByPolicy"))


def width_over(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def barriers(page: Page, *rules: str) -> list[str]:
    """What keeps people out, seriously or wholly, by axe-core: rule, words and place. `rules`: only these."""
    if not page.evaluate("'axe' in window"):
        page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    only = f"runOnly: {{type: 'rule', values: {json.dumps(rules)}}}," if rules else ""
    found = page.evaluate(
        f"axe.run(document, {{{only} resultTypes: ['violations']}}).then((found) => found.violations)"
    )
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {'; '.join(node['html'][:200] for node in one['nodes'][:3])}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
