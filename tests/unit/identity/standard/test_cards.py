"""A card with two valid INNs becomes several records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from identity.schema import HEAD, VALUE
from identity.standard import Profile, Standardised, standardise

ONE, TWO, SOLE, OTHER_SOLE = "7707083893", "5003052454", "500100732259", "771409116994"
Card = tuple[str, str, Sequence[tuple[str, str]]]


def id_of(source: str, stream: str, key: str) -> int:
    return sum(f"{source}:{stream}:{key}".encode())


def run(*cards: Card, part: bool = True, profile: Profile | None = None) -> Standardised:
    """Standard forms of cards (key, kind, values)."""
    heads = [
        {"record_id": id_of("erp", "s", key), "source": "erp", "stream": "s", "source_key": key, "kind": kind,
         "role": "supplier", "default_country": "RU", "source_updated_at": None}
        for key, kind, _ in cards
    ]  # fmt: skip
    values = [
        {"row": row, "attribute": attribute, "value": value, "repair": None}
        for row, (_, _, given) in enumerate(cards)
        for attribute, value in given
    ]
    tables = pa.Table.from_pylist(heads, schema=HEAD), pa.Table.from_pylist(values, schema=VALUE)
    return standardise(*tables, profile or Profile(), id_of if part else None)


def identifiers(done: Standardised, key: str) -> set[tuple[str, str, str | None]]:
    wanted = id_of("erp", "s", key)
    return {
        (r["type"], r["value"], r["invalid_reason"]) for r in done.identifiers.to_pylist() if r["record_id"] == wanted
    }


TWO_FIRMS: Card = (
    "7",
    "organisation",
    [("legal_name", "ООО «Ромашка»"), ("phone", "+7 495 555-10-10"), ("inn", ONE), ("inn", TWO), ("kpp", "773601001"),
     ("kpp", "500301001"), ("ogrn", "1027700132195"), ("url", "https://erp.example.com/7")],
)  # fmt: skip


def test_a_card_with_two_inns_becomes_itself_and_a_record_for_each() -> None:
    done = run(TWO_FIRMS, ("8", "organisation", [("inn", ONE)]))
    keys = done.records["source_key"].to_pylist()
    assert keys == ["7", "8", f"7#inn={ONE}", f"7#inn={TWO}"]
    assert set(done.records["role"].to_pylist()) == {"supplier"}
    assert done.cards.to_pylist() == [
        {"record_id": id_of("erp", "s", f"7#inn={inn}"), "card_id": id_of("erp", "s", "7"), "inn": inn}
        for inn in (ONE, TWO)
    ]


def test_the_card_keeps_all_it_says_and_its_inns_are_no_evidence_there() -> None:
    done = run(TWO_FIRMS)
    assert identifiers(done, "7") == {
        ("inn", ONE, "several on one card"), ("inn", TWO, "several on one card"),
        ("kpp", "773601001", "several on one card"), ("kpp", "500301001", "several on one card"),
        ("ogrn", "1027700132195", None), ("phone", "+74955551010", None),
    }  # fmt: skip
    shown = json.loads(done.records["attributes"][0].as_py())
    assert [one["v"] for one in shown["inn"]] == [ONE, TWO]


def test_a_record_made_of_a_card_has_its_numbers_and_is_compared_by_nothing_else() -> None:
    done = run(TWO_FIRMS)
    assert identifiers(done, f"7#inn={TWO}") == {("inn", TWO, None), ("kpp", "500301001", None)}
    made = done.records.to_pylist()[2]
    assert made["org_name"] is None
    assert made["postcode"] is None
    shown = json.loads(made["attributes"])
    assert shown["legal_name"] == [{"v": "ООО «Ромашка»", "derived": "card"}]
    assert shown["url"][0]["v"] == "https://erp.example.com/7"


def test_one_inn_written_twice_and_an_invalid_one_make_no_second_firm() -> None:
    done = run(("7", "organisation", [("inn", ONE), ("inn", f" {ONE} "), ("inn", "7707083894")]))
    assert done.records.num_rows == 1
    assert ("inn", ONE, None) in identifiers(done, "7")


@pytest.mark.parametrize(
    ("kind", "inns", "made"),
    [
        ("person", (SOLE, ONE), {f"7#inn={ONE}": "organisation"}),
        ("person", (SOLE, OTHER_SOLE), {f"7#inn={SOLE}": "person", f"7#inn={OTHER_SOLE}": "person"}),
        ("organisation", (SOLE, ONE), {f"7#inn={SOLE}": "organisation", f"7#inn={ONE}": "organisation"}),
    ],
)
def test_ten_digits_are_an_organisation_and_a_person_keeps_the_only_own_inn(
    kind: str, inns: Sequence[str], made: dict[str, str]
) -> None:
    done = run(("7", kind, [("full_name", "Петров Иван"), *(("inn", inn) for inn in inns)]))
    rows = done.records.to_pylist()[1:]
    assert {row["source_key"]: row["kind"] for row in rows} == made
    keeps = kind == "person" and ONE in inns
    assert (("inn", SOLE, None) in identifiers(done, "7")) is keeps


def test_an_own_inn_on_a_clients_card_makes_the_own_firm_and_leaves_the_client() -> None:
    done = run(TWO_FIRMS, profile=Profile(own_identifiers=frozenset({("inn", TWO)})))
    assert dict(zip(done.records["source_key"].to_pylist(), done.records["is_own"].to_pylist(), strict=True)) == {
        "7": False, f"7#inn={ONE}": False, f"7#inn={TWO}": True,
    }  # fmt: skip


def test_the_same_card_gives_the_same_records_however_batches_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    cards: list[Card] = [(str(n), "organisation", [("inn", ONE), ("inn", TWO)][: 1 + n % 2]) for n in range(7)]
    whole = run(*cards)
    monkeypatch.setattr("identity.standard.pipeline.BATCH_ROWS", 2)
    assert all(mine.equals(other) for mine, other in zip(run(*cards), whole, strict=True))


def test_without_ids_for_new_records_a_card_stays_one_record() -> None:
    done: Any = run(TWO_FIRMS, part=False)
    assert done.records.num_rows == 1
    assert done.cards.num_rows == 0
