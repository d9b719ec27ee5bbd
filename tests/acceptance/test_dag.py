"""The DAGs on real Airflow: made from the configuration without errors, their tasks the hub's own steps, and a run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import fill
from tests.support.airflow_stack import LARGE
from tests.support.cli import CHECKOUT, onefold
from tests.support.http_source import Reply, http_source
from tests.support.hub import Hub

DAGS = CHECKOUT / "dags"
AIRFLOW = Path(sys.executable).with_name("airflow")
SECRET = "secret-of-airflow"
RUNS = ("onefold_sync_erp", "onefold_sync_crm", "onefold_publish")


@pytest.fixture
def airflow_environment(hub: Hub, tmp_path: Path) -> dict[str, str]:
    """An Airflow home of this test's own, never the checkout; the hub's address and secrets are Airflow's."""
    assert AIRFLOW.exists(), "install the extra `airflow` (make test does)"
    (tmp_path / "backups").mkdir()
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
    assert SECRET not in said


@pytest.mark.timeout(600)
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
    with http_source() as hooks:
        hooks.answers["/T0K3N"] = lambda _: Reply(200)
        airflow_environment["AIRFLOW_VAR_HOOK"] = f"{hooks.url}/T0K3N"
        said = run(airflow_environment, sys.executable, "-m", "tests.support.airflow_runs", *RUNS)
        told = [one for asked in hooks.asked for one in json.loads(asked.body)["notices"]]
    # A source that failed must not leave its run green.
    assert json.loads(said.partition("ENDED")[2].splitlines()[0]) == dict(
        zip(RUNS, ("DagRun failed", "success", "success"), strict=True)
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


def test_pools_are_made_for_every_source_and_without_the_extra_the_error_names_it(hub: Hub, tmp_path: Path) -> None:
    listed = onefold(*hub.place, "--json", "airflow", "pools")
    assert {name: pool["slots"] for name, pool in listed.json.items()} == {"onefold_crm": 1, "onefold_erp": 1}
    code = (
        "import sys, importlib.abc\n"
        "class Gone(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('airflow', 'openlineage'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Gone())\n"
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'airflow' else find(name, *more)\n"
        "from onefold.cli.app import main\n"
        "sys.argv = ['onefold', *sys.argv[1:]]\n"
        "main()\n"
    )
    place = [str(one) for one in hub.place]

    def without_airflow(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, *place, *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False
        )

    assert without_airflow("run", "--due").returncode == 0
    assert without_airflow("airflow", "pools").returncode == 0
    refused = without_airflow("airflow", "pools", "--apply")
    assert refused.returncode == 1 and "onefold[airflow]" in refused.stderr
