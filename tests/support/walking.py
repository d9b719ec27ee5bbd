"""Walks a console as a visitor does: from a page along its links and filters, so that no page has to be listed here."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
from fastapi.routing import APIRoute
from starlette.routing import Match

from onefold.web.app import create_app


@cache
def routes() -> list[APIRoute]:
    """Every route of the application that was declared by us."""
    return [one for one in create_app().routes if isinstance(one, APIRoute)]


@dataclass(frozen=True)
class Seen:
    """What a visitor was shown."""

    path: str
    """As asked for, with its query."""
    kind: str
    """The route's path and the names of what was asked: pages of one kind come from one function."""
    answer: httpx.Response

    @property
    def is_page(self) -> bool:
        """To be looked at in a browser, and not kept as a file."""
        return self.answer.headers.get("content-type", "").startswith("text/html")


class Visit:
    """A walk; `passed` are the routes that were come by, those that only lead on among them."""

    def __init__(self, browser: httpx.Client, *, most_of_a_kind: int = 3) -> None:
        self._browser, self._most = browser, most_of_a_kind
        self._routes = routes()
        self.passed: set[str] = set()

    def walk(self, starts: Sequence[str] = ("/",)) -> Iterator[Seen]:
        """Pages and files, each as it is come by; of a kind the first few."""
        waiting, known, kinds = deque(starts), set(starts), Counter[str]()
        while waiting:
            path = waiting.popleft()
            kind = self._kind(path)
            kinds[kind] += 1
            if kinds[kind] > self._most:
                continue
            answer = self._browser.get(path)
            led = urlsplit(str(answer.url))
            self.passed.add(kind.partition(" ")[0])
            self.passed.add(self._kind(led.path).partition(" ")[0])
            yield Seen(path, kind, answer)
            if answer.headers.get("content-type", "").startswith("text/html"):
                for link in links_of(answer.text):
                    if link not in known and not link.startswith("/static/"):
                        known.add(link)
                        waiting.append(link)

    def _kind(self, path: str) -> str:
        parts = urlsplit(path)
        scope = {"type": "http", "path": parts.path, "method": "GET", "root_path": ""}
        of = next((one.path for one in self._routes if one.matches(scope)[0] is Match.FULL), "nowhere")
        return " ".join([of, *sorted({name for name, _ in parse_qsl(parts.query)})])


def links_of(text: str) -> list[str]:
    """Where a page leads to in this console: links, filters as they stand, and pictures."""
    found = _Links()
    found.feed(text)
    return [one for one in found.links if one.startswith("/") and not one.startswith("//")]


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self._form: tuple[str, list[tuple[str, str]]] | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in said:
            self.links.append(said["href"].partition("#")[0])
        elif tag in ("img", "object"):
            self.links.append(said.get("src") or said.get("data") or "")
        elif tag == "form" and said.get("method", "get").lower() == "get":
            self._form = (said.get("action", ""), [])
        elif self._form is not None and tag == "input" and "name" in said:
            if said.get("type") not in ("checkbox", "radio", "submit") or "checked" in said:
                self._form[1].append((said["name"], said.get("value", "")))
        elif self._form is not None and tag == "select":
            self._select = said.get("name")
        elif self._form is not None and tag == "option" and self._select and said.get("value"):
            self._form[1].append((self._select, said["value"]))
            self._select = None

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._form is not None:
            action, said = self._form
            self.links.append(f"{action}?{urlencode(said)}" if said else action)
            self._form = None
