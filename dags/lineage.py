"""What each task reads and writes, for OpenLineage: asked by Airflow's provider, if it is installed and switched on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

ALL: Final = "*"
"""Every stream of a source, every table of the hub."""
_CARDS: Final = ("identity.standard_record", "identity.identifier")
_RESOLVED: Final = (
    (*_CARDS, "identity.judgement", "identity.accepted_value", "identity.model", "core.relationship"),
    ("identity.blocking_key", "identity.client_id_ledger", "identity.crosswalk", "identity.crosswalk_history",
     "identity.former_record", "identity.generic_holder", "identity.generic_value", "identity.key_list",
     "identity.model", "identity.pair", "identity.point", "identity.refused_block", "identity.review_case",
     "ops.change_event"),
)  # fmt: skip
_PUBLISHED: Final = (
    (*_CARDS, "identity.crosswalk", "identity.judgement", "core.interaction", "core.interaction_line",
     "core.relationship", "core.promise", "core.exchange_rate"),
    ("core.client", "core.client_history", "core.client_metric_month", "core.client_need",
     "core.client_need_evidence", "core.client_scope", "core.client_segment", "core.concern", "core.concern_raise",
     "core.concern_row", "core.document_link", "core.document_open", "core.document_place", "core.interaction",
     "core.interaction_line", "core.interaction_version", "core.need", "core.need_rate", "core.need_signal",
     "core.promise", "core.relationship", "core.relationship_version", "core.reporting", "core.segment",
     "core.segment_scheme", "identity.card_version", "identity.crosswalk", "identity.crosswalk_history",
     "ops.change_event", "ops.register_combination", "ops.register_overlap", "ops.source_fix", "ops.source_fix_week"),
)  # fmt: skip
TABLES: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "sync": ((), ("raw.record", "raw.record_version", "raw.held_record", "ops.reject")),
    "news": (("ops.pending",), ()),
    "standardise": (
        ("raw.record", "core.exchange_rate"),
        (*_CARDS, "core.interaction", "core.interaction_field", "core.interaction_line", "core.interaction_type",
         "core.interaction_version", "core.promise", "core.relationship", "core.relationship_version",
         "identity.card_version", "ops.reject"),
    ),
    "resolve": _RESOLVED,
    "publish": _PUBLISHED,
    "tell": (("ops.run", "ops.hold", "ops.checkpoint", "identity.review_case", "core.concern_raise"), ("ops.notice",)),
    "backup": ((ALL,), ()),
    "maintain": ((), ("raw.record_version", "ops.reject", "ops.run", "ops.access_log", "ops.change_event")),
    "reconcile": (
        ("raw.record", "identity.standard_record", "identity.crosswalk", "core.interaction", "core.client"),
        ("ops.reconciliation", "ops.reconciliation_row"),
    ),
    "train": (
        (*_CARDS, "identity.crosswalk", "identity.judgement", "identity.model", "core.relationship"),
        ("identity.model",),
    ),
    "look_into_mirror": (("core.client_segment", "core.interaction", "core.promise"), ("core.segment_mirror",)),
    "use_approved": (
        tuple(sorted({*_RESOLVED[0], *_PUBLISHED[0]})),
        tuple(sorted({*_RESOLVED[1], *_PUBLISHED[1]})),
    ),
    "show_model": ((), ()),
}  # fmt: skip
"""Of each step the hub's tables that it reads and writes; the books that every step keeps of itself (`ops.run`,
`ops.pending`, `ops.definition`, checkpoints, clocks) only where they are what it is about."""


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
    """Namespace and name of what a task reads and of what it writes: a source's stream, tables of the hub, a file."""
    read, written = TABLES[str(task.step).rpartition(":")[2]]
    source, stream = getattr(task, "source", None), getattr(task, "stream", None)
    inputs = [] if source is None else [(f"onefold://{source}", stream or ALL)]
    file = getattr(task, "file", None)
    files = [] if file is None else [("file", str(file))]
    # Before the task's own work the hub's address may be unknown, and the provider asks in a process where Airflow's
    # connections cannot be.
    if (hub := known_hub()) is None:
        return inputs, files
    namespace, database = hub
    return (
        inputs + [(namespace, f"{database}.{table}") for table in read],
        [(namespace, f"{database}.{table}") for table in written] + files,
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
