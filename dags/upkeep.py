"""Operators of the maintenance DAG, and of the approval of a model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from dags.operators import Step, Sync
from dags.plan import setting
from onefold.errors import NothingFound

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def skip_other_days(context: Any) -> None:
    """AirflowSkipException unless it is the day of the weekly part, or the run was asked for it."""
    if context["params"].get("weekly"):
        return
    wanted = (setting("ONEFOLD_AIRFLOW_WEEKLY") or "sun").lower()
    if wanted not in (*DAYS, "never"):
        raise AirflowFailException(f"ONEFOLD_AIRFLOW_WEEKLY is {wanted}; it can be {', '.join(DAYS)} or never.")
    if wanted == "never" or DAYS[moment_of(context).weekday()] != wanted:
        raise AirflowSkipException(f"The weekly part has its day: {wanted}.")


def moment_of(context: Any) -> datetime:
    """When a run was due, in UTC; of one without a date of its own, when it was asked for."""
    run = context["dag_run"]
    moment: datetime = run.logical_date or run.run_after
    return moment.astimezone(UTC)


class Sweep(Sync):
    """Reads a stream from the beginning, once a week: what it does not show any more was deleted there."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(full=True, **kwargs)

    def work(self, context: Any) -> Any:
        """The sync; skipped on other days."""
        skip_other_days(context)
        return super().work(context)


class Backup(Step):
    """Writes the hub to a new file in ONEFOLD_AIRFLOW_BACKUPS: one for each run, however often it is tried."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(step="backup", **kwargs)
        self.file: Path | None = None
        """What it wrote, for its lineage."""

    def work(self, context: Any) -> Any:
        """The file and its size; skipped where no folder is named."""
        from dags.runner import hub, told
        from dags.secrets import hub_settings
        from onefold.steps.backup import backup
        from onefold.steps.orchestrated import settle

        folder = setting("ONEFOLD_AIRFLOW_BACKUPS")
        if folder is None:
            raise AirflowSkipException("ONEFOLD_AIRFLOW_BACKUPS names no folder.")
        file = Path(folder) / f"onefold-{moment_of(context):%Y%m%dT%H%M%S}.onefold"

        def made() -> dict[str, Any]:
            if not file.exists():  # it has its name when it is whole
                backup(hub_settings(), file)
            self.file = file
            with hub() as opened:
                settle(opened, self.notice)
            return {"file": str(file), "bytes": file.stat().st_size}

        return told("backup", made)


class Train(Step):
    """Trains a model, and tells its asset if that is another than the one in use; no client is changed by it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(step="train", skips=(NothingFound,), **kwargs)

    def work(self, context: Any) -> Any:
        """The report of the training; skipped on other days, and where there is nothing to propose."""
        skip_other_days(context)
        report = super().work(context)
        effect = report["effect"]
        if report["version"] == effect["model_before"]:
            raise AirflowSkipException(f"Training gave model {report['version']}, which is in use.")
        for asset in self.outlets:
            context["outlet_events"][asset].extra = {"version": report["version"], **effect}
        return report


class Mirror(Step):
    """Looks whether what is promised to segments is done, once a week; Home tells what is no longer."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(step="mirror:look_into_mirror", **kwargs)

    def work(self, context: Any) -> Any:
        """The report of the look; skipped on other days."""
        skip_other_days(context)
        return super().work(context)


class Proposed(Step):
    """The model that waits for approval: the last one that training proposed, or the parameter `version`.

    It closes what failed of the proposals before it, also of the task `approval`, which is none of the hub's own.
    """

    def __init__(self, *, approval: str, **kwargs: Any) -> None:
        super().__init__(step="show_model", **kwargs)
        self.approval = approval

    @property
    def over(self) -> tuple[str, ...]:
        """Its own notice, and that of the approval."""
        from onefold.steps.orchestrated import task_key

        return (self.notice, task_key(f"{self.dag_id}.{self.approval}"))

    def work(self, context: Any) -> Any:
        """version, before (the model in use then) and words, which say what would change."""
        from dags.runner import hub, told
        from onefold.steps.orchestrated import settle

        chosen = context["params"].get("version")
        events = [event for found in context["triggering_asset_events"].values() for event in found]
        if chosen is None and not events:
            raise AirflowFailException("Nothing was proposed: start it with the parameter `version`.")
        effect: Mapping[str, Any] = dict(events[-1].extra) if chosen is None else {"version": chosen}
        found = {"version": int(effect["version"]), "before": effect.get("model_before"), "words": in_words(effect)}

        def settled() -> dict[str, Any]:
            with hub() as opened:
                settle(opened, *self.over)
            return found

        return told("proposal", settled)


def in_words(effect: Mapping[str, Any]) -> str:
    """What a model would change, in Markdown, without a client's data."""
    version = effect["version"]
    look = f"Look closer: `onefold model show {version}`, or the console's page Model."
    if "model_before" not in effect:
        return f"Model {version}. {look}"
    return (
        f"Model {version} instead of {effect['model_before']}: {effect['clients_before']} clients would be "
        f"{effect['clients_after']} ({effect['merged']} merged, {effect['split']} split, "
        f"{effect['regrouped']} regrouped); {effect['pairs_joined']} pairs of records newly together, "
        f"{effect['pairs_parted']} no longer; {effect['cases_opened']} review cases opened, "
        f"{effect['cases_closed']} closed.\n\n{look}"
    )


class UseModel(Step):
    """Makes the approved model current, resolves and publishes with it."""

    def __init__(self, *, proposal: str, **kwargs: Any) -> None:
        super().__init__(step="orchestrated:use_approved", **kwargs)
        self.proposal = proposal

    def work(self, context: Any) -> Any:
        """The report; fails where another model has come into use since it was proposed."""
        found = context["ti"].xcom_pull(task_ids=self.proposal)
        self.arguments = {"version": found["version"], "before": found["before"]}
        return super().work(context)
