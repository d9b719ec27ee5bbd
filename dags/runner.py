"""The thin seam between a task and a step: open a context, call, return the report."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any


def configured_sources() -> list[str]:
    """The names of the sources that are read, in the configuration's order."""
    from onefold.configuration import load_configuration
    from onefold.settings import Settings

    configured = load_configuration(Settings.from_environment(os.environ, {}).config).sources
    return [name for name, source in configured.items() if source.enabled]


def call_step(name: str, **arguments: Any) -> dict[str, Any]:
    """Run one step in a context of its own; raises AirflowFailException where another try cannot help."""
    import psycopg
    from airflow.sdk.exceptions import AirflowException, AirflowFailException

    from onefold.context import open_context
    from onefold.failures import describe
    from onefold.settings import Settings

    step = getattr(import_module(f"onefold.steps.{name}"), name)
    try:
        with open_context(Settings.from_environment(os.environ, {})) as context:
            report = step(context, **arguments)
    except psycopg.Error as error:
        # Task logs show the whole message, and PostgreSQL's DETAIL quotes the row's values.
        raise AirflowException(f"{name}: the hub's database says: {describe(error)}") from None
    result: dict[str, Any] = report.as_dict()
    # A person has to decide: another try would find the same.
    held = [str(stream["error"]) for stream in result.get("streams", ()) if stream["status"] == "held"]
    if result.get("held"):
        held.append(str(result["held"]["message"]))
    if held:
        raise AirflowFailException("; ".join(held))
    failed = [stream for stream in result.get("streams", ()) if stream["status"] == "failed"]
    if failed:
        message = "; ".join(str(stream["error"]) for stream in failed)
        retriable = all(stream["error_class"] == "RetriableError" for stream in failed)
        raise (AirflowException if retriable else AirflowFailException)(message)
    return result
