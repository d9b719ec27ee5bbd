"""What one client organisation is: a legal entity with all its branches, or each establishment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from identity.explanation.explain import explain_pair
from identity.features import Features, borne_as
from identity.generic import GENERIC, generic_addresses, generic_values
from identity.model import prior_model
from identity.resolve import Resolution, resolve
from identity.settings import MatchingSettings, load_settings

ENTITY = load_settings()
SITE = ENTITY.at_grain("establishment")
HEAD, BRANCH = "773601001", "695043001"
Row = Mapping[str, Any]


def outcome(
    tables: Any, rows: Sequence[Row], settings: MatchingSettings, judgements: pa.Table | None = None
) -> Resolution:
    records, identifiers = tables(rows)
    return resolve(records, identifiers, judgements, prior_model(settings), settings)


def clients(found: Resolution) -> set[frozenset[str]]:
    groups: dict[int, set[str]] = {}
    for row in found.labels.to_pylist():
        groups.setdefault(row["label"], set()).add(row["natural_key"].rsplit(":", 1)[1])
    return {frozenset(keys) for keys in groups.values()}


def firm(key: str, name: str = "ромашка", inn: str | Sequence[str] = "7707083893", **more: Any) -> dict[str, Any]:
    return {"key": key, "org": name, "inn": inn, **more}


BRANCHES = [
    firm("1", kpp=HEAD, city="moskva", postcode="117997", phone="+74955550101"),
    firm("2", "tverskoi filial", kpp=BRANCH, city="tver", postcode="170100", phone="+74822550101"),
    firm("3", kpp=HEAD, city="moskva"),
    firm("4", "romashka tver", kpp=BRANCH, city="tver", phone="+74822550199"),
]


def test_at_legal_entity_the_branches_of_one_inn_are_one_client(tables: Any) -> None:
    assert clients(outcome(tables, BRANCHES, ENTITY)) == {frozenset("1234")}


def test_at_establishment_each_inn_with_kpp_is_a_client_and_nobody_is_asked(tables: Any) -> None:
    found = outcome(tables, BRANCHES, SITE)
    assert clients(found) == {frozenset("13"), frozenset("24")}
    assert found.cases.num_rows == 0


def test_a_card_without_kpp_joins_one_establishment_and_never_bridges_two(tables: Any) -> None:
    found = outcome(tables, [*BRANCHES, firm("5", "romashka tver", city="tver", phone="+74822550199")], SITE)
    assert clients(found) == {frozenset("13"), frozenset("245")}


def test_one_inn_is_one_client_whatever_else_differs(tables: Any) -> None:
    rows = [
        firm("1", "romashka", city="tver", phone="+74822550101"),
        firm("2", "vasilek", city="omsk", phone="+73812550101"),
    ]
    assert len(clients(outcome(tables, rows, ENTITY))) == 1


def test_cards_without_the_number_never_come_between_those_that_share_it(tables: Any) -> None:
    without = {"org": "romashka zavod", "city": "omsk", "phone": "+73812550101", "email": "office@romashka.example"}
    rows = [
        {**firm("1"), **without},
        *({"key": str(n), **without} for n in range(2, 8)),
        firm("8", "vasilek torg", city="tver", phone="+74822550101"),
    ]
    assert clients(outcome(tables, rows, ENTITY)) == {frozenset("12345678")}


def test_one_vat_number_is_one_client_and_with_the_site_two(tables: Any) -> None:
    rows = [
        {"key": "1", "org": "muller", "vat": "DE136695976", "postcode": "80331", "city": "munchen"},
        {"key": "2", "org": "muller niederlassung nord", "vat": "DE136695976", "postcode": "20095", "city": "hamburg"},
    ]
    assert len(clients(outcome(tables, rows, ENTITY))) == 1
    assert len(clients(outcome(tables, rows, SITE))) == 2


def test_a_sole_proprietor_has_no_kpp_and_is_one_client_at_either_grain(tables: Any) -> None:
    rows = [firm("1", "petrov ivan", "500100732259"), firm("2", "ip petrov", "500100732259", city="tver")]
    assert len(clients(outcome(tables, rows, ENTITY))) == len(clients(outcome(tables, rows, SITE))) == 1


def test_the_second_kpp_of_a_largest_taxpayer_is_no_other_site(tables: Any) -> None:
    rows = [firm("1", kpp=HEAD), firm("2", kpp=[HEAD, "997950001"]), firm("3", kpp="997950001")]
    assert clients(outcome(tables, rows, SITE)) == {frozenset("123")}


@pytest.mark.parametrize("settings", [ENTITY, SITE], ids=["legal_entity", "establishment"])
def test_kpp_alone_is_neither_evidence_nor_contradiction(tables: Any, settings: MatchingSettings) -> None:
    apart = [{"key": "1", "org": "romashka", "kpp": HEAD}, {"key": "2", "org": "vasilek", "kpp": HEAD}]
    assert len(clients(outcome(tables, apart, settings))) == 2
    alike = {"org": "romashka zavod masel", "city": "tver", "phone": "+74822550101", "email": "a@romashka.example"}
    same = [{"key": "1", "kpp": HEAD, **alike}, {"key": "2", "kpp": BRANCH, **alike}]
    assert len(clients(outcome(tables, same, settings))) == 1


def test_what_forbids_is_stronger_than_one_inn(tables: Any, record_id: Callable[..., int], judgements: Any) -> None:
    rows = [firm("1", ogrn="1027700132195"), firm("2", ogrn="1037739877295")]
    assert len(clients(outcome(tables, rows, ENTITY))) == 2
    said = judgements(("not_same", [record_id("1")], [record_id("2")]))
    assert len(clients(outcome(tables, [firm("1"), firm("2")], ENTITY, said))) == 2


def test_a_human_may_join_two_establishments(tables: Any, record_id: Callable[..., int], judgements: Any) -> None:
    said = judgements(("same", [record_id("1")], [record_id("2")]))
    assert clients(outcome(tables, BRANCHES, SITE, said)) == {frozenset("1234")}


@pytest.mark.parametrize(("settings", "verdict"), [(ENTITY, "link"), (SITE, "forbidden")])
def test_the_explanation_shows_what_the_grain_decides(
    tables: Any, record_id: Callable[..., int], settings: MatchingSettings, verdict: str
) -> None:
    pair = record_id("1"), record_id("2")
    records, identifiers = tables(BRANCHES)
    evidence = explain_pair(records, identifiers, pair, prior_model(settings), settings)
    assert evidence.verdict == verdict
    (grain,) = (finding for finding in evidence.findings if finding.column == "grain")
    assert grain.words["en"] == "what one client is: decided by the number"
    assert evidence.total == sum(finding.weight for finding in evidence.findings)


def test_establishments_are_read_from_numbers_that_belong_together(tables: Any) -> None:
    rows = [
        firm("1", kpp=[HEAD, BRANCH]),
        firm("2", inn=["7707083893", "5003052454"], kpp=HEAD),
        firm("3"),
        firm("4", kpp="!77"),
        {"key": "5", "org": "muller", "vat": "DE136695976", "postcode": "80331"},
        {"key": "6", "org": "muller", "vat": "DE136695976"},
    ]
    values = Features.of(*tables(rows)).values("establishment")
    ends = np.cumsum(values.counts)
    found = [sorted(values.unique.take(pa.array(values.codes[end - n : end])).to_pylist()) for n, end in
             zip(values.counts, ends, strict=True)]  # fmt: skip
    assert found == [[f"7707083893/{BRANCH}", f"7707083893/{HEAD}"], [], [], [], ["DE136695976@80331"], []]


@pytest.mark.parametrize(
    ("name", "value", "identifier"),
    [
        ("establishment", "7707083893/773601001", ("inn", "7707083893")),
        ("establishment", "500100732259", ("inn", "500100732259")),
        ("establishment", "DE136695976@80331", ("vat", "DE136695976")),
        ("ogrn", "1027700132195", ("ogrn", "1027700132195")),
    ],
)
def test_an_establishment_is_found_by_the_number_that_it_is_read_from(
    name: str, value: str, identifier: tuple[str, str]
) -> None:
    assert borne_as(name, value) == identifier


def test_the_grain_is_part_of_the_rules_in_force() -> None:
    assert SITE.model_dump() != ENTITY.model_dump()
    assert ENTITY.at_grain("legal_entity") is ENTITY
    own = load_settings({"organisation": {"one_client": []}})
    assert own.at_grain("establishment").organisation.one_client == ()


def test_many_branches_do_not_make_an_inn_generic_but_many_firms_do(tables: Any) -> None:
    branches = [firm(str(n), f"filial {n}", kpp=f"77{n:02d}43001") for n in range(20)]
    records, identifiers = tables(branches)
    assert generic_values(records, identifiers, 12).num_rows == 0
    firms = [firm(str(n), f"firma {n}", kpp=HEAD) for n in range(20)]
    records, identifiers = tables(firms)
    assert generic_values(records, identifiers, 12).to_pylist() == [
        {"kind": "organisation", "type": "inn", "value": "7707083893", "names": 20},
        {"kind": "organisation", "type": "kpp", "value": HEAD, "names": 20},
    ]


def test_an_address_of_many_firms_is_generic_and_one_of_many_families_is_not(tables: Any) -> None:
    place = {"street": "lenina", "house": "5", "postcode": "170100", "city": "tver"}
    firms = tables([{"key": str(n), "org": f"firma {n}", **place} for n in range(13)])
    value = "lenina\t5\t170100"
    assert generic_addresses(firms[0], 12).to_pylist() == [
        {"kind": "organisation", "type": "address", "value": value, "names": 13}
    ]
    assert generic_addresses(firms[0], 13).num_rows == 0
    families = tables([{"key": str(n), "given": "ivan", "family": f"familiia {n}", **place} for n in range(13)])
    assert generic_addresses(families[0], 12).num_rows == 0
    unknown = tables([{"key": str(n), "org": f"firma {n}", **place, "house": None} for n in range(13)])
    assert generic_addresses(unknown[0], 12).num_rows == 0


def test_a_generic_address_says_no_more_than_its_city(tables: Any) -> None:
    place = {"street": "lenina", "house": "5", "postcode": "170100", "city": "tver"}
    records, identifiers = tables(
        [{"key": "1", "org": "romashka", **place}, {"key": "2", "org": "vasilek", **place, "house": "7"}]
    )
    generic = pa.Table.from_pylist(
        [{"kind": "organisation", "type": "address", "value": "lenina\t5\t170100", "names": 13}], schema=GENERIC
    )
    features = Features.of(records, identifiers, generic)
    counts = {name: features.values(name).counts.tolist() for name in ("street", "house", "postcode", "city")}
    assert counts == {"street": [0, 1], "house": [0, 1], "postcode": [0, 1], "city": [1, 1]}
