"""What a decision would do is told before it is taken, and is what it then does."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from onefold.errors import OnefoldError, UsageError
from onefold.steps import resolve_changes
from onefold.steps.consequences import Consequences, consequences, consequences_of_undo
from onefold.steps.judge import judge
from onefold.steps.records import one_record
from onefold.steps.regroup import move, undo_decision, words_of_move
from tests.support.drills import examples
from tests.support.hub import Hub
from warehouse.dump import row_versions
from warehouse.judgements import Judgement

NAMES = ("Анна Керн", "Пётр Чайковский", "Lev Tolstoy", "Мария Волконская", "Иван Гончаров")


def crowd(hub: Hub, seed: int) -> list[str]:
    """Fifty records of people in two registers, some of them alike, with orders; the names of the records."""
    chance = Random(seed)
    for number in range(20, 45):
        given, family = chance.choice(NAMES).split()
        who = chance.randrange(12)
        hub.registers["crm_contacts"].append(
            {"id": str(number), "first": given, "last": family, "emails": f"p{who}@example.ru",
             "phone": f"+7 903 555-{who:02}-11", "born": chance.choice([None, f"19{70 + who}-02-11"])}
        )  # fmt: skip
        hub.registers["erp_customers"].append(
            {"code": f"P{number}", "kind": "person", "person": f"{family} {given}", "mail": f"p{who}@example.ru"}
        )
        hub.registers["erp_orders"].append(
            {"no": f"PO-{number}", "customer": f"P{number}", "date": "2026-02-02", "total": f"{number}.50"}
        )
    for name in hub.registers:
        hub.write(name)
    hub.run()
    contacts = [f"crm:contacts:{one['id']}" for one in hub.registers["crm_contacts"]]
    return [*contacts, *(f"erp:customers:P{number}" for number in range(20, 45))]


def links(hub: Hub) -> dict[int, str]:
    return dict(hub.query("SELECT record_id, client_id::text FROM identity.crosswalk"))


def values(hub: Hub) -> dict[str, Any]:
    rows = hub.query("SELECT client_id::text, attributes::text FROM core.client WHERE NOT is_deleted")
    return {client: json.loads(attributes) for client, attributes in rows}


def money(hub: Hub) -> Counter[str | None]:
    rows = hub.query("SELECT client_id::text, coalesce(sum(amount), 0) FROM core.interaction GROUP BY 1")
    return Counter(dict(rows))


def holds(hub: Hub, told: Consequences, before: tuple[dict[int, str], dict[str, Any], Counter[str | None]]) -> None:
    """What was told is what is: links, golden values, and whose interactions are whose."""
    linked, golden, sums = before
    now = links(hub)
    assert {i: (linked.get(i), now.get(i)) for i in {*linked, *now} if linked.get(i) != now.get(i)} == dict(told.moves)
    after = values(hub)
    touched = {one.client_id for one in told.clients}
    assert {client: after[client] for client in touched if client in after} == dict(told.golden)
    assert {client: one for client, one in golden.items() if client not in touched} == {
        client: one for client, one in after.items() if client not in touched
    }
    for row in told.interactions:
        amount = Decimal(row["amount"] or 0)
        sums[row["from_id"]] -= amount
        sums[row["to_id"]] += amount
    assert +sums == +money(hub)


@pytest.mark.searches
def test_what_is_told_of_a_decision_is_what_it_then_does(ready_hub: Hub) -> None:
    hub, chance = ready_hub, Random(7)
    names = crowd(hub, 1)
    said: list[int] = []
    kinds: Counter[str] = Counter()
    with hub.context() as context:
        for number in range(examples(6, 24)):
            linked = links(hub)
            before = linked, values(hub), money(hub)
            left, right = chance.sample(names, 2)
            ids = [one_record(context, name) for name in (left, right)]
            verdict = ("same", "not_same", "related", "pin", "move", "undo")[number % 6]
            if verdict == "undo":
                told = consequences_of_undo(context, said[-1])
                undo_decision(context, said.pop(), reason="", by="ada")
            elif verdict == "move":
                if linked[ids[0]] == linked[ids[1]]:
                    continue
                with context.connection() as conn:
                    words = words_of_move(context, conn, ids[0], linked[ids[1]], "seen")
                try:
                    told = consequences(context, words)
                except OnefoldError as refused:
                    with pytest.raises(type(refused)):
                        move(context, left, linked[ids[1]], reason="seen", by="ada")
                    kinds["refused"] += 1
                    continue
                said.append(move(context, left, linked[ids[1]], reason="seen", by="ada").judgement_id)
            else:
                if verdict == "not_same":  # of one client, so that something happens
                    apart = next(
                        (two for two in names if two != left and linked[one_record(context, two)] == linked[ids[0]]),
                        right,
                    )
                    right, ids[1] = apart, one_record(context, apart)
                how: dict[str, Any] = {"relationship": "household"} if verdict == "related" else {}
                if verdict == "pin":
                    how = {"attribute": "city", "value": f"Тверь {number}"}
                sides = [[ids[0]], [] if verdict == "pin" else [ids[1]]]
                word = Judgement(verdict, *sides, **how, policy="pin" if verdict == "pin" else None, reason="seen")
                try:
                    told = consequences(context, [word])
                except OnefoldError as refused:
                    with pytest.raises(type(refused)):
                        judge(context, verdict, [left], [right], reason="seen", by="ada", **how)
                    kinds["refused"] += 1
                    continue
                others = [] if verdict == "pin" else [right]
                said.append(judge(context, verdict, [left], others, reason="seen", by="ada", **how).judgement_id)
            if verdict != "pin":
                kinds[verdict] += bool(told.moves)
            holds(hub, told, before)
    assert kinds["same"] and kinds["not_same"] and kinds["move"], kinds


def test_what_would_take_longer_than_anybody_waits_is_not_told(ready_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve_changes, "MOST_AS_IF", 1)
    with ready_hub.context() as context:
        ids = [one_record(context, name) for name in ("crm:contacts:1", "crm:contacts:2")]
        with pytest.raises(UsageError, match="More than 1 records hang together"):
            consequences(context, [Judgement("same", ids[:1], ids[1:])])


def test_it_is_told_what_a_merge_loses_and_which_consents_it_takes(ready_hub: Hub) -> None:
    hub = ready_hub
    with hub.context() as context, pytest.raises(UsageError, match="already"):
        move(context, "crm:contacts:1", hub.client_of("crm:contacts:1"), reason="x", by="ada")
    config = hub.folder / "config"
    (config / "attributes.yaml").write_text(
        "attributes:\n  mail_consent: {type: boolean, kind: person, personal_data: none, labels: {en: Mail consent}}\n",
        "utf-8",
    )
    (config / "survivorship.yaml").write_text("fields: {mail_consent: [most_restrictive]}\n", "utf-8")
    crm = (config / "sources" / "crm.yaml").read_text("utf-8")
    hub.configure("crm", crm.replace("city: city}", "city: city, mail_consent: mail}", 1))
    hub.registers["crm_contacts"][1] |= {"mail": "true"}
    hub.registers["crm_contacts"][2] |= {"mail": "false"}
    hub.write("crm_contacts")
    hub.run()
    with hub.context() as context, context.connection() as conn:
        before = row_versions(conn)
        pair = [one_record(context, f"crm:contacts:{number}") for number in (2, 3)]
        told = consequences(context, [Judgement("same", pair[:1], pair[1:])])
        assert row_versions(conn) == before, "nothing is written"
    [consent] = [one for one in told.values if one.is_consent and not one.is_lost]
    assert (consent.before, consent.after) in ((True, False), ("true", "false"))
    assert {one.attribute for one in told.values if one.is_lost} >= {"birth_date"}
    [gone] = [one for one in told.clients if one.after is None]
    assert gone.into in told.golden and gone.records_before == 1
