"""Interactions with lines, promises, parents and amounts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from onefold.mapping import StreamMapper
from tests.unit.onefold.mapping.conftest import row
from warehouse.keys import record_id

Mappers = Callable[..., dict[str, StreamMapper]]

ORDERS = """\
  main:
    as: interaction
    key: no
    type: {when: kind, O: sales_order, Q: quote}
    party: {stream: customers, key: customer}
    occurred_at: [closed, opened]
    amount: {value: total, currency: cur}
    document_number: no
    summary: "Order {no} of {customer}"
    channel: web
    direction: way
    url: "https://erp.example/o/{key}"
    parent: {stream: main, key: parent}
    reverses: {stream: main, key: takes_back}
    promise:
      - {kind: delivery_date, due: promised, actual: delivered}
      - {kind: answer, due_value: sla}
    lines: {each: "items[]", item_code: sku, item_name: title, quantity: qty, unit: {constant: pcs}, unit_price: price, amount: sum}
    detail: {stage: stage, deep: a.b, number: n, choice: {when: kind, O: ordered}}
  customers: {as: person, key: id, fields: {full_name: name}}
"""
ORDER: dict[str, Any] = {
    "no": "A/1", "kind": "O", "customer": 7, "opened": "2026-01-31 10:05", "closed": None, "total": "1 234,50", "cur": "EUR",
    "way": "outbound", "parent": "A/0", "promised": "2026-02-10", "delivered": "12.02.2026", "sla": "4h",
    "items": [
        {"sku": "X1", "title": "Pump", "qty": 2, "price": "500,00", "sum": "1 000,00"},
        {"sku": None, "title": "Hose", "qty": "0.5", "price": "x", "sum": 234.5},
    ],
    "stage": "won", "a": {"b": [1, 2]}, "n": 1.5,
}  # fmt: skip


def test_an_order_is_mapped_whole(mappers: Mappers) -> None:
    mapped = mappers(ORDERS)["main"].map_batch([row(ORDER, "A/1")])
    (found,) = mapped.interactions.to_pylist()
    assert len(found.pop("content_hash")) == 36
    assert json.loads(found.pop("detail")) == {
        "stage": "won",
        "deep": [1, 2],
        "number": 1.5,
        "choice": "ordered",
    }
    assert found == {
        "record_id": record_id("crm", "main", "A/1"), "source": "crm", "stream": "main", "source_key": "A/1",
        "type": "sales_order", "party_record_id": record_id("crm", "customers", "7"),
        "occurred_at": datetime(2026, 1, 31, 7, 5, tzinfo=UTC), "occurred_on": date(2026, 1, 31),
        "time_zone": "Europe/Moscow", "precision": "minute", "channel": "web", "direction": "outbound",
        "document_number": "A/1", "summary": "Order A/1 of 7", "amount": "1234.50", "currency": "EUR",
        "parent_record_id": record_id("crm", "main", "A/0"), "reverses_record_id": None,
        "url": "https://erp.example/o/A%2F1",
    }  # fmt: skip
    lines = [tuple(line.values())[1:] for line in mapped.lines.to_pylist()]
    assert lines == [
        (1, "X1", "Pump", "2", "pcs", "500.00", "1000.00"),
        (2, None, "Hose", "0.5", "pcs", None, "234.5"),
    ]
    promises = [tuple(promise.values())[1:] for promise in mapped.promises.to_pylist()]
    assert promises == [
        ("delivery_date", date(2026, 2, 10), date(2026, 2, 12), None, None),
        ("answer", None, None, "4h", None),
    ]
    assert [(r.reason, r.path, r.is_partial) for r in mapped.rejects] == [
        ("unreadable-amount", "lines[2].unit_price", True)
    ]
    assert mapped.repairs["decimal comma"] == 3


def one(mappers: Mappers, **changes: Any) -> tuple[dict[str, Any] | None, list[tuple[str, str, bool]]]:
    mapped = mappers(ORDERS)["main"].map_batch([row({**ORDER, "items": [], **changes}, "A/1")])
    rows = mapped.interactions.to_pylist()
    return (rows[0] if rows else None), [(r.reason, r.path, r.is_partial) for r in mapped.rejects]


def test_an_unreadable_time_keeps_the_record_out(mappers: Mappers) -> None:
    assert one(mappers, opened="soon") == (None, [("unreadable-date", "occurred_at", False)])
    assert one(mappers, opened="0000-00-00") == (None, [("absurd-date", "occurred_at", False)])


def test_an_unknown_type_keeps_the_record_out(mappers: Mappers) -> None:
    assert one(mappers, kind="Z") == (None, [("unknown-type", "type", False)])


def test_an_absent_time_leaves_the_time_open(mappers: Mappers) -> None:
    found, rejects = one(mappers, opened="")
    assert found is not None
    assert (found["occurred_at"], found["occurred_on"], found["precision"], rejects) == (None, None, None, [])


def test_a_date_alone_has_the_precision_of_a_day(mappers: Mappers) -> None:
    found, _ = one(mappers, opened="2026-01-31T00:00:00")
    assert found is not None
    assert (found["precision"], found["occurred_on"]) == ("day", date(2026, 1, 31))


def test_an_unreadable_amount_is_left_out_alone(mappers: Mappers) -> None:
    found, rejects = one(mappers, total="a lot")
    assert found is not None
    assert (found["amount"], found["currency"]) == (None, None)
    assert rejects == [("unreadable-amount", "amount.value", True)]


def test_the_default_currency_stands_in(mappers: Mappers) -> None:
    found, rejects = one(mappers, cur=None)
    assert found is not None
    assert (found["currency"], rejects) == ("RUB", [])
    found, rejects = one(mappers, cur="roubles")
    assert rejects == [("unreadable-currency", "amount.currency", True)]


def test_the_types_direction_stands_in_for_an_unknown_one(mappers: Mappers) -> None:
    found, rejects = one(mappers, way="sideways")
    assert found is not None
    assert (found["direction"], rejects) == ("inbound", [("unknown-direction", "direction", True)])


def test_an_interaction_without_a_party_is_kept(mappers: Mappers) -> None:
    found, rejects = one(mappers, customer=None)
    assert found is not None
    assert (found["party_record_id"], rejects) == (None, [])


@pytest.mark.parametrize(
    "change", [{"stage": "lost"}, {"items": [{"sku": "Y"}]}, {"promised": "2026-02-11"}, {"total": "1"}]
)
def test_the_content_hash_covers_columns_lines_and_promises(mappers: Mappers, change: dict[str, Any]) -> None:
    before, _ = one(mappers)
    after, _ = one(mappers, **change)
    assert before is not None
    assert after is not None
    assert before["content_hash"] != after["content_hash"]
    assert one(mappers)[0] == before


def test_lines_may_be_plain_values_or_one_object(mappers: Mappers) -> None:
    text = ORDERS.replace('each: "items[]", item_code: sku', 'each: "items[]", item_code: $').replace("title: ", "t: ")
    mapped = mappers(text.replace("item_name: title, ", ""))["main"].map_batch([row({**ORDER, "items": ["A", "B"]})])
    assert [line["item_code"] for line in mapped.lines.to_pylist()] == ["A", "B"]


def test_a_party_may_stand_in_another_source(mappers: Mappers, tmp_path: Any) -> None:
    (tmp_path / "config" / "sources").mkdir(parents=True)
    other = "source: erp\nconnector: files\nstreams: {c: {as: person, key: id, fields: {full_name: n}}}\n"
    (tmp_path / "config" / "sources" / "erp.yaml").write_text(other)
    text = "  main: {as: interaction, key: id, type: invoice, party: {source: erp, stream: c, key: c}, amount: {value: v, currency: USD}}\n"
    mapped = mappers(text)["main"].map_batch([row({"c": 9, "v": 1})])
    (found,) = mapped.interactions.to_pylist()
    assert (found["party_record_id"], found["currency"]) == (record_id("erp", "c", "9"), "USD")


def test_a_deal_belongs_to_its_company_or_else_to_its_contact(mappers: Mappers) -> None:
    deals = """\
  main:
    as: interaction
    key: id
    type: sales_deal
    party: [{stream: companies, key: company | nonzero}, {stream: contacts, key: contact}]
    amount: {value: sum | cents}
  companies: {as: organisation, key: id, fields: {legal_name: name}}
  contacts: {as: person, key: id, fields: {full_name: name}}
"""
    of_both, of_a_contact, of_nobody = ({"company": 3, "contact": 4}, {"company": 0, "contact": 4}, {"company": "0"})
    rows = [
        row({**one, "sum": 150050}, key) for key, one in zip("123", (of_both, of_a_contact, of_nobody), strict=True)
    ]
    found = mappers(deals)["main"].map_batch(rows).interactions.to_pylist()
    company, contact = record_id("crm", "companies", "3"), record_id("crm", "contacts", "4")
    assert [one["party_record_id"] for one in found] == [company, contact, None]
    assert [str(one["amount"]) for one in found] == ["1500.50"] * 3


def test_a_link_names_its_record_by_what_follows_the_last_slash(mappers: Mappers) -> None:
    orders = """\
  main: {as: interaction, key: id, type: sales_order, party: {stream: customers, key: 'agent.meta.href | tail "/"'}}
  customers: {as: person, key: id, fields: {full_name: name}}
"""
    agent = {"meta": {"href": "https://erp.example/entity/counterparty/c1"}}
    (found,) = mappers(orders)["main"].map_batch([row({"id": 1, "agent": agent}, "1")]).interactions.to_pylist()
    assert found["party_record_id"] == record_id("crm", "customers", "c1")


def test_an_amount_may_be_a_sum_or_the_first_value_that_is_filled(mappers: Mappers) -> None:
    text = """\
  main:
    as: interaction
    key: no
    type: payment
    amount: {value: {sum: [cash, transfer, "checks[].sum"]}}
  quotes:
    as: interaction
    key: no
    type: quote
    amount: {value: [foreign | nonzero, local], currency: cur}
"""
    streams = mappers(text)

    def amount(stream: str, payload: dict[str, Any]) -> tuple[Any, Any]:
        mapped = streams[stream].map_batch([row(payload, stream=stream)])
        found = mapped.interactions.to_pylist()[0]
        return None if found["amount"] is None else str(found["amount"]), found["currency"]

    paid = {"cash": 0.1, "transfer": "1 000,20", "checks": [{"sum": 5}, {"sum": None}, {"sum": "0.7"}]}
    assert amount("main", paid) == ("1006.00", "RUB")
    assert amount("main", {"cash": None, "checks": []}) == (None, None)
    assert amount("quotes", {"foreign": 0.0, "local": 119.0, "cur": "EUR"}) == ("119.0", "EUR")
    assert amount("quotes", {"foreign": 130.5, "local": 119.0, "cur": "USD"}) == ("130.5", "USD")
    unreadable = streams["main"].map_batch([row({"cash": "x", "transfer": 5})])
    assert [(one.reason, one.path) for one in unreadable.rejects] == [("unreadable-amount", "amount.value")]
    assert unreadable.interactions.to_pylist()[0]["amount"] is None


BERLIN = "source: crm\nconnector: files\ndefaults: {country: DE, timezone: Europe/Berlin, currency: EUR}\nstreams:\n"


@pytest.mark.parametrize(
    ("written", "at", "on", "precision"),
    [
        # the night in which an hour is skipped, and what stands around it
        ("2026-03-29T00:30:00Z", datetime(2026, 3, 29, 0, 30, tzinfo=UTC), date(2026, 3, 29), "second"),
        ("2026-03-29 01:59", datetime(2026, 3, 29, 0, 59, tzinfo=UTC), date(2026, 3, 29), "minute"),
        ("2026-03-29 02:30", datetime(2026, 3, 29, 1, 30, tzinfo=UTC), date(2026, 3, 29), "minute"),
        ("2026-03-29 03:00", datetime(2026, 3, 29, 1, 0, tzinfo=UTC), date(2026, 3, 29), "minute"),
        # the night in which an hour comes twice
        ("2026-10-25 02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), date(2026, 10, 25), "minute"),
        ("2026-10-25T02:30:00+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC), date(2026, 10, 25), "second"),
        # a date alone is its local midnight, on either side of the change
        ("2026-03-29", datetime(2026, 3, 28, 23, tzinfo=UTC), date(2026, 3, 29), "day"),
        ("2026-10-26", datetime(2026, 10, 25, 23, tzinfo=UTC), date(2026, 10, 26), "day"),
        ("31.12.2026", datetime(2026, 12, 30, 23, tzinfo=UTC), date(2026, 12, 31), "day"),
        # late in the evening elsewhere is the next day here
        ("2026-07-01T23:30:00Z", datetime(2026, 7, 1, 23, 30, tzinfo=UTC), date(2026, 7, 2), "second"),
        ("2026-07-01T23:30:00-05:00", datetime(2026, 7, 2, 4, 30, tzinfo=UTC), date(2026, 7, 2), "second"),
    ],
)
def test_the_day_is_the_source_s_own_also_when_clocks_change(
    mappers: Mappers, written: str, at: datetime, on: date, precision: str
) -> None:
    stream = "  main: {as: interaction, key: id, type: call, occurred_at: at}\n"
    (found,) = mappers(stream, BERLIN)["main"].map_batch([row({"id": 1, "at": written})]).interactions.to_pylist()
    assert (found["occurred_at"], found["occurred_on"], found["precision"]) == (at, on, precision)
    assert found["time_zone"] == "Europe/Berlin"
