"""Fields and lines that stand in records of another stream."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from onefold.mapping import StreamMapper
from tests.unit.onefold.mapping.conftest import row, values
from warehouse.keys import record_id

Mappers = Callable[..., dict[str, StreamMapper]]

BITRIX = """\
  companies:
    as: organisation
    key: id
    fields:
      legal_name: title
      inn: {stream: requisites, where: {ENTITY_TYPE_ID: 4, ENTITY_ID: $key}, path: RQ_INN}
      kpp: [kpp, {stream: requisites, where: {ENTITY_TYPE_ID: 4, ENTITY_ID: $key}, path: "RQ_KPP | digits"}]
  contacts:
    as: person
    key: id
    fields:
      full_name: name
      inn: {stream: requisites, where: {ENTITY_TYPE_ID: [3, 33], ENTITY_ID: $key}, path: RQ_INN}
  requisites: {key: ID}
"""


class Child(NamedTuple):
    stream: str
    payload: bytes


def requisite(**fields: Any) -> bytes:
    return json.dumps({"ID": 1, "ENTITY_TYPE_ID": "4", "ENTITY_ID": "5", "RQ_INN": "7707083893", **fields}).encode()


def test_a_field_is_read_from_the_children_that_belong_to_the_record(mappers: Mappers) -> None:
    children = {
        "requisites": [
            requisite(RQ_KPP="770 701 001"),
            requisite(RQ_INN="1"),
            requisite(ENTITY_TYPE_ID="3", RQ_INN="foreign type"),
            requisite(ENTITY_ID="6", RQ_INN="foreign parent"),
            b"not json",
        ]
    }
    mapped = mappers(BITRIX)["companies"].map_batch([row({"title": "A", "kpp": "1"}, "5", "companies", children)])
    assert values(mapped) == {"legal_name": ["A"], "inn": ["7707083893", "1"], "kpp": ["1", "770701001"]}
    assert mapped.rejects == []


def test_children_may_come_as_the_warehouse_gives_them(mappers: Mappers) -> None:
    mapped = mappers(BITRIX)["companies"].map_batch(
        [row({"title": "A"}, "5", "companies", [Child("requisites", requisite())])]
    )
    assert values(mapped)["inn"] == ["7707083893"]


def test_without_children_the_other_fields_stand(mappers: Mappers) -> None:
    mapped = mappers(BITRIX)["companies"].map_batch([row({"title": "A"}, "5", "companies")])
    assert values(mapped) == {"legal_name": ["A"]}


def test_a_mapper_names_its_child_streams_and_the_parents_of_a_child(mappers: Mappers) -> None:
    made = mappers(BITRIX)
    assert made["companies"].child_streams == {"requisites"}
    assert made["requisites"].child_streams == frozenset()
    assert made["companies"].parent_keys("requisites", requisite()) == ["5"]
    assert made["contacts"].parent_keys("requisites", requisite()) == []
    assert made["contacts"].parent_keys("requisites", requisite(ENTITY_TYPE_ID=33)) == ["5"]
    assert made["companies"].parent_keys("requisites", requisite(ENTITY_ID=None)) == []
    assert made["companies"].parent_keys("requisites", b"not json") == []
    assert made["companies"].parent_keys("companies", requisite()) == []


def test_an_unmapped_child_gives_links_and_nothing_else(mappers: Mappers) -> None:
    mapper = mappers(BITRIX)["requisites"]
    assert (mapper.kind, mapper.is_mapped) == (None, False)
    child = row(requisite(), "1", "requisites")
    mapped = mapper.map_batch([child, row(requisite(ENTITY_TYPE_ID=8), "2", "requisites")])
    assert mapped.child_links.to_pylist() == [
        {"child_record_id": child.record_id, "parent_record_id": record_id("crm", "companies", "5")}
    ]
    assert mapped.head.num_rows == 0


def test_lines_may_be_a_stream_of_their_own(mappers: Mappers) -> None:
    text = """\
  orders:
    as: interaction
    type: sales_order
    key: no
    lines: {stream: order_lines, where: {order_no: $key}, position: pos, item_code: sku, quantity: qty}
  order_lines: {key: id}
"""
    made = mappers(text)
    lines = [
        json.dumps({"order_no": "7", "pos": pos, "sku": sku, "qty": 1}).encode()
        for pos, sku in ((10, "c"), (2, "b"), (1, "a"))
    ]
    foreign = json.dumps({"order_no": "8", "pos": 3, "sku": "x"}).encode()
    mapped = made["orders"].map_batch([row({"no": 7}, "7", "orders", {"order_lines": [*lines, foreign]})])
    assert [(line["position"], line["item_code"]) for line in mapped.lines.to_pylist()] == [
        (1, "a"),
        (2, "b"),
        (3, "c"),
    ]
    assert made["orders"].parent_keys("order_lines", lines[0]) == ["7"]
