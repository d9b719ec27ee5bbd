from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime
from typing import Any, get_args

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.survive import (
    CONTRIBUTION,
    GOLDEN,
    PIN,
    Rule,
    SurvivorshipRules,
    SurvivorshipSettings,
    default_settings,
    golden,
)
from tests.support.drills import examples

RULES = SurvivorshipRules()
RULES_OF_ALL = get_args(Rule)


def value(text: str, **notes: str) -> dict[str, str]:
    return {"v": text, **notes}


def record(
    record_id: int,
    attributes: dict[str, Any],
    *,
    client: str = "c1",
    source: str = "crm",
    key: str | None = None,
    kind: str = "person",
    role: str = "client",
    trust: int = 50,
    updated: datetime | None = None,
) -> dict[str, Any]:
    lists = {
        name: [item if isinstance(item, dict) else value(item) for item in (held if isinstance(held, list) else [held])]
        for name, held in attributes.items()
    }
    return {
        "client_id": client, "record_id": record_id, "source": source, "stream": "contacts",
        "source_key": key or str(record_id), "kind": kind, "role": role, "is_own": False, "trust": trust,
        "attributes": json.dumps(lists, ensure_ascii=False), "source_updated_at": updated,
    }  # fmt: skip


def run(
    *records: dict[str, Any],
    rules: SurvivorshipRules = RULES,
    pins: list[dict[str, Any]] | None = None,
    told: bool = True,
) -> list[dict[str, Any]]:
    table = golden(
        pa.Table.from_pylist(list(records), schema=CONTRIBUTION),
        rules,
        pa.Table.from_pylist([dict.fromkeys(PIN.names) | {"policy": "pin"} | pin for pin in pins], schema=PIN)
        if pins
        else None,
        told=told,
    )
    assert table.schema.equals(GOLDEN)
    return [
        {**row, "attributes": json.loads(row["attributes"]), "lineage": json.loads(row["lineage"])}
        for row in table.to_pylist()
    ]


def one(
    *records: dict[str, Any], rules: SurvivorshipRules = RULES, pins: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    (client,) = run(*records, rules=rules, pins=pins)
    return client


def winner(*records: dict[str, Any], rules: SurvivorshipRules = RULES) -> tuple[str, str]:
    client = one(*records, rules=rules)
    return client["attributes"]["hobby"], client["lineage"]["hobby"]["rule"]


def test_no_records_have_no_clients() -> None:
    assert golden(CONTRIBUTION.empty_table(), RULES).equals(GOLDEN.empty_table())


def test_a_record_without_attributes_is_a_client_named_by_its_key() -> None:
    client = one(record(1, {}, source="erp", key="K-7"))
    assert (client["display_name"], client["attributes"], client["lineage"]) == ("erp:K-7", {}, {})


def test_one_record_gives_its_values() -> None:
    client = one(record(1, {"full_name": "Анна", "hobby": "шахматы"}))
    assert client["attributes"] == {"full_name": "Анна", "hobby": "шахматы"}
    assert client["lineage"]["hobby"] == {"record_id": 1, "rule": "only"}
    assert client["record_count"] == 1


def test_records_that_agree_say_so() -> None:
    assert winner(record(1, {"hobby": "Go"}), record(2, {"hobby": "Go"})) == ("Go", "agreed")


def test_a_valid_value_goes_before_an_invalid_one_of_a_trusted_source() -> None:
    client = one(
        record(1, {"inn": value("123", invalid="length")}, trust=90),
        record(2, {"inn": "7707083893"}, trust=10),
    )
    assert client["attributes"]["inn"] == "7707083893"
    assert client["lineage"]["inn"] == {
        "record_id": 2, "rule": "valid", "losers": [{"record_id": 1, "value": "123", "reason": "valid"}],
    }  # fmt: skip


def test_an_invalid_value_is_a_last_resort_and_marked() -> None:
    client = one(record(1, {"inn": value("123", invalid="length"), "phone": [value("7", invalid="too short")]}))
    assert client["attributes"] == {"inn": "123", "phone": ["7"]}
    assert client["lineage"]["inn"]["invalid"] == "length"
    assert client["lineage"]["phone"]["values"][0]["invalid"] == "too short"


@pytest.mark.parametrize("reason", ["placeholder", "own organisation"])
def test_placeholders_and_own_addresses_never_survive(reason: str) -> None:
    assert one(record(1, {"email": value("x", invalid=reason)}))["attributes"] == {}


def test_what_a_source_says_goes_before_what_was_derived() -> None:
    derived = value("Go", derived="x")
    assert winner(record(1, {"hobby": derived}, trust=90), record(2, {"hobby": "Skat"}, trust=1)) == (
        "Skat",
        "stated",
    )


def test_the_more_trusted_source_wins() -> None:
    newer = datetime(2026, 1, 1, tzinfo=UTC)
    assert winner(record(1, {"hobby": "Go"}, trust=60), record(2, {"hobby": "Skat"}, updated=newer)) == (
        "Go",
        "trust",
    )


def test_the_latest_by_the_sources_clock_wins() -> None:
    old, new = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    records = (
        record(1, {"hobby": "Go"}, updated=old),
        record(2, {"hobby": "Skat"}, updated=new),
        record(3, {"hobby": "Dame"}),
    )
    assert winner(*records) == ("Skat", "recent")


def test_the_most_frequent_value_wins() -> None:
    assert winner(record(1, {"hobby": "Go"}), record(2, {"hobby": "Skat"}), record(3, {"hobby": "Skat"})) == (
        "Skat",
        "frequent",
    )


def test_the_longest_value_wins() -> None:
    assert winner(record(1, {"hobby": "Go"}), record(2, {"hobby": "Skat"})) == ("Skat", "longest")


def test_ties_go_to_the_smaller_natural_key_bytewise() -> None:
    assert winner(record(1, {"hobby": "Go"}, key="b"), record(2, {"hobby": "Ed"}, key="Z")) == (
        "Ed",
        "natural key",
    )
    assert winner(record(1, {"hobby": "Go"}, source="b"), record(2, {"hobby": "Ed"}, source="a")) == (
        "Ed",
        "natural key",
    )


def test_the_register_with_authority_decides() -> None:
    rules = SurvivorshipRules(authority={"hobby": ("club:contacts", "crm")})
    records = [record(1, {"hobby": "Go"}, trust=90, source="erp"), record(2, {"hobby": "Skat"}, source="crm")]
    assert winner(*records, rules=rules) == ("Skat", "authority")
    assert winner(*records, record(3, {"hobby": "Dame"}, source="club"), rules=rules) == ("Dame", "authority")


def test_rules_of_a_field_replace_the_default() -> None:
    rules = SurvivorshipRules(SurvivorshipSettings.model_validate({"fields": {"hobby": ["longest"]}}))
    assert winner(record(1, {"hobby": "Go"}, trust=99), record(2, {"hobby": "Skat"}), rules=rules) == (
        "Skat",
        "longest",
    )


def test_every_distinct_value_of_a_multi_valued_field_is_kept_best_first() -> None:
    client = one(
        record(1, {"email": ["a@x.ru", "b@x.ru", value("zzz", invalid="no @")]}),
        record(2, {"email": ["b@x.ru", "c@x.ru"]}, trust=80),
    )
    assert client["attributes"]["email"] == ["b@x.ru", "c@x.ru", "a@x.ru"]
    lineage = client["lineage"]["email"]
    assert [kept["record_id"] for kept in lineage["values"]] == [2, 2, 1]
    assert lineage["losers"] == [{"record_id": 1, "value": "zzz", "reason": "valid"}]


def test_an_open_attribute_declared_multi_keeps_all() -> None:
    rules = SurvivorshipRules(multi=frozenset({"hobby"}))
    assert one(record(1, {"hobby": ["Go", "Skat"]}), rules=rules)["attributes"]["hobby"] == ["Go", "Skat"]


def test_an_address_is_taken_whole() -> None:
    client = one(
        record(1, {"city": "Москва", "street": "Ленина", "house": "5"}, trust=10),
        record(2, {"city": "Химки", "postcode": "141400"}, trust=90),
    )
    assert client["attributes"] == {"city": "Москва", "house": "5", "street": "Ленина"}
    assert client["lineage"]["city"] == {
        "record_id": 1, "rule": "complete", "group": "address",
        "losers": [{"record_id": 2, "value": "Химки", "reason": "complete"}],
    }  # fmt: skip


def test_names_come_from_one_record() -> None:
    client = one(
        record(
            1,
            {
                "given_name": "Пётр",
                "family_name": "Иванов",
                "full_name": value("Пётр Иванов", derived="parts"),
            },
        ),
        record(
            2,
            {
                "given_name": "Павел",
                "family_name": "Иванов",
                "full_name": value("Павел Иванов", derived="parts"),
            },
            trust=90,
        ),
    )
    assert client["attributes"] == {
        "given_name": "Павел",
        "family_name": "Иванов",
        "full_name": "Павел Иванов",
    }
    assert client["display_name"] == "Павел Иванов"


def test_the_role_that_matters_most_is_the_clients() -> None:
    assert one(record(1, {}, role="supplier"), record(2, {}, role="client"))["role"] == "client"
    assert one(record(1, {}, role="staff"), record(2, {}, role="supplier"))["role"] == "supplier"
    assert one(record(1, {}, role="staff"), record(2, {}, role="authority"))["role"] == "authority"


def test_an_organisation_is_shown_by_its_legal_name() -> None:
    client = one(
        record(1, {"legal_name": "ООО «Ромашка»", "full_name": "Ромашка", "email": "a@b.ru"}, kind="organisation")
    )
    assert (client["kind"], client["display_name"]) == ("organisation", "ООО «Ромашка»")


def test_a_pin_stands_over_every_rule_and_says_what_it_replaced() -> None:
    client = one(
        record(1, {"hobby": "Go"}), record(2, {"hobby": "Skat"}, trust=90),
        pins=[{"record_id": 1, "attribute": "hobby", "value": "Dame", "reason": "asked by phone"}],
    )  # fmt: skip
    assert client["attributes"]["hobby"] == "Dame"
    assert client["lineage"]["hobby"] == {
        "record_id": 1, "rule": "pinned", "policy": "pin", "note": "asked by phone",
        "losers": [{"record_id": 2, "value": "Skat", "reason": "pinned"}, {"record_id": 1, "value": "Go",
        "reason": "trust"}],
    }  # fmt: skip


def test_a_pin_follows_its_record() -> None:
    clients = run(
        record(1, {"hobby": "Go"}, client="c1"), record(2, {"hobby": "Go"}, client="c2"),
        pins=[{"record_id": 2, "attribute": "hobby", "value": "Dame"}, {"record_id": 99,
        "attribute": "hobby", "value": "?"}],
    )  # fmt: skip
    assert [client["attributes"]["hobby"] for client in clients] == ["Go", "Dame"]


def test_a_pin_of_one_address_field_leaves_the_others() -> None:
    client = one(
        record(1, {"city": "Москва", "street": "Ленина"}),
        pins=[{"record_id": 1, "attribute": "city", "value": "Тверь"}],
    )
    assert client["attributes"] == {"city": "Тверь", "street": "Ленина"}


def test_fill_if_empty_fills_only_what_is_empty_or_invalid() -> None:
    pin = {"record_id": 1, "attribute": "hobby", "value": "Go", "policy": "fill_if_empty"}
    assert one(record(1, {"hobby": "Skat"}), pins=[pin])["attributes"]["hobby"] == "Skat"
    assert one(record(1, {}), pins=[pin])["attributes"]["hobby"] == "Go"
    assert one(record(1, {"hobby": value("?", invalid="x")}), pins=[pin])["attributes"]["hobby"] == "Go"


def test_a_pin_can_empty_a_field_and_pins_of_lists_stay_lists() -> None:
    pins: list[dict[str, Any]] = [
        {"record_id": 1, "attribute": "hobby", "value": None},
        {"record_id": 1, "attribute": "email", "value": "b@x.ru"},
        {"record_id": 1, "attribute": "phone", "value": "+74951234567"},
    ]
    client = one(record(1, {"hobby": "Go", "email": ["a@x.ru", "b@x.ru"]}), pins=pins)
    assert client["attributes"] == {"hobby": None, "email": ["b@x.ru"], "phone": ["+74951234567"]}
    assert client["lineage"]["email"]["losers"] == [{"record_id": 1, "value": "a@x.ru", "reason": "pinned"}]


def test_two_pins_on_one_field_are_a_conflict_that_the_lineage_shows() -> None:
    pins = [{"record_id": n, "attribute": "hobby", "value": f"pin {n}"} for n in (2, 1)]
    client = one(record(1, {}), record(2, {}), pins=pins)
    assert client["attributes"]["hobby"] == "pin 1"
    assert client["lineage"]["hobby"]["conflict"] is True


def test_lineage_names_fifty_losers_and_counts_the_rest() -> None:
    client = one(*(record(n, {"hobby": f"h{n:03d}"}) for n in range(1, 100)))
    lineage = client["lineage"]["hobby"]
    assert (len(lineage["losers"]), lineage["more"]) == (50, 48)


def test_strange_values_stay_json() -> None:
    odd = 'a "b" \\ \t \u2028 2020-01-01'
    client = one(record(1, {"hobby": odd, 'x"y': "2020-01-01T00:00:00Z", "n": "1.0"}), record(2, {"hobby": "}{"}))
    assert client["attributes"] == {"hobby": odd, 'x"y': "2020-01-01T00:00:00Z", "n": "1.0"}


def test_a_changed_lineage_changes_the_hash_and_the_same_input_does_not() -> None:
    before = one(record(1, {"hobby": "Go"}))["golden_hash"]
    assert one(record(1, {"hobby": "Go"}))["golden_hash"] == before
    assert one(record(2, {"hobby": "Go"}))["golden_hash"] != before


def test_a_consent_refused_anywhere_is_refused() -> None:
    rules = SurvivorshipRules(SurvivorshipSettings.model_validate({"fields": {"newsletter": ["most_restrictive"]}}))
    newer = datetime(2026, 1, 1, tzinfo=UTC)
    client = one(
        record(1, {"newsletter": "true"}, trust=99, updated=newer), record(2, {"newsletter": "false"}),
        record(3, {"newsletter": "true"}), record(4, {}), rules=rules,
    )  # fmt: skip
    assert client["attributes"]["newsletter"] == "false"
    assert client["lineage"]["newsletter"] == {
        "record_id": 2, "rule": "most_restrictive",
        "losers": [{"record_id": 1, "value": "true", "reason": "most_restrictive"}],
    }  # fmt: skip


def test_of_consents_in_words_what_nobody_listed_allows_nothing() -> None:
    consent = {"rules": ["most_restrictive", "recent"], "order": ["withdrawn", False, "unknown", "given"]}
    rules = SurvivorshipRules(SurvivorshipSettings.model_validate({"fields": {"hobby": consent}}))
    said = [record(n, {"hobby": word}) for n, word in enumerate(["given", "unknown", "false", "withdrawn", "perhaps"])]
    won = [one(*said[:count], rules=rules)["attributes"]["hobby"] for count in range(1, 6)]
    assert won == ["given", "unknown", "false", "withdrawn", "perhaps"]


def test_a_pin_tells_its_last_day_and_its_judgement() -> None:
    pin = {"record_id": 1, "attribute": "hobby", "value": "Go", "policy": "until_date", "until": date(2026, 3, 1),
           "judgement_id": 7}  # fmt: skip
    lineage = one(record(1, {}), pins=[pin])["lineage"]["hobby"]
    assert (lineage["policy"], lineage["until"], lineage["judgement"]) == ("until_date", "2026-03-01", 7)


_VALUES = {"hobby": ["", "Go", "Skat", "Ed"], "consent": ["", "true", "false", "maybe"], "city": ["", "X", "Y"],
           "street": ["", "S", "T"], "full_name": ["", "A B", "B A"], "given_name": ["", "A", "B"]}  # fmt: skip
_NOTES = st.sampled_from([{}, {}, {"invalid": "syntax"}, {"derived": "x"}])


@st.composite
def _records(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Records of three clients, of all that rules look at: validity, derivation, trust, time, agreement, length."""

    def said(name: str) -> Any:
        text = draw(st.sampled_from(_VALUES[name]))
        return value(text, **draw(_NOTES)) if text else None

    def mails() -> list[Any]:
        return [value(text, **draw(_NOTES)) for text in draw(st.lists(st.sampled_from(["a@x", "b@x"]), max_size=3))]

    made = []
    for number in draw(st.lists(st.integers(1, 10_000), min_size=1, max_size=12, unique=True)):
        attributes = {name: held for name in _VALUES if (held := said(name)) is not None} | {"email": mails()}
        day = draw(st.integers(0, 2))
        made.append(
            record(
                number, {name: held for name, held in attributes.items() if held},
                client=draw(st.sampled_from(["c1", "c2", "c3"])), source=draw(st.sampled_from(["a", "b", "c"])),
                trust=draw(st.integers(1, 2)), role=draw(st.sampled_from(["client", "supplier"])),
                updated=datetime(2026, 1, day, tzinfo=UTC) if day else None,
            )
        )  # fmt: skip
    return made


@st.composite
def _rules(draw: st.DrawFn) -> SurvivorshipRules:
    """Any order of any of the rules for single fields and groups, with authority."""

    def some() -> list[str]:
        chosen = [rule for rule in RULES_OF_ALL if rule != "most_restrictive"]
        return draw(st.lists(st.sampled_from(chosen), unique=True))

    fields = {
        "hobby": some(), "consent": ["most_restrictive", *some()], "address": some(), "name": some(),
        "email": {"keep": "all", "rules": some()},
    }  # fmt: skip
    laid_over = SurvivorshipSettings.model_validate({"fields": fields}).over(default_settings())
    registers = tuple(draw(st.lists(st.sampled_from(["a", "b", "a:contacts"]), unique=True)))
    return SurvivorshipRules(laid_over, authority={"hobby": registers, "address": registers})


@st.composite
def _pins(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Pins of every policy on single fields, fields of groups and lists."""
    pin = st.fixed_dictionaries(
        {
            "record_id": st.integers(1, 10_000), "attribute": st.sampled_from(["hobby", "city", "email", "consent"]),
            "value": st.sampled_from(["P", "Q", None]),
            "policy": st.sampled_from(["pin", "until_date", "until_source_changes", "fill_if_empty"]),
        }
    )  # fmt: skip
    return draw(st.lists(pin, max_size=4))


@pytest.mark.searches
@settings(max_examples=examples(80, 900), deadline=None)
@given(_records(), _rules(), _pins(), st.randoms(use_true_random=False))
def test_the_same_inputs_give_the_same_golden_record_in_whatever_order_they_came(
    records: list[dict[str, Any]], rules: SurvivorshipRules, pins: list[dict[str, Any]], rng: random.Random
) -> None:
    pins = [{**pin, "record_id": rng.choice(records)["record_id"]} for pin in pins] + pins
    shuffled, other_pins = list(records), list(pins)
    rng.shuffle(shuffled)
    rng.shuffle(other_pins)
    assert run(*records, rules=rules, pins=pins) == run(*shuffled, rules=rules, pins=other_pins)


@pytest.mark.searches
@settings(max_examples=examples(80, 600), deadline=None)
@given(_records(), _rules())
def test_every_value_that_did_not_become_golden_is_named_with_the_rule_by_which_it_lost(
    records: list[dict[str, Any]], rules: SurvivorshipRules
) -> None:
    for client in run(*records, rules=rules):
        mine = [json.loads(r["attributes"]) for r in records if r["client_id"] == client["client_id"]]
        for name in ("hobby", "consent", "email"):
            said = {held["v"] for attributes in mine for held in attributes.get(name, ())}
            golden_value = client["attributes"].get(name)
            kept = set(golden_value) if isinstance(golden_value, list) else {golden_value}
            losers = client["lineage"].get(name, {}).get("losers", [])
            assert {loser["value"] for loser in losers} == said - kept
            assert {loser["reason"] for loser in losers} <= {*rules.of(name), "natural key"}


@pytest.mark.searches
@settings(max_examples=examples(40, 400), deadline=None)
@given(_records(), _rules(), _pins(), st.randoms(use_true_random=False))
def test_values_are_the_same_where_nobody_asks_for_their_lineage(
    records: list[dict[str, Any]], rules: SurvivorshipRules, pins: list[dict[str, Any]], rng: random.Random
) -> None:
    pins = [{**pin, "record_id": rng.choice(records)["record_id"]} for pin in pins]
    untold = run(*records, rules=rules, pins=pins, told=False)
    told = run(*records, rules=rules, pins=pins)
    for client in (*untold, *told):
        del client["lineage"], client["golden_hash"]
    assert untold == told


@pytest.mark.searches
@settings(max_examples=examples(15, 150), deadline=None)
@given(_records())
def test_clients_are_independent_of_one_another(records: list[dict[str, Any]]) -> None:
    together = {client["client_id"]: client for client in run(*records)}
    for client_id, client in together.items():
        assert one(*(r for r in records if r["client_id"] == client_id)) == client


def test_batches_inside_are_cut_between_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [record(n, {"hobby": f"h{n % 3}"}, client=f"c{n % 5}") for n in range(1, 30)]
    whole = run(*records)
    monkeypatch.setattr("identity.survive.golden_record.BATCH_RECORDS", 4)
    assert run(*records) == whole


def test_shipped_settings_are_valid_and_users_settings_lie_over_them() -> None:
    shipped = default_settings()
    assert shipped.groups["address"][-1] == "postcode"
    mine = SurvivorshipSettings.model_validate({"fields": {"inn": ["longest"]}, "groups": {"name": ["full_name"]}})
    both = mine.over(shipped)
    assert both.groups == {"address": shipped.groups["address"], "name": ("full_name",)}
    assert both.fields["inn"].rules == ("longest",)
    assert both.fields["email"].keep == "all"
    assert both.default == shipped.default


@pytest.mark.parametrize(
    "mistake",
    [
        {"default": ["newest"]}, {"default": ["trust", "trust"]}, {"fields": {"x": ["trust", "trust"]}},
        {"groups": {"a": ["x"], "b": ["x"]}}, {"groups": {"a": []}}, {"unknown": 1},
        {"default": ["most_restrictive"]}, {"groups": {"a": ["x"]}, "fields": {"a": ["most_restrictive"]}},
        {"fields": {"x": {"rules": ["most_restrictive"], "keep": "all"}}},
        {"fields": {"x": {"rules": ["recent"], "order": ["a"]}}},
        {"fields": {"x": {"rules": ["most_restrictive"], "order": ["a", "a"]}}},
        {"groups": {"a": ["x"]}, "fields": {"x": ["trust"]}}, {"groups": {"a": ["x"]},
        "fields": {"a": {"keep": "all"}}},
    ],
)  # fmt: skip
def test_mistakes_in_survivorship_settings_are_refused(mistake: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        SurvivorshipSettings.model_validate(mistake)
