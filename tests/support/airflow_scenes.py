"""What the DAGs' parts do inside a real Airflow, told as JSON: run in a process of its own, for Airflow changes logging
and warnings of whatever imports it. `python -m tests.support.airflow_scenes HUB_FOLDER DATABASE_URL`; ends by itself."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred

from tests.support.airflow_stack import API
from tests.support.http_source import Asked, HttpSource, Reply, http_source, records
from tests.support.hub import Hub
from warehouse import runs
from warehouse.connect import connect

DAGS = Path(__file__).parents[2] / "dags"


def tried(task: Any, context: Any = None, **waited: Any) -> dict[str, Any]:
    """How one try of a task ends, as Airflow would act on it; `waited`: what its trigger was given."""
    try:
        ended = task.again(context or {}, **waited) if waited else task.execute(context or {})
        return {"end": "done", "report": ended}
    except TaskDeferred as later:
        return {
            "end": "deferred",
            "at": later.trigger.moment.isoformat(),
            "then": later.method_name,
            "with": later.kwargs,
        }
    except AirflowSkipException as error:
        return {"end": "skipped", "says": str(error)}
    except AirflowFailException as error:
        return {"end": "fatal", "says": str(error)}
    except Exception as error:
        return {"end": "again", "kind": type(error).__name__, "says": str(error)}


class Said:
    """`outlet_events` of a task's context."""

    def __init__(self) -> None:
        self.events: dict[str, Any] = {}

    def __getitem__(self, asset: Any) -> Any:
        return self.events.setdefault(asset.name, SimpleNamespace(extra=None))


def source_scenes(hub: Hub, api: HttpSource, mapped: Any) -> dict[str, Any]:
    """One stream of a source that is in every mood."""
    sync = mapped.unmap({"stream": "people"})
    sync.full = False
    found: dict[str, Any] = {}

    def answers(reply: Reply) -> None:
        def answer(asked: Asked) -> Reply:
            said = {name.lower(): value for name, value in asked.headers.items()}
            return reply if said.get("authorization", "").endswith("secret-of-airflow") else Reply(403)

        api.answers["/people"] = answer

    answers(Reply(429, headers={"Retry-After": "90"}))
    found["before"] = datetime.now(UTC).isoformat()
    found["later"] = tried(sync)
    answers(Reply(503))
    found["unwell"] = tried(sync)
    answers(Reply(401))
    found["refused"] = tried(sync)
    with connect(hub.database_url, application_name="test") as conn:
        assert runs.try_source_lock(conn, "api")
        found["busy"] = tried(sync)
    from dags.alerts import _note_late, task_failed

    # As Airflow calls it where the worker was lost: with the mapping.
    lost = {"task": mapped, "task_instance": SimpleNamespace(map_index=0)}
    task_failed({**lost, "exception": AirflowFailException("api:people: status 401")})
    _note_late("onefold_sync_api", "api", "warn_after")
    found["noted"] = notices(hub)
    answers(Reply(429, headers={"Retry-After": "90"}))
    tried(sync)
    found["put_off"] = notices(hub)
    ada = [{"id": "1", "first": "Ada", "last": "Byron", "mail": "ada@example.org"}]
    answers(records(ada))
    found["well"] = tried(sync)
    found |= full_scenes(hub, api, sync, records(ada, Link=f'<{api.url}/more>; rel="next"'))
    return found


def full_scenes(hub: Hub, api: HttpSource, sync: Any, first: Reply) -> dict[str, Any]:
    """A full read whose second page is put off, and which then goes on there; a busy source between."""
    sync.full = "True"
    api.answers |= {"/people": lambda _: first, "/more": lambda _: Reply(429, headers={"Retry-After": "90"})}
    found: dict[str, Any] = {"begun": tried(sync)}
    with connect(hub.database_url, application_name="test") as conn:
        assert runs.try_source_lock(conn, "api")
        found["begun_busy"] = tried(sync, **found["begun"]["with"])
    api.answers["/more"] = lambda _: records([])
    asked = len(api.asked)
    found["resumed"] = tried(sync, **found["begun_busy"]["with"])
    found["resumed_asked"] = api.paths()[asked:]
    return found


def notices(hub: Hub) -> list[Any]:
    """Keys and details of the notices that are open."""
    return hub.query("SELECT key, detail FROM ops.notice WHERE closed_at IS NULL ORDER BY key")


def scenes(hub: Hub) -> dict[str, Any]:
    """All of them, on the hub's own DAGs."""
    from dags.alerts import task_failed, unmapped
    from dags.lineage import Lineage, datasets

    with http_source() as api:
        hub.configure("api", API % api.url)
        bag = DagBag(DAGS)
        found: dict[str, Any] = {
            "errors": bag.import_errors,
            "dags": {name: sorted(dag.task_ids) for name, dag in sorted(bag.dags.items())},
            "deadlines": [one.interval.total_seconds() for one in bag.dags["onefold_sync_api"].deadline or ()],
            "pool": bag.dags["onefold_sync_crm"].get_task("sync").partial_kwargs["pool"],
            "queues": {
                f"{name}.{task.task_id}": task.queue
                for name, dag in bag.dags.items()
                for task in dag.tasks
                if task.queue != "default"
            },
            "at_once": {
                name if name != "onefold_maintenance" else task.task_id: task.partial_kwargs["max_active_tis_per_dag"]
                for name, dag in bag.dags.items()
                for task in dag.tasks
                if task.is_mapped
            },
        }
        mapped = bag.dags["onefold_sync_api"].get_task("sync")
        found |= source_scenes(hub, api, mapped)
        news = bag.dags["onefold_sync_api"].get_task("news")
        said = Said()
        found["news"] = tried(news, {"outlet_events": said})
        found["event"] = {name: one.extra for name, one in said.events.items()}
        found["still"] = notices(hub)
        for name in ("standardise", "resolve", "publish"):
            found[name] = tried(bag.dags["onefold_publish"].get_task(name))
        found["no_news"] = tried(news, {"outlet_events": Said()})
        found["lineage"] = [
            datasets(mapped.unmap({"stream": "people"})),
            datasets(bag.dags["onefold_publish"].get_task("publish")),
        ]
        sunday = SimpleNamespace(logical_date=datetime(2026, 3, 1, tzinfo=UTC), run_after=None)
        upkeep = bag.dags["onefold_maintenance"]
        context = {"params": {"weekly": False}, "dag_run": sunday, "outlet_events": Said()}
        found["train"] = tried(upkeep.get_task("train"), context)
        found["backup"] = [tried(upkeep.get_task("backup"), context) for _ in range(2)]
        found["backup_lineage"] = datasets(upkeep.get_task("backup"))
        found["without_lineage"] = [
            f"{name}.{task.task_id}"
            for name, dag in bag.dags.items()
            for task in dag.tasks
            if isinstance(task, Lineage) and datasets(task) == ([], [])
        ]
        found["retention"] = tried(upkeep.get_task("retention"), context)
        monday = {**context, "dag_run": SimpleNamespace(logical_date=datetime(2026, 3, 2, tzinfo=UTC), run_after=None)}
        found["monday"] = tried(upkeep.get_task("train"), monday)
        sweep = upkeep.get_task("sweep")
        found["swept"] = [unmapped(sweep, SimpleNamespace(map_index=n)).place for n in range(5)]
        model = bag.dags["onefold_model"]
        task_failed({"task": model.get_task("approve"), "task_instance": None, "exception": None})
        found["not_approved"] = notices(hub)
        asked = {"params": {"version": 7}, "triggering_asset_events": {}}
        found["proposal"] = tried(model.get_task("proposal"), asked)
        found["approved"] = notices(hub)
        # What was approved in the place of a model that is not in use any more.
        late = SimpleNamespace(xcom_pull=lambda task_ids: {"version": 7, "before": 5})  # noqa: ARG005
        found["stale"] = tried(model.get_task("use"), {"ti": late})
        found["in_use"] = hub.query("SELECT version FROM identity.model WHERE is_current")
        question = model.get_task("approve")
        found["question"] = [question.body, question.assigned_users]
    return found


if __name__ == "__main__":
    sys.stdout.write("SCENES" + json.dumps(scenes(Hub.at(Path(sys.argv[1]), sys.argv[2])), default=str) + "\n")
