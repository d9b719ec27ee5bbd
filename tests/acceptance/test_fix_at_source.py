"""Fix at the source: what is wrong in a register is listed until a sync shows it mended."""

from __future__ import annotations

from typing import Any

from onefold.steps.fix_at_source import fix_counts, fixes
from onefold.steps.judge import judge
from tests.support.hub import Hub
from warehouse.source_fixes import Wanted

Seen = set[tuple[str, str, str | None, str | None]]


def seen(hub: Hub, **wanted: Any) -> Seen:
    """Kind, record, attribute and value of what is open."""
    with hub.context() as context:
        rows, more = fixes(context, Wanted(**wanted))
    assert more is None
    return {(row["kind"], row["record"], row["attribute"], row["value"]) for row in rows}


def ends(hub: Hub) -> dict[tuple[str, str], str]:
    """(kind, record) -> how it was closed."""
    with hub.context() as context:
        rows, _ = fixes(context, Wanted(is_open=False))
    return {(row["kind"], row["record"]): row["closed_as"] for row in rows}


def test_what_is_wrong_in_a_register_is_listed_until_a_sync_shows_it_mended(ready_hub: Hub) -> None:
    hub = ready_hub
    contacts = hub.registers["crm_contacts"]
    contacts.append({**contacts[0], "id": "7"})
    contacts[1]["emails"] = "anna.kern@"
    hub.registers["erp_customers"][0]["inn"] = "7707083890"
    hub.registers["crm_companies"][0]["phone"] = None
    for name in ("crm_contacts", "crm_companies", "erp_customers"):
        hub.write(name)
    hub.run()
    found = seen(hub)
    assert ("duplicate", "crm:contacts:7", None, None) in found
    assert ("invalid", "crm:contacts:2", "email", "anna.kern@") in found
    assert ("invalid", "erp:customers:C1", "inn", "7707083890") in found
    assert ("emptied", "crm:companies:10", "phone", None) in found
    assert {record.partition(":")[0] for _, record, _, _ in seen(hub, source="erp")} == {"erp"}

    contacts.pop()
    contacts[1]["emails"] = "anna.kern@example.ru"
    hub.registers["erp_customers"][0]["inn"] = "7707083893"
    hub.registers["crm_companies"][0]["phone"] = "+7 495 555-10-10"
    for name in ("crm_contacts", "crm_companies", "erp_customers"):
        hub.write(name)
    hub.run()
    assert not found & seen(hub)
    closed = ends(hub)
    assert closed["duplicate", "crm:contacts:7"] == "gone"
    assert closed["invalid", "crm:contacts:2"] == closed["emptied", "crm:companies:10"] == "fixed"
    with hub.context() as context:
        counts = fix_counts(context)
    assert seen(hub) == set()  # Пётр and Петр, ООО «Ромашка» and Ромашка ООО are the same words
    this_week = counts["weeks"][-1]
    assert this_week["opened"] - this_week["closed"] == this_week["open_at_end"] == counts["open"] == len(seen(hub))


def test_registers_that_contradict_each_other_are_told_with_the_better_value(ready_hub: Hub) -> None:
    hub = ready_hub
    hub.registers["erp_customers"][1]["born"] = "1980-07-05"
    hub.write("erp_customers")
    hub.run()
    with hub.context() as context:
        rows, _ = fixes(context, Wanted(attribute="birth_date"))
    (row,) = rows
    assert (row["kind"], row["record"], row["value"], row["better"]) == (
        "contradicts", "crm:contacts:1", "1980-05-07", "1980-07-05",
    )  # fmt: skip
    assert row["rule"] == "trust" and row["other"] == "erp:customers:C2" and row["url"].endswith("/contacts/1")


def test_what_matching_takes_for_the_same_is_nothing_to_mend(filled_hub: Hub) -> None:
    hub, erp = filled_hub, filled_hub.registers["erp_customers"]
    erp[1]["person"], erp[0]["name"] = "Chaikovskiy Petr", "Romashka OOO"
    hub.write("erp_customers")
    hub.run()
    client = hub.query(
        "SELECT family_name FROM onefold_v1.dim_client WHERE client_id = %s", [hub.client_of("crm:contacts:1")]
    )
    assert client == [("Chaikovskiy",)], "the better trusted register writes it so"
    assert hub.client_of("crm:companies:10") == hub.client_of("erp:customers:C1")
    assert seen(hub) == set()
    erp[1]["person"] = "Chaikovskiy Pavel"
    hub.write("erp_customers")
    hub.run()
    assert {row[:3] for row in seen(hub)} == {("outvoted", "crm:contacts:1", "given_name")}


def test_a_pinned_value_is_better_whatever_its_record_says_itself(ready_hub: Hub) -> None:
    hub = ready_hub
    assert seen(hub) == set(), "Пётр and Петр are the same"
    with hub.context() as context:
        judge(
            context, "pin", ["erp:customers:C2"], attribute="given_name", value="Павел", reason="passport", by="ada"
        )  # fmt: skip
        rows, _ = fixes(context, Wanted())
    told = [(row["kind"], row["record"], row["attribute"], row["value"], row["better"]) for row in rows]
    assert told == [("outvoted", "crm:contacts:1", "given_name", "Пётр", "Павел")]


def test_a_duplicate_is_closed_by_a_judgement_that_it_is_none(ready_hub: Hub) -> None:
    hub = ready_hub
    contacts = hub.registers["crm_contacts"]
    contacts.append({**contacts[1], "id": "8"})
    hub.write("crm_contacts")
    hub.run()
    assert ("duplicate", "crm:contacts:8", None, None) in seen(hub)
    with hub.context() as context:
        judge(context, "not_same", ["crm:contacts:2"], ["crm:contacts:8"], reason="mother and daughter", by="ada")
    assert ("duplicate", "crm:contacts:8", None, None) not in seen(hub)
    assert ends(hub)["duplicate", "crm:contacts:8"] == "judged"
    # Nothing has changed: nothing is looked at, and nothing is written.
    before = hub.query("SELECT xmin::text, ctid::text FROM ops.source_fix ORDER BY fix_id")
    hub.run()
    assert hub.query("SELECT xmin::text, ctid::text FROM ops.source_fix ORDER BY fix_id") == before
