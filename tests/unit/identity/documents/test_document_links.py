"""Links of documents as pure functions: what speaks for a pair, one to one, sums, counting."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from identity.documents.columns import columns_of, significant_digits, with_tax
from identity.documents.counting import events_of
from identity.documents.evidence import size_class
from identity.documents.instalments import instalments, not_collective
from identity.documents.link import link
from identity.documents.matching import best_first
from identity.documents.open_papers import open_papers
from identity.documents.schema import DOCUMENT, RELATED, SAID, SOLD, VOID, Register, Registers
from identity.documents.settings import DocumentSettings

DEALS, ORDERS, INVOICES, PAYMENTS, NET = range(5)
REGISTERS = Registers(
    (
        Register("crm", "sales_deal", "quoted", None, 4),
        Register("erp", "sales_order", "ordered", "gross", 3),
        Register("accounting", "invoice", "invoiced", "gross", 0),
        Register("accounting", "payment", "paid", "gross", 5),
        Register("shop", "web_order", "ordered", "net", 2),
    )
)
NOBODY = SAID.empty_table()
STRANGERS = RELATED.empty_table()


def doc(record: int, register: int, day: int, amount: float | None, **more: Any) -> dict[str, Any]:
    row = dict.fromkeys(DOCUMENT.names) | {"record_id": record, "register": register, "day": day, "state": 0}
    units = None if amount is None else round(amount * 10_000)
    return row | {"amount": units, "currency": "RUB", "client": 1} | more


def linked(*documents: dict[str, Any], said: pa.Table = NOBODY, related: pa.Table = STRANGERS, **settings: Any) -> Any:
    """Pairs of records by kind, of those that are linked, and all links as rows."""
    table = pa.Table.from_pylist(list(documents), schema=DOCUMENT)
    found = link(table, REGISTERS, said, related, DocumentSettings(**settings)).to_pylist()
    return {(r["left_record_id"], r["right_record_id"]) for r in found if r["status"] == "linked"}, found


def test_an_amount_says_the_more_the_more_digits_it_has_and_the_fewer_share_it() -> None:
    round_, exact = (linked(doc(1, ORDERS, 0, a), doc(2, INVOICES, 0, a))[1][0]["bits"] for a in (5000, 5123.45))
    assert exact > round_
    many = [doc(10 + n, ORDERS, 1, 5123.45) for n in range(6)]
    crowded = linked(doc(1, ORDERS, 0, 5123.45), doc(2, INVOICES, 0, 5123.45), *many)[1]
    assert max(row["bits"] for row in crowded) < exact


def test_amounts_equal_but_for_the_tax_are_found() -> None:
    pairs, rows = linked(doc(1, NET, 0, 1234.57), doc(2, INVOICES, 1, 1481.48))
    assert pairs == {(1, 2)}
    assert "amount:net" in {one["finding"] for one in json.loads(rows[0]["evidence"])}
    assert linked(doc(1, NET, 0, 1234.57), doc(2, INVOICES, 1, 1481.48), tax_rates=["0.07"])[0] == set()


def test_other_currencies_and_other_days_are_other_events() -> None:
    assert linked(doc(1, ORDERS, 0, 5123.45), doc(2, INVOICES, 0, 5123.45, currency="EUR"))[0] == set()
    assert linked(doc(1, ORDERS, 0, 5123.45), doc(2, INVOICES, 63, 5123.45))[0] == set()
    assert linked(doc(1, ORDERS, 0, 5123.45), doc(2, INVOICES, 63, 5123.45), lag_days={"ordered-invoiced": (0, 70)})[0]


def test_a_number_links_where_amounts_differ() -> None:
    number = "SO-2026-00017"
    assert linked(doc(1, ORDERS, 0, 100, number=number), doc(2, DEALS, 0, 90, number="so 2026/00017"))[0] == {(1, 2)}


def test_one_of_a_book_is_linked_and_the_nearest_one() -> None:
    pairs, _ = linked(doc(1, ORDERS, 10, 5123.45), doc(2, ORDERS, 2, 5123.45), doc(3, INVOICES, 3, 5123.45))
    assert pairs == {(2, 3)}


def test_what_a_register_states_joins_several_of_a_book() -> None:
    pairs, _ = linked(
        doc(1, ORDERS, 0, 300),
        doc(2, INVOICES, 1, 100, parent_record_id=1),
        doc(3, INVOICES, 2, 200, parent_record_id=1),
    )
    assert pairs == {(1, 2), (1, 3)}


def test_people_go_before_evidence_and_statements() -> None:
    said = pa.table({"left_record_id": [1, 1], "right_record_id": [2, 3], "is_same": [False, True]}, schema=SAID)
    pairs, _ = linked(
        doc(1, ORDERS, 0, 5123.45), doc(2, INVOICES, 0, 5123.45, parent_record_id=1), doc(3, INVOICES, 0, 7), said=said
    )
    assert pairs == {(1, 3)}


def test_strangers_pay_less_than_relatives() -> None:
    documents = doc(1, INVOICES, 0, 1234), doc(2, PAYMENTS, 5, 1234, client=2)
    assert linked(*documents, weights={"client_differs": -8})[0] == set()
    group = pa.table({"left": [2], "right": [1]}, schema=RELATED)
    assert linked(*documents, related=group, weights={"client_differs": -8})[0] == {(1, 2)}


def test_one_payment_pays_for_one_invoice() -> None:
    invoices = [doc(n, INVOICES, n, 5123.45) for n in (1, 2)]
    _, rows = linked(*invoices, doc(5, PAYMENTS, 3, 5123.45))
    assert [row["amount"] for row in rows if row["kind"] == "settles" and row["status"] == "linked"] == [51_234_500]


def test_payments_add_up_and_events_are_counted_once() -> None:
    documents = [
        doc(1, DEALS, 0, 1000.01, state=SOLD),
        doc(2, INVOICES, 1, 1000.01),
        doc(3, PAYMENTS, 5, 400),
        doc(4, PAYMENTS, 6, 600.01),
        doc(5, PAYMENTS, 6, 17),
        doc(6, ORDERS, 6, 55, state=VOID),
        doc(7, DEALS, 6, 66.5),
    ]
    table = pa.Table.from_pylist(documents, schema=DOCUMENT)
    links = link(table, REGISTERS, NOBODY, STRANGERS, DocumentSettings())
    columns = columns_of(table, REGISTERS)
    papers = open_papers(columns, links, REGISTERS)
    assert sorted(papers["record_id"].to_pylist()) == [2, 3, 4, 5]
    sums = instalments(papers, REGISTERS, NOBODY, DocumentSettings(), not_collective(columns))
    assert {(row["left_record_id"], row["right_record_id"]) for row in sums.to_pylist()} == {(2, 3), (2, 4)}
    found = {row["record_id"]: row for row in events_of(table, pa.concat_tables([links, sums]), REGISTERS).to_pylist()}
    assert [found[n]["event_id"] for n in (1, 2, 3, 4, 5)] == [1, 1, 1, 1, 5]
    assert [n for n, row in found.items() if row["is_counted"]] == [2, 3, 4, 5]
    assert (found[1]["counted_by"], found[6]["counted_by"], found[7]["counted_by"]) == (2, None, None)


def test_the_order_of_documents_does_not_matter() -> None:
    rng = Random(3)
    documents = [
        doc(n, rng.choice((DEALS, ORDERS, INVOICES, PAYMENTS)), rng.randrange(40), rng.choice((10.5, 99.99, 1234.5)),
            client=rng.randrange(3))
        for n in range(60)
    ]  # fmt: skip
    first = linked(*documents)[1]
    rng.shuffle(documents)
    assert linked(*documents)[1] == first


def test_greedy_by_columns_is_greedy_one_by_one() -> None:
    rng = np.random.default_rng(1)
    left, right = rng.integers(0, 30, 200), rng.integers(0, 30, 200)
    taken, used_left, used_right = [], set(), set()
    for at, (one, other) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        if one not in used_left and other not in used_right:
            taken.append(at)
            used_left.add(one)
            used_right.add(other)
    assert best_first(left, right, 30).tolist() == taken


def test_small_arithmetic() -> None:
    assert significant_digits(np.array([12_500_000, 51_234_500, 0, -70_000])).tolist() == [3, 6, 1, 1]
    assert with_tax(np.array([12_345_700, -12_345_700]), 2_000).tolist() == [14_814_800, -14_814_800]
    assert (size_class(10), size_class(8192), size_class(10_000_000)) == (13, 13, 24)


def test_settings_name_what_is_wrong() -> None:
    with pytest.raises(ValidationError, match="ordered-invoiced"):
        DocumentSettings(lag_days={"order-invoice": (0, 1)})
    with pytest.raises(ValidationError, match="within a year"):
        DocumentSettings(lag_days={"same": (5, 1)})
