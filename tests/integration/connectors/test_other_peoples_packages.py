"""Packages from PyPI, each in an environment of its own: a real Singer tap and a real Airbyte source, into PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import database as databases
from tests.support.cli import CHECKOUT, onefold
from tests.support.desk import PACKAGES, Desk, empty_desk
from tests.support.http_source import Asked, HttpSource, Reply, http_source, records

pytestmark = [pytest.mark.live, pytest.mark.timeout(1200)]

PEOPLE = [
    {"id": i, "family_name": f"Testova{i}", "email": f"t{i}@example.org", "updated_at": f"2026-01-{i:02}T00:00:00Z"}
    for i in range(1, 21)
]


@pytest.fixture
def desk(server_url: str, template: str, tmp_path: Path) -> Iterator[Desk]:
    with databases.database(server_url, template) as url:
        yield empty_desk(tmp_path, url)


@pytest.fixture
def people() -> Iterator[HttpSource]:
    with http_source() as source:
        source.answers["/people"] = lambda _asked: records(PEOPLE)
        yield source


def tap_settings(url: str, **stream: Any) -> str:
    """The tap's settings as one JSON object."""
    made = {"name": "people", "path": "/people", "primary_keys": ["id"], "records_path": "$.[*]", **stream}
    return json.dumps({"api_url": url, "streams": [made]})


def add_tap(desk: Desk, url: str, **stream: Any) -> None:
    added = desk.run(
        "source", "add", "web", "--connector", "singer:tap-rest-api-msdk",
        "--set", "pins=setuptools<80", "--set", f"config={tap_settings(url, **stream)}",
    )  # fmt: skip
    assert added["streams"] == ["people"]
    assert {"family_name", "email"} <= {guess[2] for guess in added["guesses"]}


def test_a_singer_tap_is_added_read_and_goes_on_from_its_bookmark(desk: Desk, people: HttpSource) -> None:
    add_tap(
        desk,
        people.url,
        replication_key="updated_at",
        source_search_field="since",
        source_search_query="$last_run_date",
    )
    first = desk.run("sync", "web")["streams"][0]
    assert (first["inserted"], first["rejected"]) == (20, 0)
    people.asked.clear()
    again = desk.run("sync", "web")["streams"][0]
    assert (again["inserted"], again["updated"], again["deleted"]) == (0, 0, 0)
    assert any("2026-01-20" in " ".join(asked.params.values()) for asked in people.asked), "the bookmark is asked from"
    assert "Testova" not in (desk.folder / "config" / "sources" / "web.yaml").read_text()


def test_a_full_table_of_a_singer_tap_shows_what_was_deleted(desk: Desk, people: HttpSource) -> None:
    add_tap(desk, people.url)
    assert desk.run("sync", "web")["streams"][0]["inserted"] == 20
    people.answers["/people"] = lambda _asked: records(PEOPLE[1:])
    report = desk.run("sync", "web")["streams"][0]
    assert (report["deleted"], report["unchanged"]) == (1, 19)
    assert ("1", True) in desk.rows("web", "people")


def test_a_tap_whose_server_fails_lands_nothing_wrong_and_tells_why(desk: Desk, people: HttpSource) -> None:
    add_tap(desk, people.url)

    def refuse(_asked: Asked) -> Reply:
        return Reply(401, b'{"error": "unauthorized"}')

    people.answers["/people"] = refuse
    done = onefold(*desk.place, "--json", "sync", "web")
    assert done.code != 0 and "CredentialsError" in done.said and "unauthorized" in done.said
    assert desk.rows("web", "people") == []


def test_an_airbyte_source_that_is_killed_loses_nothing_and_lands_nothing_twice(desk: Desk) -> None:
    settings = json.dumps({"count": 20000, "seed": 7, "parallelism": 1, "records_per_slice": 500})
    added = desk.run("source", "add", "fake", "--connector", "airbyte:source-faker", "--set", f"config={settings}")
    assert set(added["streams"]) == {"products", "users", "purchases"}
    assert "source-faker" in desk.run("check", "fake")["message"]
    words = [sys.executable, "-m", "onefold", *desk.place, "sync", "fake", "users"]
    environ = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environ) as hub:
        deadline = time.monotonic() + 120
        while not desk.rows("fake", "users") and time.monotonic() < deadline and hub.poll() is None:
            time.sleep(0.05)
        hub.send_signal(signal.SIGKILL)
        hub.wait(30)
    landed = len(desk.rows("fake", "users"))
    assert 0 < landed < 20000, "killed in the middle"
    # This package is handed its checkpoint and begins anew all the same: what has landed is met again.
    report = desk.run("sync", "fake", "users")["streams"][0]
    assert report["inserted"] + landed == 20000
    assert report["updated"] + report["unchanged"] == landed
    assert len({key for key, _ in desk.rows("fake", "users")}) == 20000
    assert not list(PACKAGES.glob("runs/run-*"))
