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


def test_a_type_declared_in_yaml_brings_its_view_its_lines_and_its_place_in_the_timeline(filled_hub: Hub) -> None:
    from onefold.steps.client import client

    inspect(filled_hub)
    filled_hub.run()
    assert filled_hub.query(
        "SELECT verdict, score, next_on FROM onefold_v1.fct_inspection WHERE NOT is_deleted ORDER BY source_key"
    ) == [("worn", Decimal("3.5"), date(2026, 9, 1)), ("good", None, None)]
    assert filled_hub.query("SELECT item_code, quantity, unit FROM onefold_v1.fct_inspection_line ORDER BY position") == [
        ("S", Decimal(2), "pcs"), ("R", Decimal(1), None)
    ]  # fmt: skip
    with filled_hub.context() as context:
        view = client(context, "erp:customers:C1")
    (found,) = [i for i in view["interactions"] if i["type"] == "inspection"]
    assert (found["label_ru"], found["department"]) == ("Осмотр", "service")
    filled_hub.has_nothing_to_do()
