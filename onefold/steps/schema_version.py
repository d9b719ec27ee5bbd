"""schema_version: the tables of the hub against those that this version of Onefold brings; nothing is migrated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from onefold.context import open_database
from onefold.steps.report import Report
from warehouse.connect import connect
from warehouse.version import installed_revision, is_newer, packaged_revision

if TYPE_CHECKING:
    from onefold.settings import Settings

State = Literal["current", "behind", "empty", "newer"]


@dataclass(frozen=True, slots=True)
class SchemaReport(Report):
    """What a hub has, and what this version brings."""

    state: State
    """behind, empty: the next command migrates; newer: this version refuses to work on it."""
    installed: str | None
    packaged: str


def schema_version(settings: Settings) -> SchemaReport:
    """Look at the hub's database as it is."""
    with open_database(settings, migrate=False) as url, connect(url, application_name="onefold version") as conn:
        installed = installed_revision(conn)
    packaged = packaged_revision()
    if installed is None:
        state: State = "empty"
    elif installed == packaged:
        state = "current"
    else:
        state = "newer" if is_newer(installed, packaged) else "behind"
    return SchemaReport(state, installed, packaged)
