"""What people look at: a client, a record's trace, the status, overlaps, search."""

from __future__ import annotations

import json
from datetime import date

import psycopg
import pytest

from tests.integration.warehouse.hub_rows import (
    assign,
    client,
    golden_row,
    identifier,
    interaction,
    party,
    review_case,
    rid,
    rows,
    store_interactions,
    store_parties,
)
from tests.integration.warehouse.test_golden_store import publish, refresh
from warehouse import case_queue, queries, shapes, standard
from warehouse.sql import sql

A, B = client(1), client(2)


@pytest.fixture
def hub(conn: psycopg.Connection) -> psycopg.Connection:
    """Anna in CRM and ERP, Bob in the CRM only; Anna ordered twice."""
    store_parties(
        conn,
        [party("1"), party("2", "bob"), party("C1", source="erp")],
        [identifier("1", "email", "anna@example.org"), identifier("1", "phone", "+79165550101"),
         identifier("2", "inn", "500100732259"),
         identifier("2", "email", "anna@example.org", is_valid=False)],
    )  # fmt: skip
    store_interactions(conn, interaction("o1", "1"), interaction("o2", "1", "4.50"))
    employment = {
        "record_id": rid("1"),
        "from_record_id": rid("1"),
        "to_record_id": rid("2"),
        "type": "works_at",
    }
    standard.store_relationships(conn, rows(shapes.RELATIONSHIP, [employment]), [rid("1")])
    case = review_case([rid("1"), rid("2")], 4000, {}) | {"fingerprint": client(99), "impact": 3}
    assign(
        conn,
        {rid("1"): A, rid("2"): B, rid("C1", "erp"): A},
        ("mint", A, None),
        ("mint", B, None),
        cases=[case],
    )
    publish(conn, [golden_row(A, "Anna Kern"), golden_row(B, "Bob Müller")], [A, B])
    refresh(conn, rid("1"), rid("2"))
    return conn


def test_a_client_s_whole_story(hub: psycopg.Connection) -> None:
    found = queries.client_view(hub, A)
    assert found is not None
    assert found["display_name"] == "Anna Kern"
    assert [(r["source"], r["source_key"]) for r in found["records"]] == [("crm", "1"), ("erp", "C1")]
    assert {i["source_key"]: i["amount"] for i in found["interactions"]} == {"o1": "10.50", "o2": "4.50"}
    assert found["totals"][0]["amount"] == "15.00"
    assert [(r["type"], r["direction"], r["client_id"]) for r in found["relationships"]] == [("works_at", "to", B)]
    assert len(found["cases"]) == 1
    assert len(queries.client_view(hub, A, limit=1)["interactions"]) == 1  # type: ignore[index]
    json.dumps(found)


def test_a_merged_away_id_answers_with_its_survivor_and_an_unknown_one_with_nothing(
    hub: psycopg.Connection,
) -> None:
    assign(hub, {rid("2"): A}, ("redirect", B, A))
    found = queries.client_view(hub, B)
    assert found is not None
    assert (found["asked_for"], found["client_id"], found["former_ids"]) == (B, A, [B])
    assert queries.client_view(hub, client(404)) is None


def test_ids_that_were_merged_one_into_another_all_answer_with_the_last_survivor(hub: psycopg.Connection) -> None:
    assign(hub, {rid("2"): A}, ("redirect", B, A))
    assign(hub, {}, ("mint", client(7), None), ("redirect", client(7), B), ("retire", client(8), None))
    found = queries.client_view(hub, A)
    assert found is not None
    assert found["former_ids"] == sorted([B, client(7)])


def test_the_trace_of_a_record_shows_every_stage(hub: psycopg.Connection) -> None:
    found = queries.trace(hub, rid("1"))
    assert found is not None
    assert found["raw"]["source_key"] == "1"
    assert found["standard_record"]["columns"]["full_name"] == "anna"
    assert found["crosswalk"]["client_id"] == A
    assert len(found["identifiers"]) == 2
    assert len(found["cases"]) == 1
    assert {entry["step"] for entry in found["pending"]} == {"standardise", "publish"}
    json.dumps(found)
    fact = queries.trace(hub, rid("o1", "erp", "orders"))
    assert fact is None  # the interaction's raw record was never landed here
    assert queries.trace(hub, 404) is None


@pytest.mark.parametrize(
    ("text", "names", "why"),
    [
        ("anna@example.org", ["Anna Kern"], "email"),
        ("ANNA@example.org", ["Anna Kern"], "email"),
        ("8 (916) 555-01-01", ["Anna Kern"], "phone"),
        ("+79165550101", ["Anna Kern"], "phone"),
        ("500100732259", ["Bob Müller"], "inn"),
        ("erp:contacts:C1", ["Anna Kern"], "source key"),
        ("C1", ["Anna Kern"], "source key"),
        ("müller", ["Bob Müller"], "name"),
        ("Müller  Bob", ["Bob Müller"], "name"),
        ("Bob Müller", ["Bob Müller"], "name"),
        (A, ["Anna Kern"], "client id"),
        ("nobody", [], None),
        ("%", [], None),
        (" ", [], None),
    ],
)
def test_clients_are_found_by_what_people_have_at_hand(
    hub: psycopg.Connection, text: str, names: list[str], why: str | None
) -> None:
    found = queries.find_clients(hub, text)
    assert [row["display_name"] for row in found] == names
    assert all(row["why"] == why for row in found)


def test_the_status_counts_what_there_is_and_what_waits(hub: psycopg.Connection) -> None:
    found = queries.status(hub)
    assert (found["clients"], found["records"], found["interactions"], found["open_cases"]) == (2, 3, 2, 1)
    assert {(s["source"], s["records"]) for s in found["streams"]} == {("crm", 2), ("erp", 1)}
    assert found["queues"]["standardise"] == 3
    json.dumps(found)


def test_the_registers_overlap(hub: psycopg.Connection) -> None:
    assert queries.register_overlap(hub) == [
        {"left_source": "crm", "right_source": "erp", "only_left": 1, "only_right": 0, "both": 1}
    ]
    assert queries.source_counts(hub) == [
        {"source": "crm", "records": 2, "clients": 2, "only_here": 1},
        {"source": "erp", "records": 1, "clients": 1, "only_here": 0},
    ]
    (case,), _ = case_queue.page(hub, case_queue.CaseFilter(date(2026, 3, 1)), limit=5)
    assert [r["source_key"] for r in case["records"]] == ["1", "2"]


def test_cases_are_found_by_a_source_of_their_records_noted_or_not(hub: psycopg.Connection) -> None:
    def of(source: str) -> int:
        return case_queue.count(hub, case_queue.CaseFilter(date(2026, 3, 1), source=source))

    assert [of(source) for source in ("crm", "erp")] == [1, 0]
    hub.execute(sql("resolution.note_sources"), {"most": 10})
    assert hub.execute("SELECT sources FROM identity.review_case").fetchall() == [(["crm"],)]
    assert [of(source) for source in ("crm", "erp")] == [1, 0]
