"""Many people on one queue at once: each case is decided by one of them, and who comes too late is told so."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from onefold.context import open_context
from onefold.steps.accounts import add_user
from tests.acceptance.test_console import Console
from tests.support.hub import Hub
from tests.support.programs import free_port
from tests.support.queue import decision, desk_of, fill_queue

PATIENCE = 240


def work_through(console: Console, login: str, begin: str = "/cases/next") -> Counter[int]:
    """One person who goes on from case to case until nothing waits; how often each answer was given."""
    codes: Counter[int] = Counter()
    until, to = time.monotonic() + PATIENCE, begin
    with console.signed_in(login) as browser:
        while time.monotonic() < until:
            page = browser.get(to)
            if page.url.path == "/cases":
                return codes
            verdict, to = ("same", "not_same")[len(codes) % 2], "/cases/next"
            if page.status_code == 200 and 'name="verdict"' in page.text:
                told = browser.post(page.url.path, data=decision(page.text, verdict))
                is_slow = told.url.path.startswith("/cases/batches/")
                codes[202 if is_slow else 303 if told.history else told.status_code] += 1
                to = f"/cases/next?after={page.url.path.rpartition('/')[2]}"
                if told.status_code == 503:
                    time.sleep(1)  # people try again, and not at once
    raise AssertionError(f"{login} does not come to an end: {codes}")


def nothing_was_decided_twice(hub: Hub, cases: int, codes: Counter[int]) -> None:
    """One judgement for each case, and as many people who were told that theirs was taken."""
    said = hub.query("SELECT fingerprint, count(*) FROM ops.case_event WHERE action = 'decided' GROUP BY 1")
    assert len(said) == cases and {count for _, count in said} == {1}
    assert hub.query("SELECT count(*) FROM identity.judgement") == [(cases,)]
    assert hub.query("SELECT count(*) FROM identity.review_case WHERE status = 'open'") == [(0,)]
    # Whoever had to wait longer than a moment reads on a page of its own whether it was done or refused.
    assert codes[303] <= cases <= codes[303] + codes[202]
    assert set(codes) <= {202, 303, 409, 503}


def test_six_people_on_one_queue_decide_nothing_twice(hub: Hub) -> None:
    (hub.folder / "config" / "hub.yaml").write_text("review: {repeats: {share: 0}}\n")
    fill_queue(hub, 5)
    with desk_of(hub) as desk, ThreadPoolExecutor(6) as pool:
        codes = sum(pool.map(lambda n: work_through(desk, ("ada", "eve")[n % 2]), range(6)), Counter())
    nothing_was_decided_twice(hub, 5, codes)
    assert not codes[202]


@pytest.mark.scale
def test_fifty_sessions_on_one_queue_of_a_served_hub_decide_nothing_twice(hub: Hub, tmp_path: Path) -> None:
    """Two people begin with each case, so that each is a race; then they go on among the others."""
    (hub.folder / "config" / "hub.yaml").write_text("review: {repeats: {share: 0}}\n")
    fill_queue(hub, 50)
    cases = [row[0] for row in hub.query("SELECT fingerprint::text FROM identity.review_case WHERE status = 'open'")]
    with open_context(hub.settings) as context:
        for number in range(50):
            add_user(context, f"s{number}", "steward", sees_values=True, password=None, by="test")
    port = free_port()
    command = [sys.executable, "-m", "onefold", *hub.place, "serve", "--port", str(port), "--workers", "2"]
    with (tmp_path / "serve.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 60
        while not is_ready(address):
            assert server.poll() is None and time.monotonic() < until, (tmp_path / "serve.log").read_text()
            time.sleep(0.2)
        began = time.monotonic()
        with ThreadPoolExecutor(50) as pool:
            desk = Console(hub, address)
            found = pool.map(lambda n: work_through(desk, f"s{n}", f"/cases/{cases[n // 2]}"), range(50))
            codes = sum(found, Counter())
        took = time.monotonic() - began
        nothing_was_decided_twice(hub, 50, codes)
        refused = codes[409] + codes[202] - (50 - codes[303])
        sys.stdout.write(
            f"50 sessions, 50 cases: {took:.1f} s; decided 50, refused as stale {refused}, told to wait {codes[503]}\n"
        )
    finally:
        server.terminate()
        server.wait(30)


def is_ready(address: str) -> bool:
    """The server answers."""
    try:
        return httpx.get(f"{address}/health/ready", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
