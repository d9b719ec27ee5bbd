"""The DAG on real Airflow: parsed without errors, run with the hub's own steps."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.conftest import fill
from tests.support.hub import Hub

DAGS = Path(__file__).parents[2] / "dags"
AIRFLOW = Path(sys.executable).with_name("airflow")


@pytest.fixture
def airflow_environment(hub: Hub, tmp_path: Path) -> dict[str, str]:
    """An Airflow home of this test's own, never the checkout, with SQLite metadata."""
    assert AIRFLOW.exists(), "install the extra `airflow` (make test does)"
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "ONEFOLD_CONFIG": str(hub.folder / "config"),
        "ONEFOLD_HOME": str(hub.folder / "var"),
        "ONEFOLD_DATABASE_URL": hub.database_url,
    }
    done = subprocess.run([AIRFLOW, "db", "migrate"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return environment


@pytest.mark.timeout(600)
def test_the_dag_runs_the_same_steps_on_real_airflow_and_a_failed_source_keeps_nobody_else_back(
    hub: Hub, airflow_environment: dict[str, str]
) -> None:
    fill(hub)
    done = subprocess.run(
        [AIRFLOW, "dags", "test", "onefold"],
        env=airflow_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert hub.client_of("crm:companies:10") == hub.client_of("erp:customers:C1")

    (hub.folder / "data" / "erp_orders.jsonl").unlink()
    hub.registers["crm_contacts"][2]["first"] = "Leo"
    hub.write("crm_contacts")
    done = subprocess.run(
        [AIRFLOW, "dags", "test", "onefold"],
        env=airflow_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    assert "erp_orders.jsonl" in output
    assert "state=failed" in output, "a source that failed must not leave the run green"
    ((name,),) = hub.query(
        "SELECT given_name FROM onefold_v1.dim_client WHERE client_id = %s",
        (hub.client_of("crm:contacts:3"),),
    )
    assert name == "Leo"


def test_every_dag_file_parses_without_an_import_error(airflow_environment: dict[str, str]) -> None:
    done = subprocess.run(
        [AIRFLOW, "dags", "list-import-errors", "--output", "json"],
        env=airflow_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    listed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import dags.onefold_pipeline as p; print(sorted(p.onefold_pipeline().task_ids))",
        ],
        env=airflow_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "publish" in listed.stdout, listed.stderr[-3000:]
