"""A model that training proposed waits for a person's approval (Airflow: Required Actions); then it is used.

Nobody answers within six days: it is left out, and the next training proposes anew. ONEFOLD_AIRFLOW_APPROVERS names who
may answer (`id:name,id:name` of Airflow's users) and has to be set where tasks run; without it anybody may whom
Airflow lets answer required actions, and the question says so.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, Param, chain

from dags.parts import defaults, judge, proposed_model
from dags.plan import approvers
from dags.upkeep import Proposed, UseModel

ANYBODY = "\n\nAnybody with access to this DAG's required actions may answer: ONEFOLD_AIRFLOW_APPROVERS names no one."

with DAG(
    "onefold_model",
    dag_display_name="Onefold: approval of a model",
    schedule=[proposed_model()],
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args=defaults(),
    params={"version": Param(None, type=["null", "integer"], description="A version of `onefold model list`.")},
    tags=["onefold", "model"],
    doc_md=__doc__,
):
    proposal = Proposed(task_id="proposal", approval="approve")
    approval = ApprovalOperator(
        task_id="approve",
        subject="Onefold: use model {{ ti.xcom_pull(task_ids='proposal')['version'] }}?",
        body="{{ ti.xcom_pull(task_ids='proposal')['words'] }}" + ("" if approvers() else ANYBODY),
        defaults="Reject",
        response_timeout=timedelta(days=6),
        assigned_users=approvers() or None,
    )
    used = UseModel(task_id="use", proposal="proposal")
    chain(proposal, approval, used)
    [proposal, approval, used] >> judge()
