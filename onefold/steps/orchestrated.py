"""What an orchestrator (Airflow) says of its tasks: kept in `ops.notice`, told by the hub's channels, shown on Home."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onefold.errors import Stale
from onefold.steps.logged import logged
from onefold.steps.notify import LONGEST, keep_and_tell, tell_standing
from onefold.steps.report import NoticesReport, UseReport
from warehouse import match_models, notices
from warehouse.notices import Condition

if TYPE_CHECKING:
    from onefold.context import Context

_PROMISES: Final = {
    "warn_after": "its data are older than `freshness.warn_after` allows",
    "fail_after": "its data are older than `freshness.fail_after` allows",
}


def task_key(place: str) -> str:
    """The key of the notice that a task failed; `place` is DAG.task."""
    return f"failure:{notices.TASK}{place}"


def late_key(dag_id: str) -> str:
    """The key of the notice that a run of a DAG has not ended in time."""
    return f"stale:{notices.TASK}{dag_id}"


def note_failure(context: Context, place: str, message: str, *, key: str | None = None) -> NoticesReport:
    """A task failed for good; told once until it is well again. `key`: that of a stream, if the task was about one."""
    condition = Condition("failure", key or task_key(place), f"{place} failed", message[:LONGEST])
    with context.connection("onefold notice") as conn:
        return keep_and_tell(context, conn, [condition], [])


def note_late(context: Context, dag_id: str, source: str, promise: str) -> NoticesReport:
    """A run that reads `source` has not ended in time; `promise` is warn_after or fail_after."""
    detail = f"A run of {dag_id} has not ended, and {_PROMISES.get(promise, promise)}. See its tasks in Airflow."
    condition = Condition("stale", late_key(dag_id), f"{source} is not read in time", detail)
    with context.connection("onefold notice") as conn:
        return keep_and_tell(context, conn, [condition], [])


def settle(context: Context, *keys: str) -> NoticesReport:
    """What these notices say is over; nothing is written where none of them is open."""
    with context.connection("onefold notice") as conn:
        open_ones = set(notices.open_keys(conn)) & set(keys)
        return keep_and_tell(context, conn, [], sorted(open_ones)) if open_ones else NoticesReport()


@logged("tell")
def tell(context: Context) -> NoticesReport:
    """Note and tell what is so now and no task has said: held runs, stale streams, cases that wait."""
    with context.connection("onefold tell") as conn:
        return tell_standing(context, conn)


def use_approved(context: Context, version: int, *, before: int | None) -> UseReport:
    """Make a version current that a person approved, and resolve and publish with it; the same again does no harm.

    Stale: what was approved is what it would change of the model `before`, and that is not in use any more.
    """
    from onefold.steps.train import use

    with context.connection("onefold model") as conn:
        head = match_models.current_head(conn)
    if before is not None and head is not None and head.version not in (before, version):
        raise Stale(
            f"Model {version} was approved in the place of {before}, and {head.version} is in use now.",
            "The next training proposes anew; `onefold model use` decides at once.",
        )
    return use(context, version)
