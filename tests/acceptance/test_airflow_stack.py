"""The hub run by a whole Airflow: scheduler, API server, DAG processor, triggerer, LocalExecutor, PostgreSQL."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.acceptance.conftest import fill
from tests.support import database as databases
from tests.support.airflow_stack import API, Stack, stack
from tests.support.cli import CHECKOUT
from tests.support.http_source import Asked, HttpSource, Reply, http_source, records
from tests.support.hub import Hub

pytestmark = [pytest.mark.scale, pytest.mark.timeout(2400)]
SECRET = "secret-of-airflow"


@pytest.fixture
def api() -> Iterator[HttpSource]:
    with http_source() as source:
        yield source


@pytest.fixture
def running(hub: Hub, api: HttpSource, server_url: str, tmp_path: Path) -> Iterator[Stack]:
    fill(hub)
    hub.configure("api", API % api.url)
    (tmp_path / "backups").mkdir()
    environment = {
        "PYTHONPATH": str(CHECKOUT),
        "AIRFLOW_CONN_ONEFOLD": hub.database_url.replace("postgresql://", "postgres://", 1),
        "AIRFLOW_CONN_ONEFOLD_API": json.dumps({"conn_type": "generic", "extra": {"API_TOKEN": SECRET}}),
        "ONEFOLD_CONFIG": str(hub.folder / "config"),
        "ONEFOLD_AIRFLOW_BACKUPS": str(tmp_path / "backups"),
        "ONEFOLD_AIRFLOW_WEEKLY": "never",
    }
    with (
        databases.database(server_url, None) as metadata,
        stack(tmp_path / "airflow", metadata, CHECKOUT / "dags", environment) as found,
    ):
        yield found


def published(hub: Hub) -> list[Any]:
    """What readers see, and how much was told of it."""
    return [
        hub.query("SELECT client_id::text, display_name FROM onefold_v1.dim_client ORDER BY 1"),
        hub.query("SELECT source, stream, source_key, payload_hash::text FROM raw.record ORDER BY 1, 2, 3"),
        hub.query("SELECT count(*) FROM ops.change_event"),
    ]


def notices(hub: Hub) -> list[str]:
    """Keys of what lasts; that a run died is told by whichever task comes next, and over with the one after it."""
    keys = [key for (key,) in hub.query("SELECT key FROM ops.notice WHERE closed_at IS NULL ORDER BY key")]
    return [key for key in keys if not key.startswith("failure:died:")]


def test_a_hub_lives_on_a_whole_airflow(hub: Hub, api: HttpSource, running: Stack) -> None:
    people = [{"id": "1", "first": "Ada", "last": "Byron", "mail": "ada@example.org"}]
    api.answers["/people"] = lambda _: records(people)
    running.wait("the DAGs", lambda: len(running.ask("GET", "/dags?tags=onefold")["dags"]) == 6, within=240)
    assert running.ask("GET", "/importErrors")["import_errors"] == []
    pools = hub.folder / "pools.json"
    pools.write_text(
        json.dumps(
            {
                f"onefold_{name}": {"slots": 1, "description": "", "include_deferred": False}
                for name in ("crm", "erp", "api")
            }
        )
    )
    running.airflow("pools", "import", str(pools))
    running.ask("PATCH", "/dags/onefold_publish", is_paused=False)

    # Sources are read by their schedules; their news, and nothing else, start the publishing.
    first = {name: running.first(f"onefold_sync_{name}") for name in ("crm", "erp", "api")}
    assert {running.ended(f"onefold_sync_{name}", run) for name, run in first.items()} == {"success"}
    running.wait("the clients", lambda: hub.query("SELECT 1 FROM onefold_v1.dim_client WHERE given_name = 'Ada'"))
    assert hub.client_of("crm:companies:10") == hub.client_of("erp:customers:C1")
    settle(running)
    assert all(run["run_type"] == "asset_triggered" for run in running.runs("onefold_publish"))

    # A source changes: its client does.
    hub.registers["crm_contacts"][2]["first"] = "Leo"
    hub.write("crm_contacts")
    assert running.ended("onefold_sync_crm", running.start("onefold_sync_crm")) == "success"
    running.wait("Leo", lambda: hub.query("SELECT 1 FROM onefold_v1.dim_client WHERE given_name = 'Leo'"))
    settle(running)

    # Again, without news: nothing is told, nothing is started, everything is as it was.
    before, runs = published(hub), len(running.runs("onefold_publish"))
    again = running.start("onefold_sync_crm")
    assert running.ended("onefold_sync_crm", again) == "success"
    assert {one["state"] for one in running.tasks("onefold_sync_crm", again) if one["task_id"] == "news"} == {"skipped"}
    assert (published(hub), len(running.runs("onefold_publish"))) == (before, runs)

    # A source fails at once, is on Home, and is well again.
    orders = hub.folder / "data" / "erp_orders.jsonl"
    orders.rename(orders.with_suffix(".away"))
    failed = running.start("onefold_sync_erp")
    assert running.ended("onefold_sync_erp", failed) == "failed"
    states = {
        one["rendered_map_index"]: one for one in running.tasks("onefold_sync_erp", failed) if one["task_id"] == "sync"
    }
    assert (states["orders"]["state"], states["customers"]["state"]) == ("failed", "success")
    assert states["orders"]["try_number"] == 1, "what another try cannot help is not tried again"
    running.wait("the notice", lambda: notices(hub) == ["failure:erp:orders"], within=60)
    orders.with_suffix(".away").rename(orders)
    assert running.ended("onefold_sync_erp", running.start("onefold_sync_erp")) == "success"
    assert notices(hub) == []

    # A source that asks to wait is waited for by the triggerer.
    moods = iter([Reply(429, headers={"Retry-After": "12"})])
    people.append({"id": "2", "first": "Mary", "last": "Somerville", "mail": "mary@example.org"})
    api.answers["/people"] = lambda _: next(moods, None) or records(people)
    waiting = running.start("onefold_sync_api")
    running.wait(
        "a task that is deferred",
        lambda: any(one["state"] == "deferred" for one in running.tasks("onefold_sync_api", waiting)),
        within=120,
    )
    assert running.ended("onefold_sync_api", waiting) == "success"
    running.wait("Mary", lambda: hub.query("SELECT 1 FROM onefold_v1.dim_client WHERE given_name = 'Mary'"))
    settle(running)

    # Upkeep.
    assert running.ended("onefold_maintenance", running.first("onefold_maintenance")) == "success"
    assert list((hub.folder / "backups").glob("*.onefold"))


def settle(running: Stack) -> None:
    """Wait until nothing is published any more; every run must have ended well."""

    def ended() -> bool:
        states = {run["state"] for run in running.runs("onefold_publish")}
        assert "failed" not in states
        return states == {"success"}

    running.wait("the end of publishing", ended)


def test_killed_workers_late_runs_and_approvals(hub: Hub, api: HttpSource, running: Stack) -> None:
    """A worker is killed in the middle of a task; the run ends right, and that it was late has been told."""
    asked, go_on = threading.Event(), threading.Event()

    def slowly(_: Asked) -> Reply:
        asked.set()
        go_on.wait(240)
        return records([{"id": "1", "first": "Ada", "last": "Byron", "mail": "ada@example.org"}])

    api.answers["/people"] = slowly
    running.wait("the DAGs", lambda: len(running.ask("GET", "/dags?tags=onefold")["dags"]) == 6, within=240)
    pools = hub.folder / "pools.json"
    pools.write_text(json.dumps({"onefold_api": {"slots": 1, "description": "", "include_deferred": False}}))
    running.airflow("pools", "import", str(pools))
    for name in ("publish", "model"):
        running.ask("PATCH", f"/dags/onefold_{name}", is_paused=False)
    run = running.first("onefold_sync_api")
    running.wait("the source to be asked", asked.is_set, within=180)
    killed = [one.pid for one in running.workers()]
    assert killed
    for pid in killed:
        psutil.Process(pid).kill()
    running.wait("the notice that it is late", lambda: "stale:DAG:onefold_sync_api" in notices(hub), within=300)
    go_on.set()
    assert running.ended("onefold_sync_api", run, within=300) == "success"
    (task,) = [one for one in running.tasks("onefold_sync_api", run) if one["task_id"] == "sync"]
    assert task["try_number"] > 1
    running.wait("Ada", lambda: hub.query("SELECT 1 FROM onefold_v1.dim_client WHERE given_name = 'Ada'"))
    assert notices(hub) == []
    assert hub.query("SELECT count(*) FROM raw.record WHERE source = 'api'") == [(1,)]
    settle(running)

    # A model waits for a person's word.
    ((version,),) = hub.query("SELECT version FROM identity.model WHERE is_current")
    approval = running.start("onefold_model", version=version)
    place = f"/dags/onefold_model/dagRuns/{approval}/taskInstances/approve/-1/hitlDetails"
    running.wait(
        "the question",
        lambda: any(one["state"] == "awaiting_input" for one in running.tasks("onefold_model", approval)),
        within=180,
    )
    assert f"use model {version}?" in running.ask("GET", place)["subject"]
    # People take longer than a second: Airflow 3.3 asks again if the answer comes before its scheduler has seen that the
    # task waits.
    time.sleep(15)
    running.ask("PATCH", place, chosen_options=["Approve"], params_input={})
    assert running.ended("onefold_model", approval) == "success"
    assert {one["task_id"]: one["state"] for one in running.tasks("onefold_model", approval)}["use"] == "success"
