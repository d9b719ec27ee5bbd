"""A DAG for each source of `config/`: its streams on its schedule, and news of it for `onefold_publish`.

Streams are read one at a time: the hub lets one process read a source, and that process keeps the source's `limits`
(budgets, requests at once). A source that says "come back later" is waited for by the triggerer.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import (  # type: ignore[attr-defined]  # its stub leaves deadlines out
    DAG,
    AsyncCallback,
    CronTriggerTimetable,
    DeadlineAlert,
    DeadlineReference,
    Param,
    get_parsing_context,
)

from dags.alerts import is_late
from dags.operators import News, Sync
from dags.parts import defaults, judge, source_news
from dags.plan import SourcePlan, hub_plan

STREAMS_AT_ONCE = 1


def deadlines(plan: SourcePlan) -> list[DeadlineAlert]:
    """An alert for each promise of `freshness`."""
    return [
        DeadlineAlert(
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=interval,
            callback=AsyncCallback(is_late, {"dag_id": plan.dag_id, "source": plan.source, "promise": promise}),
            name=promise,
        )
        for promise, interval in plan.deadlines
    ]


def sync_dag(plan: SourcePlan) -> DAG:
    """The DAG of one source."""
    with DAG(
        plan.dag_id,
        dag_display_name=f"Onefold: {plan.title}",
        schedule=CronTriggerTimetable(plan.schedule, timezone="UTC"),
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        default_args=defaults(plan.owner),
        deadline=deadlines(plan) or None,
        params={"full": Param(False, type="boolean", description="Forget the checkpoints and read everything.")},
        tags=["onefold", "sync"],
        doc_md=__doc__,
    ) as dag:
        synced = Sync.partial(
            task_id="sync",
            source=plan.source,
            full="{{ params.full }}",
            pool=plan.pool,
            max_active_tis_per_dag=STREAMS_AT_ONCE,
            map_index_template="{{ task.stream }}",
        ).expand(stream=list(plan.streams))
        # A stream that fails must not keep the news of the others from the client view.
        told = News(task_id="news", trigger_rule="all_done", late=plan.dag_id, outlets=[source_news(plan)])
        synced >> told
        [synced, told] >> judge()
    return dag


only = get_parsing_context().dag_id
for one in hub_plan().sources:
    # A worker that runs a task of one source needs no other's DAG.
    if one.streams and only in (None, one.dag_id):
        globals()[one.dag_id] = sync_dag(one)
