"""What registers have in common: counted once a week, and the clients behind every number."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import psycopg

from tests.integration.warehouse.hub_rows import NOW, assign, client, golden_row, party, rid, store_parties
from tests.integration.warehouse.test_golden_store import publish
from warehouse import overlap


def fill(conn: psycopg.Connection) -> None:
    """Three registers: 1 in crm only, 2 in crm and erp and at odds, 3 in all and agreed, 4 in shop, 5 a supplier."""

    def person(key: str, source: str, name: str) -> dict[str, object]:
        said = json.dumps({"full_name": [{"v": name}], "email": [{"v": f"{source}@example.org"}]})
        return party(key, name, source=source, attributes=said)

    store_parties(
        conn,
        [
            person("1", "crm", "anna"), person("2", "crm", "boris"), person("2", "erp", "bob"),
            person("3", "crm", "clara"), person("3b", "crm", "klara"), person("3", "erp", "klara"),
            person("3", "shop", "clara"), person("4", "shop", "dora"), {**person("5", "crm", "e"), "role": "supplier"},
        ],
    )  # fmt: skip
    links = {rid(k, s): client(int(k[0])) for k, s in [
        ("1", "crm"), ("2", "crm"), ("2", "erp"), ("3", "crm"), ("3b", "crm"), ("3", "erp"), ("3", "shop"),
        ("4", "shop"), ("5", "crm"),
    ]}  # fmt: skip
    assign(conn, links)

    def golden(number: int, name: str, *losers: str, role: str = "client") -> dict[str, object]:
        line = {"record_id": 1, "rule": "trust"} | ({"losers": [{"value": v} for v in losers]} if losers else {})
        attributes = json.dumps({"full_name": name, "email": ["x"]})
        lineage = json.dumps({"full_name": line, "email": {"rule": "all", "losers": [{"value": "x"}]}})
        return golden_row(client(number), name, attributes=attributes, lineage=lineage, role=role)

    entries = [golden(1, "anna"), golden(2, "boris", "bob"), golden(3, "clara", "klara"), golden(4, "dora"),
               golden(5, "e", role="supplier")]  # fmt: skip
    publish(conn, entries, [client(n) for n in range(1, 6)])


def test_each_pair_of_registers_says_whom_it_has_in_common(conn: psycopg.Connection) -> None:
    fill(conn)
    overlap.count(conn, at=NOW)
    found = {(p.register_a, p.register_b): (p.only_a, p.only_b, p.in_both, p.in_conflict) for p in overlap.pairs(conn)}
    # Clara is clara and klara in the CRM, so that only the shop and the ERP are at odds about her.
    assert found == {("crm", "erp"): (1, 0, 2, 1), ("crm", "shop"): (2, 1, 1, 0), ("erp", "shop"): (1, 1, 1, 1)}
    combinations = {tuple(one.registers): one.clients for one in overlap.combinations(conn)}
    assert combinations == {("crm",): 1, ("crm", "erp"): 1, ("crm", "erp", "shop"): 1, ("shop",): 1}


def test_the_clients_behind_each_number_are_as_many_as_it_says(conn: psycopg.Connection) -> None:
    fill(conn)
    overlap.count(conn, at=NOW)
    for pair in overlap.pairs(conn):
        counts = {
            state: len(overlap.clients(conn, pair.register_a, pair.register_b, state, limit=99))
            for state in overlap.STATES
        }
        assert counts == {
            "only_a": pair.only_a, "only_b": pair.only_b, "both": pair.in_both, "conflict": pair.in_conflict,
        }  # fmt: skip
    (row,) = overlap.clients(conn, "crm", "erp", "conflict", limit=99)
    assert (row["client_id"], row["conflicting"]) == (client(2), ["full_name"])


def test_a_second_count_of_the_week_replaces_the_first_and_another_week_stands_beside_it(
    conn: psycopg.Connection,
) -> None:
    fill(conn)
    overlap.count(conn, at=NOW - timedelta(days=7))
    overlap.count(conn, at=NOW)
    assign(conn, {rid("2", "erp"): None})
    overlap.count(conn, at=NOW)
    weeks = [(p.week_on, p.in_both, p.is_latest) for p in overlap.pairs(conn) if p.register_b == "erp"]
    assert weeks == [(date(2026, 2, 16), 2, False), (date(2026, 2, 23), 1, True)]
    assert overlap.is_counted(conn, NOW)
    assert not overlap.is_counted(conn, NOW + timedelta(days=2))


def test_some_clients_of_a_number_are_shown_without_counting_and_none_that_has_moved(conn: psycopg.Connection) -> None:
    fill(conn)

    def some(register: str, other: str, *, both: bool) -> set[str]:
        rows = overlap.some_clients(conn, register, other, is_in_both=both, limit=50)
        return {row["client_id"] for row in rows}

    assert some("crm", "erp", both=True) == set()  # nobody has counted
    overlap.count(conn, at=NOW)
    assert some("crm", "erp", both=True) == some("erp", "crm", both=True) == {client(2), client(3)}
    assert some("crm", "erp", both=False) == {client(1)} and some("erp", "crm", both=False) == set()
    assert some("shop", "erp", both=False) == {client(4)}
    assign(conn, {rid("2", "erp"): None})
    assert some("crm", "erp", both=True) == {client(3)}
    # What an older version counted is counted again, once.
    conn.execute("UPDATE ops.register_combination SET examples = NULL")
    assert not overlap.is_counted(conn, NOW) and some("crm", "erp", both=True) == set()


def test_a_week_begins_on_monday_in_utc() -> None:
    assert overlap.week_of(datetime(2026, 3, 1, 23, tzinfo=UTC)) == date(2026, 2, 23)
    assert overlap.week_of(datetime(2026, 3, 2, 0, tzinfo=UTC)) == date(2026, 3, 2)
