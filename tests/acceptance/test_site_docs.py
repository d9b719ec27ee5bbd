"""The documentation as a site: it builds without a warning, loads nothing from elsewhere, and its links lead somewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from shutil import which
from urllib.parse import unquote, urlsplit

import pytest

from tests.support.cli import CHECKOUT

LOADS = {"src", "srcset", "poster", "data"}
"""Attributes whose address the browser asks for by itself; of <link> it is `href`."""


class Reader(HTMLParser):
    """What a page loads, where it links to, and what can be linked to in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.words: list[str] = []
        self.inside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Addresses by what asks for them."""
        self.inside.append(tag)
        for name, value in attrs:
            if name in LOADS or (tag == "link" and name == "href"):
                self.loaded.append(value or "")
            elif tag == "a" and name == "href":
                self.links.append(value or "")
            elif name in ("id", "name"):
                self.anchors.add(value or "")

    def handle_data(self, data: str) -> None:
        """Paragraphs' own text."""
        if self.inside and self.inside[-1] == "p":
            self.words.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make site` does."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=CHECKOUT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert built.returncode == 0, built.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Reader]:
    """Every page, read."""
    return {path: Reader(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, Reader]) -> None:
    foreign = {one for page in pages.values() for one in page.loaded if re.match(r"(?:[a-z]+:)?//", one)}
    assert foreign == set()
    for sheet in site.rglob("*.css"):
        addresses = re.findall(r"url\(\s*[\"']?([^\"')]*)|@import\s+[\"']([^\"']*)", sheet.read_text("utf-8"))
        assert [one for pair in addresses for one in pair if re.match(r"(?:https?:)?//", one)] == [], sheet.name


def test_every_link_leads_to_a_page_that_is_there_and_to_its_heading(site: Path, pages: dict[Path, Reader]) -> None:
    def broken(page: Path, link: str) -> bool:
        to = urlsplit(link)
        if to.scheme:
            return to.scheme not in ("http", "https", "mailto")
        target = (page.parent / unquote(to.path)).resolve() if to.path else page
        if target.is_dir():
            target /= "index.html"
        heading = unquote(to.fragment)
        known = pages[target].anchors if target in pages else set()
        return not target.is_file() or bool(heading and target in pages and heading not in known)

    # 404.html is shown for any address and links from the root of a server.
    read = {page: one for page, one in pages.items() if page.name != "404.html"}
    assert len(read) > 60
    found = [(page.relative_to(site).as_posix(), link) for page, one in read.items() for link in one.links]
    assert [(name, link) for name, link in found if broken(site / name, link)] == []


def test_lists_and_tables_are_lists_and_tables(site: Path, pages: dict[Path, Reader]) -> None:
    """GitHub takes them without an empty line before, the site's builder would not."""
    read = {page.relative_to(site).as_posix(): one.words for page, one in pages.items()}
    assert [
        (name, word) for name, words in read.items() for word in words if re.search(r"^(?:- |\|.*\|$)", word, re.M)
    ] == []


def test_a_page_says_which_language_it_is_in(site: Path) -> None:
    for name, spoken in (("tutorial.ru.html", "ru"), ("tutorial.html", "en"), ("index.html", "en")):
        assert f'<html lang="{spoken}"' in (site / name).read_text("utf-8"), name


def test_the_search_works_from_a_folder_and_finds_russian_words(site: Path) -> None:
    index = (site / "search" / "search_index.js").read_text("utf-8")
    found = json.loads(index.removeprefix("var __index = "))
    assert found["config"]["lang"] == ["en", "ru"]
    texts = [one["title"] + one["text"] for one in found["docs"]]
    assert any("connectors/russian.html" in one["location"] for one in found["docs"])
    assert any("контрагент" in text.lower() for text in texts)
    config = re.search(
        r'id="__config" type="application/json">(.*?)</script>', (site / "index.html").read_text("utf-8")
    )
    assert config is not None
    assert (site / json.loads(config[1])["search"]).is_file()
    assert "iframe-worker.js" in (site / "index.html").read_text("utf-8")


@pytest.mark.parametrize("asked", ["blocking", "хаб"])
def test_a_browser_that_opens_the_folder_finds_what_is_asked(site: Path, tmp_path: Path, asked: str) -> None:
    browser = which("chromium") or which("chromium-browser") or which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium here")
    typing = f"""<script>setTimeout(() => {{
        document.querySelector("#__search").click();
        const field = document.querySelector("input.md-search__input");
        field.focus(); field.value = "{asked}"; field.dispatchEvent(new KeyboardEvent("keyup", {{bubbles: true}}));
        }}, 1000)</script></body>"""
    page = site / f"asked-{len(asked)}.html"
    page.write_text((site / "index.html").read_text("utf-8").replace("</body>", typing), "utf-8")
    try:
        shown = subprocess.run(
            # What it would ask of the network by itself is left out.
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--disable-quic", f"--user-data-dir={tmp_path}",
             "--virtual-time-budget=30000", "--dump-dom", page.as_uri()],
            capture_output=True, text=True, check=False, timeout=90,
        ).stdout  # fmt: skip
    finally:
        page.unlink()
    assert re.search(r"\d+ matching document", shown), shown[-2000:]
    assert "md-search-result__item" in shown


def test_scripts_of_ours_ask_nothing_of_the_network(site: Path) -> None:
    found = list((site / "assets").glob("*.js"))
    assert found
    assert [path.name for path in found if re.search(r"https?://|fetch\(|XMLHttp", path.read_text("utf-8"))] == []
