"""Invariant 6: a human's word stands, and everything it did can be undone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from onefold.errors import OnefoldError, UsageError
from onefold.steps.judge import judge, lift
from tests.support.hub import Hub


def totals(hub: Hub) -> dict[str, tuple[int, Decimal]]:
    """Count and money of the interactions by client."""
    rows = hub.query(
        "SELECT coalesce(client_id::text, '-'), count(*), coalesce(sum(amount), 0) FROM onefold_v1.fct_interaction GROUP BY 1"
    )
    return {client: (count, amount) for client, count, amount in rows}


def test_merge_then_undo_both_old_ids_answer_again_and_every_total_is_as_before(ready_hub: Hub) -> None:
    hub = ready_hub
    left, right = hub.client_of("crm:companies:10"), hub.client_of("crm:companies:11")
    before = totals(hub)
    with hub.context() as context:
        report = judge(context, "same", ["crm:companies:10"], ["crm:companies:11"], reason="reorganised", by="ada")
    assert hub.client_of("crm:companies:10") == hub.client_of("crm:companies:11") == left
    redirects = hub.query("SELECT old_client_id::text, client_id::text FROM onefold_v1.xref_client_redirect")
    assert (right, left) in redirects
    assert sum(money for _, money in totals(hub).values()) == sum(money for _, money in before.values())
    with hub.context() as context:
        lift(context, report.judgement_id, reason="mistake", by="ada")
    assert (hub.client_of("crm:companies:10"), hub.client_of("crm:companies:11")) == (left, right)
    assert totals(hub) == before
    assert hub.query("SELECT * FROM onefold_v1.xref_client_redirect WHERE NOT is_deleted") == []


def test_firms_with_different_valid_numbers_are_joined_only_for_a_reason(ready_hub: Hub) -> None:
    before = ready_hub.partition()
    with ready_hub.context() as context:
        for silent in ("", "  "):
            with pytest.raises(UsageError, match=r"different valid numbers \(inn\).*only for a reason"):
                judge(context, "same", ["crm:companies:10"], ["crm:companies:11"], reason=silent, by="ada")
        assert ready_hub.query("SELECT count(*) FROM identity.judgement") == [(0,)]
        assert ready_hub.partition() == before
        # Nothing contradicts here: no reason is asked for.
        judge(context, "same", ["crm:contacts:1"], ["crm:contacts:3"], reason="", by="ada")
        judge(context, "same", ["crm:companies:10"], ["crm:companies:11"], reason="reorganised", by="ada")
    assert ready_hub.client_of("crm:companies:10") == ready_hub.client_of("crm:companies:11")


def test_a_not_same_judgement_survives_re_sync_re_run_and_the_record_s_deletion_and_return(
    ready_hub: Hub,
) -> None:
    hub = ready_hub
    with hub.context() as context:
        judge(context, "not_same", ["crm:contacts:1"], ["erp:customers:C2"], reason="father and son", by="ada")
    assert hub.client_of("crm:contacts:1") != hub.client_of("erp:customers:C2")
    hub.run(full=True)
    assert hub.client_of("crm:contacts:1") != hub.client_of("erp:customers:C2")
    gone = hub.registers["erp_customers"].pop(1)
    hub.write("erp_customers")
    hub.run()
    hub.registers["erp_customers"].append(gone)
    hub.write("erp_customers")
    hub.run()
    assert hub.client_of("crm:contacts:1") != hub.client_of("erp:customers:C2")


def test_a_pinned_value_survives_re_sync_and_re_run(ready_hub: Hub) -> None:
    hub = ready_hub
    with hub.context() as context:
        judge(
            context,
            "pin",
            ["crm:companies:10"],
            attribute="legal_name",
            value="ООО «Ромашка Плюс»",
            reason="new name",
            by="ada",
        )
    client = hub.client_of("crm:companies:10")
    name = "SELECT legal_name FROM onefold_v1.dim_client WHERE client_id = %s"
    assert hub.query(name, (client,)) == [("ООО «Ромашка Плюс»",)]
    hub.registers["erp_customers"][0]["name"] = "Ромашка и Ко ООО"
    hub.write("erp_customers")
    hub.run(full=True)
    assert hub.query(name, (client,)) == [("ООО «Ромашка Плюс»",)]


def test_an_opposing_judgement_is_refused_and_both_are_named(ready_hub: Hub) -> None:
    hub = ready_hub
    with hub.context() as context:
        first = judge(context, "not_same", ["crm:companies:10"], ["crm:companies:11"], reason="two firms", by="ada")
        with pytest.raises(OnefoldError, match=f"judgement {first.judgement_id}"):
            judge(context, "same", ["crm:companies:11"], ["crm:companies:10"], reason="one firm", by="bob")
    assert hub.client_of("crm:companies:10") != hub.client_of("crm:companies:11")
