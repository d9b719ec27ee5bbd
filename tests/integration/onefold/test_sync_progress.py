"""What a sync shows while it goes on: pages, and why it waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from onefold.progress import Stage
from onefold.steps.sync import sync
from tests.support.http_source import Asked, Reply, http_source, records
from tests.support.hub import Hub
from tests.support.messy import HTTP_SOURCE, PEOPLE, write_source


class Noted:
    """Keeps what a stage was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.done = 0

    def advance(self, amount: int = 1) -> None:
        self.done += amount

    def resize(self, total: int | None) -> None:
        del total

    def note(self, text: str) -> None:
        self.notes.append(text)

    @contextmanager
    def stage(self, title: str, total: int | None = None) -> Iterator[Stage]:
        del title, total
        yield self


def test_a_sync_tells_its_pages_and_why_it_waits(tmp_path: Path, database_url: str) -> None:
    hub, progress, troubled = Hub(tmp_path, database_url), Noted(), list[str]()

    def busy_once(asked: Asked) -> Reply:
        if not troubled:
            troubled.append(asked.path)
            return Reply(429, headers={"Retry-After": "1"})
        begin = (int(asked.params["page"]) - 1) * 2
        return records({"items": PEOPLE[begin : begin + 2]})

    with http_source() as server:
        server.answers["/shop"] = busy_once
        text = HTTP_SOURCE.format(name="shop", url=server.url)
        text = text.replace("timeout: 300ms", "timeout: 60s, rate: 5, per: 1s, burst: 1")
        write_source(hub.folder, "shop", text)
        with hub.context() as context:
            report = sync(replace(context, progress=progress, environ={"HTTP_TOKEN": "t"}), "shop")
    assert report.status == "done"
    assert progress.done == len(PEOPLE)
    assert progress.notes[0].startswith("0 pages; waits 1 s: status 429")
    assert any("s: its budget of requests" in note for note in progress.notes)
    assert "1 page" in progress.notes
    assert not any(str(person.get("email") or "?") in note for person in PEOPLE for note in progress.notes)
