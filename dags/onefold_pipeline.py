"""The hub's pipeline as an Airflow DAG: sync mapped over the sources -> standardise -> resolve -> publish.

Point `dags_folder` (or a DAG bundle) at this package and set ONEFOLD_CONFIG, and ONEFOLD_DATABASE_URL or ONEFOLD_HOME.
Tasks call the same steps as the command line; only their reports travel through XCom.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import chain, dag, task
from airflow.sdk.exceptions import AirflowFailException

from dags.runner import call_step, configured_sources


@dag(
    dag_id="onefold",
    schedule="@hourly",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["onefold"],
    doc_md=__doc__,
)
def onefold_pipeline() -> None:
    """One run of the hub."""

    @task
    def sources() -> list[str]:
        return configured_sources()

    @task(max_active_tis_per_dag=4)
    def sync(source: str) -> dict[str, Any]:
        return call_step("sync", source=source)

    # A source that fails must not keep the news of the others from the client view.
    @task(trigger_rule="all_done")
    def standardise() -> dict[str, Any]:
        return call_step("standardise")

    @task
    def resolve() -> dict[str, Any]:
        return call_step("resolve")

    @task
    def publish() -> dict[str, Any]:
        return call_step("publish")

    # Airflow judges a run by its last tasks: without this one, a source that failed would leave the run green.
    @task(trigger_rule="one_failed", retries=0)
    def some_task_failed() -> None:
        raise AirflowFailException("A task of this run failed; its log says what to do.")

    synced = sync.expand(source=sources())
    steps = [standardise(), resolve(), publish()]
    chain(synced, *steps)
    [synced, *steps] >> some_task_failed()


onefold_pipeline()
