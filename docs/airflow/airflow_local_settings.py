"""A cluster policy for Onefold's DAGs: which queue of Celery, and how large a pod of Kubernetes, each task gets.

Copy it to $AIRFLOW_HOME/config/airflow_local_settings.py of the scheduler, the DAG processor and the workers, and write
your own numbers. Airflow calls `task_policy` for every task that it parses; what other DAGs have stays as it is.
"""

from __future__ import annotations

from typing import Any

QUEUE_LARGE = "onefold_large"
"""Start a worker for it: airflow celery worker --queues onefold_large --concurrency 1"""
QUEUE_BACKUP = "onefold_backup"
"""On a machine that sees the folder of ONEFOLD_AIRFLOW_BACKUPS."""
LARGE = {
    "onefold_publish": ("standardise", "resolve", "publish"),
    "onefold_maintenance": ("train",),
    "onefold_model": ("use",),
}
"""What may compare a whole register: all cores and the memory of docs/scale.md. With `engine: spark` it is the driver,
and needs Java 17; the executors are the cluster's."""
CPU, MEMORY, SCRATCH = "4", "16Gi", "50Gi"
"""Of a large pod; `memory` of hub.yaml has to lie below MEMORY, what is beyond it lies in SCRATCH meanwhile."""
BACKUPS, CLAIM = "/srv/backups", "onefold-backups"
"""Where ONEFOLD_AIRFLOW_BACKUPS points, and the volume claim that stands there."""
PODS = False
"""True where KubernetesExecutor runs the tasks; the DAG processor too then needs Airflow's provider cncf.kubernetes."""


def task_policy(task: Any) -> None:
    """Give a task of Onefold its queue, and its pod where `PODS` is true."""
    if task.task_id in LARGE.get(task.dag_id, ()):
        task.queue = QUEUE_LARGE
        if PODS:
            task.executor_config = {"pod_override": large_pod()}
    elif (task.dag_id, task.task_id) == ("onefold_maintenance", "backup"):
        task.queue = QUEUE_BACKUP
        if PODS:
            task.executor_config = {"pod_override": backup_pod()}


def large_pod() -> Any:
    """What Airflow lays over its pod template: the container `base` with more of everything, and a folder for runs that
    spill, which goes with the pod."""
    from kubernetes.client import models as k8s

    size = {"cpu": CPU, "memory": MEMORY, "ephemeral-storage": SCRATCH}
    home = k8s.V1VolumeMount(name="onefold-home", mount_path="/srv/onefold")
    base = k8s.V1Container(
        name="base",
        env=[k8s.V1EnvVar(name="ONEFOLD_HOME", value="/srv/onefold")],
        resources=k8s.V1ResourceRequirements(requests=size, limits={"memory": MEMORY, "ephemeral-storage": SCRATCH}),
        volume_mounts=[home],
    )
    scratch = k8s.V1Volume(name="onefold-home", empty_dir=k8s.V1EmptyDirVolumeSource(size_limit=SCRATCH))
    return k8s.V1Pod(spec=k8s.V1PodSpec(containers=[base], volumes=[scratch]))


def backup_pod() -> Any:
    """The container `base` with the volume of the backups."""
    from kubernetes.client import models as k8s

    mount = k8s.V1VolumeMount(name="onefold-backups", mount_path=BACKUPS)
    claim = k8s.V1PersistentVolumeClaimVolumeSource(claim_name=CLAIM)
    volume = k8s.V1Volume(name="onefold-backups", persistent_volume_claim=claim)
    base = k8s.V1Container(
        name="base", env=[k8s.V1EnvVar(name="ONEFOLD_AIRFLOW_BACKUPS", value=BACKUPS)], volume_mounts=[mount]
    )
    return k8s.V1Pod(spec=k8s.V1PodSpec(containers=[base], volumes=[volume]))
