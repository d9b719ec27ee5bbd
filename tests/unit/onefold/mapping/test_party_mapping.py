"""Records of persons and organisations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from identity.schema import HEAD, VALUE
from onefold.mapping import StreamMapper
from tests.unit.onefold.mapping.conftest import row, values
from warehouse.keys import record_id
from warehouse.shapes import CHILD_LINK, INTERACTION, INTERACTION_LINE, PROMISE, RELATIONSHIP

Mappers = Callable[..., dict[str, StreamMapper]]

COUNTERPARTIES = """\
  main:
    as: {when: ЮрФизЛицо, ЮрЛицо: organisation, ФизЛицо: person}
    role: {when: Покупатель, "true": client, else: supplier}
    key: Код
    where: {ЭтоГруппа: false}
    fields:
      name: Наименование
      inn: ИНН
      kpp: {when: ЮрФизЛицо, ЮрЛицо: "770701001"}
      phone: "КонтактнаяИнформация[Тип=Телефон].Представление"
      email: ["КонтактнаяИнформация[Тип=АдресЭлектроннойПочты].Представление", Почта]
      country: {constant: RU}
      address: ["Адрес", "АдресФакт"]
      birth_date: ДатаРождения
"""
CARD: dict[str, Any] = {
    "Код": "1",
    "ЭтоГруппа": False,
    "ЮрФизЛицо": "ЮрЛицо",
    "Покупатель": True,
    "Наименование": "  ООО «Ромашка» ",
    "ИНН": "7707083893",
    "Почта": "b@x.example",
    "КонтактнаяИнформация": [
        {"Тип": "Телефон", "Представление": "+7 495 1"},
        {"Тип": "Телефон", "Представление": "+7 495 2"},
        {"Тип": "Телефон", "Представление": "+7 495 1"},
        {"Тип": "АдресЭлектроннойПочты", "Представление": "a@x.example"},
    ],
    "Адрес": "",
    "АдресФакт": "Москва",
    "ДатаРождения": "0001-01-01T00:00:00",
}


def test_a_card_of_1c_becomes_a_record_with_many_values(mappers: Mappers) -> None:
    mapped = mappers(COUNTERPARTIES)["main"].map_batch([row(CARD)])
    assert mapped.rejects == []
    assert mapped.head.to_pylist() == [
        {
            "record_id": record_id("crm", "main", "1"), "source": "crm", "stream": "main", "source_key": "1",
            "kind": "organisation", "role": "client", "default_country": "RU", "source_updated_at": None,
        }
    ]  # fmt: skip
    assert values(mapped) == {
        "legal_name": ["ООО «Ромашка»"],
        "inn": ["7707083893"],
        "kpp": ["770701001"],
        "phone": ["+7 495 1", "+7 495 2"],
        "email": ["a@x.example", "b@x.example"],
        "country": ["RU"],
        "address": ["Москва"],
    }


def test_kind_and_role_are_chosen_per_record(mappers: Mappers) -> None:
    person = {**CARD, "ЮрФизЛицо": "ФизЛицо", "Покупатель": False, "Наименование": "Иванова Анна"}
    mapped = mappers(COUNTERPARTIES)["main"].map_batch([row(person)])
    assert mapped.head.column("kind").to_pylist() == ["person"]
    assert mapped.head.column("role").to_pylist() == ["supplier"]
    assert values(mapped)["full_name"] == ["Иванова Анна"]
    assert "kpp" not in values(mapped)


def test_a_record_of_no_known_kind_is_kept_out_and_its_neighbours_are_unharmed(mappers: Mappers) -> None:
    rows = [row(CARD, "1"), row({**CARD, "ЮрФизЛицо": "?"}, "2"), row(CARD, "3")]
    mapped = mappers(COUNTERPARTIES)["main"].map_batch(rows)
    assert mapped.head.column("source_key").to_pylist() == ["1", "3"]
    assert [(r.record_id, r.reason, r.path, r.is_partial) for r in mapped.rejects] == [
        (rows[1].record_id, "unknown-kind", "as", False)
    ]
    assert set(mapped.values.column("row").to_pylist()) == {0, 1}


def test_records_that_where_excludes_are_left_out_and_named(mappers: Mappers) -> None:
    rows = [row({**CARD, "ЭтоГруппа": True}, "1"), row(CARD, "2")]
    mapped = mappers(COUNTERPARTIES)["main"].map_batch(rows)
    assert mapped.left_out == [rows[0].record_id]
    assert mapped.head.column("source_key").to_pylist() == ["2"]
    assert mapped.rejects == []


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"[]", "not-an-object"),
        (b'"x"', "not-an-object"),
        (b"null", "not-an-object"),
        (b"{", "not-json"),
        (b"\xff", "not-json"),
    ],
)
def test_a_payload_that_is_no_object_is_rejected(mappers: Mappers, payload: bytes, reason: str) -> None:
    mapped = mappers(COUNTERPARTIES)["main"].map_batch([row(payload), row(CARD, "2")])
    assert [(r.reason, r.is_partial) for r in mapped.rejects] == [(reason, False)]
    assert mapped.head.num_rows == 1


def test_a_value_that_cannot_be_read_is_rejected_alone(mappers: Mappers) -> None:
    bad = {**CARD, "ДатаРождения": "0000-00-00", "ИНН": {"x": 1}}
    mapped = mappers(COUNTERPARTIES)["main"].map_batch([row(bad)])
    assert [(r.reason, r.path, r.is_partial) for r in mapped.rejects] == [
        ("not-a-value", "fields.inn", True),
        ("absurd-date", "fields.birth_date", True),
    ]
    assert values(mapped)["legal_name"] == ["ООО «Ромашка»"]


def test_repairs_are_marked_and_counted(mappers: Mappers) -> None:
    payload = b'{"tel": 79161234567.0, "inn": "5,05012E+11", "born": 30753, "inn2": 7707083893}'
    text = "  main: {as: person, key: id, fields: {phone: tel, inn: [inn, inn2], birth_date: born}}\n"
    mapped = mappers(text)["main"].map_batch([row(payload)])
    found = [(v["attribute"], v["value"], v["repair"]) for v in mapped.values.to_pylist()]
    assert found == [
        ("phone", "79161234567", "decimal tail"),
        ("inn", "505012000000", "scientific notation"),
        ("inn", "7707083893", None),
        ("birth_date", "1984-03-12", "excel day number"),
    ]
    assert dict(mapped.repairs) == {"decimal tail": 1, "scientific notation": 1, "excel day number": 1}


def test_a_single_valued_attribute_takes_the_first_that_is_filled(mappers: Mappers) -> None:
    text = "  main: {as: person, key: id, fields: {city: [a, 'b[]', c], job_title: 'jobs[]'}}\n"
    mapped = mappers(text)["main"].map_batch(
        [row({"a": " ", "b": [None, "", "B1", "B2"], "c": "C", "jobs": ["x", "y"]})]
    )
    assert values(mapped) == {"city": ["B1"], "job_title": ["x"]}


def test_numbers_and_booleans_become_text(mappers: Mappers) -> None:
    text = "  main: {as: person, key: id, fields: {house: house, postcode: zip, city: flag}}\n"
    mapped = mappers(text)["main"].map_batch([row(b'{"house": 5, "zip": 12345.0, "flag": true}')])
    assert values(mapped) == {"house": ["5"], "postcode": ["12345.0"], "city": ["true"]}


def test_where_people_work_refers_to_records_that_may_come_later(mappers: Mappers) -> None:
    text = """\
  main:
    as: person
    key: id
    fields: {full_name: name}
    works_at: {stream: firms, key: "firms[].id", role: job, valid_from: since}
    relationships: [{type: member_of, source: crm, stream: firms, key: [a, b]}]
  firms: {as: organisation, key: id, fields: {legal_name: name}}
"""
    payload = {
        "name": "A",
        "firms": [{"id": 5}, {"id": "6"}, {"id": 5}, {}],
        "job": "CEO",
        "since": "2020-02-01",
        "a": "x|",
        "b": 1,
    }
    mapped = mappers(text)["main"].map_batch([row(payload)])
    me = record_id("crm", "main", "1")
    found = [(r["from_record_id"], r["to_record_id"], r["type"], r["role"]) for r in mapped.relationships.to_pylist()]
    assert found == [
        (me, record_id("crm", "firms", "5"), "works_at", "CEO"),
        (me, record_id("crm", "firms", "6"), "works_at", "CEO"),
        (me, record_id("crm", "firms", "x\\||1"), "member_of", None),
    ]
    assert str(mapped.relationships.to_pylist()[0]["valid_from"]) == "2020-02-01"


def test_a_relationship_stream_relates_two_other_records(mappers: Mappers) -> None:
    text = """\
  main: {as: relationship, key: id, type: owner_of, from: {stream: p, key: p}, to: {stream: f, key: f}, role: share, valid_to: until}
  p: {as: person, key: id, fields: {full_name: name}}
  f: {as: organisation, key: id, fields: {legal_name: name}}
"""
    rows = [row({"p": 1, "f": 2, "share": "51 %", "until": "x"}), row({"p": 1}, "2")]
    mapped = mappers(text)["main"].map_batch(rows)
    (found,) = mapped.relationships.to_pylist()
    assert (found["from_record_id"], found["to_record_id"]) == (
        record_id("crm", "p", "1"),
        record_id("crm", "f", "2"),
    )
    assert (found["type"], found["role"], found["valid_to"]) == ("owner_of", "51 %", None)
    assert [(r.reason, r.path, r.is_partial) for r in mapped.rejects] == [
        ("unreadable-date", "valid_to", True),
        ("missing-key", "to", False),
    ]


def test_tables_have_the_agreed_shapes_also_when_empty(mappers: Mappers) -> None:
    for rows in ([], [row(CARD)]):
        mapped = mappers(COUNTERPARTIES)["main"].map_batch(rows)
        shapes = [
            mapped.head,
            mapped.values,
            mapped.interactions,
            mapped.lines,
            mapped.promises,
            mapped.relationships,
            mapped.child_links,
        ]
        assert [one.schema for one in shapes] == [
            HEAD,
            VALUE,
            INTERACTION,
            INTERACTION_LINE,
            PROMISE,
            RELATIONSHIP,
            CHILD_LINK,
        ]


def test_a_number_beyond_any_measure_does_not_exhaust_memory(mappers: Mappers) -> None:
    text = "  main: {as: person, key: id, fields: {phone: a, city: b}}\n"
    mapped = mappers(text)["main"].map_batch([row(b'{"a": 1E+999999999, "b": 1E+300}')])
    assert mapped.head.num_rows == 1
    assert all(len(value) < 400 for value in mapped.values.column("value").to_pylist())


def test_mapping_gives_the_same_tables_however_the_batch_is_cut(mappers: Mappers) -> None:
    mapper = mappers(COUNTERPARTIES)["main"]
    rows = [row({**CARD, "Почта": f"m{i}@x.example"}, str(i)) for i in range(7)]
    whole = mapper.map_batch(rows)
    parts = [mapper.map_batch([one]) for one in rows]
    assert [values(part) for part in parts] == [values(whole, i) for i in range(7)]
