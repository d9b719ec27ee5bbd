"""A person's word on a golden value stands as long as it was said to, and `explain --field` says why a value stands."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from onefold.errors import UsageError
from onefold.steps.consequences import consequences_of_undo
from onefold.steps.explain_value import explain_value
from onefold.steps.judge import judge, judgements, lift
from onefold.steps.regroup import undo_decision
from tests.support import hub as hubs
from tests.support.cli import onefold
from tests.support.hub import CRM, Hub

RECORD = "crm:companies:10"


def pin(hub: Hub, value: str | None, attribute: str = "legal_name", record: str = RECORD, **how: object) -> int:
    """Pin a value of the record's client."""
    with hub.context() as context:
        said = judge(context, "pin", [record], attribute=attribute, value=value, reason="by phone", by="ada", **how)  # type: ignore[arg-type]
    return said.judgement_id


def golden(hub: Hub, attribute: str = "legal_name", record: str = RECORD) -> object:
    """A golden value of the record's client."""
    client = hub.client_of(record)
    return hub.query("SELECT attributes -> %s FROM onefold_v1.dim_party WHERE client_id = %s", (attribute, client))[0][
        0
    ]


def test_a_pin_until_a_date_ends_after_that_day_though_nobody_touches_the_record(
    ready_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = ready_hub
    (hub.folder / "config" / "hub.yaml").write_text("defaults: {timezone: Europe/Moscow}\n", "utf-8")
    before = golden(hub)
    number = pin(hub, "Pinned", policy="until_date", until=date(2026, 3, 3))
    hub.run()
    assert golden(hub) == "Pinned"
    monkeypatch.setattr(hubs, "START", datetime(2026, 3, 3, 20, 0, tzinfo=UTC))
    hub.run()
    assert golden(hub) == "Pinned"
    monkeypatch.setattr(hubs, "START", datetime(2026, 3, 3, 22, 0, tzinfo=UTC))  # in Moscow the day is over
    hub.run()
    assert golden(hub) == before
    lifted = "SELECT lifts, decided_by, reason FROM identity.judgement WHERE verdict = 'lift'"
    assert hub.query(lifted) == [(number, "onefold", "its last day was 2026-03-03")]
    versions = hub.query(
        "SELECT legal_name FROM onefold_v1.dim_client_history WHERE client_id = %s ORDER BY valid_from",
        (hub.client_of(RECORD),),
    )
    assert versions == [(before,), ("Pinned",), (before,)]
    hub.has_nothing_to_do()


def test_a_pin_until_the_source_changes_ends_when_the_record_says_something_else_and_does_not_come_back(
    ready_hub: Hub,
) -> None:
    hub = ready_hub
    was = hub.registers["crm_companies"][0]["name"]
    pin(hub, "Pinned", policy="until_source_changes")
    hub.registers["crm_companies"][0]["phone"] = "+7 495 555-99-99"
    hub.write("crm_companies")
    hub.run(full=True)
    assert golden(hub) == "Pinned"
    hub.registers["crm_companies"][0]["name"] = "ООО «Лютик»"
    hub.write("crm_companies")
    hub.run(full=True)
    assert golden(hub) != "Pinned"
    hub.registers["crm_companies"][0]["name"] = was
    hub.write("crm_companies")
    hub.run(full=True)
    assert golden(hub) != "Pinned"


def test_a_pin_that_fills_steps_back_when_a_source_says_something(ready_hub: Hub) -> None:
    hub = ready_hub
    contact = "crm:contacts:2"
    pin(hub, "Псков", "city", contact, policy="fill_if_empty")
    assert golden(hub, "city", contact) == "Псков"
    hub.registers["crm_contacts"][1]["city"] = "Тверь"
    hub.write("crm_contacts")
    hub.run(full=True)
    assert golden(hub, "city", contact) == "Тверь"
    del hub.registers["crm_contacts"][1]["city"]
    hub.write("crm_contacts")
    hub.run(full=True)
    assert golden(hub, "city", contact) == "Псков"


def test_a_new_pin_takes_the_place_of_the_former_one_and_may_leave_the_field_empty(ready_hub: Hub) -> None:
    hub = ready_hub
    pin(hub, "First")
    pin(hub, None)
    assert golden(hub) is None
    with hub.context() as context:
        (held,) = judgements(context)
    assert held["value"] == "legal_name = None"


def test_undoing_a_pin_has_the_one_hold_again_whose_place_it_took(ready_hub: Hub) -> None:
    hub = ready_hub
    before = golden(hub)
    pin(hub, "First", policy="until_source_changes")
    with hub.context() as context:
        second = judge(context, "pin", [RECORD], attribute="legal_name", value="Second", reason="a letter", by="eve")
        told = consequences_of_undo(context, second.judgement_id)
        assert [(one.before, one.after) for one in told.values] == [("Second", "First")]
        undone = undo_decision(context, second.judgement_id, reason="a mistake", by="max")
        assert golden(hub) == "First"
        (held,) = judgements(context)
        assert (held["judgement_id"], held["by"], held["reason"]) == (undone.again, "max", "by phone")
        assert held["policy"] == "until_source_changes"
        assert lift(context, held["judgement_id"], reason="", by="max").again is None
    assert golden(hub) == before
    hub.has_nothing_to_do()


def test_a_pin_that_would_hold_no_longer_does_not_come_back(ready_hub: Hub) -> None:
    hub = ready_hub
    before = golden(hub)
    pin(hub, "First", policy="until_source_changes")
    second = pin(hub, "Second")
    hub.registers["crm_companies"][0]["name"] = "ООО «Лютик»"
    hub.write("crm_companies")
    hub.run(full=True)
    with hub.context() as context:
        assert lift(context, second, reason="", by="max").again is None
        assert judgements(context) == []
    assert golden(hub) == before


def test_a_pin_on_a_client_is_held_by_the_record_that_the_value_comes_from(ready_hub: Hub) -> None:
    hub = ready_hub
    with hub.context() as context:
        came_from = explain_value(context, RECORD, "legal_name")["from"]
    pin(hub, "Pinned", record=hub.client_of(RECORD))
    with hub.context() as context:
        (held,) = judgements(context)
    assert held["records"] == [came_from]


def test_a_day_that_is_over_is_refused(ready_hub: Hub) -> None:
    with pytest.raises(UsageError, match="is over"):
        pin(ready_hub, "x", policy="until_date", until=date(2026, 2, 28))
    with pytest.raises(UsageError, match="needs that date"):
        pin(ready_hub, "x", policy="until_date")


def test_a_consent_is_the_most_restrictive_of_the_client_s_records(ready_hub: Hub) -> None:
    hub = ready_hub
    config = hub.folder / "config"
    (config / "attributes.yaml").write_text(
        "attributes:\n  newsletter: {kind: both, type: boolean, labels: {en: Newsletter, ru: Рассылка}}\n", "utf-8"
    )
    (config / "survivorship.yaml").write_text("fields:\n  newsletter: [most_restrictive, recent]\n", "utf-8")
    hub.configure("crm", CRM.replace("domain: site}", "domain: site, newsletter: mails}"))
    hub.configure("erp", hubs.ERP.replace("inn: inn,", "inn: inn, newsletter: mails,"))
    hub.registers["crm_companies"][0]["mails"] = "нет"
    hub.registers["erp_customers"][0]["mails"] = "да"
    for name in ("crm_companies", "erp_customers"):
        hub.write(name)
    hub.run(full=True)
    newsletter = "SELECT newsletter FROM onefold_v1.dim_client WHERE client_id = %s"
    assert hub.query(newsletter, (hub.client_of(RECORD),)) == [(False,)]
    hub.registers["crm_companies"][0]["mails"] = "да"
    hub.write("crm_companies")
    hub.run(full=True)
    assert hub.query(newsletter, (hub.client_of(RECORD),)) == [(True,)]


def test_who_decides_one_field_of_an_address_decides_it_whole(ready_hub: Hub) -> None:
    hub = ready_hub
    (hub.folder / "config" / "authority.yaml").write_text("authority:\n  - {attribute: city, register: crm}\n", "utf-8")
    hub.configure("erp", hubs.ERP.replace("inn: inn,", "inn: inn, city: town, street: road,"))
    hub.registers["erp_customers"][1] |= {"town": "Воткинск", "road": "Лесная"}
    hub.write("erp_customers")
    hub.run(full=True)
    client = hub.query(
        "SELECT city, street FROM onefold_v1.dim_client WHERE client_id = %s", (hub.client_of("crm:contacts:1"),)
    )
    assert client == [("Клин", None)]


def test_explain_a_field_names_winner_losers_rules_authority_and_pin(ready_hub: Hub, tmp_path: Path) -> None:
    hub = ready_hub
    (hub.folder / "config" / "authority.yaml").write_text(
        "authority:\n  - {attribute: legal_name, register: crm, agreed_by: cfo, review_on: 2026-01-01}\n", "utf-8"
    )
    hub.run()
    with hub.context() as context:
        found = explain_value(context, RECORD, "legal_name")
    assert (found["rule"], found["from"], found["rules"][0]) == ("authority", RECORD, "authority")
    assert found["authority"] == [
        {"register": "crm", "agreed_by": "cfo", "review_on": date(2026, 1, 1), "is_overdue": True}
    ]
    brought = hub.query(
        "SELECT run_id, trace_id FROM ops.run WHERE command = 'sync' AND source = 'crm' ORDER BY run_id"
    )
    assert [(one["run_id"], one["trace_id"]) for one in found["said"] if one["record"] == RECORD] == brought[:1]
    outcomes = {said["record"]: (said["outcome"], said["because"]) for said in found["said"]}
    assert outcomes["erp:customers:C1"] == ("lost", "by authority")
    assert outcomes[RECORD][0] == "won"

    far = (datetime.now(UTC).date() + timedelta(days=400)).isoformat()
    pinned = onefold("pin", RECORD, "legal_name", "Pinned", "--until", far, "--reason", "register", *hub.place)
    assert pinned.code == 0, pinned.said
    explained = onefold("explain", RECORD, "--field", "legal_name", *hub.place).out
    assert "legal_name = Pinned: a person pinned it" in explained
    assert f"until {far}): register" in explained
    assert "by pinned" in explained
    assert f"until {far}" in onefold("judge", "list", *hub.place).out
    assert onefold("explain", RECORD, "--field", "birth_date", *hub.place).code == 4
    assert onefold("explain", RECORD, "--field", "legal_nam", *hub.place).code == 2
    assert onefold("pin", RECORD, "legal_name", "x", "--clear", *hub.place).code == 2
    authority = onefold("report", "authority", *hub.place)
    assert authority.code == 1
    assert "overdue" in authority.out
    assert "inn" in authority.out.partition("nobody decides")[2]
