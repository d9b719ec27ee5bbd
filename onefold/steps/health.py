"""health: how the hub's database is doing, and what to type about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from onefold.doctor import Finding
from onefold.steps.report import Report
from onefold.steps.segment_use import neglected
from warehouse import health as stored

if TYPE_CHECKING:
    from onefold.context import Context


@dataclass(frozen=True, slots=True)
class HealthReport(Report):
    """What deserves a look, and the tables with their sizes, the largest first."""

    findings: tuple[Finding, ...]
    tables: tuple[dict[str, Any], ...]


def health(context: Context, *, limits: stored.Limits | None = None) -> HealthReport:
    """Look at catalogues and statistics of the hub's database; nothing is changed."""
    # SQLModel takes two seconds, and knows which indexes are the hub's own.
    from warehouse.models import metadata

    own = {f"{table.schema}.{index.name}" for table in metadata.tables.values() for index in table.indexes}
    with context.connection("onefold doctor") as conn:
        said = stored.advice(conn, own_indexes=own, limits=limits or stored.Limits())
        found = stored.tables(conn)
    findings = [Finding(one.severity, one.subject, 0, one.message, one.next_command) for one in said]
    for scheme, words in neglected(context).items():
        findings.append(Finding("hint", f"segments of {scheme}", 0, f"{'; '.join(words)}.", "onefold segments list"))
    return HealthReport(tuple(findings), tuple(asdict(one) for one in found))
