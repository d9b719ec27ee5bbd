"""The hub run by a whole Airflow: scheduler, API server, DAG processor, triggerer, LocalExecutor, PostgreSQL."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from onefold.steps.publish import publish
from onefold.steps.resolve import resolve
from tests.acceptance.conftest import FreshDatabases, fill
from tests.support import database as databases
from tests.support.airflow_stack import API, LARGE, Stack, stack
from tests.support.cli import CHECKOUT
from tests.support.http_source import Answerer, Asked, HttpSource, Reply, http_source, records
from tests.support.hub import Hub
from tests.support.people import populate
from warehouse.connect import connect
from warehouse.dump import row_versions

pytestmark = [pytest.mark.scale, pytest.mark.timeout(2400)]
SECRET = "secret-of-airflow"
HOOK = "/T0K3N"
IN_USE = "SELECT version FROM identity.model WHERE is_current"


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
        **secrets_backend(hub, api, tmp_path),
        "ONEFOLD_CONFIG": str(hub.folder / "config"),
        "ONEFOLD_AIRFLOW_BACKUPS": str(tmp_path / "backups"),
        "ONEFOLD_AIRFLOW_WEEKLY": "never",
        "ONEFOLD_AIRFLOW_APPROVERS": "ada:Ada Lovelace",
    }

    @contextmanager
    def start(schedulers: int = 1) -> Iterator[Stack]:
        with (
            databases.database(server_url, None) as metadata,
            stack(tmp_path / "airflow", metadata, CHECKOUT / "dags", environment, schedulers=schedulers) as found,
        ):
            yield found

    return start


def secrets_backend(hub: Hub, api: HttpSource, folder: Path) -> dict[str, str]:
    """The settings of Airflow by which the hub's address and all secrets come from files, and from nowhere else."""
    contents: dict[str, dict[str, Any]] = {
        "connections": {
            "onefold": hub.database_url.replace("postgresql://", "postgres://", 1),
            "onefold_api": {"conn_type": "generic", "extra": json.dumps({"API_TOKEN": SECRET})},
        },
        "variables": {"HOOK": f"{api.url}{HOOK}"},
    }
    files = {kind: folder / f"{kind}.json" for kind in contents}
    for kind, file in files.items():
        file.write_text(json.dumps(contents[kind]), encoding="utf-8")
    return {
        "AIRFLOW__SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(
            {f"{kind}_file_path": str(file) for kind, file in files.items()}
        ),
    }


def for_its_token(answer: Answerer) -> Answerer:
    """Only to who shows the secret."""

    def answered(asked: Asked) -> Reply:
        said = {name.lower(): value for name, value in asked.headers.items()}
        return answer(asked) if said.get("authorization") == f"Bearer {SECRET}" else Reply(403)

    return answered


@pytest.fixture
def running(started: Started) -> Iterator[Stack]:
    with started() as found:
        yield found


def take_up(running: Stack, hub: Hub) -> None:
    """Wait for the DAGs, give the sources their pools, and let news be published."""
    running.wait("the DAGs", lambda: len(running.ask("GET", "/dags?tags=onefold")["dags"]) == 6, within=240)
    assert running.ask("GET", "/importErrors")["import_errors"] == []
    running.onefold(*hub.place, "airflow", "pools", "--apply")
    assert pools(running) == {"onefold_api": 1, "onefold_crm": 1, "onefold_erp": 1}
    running.ask("PATCH", "/dags/onefold_publish", is_paused=False)


def pools(running: Stack) -> dict[str, int]:
    """The slots of the sources' pools in Airflow."""
    found = running.ask("GET", "/pools")["pools"]
    return {one["name"]: one["slots"] for one in found if one["name"].startswith("onefold_")}


def published(hub: Hub) -> list[Any]:
    """What readers see, and how much was told of it."""
    return [
        hub.query("SELECT client_id::text, display_name FROM onefold_v1.dim_client ORDER BY 1"),
        hub.query("SELECT source, stream, source_key, payload_hash::text FROM raw.record ORDER BY 1, 2, 3"),
        hub.query("SELECT count(*) FROM ops.change_event"),
    ]


def notices(hub: Hub) -> list[str]:
    """Keys of what failed or is late; that a run died is told by whichever task comes next, and over with the one after
    it."""
    keys = [key for (key,) in hub.query("SELECT key FROM ops.notice WHERE closed_at IS NULL ORDER BY key")]
    return [key for key in keys if key.startswith(("failure:", "stale:")) and not key.startswith("failure:died:")]


def test_a_hub_lives_on_a_whole_airflow(hub: Hub, api: HttpSource, running: Stack) -> None:
    """Sources, failures, waiting, a week's upkeep, and a model from its training to its use."""
    people = [{"id": "1", "first": "Ada", "last": "Byron", "mail": "ada@example.org"}]
    api.answers["/people"] = for_its_token(lambda _: records(people))
    api.answers[HOOK] = lambda _: Reply(404)
    (hub.folder / "config" / "hub.yaml").write_text("notifications: {webhook: '${HOOK}'}\n", encoding="utf-8")
    (hub.folder / "config" / "concerns.yaml").write_text(LARGE, encoding="utf-8")
    populate(hub, first_key=1000)
    take_up(running, hub)

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
    people[:] = [{"id": "2", "first": "Mary", "last": "Somerville", "mail": "mary@example.org"}]
    api.answers["/people"] = for_its_token(lambda _: next(moods, None) or records(people))
    waiting = running.start("onefold_sync_api")
    running.wait(
        "a task that is deferred",
        lambda: any(one["state"] == "deferred" for one in running.tasks("onefold_sync_api", waiting)),
        within=120,
    )
    assert running.ended("onefold_sync_api", waiting) == "success"
    running.wait("Mary", lambda: hub.query("SELECT 1 FROM onefold_v1.dim_client WHERE given_name = 'Mary'"))
    settle(running, hub)
    assert there(hub, "Ada"), "who is no longer among what changed has not been deleted for that"
    upkeep_of_a_week(hub, api, running)


def there(hub: Hub, name: str) -> bool:
    """Whether a client of this given name is served."""
    return bool(hub.query("SELECT 1 FROM onefold_v1.dim_client WHERE given_name = %s AND NOT is_deleted", (name,)))


def upkeep_of_a_week(hub: Hub, api: HttpSource, running: Stack) -> None:
    """An ordinary day, then the day of the weekly part, on which a record is found deleted and a model proposed."""
    # A channel that took nothing until now is told all of it by `tell`, with an address of the secrets backend's.
    api.answers[HOOK] = lambda _: Reply(200)
    running.ask("PATCH", "/dags/onefold_model", is_paused=False)
    day = running.first("onefold_maintenance")
    assert running.ended("onefold_maintenance", day) == "success"
    weekly = {"sweep", "train", "mirror", "news"}
    states = running.states("onefold_maintenance", day)
    assert {name for name, found in states.items() if found == {"skipped"}} == {*weekly, "some_task_failed"}
    assert {name for name, found in states.items() if found == {"success"}} == {
        "backup",
        "retention",
        "reconcile",
        "tell",
    }
    assert list((hub.folder / "backups").glob("*.onefold"))
    told = [one for asked in api.asked if asked.path == HOOK for one in json.loads(asked.body)["notices"]]
    assert "concern:large" in {one["key"] for one in told}
    assert running.report("onefold_maintenance", day, "tell")["told"]["webhook"] > 0

    published_before = {run["dag_run_id"] for run in running.runs("onefold_publish")}
    week = running.start("onefold_maintenance", weekly=True)
    assert running.ended("onefold_maintenance", week, within=600) == "success"
    states = running.states("onefold_maintenance", week)
    assert {name for name, found in states.items() if found != {"success"}} == {"some_task_failed"}
    swept = {
        one["rendered_map_index"] for one in running.tasks("onefold_maintenance", week) if one["task_id"] == "sweep"
    }
    assert swept == {"api:people", "crm:contacts", "crm:companies", "crm:deals", "erp:customers", "erp:orders"}
    assert running.report("onefold_maintenance", week, "mirror") == {"schemes": [], "verdicts": {}, "not_served": []}
    counted = running.report("onefold_maintenance", week, "reconcile")
    assert (counted["streams"], counted["unexplained"]) == (6, 0)
    kept = hub.query("SELECT sum(raw_rows)::int FROM ops.reconciliation WHERE run_id = %s", (counted["run_id"],))
    assert kept == [(counted["rows"],)]
    # What the sweep did not see any more is no client any more: `onefold_news` has told.
    settle(running, hub)
    assert not there(hub, "Ada") and there(hub, "Mary")
    since = {run["dag_run_id"] for run in running.runs("onefold_publish")} - published_before
    assert set().union(*(running.started_by("onefold_publish", run) for run in since)) == {"onefold_news"}
    assert notices(hub) == []
    a_model_is_proposed_left_approved_and_rejected(hub, running, week)


def a_model_is_proposed_left_approved_and_rejected(hub: Hub, running: Stack, week: str) -> None:
    """`week`: the run of the upkeep that has trained a model and told the asset of proposals."""
    ((shipped,),) = hub.query(IN_USE)
    learnt = running.report("onefold_maintenance", week, "train")["version"]
    assert learnt != shipped

    # Nobody answers in six days: it is left out.
    (left,) = [run["dag_run_id"] for run in running.wait("the proposal", lambda: running.runs("onefold_model"))]
    question = asked_for_approval(running, left)
    assert question["subject"] == f"Onefold: use model {learnt}?"
    assert f"Model {learnt} instead of {shipped}" in question["body"] and "Anybody" not in question["body"]
    assert [one["id"] for one in question["assigned_users"]] == ["ada"]
    with running.metadata() as conn:
        waiting = "dag_id = 'onefold_model' AND state = 'awaiting_input'"
        days = f"SELECT round(extract(epoch FROM trigger_timeout - now()) / 86400) FROM task_instance WHERE {waiting}"
        assert conn.execute(days).fetchall() == [(6,)]
        conn.execute(f"UPDATE task_instance SET trigger_timeout = now() - interval '1 second' WHERE {waiting}")
    assert running.ended("onefold_model", left) == "success"
    assert running.states("onefold_model", left)["use"] == {"skipped"}
    assert hub.query(IN_USE) == [(shipped,)]

    # The next training proposes anew, now without Ada; who is not named may not approve it, who is named does.
    running.again("onefold_maintenance", week, "train")
    runs = running.wait("a second proposal", lambda: len(found := running.runs("onefold_model")) == 2 and found)
    assert {run["run_type"] for run in runs} == {"asset_triggered"}
    assert all(running.started_by("onefold_model", run["dag_run_id"]) == {"onefold_model_proposed"} for run in runs)
    (second,) = {run["dag_run_id"] for run in runs} - {left}
    learnt = running.report("onefold_maintenance", week, "train")["version"]
    assert asked_for_approval(running, second)["subject"] == f"Onefold: use model {learnt}?"
    assert answer(running, second, "bob", "Approve") == 403
    assert answer(running, second, "ada", "Approve") == 200
    assert running.ended("onefold_model", second) == "success"
    assert running.states("onefold_model", second)["use"] == {"success"}
    assert running.report("onefold_model", second, "use")["version"] == learnt
    assert hub.query(IN_USE) == [(learnt,)]
    assert hub.query(
        "SELECT (report->>'model_version')::int FROM ops.run WHERE command = 'resolve' ORDER BY run_id DESC LIMIT 1"
    ) == [(learnt,)]

    # A version that a person asks for by hand, and rejects.
    rejected = running.start("onefold_model", version=shipped)
    asked_for_approval(running, rejected)
    assert answer(running, rejected, "ada", "Reject") == 200
    assert running.ended("onefold_model", rejected) == "success"
    assert running.states("onefold_model", rejected)["use"] == {"skipped"}
    assert hub.query(IN_USE) == [(learnt,)]
    assert notices(hub) == []


def asked_for_approval(running: Stack, run: str) -> dict[str, Any]:
    """What a run of `onefold_model` asks, when it waits for the answer."""
    running.wait(
        "the question",
        lambda: any(one["state"] == "awaiting_input" for one in running.tasks("onefold_model", run)),
        within=180,
    )
    # People take longer than a second: Airflow 3.3 asks again if the answer comes before its scheduler has seen that the
    # task waits.
    time.sleep(15)
    found: dict[str, Any] = running.ask("GET", question_of(run))
    return found


def question_of(run: str) -> str:
    """Where the API has the question of a run of `onefold_model`."""
    return f"/dags/onefold_model/dagRuns/{run}/taskInstances/approve/-1/hitlDetails"


def answer(running: Stack, run: str, user: str, option: str) -> int:
    """What the API says to an answer: a status of HTTP."""
    given = {"chosen_options": [option], "params_input": {}}
    place = f"/api/v2{question_of(run)}"
    return running.http.patch(place, json=given, headers=running.signed_in(user)).status_code


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


def test_killed_workers_and_late_runs(hub: Hub, api: HttpSource, running: Stack) -> None:
    """Workers are killed between two pages and in the middle of a resolution: nothing is lost, nothing is done twice."""
    asked, go_on = threading.Event(), threading.Event()

    def slowly(_: Asked) -> Reply:
        asked.set()
        go_on.wait(240)
        return records([{"id": "2", "first": "A.", "last": "Byron", "mail": "ada@example.org"}])

    first = records(
        [{"id": "1", "first": "Ada", "last": "Byron", "mail": "ada@example.org"}],
        Link=f'<{api.url}/more>; rel="next"',
    )
    api.answers |= {"/people": for_its_token(lambda _: first), "/more": for_its_token(slowly)}
    take_up(running, hub)
    # The same by what `onefold --json` prints.
    file = hub.folder / "pools.json"
    file.write_text(running.onefold(*hub.place, "--json", "airflow", "pools"), encoding="utf-8")
    running.airflow("pools", "delete", "onefold_api")
    assert "onefold_api" not in pools(running)
    running.airflow("pools", "import", str(file))
    assert pools(running) == {"onefold_api": 1, "onefold_crm": 1, "onefold_erp": 1}

    run = running.first("onefold_sync_api")
    running.wait("the second page to be asked for", asked.is_set, within=180)
    api_records = "SELECT source_key FROM raw.record WHERE source = 'api' ORDER BY 1"
    running.wait("the first page", lambda: hub.query(api_records) == [("1",)], within=60)
    kill_workers(running)
    running.wait("the notice that it is late", lambda: "stale:DAG:onefold_sync_api" in notices(hub), within=300)
    with storing_of_links_blocked(hub) as is_reached:
        go_on.set()
        assert running.ended("onefold_sync_api", run, within=300) == "success"
        (task,) = [one for one in running.tasks("onefold_sync_api", run) if one["task_id"] == "sync"]
        assert task["try_number"] > 1
        # The page that had landed is not asked for again, and no record is lost or there twice.
        assert api.paths().count("/people") == 1
        assert hub.query(api_records) == [("1",), ("2",)]
        assert notices(hub) == []
        # What has landed is published; its evidence is stored and its links are not when the worker dies.
        running.wait("resolve to store its links", is_reached, within=180)
        kill_workers(running)
    running.wait("Ada", lambda: there(hub, "Ada"), within=300)
    settle(running, hub)
    (published_by,) = [
        one["dag_run_id"] for one in running.runs("onefold_publish") if "resolve" in killed_in(running, one)
    ]
    assert running.states("onefold_publish", published_by)["resolve"] == {"success"}
    assert hub.client_of("api:people:1") == hub.client_of("api:people:2")
    assert [kind for kind, _ in events(hub)] == ["created"]
    assert notices(hub) == []
    # Everything compared and published anew changes nothing of it.
    before = written(hub)
    with hub.context() as context:
        resolve(context, everything=True)
        publish(context)
    assert written(hub) == before


def kill_workers(running: Stack) -> None:
    """End every process that is at a task, at once."""
    killed = running.workers()
    assert len(killed) > 1, "who supervises a task, and the task"
    for one in killed:
        with suppress(psutil.NoSuchProcess):
            one.kill()


def killed_in(running: Stack, run: dict[str, Any]) -> set[str]:
    """The tasks of a run of `onefold_publish` that were tried more than once."""
    return {
        one["task_id"] for one in running.tasks("onefold_publish", run["dag_run_id"]) if (one["try_number"] or 0) > 1
    }


@contextmanager
def storing_of_links_blocked(hub: Hub) -> Iterator[Callable[[], bool]]:
    """Nobody can write a link of a record to its client in this block; tells whether somebody waits to."""
    with psycopg.connect(hub.database_url) as conn:
        conn.execute("LOCK TABLE identity.crosswalk IN SHARE MODE")
        waiting = (
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE relation = 'identity.crosswalk'::regclass AND NOT granted)"
        )
        yield lambda: hub.query(waiting) == [(True,)]
        conn.rollback()


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
        take_up(running, hub)
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
        return states == {"success"} and running.is_filled(dag)

    running.wait(f"the backfill of {dag}", ended, within=600)


def test_two_schedulers_land_each_record_once(
    hub: Hub, started: Started, fresh_databases: FreshDatabases, tmp_path: Path
) -> None:
    with started(schedulers=2) as running:
        take_up(running, hub)
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
