"""What Airflow tells the hub: tasks that failed and runs that are late, for the console's first page and for whoever
`notifications` of hub.yaml names."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

log = logging.getLogger(__name__)


def task_failed(context: Mapping[str, Any]) -> None:
    """Note that a task failed for good, with its message; `on_failure_callback` of every task.

    A hub that cannot be reached is no reason for another error: the task has failed already.
    """
    from dags.runner import hub
    from onefold.failures import describe
    from onefold.steps.orchestrated import note_failure

    task = context["task"]
    place = f"{task.dag_id}.{task.task_id}"
    try:
        one = unmapped(task, context["task_instance"])
        place = getattr(one, "place", place)
        with hub() as opened:
            note_failure(opened, place, _message(context.get("exception")), key=getattr(one, "notice", None))
    except Exception as failed:
        log.error("That %s failed could not be noted in the hub: %s", place, describe(failed))


def unmapped(task: Any, instance: Any) -> Any:
    """The task of an instance: where its worker was lost, Airflow gives the mapping, which knows no stream."""
    if not task.is_mapped:
        return task
    values, _ = task.expand_input.resolve({"ti": instance})
    return task.unmap(values)


def _message(error: Any) -> str:
    """What the task's own errors say; of others their kind alone, which may quote a record."""
    if not isinstance(error, BaseException):
        return "It was killed, or its worker was lost." if error is None else str(error)
    if type(error).__module__.startswith("airflow."):
        return str(error)
    return type(error).__name__


async def is_late(*, dag_id: str, source: str, promise: str, **_: Any) -> None:
    """Note that a run has not ended in time to keep what `freshness` promises; called by the triggerer."""
    import asyncio

    await asyncio.to_thread(_note_late, dag_id, source, promise)


def _note_late(dag_id: str, source: str, promise: str) -> None:
    from dags.runner import hub
    from onefold.steps.orchestrated import note_late

    with hub() as opened:
        note_late(opened, dag_id, source, promise)
