"""`onefold status`: what is watched over time, what counts as trouble, and the exit code that says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onefold.cli.show_status import size, sparkline
from onefold.steps.watch import concerns, trend
from tests.acceptance.conftest import fill
from tests.support import database as databases
from tests.support.cli import Done, onefold
from tests.support.hub import Hub

CASE = """
INSERT INTO identity.review_case (fingerprint, kind, record_ids, evidence, opened_at)
SELECT gen_random_uuid(), 'band', ARRAY[1, 2], '{}', now() - age
FROM unnest(ARRAY['1 hour', '2 hours', '3 days', '8 days', '100 days']::interval[]) AS a (age)
"""
RUN = """
INSERT INTO ops.run (command, status, started_at, finished_at, report)
SELECT 'resolve', 'done', now() - interval '1 hour', now() - interval '1 hour' + seconds * interval '1 second',
    '{"records": 9, "model_version": 1, "spread": {"person": {"pairs": 100, "linked": 80, "review": 5, "median": 14.25}}}'
FROM unnest(ARRAY[1, 1, 1, 4, 4, 4]) AS s (seconds)
"""


@pytest.fixture(scope="module")
def hub(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub that has run, with cases of several ages, runs of resolve that took longer of late, and a write that nobody
    confirmed."""
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path_factory.mktemp("hub"), url)
        fill(hub)
        hub.run()
        from warehouse.connect import connect

        with connect(url, application_name="test") as conn:
            conn.execute(CASE)
            conn.execute(RUN)
            conn.execute(
                "INSERT INTO ops.write_receipt (run_id, source, stream, source_key, record_id, client_id, golden_seq, fields,"
                " before, payload_hash, plan_hash, idempotence_key, status, sent_at) SELECT 1, 'crm', 'contacts', '1', 1, u, 1,"
                " '{}', '{}', u, u, u, 'unknown', now() FROM gen_random_uuid() AS u"
            )
        yield hub


def status(hub: Hub, *arguments: str | Path) -> Done:
    """The command on the hub."""
    return onefold(*hub.place, *arguments)


def test_a_program_finds_what_is_watched(hub: Hub) -> None:
    found = status(hub, "--json", "status").json
    assert {one["source"]: one["schedule"] for one in found["schedule"]} == {"crm": "0 * * * *", "erp": "0 * * * *"}
    assert all(one["overdue_seconds"] > 3600 for one in found["schedule"])  # read by the test's clock, months ago
    (band,) = [row for row in found["case_ages"] if row["kind"] == "band"]
    assert [band[age] for age in ("day", "week", "month", "older")] == [2, 1, 1, 1]
    assert found["unanswered_writes"] == [{"source": "crm", "writes": 1}]
    assert found["disk"]["database_bytes"] > sum(found["disk"]["schemas"].values()) > 0
    assert found["disk"]["free_bytes"] is None  # a server of somebody's own
    resolve = next(one for one in found["steps"] if one["step"] == "resolve")
    assert resolve["median"] == 4 and resolve["trend"] == 4 and found["steps"][0] == resolve
    (person,) = [kind for kind in found["weights"] if kind["kind"] == "person"]
    assert person["runs"][0]["pairs"] > 0 and person["runs"][0]["run_id"] < person["runs"][-1]["run_id"]
    assert (person["runs"][-1]["review"], person["runs"][-1]["median"]) == (5, 14.25)


def test_people_see_ages_trends_and_lines_to_look_at(hub: Hub) -> None:
    done = status(hub, "status")
    assert done.code == 0, done.said
    for words in (
        "5 band: 2 up to a day, 1 up to a week, 1 up to 30 days, 1 longer", "1 to crm are not confirmed", "× 4",
        "person: 5.0% of 100 pairs to review", "linked at 14.2 bits in the middle", "due for", "Disk ",
    ):  # fmt: skip
        assert words in done.out, words
    assert any(block in done.out for block in "▁█")


def test_the_page_shows_the_same_and_loads_nothing(hub: Hub, tmp_path: Path) -> None:
    page = tmp_path / "status.html"
    found = status(hub, "--json", "status", "--html", page).json
    assert found["files"] == [str(page)]
    text = page.read_text("utf-8")
    for title in (
        "Slowest steps",
        "How long the last runs took",
        "Pairs of person records",
        "For how long cases wait",
        "Largest tables",
    ):
        assert f">{title}" in text
    assert "http://" not in text.replace("http://www.w3.org", "") and "<script" not in text


def test_the_exit_code_says_whether_something_is_wrong_when_it_is_asked_for(hub: Hub) -> None:
    assert status(hub, "status", "--check").code == 0
    with_fault = hub.folder / "config" / "sources" / "late.yaml"
    text = (hub.folder / "config" / "sources" / "erp.yaml").read_text("utf-8")
    with_fault.write_text(text.replace("source: erp", "source: late"), "utf-8")
    try:
        done = status(hub, "status", "--check")
    finally:
        with_fault.unlink()
    assert done.code == 1
    assert "late:orders is never" in done.out


def test_what_is_trouble_and_what_is_only_work() -> None:
    fine: dict[str, Any] = {
        "holds": [], "streams": [{"source": "crm", "stream": "deals", "freshness": "late"}],
        "runs": [{"command": "sync", "source": "crm", "status": "deferred", "run_id": 3}],
        "disk": {"free_bytes": None, "total_bytes": None}, "open_cases": 7, "open_rejects": 3,
    }  # fmt: skip
    assert concerns(fine) == []
    wrong = {
        "holds": [{"run_id": 9}], "streams": [{"source": "crm", "stream": "deals", "freshness": "stale"}],
        "runs": [{"command": "sync", "source": "crm", "status": "failed", "run_id": 3}],
        "disk": {"free_bytes": 4, "total_bytes": 100},
    }  # fmt: skip
    assert concerns(wrong) == [
        "run 9 is held", "crm:deals is stale", "sync of crm failed (run 3)", "4.0% of the disk is free",
    ]  # fmt: skip


def test_trends_lines_and_sizes() -> None:
    assert trend([1, 1, 2, 4, 4, 5]) == 4
    assert trend([1, 1, 4, 4, 5]) is None and trend([0, 0, 0, 1, 1, 1]) is None
    assert sparkline([0, 1, 2, 7]) == "▁▂▃█" and sparkline([3, 3]) == "▁▁" and sparkline([]) == ""
    assert [size(count) for count in (512, 1_572_864, 45 << 30, 3 << 50)] == [
        "512 bytes",
        "1.5 MiB",
        "45 GiB",
        "3072 TiB",
    ]
