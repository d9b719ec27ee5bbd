"""The DAGs on real Airflow: made from the configuration without errors, their tasks the hub's own steps, and a run."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dags.lineage import TABLES
from tests.acceptance.conftest import fill
from tests.support.airflow_pods import install_provider
from tests.support.airflow_stack import API, LARGE
from tests.support.cli import CHECKOUT, onefold
from tests.support.http_source import Reply, http_source, records
from tests.support.hub import Hub

DAGS = CHECKOUT / "dags"
AIRFLOW = Path(sys.executable).with_name("airflow")
SECRET = "secret-of-airflow"
RUNS = ("onefold_sync_erp", "onefold_sync_crm", "onefold_sync_api", "onefold_publish")
EXAMPLES = CHECKOUT / "docs" / "airflow"
LARGE_TASKS = ("train", "publish", "resolve", "standardise", "use")
PUBLISH = ("standardise", "resolve", "publish", "tell")
ADA = [{"id": "1", "first": "Ada", "last": "Byron", "mail": "ada@example.org"}]
PERSONAL = ("first", "last", "emails", "phone", "name", "inn", "person", "mail", "tel", "born")


@pytest.fixture
def airflow_environment(hub: Hub, tmp_path: Path) -> dict[str, str]:
    """An Airflow home of this test's own, never the checkout, with the cluster policy that docs/airflow.md shows; the
    hub's address and secrets are Airflow's."""
    assert AIRFLOW.exists(), "install the extra `airflow` (make test does)"
    (tmp_path / "backups").mkdir()
    (tmp_path / "airflow" / "config").mkdir(parents=True)
    shutil.copy(EXAMPLES / "airflow_local_settings.py", tmp_path / "airflow" / "config")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ONEFOLD_"))}
    return {
        **ours,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW_CONN_ONEFOLD": hub.database_url.replace("postgresql://", "postgres://", 1),
        "AIRFLOW_CONN_ONEFOLD_API": json.dumps({"conn_type": "generic", "extra": {"API_TOKEN": SECRET}}),
        "ONEFOLD_CONFIG": str(hub.folder / "config"),
        "ONEFOLD_AIRFLOW_BACKUPS": str(tmp_path / "backups"),
        "PYTHONPATH": str(CHECKOUT),
    }


def run(environment: dict[str, str], *command: str | Path, ends: int = 0) -> str:
    """What a program said, of both kinds; it must end with the code `ends`."""
    done = subprocess.run(
        command, env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == ends, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


def test_tasks_wait_fail_and_tell_as_the_source_and_the_hub_ask(
    hub: Hub, airflow_environment: dict[str, str], tmp_path: Path
) -> None:
    said = run(
        airflow_environment, sys.executable, "-m", "tests.support.airflow_scenes", str(hub.folder), hub.database_url
    )
    found: dict[str, Any] = json.loads(said.partition("SCENES")[2].splitlines()[0])
    assert found["errors"] == {}
    assert set(found["dags"]) == {
        "onefold_maintenance", "onefold_model", "onefold_publish",
        "onefold_sync_api", "onefold_sync_crm", "onefold_sync_erp",
    }  # fmt: skip
    assert found["dags"]["onefold_publish"] == ["publish", "resolve", "some_task_failed", "standardise", "tell"]
    assert found["pool"] == "onefold_crm"
    assert {name.partition(".")[2]: queue for name, queue in found["queues"].items()} == {
        "backup": "onefold_backup", **dict.fromkeys(LARGE_TASKS, "onefold_large")
    }  # fmt: skip
    # The hub lets one process read a source, and that one keeps its limits.
    assert found["at_once"] == {"onefold_sync_api": 1, "onefold_sync_crm": 1, "onefold_sync_erp": 1, "sweep": 1}
    # Read hourly, so that an hour of the promise has passed when a run begins.
    assert found["deadlines"] == [60, 7200]

    asked = datetime.fromisoformat(found["before"]).replace(tzinfo=UTC) + timedelta(seconds=90)
    later = found["later"]
    assert (later["end"], later["then"]) == ("deferred", "again")
    assert asked <= datetime.fromisoformat(later["at"]) <= asked + timedelta(seconds=60)
    assert found["unwell"]["end"] == "again" and "status 503" in found["unwell"]["says"]
    assert found["refused"]["end"] == "fatal" and "api:people" in found["refused"]["says"]
    assert found["busy"]["end"] == "deferred" and found["busy"]["with"] == {"looks": 1}
    assert found["noted"] == [
        ["failure:api:people", "api:people: status 401"],
        ["stale:DAG:onefold_sync_api", found["noted"][1][1]],
    ]
    assert found["put_off"] == found["noted"], "what its source put off is not well again"
    assert found["well"]["end"] == "done" and found["well"]["report"]["streams"][0]["inserted"] == 1
    assert "columns" not in found["well"]["report"]["streams"][0]

    # A full read that was put off behind its first page does not begin anew.
    assert found["begun"]["end"] == "deferred" and found["begun"]["with"] == {"looks": 0, "resume": True}
    assert found["begun_busy"]["with"] == {"looks": 1, "resume": True}
    assert found["resumed"]["end"] == "done" and found["resumed_asked"] == ["/more"]

    assert found["news"]["end"] == "done"
    assert found["event"] == {"onefold_news_api": {"waiting": 1, "rules_changed": False}}
    assert found["still"] == [], "what is well again is over"
    assert found["publish"]["report"]["created"] == 1
    assert found["no_news"]["end"] == "skipped"
    assert found["train"]["end"] == "skipped" and "too few" in found["train"]["says"]
    assert "its day" in found["monday"]["says"]
    assert [one["end"] for one in found["backup"]] == ["done", "done"]
    assert [file.name for file in (tmp_path / "backups").iterdir()] == ["onefold-20260301T000000.onefold"]
    assert found["retention"]["end"] == "done"
    assert found["swept"] == ["api:people", "crm:contacts", "crm:companies", "crm:deals", "erp:customers"]
    assert [key for key, _ in found["not_approved"]] == ["failure:DAG:onefold_model.approve"]
    assert found["proposal"]["report"]["version"] == 7 and found["approved"] == []
    assert found["stale"]["end"] == "fatal"
    assert "approved in the place of 5, and 1 is in use now" in found["stale"]["says"]
    assert found["in_use"] == [[1]]
    body, users = found["question"]
    assert "Anybody with access" in body and users is None
    (inputs, outputs), (_, golden) = found["lineage"]
    assert inputs[0] == ["onefold://api", "people"]
    assert outputs[0][0].startswith("postgres://") and outputs[0][1].endswith(".raw.record")
    assert any(name.endswith(".core.client") for _, name in golden)
    assert found["without_lineage"] == ["onefold_model.proposal"]
    (whole,), (file,) = found["backup_lineage"]
    assert whole[1].endswith(".*") and file == ["file", str(tmp_path / "backups" / "onefold-20260301T000000.onefold")]
    assert SECRET not in said


@pytest.mark.timeout(900)
def test_dags_run_on_airflow_and_a_failed_source_keeps_nobody_else_back(
    hub: Hub, airflow_environment: dict[str, str], tmp_path: Path
) -> None:
    fill(hub)
    (hub.folder / "data" / "erp_orders.jsonl").unlink()
    run(airflow_environment, AIRFLOW, "db", "migrate")
    (hub.folder / "config" / "concerns.yaml").write_text(LARGE, encoding="utf-8")
    (hub.folder / "config" / "hub.yaml").write_text("notifications: {webhook: '${HOOK}'}\n", encoding="utf-8")
    lineage = {"type": "file", "log_file_path": str(tmp_path / "lineage"), "append": True}
    airflow_environment["AIRFLOW__OPENLINEAGE__TRANSPORT"] = json.dumps(lineage)
    # The client of a source asks twice; Airflow's first two tries end with that, the third finds the source well.
    airflow_environment["AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY"] = "1"
    moods = [Reply(503)] * 4
    with http_source() as hooks:
        # Without `freshness`: Airflow's `dags test` looks for deadlines that it has not stored (3.3.2).
        lines = (API % hooks.url).replace("attempts: 1", "attempts: 2").splitlines(keepends=True)
        hub.configure("api", "".join(line for line in lines if not line.startswith("freshness")))
        hooks.answers["/people"] = lambda _: moods.pop() if moods else records(ADA)
        hooks.answers["/T0K3N"] = lambda _: Reply(200)
        airflow_environment["AIRFLOW_VAR_HOOK"] = f"{hooks.url}/T0K3N"
        said = run(airflow_environment, sys.executable, "-m", "tests.support.airflow_runs", *RUNS)
        told = [one for asked in hooks.asked if asked.body for one in json.loads(asked.body)["notices"]]
        assert hooks.paths().count("/people") == 5
    # A source that failed must not leave its run green.
    assert json.loads(said.partition("ENDED")[2].splitlines()[0]) == dict(
        zip(RUNS, ("DagRun failed", "success", "success", "success"), strict=True)
    )
    assert "erp_orders.jsonl" in said
    # A concern that came up is told by the task `tell`, with a secret of Airflow's, and names no client.
    (large,) = [one for one in told if one["kind"] == "concern"]
    assert large["key"] == "concern:large" and "1 clients. For: ada@example.com" in large["detail"]
    assert "T0K3N" not in said and "Ромашка" not in json.dumps(told, ensure_ascii=False)
    assert hub.client_of("crm:companies:10") == hub.client_of("erp:customers:C1")
    events = [json.loads(line) for line in (tmp_path / "lineage").read_text("utf-8").splitlines()]
    done = [one for one in events if one["eventType"] == "COMPLETE" and one["job"]["name"] == "onefold_sync_crm.sync"]
    assert {one["inputs"][0]["name"] for one in done} == {"contacts", "companies", "deals"}
    assert all(one["outputs"][0]["name"].endswith(".raw.record") for one in done)
    database = urlsplit(hub.database_url).path.lstrip("/")
    for step in PUBLISH:
        (end,) = [
            one for one in events if one["eventType"] == "COMPLETE" and one["job"]["name"] == f"onefold_publish.{step}"
        ]
        named = [[one["name"].removeprefix(f"{database}.") for one in end[side]] for side in ("inputs", "outputs")]
        assert named == [list(tables) for tables in TABLES[step]]
    with closing(sqlite3.connect(tmp_path / "airflow" / "airflow.db")) as airflow:
        # What failed twice and then went well: tried again by Airflow, landed once, and nobody was told of it.
        (tries,) = airflow.execute(
            "SELECT try_number, state FROM task_instance WHERE dag_id = 'onefold_sync_api' AND task_id = 'sync'"
        ).fetchall()
        assert tries == (3, "success")
        assert hub.query("SELECT count(*) FROM raw.record WHERE source = 'api'") == [(1,)]
        assert hub.query("SELECT status FROM ops.run WHERE source = 'api' ORDER BY run_id") == [
            ("failed",),
            ("failed",),
            ("done",),
        ]
        assert not [one for one in told if "api" in one["key"]]
        # The policy of docs/airflow.md has given the tasks their queues.
        queues = dict(airflow.execute("SELECT dag_id || '.' || task_id, queue FROM task_instance").fetchall())
        assert {name for name, queue in queues.items() if queue == "onefold_large"} == {
            f"onefold_publish.{step}" for step in PUBLISH[:3]
        }
        travelled = " ".join(json.dumps(json.loads(value), ensure_ascii=False) for (value,) in airflow.execute(
            "SELECT value FROM xcom WHERE key = 'return_value'"
        ))  # fmt: skip
    assert '"inserted": 3' in travelled and '"created"' in travelled
    personal = {str(one[name]) for rows in hub.registers.values() for one in rows for name in PERSONAL if one.get(name)}
    assert len(personal) > 15 and not [one for one in personal if one in travelled]


@pytest.mark.live
@pytest.mark.timeout(1200)
def test_pods_are_the_template_with_what_the_policy_lays_over_it(
    airflow_environment: dict[str, str], tmp_path: Path
) -> None:
    install_provider(tmp_path / "provider")
    environment = {**airflow_environment, "PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(tmp_path / "provider")])}
    said = run(environment, sys.executable, "-m", "tests.support.airflow_pods", str(EXAMPLES / "pod_template.yaml"))
    found: dict[str, Any] = json.loads(said.partition("PODS")[2].splitlines()[0])
    assert set(found) == {"backup", *LARGE_TASKS}
    for name, pod in found.items():
        (base,) = pod["spec"]["containers"]
        mounts = {one["name"]: one["mountPath"] for one in base["volumeMounts"]}
        assert base["image"].endswith("onefold-airflow:1") and base["args"] == ["run"] and mounts["hub"] == "/srv/hub"
        assert mounts.keys() == {one["name"] for one in pod["spec"]["volumes"]}
        known = {one["name"]: one.get("value") for one in base["env"]}
        assert known["ONEFOLD_CONFIG"] == "/srv/hub/config" and "AIRFLOW_CONN_ONEFOLD" in known
        if name == "backup":
            assert known["ONEFOLD_AIRFLOW_BACKUPS"] == mounts["onefold-backups"] == "/srv/backups"
            assert base["resources"]["limits"]["memory"] == "2Gi"
        else:
            # What stands later wins in Kubernetes.
            assert [one["value"] for one in base["env"] if one["name"] == "ONEFOLD_HOME"][-1] == "/srv/onefold"
            assert base["resources"]["limits"]["memory"] == "16Gi" and mounts["onefold-home"] == "/srv/onefold"


def test_pools_are_made_for_every_source(hub: Hub) -> None:
    listed = onefold(*hub.place, "--json", "airflow", "pools")
    assert {name: pool["slots"] for name, pool in listed.json.items()} == {"onefold_crm": 1, "onefold_erp": 1}
