"""A whole Airflow on this machine: API server, scheduler with LocalExecutor, DAG processor, triggerer; metadata in
PostgreSQL. Everything listens on 127.0.0.1 and ends with the block."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from tests.support.programs import bounded, free_port

AIRFLOW = Path(sys.executable).with_name("airflow")
ONEFOLD = AIRFLOW.with_name("onefold")
API = """
source: api
connector: rest
settings:
  manifest:
    base_url: "%s"
    auth: {kind: bearer, token: "${API_TOKEN}"}
    limits: {max_wait: 1s, attempts: 1}
    streams:
      people:
        path: people
        key: id
        paging: {kind: next_url, header: Link}
        changes: {param: since}
        deletes: [{kind: sweep, every: 30d}]
freshness: {warn_after: 61m, fail_after: 3h}
schedule: "@hourly"
streams:
  people:
    as: person
    key: id
    fields: {given_name: first, family_name: last, email: mail}
"""
"""A source whose token is Airflow's; a test decides what it answers. It tells what changed and never what was deleted."""
LARGE = """
owner: ada@example.com
concerns:
  large:
    question: Who has a large deal?
    sql: SELECT i.client_id, i.record_id FROM onefold_v1.fct_interaction AS i WHERE i.amount > 900 AND NOT i.is_deleted
    examples:
      raised: [{interactions: [{type: sales_deal, days_ago: 1, amount: 901}]}]
      calm: [{interactions: [{type: sales_deal, days_ago: 1, amount: 900}]}]
"""
"""A concern that some client of `fill` raises."""
USERS = ("ada", "bob")
"""Who can sign in; both are administrators, and the API is asked as the first."""
PARTS = ("api-server", "scheduler", "dag-processor", "triggerer")
ANOTHER = "scheduler-2"
"""What a second scheduler on the same metadata is called here."""
LONGEST = 2400
"""Seconds after which a part ends, whatever becomes of the test."""


def settings(folder: Path, metadata_url: str, dags: Path, port: int) -> dict[str, str]:
    """Airflow's settings, as environment variables; looks often, so that a test need not wait."""
    database = metadata_url.replace("postgresql://", "postgresql+psycopg://", 1)
    given = {
        "CORE__DAGS_FOLDER": str(dags),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__UNIT_TEST_MODE": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "2",
        "CORE__DEFAULT_TASK_RETRY_DELAY": "2",
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "CORE__FERNET_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:admin" for name in USERS),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
        "DATABASE__SQL_ALCHEMY_CONN": database,
        "DATABASE__SQL_ALCHEMY_CONN_ASYNC": database,
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__WORKERS": "1",
        "API__BASE_URL": f"http://127.0.0.1:{port}",
        "API__SECRET_KEY": secrets.token_hex(32),
        "API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "WORKERS__EXECUTION_API_TIMEOUT": "60",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        "OPENLINEAGE__DISABLED": "True",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    return {"AIRFLOW_HOME": str(folder), **{f"AIRFLOW__{name}": value for name, value in given.items()}}


@dataclass
class Stack:
    """A running Airflow, asked over its public API."""

    environment: dict[str, str]
    http: httpx.Client
    parts: dict[str, subprocess.Popen[bytes]]
    folder: Path

    def airflow(self, *arguments: str) -> str:
        """What Airflow's command line says."""
        return self._said(AIRFLOW, *arguments)

    def onefold(self, *arguments: str) -> str:
        """What `onefold` says where it is called beside this Airflow."""
        return self._said(ONEFOLD, *arguments)

    def _said(self, *command: str | Path) -> str:
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False, timeout=240
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    def signed_in(self, user: str) -> dict[str, str]:
        """The headers of one of USERS who has signed in."""
        password = json.loads((self.folder / "passwords.json").read_text("utf-8"))[user]
        answer = self.http.post("/auth/token", json={"username": user, "password": password}).raise_for_status()
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def ask(self, method: str, path: str, **body: Any) -> Any:
        """The API's answer, which must be a good one."""
        answer = self.http.request(method, f"/api/v2{path}", json=body or None)
        assert answer.status_code < 300, (path, answer.status_code, answer.text[:2000])
        return answer.json() if answer.content else None

    def start(self, dag: str, **conf: Any) -> str:
        """Start a run of a DAG; its id."""
        return str(self.ask("POST", f"/dags/{dag}/dagRuns", logical_date=None, conf=conf)["dag_run_id"])

    def again(self, dag: str, run: str, task: str) -> None:
        """Have one task of an ended run done once more."""
        told = {"dag_run_id": run, "task_ids": [task], "only_failed": False, "dry_run": False}
        self.ask("POST", f"/dags/{dag}/clearTaskInstances", **told)

    def run_of(self, dag: str, run: str) -> dict[str, Any]:
        """How a run stands."""
        found: dict[str, Any] = self.ask("GET", f"/dags/{dag}/dagRuns/{run}")
        return found

    def runs(self, dag: str) -> list[dict[str, Any]]:
        """The runs of a DAG, oldest first."""
        found: list[dict[str, Any]] = self.ask("GET", f"/dags/{dag}/dagRuns?order_by=run_after")["dag_runs"]
        return found

    def first(self, dag: str) -> str:
        """Unpause a DAG, and wait for the run that its schedule makes for the moment that was due last."""
        self.ask("PATCH", f"/dags/{dag}", is_paused=False)
        return str(self.wait(f"a run of {dag}", lambda: self.runs(dag), within=120)[0]["dag_run_id"])

    def tasks(self, dag: str, run: str) -> list[dict[str, Any]]:
        """The task instances of a run."""
        found: list[dict[str, Any]] = self.ask("GET", f"/dags/{dag}/dagRuns/{run}/taskInstances")["task_instances"]
        return found

    def states(self, dag: str, run: str) -> dict[str, set[str]]:
        """How the tasks of a run ended: those of a mapped one together."""
        found: dict[str, set[str]] = {}
        for one in self.tasks(dag, run):
            found.setdefault(one["task_id"], set()).add(one["state"])
        return found

    def report(self, dag: str, run: str, task: str) -> Any:
        """What a task returned."""
        place = f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}/xcomEntries/return_value"
        return self.ask("GET", place)["value"]

    def started_by(self, dag: str, run: str) -> set[str]:
        """The names of the assets whose news started a run."""
        events = self.ask("GET", f"/dags/{dag}/dagRuns/{run}/upstreamAssetEvents")["asset_events"]
        return {one["name"] for one in events}

    def ended(self, dag: str, run: str, *, within: float = 300) -> str:
        """The state in which a run ended."""
        return str(
            self.wait(
                f"{dag} {run}",
                lambda: (state := self.run_of(dag, run)["state"]) in ("success", "failed") and state,
                within=within,
            )
        )

    def wait(self, what: str, found: Callable[[], Any], *, within: float = 300) -> Any:
        """What `found` gives, as soon as that is something."""
        until = time.monotonic() + within
        while not (result := found()):
            gone = [name for name, part in self.parts.items() if part.poll() is not None]
            assert not gone, f"{gone} ended: {self.said(gone[0])}"
            assert time.monotonic() < until, f"{what} did not come within {within} s. {self.said('scheduler')}"
            time.sleep(1)
        return result

    def said(self, part: str) -> str:
        """The end of the log of one of the processes."""
        return (self.folder / f"{part}.log").read_text("utf-8", errors="replace")[-3000:]

    def backfill(self, dag: str, begin: str, end: str, *, at_once: int = 2, again: bool = False) -> None:
        """Have a DAG run for the moments of its schedule from `begin` to `end`; `again`: also where it has."""
        behaviour = "completed" if again else "none"
        self.airflow(
            "backfill", "create", "--dag-id", dag, "--from-date", begin, "--to-date", end,
            "--max-active-runs", str(at_once), "--reprocess-behavior", behaviour,
        )  # fmt: skip

    def is_filled(self, dag: str) -> bool:
        """Whether Airflow has put away every backfill of a DAG, which it does some time after its last run has ended;
        until then it refuses another one."""
        with self.metadata() as conn:
            asked = "SELECT count(*) FROM backfill WHERE dag_id = %s AND completed_at IS NULL"
            return conn.execute(asked, [dag]).fetchone() == (0,)

    def schedulers(self) -> dict[int, int]:
        """How many tasks each scheduler has given to its executor, by the number of its job."""
        with self.metadata() as conn:
            found = conn.execute(
                "SELECT queued_by_job_id, count(*) FROM task_instance WHERE queued_by_job_id IS NOT NULL GROUP BY 1"
            ).fetchall()
        return {int(job): int(tasks) for job, tasks in found}

    def metadata(self) -> psycopg.Connection[Any]:
        """Airflow's own database; as a block, committed at its end."""
        return psycopg.connect(self.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg", "", 1))

    def workers(self) -> list[psutil.Process]:
        """The executor's processes that are at a task, with what they started."""
        scheduler = psutil.Process(self.parts["scheduler"].pid)
        return [one for one in scheduler.children(recursive=True) if is_at_a_task(one)]


def is_at_a_task(process: psutil.Process) -> bool:
    """A worker of LocalExecutor that supervises a task, or the process of the task itself, which bears the task's id."""
    try:
        said = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return said.startswith("airflow worker -- ") and "<idle>" not in said


@contextmanager
def stack(
    folder: Path, metadata_url: str, dags: Path, environment: Mapping[str, str], *, schedulers: int = 1
) -> Iterator[Stack]:
    """All processes, ready; at the end each is asked to stop, and killed with its children after 20 seconds.

    `schedulers`: one, or two that share the metadata, each with an executor of its own.
    """
    folder.mkdir()
    passwords = {name: secrets.token_hex(16) for name in USERS}
    (folder / "passwords.json").write_text(json.dumps(passwords), encoding="utf-8")
    port = free_port()
    whole = {**os.environ, **settings(folder, metadata_url, dags, port), **environment}
    done = subprocess.run(
        [AIRFLOW, "db", "migrate"], env=whole, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    parts: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name in (*PARTS, ANOTHER)[: len(PARTS) + schedulers - 1]:
            # Each scheduler serves the logs of its own workers.
            own = {"AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port())} if name == ANOTHER else {}
            with (folder / f"{name}.log").open("wb") as log:
                parts[name] = subprocess.Popen(
                    bounded([AIRFLOW, name.removesuffix("-2")], LONGEST),
                    env={**whole, **own}, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    start_new_session=True,
                )  # fmt: skip
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=300) as http:
            running = Stack(whole, http, parts, folder)
            running.wait("the API server", lambda: _is_ready(http), within=240)
            http.headers.update(running.signed_in(USERS[0]))
            yield running
    finally:
        _end(list(parts.values()))


def _is_ready(http: httpx.Client) -> bool:
    try:
        found = http.get("/api/v2/monitor/health")
    except httpx.TransportError:
        return False
    if found.status_code != 200:
        return False
    health = json.loads(found.content)
    return all(
        (health.get(name) or {}).get("status") == "healthy" for name in ("scheduler", "dag_processor", "triggerer")
    )


def _end(parts: list[subprocess.Popen[bytes]]) -> None:
    below: list[psutil.Process] = []
    for part in parts:
        with suppress(psutil.NoSuchProcess):
            below += psutil.Process(part.pid).children(recursive=True)
    for part in parts:
        part.terminate()
    for part in parts:
        try:
            part.wait(20)
        except subprocess.TimeoutExpired:
            part.kill()
            part.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(part.pid, signal.SIGKILL)
    # What began a session of its own, as the supervisors of tasks may.
    for child in below:
        with suppress(psutil.NoSuchProcess):
            child.kill()
