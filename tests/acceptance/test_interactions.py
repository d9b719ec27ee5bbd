"""Interactions of every department: a type that only YAML declares, and what comes with it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tests.support.hub import Hub

TYPES = """
interactions:
  inspection:
    department: service
    labels: {en: Inspection, ru: Осмотр}
    detail:
      verdict: {type: text, labels: {en: Verdict, ru: Заключение}}
      score: number
      next_on: date
"""
SERVICE = """
source: service
department: service
connector: files
settings: {}
defaults: {country: RU, timezone: Europe/Moscow}
streams:
  inspections:
    as: interaction
    type: inspection
    key: id
    options: {path: data/inspections.jsonl}
    party: {source: erp, stream: customers, key: customer}
    occurred_at: at
    lines: {each: "parts[]", item_code: code, item_name: name, quantity: n, unit: unit}
    detail: {verdict: verdict, score: score, next_on: next}
"""


def inspect(hub: Hub) -> None:
    """A register of inspections beside the CRM and the ERP."""
    (hub.folder / "config" / "interactions.yaml").write_text(TYPES, encoding="utf-8")
    hub.configure("service", SERVICE)
    hub.write(
        "inspections",
        [
            {"id": "I1", "customer": "C1", "at": "2026-03-02", "verdict": "worn", "score": "3,5", "next": "01.09.2026",
             "parts": [{"code": "S", "name": "Seal", "n": "2", "unit": "pcs"}, {"code": "R", "name": "Rotor", "n": 1}]},
            {"id": "I2", "customer": "C2", "at": "2026-03-03", "verdict": "good"},
        ],
    )  # fmt: skip


def test_a_type_declared_in_yaml_brings_its_view_its_lines_and_its_place_in_the_timeline(ready_hub: Hub) -> None:
    from onefold.steps.client import client

    inspect(ready_hub)
    ready_hub.run()
    assert ready_hub.query(
        "SELECT verdict, score, next_on FROM onefold_v1.fct_inspection WHERE NOT is_deleted ORDER BY source_key"
    ) == [("worn", Decimal("3.5"), date(2026, 9, 1)), ("good", None, None)]
    assert ready_hub.query("SELECT item_code, quantity, unit FROM onefold_v1.fct_inspection_line ORDER BY position") == [
        ("S", Decimal(2), "pcs"), ("R", Decimal(1), None)
    ]  # fmt: skip
    with ready_hub.context() as context:
        view = client(context, "erp:customers:C1")
    (found,) = [i for i in view["interactions"] if i["type"] == "inspection"]
    assert (found["label_ru"], found["department"]) == ("Осмотр", "service")
    ready_hub.has_nothing_to_do()


BANK = """
source: bank
connector: files
settings: {}
defaults: {currency: RUB}
streams:
  rates:
    as: rate
    key: [code, day]
    options: {path: data/rates.jsonl, mode: append}
    rate: {from: code, on: day, value: rate, nominal: nominal}
"""


def reported(hub: Hub) -> list[tuple[object, ...]]:
    return hub.query(
        "SELECT source_key, reporting_amount, rate, rate_on FROM onefold_v1.fct_interaction"
        " WHERE stream = 'orders' AND NOT is_deleted ORDER BY source_key"
    )


def test_amounts_are_reported_at_rates_that_come_from_a_source_also_late(ready_hub: Hub) -> None:
    from onefold.steps.status import status

    hub = ready_hub
    (hub.folder / "config" / "hub.yaml").write_text("reporting_currency: RUB\n", encoding="utf-8")
    text = (hub.folder / "config" / "sources" / "erp.yaml").read_text("utf-8")
    hub.configure("erp", text.replace("amount: {value: total}", "amount: {value: total, currency: cur}"))
    hub.registers["erp_orders"] = [
        {"no": "SO-1", "customer": "C1", "date": "2026-02-02", "total": "1500.50"},
        {"no": "SO-2", "customer": "C2", "date": "2026-02-05", "total": "20.00", "cur": "EUR"},
        {"no": "SO-3", "customer": "C2", "date": "2026-02-06", "total": "1000", "cur": "JPY"},
    ]
    hub.write("erp_orders")
    hub.run()
    assert reported(hub) == [
        ("SO-1", Decimal("1500.50"), 1, date(2026, 2, 2)), ("SO-2", None, None, None), ("SO-3", None, None, None)
    ]  # fmt: skip
    with hub.context() as context:
        assert [(row["currency"], row["interactions"]) for row in status(context)["missing_rates"]] == [
            ("EUR", 1), ("JPY", 1)
        ]  # fmt: skip
    hub.configure("bank", BANK)
    stated = [
        {"code": "EUR", "day": "2026-02-04", "rate": "92,3456"},
        {"code": "JPY", "day": "2026-02-06", "rate": "59,00", "nominal": 100},
    ]
    hub.write("rates", stated)
    hub.run()
    filled = [
        ("SO-1", Decimal("1500.50"), Decimal(1), date(2026, 2, 2)),
        ("SO-2", Decimal("1846.91"), Decimal("92.3456"), date(2026, 2, 4)),
        ("SO-3", Decimal("590.00"), Decimal("0.59"), date(2026, 2, 6)),
    ]
    assert reported(hub) == filled
    with hub.context() as context:
        assert status(context)["missing_rates"] == []
    hub.write("rates", [*stated, {"code": "EUR", "day": "2026-02-05", "rate": "99"}])
    hub.run()
    assert reported(hub) == filled
    hub.has_nothing_to_do()


def test_departments_promises_and_items_are_told(ready_hub: Hub) -> None:
    from onefold.steps.client import client

    hub = ready_hub
    inspect(hub)
    text = (hub.folder / "config" / "sources" / "service.yaml").read_text("utf-8")
    hub.configure("service", text + "    promise: {kind: repair, due: due, actual: done}\n")
    seal = {"code": "S", "name": "Seal", "n": "2", "unit": "pcs"}
    hub.write(
        "inspections",
        [
            {"id": "I1", "customer": "C1", "at": "2026-02-02", "due": "2026-02-05", "done": "2026-02-07", "parts": [seal]},
            {"id": "I2", "customer": "C1", "at": "2026-02-03", "due": "2026-02-05", "done": "2026-02-05",
             "parts": [{**seal, "name": "Seal, red"}, {"name": "Oil"}]},
            {"id": "I3", "customer": "C1", "at": "2026-02-04", "due": "2026-02-05"},
            {"id": "I4", "customer": "C1", "at": "2026-02-04", "due": "2199-02-05"},
        ],
    )  # fmt: skip
    hub.run()
    promises = hub.query("SELECT outcome, days_late, days_overdue > 0 FROM onefold_v1.fct_promise ORDER BY outcome")
    assert promises == [("kept", 0, None), ("missed", 2, None), ("open", None, None), ("overdue", None, True)]
    assert hub.query(
        "SELECT source, item_key, item_name, unit, lines, first_on, last_on FROM onefold_v1.dim_item ORDER BY item_key"
    ) == [
        ("service", "Oil", "Oil", None, 1, date(2026, 2, 3), date(2026, 2, 3)),
        ("service", "S", "Seal, red", "pcs", 2, date(2026, 2, 2), date(2026, 2, 3)),
    ]
    with hub.context() as context:
        view = client(context, "erp:customers:C1")
    assert [(d["department"], d["interactions"], d["last_on"]) for d in view["departments"]] == [
        ("service", 4, "2026-02-04"), ("sales", 2, "2026-02-02")
    ]  # fmt: skip
    one = view["client_id"]
    assert hub.query(
        "SELECT department, interactions, share FROM onefold_v1.bridge_client_department WHERE client_id = %s ORDER BY 1",
        [one],
    ) == [("sales", 2, Decimal("0.3333")), ("service", 4, Decimal("0.6667"))]
    assert hub.query(
        "SELECT departments, interactions, share_outside_sales FROM onefold_v1.report_client_coverage WHERE client_id = %s",
        [one],
    ) == [(2, 6, Decimal("0.6667"))]
    told = hub.query(
        "SELECT department, interactions, clients, is_silent, days_silent >= 0 FROM onefold_v1.report_department_coverage"
    )
    assert ("service", 4, 1, False, True) in told
    assert ("logistics", 0, 0, True, None) in told
