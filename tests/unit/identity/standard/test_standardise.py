from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.schema import HEAD, IDENTIFIER, RECORD, VALUE
from identity.standard import AttributeType, Profile, Standardised, standardise

Source = dict[str, Any]
PROFILE = Profile(today=date(2026, 11, 23))


def tables(sources: Sequence[Source], first_id: int = 1) -> tuple[pa.Table, pa.Table]:
    head, values = [], []
    for row, source in enumerate(sources):
        fields = dict(source)
        head.append(
            {
                "record_id": first_id + row,
                "source": "crm",
                "stream": "contacts",
                "source_key": fields.pop("key", str(first_id + row)),
                "kind": fields.pop("kind", "person"),
                "role": fields.pop("role", "client"),
                "default_country": fields.pop("default_country", "RU"),
                "source_updated_at": fields.pop("updated", None),
            }
        )
        for attribute, content in fields.items():
            for value in content if isinstance(content, list) else [content]:
                text, repair = value if isinstance(value, tuple) else (value, None)
                values.append({"row": row, "attribute": attribute, "value": text, "repair": repair})
    return pa.Table.from_pylist(head, schema=HEAD), pa.Table.from_pylist(values, schema=VALUE)


def run(*sources: Source, profile: Profile = PROFILE) -> Standardised:
    return standardise(*tables(sources), profile)


def one(source: Source, profile: Profile = PROFILE) -> dict[str, Any]:
    record: dict[str, Any] = run(source, profile=profile).records.to_pylist()[0]
    record["attributes"] = json.loads(record["attributes"])
    return record


def identifiers(*sources: Source, profile: Profile = PROFILE) -> list[tuple[Any, ...]]:
    rows = run(*sources, profile=profile).identifiers.to_pylist()
    return [(row["type"], row["value"], row["is_valid"], row["invalid_reason"]) for row in rows]


def test_the_answer_has_the_schemas_of_the_warehouse() -> None:
    done = run({"full_name": "Иванов Иван", "email": "a@b.ru"}, {"kind": "organisation"})
    assert done.records.schema.equals(RECORD)
    assert done.identifiers.schema.equals(IDENTIFIER)


def test_no_records_and_no_values_are_fine() -> None:
    done = standardise(HEAD.empty_table(), VALUE.empty_table(), PROFILE)
    assert (done.records.num_rows, done.identifiers.num_rows) == (0, 0)
    assert one({})["attributes"] == {}


def test_a_full_name_gives_its_parts() -> None:
    record = one({"full_name": "Чайковский Пётр Ильич"})
    assert record["full_name"] == "петр ильич чайковский"
    assert (record["given_latin"], record["middle_latin"], record["family_latin"]) == (
        "petr",
        "ilich",
        "chaikovski",
    )
    assert record["full_latin"] == "petr ilich chaikovski"
    assert record["attributes"]["full_name"] == [{"v": "Чайковский Пётр Ильич"}]
    assert record["attributes"]["family_name"] == [{"v": "Чайковский", "derived": "full_name"}]


def test_parts_give_the_full_name() -> None:
    russian = one({"given_name": "Пётр", "middle_name": "Ильич", "family_name": "Чайковский"})
    assert russian["full_name"] == "петр ильич чайковский"
    assert russian["attributes"]["full_name"] == [{"v": "Чайковский Пётр Ильич", "derived": "parts"}]
    english = one({"given_name": "John", "family_name": "Smith"})
    assert english["attributes"]["full_name"] == [{"v": "John Smith", "derived": "parts"}]


def test_fields_of_their_own_correct_the_order_of_a_full_name() -> None:
    record = one({"full_name": "Thomas James", "given_name": "James", "family_name": "Thomas"})
    assert (record["given_name"], record["family_name"], record["full_name"]) == (
        "james",
        "thomas",
        "james thomas",
    )


def test_a_title_in_the_full_name_is_no_middle_name_beside_fields() -> None:
    record = one({"full_name": "tom 1st baron clifford of chudleigh", "given_name": "tom", "family_name": "chudleigh"})
    assert record["middle_name"] is None
    assert record["full_name"] == "tom 1st baron clifford of chudleigh"


def test_an_organisation_is_known_by_its_core_and_form() -> None:
    record = one({"kind": "organisation", "legal_name": "ООО «Ромашка»"})
    assert (record["org_name"], record["org_latin"], record["legal_form"]) == ("ромашка", "romashka", "llc")
    assert record["full_name"] is None


def test_a_name_under_the_other_kinds_attribute_is_used() -> None:
    assert one({"kind": "organisation", "full_name": "ООО Ромашка"})["org_name"] == "ромашка"
    assert one({"legal_name": "ИП Иванов Иван Иванович"})["family_name"] == "иванов"


def test_a_sole_proprietor_stays_of_the_mapped_kind() -> None:
    record = one({"kind": "organisation", "legal_name": "ИП Иванов Иван Иванович"})
    assert (record["kind"], record["org_name"], record["legal_form"]) == (
        "organisation", "иван иванович иванов", "sole_proprietor",
    )  # fmt: skip


def test_an_address_gives_the_parts_that_have_no_field() -> None:
    record = one({"address": "123456, г. Москва, ул. Ленина, д. 5, кв. 3", "city": "Химки"})
    assert (record["city"], record["street"], record["house"], record["postcode"]) == (
        "химки",
        "ленина",
        "5",
        "123456",
    )
    assert record["attributes"]["city"] == [{"v": "Химки"}]
    assert record["attributes"]["street"] == [{"v": "ул. Ленина", "derived": "address"}]


def test_a_house_number_in_the_street_is_found() -> None:
    record = one({"street": "Hauptstraße 5a"})
    assert (record["street"], record["house"]) == ("hauptstr", "5a")


def test_the_records_own_country_reads_its_phones_before_the_default() -> None:
    assert identifiers({"country": "Germany", "phone": "030 901820"}) == [("phone", "+4930901820", True, None)]
    assert identifiers({"phone": "8 495 123-45-67"}) == [("phone", "+74951234567", True, None)]
    done = run({"default_country": None, "phone": "8 495 123-45-67"}, profile=Profile(default_country="RU"))
    assert done.identifiers["value"].to_pylist() == ["+74951234567"]


def test_display_values_invalid_reasons_and_repairs_are_kept() -> None:
    record = one({"phone": ["8 (495) 123-45-67", "нет"], "inn": ["105003457", ("7707083893", "scientific notation")]})
    assert record["attributes"] == {
        "inn": [
            {"v": "0105003457", "repaired": "leading zero"},
            {"v": "7707083893", "repaired": "scientific notation"},
        ],
        "phone": [{"v": "+74951234567"}, {"v": "нет", "invalid": "placeholder"}],
    }


def test_identifiers_are_multi_valued_ordered_and_distinct() -> None:
    assert identifiers({"email": ["b@x.ru", "B@x.ru", "a@x.ru", "нет"], "website": "www.x.ru", "domain": "x.ru"}) == [
        ("domain", "x.ru", True, None),
        ("email", "b@x.ru", True, None),
        ("email", "a@x.ru", True, None),
        ("email", "нет", False, "placeholder"),
    ]


def test_open_attributes_follow_the_registry() -> None:
    profile = Profile(
        attributes={
            "headcount": AttributeType("organisation", "number"),
            "billing_email": AttributeType(type="email"),
        }
    )
    record = one({"kind": "organisation", "headcount": "1 250", "billing_email": "A@b.de", "colour": "Rot"}, profile)
    assert record["attributes"] == {
        "billing_email": [{"v": "a@b.de"}], "colour": [{"v": "Rot"}], "headcount": [{"v": "1250"}],
    }  # fmt: skip
    assert identifiers({"loyalty_number": "12-34"}) == [("loyalty_number", "1234", True, None)]


def test_strange_text_stays_json() -> None:
    record = one({"colour": 'a "b" \\ c\td', 'x"y': "1"})
    assert record["attributes"] == {"colour": [{"v": 'a "b" \\ c d'}], 'x"y': [{"v": "1"}]}


def test_endless_values_are_cut_and_invalid() -> None:
    record = one({"full_name": "x" * 10_000_000, "email": "a@b.ru"})
    assert record["attributes"]["full_name"][0]["invalid"] == "too long"
    assert len(record["attributes"]["full_name"][0]["v"]) < 1010
    assert record["full_name"] is None


def test_the_hubs_own_firms_and_staff_are_marked() -> None:
    profile = Profile(own_identifiers=frozenset({("inn", "7707083893")}), own_domains=frozenset({"own.ru"}))
    done = run(
        {"kind": "organisation", "inn": "7707 083 893"},
        {"email": "boss@own.ru"},
        {"role": "staff"},
        {"email": ["manager@own.ru", "client@x.ru"]},
        {"email": "client@x.ru"},
        profile=profile,
    )
    assert done.records["is_own"].to_pylist() == [True, True, True, False, False]


def test_an_own_address_on_a_clients_card_is_no_evidence() -> None:
    profile = Profile(
        own_identifiers=frozenset({("phone", "8 495 123-45-67")}),
        own_domains=frozenset({"own.ru"}),
        default_country="RU",
    )
    source = {"email": ["manager@own.ru", "client@x.ru"], "phone": "+74951234567"}
    assert identifiers(source, profile=profile) == [
        ("email", "manager@own.ru", False, "own organisation"),
        ("email", "client@x.ru", True, None),
        ("phone", "+74951234567", False, "own organisation"),
    ]


def test_the_content_hash_ignores_the_clock_and_nothing_else() -> None:
    source = {"key": "1", "given_name": "Анна", "email": "a@b.ru"}
    same = {**source, "updated": datetime(2026, 1, 1, tzinfo=UTC)}
    hashes = [one(variant)["content_hash"] for variant in (source, same)]
    assert hashes[0] == hashes[1]
    others = [{**source, "key": "2"}, {**source, "role": "staff"}, {**source, "email": "a@b.de"},
    {**source, "x": "y"},
              {**source, "email": "нет"}, {**source, "kind": "organisation"}]  # fmt: skip
    assert len({hashes[0], *(one(variant)["content_hash"] for variant in others)}) == len(others) + 1


_VALUES = st.sampled_from(
    ["Иванов Иван", "John Smith", "ООО Ромашка", "нет", "a@b.ru", "8 495 123-45-67", "7707083893",
    "1980-03-12",
     "12.03.1980", "ул. Ленина, 5", "123456, Москва, ул. Мира, 1", "Müller", "x", "M", "  a  b ", '"', "王伟"]
)  # fmt: skip
_ATTRIBUTES = st.sampled_from(
    ["full_name", "given_name", "middle_name", "family_name", "legal_name", "email", "phone", "inn",
    "birth_date",
     "street", "house", "address", "city", "country", "gender", "website", "vat", "hobby", "card_number"]
)  # fmt: skip
_SOURCES = st.lists(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["person", "organisation"])},
        optional={"role": st.sampled_from(["client", "staff"])},
    ).flatmap(
        lambda base: st.dictionaries(_ATTRIBUTES, st.lists(_VALUES, min_size=1, max_size=3), max_size=5).map(
            lambda fields: {**fields, **base}
        )
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=50, deadline=None)
@given(_SOURCES, st.integers(0, 8))
def test_any_batching_gives_the_same_bits(sources: list[Source], cut: int) -> None:
    whole = standardise(*tables(sources), PROFILE)
    parts = [
        standardise(*tables(part, first), PROFILE)
        for part, first in ((sources[:cut], 1), (sources[cut:], 1 + len(sources[:cut])))
    ]
    assert whole.records.equals(pa.concat_tables(part.records for part in parts))
    assert whole.identifiers.equals(pa.concat_tables(part.identifiers for part in parts))


@settings(max_examples=40, deadline=None)
@given(_SOURCES)
def test_values_that_come_row_by_row_or_attribute_by_attribute_give_the_same_bits(
    sources: list[Source],
) -> None:
    head, values = tables(sources)
    by_attribute = values.sort_by([("attribute", "ascending"), ("row", "ascending")])
    rearranged = by_attribute if _keeps_order(values, by_attribute) else values
    assert standardise(head, rearranged, PROFILE).records.equals(standardise(head, values, PROFILE).records)


def _keeps_order(left: pa.Table, right: pa.Table) -> bool:
    """Sorting has kept the order of the values of each (row, attribute)."""

    def grouped(table: pa.Table) -> dict[tuple[int, str], list[str]]:
        found: dict[tuple[int, str], list[str]] = {}
        for row in table.to_pylist():
            found.setdefault((row["row"], row["attribute"]), []).append(row["value"])
        return found

    return grouped(left) == grouped(right)


@settings(max_examples=50, deadline=None)
@given(_SOURCES)
def test_standard_forms_standardise_to_themselves(sources: list[Source]) -> None:
    first = standardise(*tables(sources), PROFILE).identifiers.to_pylist()
    valid = [row for row in first if row["is_valid"]]
    again = run(*({"kind": "organisation", row["type"]: row["value"]} for row in valid)) if valid else None
    if again is not None:
        assert [row["value"] for row in again.identifiers.to_pylist()] == [row["value"] for row in valid]


@pytest.mark.parametrize("size", [1, 3])
def test_batches_inside_are_cut_without_trace(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [{"given_name": f"Анна{i}", "email": f"a{i % 2}@b.ru", "phone": "x"} for i in range(7)]
    whole = run(*sources)
    monkeypatch.setattr("identity.standard.pipeline.BATCH_ROWS", size)
    parts = run(*sources)
    assert parts.records.equals(whole.records)
    assert parts.identifiers.equals(whole.identifiers)


@pytest.mark.parametrize(
    ("source", "generation"),
    [
        ({"full_name": "John Smith Jr."}, "junior"),
        ({"full_name": "Smith Sr, John"}, "senior"),
        ({"given_name": "John", "family_name": "Smith III"}, "iii"),
        ({"full_name": "Иванов Иван Иванович мл."}, "junior"),
        ({"full_name": "Junior Smith"}, None),
        ({"full_name": "John Smith"}, None),
    ],
)
def test_the_generation_in_a_name_is_kept_beside_the_name(source: Source, generation: str | None) -> None:
    found = one(source)
    shown = found["attributes"].get("generation")
    assert shown == (None if generation is None else [{"v": generation, "derived": "name"}])
    assert generation is None or generation not in found["full_name"].split()
