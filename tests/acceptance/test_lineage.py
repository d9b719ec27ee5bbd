"""What the DAGs' tasks tell OpenLineage that they write is what their steps write, by PostgreSQL's own counts."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from dags.lineage import ALL, TABLES
from onefold.errors import NothingFound
from tests.acceptance.conftest import fill
from tests.support.hub import Hub

STEPS = {
    "standardise": "standardise", "resolve": "resolve", "publish": "publish", "news": "news", "train": "train",
    "tell": "orchestrated", "maintain": "maintain", "reconcile": "reconcile", "look_into_mirror": "mirror",
}  # fmt: skip
BOOKS = {
    "ops.run", "ops.pending", "ops.definition", "ops.hub_clock", "ops.checkpoint", "ops.sweep_mark", "ops.hold",
}  # fmt: skip
"""What every step keeps of itself; lineage leaves it out."""
WRITTEN = """
SELECT coalesce(pg_partition_root(relid), relid)::regclass::text, sum(n_tup_ins + n_tup_upd + n_tup_del)
FROM pg_stat_user_tables GROUP BY 1
"""


def wrote(hub: Hub, work: Callable[[Any], Any]) -> set[str]:
    """The tables in which `work` wrote rows."""
    before = dict(hub.query(WRITTEN))
    with hub.context() as context:
        try:
            work(context)
        except NothingFound:  # too little to train from
            return set()
    return {table for table, rows in hub.query(WRITTEN) if rows > before.get(table, 0)} - BOOKS


@pytest.mark.timeout(900)
def test_steps_write_what_their_lineage_says_and_nothing_else(hub: Hub) -> None:
    fill(hub)
    found: dict[str, set[str]] = {}

    def note(name: str, work: Callable[[Any], Any]) -> None:
        found.setdefault(name, set()).update(wrote(hub, work))

    def around() -> None:
        sync = import_module("onefold.steps.sync").sync
        for source in ("crm", "erp"):
            note("sync", lambda context, source=source: sync(context, source))
        for name, module in STEPS.items():
            note(name, getattr(import_module(f"onefold.steps.{module}"), name))

    around()
    hub.registers["crm_contacts"][0]["last"] = "Tchaikovsky"
    hub.registers["crm_deals"][0]["sum"] = "1700.00"
    del hub.registers["erp_orders"][1]
    del hub.registers["erp_customers"][2]
    hub.write("crm_contacts")
    hub.write("crm_deals")
    hub.write("erp_orders")
    hub.write("erp_customers")
    around()
    assert {name: tables - set(TABLES[name][1]) for name, tables in found.items()} == {name: set() for name in found}
    for name in ("sync", "standardise", "resolve", "publish", "reconcile"):
        assert len(found[name]) > 1, name


def test_lineage_names_tables_that_there_are(hub: Hub) -> None:
    there = {table for (table,) in hub.query("SELECT relid::regclass::text FROM pg_stat_user_tables")}
    there |= {table for (table,) in hub.query("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'p'")}
    named = {table for read, written in TABLES.values() for table in (*read, *written)}
    assert named - {ALL} <= there
