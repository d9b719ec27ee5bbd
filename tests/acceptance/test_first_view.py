"""The main job: registers in, one client view out."""

from __future__ import annotations

from decimal import Decimal

from tests.support.hub import Hub


def test_records_of_one_person_in_two_registers_become_one_client(ready_hub: Hub) -> None:
    assert ready_hub.client_of("crm:contacts:1") == ready_hub.client_of("erp:customers:C2")
    assert ready_hub.client_of("crm:contacts:1") != ready_hub.client_of("crm:contacts:2")


def test_firms_that_share_a_tax_id_are_one_client_and_firms_that_share_only_a_form_are_not(
    ready_hub: Hub,
) -> None:
    assert ready_hub.client_of("crm:companies:10") == ready_hub.client_of("erp:customers:C1")
    assert ready_hub.client_of("crm:companies:10") != ready_hub.client_of("crm:companies:11")


def test_every_department_s_operations_stand_on_one_timeline(ready_hub: Hub) -> None:
    client = ready_hub.client_of("crm:companies:10")
    rows = ready_hub.query(
        "SELECT source, type, amount FROM onefold_v1.fct_interaction WHERE client_id = %s ORDER BY occurred_at",
        (client,),
    )
    assert rows == [("crm", "sales_deal", Decimal("1500.50")), ("erp", "sales_order", Decimal("1500.50"))]


def test_a_golden_value_names_its_record_its_rule_and_what_lost(ready_hub: Hub) -> None:
    client = ready_hub.client_of("crm:companies:10")
    rows = ready_hub.query(
        "SELECT source, source_key FROM onefold_v1.client_field_lineage"
        " WHERE client_id = %s AND attribute = 'legal_name'",
        (client,),
    )
    assert ("erp", "C1") in rows  # trust 80 beats 60


def test_a_reference_to_a_record_not_landed_yet_is_kept_and_finds_it_later(ready_hub: Hub) -> None:
    ((client,),) = ready_hub.query("SELECT client_id FROM onefold_v1.fct_interaction WHERE source_key = 'SO-3'")
    assert client is None
    ready_hub.registers["erp_customers"].append(
        {"code": "C9", "kind": "company", "name": "Незабудка АО", "inn": "7736050003"}
    )
    ready_hub.write("erp_customers")
    ready_hub.run()
    ((client,),) = ready_hub.query("SELECT client_id::text FROM onefold_v1.fct_interaction WHERE source_key = 'SO-3'")
    assert client == ready_hub.client_of("erp:customers:C9")


def test_a_deleted_record_leaves_its_client_and_a_client_without_records_is_retired_not_dropped(
    ready_hub: Hub,
) -> None:
    client = ready_hub.client_of("crm:contacts:2")
    kept = ready_hub.registers["crm_contacts"].pop(1)
    ready_hub.write("crm_contacts")
    ready_hub.run()
    ((is_deleted,),) = ready_hub.query("SELECT is_deleted FROM core.client WHERE client_id = %s", (client,))
    assert is_deleted
    ready_hub.registers["crm_contacts"].append(kept)
    ready_hub.write("crm_contacts")
    ready_hub.run()
    assert ready_hub.client_of("crm:contacts:2") == client
    ((is_deleted,),) = ready_hub.query("SELECT is_deleted FROM core.client WHERE client_id = %s", (client,))
    assert not is_deleted


def test_a_changed_value_reaches_the_client_view_and_its_history(ready_hub: Hub) -> None:
    client = ready_hub.client_of("crm:contacts:2")
    ready_hub.registers["crm_contacts"][1]["emails"] = "anna@example.com"
    ready_hub.write("crm_contacts")
    ready_hub.run()
    ((email,),) = ready_hub.query("SELECT email FROM onefold_v1.dim_client WHERE client_id = %s", (client,))
    assert "anna@example.com" in str(email)
    history = ready_hub.query(
        "SELECT valid_from::text, valid_to::text FROM onefold_v1.dim_client_history WHERE client_id = %s ORDER BY valid_from",
        (client,),
    )
    assert len(history) == 2
    assert history[0][1] == history[1][0]


def test_a_record_names_its_card_in_its_own_system_and_no_golden_value_is_made_of_it(ready_hub: Hub) -> None:
    client = ready_hub.client_of("crm:contacts:2")
    cards = ready_hub.query("SELECT url FROM onefold_v1.xref_client_record WHERE client_id = %s", (client,))
    assert cards == [("https://crm.example.com/contacts/2",)]
    ((attributes,),) = ready_hub.query("SELECT attributes FROM core.client WHERE client_id = %s", (client,))
    assert "url" not in attributes
