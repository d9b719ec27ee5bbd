"""What each task reads and writes, for OpenLineage: asked by Airflow's provider, if it is installed and switched on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

TABLES: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "sync": ((), ("raw.record",)),
    "standardise": (
        ("raw.record",),
        ("identity.standard_record", "identity.identifier", "core.interaction", "core.relationship", "core.promise"),
    ),
    "resolve": (
        ("identity.standard_record", "identity.identifier", "identity.judgement", "identity.model"),
        ("identity.crosswalk", "identity.pair", "identity.review_case"),
    ),
    "publish": (
        ("identity.standard_record", "identity.crosswalk", "core.interaction"),
        ("core.client", "core.client_history", "ops.change_event"),
    ),
    "train": (("identity.standard_record", "identity.identifier", "identity.judgement"), ("identity.model",)),
    "look_into_mirror": (("core.client_segment", "core.interaction", "core.promise"), ("core.segment_mirror",)),
    "use_approved": (("identity.model",), ("identity.crosswalk", "core.client")),
    "reconcile": (("raw.record", "identity.standard_record", "core.interaction"), ("ops.reconciliation",)),
}
"""Of each step the hub's tables that it reads and writes."""


class Lineage:
    """The methods that Airflow's OpenLineage provider looks for on an operator."""

    def get_openlineage_facets_on_start(self) -> Any:
        """Inputs and outputs of the task, as data sets of OpenLineage."""
        from airflow.providers.openlineage.extractors import OperatorLineage
        from openlineage.client.event_v2 import Dataset

        read, written = datasets(self)
        return OperatorLineage(inputs=[Dataset(*one) for one in read], outputs=[Dataset(*one) for one in written])

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:  # noqa: ARG002 - as the provider calls it
        """The same when it has ended."""
        return self.get_openlineage_facets_on_start()


def datasets(task: Any) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Namespace and name of what a task reads and of what it writes: a source's stream, tables of the hub."""
    read, written = TABLES.get(str(getattr(task, "step", "")).rpartition(":")[2], ((), ()))
    source, stream = getattr(task, "source", None), getattr(task, "stream", None)
    inputs = [] if source is None else [(f"onefold://{source}", stream or "*")]
    # Before the task's own work the hub's address may be unknown, and the provider asks in a process where Airflow's
    # connections cannot be.
    if (hub := known_hub()) is None:
        return inputs, []
    namespace, database = hub
    return (
        inputs + [(namespace, f"{database}.{table}") for table in read],
        [(namespace, f"{database}.{table}") for table in written],
    )


def known_hub() -> tuple[str, str] | None:
    """`postgres://host:port` and the database's name, as OpenLineage names tables, with no user and no password; None
    where no step has asked for the hub's address yet."""
    from dags.secrets import known_address

    url = known_address()
    if url is None:
        return None
    parts = urlsplit(url)
    return f"postgres://{parts.hostname or 'localhost'}:{parts.port or 5432}", parts.path.lstrip("/") or "onefold"
