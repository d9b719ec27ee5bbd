"""Operators: one call of a step each. What has to wait, waits with the triggerer and holds no worker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from dags.lineage import Lineage
from dags.runner import streams_of
from onefold.errors import HubBusy

BUSY: Final = timedelta(seconds=30)
"""After so long is looked again whether another process has ended."""
MOST_LOOKS: Final = 240
"""Then the task fails and is tried again like any other: two hours."""


class Step(Lineage, BaseOperator):
    """Calls the step `step` of `onefold.steps` and returns its report.

    A source that asks to come back later, and work that another process is at, are waited for with a trigger. Fatal
    errors fail at once, others are tried again as `retries` says.
    """

    ui_color = "#e8f1f8"

    def __init__(self, *, step: str, skips: tuple[type[Exception], ...] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.step, self.skips = step, skips
        self.arguments: dict[str, Any] = {}

    def execute(self, context: Any) -> Any:
        """The report of the step."""
        return self.attempt(context)

    def again(self, context: Any, event: Any = None, looks: int = 0, resume: bool = False) -> Any:  # noqa: ARG002
        """The report, after a wait, as triggers call it; `resume`: of what had begun before."""
        return self.attempt(context, looks, resume)

    def attempt(self, context: Any, looks: int = 0, resume: bool = False) -> Any:
        """Do it now, or go on waiting."""
        report = None
        try:
            report = self.work(context)
        except HubBusy as error:
            if looks >= MOST_LOOKS:
                raise AirflowException(str(error)) from None
            self.log.info("%s Looked at again in %d s.", error, BUSY.total_seconds())
            self._wait_until(datetime.now(UTC) + BUSY, looks + 1, resume)
        if moment := comes_back_at(report):
            self.log.info("%s: asked again at %s.", self.place, moment.isoformat(timespec="seconds"))
            self._wait_until(moment, 0, resume or has_begun(report))
        return report

    def work(self, context: Any) -> Any:  # noqa: ARG002 - others need it
        """One call of the step."""
        from dags.runner import call_step

        return call_step(self.step, keys=self.over, skips=self.skips, **self.arguments)

    @property
    def place(self) -> str:
        """What the task is about, as logs and notices name it."""
        return f"{self.dag_id}.{self.task_id}"

    @property
    def notice(self) -> str:
        """The notice that says the task failed: opened by its failure, closed by its success."""
        from onefold.steps.orchestrated import task_key

        return task_key(self.place)

    @property
    def over(self) -> tuple[str, ...]:
        """The notices that its success closes."""
        return (self.notice,)

    def _wait_until(self, moment: datetime, looks: int, resume: bool) -> None:
        from airflow.providers.standard.triggers.temporal import DateTimeTrigger

        told = {"looks": looks, **({"resume": True} if resume else {})}
        self.defer(trigger=DateTimeTrigger(moment=moment), method_name="again", kwargs=told)


class Sync(Step):
    """Reads one stream of a source."""

    template_fields: Sequence[str] = ("full",)

    def __init__(self, *, source: str, stream: str, full: bool | str = False, **kwargs: Any) -> None:
        super().__init__(step="sync", **kwargs)
        self.source, self.stream, self.full = source, stream, full

    def again(self, context: Any, event: Any = None, looks: int = 0, resume: bool = False) -> Any:
        """The report, after a wait: a full read that has landed pages goes on behind them, and is no less full."""
        if resume:
            self.full = False
        return super().again(context, event, looks, resume)

    def work(self, context: Any) -> Any:  # noqa: ARG002
        """The sync; `full` may come from the run's parameters, as text."""
        from dags.runner import call_step

        full = str(self.full).lower() == "true"
        return call_step("sync", keys=self.over, source=self.source, streams=(self.stream,), full=full)

    @property
    def place(self) -> str:
        """source:stream."""
        return f"{self.source}:{self.stream}"

    @property
    def notice(self) -> str:
        """That of the stream, which `onefold run --due` keeps as well."""
        return f"failure:{self.place}"


class News(Step):
    """Succeeds, and so tells its assets, when something waits to be published; else it is skipped.

    It asks the hub and not the reports before it: what landed before a worker was killed is news as well.
    """

    def __init__(self, *, late: str | None = None, **kwargs: Any) -> None:
        super().__init__(step="news", **kwargs)
        self.late = late
        """The DAG that is not late any more when it has come so far."""

    @property
    def over(self) -> tuple[str, ...]:
        """Its own notice, and that the run is late."""
        from onefold.steps.orchestrated import late_key

        return (self.notice, *([late_key(self.late)] if self.late else ()))

    def work(self, context: Any) -> Any:
        """What waits; the same stands on the asset's event."""
        report = super().work(context)
        if not report["waiting"] and not report["rules_changed"]:
            raise AirflowSkipException("Nothing landed that is not published already.")
        for asset in self.outlets:
            context["outlet_events"][asset].extra = {name: report[name] for name in ("waiting", "rules_changed")}
        return report


def comes_back_at(report: Any) -> datetime | None:
    """When a report's streams are to be read again: the earliest moment that a source asked for."""
    asked = [one["retry_at"] for one in streams_of(report) if one.get("retry_at")]
    return min(map(datetime.fromisoformat, asked)) if asked else None


def has_begun(report: Any) -> bool:
    """Pages have landed, and their checkpoint with them."""
    return any(one["pages"] > 0 for one in streams_of(report))
