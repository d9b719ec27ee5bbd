"""From hub.yaml to the client view: branches, establishments, sole proprietors, cards of two firms, partners above firms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.acceptance.conftest import FreshDatabases
from tests.support.drills import examples
from tests.support.hub import Hub
from warehouse.dump import canonical_dump, row_versions
from warehouse.keys import record_id

INN, HEAD, BRANCH = "7707083893", "773601001", "695043001"
OTHER_INN, SOLE_INN, OGRNIP = "5003052454", "500100732259", "304500116000157"
COMPANIES = """
source: crm
department: sales
connector: files
settings: {}
defaults: {country: RU, timezone: Europe/Moscow, currency: RUB, language: ru}
trust: 60
schedule: "0 * * * *"
streams:
  contacts:
    as: person
    key: id
    options: {path: data/crm_contacts.jsonl}
    fields: {full_name: name, inn: inn, ogrnip: ogrnip, phone: phone}
  companies:
    as: organisation
    key: id
    options: {path: data/crm_companies.jsonl}
    fields:
      {legal_name: name, inn: inn, kpp: kpp, ogrn: ogrn, ogrnip: ogrnip, vat: vat, phone: phone, email: email, city: city,
       country: country, postcode: index}
  deals:
    as: interaction
    type: sales_deal
    key: id
    options: {path: data/crm_deals.jsonl}
    party: {stream: companies, key: company}
    occurred_at: closed
    amount: {value: sum}
"""
BRANCHES: list[dict[str, Any]] = [
    {"id": "1", "name": "Филиал «Тверской» ООО «Ромашка»", "inn": INN, "kpp": BRANCH, "city": "Тверь"},
    {"id": "2", "name": "ООО «Ромашка»", "inn": INN, "kpp": HEAD, "city": "Москва"},
    {"id": "3", "name": "Ромашка, ООО", "inn": INN},
    {"id": "4", "name": "ООО «Василёк»", "inn": OTHER_INN, "kpp": "500301001"},
]


@pytest.fixture
def firms(hub: Hub) -> Hub:
    """A hub whose CRM names KPP, OGRNIP and VAT numbers."""
    hub.configure("crm", COMPANIES)
    return hub


def at(hub: Hub, grain: str) -> None:
    (hub.folder / "config" / "hub.yaml").write_text(f"grain: {grain}\n", encoding="utf-8")


def put(hub: Hub, register: str, records: Sequence[dict[str, Any]]) -> None:
    hub.write(register, records)
    hub.run()


def view(hub: Hub, who: str) -> dict[str, Any]:
    from onefold.steps.client import client

    with hub.context() as context:
        return client(context, who)


def related(hub: Hub, who: str) -> set[tuple[str, str, str | None, str | None]]:
    """(type, direction, the other client, in words) of a record's client."""
    rows = view(hub, who)["relationships"]
    return {(row["type"], row["direction"], row["client_id"], row["role"]) for row in rows}


def company(key: str) -> str:
    return f"crm:companies:{key}"


def test_at_legal_entity_branches_are_one_client_and_kept_as_relationships(firms: Hub) -> None:
    put(firms, "crm_companies", BRANCHES)
    assert firms.partition() == {frozenset(map(company, "123")), frozenset({company("4")})}
    client = firms.client_of(company("2"))
    assert related(firms, company("1")) == {("branch_of", "to", client, f"KPP {BRANCH}")}
    assert firms.query("SELECT count(*) FROM identity.review_case WHERE status = 'open'") == [(0,)]


def test_at_establishment_branches_are_clients_of_their_own_related_to_the_head(firms: Hub) -> None:
    at(firms, "establishment")
    put(firms, "crm_companies", BRANCHES)
    branch, head = firms.client_of(company("1")), firms.client_of(company("2"))
    assert branch != head
    assert firms.client_of(company("3")) == head
    assert related(firms, company("1")) == {("branch_of", "to", head, f"KPP {BRANCH}")}
    assert related(firms, company("2")) == {("branch_of", "from", branch, f"KPP {BRANCH}")}


def test_another_grain_takes_effect_with_the_next_run_and_back(firms: Hub) -> None:
    put(firms, "crm_companies", BRANCHES)
    before = firms.partition()
    at(firms, "establishment")
    firms.run()
    assert frozenset({company("1")}) in firms.partition()
    at(firms, "legal_entity")
    firms.run()
    assert firms.partition() == before
    again = firms.run()
    assert again.resolve.moved == 0


def test_vat_numbers_have_sites_by_postcode_only_where_a_client_is_an_establishment(firms: Hub) -> None:
    rows = [
        {"id": "1", "name": "Müller GmbH", "vat": "DE136695976", "country": "DE", "index": "80331"},
        {"id": "2", "name": "Müller GmbH Nord", "vat": "DE136695976", "country": "DE", "index": "20095"},
    ]
    put(firms, "crm_companies", rows)
    assert firms.client_of(company("1")) == firms.client_of(company("2"))
    assert related(firms, company("1")) == set()
    at(firms, "establishment")
    firms.run()
    head = firms.client_of(company("1"))
    assert related(firms, company("2")) == {("branch_of", "to", head, "postcode 20095")}
    at(firms, "legal_entity")
    firms.run()
    assert related(firms, company("1")) == set()


def test_without_a_known_head_the_smallest_natural_key_is_the_head(firms: Hub) -> None:
    rows = [{"id": key, "name": "ООО «Ромашка»", "inn": INN, "kpp": f"69504300{key}"} for key in "12"]
    put(firms, "crm_companies", rows)
    assert related(firms, company("1")) == {("branch_of", "to", firms.client_of(company("1")), "KPP 695043002")}


def test_a_sole_proprietor_and_the_person_are_two_clients_related_on_both_sides(firms: Hub) -> None:
    firms.write("crm_contacts", [{"id": "p", "name": "Петров Иван Сергеевич", "inn": SOLE_INN}])
    put(firms, "crm_companies", [{"id": "o", "name": "ИП Петров Иван Сергеевич", "inn": SOLE_INN}])
    person, firm = firms.client_of("crm:contacts:p"), firms.client_of(company("o"))
    assert person != firm
    assert related(firms, "crm:contacts:p") == {("owner_of", "to", firm, "sole proprietor")}
    assert related(firms, company("o")) == {("owner_of", "from", person, "sole proprietor")}


def test_ownership_follows_the_numbers_when_records_change_come_and_go(firms: Hub) -> None:
    owner = {"id": "p", "name": "Петров Иван", "ogrnip": OGRNIP}
    firms.write("crm_contacts", [owner])
    put(firms, "crm_companies", [{"id": "o", "name": "ИП Петров Иван", "ogrnip": OGRNIP}])
    assert len(related(firms, company("o"))) == 1
    put(firms, "crm_contacts", [{**owner, "ogrnip": None}])
    assert related(firms, company("o")) == set()
    put(firms, "crm_contacts", [owner])
    assert len(related(firms, company("o"))) == 1
    put(firms, "crm_companies", [{"id": "n", "name": "ИП Петров", "ogrnip": OGRNIP}])
    assert {row[2] for row in related(firms, "crm:contacts:p")} == {firms.client_of(company("n"))}
    put(firms, "crm_contacts", [])
    assert related(firms, company("n")) == set()


def test_when_the_head_goes_another_one_takes_its_place(firms: Hub) -> None:
    put(firms, "crm_companies", BRANCHES)
    third = {"id": "5", "name": "ООО «Ромашка», Омск", "inn": INN, "kpp": "550343001"}
    put(firms, "crm_companies", [BRANCHES[0], third])
    rows = firms.query(
        "SELECT f.source_key, t.source_key, r.role FROM core.relationship r"
        " JOIN identity.standard_record f ON f.record_id = r.from_record_id"
        " JOIN identity.standard_record t ON t.record_id = r.to_record_id WHERE NOT r.is_deleted"
    )
    assert rows == [("5", "1", "KPP 550343001")]
    put(firms, "crm_companies", [])
    assert firms.query("SELECT count(*) FROM core.relationship WHERE NOT is_deleted") == [(0,)]


CARD = {"id": "7", "name": "Ромашка и Василёк", "inn": [INN, OTHER_INN], "phone": "+7 495 555-10-10"}


def test_a_card_of_two_firms_becomes_records_that_join_their_firms_and_stay_related_to_it(firms: Hub) -> None:
    firms.write("crm_deals", [{"id": "D1", "company": "7", "closed": "2026-02-01", "sum": "10.00"}])
    put(firms, "crm_companies", [BRANCHES[1], BRANCHES[3], CARD])
    one, two, card = (firms.client_of(company(key)) for key in ("2", "4", "7"))
    assert len({one, two, card}) == 3
    assert firms.client_of(company(f"7#inn={INN}")) == one
    assert firms.client_of(company(f"7#inn={OTHER_INN}")) == two
    assert related(firms, company("7")) == {
        ("card_of", "from", one, f"INN {INN}"),
        ("card_of", "from", two, f"INN {OTHER_INN}"),
    }
    assert related(firms, company("4")) == {("card_of", "to", card, f"INN {OTHER_INN}")}
    # What happened stays with the card that it came with.
    assert view(firms, company("7"))["interaction_count"] == 1
    assert "inn" not in view(firms, company("7"))["attributes"]


def test_a_record_made_of_a_card_can_be_traced_and_named(firms: Hub) -> None:
    from onefold.steps.client import trace

    put(firms, "crm_companies", [CARD])
    with firms.context() as context:
        made = trace(context, company(f"7#inn={INN}"))
        card = trace(context, company("7"))
    (row,) = made["relationships"]
    assert (row["type"], row["direction"], row["source_key"], row["role"]) == ("card_of", "to", "7", f"INN {INN}")
    assert [row["source_key"] for row in card["relationships"]] == sorted((f"7#inn={INN}", f"7#inn={OTHER_INN}"),
        key=lambda key: record_id("crm", "companies", key))  # fmt: skip
    assert {(i["value"], i["invalid_reason"]) for i in card["identifiers"] if i["type"] == "inn"} == {
        (INN, "several on one card"), (OTHER_INN, "several on one card"),
    }  # fmt: skip
    alone = view(firms, company(f"7#inn={INN}"))
    assert alone["display_name"] == "Ромашка и Василёк"
    assert alone["records"][0]["name"] == company(f"7#inn={INN}")
    assert alone["lineage"]["inn"]["record"] == company(f"7#inn={INN}")
    served = "SELECT source, source_key FROM onefold_v1.client_field_lineage WHERE client_id = %s AND attribute = 'inn'"
    assert firms.query(served, (alone["client_id"],)) == [("crm", f"7#inn={INN}")]


def test_a_card_that_is_put_right_leaves_nothing_behind_and_a_client_id_comes_back(firms: Hub) -> None:
    put(firms, "crm_companies", [CARD])
    made = firms.client_of(company(f"7#inn={OTHER_INN}"))
    put(firms, "crm_companies", [{**CARD, "inn": INN}])
    assert firms.partition() == {frozenset({company("7")})}
    assert firms.query("SELECT count(*) FROM core.relationship WHERE NOT is_deleted") == [(0,)]
    assert firms.query("SELECT count(*) FROM onefold_v1.xref_client_record WHERE is_deleted") == [(2,)]
    put(firms, "crm_companies", [CARD])
    assert firms.client_of(company(f"7#inn={OTHER_INN}")) == made
    put(firms, "crm_companies", [])
    assert firms.partition() == set()


def test_a_card_that_changes_otherwise_keeps_its_records_and_a_run_without_news_writes_none(firms: Hub) -> None:
    from warehouse.connect import connect

    put(firms, "crm_companies", [CARD])
    partition = firms.partition()
    put(firms, "crm_companies", [{**CARD, "phone": "+7 495 555-10-11"}])
    assert firms.partition() == partition
    with connect(firms.database_url, application_name="test") as conn:
        before = row_versions(conn)
        conn.execute("INSERT INTO ops.pending (step, record_id) SELECT 'standardise', record_id FROM raw.record")
        firms.run()
        assert row_versions(conn) == before


def test_a_stated_relationship_called_card_of_is_not_taken_for_a_card(firms: Hub) -> None:
    stated = COMPANIES.replace(
        "  deals:", "    relationships: {type: card_of, stream: companies, key: parent}\n  deals:"
    )
    firms.configure("crm", stated)
    rows = [{"id": "1", "name": "ООО «Ромашка»", "parent": "2"}, {"id": "2", "name": "ООО «Василёк»"}]
    put(firms, "crm_companies", rows)
    put(firms, "crm_companies", [rows[0], {**rows[1], "name": "ООО «Василёк-2»"}])
    assert firms.partition() == {frozenset({company("1")}), frozenset({company("2")})}
    assert {row[0] for row in related(firms, company("1"))} == {"card_of"}


PARTNERS = """
source: erp
department: operations
connector: files
settings: {}
defaults: {country: RU, timezone: Europe/Moscow, currency: RUB, language: ru}
trust: 80
schedule: "0 * * * *"
streams:
  partners:
    as: organisation
    key: Ref_Key
    options: {path: data/erp_partners.jsonl}
    fields: {legal_name: Description, phone: phone, email: email}
  customers:
    as: organisation
    key: Ref_Key
    options: {path: data/erp_customers.jsonl}
    fields: {legal_name: НаименованиеПолное, inn: ИНН, phone: phone, email: email}
    relationships: {type: member_of, stream: partners, key: Партнер_Key}
"""
CONTACT = {"phone": "+7 495 555-10-10", "email": "office@romashka.example"}
COUNTERPARTIES: list[dict[str, Any]] = [
    {"Ref_Key": "k1", "НаименованиеПолное": "ООО «Ромашка»", "ИНН": INN, "Партнер_Key": "p", **CONTACT},
    {"Ref_Key": "k2", "НаименованиеПолное": "ООО «Ромашка-Сервис»", "ИНН": OTHER_INN, "Партнер_Key": "p"},
]


@pytest.fixture
def partners(hub: Hub) -> Hub:
    """A hub whose ERP keeps partners above counterparties, as 1C does."""
    hub.configure("erp", PARTNERS)
    hub.write("erp_partners", [{"Ref_Key": "p", "Description": "Ромашка", **CONTACT}])
    return hub


def test_a_partner_above_several_counterparties_is_related_to_them_and_no_duplicate(partners: Hub) -> None:
    put(partners, "erp_customers", COUNTERPARTIES)
    names = ("erp:partners:p", "erp:customers:k1", "erp:customers:k2")
    assert partners.partition() == {frozenset({name}) for name in names}
    partner, one, two = map(partners.client_of, names)
    assert related(partners, names[0]) == {("member_of", "from", one, None), ("member_of", "from", two, None)}
    assert related(partners, names[2]) == {("member_of", "to", partner, None)}
    assert partners.query("SELECT count(*) FROM identity.review_case WHERE status = 'open'") == [(0,)]


def test_a_partner_of_one_counterparty_may_be_the_same_firm_until_a_second_one_comes(partners: Hub) -> None:
    put(partners, "erp_customers", COUNTERPARTIES[:1])
    alone = {frozenset({"erp:partners:p", "erp:customers:k1"})}
    assert partners.partition() == alone
    put(partners, "erp_customers", COUNTERPARTIES)
    assert len(partners.partition()) == 3
    put(partners, "erp_customers", COUNTERPARTIES[:1])
    assert partners.partition() == alone


def test_a_human_may_join_a_partner_with_one_of_its_counterparties(partners: Hub) -> None:
    from onefold.steps.judge import judge

    put(partners, "erp_customers", COUNTERPARTIES)
    with partners.context() as context:
        judge(context, "same", ["erp:partners:p", "erp:customers:k1"], by="anna", reason="one firm")
    assert frozenset({"erp:partners:p", "erp:customers:k1"}) in partners.partition()


@st.composite
def company_of(draw: st.DrawFn, key: str) -> dict[str, Any]:
    inns = draw(st.sampled_from([[INN], [INN], [OTHER_INN], [SOLE_INN], [INN, OTHER_INN], []]))
    return {
        "id": key,
        "name": draw(st.sampled_from(["ООО «Ромашка»", "Ромашка", "Филиал «Тверской»", "ИП Петров"])),
        "inn": inns,
        "kpp": draw(st.sampled_from([HEAD, BRANCH, None])),
        "city": draw(st.sampled_from(["Тверь", "Москва", None])),
        "parent": draw(st.sampled_from(["1", "2", None])),
    }


@st.composite
def history(draw: st.DrawFn) -> list[list[dict[str, Any]]]:
    """Full registers, one after the other."""
    return [
        [draw(company_of(str(key))) for key in range(1, 7) if draw(st.integers(0, 3))]
        for _ in range(draw(st.integers(2, 3)))
    ]


@pytest.mark.timeout(600)
@pytest.mark.searches
@pytest.mark.parametrize("grain", ["legal_entity", "establishment"])
@settings(max_examples=examples(2, 18), deadline=None, suppress_health_check=list(HealthCheck))
@given(story=history())
def test_any_history_ends_in_the_clients_and_relationships_of_one_run(
    tmp_path_factory: pytest.TempPathFactory, fresh_databases: FreshDatabases, grain: str, story: list[Any]
) -> None:
    ends = []
    for registers in (story, story[-1:]):
        with fresh_databases() as url:
            hub = Hub(tmp_path_factory.mktemp("hub"), url)
            member = "    relationships: {type: member_of, stream: companies, key: parent}\n  deals:"
            hub.configure("crm", COMPANIES.replace("  deals:", member))
            at(hub, grain)
            hub.write("crm_contacts", [{"id": "p", "name": "Петров Иван", "inn": SOLE_INN}])
            for register in registers:
                put(hub, "crm_companies", register)
            stated = hub.query(
                "SELECT record_id, from_record_id, to_record_id, type, role FROM core.relationship WHERE NOT is_deleted"
            )
            ends.append((hub.partition(), sorted(stated, key=str)))
    assert ends[0] == ends[1]


def test_a_run_without_news_writes_no_relationship(firms: Hub) -> None:
    from warehouse.connect import connect

    put(firms, "crm_companies", BRANCHES)
    with connect(firms.database_url, application_name="test") as conn:
        before, dump = row_versions(conn), canonical_dump(conn)
        firms.run()
        assert row_versions(conn) == before
        assert canonical_dump(conn) == dump
        # Records that are looked at again and are as they were write nothing either.
        conn.execute(
            "INSERT INTO ops.pending (step, record_id) SELECT 'publish', record_id FROM identity.standard_record"
        )
        firms.run()
        assert row_versions(conn) == before
