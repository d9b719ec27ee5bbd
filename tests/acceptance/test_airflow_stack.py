"""The hub run by a whole Airflow: scheduler, API server, DAG processor, triggerer, LocalExecutor, PostgreSQL."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.acceptance.conftest import FreshDatabases, fill
from tests.support import database as databases
from tests.support.airflow_stack import API, Stack, stack
from tests.support.cli import CHECKOUT
from tests.support.http_source import Asked, HttpSource, Reply, http_source, records
from tests.support.hub import Hub
from warehouse.connect import connect
from warehouse.dump import row_versions

pytestmark = [pytest.mark.scale, pytest.mark.timeout(2400)]
SECRET = "secret-of-airflow"


@pytest.fixture
def api() -> Iterator[HttpSource]:
    with http_source() as source:
        yield source


Started = Callable[..., AbstractContextManager[Stack]]
"""Starts an Airflow of the hub's DAGs, for the length of a block; `schedulers`: how many."""


@pytest.fixture
def started(hub: Hub, api: HttpSource, server_url: str, tmp_path: Path) -> Started:
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

    @contextmanager
    def start(schedulers: int = 1) -> Iterator[Stack]:
        with (
            databases.database(server_url, None) as metadata,
            stack(tmp_path / "airflow", metadata, CHECKOUT / "dags", environment, schedulers=schedulers) as found,
        ):
            yield found

    return start


@pytest.fixture
def running(started: Started) -> Iterator[Stack]:
    with started() as found:
        yield found


def take_up(running: Stack, hub: Hub, *sources: str) -> None:
    """Wait for the DAGs, give these sources their pools, and let news be published."""
    running.wait("the DAGs", lambda: len(running.ask("GET", "/dags?tags=onefold")["dags"]) == 6, within=240)
    assert running.ask("GET", "/importErrors")["import_errors"] == []
    pools = {f"onefold_{name}": {"slots": 1, "description": "", "include_deferred": False} for name in sources}
    file = hub.folder / "pools.json"
    file.write_text(json.dumps(pools), encoding="utf-8")
    running.airflow("pools", "import", str(file))
    running.ask("PATCH", "/dags/onefold_publish", is_paused=False)


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
    take_up(running, hub, "crm", "erp", "api")

    # Sources are read by their schedules; their news, and nothing else, start the publishing.
    first = {name: running.first(f"onefold_sync_{name}") for name in ("crm", "erp", "api")}
    assert {running.ended(f"onefold_sync_{name}", run) for name, run in first.items()} == {"success"}
    running.wait("the clients", lambda: hub.query("SELECT 1 FROM onefold_v1.dim_client WHERE given_name = 'Ada'"))
    assert hub.client_of("crm:companies:10") == hub.client_of("erp:customers:C1")
    settle(running, hub)
    assert all(run["run_type"] == "asset_triggered" for run in running.runs("onefold_publish"))

    # A source changes: its client does.
    hub.registers["crm_contacts"][2]["first"] = "Leo"
    hub.write("crm_contacts")
    assert running.ended("onefold_sync_crm", running.start("onefold_sync_crm")) == "success"
    running.wait("Leo", lambda: hub.query("SELECT 1 FROM onefold_v1.dim_client WHERE given_name = 'Leo'"))
    settle(running, hub)

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
    settle(running, hub)

    # Upkeep.
    assert running.ended("onefold_maintenance", running.first("onefold_maintenance")) == "success"
    assert list((hub.folder / "backups").glob("*.onefold"))


def settle(running: Stack, hub: Hub) -> None:
    """Wait until everything that has landed is published and nobody is at it any more; every run must have ended well."""
    quiet = 0

    def ended() -> bool:
        nonlocal quiet
        states = {run["state"] for run in running.runs("onefold_publish")}
        assert "failed" not in states
        waits = hub.query("SELECT EXISTS (SELECT 1 FROM ops.pending)") == [(True,)]
        quiet = quiet + 1 if states == {"success"} and not waits else 0
        # News that was told at the end of the last run starts another a moment later.
        return quiet > 5

    running.wait("the end of publishing", ended)


def test_killed_workers_late_runs_and_approvals(hub: Hub, api: HttpSource, running: Stack) -> None:
    """A worker is killed in the middle of a task; the run ends right, and that it was late has been told."""
    asked, go_on = threading.Event(), threading.Event()

    def slowly(_: Asked) -> Reply:
        asked.set()
        go_on.wait(240)
        return records([{"id": "1", "first": "Ada", "last": "Byron", "mail": "ada@example.org"}])

    api.answers["/people"] = slowly
    take_up(running, hub, "api")
    running.ask("PATCH", "/dags/onefold_model", is_paused=False)
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
    settle(running, hub)

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


def written(hub: Hub) -> dict[str, set[tuple[str, str, str]]]:
    """Every row of the hub with its place and who wrote it last."""
    with connect(hub.database_url, application_name="test") as conn:
        return row_versions(conn)


def backfilled(running: Stack, dag: str) -> list[dict[str, Any]]:
    """The runs of a DAG that backfills asked for."""
    return [run for run in running.runs(dag) if run["run_type"] == "backfill"]


def landed(hub: Hub) -> list[tuple[Any, ...]]:
    """How many records all syncs together say that they inserted and updated."""
    return hub.query(
        "SELECT sum((one->>'inserted')::int)::int, sum((one->>'updated')::int)::int"
        " FROM ops.run, jsonb_array_elements(report->'streams') AS one WHERE command = 'sync'"
    )


def events(hub: Hub) -> list[tuple[Any, ...]]:
    """What was told of clients, in order."""
    return hub.query("SELECT kind, client_id::text FROM ops.change_event WHERE client_id IS NOT NULL ORDER BY id")


def test_backfills_and_runs_again_change_nothing_beyond_one_run(hub: Hub, started: Started) -> None:
    # A DAG that only news starts has no dates to be run for: Airflow refuses its backfill.
    (hub.folder / "config" / "hub.yaml").write_text("schedule: 0 3 * * *\n", encoding="utf-8")
    with started() as running:
        take_up(running, hub, "crm", "erp")
        first = {name: running.first(f"onefold_sync_{name}") for name in ("crm", "erp")}
        assert {running.ended(f"onefold_sync_{name}", run) for name, run in first.items()} == {"success"}
        running.wait("the clients", lambda: hub.query("SELECT 1 FROM onefold_v1.dim_client"))
        settle(running, hub)
        before, rows, told = published(hub), written(hub), events(hub)

        # Three hours and three days of long ago, several at once: sources are asked for what is new, and nothing is.
        spans = {
            "onefold_sync_crm": ("2026-03-01T00:00:00Z", "2026-03-01T02:00:00Z"),
            "onefold_sync_erp": ("2026-03-01T00:00:00Z", "2026-03-01T02:00:00Z"),
            "onefold_publish": ("2026-03-01T00:00:00Z", "2026-03-03T12:00:00Z"),
        }
        for dag, span in spans.items():
            running.backfill(dag, *span)
        for dag in spans:
            finished(running, dag)
            assert len(backfilled(running, dag)) == 3
        settle(running, hub)
        assert (published(hub), events(hub)) == (before, told)
        assert written(hub) == rows, "a run without news writes no row"

        # The same dates again while a source changes: it is read once, and its client changes once.
        hub.registers["crm_contacts"][2]["first"] = "Leo"
        hub.write("crm_contacts")
        for dag, span in spans.items():
            running.backfill(dag, *span, again=True)
        for dag in spans:
            finished(running, dag)
        running.wait("Leo", lambda: hub.query("SELECT 1 FROM onefold_v1.dim_client WHERE given_name = 'Leo'"))
        settle(running, hub)
        assert [(kind, client) for kind, client in events(hub)[len(told) :]] == [
            ("changed", hub.client_of("crm:contacts:3"))
        ]
        ((_, updated),) = landed(hub)
        assert updated == 1


def finished(running: Stack, dag: str) -> None:
    """Wait until every run that backfills asked for has ended, and ended well."""

    def ended() -> bool:
        states = {run["state"] for run in backfilled(running, dag)}
        assert "failed" not in states, running.said("scheduler")
        return states == {"success"}

    running.wait(f"the backfill of {dag}", ended, within=600)


def test_two_schedulers_land_each_record_once(
    hub: Hub, started: Started, fresh_databases: FreshDatabases, tmp_path: Path
) -> None:
    with started(schedulers=2) as running:
        take_up(running, hub, "crm", "erp")
        for name in ("crm", "erp"):
            running.ended(f"onefold_sync_{name}", running.first(f"onefold_sync_{name}"))
        # Sources change while both are at work: a run begins before the one before it is published.
        people = [("Вера", "Комиссаржевская"), ("Ada", "Byron"), ("Иван", "Тургенев"), ("Mary", "Somerville")]
        for number, (first, last) in enumerate(people, 1):
            mail = f"p{number}@example.org"
            hub.registers["crm_contacts"].append({"id": f"9{number}", "first": first, "last": last, "emails": mail})
            hub.registers["erp_customers"].append(
                {"code": f"P{number}", "kind": "person", "person": f"{last} {first}", "mail": mail}
            )
            hub.registers["crm_contacts"][2]["city"] = f"Тула {number}"
            for register in ("crm_contacts", "erp_customers"):
                hub.write(register)
            started_runs = {name: running.start(f"onefold_sync_{name}") for name in ("erp", "crm")}
            for name, run in started_runs.items():
                assert running.ended(f"onefold_sync_{name}", run) == "success"
        settle(running, hub)
        assert len(running.schedulers()) == 2, "both were at work"
        # Nothing failed, and nothing had to be tried again.
        tasks = [
            task
            for dag in ("onefold_sync_crm", "onefold_sync_erp", "onefold_publish")
            for run in running.runs(dag)
            for task in running.tasks(dag, run["dag_run_id"])
        ]
        assert {task["state"] for task in tasks} == {"success", "skipped"}
        assert {task["try_number"] for task in tasks if task["state"] == "success"} == {1}
    # Each record landed once ...
    assert landed(hub) == [(sum(map(len, hub.registers.values())), len(people))]
    created = hub.query("SELECT client_id FROM ops.change_event WHERE kind = 'created'")
    assert len(created) == len(set(created))
    # ... and the clients are those of one run of all at once.
    (tmp_path / "once").mkdir()
    with fresh_databases() as url:
        once = Hub(tmp_path / "once", url).like(hub)
        (once.folder / "config" / "sources" / "api.yaml").unlink()
        once.run()
        seen = "SELECT display_name, kind, email, city FROM onefold_v1.dim_client ORDER BY 1, 2, 3"
        assert hub.partition() == once.partition()
        assert hub.query(seen) == once.query(seen)
