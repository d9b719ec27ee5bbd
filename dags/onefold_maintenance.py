"""Every day: backup, retention, reconciliation. Once a week also sweeps (every source read from the beginning, so that
what was deleted there without a word is found), a training of the model, which `onefold_model` proposes, and a look
into the mirror of segments.

ONEFOLD_AIRFLOW_MAINTENANCE is its schedule (cron, UTC), ONEFOLD_AIRFLOW_WEEKLY the day of the weekly part (mon ... sun,
or never), ONEFOLD_AIRFLOW_BACKUPS the folder for backups (without it none is made). The parameter `weekly` does it all.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, CronTriggerTimetable, Param, chain

from dags.operators import News, Step
from dags.parts import defaults, hub_news, judge, proposed_model
from dags.plan import hub_plan, setting
from dags.upkeep import Backup, Mirror, Sweep, Train

SWEEPS_AT_ONCE = 1
"""Streams: the hub lets one process read a source. One that its source puts off gives the place to the next."""

with DAG(
    "onefold_maintenance",
    dag_display_name="Onefold: maintenance",
    schedule=CronTriggerTimetable(setting("ONEFOLD_AIRFLOW_MAINTENANCE") or "30 2 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=defaults(),
    params={"weekly": Param(False, type="boolean", description="Do the weekly part as well.")},
    tags=["onefold", "maintenance"],
    doc_md=__doc__,
):
    # Nothing is deleted before it is in a backup; where none is wanted, that task is skipped.
    daily = [
        Backup(task_id="backup"),
        Step(task_id="retention", step="maintain", trigger_rule="none_failed"),
        Step(task_id="reconcile", step="reconcile"),
    ]
    chain(*daily)
    swept = Sweep.partial(
        task_id="sweep",
        max_active_tis_per_dag=SWEEPS_AT_ONCE,
        map_index_template="{{ task.source }}:{{ task.stream }}",
    ).expand_kwargs([{"source": one.source, "stream": stream} for one in hub_plan().sources for stream in one.streams])
    news = News(task_id="news", trigger_rule="all_done", outlets=[hub_news()])
    trained = Train(task_id="train", trigger_rule="all_done", outlets=[proposed_model()])
    mirror = Mirror(task_id="mirror", trigger_rule="all_done")
    swept >> [news, trained, mirror]
    told = Step(task_id="tell", step="orchestrated:tell", trigger_rule="all_done")
    [daily[-1], news, trained, mirror] >> told
    [*daily, swept, news, trained, mirror, told] >> judge()
