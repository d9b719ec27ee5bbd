"""The change feed misses nothing, whoever writes meanwhile, and whoever waits is told at once."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import psycopg
import pytest

from tests.acceptance.conftest import fill
from tests.integration.warehouse.hub_rows import (
    NOW,
    assign,
    client,
    golden_row,
    interaction,
    party,
    rid,
    rows,
    store_parties,
)
from tests.integration.warehouse.test_golden_store import publish as publish_golden
from tests.support.cli import CHECKOUT, onefold
from tests.support.hub import Hub
from warehouse import facts, feed, shapes, standard
from warehouse.clock import hub_lock, next_as_of
from warehouse.connect import connect, unit_of_work

SECONDS = 8.0
WRITERS = 3
WRITE = """
import sys
from tests.acceptance.test_changes import write
write(sys.argv[1], int(sys.argv[2]))
"""


def write(url: str, number: int) -> None:
    """Correct orders, delete some, move a record from client to client, and publish each time, for a few seconds."""
    end = time.monotonic() + SECONDS
    with connect(url, application_name=f"writer {number}") as conn:
        turn = 0
        while time.monotonic() < end:
            turn += 1
            orders = [
                interaction(f"w{number}-{n}", f"{number}", str(turn), summary=str(turn)) for n in range(turn % 3, 30, 3)
            ]
            gone = [rid(f"w{number}-{n}", "erp", "orders") for n in range((turn + 1) % 3, 30, 3)] if turn % 4 else []
            with unit_of_work(conn):
                stored = standard.store_interactions(conn, rows(shapes.INTERACTION, orders), None, None, gone)
            assign(conn, {rid(f"{number}"): client(1 + (turn + number) % 2)})
            with unit_of_work(conn):
                hub_lock(conn)
                as_of = next_as_of(conn, lambda: NOW)
                facts.refresh(conn, [*stored.all, rid(f"{number}")], as_of=as_of)


@contextmanager
def processes(*commands: list[str]) -> Iterator[list[subprocess.Popen[str]]]:
    """Python processes that are gone at the end of the block."""
    environ = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    started = [
        subprocess.Popen(
            [sys.executable, *command], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for command in commands
    ]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate(timeout=60)


VIEWS = {"fct_interaction": "record_id", "xref_client_record": "record_id", "change_feed": "changed_seq"}


def test_readers_by_changed_seq_miss_nothing_while_several_processes_write(
    conn: psycopg.Connection[Any], database_url: str
) -> None:
    store_parties(conn, [party(str(n)) for n in range(WRITERS)])
    assign(conn, {rid(str(n)): client(1) for n in range(WRITERS)})
    publish_golden(conn, [golden_row(client(n)) for n in (1, 2)], [client(n) for n in (1, 2)])
    copies: dict[str, dict[Any, tuple[Any, ...]]] = {view: {} for view in VIEWS}
    last = dict.fromkeys(VIEWS, 0)
    followed: list[int] = []
    stop = threading.Event()

    def read_on(reader: psycopg.Connection[Any]) -> None:
        for view, key in VIEWS.items():
            query = f"SELECT {key}, changed_seq, v::text FROM onefold_v1.{view} AS v WHERE changed_seq > %s"
            for found, number, text in reader.execute(query, [last[view]]).fetchall():
                copies[view][found] = (number, text)
                last[view] = max(last[view], number)

    def follow() -> None:
        with connect(database_url, application_name="follower") as reader:
            for change in feed.follow(reader, 0, is_over=stop.is_set, patience=0.5):
                followed.append(change.changed_seq)

    follower = threading.Thread(target=follow)
    with processes(*(["-c", WRITE, database_url, str(number)] for number in range(WRITERS))) as writers:
        follower.start()
        while any(writer.poll() is None for writer in writers):
            read_on(conn)
        errors = [writer.communicate(timeout=60)[1] for writer in writers]
        assert [writer.returncode for writer in writers] == [0] * WRITERS, errors
    stop.set()
    follower.join(30)
    read_on(conn)
    for view, key in VIEWS.items():
        full = conn.execute(f"SELECT {key}, changed_seq, v::text FROM onefold_v1.{view} AS v").fetchall()
        assert copies[view] == {found: (number, text) for found, number, text in full}, view
    assert followed == sorted(copies["change_feed"])
    assert followed == list(range(1, len(followed) + 1))
    assert len(followed) > 50


def test_following_on_the_command_line_prints_each_change_once_and_at_once(hub: Hub) -> None:
    fill(hub)
    hub.run()
    first = [json.loads(line) for line in onefold(*hub.place, "--json", "changes", "--after", "0").out.splitlines()]
    numbers = [change["changed_seq"] for change in first]
    assert numbers == list(range(1, len(first) + 1))
    assert {"links", "created", "facts"} <= {change["change"] for change in first}
    seen = [json.loads(line) for line in onefold(*hub.place, "--json", "changes", "--limit", "2").out.splitlines()]
    assert seen == first[-2:]
    assert "created" in onefold(*hub.place, "changes", "--after", "0").out
    with processes(["-m", "onefold", *hub.place, "--json", "changes", "--follow", "--after", "1"]) as (process,):
        lines = Lines(process.stdout)
        lines.wait(len(first) - 1)
        hub.registers["erp_orders"][0]["total"] = "1.00"
        hub.write("erp_orders")
        hub.run()
        told = time.monotonic()
        lines.wait(len(first))
        # It would have asked again after half a minute.
        assert time.monotonic() - told < 10
        # The order itself, and maybe the business event that it stands for.
        told_of = [json.loads(line)["changed_seq"] for line in lines.found]
        assert told_of == list(range(2, 2 + len(told_of)))
        assert len(told_of) >= len(first)


class Lines:
    """The lines of a process, read beside."""

    def __init__(self, stream: IO[str] | None) -> None:
        assert stream is not None
        self.found: list[str] = []
        self._stream = stream
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._stream:
            self.found.append(line)

    def wait(self, count: int) -> None:
        """Until there are so many."""
        end = time.monotonic() + 60
        while len(self.found) < count:
            assert time.monotonic() < end, self.found[-3:]
            time.sleep(0.02)


def test_the_consumer_of_the_documentation_works_as_it_stands(filled_hub: Hub) -> None:
    page = (CHECKOUT / "docs" / "history.md").read_text("utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert "HUB" in program
    count = filled_hub.query("SELECT max(changed_seq) FROM onefold_v1.change_feed")[0][0]
    with processes(["-c", program.replace("HUB", filled_hub.database_url)]) as (process,):
        lines = Lines(process.stdout)
        lines.wait(count)
        filled_hub.registers["crm_contacts"][2]["city"] = "Тула"
        filled_hub.write("crm_contacts")
        filled_hub.run()
        lines.wait(count + 1)
    assert [int(line.split()[0]) for line in lines.found[: count + 1]] == list(range(1, count + 2))


def test_a_feed_without_changes_is_empty(conn: psycopg.Connection[Any]) -> None:
    assert feed.last_change(conn) == 0
    assert list(feed.changes_after(conn, 0)) == []
    assert list(feed.follow(conn, 0, is_over=lambda: True)) == []


@pytest.mark.parametrize("limit", [1, 7, 6_000])
def test_a_long_feed_is_read_in_pages(conn: psycopg.Connection[Any], limit: int) -> None:
    conn.execute(
        "INSERT INTO ops.change_event (id, at, kind, payload)"
        " SELECT n, now(), 'facts', '{}' FROM generate_series(1, 12000) AS n"
    )
    found = [change.changed_seq for change in feed.changes_after(conn, 10, limit)]
    assert found == list(range(11, 11 + limit))
    assert sum(1 for _ in feed.changes_after(conn, 0)) == 12_000
