"""Reports on the hub as a whole: what registers have in common, and that everything that came is served."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from onefold.steps.overlap import overlap, overlapping_clients
from onefold.steps.publish import publish
from onefold.steps.reconcile import last_reconciliation, reconcile, rows_behind
from onefold.steps.standardise import standardise
from onefold.steps.sync import sync
from tests.support.cli import onefold
from tests.support.hub import CRM, Hub


def reconciled(hub: Hub) -> dict[str, dict[str, Any]]:
    """A new reconciliation: `source:stream` -> its row."""
    with hub.context() as context:
        reconcile(context)
        return {f"{row['source']}:{row['stream']}": row for row in last_reconciliation(context)}


def behind(hub: Hub, name: str) -> dict[str, str]:
    """Key -> reason of the rows behind the numbers."""
    with hub.context() as context:
        return {row["source_key"]: row["reason"] for row in rows_behind(context, name, None, limit=99)}


def test_publish_counts_the_overlap_once_a_week(ready_hub: Hub) -> None:
    hub = ready_hub
    numbers = (
        "SELECT register_a, register_b, only_a, only_b, in_both, in_conflict FROM onefold_v1.report_register_overlap"
    )
    # Чайковский and Ромашка stand in both; their names are written differently, and nobody is at odds about the INN.
    assert hub.query(numbers) == [("crm", "erp", 3, 1, 2, 2)]
    with hub.context() as context:
        conflicts = overlapping_clients(context, ("crm", "erp"), "conflict", limit=9)
        only_erp = overlapping_clients(context, ("erp", "crm"), "only_a", limit=9)
    assert {name for row in conflicts for name in row["conflicting"]} >= {"legal_name", "full_name"}
    assert [row["display_name"] for row in only_erp] == ["GmbH Müller & Söhne"]
    hub.registers["erp_customers"].pop()
    hub.write("erp_customers")
    hub.run(full=True)
    assert hub.query(numbers) == [("crm", "erp", 3, 1, 2, 2)]
    with hub.context() as context:
        (pair,) = overlap(context, refresh=True).latest
    assert (pair.only_b, pair.in_both) == (0, 2)


def test_everything_that_came_is_served_or_there_is_a_reason(ready_hub: Hub) -> None:
    found = reconciled(ready_hub)
    orders, deals = found["erp:orders"], found["crm:deals"]
    assert [orders[n] for n in ("raw_rows", "standard_rows", "linked_rows", "open_references", "served_rows")] == [
        3, 3, 2, 1, 3,
    ]  # fmt: skip
    assert (orders["raw_amount"], orders["linked_amount"], orders["served_amount"]) == (
        Decimal("1527.50"), Decimal("1520.50"), Decimal("1527.50"),
    )  # fmt: skip
    assert (deals["raw_amount"], deals["difference_amount"]) == (Decimal("1600.40"), 0)
    assert behind(ready_hub, "erp:orders") == {"SO-3": "open_reference"}
    assert all(row["difference_rows"] == row["unexplained"] == row["unserved"] == 0 for row in found.values())


def test_tombstones_rejects_and_what_the_mapping_leaves_out_are_told_apart(ready_hub: Hub) -> None:
    hub = ready_hub
    hub.configure("crm", CRM.replace("    type: sales_deal\n", "    type: sales_deal\n    where: {stage: won}\n"))
    hub.registers["crm_deals"] += [{"id": "D3", "company": "10", "closed": "neverday", "sum": "5", "stage": "won"}]
    hub.registers["crm_contacts"].pop()
    for name in ("crm_deals", "crm_contacts"):
        hub.write(name)
    hub.run(full=True)
    found = reconciled(hub)
    assert [found["crm:deals"][n] for n in ("raw_rows", "left_out", "rejected", "standard_rows", "difference_rows")] == [
        3, 1, 1, 1, 0,
    ]  # fmt: skip
    assert behind(hub, "crm:deals") == {"D2": "left_out", "D3": "rejected"}
    assert (found["crm:contacts"]["tombstones"], found["crm:contacts"]["difference_rows"]) == (1, 0)
    assert behind(hub, "crm:contacts") == {"3": "tombstone"}


def test_what_waits_between_the_steps_is_no_difference(ready_hub: Hub) -> None:
    hub = ready_hub
    hub.registers["erp_orders"][0]["total"] = "2000.00"
    hub.registers["erp_orders"].append({"no": "SO-4", "customer": "C1", "date": "2026-02-09", "total": "1 000,25"})
    hub.registers["erp_orders"].pop(1)
    hub.write("erp_orders")
    with hub.context() as context:
        sync(context, "erp", full=True)
    orders = reconciled(hub)["erp:orders"]
    assert [orders[n] for n in ("raw_rows", "tombstones", "waiting", "leaving", "standard_rows")] == [4, 1, 1, 1, 3]
    assert (orders["raw_amount"], orders["standard_amount"]) == (Decimal("3007.25"), Decimal("1527.50"))
    assert (orders["difference_rows"], orders["difference_amount"], orders["unexplained"]) == (0, 0, 0)
    with hub.context() as context:
        standardise(context)
    orders = reconciled(hub)["erp:orders"]
    assert (orders["waiting_amount"], orders["standard_amount"], orders["unlinked"]) == (0, Decimal("3007.25"), 1)
    with hub.context() as context:
        publish(context)
    assert reconciled(hub)["erp:orders"]["linked_amount"] == Decimal("3000.25")


def test_a_lost_record_and_a_changed_amount_are_found_and_named(ready_hub: Hub) -> None:
    hub = ready_hub
    hub.query("UPDATE core.interaction SET amount = amount + 0.01 WHERE source_key = 'SO-1' RETURNING 1")
    hub.query("DELETE FROM core.interaction WHERE source_key = 'D1' RETURNING 1")
    hub.query("DELETE FROM core.client WHERE position('Müller' IN display_name) > 0 RETURNING 1")
    found = reconciled(hub)
    assert (found["erp:orders"]["difference_amount"], found["erp:orders"]["unexplained"]) == (Decimal("-0.01"), 1)
    assert (found["crm:deals"]["difference_rows"], found["crm:deals"]["difference_amount"]) == (1, Decimal("1500.50"))
    assert found["erp:customers"]["unserved"] == 1
    assert behind(hub, "erp:orders")["SO-1"] == "other_amount"
    assert behind(hub, "crm:deals") == {"D1": "missing"}
    assert behind(hub, "erp:customers") == {"C3": "unserved"}


def test_the_commands_print_both_reports_and_draw_the_overlap(ready_hub: Hub, tmp_path: Path) -> None:
    hub = ready_hub

    def say(*arguments: str | Path) -> str:
        done = onefold("report", *arguments, *hub.place)
        assert done.code == 0, done.said
        return done.out

    assert "crm + erp" in say("overlap", "--chart", tmp_path / "overlap.svg")
    assert "<svg" in (tmp_path / "overlap.svg").read_text(encoding="utf-8")
    assert "Müller" in say("overlap", "crm", "erp", "--state", "only-b")
    assert "Everything that came is served" in say("reconcile")
    assert "open_reference" in say("reconcile", "--rows", "erp:orders")
    assert onefold("report", "overlap", "crm", *hub.place).code == 2
    hub.query("DELETE FROM core.interaction WHERE source_key = 'D1' RETURNING 1")
    assert onefold("report", "reconcile", *hub.place).code == 1
