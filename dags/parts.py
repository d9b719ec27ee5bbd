"""What the DAG files are made of: assets, what holds for every task, and who says whether a run went well."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, task
from airflow.sdk.exceptions import AirflowFailException

from dags.alerts import task_failed
from dags.plan import SourcePlan


def source_news(plan: SourcePlan) -> Asset:
    """Something of a source has landed."""
    return Asset(plan.news, uri=f"onefold://{plan.source}/news")


def hub_news() -> Asset:
    """A sweep found something, or rules were edited: told by the maintenance DAG."""
    return Asset("onefold_news", uri="onefold://hub/news")


def proposed_model() -> Asset:
    """Training gave another model than the one in use."""
    return Asset("onefold_model_proposed", uri="onefold://hub/model")


def defaults(owner: str = "onefold") -> dict[str, Any]:
    """default_args of all DAGs: three more tries for what may go well later, a note in the hub for what does not.

    How long they lie apart is Airflow's to say: `[core] default_task_retry_delay`, doubled each time.
    """
    return {
        "owner": owner,
        "retries": 3,
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=30),
        "on_failure_callback": task_failed,
    }


def judge() -> Any:
    """Airflow judges a run by its last tasks: without this one, a task that failed would leave the run green.

    Put it behind every task of the DAG; where all went well it is skipped, and costs no worker.
    """

    @task(trigger_rule="one_failed", retries=0, on_failure_callback=None)
    def some_task_failed() -> None:
        raise AirflowFailException("A task of this run failed; its log says what to do.")

    return some_task_failed()
