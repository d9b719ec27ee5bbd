"""What the DAGs take from `config/`: sources, schedules, promises. Every parse of a DAG file reads it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from onefold.errors import UsageError
from onefold.settings import DAG_OF_SOURCE, DEFAULT_CONFIG, VARIABLES

if TYPE_CHECKING:
    from onefold.configuration import Configuration, SourceConfiguration

EVERY_HOUR: Final = "0 * * * *"
"""Of a source without a schedule, where the hub has none either."""
AT_LEAST: Final = timedelta(minutes=1)
PROMISES: Final = ("warn_after", "fail_after")


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """One source as its DAG needs it."""

    source: str
    title: str
    owner: str
    streams: tuple[str, ...]
    pool: str
    """The pool that its tasks take a slot of."""
    schedule: str
    """Five cron fields, in UTC."""
    deadlines: tuple[tuple[str, timedelta], ...]
    """warn_after and fail_after: so long after a run was due its data are too old, unless it has ended."""

    @property
    def dag_id(self) -> str:
        """The DAG that reads the source."""
        return f"{DAG_OF_SOURCE}{self.source}"

    @property
    def news(self) -> str:
        """The asset that says: something of this source has landed."""
        return f"onefold_news_{self.source}"


@dataclass(frozen=True, slots=True)
class HubPlan:
    """The hub as its DAGs need it."""

    sources: tuple[SourcePlan, ...]
    """Those that are read, in the configuration's order."""
    schedule: str | None
    """When the client view is brought up to date even without news."""


def setting(variable: str) -> str | None:
    """A setting of the DAGs' own from the environment; an empty one counts as absent."""
    return os.environ.get(variable) or None


def approvers() -> list[dict[str, str]]:
    """Who may approve a model, as Airflow's users: ONEFOLD_AIRFLOW_APPROVERS, `id:name,id:name`; none: anybody.

    UsageError where it is there and somebody in it has no id: nobody named would mean anybody.
    """
    said = setting("ONEFOLD_AIRFLOW_APPROVERS")
    if said is None:
        return []
    named = [(who.strip(), name.strip()) for who, _, name in (one.partition(":") for one in said.split(","))]
    if not all(who for who, _ in named):
        raise UsageError(
            f"ONEFOLD_AIRFLOW_APPROVERS is {said!r}: an id is missing.", "Write id:name,id:name of Airflow's users."
        )
    return [{"id": who, "name": name or who} for who, name in named]


def hub_plan() -> HubPlan:
    """The configuration that ONEFOLD_CONFIG names. ConfigurationError says what is wrong in which file and line."""
    from dags.kept import kept

    # Not by Settings: it reads the .env file, and what can read that takes a third of a second to import.
    folder = Path(os.environ.get(VARIABLES["config"]) or DEFAULT_CONFIG)
    found = kept(folder, lambda: _read(folder))
    sources = [
        SourcePlan(
            **{
                **one,
                "streams": tuple(one["streams"]),
                "deadlines": tuple((promise, timedelta(seconds=seconds)) for promise, seconds in one["deadlines"]),
            }
        )
        for one in found["sources"]
    ]
    return HubPlan(tuple(sources), found["schedule"])


def _read(folder: Path) -> dict[str, Any]:
    """The fields of a HubPlan, as JSON keeps them."""
    from onefold.configuration import load_configuration

    configuration = load_configuration(folder)
    schedule = configuration.hub.schedule
    return {
        "sources": [_plan(configuration, one) for one in configuration.sources.values() if one.enabled],
        "schedule": cron(schedule) if schedule else None,
    }


def cron(schedule: str) -> str:
    """Five fields, whatever alias they were written as: Airflow does not know all of ours."""
    from onefold.configuration.schedule import ALIASES

    return ALIASES.get(schedule.strip(), schedule.strip())


def _plan(configuration: Configuration, source: SourceConfiguration) -> dict[str, Any]:
    schedule = cron(source.schedule or configuration.hub.schedule or EVERY_HOUR)
    titles = source.title or {}
    return {
        "source": source.source,
        "title": next((titles[one] for one in configuration.hub.languages if one in titles), source.source),
        "owner": source.owner or "onefold",
        "streams": list(source.streams),
        "pool": source.pool,
        "schedule": schedule,
        "deadlines": list(_deadlines(source, schedule)),
    }


def _deadlines(source: SourceConfiguration, schedule: str) -> Iterator[tuple[str, float]]:
    """When a run begins, what was read last is as old as the pause before it: so much less is left of the promise."""
    from onefold.configuration.schedule import longest_pause

    if source.freshness is None:
        return
    pause = longest_pause(schedule)
    for promise in PROMISES:
        promised: timedelta | None = getattr(source.freshness, promise)
        if promised is not None:
            yield promise, max(promised - pause, AT_LEAST).total_seconds()
