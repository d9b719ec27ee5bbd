"""Why a client is what it is: links, objections, bridges, borders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from identity.explanation.explain_cluster import ClusterEvidence, explain_cluster
from identity.generic import generic_values
from identity.model import prior_model
from identity.population import Rules
from identity.resolve import resolve
from identity.schema import JUDGEMENT
from identity.settings import load_settings

SETTINGS = load_settings()
MODEL = prior_model(SETTINGS)
ANNA = {"given": "anna", "family": "kern", "born": "1990-02-11"}


def explained(
    table: tuple[pa.Table, pa.Table],
    record: int,
    judgements: pa.Table | None = None,
    distinct: Sequence[str] = (),
    **how: Any,
) -> ClusterEvidence:
    """The client of `record` as `resolve` makes it, explained among all others."""
    said = JUDGEMENT.empty_table() if judgements is None else judgements
    labels = resolve(*table, said, MODEL, SETTINGS, distinct_sources=distinct).labels
    client_of = dict(zip(labels["record_id"].to_pylist(), map(str, labels["label"].to_pylist()), strict=True))
    rules = Rules(MODEL, SETTINGS, said, distinct, generic_values(*table, SETTINGS.generic_names))
    return explain_cluster(*table, client_of, client_of[record], rules, **how)


def test_a_chain_is_told_with_its_weakest_link_and_the_record_it_hangs_on(tables: Any, record_id: Any) -> None:
    found = explained(
        tables(
            [
                {"key": "1", **ANNA, "email": "anna@x.com"},
                {"key": "2", **ANNA, "email": "anna@x.com", "phone": "+79161112233"},
                {"key": "3", **ANNA, "phone": "+79161112233", "city": "klin"},
            ]
        ),
        record_id("1"),
    )
    assert (found.records, found.pairs, len(found.held_by)) == (3, 3, 2)
    assert [pair.weight for pair in found.held_by] == sorted(pair.weight for pair in found.held_by)
    assert found.seam is not None
    assert found.seam.link in found.held_by
    assert found.seam.smaller == (record_id("3"),)
    assert found.seam.left + found.seam.right == 3
    assert all(pair.words and len(pair.words) == len(pair.bits) for pair in found.held_by)
    assert found.borders == ()


def test_two_groups_that_one_pair_holds_part_there_first(tables: Any, record_id: Any, judgements: Any) -> None:
    others = {"given": "olga", "family": "lipp", "born": "1951-07-30"}
    rows = [
        *({"key": f"a{number}", **ANNA, "city": city} for number, city in enumerate(["klin", "tver", "tula"])),
        *({"key": f"b{number}", **others, "city": city} for number, city in enumerate(["orel", "omsk"])),
    ]
    found = explained(tables(rows), record_id("a0"), judgements(("same", [record_id("a1")], [record_id("b0")])))
    assert found.seam is not None
    assert found.seam.link.judged
    assert {found.seam.left, found.seam.right} == {2, 3}
    assert set(found.seam.smaller) == {record_id("b0"), record_id("b1")}
    assert found.seam.mean < 0


def test_records_that_are_alike_are_one_member(tables: Any, record_id: Any) -> None:
    rows = [{"key": str(number), **ANNA, "email": "anna@x.com"} for number in range(5)]
    found = explained(tables([*rows, {"key": "9", **ANNA, "phone": "+79161112233"}]), record_id("1"))
    assert found.records == 6
    assert sorted(member.alike for member in found.members) == [1, 5]
    assert found.pairs == 1


@pytest.mark.parametrize("reversed_order", [False, True])
def test_the_same_records_in_any_order_are_explained_alike(tables: Any, record_id: Any, reversed_order: bool) -> None:
    rows = [{"key": str(number), **ANNA, "city": city} for number, city in enumerate(["klin", "tver", "tula", "orel"])]
    table = tables(rows)
    other = tuple(part.take(pa.array(range(part.num_rows - 1, -1, -1), pa.int64())) for part in table)
    chosen = other if reversed_order else table
    assert explained(chosen, record_id("1")) == explained(table, record_id("1"))


def test_a_neighbour_below_the_threshold_is_told_with_the_bits_that_are_missing(tables: Any, record_id: Any) -> None:
    found = explained(
        tables([{"key": "1", **ANNA}, {"key": "2", "given": "olga", "family": "kern", "city": "klin"}]), record_id("1")
    )
    (border,) = found.borders
    assert border.reason == "below"
    assert border.strongest.weight < found.link
    assert border.strongest.left_id == record_id("1")


def test_a_contradiction_a_judgement_and_a_distinct_register_are_named(
    tables: Any, record_id: Any, judgements: Any
) -> None:
    firms = tables(
        [
            {"key": "1", "org": "romashka", "phone": "+74951112233", "inn": "7707083893"},
            {"key": "2", "org": "romashka", "phone": "+74951112233", "inn": "7728168971"},
        ]
    )
    (border,) = explained(firms, record_id("1")).borders
    assert (border.reason, border.details) == ("contradiction", ("inn",))
    twins = tables([{"key": "1", **ANNA, "email": "anna@x.com"}, {"key": "2", **ANNA, "email": "anna@x.com"}])
    said = judgements(("not_same", [record_id("1")], [record_id("2")]))
    (border,) = explained(twins, record_id("1"), said).borders
    assert (border.reason, border.details) == ("judgement", ("1",))
    (border,) = explained(twins, record_id("1"), distinct=["crm"]).borders
    assert (border.reason, border.details) == ("distinct", ("crm",))


def test_what_a_person_joined_is_held_by_that_word(tables: Any, record_id: Any, judgements: Any) -> None:
    table = tables([{"key": "1", **ANNA}, {"key": "2", "given": "olga", "family": "lipp", "born": "1951-07-30"}])
    found = explained(table, record_id("1"), judgements(("same", [record_id("1")], [record_id("2")])))
    (link,) = found.held_by
    assert link.judged
    assert link.weight < 0
    assert [pair.weight for pair in found.against] == [link.weight]


def test_no_more_is_told_than_asked(tables: Any, record_id: Any) -> None:
    rows = [{"key": str(number), "given": "anna", "family": "kern", "city": f"c{number}"} for number in range(12)]
    found = explained(tables(rows), record_id("1"), limit=3)
    assert len(found.borders) == 3
    assert found.borders == explained(tables(rows), record_id("1"), limit=11).borders[:3]


def test_a_client_without_records_here_is_refused(tables: Any) -> None:
    table = tables([{"key": "1", **ANNA}])
    rules = Rules(MODEL, SETTINGS, JUDGEMENT.empty_table(), (), generic_values(*table, SETTINGS.generic_names))
    with pytest.raises(KeyError, match="no record of nobody"):
        explain_cluster(*table, {}, "nobody", rules)
