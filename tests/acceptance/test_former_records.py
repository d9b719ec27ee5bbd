"""What happened with a client before its record's key was given to somebody else stays with that client."""

from __future__ import annotations

from typing import Any

import pytest

from onefold.steps.client import client
from onefold.steps.judge import judge, lift, settle_identity
from tests.support.hub import Hub

RECORD = "crm:companies:11"
OTHER = {"name": "Лютик, ООО", "inn": "7736050003"}
BEFORE = {"id": "D3", "company": "11", "closed": "2026-02-04", "sum": "1.00", "stage": "won"}
AFTER = {"id": "D4", "company": "11", "closed": "2026-04-01", "sum": "2.00", "stage": "won"}


@pytest.fixture
def judged(ready_hub: Hub) -> tuple[Hub, str, int]:
    """A hub with a judgement about a firm that has a deal (D2); the firm's client, and the judgement."""
    with ready_hub.context() as context:
        number = judge(context, "not_same", [RECORD], ["erp:customers:C3"], reason="no", by="ada").judgement_id
    return ready_hub, ready_hub.client_of(RECORD), number


def become(hub: Hub, **values: Any) -> dict[str, Any]:
    former = dict(hub.registers["crm_companies"][1])
    hub.registers["crm_companies"][1] |= values
    hub.write("crm_companies")
    hub.run()
    return former


def add_deals(hub: Hub, *deals: dict[str, Any]) -> None:
    hub.registers["crm_deals"] += deals
    hub.write("crm_deals")
    hub.run()


def settle(hub: Hub, *, same: bool) -> None:
    with hub.context() as context:
        settle_identity(context, RECORD, same=same, reason="asked", by="ada")


def clients(hub: Hub) -> dict[str, str]:
    """Deals of the firm and whose they are: as served, and as each client's timeline shows them."""
    served = dict(
        hub.query(
            "SELECT source_key, client_id::text FROM onefold_v1.fct_interaction"
            " WHERE stream = 'deals' AND source_key <> 'D1' AND NOT is_deleted"
        )
    )
    with hub.context() as context:
        for deal, of in served.items():
            assert deal in [row["source_key"] for row in client(context, of)["interactions"]]
    return served


def formers(hub: Hub) -> list[tuple[Any, ...]]:
    return hub.query("SELECT source_key FROM identity.standard_record WHERE source_key LIKE '11 (was %%'")


def test_old_interactions_stay_with_the_old_client_and_new_ones_are_the_new_client_s(
    judged: tuple[Hub, str, int],
) -> None:
    hub, was, _ = judged
    become(hub, **OTHER)
    now = hub.client_of(RECORD)
    assert now != was
    assert clients(hub) == {"D2": was}
    names = dict(hub.query("SELECT client_id::text, display_name FROM onefold_v1.dim_client"))
    assert ("Василёк" in names[was], "Лютик" in names[now]) == (True, True)
    add_deals(hub, BEFORE, AFTER)
    assert clients(hub) == {"D2": was, "D3": was, "D4": now}
    hub.has_nothing_to_do()


def test_they_follow_the_record_again_when_it_is_whom_it_was(judged: tuple[Hub, str, int]) -> None:
    hub, was, _ = judged
    former = become(hub, **OTHER)
    add_deals(hub, AFTER)
    become(hub, **former)
    assert hub.client_of(RECORD) == was
    assert clients(hub) == {"D2": was, "D4": was}
    assert formers(hub) == []
    hub.has_nothing_to_do()


def test_the_answer_same_brings_them_to_the_record_as_it_is_now(judged: tuple[Hub, str, int]) -> None:
    hub, was, _ = judged
    become(hub, **OTHER)
    settle(hub, same=True)
    assert hub.client_of(RECORD) == was
    assert clients(hub) == {"D2": was}
    assert formers(hub) == []
    hub.has_nothing_to_do()


def test_the_answer_new_leaves_them_where_they_are_whatever_becomes_of_the_record(
    judged: tuple[Hub, str, int],
) -> None:
    hub, was, _ = judged
    become(hub, **OTHER)
    settle(hub, same=False)
    assert clients(hub) == {"D2": was}
    become(hub, name="Одуванчик, ООО", inn="7728168971")
    assert clients(hub) == {"D2": was}
    assert hub.client_of(RECORD) != was
    assert len(formers(hub)) == 1
    hub.has_nothing_to_do()


def test_lifting_the_judgement_undoes_it(judged: tuple[Hub, str, int]) -> None:
    hub, was, number = judged
    become(hub, **OTHER)
    with hub.context() as context:
        lift(context, number, reason="never mind", by="ada")
    assert clients(hub) == {"D2": hub.client_of(RECORD)} == {"D2": was}
    assert formers(hub) == []


def test_a_merge_of_the_old_client_takes_them_along_and_its_undoing_brings_them_back(
    judged: tuple[Hub, str, int],
) -> None:
    hub, was, _ = judged
    become(hub, **OTHER)
    ((former,),) = formers(hub)
    with hub.context() as context:
        said = judge(context, "same", [f"crm:companies:{former}"], ["crm:companies:10"], reason="merged", by="ada")
    assert clients(hub) == {"D2": hub.client_of("crm:companies:10")}
    with hub.context() as context:
        lift(context, said.judgement_id, reason="wrong", by="ada")
    assert clients(hub) == {"D2": was}
    hub.has_nothing_to_do()


def test_each_version_that_was_judged_keeps_what_happened_in_its_time(judged: tuple[Hub, str, int]) -> None:
    hub, first, _ = judged
    become(hub, **OTHER)
    second = hub.client_of(RECORD)
    with hub.context() as context:
        judge(context, "not_same", [RECORD], ["crm:companies:10"], reason="no", by="ada")
    hub.ticks += 60 * 86_400  # from the first of March to the end of April
    become(hub, name="Одуванчик, ООО", inn="7728168971")
    add_deals(hub, AFTER, AFTER | {"id": "D5", "closed": "2026-06-01"})
    third = hub.client_of(RECORD)
    assert len({first, second, third}) == 3
    assert clients(hub) == {"D2": first, "D4": second, "D5": third}
    hub.has_nothing_to_do()
