"""The pods that KubernetesExecutor would start for the tasks of which the cluster policy says something, told as JSON.
`python -m tests.support.airflow_pods TEMPLATE`, with the policy in AIRFLOW_HOME/config."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Final

PROVIDER: Final = (
    "apache-airflow-providers-cncf-kubernetes==10.25.0", "kubernetes==36.0.3", "kubernetes_asyncio==36.1.0",
    "aiofiles==25.1.0", "aiohappyeyeballs==2.7.1", "aiohttp==3.14.5", "aiosignal==1.4.0", "durationpy==0.11",
    "frozenlist==1.8.0", "multidict==7.2.1", "oauthlib==4.0.1", "propcache==0.5.4", "requests-oauthlib==2.0.0",
    "websocket-client==1.9.2", "yarl==1.25.1",
)  # fmt: skip
"""Airflow's provider, and of what it needs that which Airflow itself does not bring."""


def install_provider(folder: Path) -> None:
    """Put the provider into a folder of its own: nothing else here needs it."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), *PROVIDER]
    subprocess.run(command, check=True, timeout=600)


def pods(template: str) -> dict[str, Any]:
    """By task; each DAG has gone through the JSON that the scheduler reads."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator
    from airflow.serialization.serialized_objects import DagSerialization

    from tests.support.airflow_scenes import DAGS

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
