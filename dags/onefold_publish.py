"""Bring the client view up to date when any source has news: standardise, resolve, publish, and tell who is to know.

Driven by the assets of the sync DAGs; with `schedule` in hub.yaml also by the clock.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.sdk import DAG, AssetAny, AssetOrTimeSchedule, CronTriggerTimetable, chain

from dags.operators import Step
from dags.parts import defaults, hub_news, judge, source_news
from dags.plan import HubPlan, hub_plan


def schedule_of(plan: HubPlan) -> Any:
    """Any source's news; and the hub's own schedule, if it has one."""
    assets = AssetAny(hub_news(), *(source_news(one) for one in plan.sources))
    if plan.schedule is None:
        return assets
    return AssetOrTimeSchedule(timetable=CronTriggerTimetable(plan.schedule, timezone="UTC"), assets=assets)


with DAG(
    "onefold_publish",
    dag_display_name="Onefold: the client view",
    schedule=schedule_of(hub_plan()),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=defaults(),
    tags=["onefold", "publish"],
    doc_md=__doc__,
):
    steps = [Step(task_id=name, step=name) for name in ("standardise", "resolve", "publish")]
    # What is held or stale is told also when a step has failed.
    told = Step(task_id="tell", step="orchestrated:tell", trigger_rule="all_done")
    chain(*steps, told)
    [*steps, told] >> judge()
