"""Registers as bad as they come: files of every kind of damage, and an HTTP source for every way to fail."""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.cli import Done, onefold
from tests.support.http_source import Answerer, Asked, HttpSource, Reply, records
from warehouse.connect import connect

HUGE = 10 * 1024 * 1024
TOKEN = "tok-5f1e77aa"

PERSON_FILE = """
source: {name}
department: sales
connector: files
settings: {{path: {path}}}
defaults: {{country: RU, timezone: Europe/Moscow, currency: RUB, language: ru}}
trust: 50
schedule: "0 * * * *"
streams:
  people:
    as: person
    key: id
    fields: {{given_name: first, family_name: last, birth_date: born, email: email, phone: phone, city: city, note: note}}
"""
HTTP_SOURCE = """
source: {name}
department: sales
connector: rest
settings:
  manifest:
    base_url: {url}/
    auth: {{kind: bearer, token: "${{HTTP_TOKEN}}"}}
    limits: {{attempts: 3, backoff: 10ms, timeout: 300ms, max_wait: 2s}}
    streams:
      people:
        path: {name}
        records: items
        paging: {{kind: page, param: page, limit: 2, limit_param: limit}}
defaults: {{country: RU, timezone: Europe/Moscow, currency: RUB, language: ru}}
trust: 40
schedule: "0 * * * *"
streams:
  people:
    as: person
    key: id
    fields: {{given_name: first, family_name: last, email: email}}
"""
ATTRIBUTES = """
attributes:
  note:
    kind: both
    labels: {en: Note}
"""


class MessyHub:
    """A hub in a folder, driven through the command line."""

    def __init__(self, folder: Path, database_url: str, server: HttpSource) -> None:
        self.folder, self.database_url, self.server = folder, database_url, server
        (folder / "config").mkdir(exist_ok=True)
        (folder / "config" / "attributes.yaml").write_text(ATTRIBUTES)

    def onefold(self, *arguments: str, token: str = TOKEN) -> Done:
        """One command on this hub."""
        place = ("--home", self.folder / "var", "--config", self.folder / "config", "--database", self.database_url)
        return onefold(*place, *arguments, environ={"HTTP_TOKEN": token} if token else {})

    def alone(self, source: str) -> MessyHub:
        """The same hub with this source only: a folder of thirty sources takes seconds to read."""
        folder = self.folder / "alone" / source
        if not folder.exists():
            (folder / "config" / "sources").mkdir(parents=True)
            (folder / "data").symlink_to(self.folder / "data")
            for name in ("attributes.yaml", f"sources/{source}.yaml"):
                (folder / "config" / name).write_bytes((self.folder / "config" / name).read_bytes())
        return MessyHub(folder, self.database_url, self.server)

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a query on the hub's database."""
        with connect(self.database_url, application_name="test") as conn:
            return conn.execute(statement, parameters).fetchall()

    def rejects(self, source: str) -> list[tuple[str, str, bytes]]:
        """Place, reason and bytes of a source's open rejects."""
        return self.query(
            "SELECT place, reason, payload FROM ops.reject WHERE source = %s AND step = 'sync' AND is_open"
            ' ORDER BY place COLLATE "C"',
            source,
        )

    def landed(self, source: str) -> list[str]:
        """The keys of a source's records that are not deleted."""
        rows = self.query(
            'SELECT source_key FROM raw.record WHERE source = %s AND NOT is_deleted ORDER BY source_key COLLATE "C"',
            source,
        )
        return [key for (key,) in rows]


def write_source(folder: Path, name: str, text: str) -> None:
    """One source's YAML."""
    (folder / "config" / "sources").mkdir(parents=True, exist_ok=True)
    (folder / "config" / "sources" / f"{name}.yaml").write_text(textwrap.dedent(text), encoding="utf-8")


def person_file(folder: Path, name: str, file: str, content: bytes) -> None:
    """A source of persons in one file."""
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / file).write_bytes(content)
    write_source(folder, name, PERSON_FILE.format(name=name, path=f"data/{file}"))


def lines(*records: Mapping[str, Any] | bytes) -> bytes:
    """JSON lines; bytes stand as they are."""
    return b"".join(
        (one if isinstance(one, bytes) else json.dumps(one, ensure_ascii=False).encode()) + b"\n" for one in records
    )


def http_people(folder: Path, name: str, server: HttpSource, answerer: Answerer) -> None:
    """A source of persons behind HTTP."""
    server.answers[f"/{name}"] = answerer
    write_source(folder, name, HTTP_SOURCE.format(name=name, url=server.url))


PEOPLE = [{"id": n, "first": "Иван", "last": f"Лидин{n}", "email": f"lidin{n}@example.ru"} for n in range(1, 6)]


def page_of(asked: Asked) -> Reply:
    """The asked page of five people, two a page."""
    begin = (int(asked.params["page"]) - 1) * 2
    return records({"items": PEOPLE[begin : begin + 2]})


def slow(asked: Asked) -> Reply:
    """Longer than the source's time-out."""
    time.sleep(0.6)
    return page_of(asked)


class Sometimes:
    """Bad answers first, then the pages; `on_page` limits the bad ones to one page."""

    def __init__(self, *bad: Reply, on_page: str | None = None) -> None:
        self.bad, self.on_page = list(bad), on_page

    def __call__(self, asked: Asked) -> Reply:
        if self.bad and self.on_page in (None, asked.params["page"]):
            return self.bad.pop(0)
        return page_of(asked)


def always(reply: Reply) -> Answerer:
    """The same, whatever is asked."""
    return lambda _asked: reply


CUT = Reply(200, b'{"items": [{"id": 1, "first": "', {"Content-Type": "application/json"}, announced=5000)
CUT_JSON = Reply(200, b'{"items": [{"id": 1, "first": "', {"Content-Type": "application/json"})
LOGIN_PAGE = Reply(200, b"<!doctype html><title>Sign in</title>", {"Content-Type": "text/html"})
