"""The pods that KubernetesExecutor would start for the tasks of which the cluster policy says something, told as JSON.
`python -m tests.support.airflow_pods TEMPLATE`, with the policy in AIRFLOW_HOME/config."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator
from airflow.serialization.serialized_objects import DagSerialization

from tests.support.airflow_scenes import DAGS


def pods(template: str) -> dict[str, Any]:
    """By task; each DAG has gone through the JSON that the scheduler reads."""
    # Airflow has put its folder on the path by now, and knows it by this name.
    import_module("airflow_local_settings").PODS = True
    found = {}
    for dag_id, dag in DagBag(DAGS).dags.items():
        stored = DagSerialization.from_dict(json.loads(json.dumps(DagSerialization.to_dict(dag))))
        for task in stored.tasks:
            if override := task.executor_config.get("pod_override"):
                pod = PodGenerator.construct_pod(
                    dag_id=dag_id, task_id=task.task_id, pod_id="onefold-task", try_number=1, kube_image=None,
                    date=datetime(2026, 3, 1, tzinfo=UTC), args=["run"], pod_override_object=override,
                    base_worker_pod=PodGenerator.deserialize_model_file(template), namespace="onefold",
                    scheduler_job_id="1", run_id="run",
                )  # fmt: skip
                found[task.task_id] = PodGenerator.serialize_pod(pod)
    return found


if __name__ == "__main__":
    sys.stdout.write("PODS" + json.dumps(pods(sys.argv[1]), default=str) + "\n")
