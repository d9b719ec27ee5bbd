"""A key that is given to somebody else: what was said of the former bearer is suspended, and a case says so."""

from __future__ import annotations

from typing import Any

import pytest

from onefold.errors import NothingFound
from onefold.steps.judge import judge, settle_identity
from tests.support.cli import onefold
from tests.support.hub import Hub

RECORD = "crm:contacts:1"
TWIN = "erp:customers:C2"
OTHER = {"first": "Марфа", "last": "Посадница", "born": "1961-11-30", "emails": "marfa@novgorod.example.ru",
         "phone": "+7 903 555-77-77", "company": None, "title": None, "city": "Новгород"}  # fmt: skip
THIRD = {"first": "Karl", "last": "Schmidt", "born": "1999-12-31", "emails": "karl@mail.example.de", "phone": None}


def become(hub: Hub, **values: Any) -> dict[str, Any]:
    """Contact 1 with other values, after a run; what it was."""
    former = dict(hub.registers["crm_contacts"][0])
    hub.registers["crm_contacts"][0] |= values
    hub.write("crm_contacts")
    hub.run()
    return former


def say(hub: Hub, verdict: str, left: str, *right: str, **values: Any) -> int:
    with hub.context() as context:
        return judge(context, verdict, [left], right, reason="a test says so", by="ada", **values).judgement_id


def settle(hub: Hub, *, same: bool) -> None:
    with hub.context() as context:
        settle_identity(context, RECORD, same=same, reason="asked", by="ada")


def is_one(hub: Hub, one: str, other: str) -> bool:
    return hub.client_of(one) == hub.client_of(other)


def open_cases(hub: Hub) -> list[tuple[Any, ...]]:
    return hub.query(
        "SELECT record_ids, evidence FROM identity.review_case WHERE kind = 'changed_identity' AND status = 'open'"
    )


def test_what_was_said_of_a_record_is_suspended_while_its_key_is_somebody_else_s(ready_hub: Hub) -> None:
    hub = ready_hub
    number = say(hub, "not_same", RECORD, TWIN)
    was = become(hub, **OTHER)
    ((record_ids, evidence),) = open_cases(hub)
    assert hub.query("SELECT source_key FROM raw.record WHERE record_id = %s", (record_ids[0],)) == [("1",)]
    assert evidence["judgements"] == [number]
    names = {found["column"]: (found["was"], found["is"]) for found in evidence["compared"]}
    assert all("marfa" not in str(one) and "marfa" in str(two) for one, two in [names["email"]])
    # Whoever has the key now may well be the twin.
    become(hub, first="Петр", last="Чайковский", born="1980-05-07", emails="petr@example.ru", phone=was["phone"])
    assert not is_one(hub, RECORD, TWIN)
    assert open_cases(hub) == []


def test_a_joined_record_leaves_the_client_with_its_former_identity_and_comes_back_with_it(ready_hub: Hub) -> None:
    hub = ready_hub
    say(hub, "same", RECORD, "crm:contacts:2")
    before = hub.client_of(RECORD), hub.client_of(TWIN)
    was = become(hub, **OTHER)
    assert not is_one(hub, RECORD, "crm:contacts:2")
    assert not is_one(hub, RECORD, TWIN)
    become(hub, **was)
    assert (hub.client_of(RECORD), hub.client_of(TWIN)) == before
    assert is_one(hub, RECORD, "crm:contacts:2")
    assert open_cases(hub) == []


def test_an_ordinary_change_leaves_every_judgement_in_force(ready_hub: Hub) -> None:
    hub = ready_hub
    say(hub, "same", RECORD, "crm:contacts:2")
    become(hub, phone="+7 903 000-00-01", emails="new@example.ru", city="Москва")
    assert is_one(hub, RECORD, "crm:contacts:2")
    become(hub, last="Чайковский-Мекк")
    assert is_one(hub, RECORD, "crm:contacts:2")
    assert open_cases(hub) == []


def test_a_firm_s_card_with_another_tax_number_is_another_firm_s(ready_hub: Hub) -> None:
    hub = ready_hub
    say(hub, "same", "crm:companies:11", "erp:customers:C3")
    hub.registers["crm_companies"][1]["inn"] = "7736050003"
    hub.write("crm_companies")
    hub.run()
    assert not is_one(hub, "crm:companies:11", "erp:customers:C3")
    ((_, evidence),) = open_cases(hub)
    assert evidence["contradictions"] == ["inn"]


def test_a_pin_waits_until_its_record_is_again_whom_it_was_about(ready_hub: Hub) -> None:
    hub = ready_hub
    say(hub, "pin", "crm:contacts:3", attribute="city", value="Ясная Поляна")
    city = "SELECT city FROM onefold_v1.dim_client WHERE client_id = %s"
    client = hub.client_of("crm:contacts:3")
    assert hub.query(city, (client,)) == [("Ясная Поляна",)]
    was = dict(hub.registers["crm_contacts"][2])
    hub.registers["crm_contacts"][2] |= THIRD
    hub.write("crm_contacts")
    hub.run()
    assert hub.query(city, (hub.client_of("crm:contacts:3"),)) == [(None,)]
    hub.registers["crm_contacts"][2] |= was
    hub.write("crm_contacts")
    hub.run()
    assert hub.query(city, (hub.client_of("crm:contacts:3"),)) == [("Ясная Поляна",)]


def test_how_a_record_became_another_does_not_matter(ready_hub: Hub) -> None:
    hub = ready_hub
    number = say(hub, "same", RECORD, "crm:contacts:2")
    become(hub, **THIRD)
    become(hub, **OTHER)
    ((_, by_steps),) = open_cases(hub)
    in_force = hub.query("SELECT judgement_id, is_suspended FROM identity.judged_record ORDER BY record_id")
    # One step at a time each version is near the last; what counts is the one that was judged.
    for change in ({"phone": OTHER["phone"]}, {"emails": "petr@example.ru"}, OTHER):
        become(hub, **change)
    ((_, again),) = open_cases(hub)
    assert again == by_steps
    assert hub.query("SELECT judgement_id, is_suspended FROM identity.judged_record ORDER BY record_id") == in_force
    assert sorted(in_force) == [(number, False), (number, True)]
    hub.has_nothing_to_do()


def test_the_answer_same_lets_what_was_said_hold_for_the_record_as_it_is_now(ready_hub: Hub) -> None:
    hub = ready_hub
    say(hub, "same", RECORD, "crm:contacts:2")
    was = become(hub, **OTHER)
    settle(hub, same=True)
    assert is_one(hub, RECORD, "crm:contacts:2")
    assert open_cases(hub) == []
    become(hub, **was)
    assert not is_one(hub, RECORD, "crm:contacts:2")
    assert len(open_cases(hub)) == 1


def test_the_answer_new_leaves_what_was_said_to_whom_the_record_was(ready_hub: Hub) -> None:
    hub = ready_hub
    with hub.context() as context:
        judge(context, "same", [RECORD], ["crm:contacts:2", "crm:contacts:3"], reason="one", by="ada")
    was = become(hub, **OTHER)
    assert is_one(hub, "crm:contacts:2", "crm:contacts:3")
    settle(hub, same=False)
    assert open_cases(hub) == []
    assert is_one(hub, "crm:contacts:2", "crm:contacts:3")
    assert not is_one(hub, RECORD, "crm:contacts:2")
    become(hub, **was)  # by evidence it is one again with the version that stays, and that one was judged
    assert is_one(hub, RECORD, "crm:contacts:2")
    with pytest.raises(NothingFound):
        settle(hub, same=True)


def test_a_deleted_record_comes_back_under_its_judgements_only_as_whom_it_was(ready_hub: Hub) -> None:
    hub = ready_hub
    say(hub, "same", RECORD, "crm:contacts:2")
    was = hub.registers["crm_contacts"].pop(0)
    hub.write("crm_contacts")
    hub.run()
    assert open_cases(hub) == []
    hub.registers["crm_contacts"].insert(0, was | OTHER)
    hub.write("crm_contacts")
    hub.run()
    assert not is_one(hub, RECORD, "crm:contacts:2")
    assert len(open_cases(hub)) == 1
    become(hub, **was)
    assert is_one(hub, RECORD, "crm:contacts:2")


def test_the_command_line_shows_and_settles_a_changed_identity(ready_hub: Hub) -> None:
    hub = ready_hub
    number = say(hub, "same", RECORD, "crm:contacts:2")
    become(hub, **OTHER)
    environ = {
        "ONEFOLD_HOME": str(hub.folder / "var"),
        "ONEFOLD_CONFIG": str(hub.folder / "config"),
        "ONEFOLD_DATABASE_URL": hub.database_url,
    }
    waiting = onefold("--json", "cases", environ=environ).json
    (case,) = [row for row in waiting if row["kind"] == "changed_identity"]
    assert [record["source_key"] for record in case["records"]] == ["1"]
    assert f"onefold explain {RECORD}" in onefold("cases", environ=environ).out
    explained = onefold("explain", RECORD, environ=environ)
    assert f"judgement {number}" in " ".join(explained.out.split())
    assert "marfa@novgorod.example.ru" in explained.out
    pair = onefold("--json", "explain", RECORD, "crm:contacts:2", environ=environ).json
    assert [(one["judgement_id"], one["record"]) for one in pair["suspended"]] == [(number, RECORD)]
    assert "suspended" in onefold("judge", "list", environ=environ).out
    done = onefold("judge", "identity", RECORD, "new", "--reason", "number given away", environ=environ)
    assert done.code == 0, done.said
    assert [row for row in onefold("--json", "cases", environ=environ).json if row["kind"] == "changed_identity"] == []
    (said,) = onefold("--json", "judge", "list", environ=environ).json
    former, other = said["records"]
    assert former.startswith(f"{RECORD} (was ") and other == "crm:contacts:2"
    assert onefold("judge", "identity", RECORD, "new", environ=environ).code != 0
