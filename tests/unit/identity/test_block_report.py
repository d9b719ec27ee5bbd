"""What the blocking rules cost and find, the blocks by name, and the rules that the data suggest."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from identity.blocking.blocks import pairs_of, values_behind
from identity.evaluation.block_report import Ground, block_report, grounds
from identity.evaluation.rule_additions import narrows
from identity.evaluation.rule_suggestions import pairs_of_clients, suggest
from identity.generic import generic_values
from identity.model import prior_model
from identity.population import Rules
from identity.resolve import Resolution, resolve
from identity.schema import JUDGEMENT
from identity.settings import MatchingSettings, load_settings, parse_value, rule_name

SETTINGS = load_settings()
GIVEN = ("anna", "boris", "vera", "oleg", "maria", "peter")
CITIES = ("oxford", "leeds", "york")


def people(count: int, seed: int = 5) -> list[dict[str, Any]]:
    """People of whom many stand twice, with mistakes."""
    draw = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for number in range(count):
        family = "smith" if number % 4 == 0 else "".join(draw.choice(("ba", "ki", "ro", "su", "te")) for _ in range(4))
        given, city = draw.choice(GIVEN), draw.choice(CITIES)
        born = f"19{draw.randrange(50, 99)}-{draw.randrange(1, 13):02d}-{draw.randrange(10, 28)}"
        phone = f"+7916{draw.randrange(10**7):07d}"
        for copy in range(draw.choice((1, 2, 2, 3))):
            rows.append(
                {
                    "key": f"{number}-{copy}",
                    "given": given if draw.random() < 0.8 else given[:1] + given[2:],
                    "family": family if draw.random() < 0.8 else family[:2] + family[3:],
                    "born": born if draw.random() < 0.7 else None,
                    "city": city,
                    "phone": (phone, f"+7499{draw.randrange(10**7):07d}") if draw.random() < 0.5 else None,
                }
            )
    return rows


def ground_of(
    tables: Any, rows: Sequence[Mapping[str, Any]], settings: MatchingSettings = SETTINGS, **rules: Any
) -> tuple[Ground, Resolution]:
    """The ground of persons, resolved under `settings`, and that resolution."""
    records, identifiers = tables(rows)
    model = prior_model(settings)
    found = resolve(records, identifiers, None, model, settings)
    crosswalk = pa.table({"record_id": found.labels["record_id"], "client_id": found.labels["label"].cast(pa.string())})
    generic = generic_values(records, identifiers, settings.generic_names)
    in_force = Rules(model, settings, JUDGEMENT.empty_table(), (), generic)
    return grounds(records, identifiers, found.pairs, crosswalk, in_force)[0], found


def with_rules(*rules: Sequence[str], **more: Any) -> MatchingSettings:
    return load_settings({"person": {"blocking": [list(rule) for rule in rules]}, **more})


def test_the_report_says_of_each_rule_what_the_resolution_itself_counted(tables: Any) -> None:
    ground, found = ground_of(tables, people(200))
    report = block_report(ground)
    assert list(report.rules) == [rule for rule in found.report.rules if rule.kind == "person"]
    assert report.candidate_pairs == found.report.candidate_pairs
    assert report.matches == found.report.linked_pairs
    assert report.unproposed == 0
    assert sum(rule.linked_only for rule in report.rules) <= report.matches


def test_every_key_has_the_value_that_made_it(tables: Any) -> None:
    ground, _ = ground_of(tables, people(40))
    blocks, rules = ground.blocks, ground.rules.blocking
    for entry in range(len(blocks.row)):
        rule = rules[int(blocks.rule[entry])]
        row, key = int(blocks.row[entry]), int(blocks.key[blocks.of[entry]])
        values = values_behind(ground.features, "person", rule, row, key)
        assert len(values) == len(rule)
    with pytest.raises(KeyError):
        values_behind(ground.features, "person", rules[0], 0, 12345)


def test_a_block_over_the_cap_is_named_by_its_value_and_proposes_nothing(tables: Any) -> None:
    rows = [{"key": str(n), "family": f"f{n}", "phone": "+74951234567"} for n in range(6)]
    ground, _ = ground_of(tables, rows, with_rules(["identifier"], ["full_name.sorted"], block_cap=5))
    report = block_report(ground)
    largest = report.largest[0]
    assert (largest.rule, largest.values, largest.size) == ("identifier", ("phone:+74951234567",), 6)
    assert largest.is_refused
    assert report.rules[0].pairs == 0
    assert (report.rules[0].refused, report.rules[0].refused_records) == (1, 6)
    assert [block.size for block in report.largest] == sorted((b.size for b in report.largest), reverse=True)


def test_records_that_are_alike_in_everything_count_once(tables: Any) -> None:
    row = {"given": "anna", "family": "li", "phone": "+74951234567", "born": "1980-05-01"}
    ground, _ = ground_of(tables, [{"key": str(n), **row} for n in range(50)])
    report = block_report(ground)
    assert (report.records, report.points) == (50, 1)
    assert all(rule.pairs == 0 for rule in report.rules)


def test_an_edited_rule_is_measured_against_the_matches_of_before(tables: Any) -> None:
    rows = people(120)
    before, found = ground_of(tables, rows)
    narrow = with_rules(["identifier"])
    records, identifiers = tables(rows)
    rules = Rules(prior_model(narrow), narrow, JUDGEMENT.empty_table(), (), found.generic)
    crosswalk = pa.table({"record_id": found.labels["record_id"], "client_id": found.labels["label"].cast(pa.string())})
    (after,) = grounds(records, identifiers, found.pairs, crosswalk, rules)
    report = block_report(after)
    assert report.matches == len(before.matches[0])
    assert report.unproposed == report.matches - report.rules[0].linked
    assert report.unproposed > 0


def test_a_rule_that_was_taken_out_is_suggested_again(tables: Any) -> None:
    kept = (["full_name.sorted"], ["family_name.sound", "birth_date.year"], ["given_name.sound", "birth_date.year"])
    ground, _ = ground_of(tables, people(400), with_rules(*kept))
    found = suggest(ground)
    assert found.looked_at >= found.through_clusters + found.single > 0
    assert found.add
    best = max(found.add, key=lambda one: one.new_links)
    assert best.new_links > 0
    resolved_with, more = ground_of(tables, people(400), with_rules(*kept, best.rule))
    assert more.report.linked_pairs > len(ground.matches[0])
    assert suggest(resolved_with).through_clusters <= found.through_clusters
    assert best.rule not in [one.rule for one in suggest(resolved_with).add]


def test_suggestions_are_the_same_whatever_the_order_of_the_records(tables: Any) -> None:
    rows = people(150)
    mixed = list(rows)
    random.Random(1).shuffle(mixed)
    assert suggest(ground_of(tables, rows)[0]) == suggest(ground_of(tables, mixed)[0])


def test_a_suggested_rule_costs_what_it_says(tables: Any) -> None:
    ground, _ = ground_of(tables, people(300), with_rules(["full_name.sorted"], ["family_name.sound", "city"]))
    for one in suggest(ground).add:
        rule = tuple(parse_value(text) for text in one.rule)
        blocks = ground.blocks_by([rule])
        assert one.pairs == pairs_of(blocks.size[blocks.active])
        assert not any(narrows(rule, known) for known in ground.rules.blocking)


def test_without_all_rules_to_take_out_every_match_is_still_proposed(tables: Any) -> None:
    ground, _ = ground_of(tables, people(900))
    gone = {one.rule for one in suggest(ground).drop}
    assert gone
    rules = ground.rules.blocking
    kept = [at for at, rule in enumerate(rules) if rule_name(rule) not in gone]
    proposes = ground.blocks.proposing(ground.matches, len(rules))
    assert proposes[:, kept].any(axis=1).all()


def test_refused_blocks_are_refined_by_the_value_that_brings_their_pairs_back(tables: Any) -> None:
    # Everybody is called Test: the only rule is refused, and what is one client met through a person's word.
    rows = [
        {"key": f"{n:02d}-{copy}", "family": "test", "born": f"1980-{1 + n % 12:02d}-{10 + n // 12}", "city": "oxford"}
        for n in range(20)
        for copy in range(2)
    ]
    for row in rows[1::2]:
        row["given"] = "anna"
    settings = with_rules(["family_name"], block_cap=10)
    records, identifiers = tables(rows)
    model = prior_model(settings)
    found = resolve(records, identifiers, None, model, settings)
    clients = [str(at // 2) for at in range(len(rows))]
    crosswalk = pa.table({"record_id": found.labels["record_id"], "client_id": clients})
    rules = Rules(model, settings, JUDGEMENT.empty_table(), (), found.generic)
    (ground,) = grounds(records, identifiers, found.pairs, crosswalk, rules)
    (one,) = suggest(ground).refine
    assert (one.rule, one.refused, one.refused_records) == ("family_name", 1, 40)
    assert one.largest.values == ("test",)
    assert one.refined == ("family_name", "birth_date")
    assert (one.recovered, one.still_refused, one.pairs) == (20, 0, 20)


def test_a_rule_that_holds_an_identifier_narrows_the_rule_of_all_identifiers() -> None:
    def rule(*texts: str) -> tuple[Any, ...]:
        return tuple(map(parse_value, texts))

    assert narrows(rule("city", "phone"), rule("identifier"))
    assert narrows(rule("family_name", "city"), rule("family_name.sound"))
    assert not narrows(rule("city", "phone.last(7)"), rule("identifier"))
    assert not narrows(rule("city", "domain"), rule("identifier"))
    assert not narrows(rule("family_name.sound"), rule("family_name"))


def test_pairs_of_clients_are_all_pairs_of_small_ones(tables: Any) -> None:
    ground, _ = ground_of(tables, people(60))
    left, right = pairs_of_clients(ground)
    _, sizes = np.unique(ground.client[ground.points.row], return_counts=True)
    assert len(left) == pairs_of(sizes)
    assert (ground.client[left] == ground.client[right]).all()
    assert (left < right).all()


def test_a_register_without_a_match_gives_a_report_without_suggestions(tables: Any) -> None:
    ground, _ = ground_of(tables, [{"key": "1", "family": "li"}, {"key": "2", "family": "ito"}])
    report, advice = block_report(ground), suggest(ground)
    assert (report.matches, report.candidate_pairs, report.largest) == (0, 0, ())
    assert (advice.add, advice.drop, advice.refine) == ((), (), ())
