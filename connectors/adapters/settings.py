"""Settings of a source that is read by somebody else's package, and of its streams."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from connectors.settings import ConnectorSettings, Duration, Settings


def _mapping(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        found = json.loads(value)
    except ValueError:
        raise ValueError("neither a mapping nor a JSON object") from None
    return found


def _words(value: Any) -> Any:
    return tuple(value.split()) if isinstance(value, str) else value


Requirement = Annotated[str, Field(pattern=r"^[A-Za-z0-9./]", description="As pip takes it; never an option.")]
Words = Annotated[tuple[Requirement, ...], BeforeValidator(_words)]


class PackageSettings(ConnectorSettings):
    """Which package, in which environment, with which settings of its own."""

    config: Annotated[dict[str, Any], BeforeValidator(_mapping)] = Field(
        default_factory=dict,
        repr=False,
        description="The package's own settings: a mapping, or one JSON object as text.",
        json_schema_extra={"writeOnly": True},
    )
    package: Requirement | None = Field(
        default=None,
        description="What is installed, as pip takes it: `name==1.2`, a wheel, a folder. Default: by name.",
    )
    pins: Words = Field(default=(), description="What else must hold in the environment: `setuptools<80`.")
    executable: str | None = Field(
        default=None,
        pattern=r"^[\w.-]+$",
        description="The package's command, where it is not called as the connector.",
    )
    command: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        default=(), description="A command that is there already, instead of a package: nothing is installed."
    )
    python: str | None = Field(default=None, description="Interpreter for the environment; Onefold's own if not given.")
    env: dict[str, str] = Field(
        default_factory=dict,
        repr=False,
        description="Environment variables for the package; it sees none of the hub's.",
    )
    silence: Duration = Field(
        default=timedelta(minutes=15), description="A process that says nothing for so long is stopped."
    )
    page_size: int = Field(default=1000, ge=1, le=100_000, description="Records per page, cut at the next checkpoint.")
    cache_dir: Path | None = Field(default=None, description="Where environments are made; given by Onefold.")


class PackageOptions(Settings):
    """One stream."""

    sweep: bool | Duration | None = Field(
        default=None,
        description="Read everything to see deletions: on every run, every so long, never (false). "
        "Not given: where the stream is read whole anyway.",
    )
    page_size: int | None = Field(default=None, ge=1, le=100_000)
