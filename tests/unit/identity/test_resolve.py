"""The whole kernel: records in, partition out."""

from __future__ import annotations

import time
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from identity.model import prior_model
from identity.resolve import Resolution, resolve
from identity.settings import load_settings

SETTINGS = load_settings()
MODEL = prior_model(SETTINGS)

IVAN = {
    "given": "ivan",
    "middle": "petrovich",
    "family": "sidorov",
    "born": "1980-05-01",
    "email": "ivan@example.com",
}


def partition(resolution: Resolution) -> set[frozenset[int]]:
    groups: dict[int, set[int]] = {}
    labels = resolution.labels
    for record, label in zip(labels["record_id"].to_pylist(), labels["label"].to_pylist(), strict=True):
        groups.setdefault(label, set()).add(record)
    return {frozenset(group) for group in groups.values()}


def run(tables: tuple[pa.Table, pa.Table], judged: pa.Table | None = None, **options: Any) -> Resolution:
    return resolve(*tables, judged, MODEL, SETTINGS, **options)


def test_no_records_make_no_clusters(tables: Any) -> None:
    result = run(tables([]))
    assert result.labels.num_rows == 0
    assert result.report.clusters == 0
    assert result.cases.num_rows == 0


def test_one_record_is_its_own_cluster(tables: Any, record_id: Any) -> None:
    assert partition(run(tables([{"key": "1", **IVAN}]))) == {frozenset({record_id("1")})}


def test_the_same_person_in_two_sources_is_one_client(tables: Any, record_id: Any) -> None:
    result = run(tables([{"key": "1", **IVAN}, {"key": "2", "source": "erp", **IVAN, "middle": None}]))
    assert partition(result) == {frozenset({record_id("1"), record_id("2", "erp")})}
    assert result.pairs.num_rows == 1
    assert result.labels["natural_key"].to_pylist() == ["crm:s:1", "erp:s:2"]


def test_records_alike_in_everything_are_one_client_however_many(tables: Any) -> None:
    result = run(tables([{"key": f"{n:04d}", **IVAN} for n in range(1000)]))
    assert len(partition(result)) == 1
    assert result.report.refused == []
    assert result.pairs.num_rows == 999


def test_records_without_any_usable_field_stay_alone(tables: Any) -> None:
    result = run(tables([{"key": str(n)} for n in range(50)] + [{"key": str(n), "org": None} for n in range(50, 80)]))
    assert len(partition(result)) == 80
    assert result.keys.num_rows == 0


def test_namesakes_of_whom_nothing_else_is_known_stay_apart(tables: Any) -> None:
    rows = [
        {"key": "1", "given": "ivan", "family": "petrov"},
        {"key": "2", "given": "ivan", "family": "petrov"},
    ]
    result = run(tables(rows))
    assert len(partition(result)) == 2
    assert result.cases["kind"].to_pylist() == ["between"]


def test_a_giant_block_neither_explodes_nor_merges_and_is_named(tables: Any) -> None:
    rows = [{"key": f"{n:05d}", "given": "test", "family": "test"} for n in range(20_000)]
    started = time.monotonic()
    result = run(tables(rows))
    assert time.monotonic() - started < 20
    assert len(partition(result)) == 20_000
    assert result.report.candidate_pairs == 0
    assert any(block.size == 20_000 and "family_name" in block.rule for block in result.report.refused)


def test_a_switchboard_links_nobody(tables: Any) -> None:
    rows = [
        {
            "key": f"{n:03d}",
            "given": f"name{n}",
            "family": f"family{chr(97 + n % 26)}{n}",
            "phone": "+74950000000",
        }
        for n in range(200)
    ]
    result = run(tables(rows))
    assert len(partition(result)) == 200
    assert result.generic["value"].to_pylist() == ["+74950000000"]
    assert result.generic["names"].to_pylist() == [200]


def test_two_different_valid_inns_never_merge(tables: Any) -> None:
    rows = [{"key": "1", **IVAN, "inn": "500100732259"}, {"key": "2", **IVAN, "inn": "526317984689"}]
    result = run(tables(rows))
    assert len(partition(result)) == 2
    assert result.cases["kind"].to_pylist() == ["forbidden"]


def test_different_inns_stay_apart_through_a_third_record(tables: Any) -> None:
    rows = [
        {"key": "1", **IVAN, "inn": "500100732259"},
        {"key": "2", **IVAN},
        {"key": "3", **IVAN, "inn": "526317984689"},
    ]
    assert sorted(map(len, partition(run(tables(rows))))) == [1, 2]


def test_an_invalid_inn_does_not_forbid(tables: Any) -> None:
    rows = [{"key": "1", **IVAN, "inn": "500100732259"}, {"key": "2", **IVAN, "inn": "!500100732250"}]
    assert len(partition(run(tables(rows)))) == 1


def test_one_shared_valid_inn_beside_a_foreign_one_does_not_forbid(tables: Any) -> None:
    rows = [
        {"key": "1", **IVAN, "inn": ["500100732259", "526317984689"]},
        {"key": "2", **IVAN, "inn": "526317984689"},
    ]
    assert len(partition(run(tables(rows)))) == 1


def test_negative_judgement_keeps_clusters_apart(tables: Any, record_id: Any, judgements: Any) -> None:
    rows = [{"key": str(n), **IVAN} for n in range(4)]
    judged = judgements(("not_same", [record_id("0"), record_id("1")], [record_id("2")]))
    found = partition(run(tables(rows), judged))
    of = {record: group for group in found for record in group}
    assert of[record_id("0")] != of[record_id("2")]
    assert of[record_id("1")] != of[record_id("2")]
    assert len(found) == 2
    assert run(tables(rows), judged).cases.num_rows == 0


def test_positive_judgement_joins_against_evidence_and_contradiction(
    tables: Any, record_id: Any, judgements: Any
) -> None:
    rows = [
        {"key": "1", "given": "anna", "family": "li", "inn": "500100732259"},
        {"key": "2", "given": "olga", "family": "berg", "inn": "526317984689"},
    ]
    judged = judgements(("same", [record_id("1")], [record_id("2")]))
    assert len(partition(run(tables(rows), judged))) == 1


def test_a_merge_by_hand_takes_along_those_who_belong_to_either_side(
    tables: Any, record_id: Any, judgements: Any
) -> None:
    old, new = (
        {"given": "anna", "family": "li", "inn": "500100732259"},
        {"given": "olga", "family": "berg", "inn": "526317984689"},
    )
    rows = [
        {"key": "1", **old, "email": "anna@example.org"},
        {"key": "2", **old},
        {"key": "3", **new, "email": "olga@example.org"},
        {"key": "4", **new},
    ]
    assert len(partition(run(tables(rows)))) == 2
    judged = judgements(("same", [record_id("1")], [record_id("3")]))
    assert len(partition(run(tables(rows), judged))) == 1


def test_a_merge_by_hand_of_two_records_does_not_overrule_what_keeps_others_apart(
    tables: Any, record_id: Any, judgements: Any
) -> None:
    rows = [
        {"key": "1", "given": "anna", "family": "li", "email": "anna@example.org"},
        {"key": "2", "given": "anna", "family": "li", "email": "anna@example.org", "inn": "500100732259"},
        {"key": "3", "given": "olga", "family": "berg", "email": "olga@example.org"},
        {"key": "4", "given": "olga", "family": "berg", "email": "olga@example.org", "inn": "526317984689"},
    ]
    judged = judgements(("same", [record_id("1")], [record_id("3")]))
    found = {record: group for group in partition(run(tables(rows), judged)) for record in group}
    assert found[record_id("1")] == found[record_id("3")]
    assert found[record_id("2")] != found[record_id("4")]


def test_an_opposing_judgement_is_not_applied_and_both_are_named(tables: Any, record_id: Any, judgements: Any) -> None:
    rows = [{"key": str(n), "given": "a", "family": f"f{n}"} for n in range(3)]
    a, b, c = (record_id(str(n)) for n in range(3))
    judged = judgements(("same", [a], [b]), ("same", [b], [c]), ("not_same", [a], [c]))
    result = run(tables(rows), judged)
    assert len(partition(result)) == 1
    assert [(conflict.judgement_id, conflict.opposes) for conflict in result.report.conflicts] == [(3, (1, 2))]


def test_a_judgement_on_a_record_that_is_gone_changes_nothing(tables: Any, record_id: Any, judgements: Any) -> None:
    rows = [{"key": "1", **IVAN}, {"key": "2", **IVAN}]
    judged = judgements(("not_same", [record_id("1")], [record_id("gone")]))
    assert len(partition(run(tables(rows), judged))) == 1


def test_a_distinct_register_is_never_merged_with_itself(tables: Any) -> None:
    rows = [{"key": "1", **IVAN}, {"key": "2", **IVAN}, {"key": "3", "source": "erp", **IVAN}]
    found = run(tables(rows), distinct_sources=["crm"])
    assert sorted(map(len, partition(found))) == [1, 2]
    assert found.cases["kind"].to_pylist() == ["forbidden"]


def test_own_organisations_are_never_clients_nor_evidence(tables: Any) -> None:
    rows = [{"key": str(n), "org": "severnaia zvezda", "inn": "7707083893", "own": n == 0} for n in range(3)]
    found = partition(run(tables(rows)))
    assert sorted(map(len, found)) == [1, 2]


def test_persons_and_organisations_never_share_a_cluster(tables: Any) -> None:
    rows = [
        {"key": "1", "given": "ivan", "family": "sidorov", "email": "a@b.ru"},
        {"key": "2", "org": "ivan sidorov", "email": "a@b.ru"},
    ]
    assert len(partition(run(tables(rows)))) == 2


def test_firms_that_share_only_common_words_stay_apart(tables: Any) -> None:
    rows = [
        {"key": "1", "org": "romashka", "form": "llc", "city": "moskva"},
        {"key": "2", "org": "vasilek", "form": "llc", "city": "moskva"},
        {"key": "3", "org": "torgovyi dom vostok", "city": "moskva"},
        {"key": "4", "org": "torgovyi dom zapad", "city": "moskva"},
    ]
    assert len(partition(run(tables(rows)))) == 4


def test_given_candidate_pairs_are_used_instead_of_blocking(tables: Any, record_id: Any) -> None:
    rows = [{"key": "1", **IVAN}, {"key": "2", **IVAN, "email": "other@example.com"}]
    none = pa.table({"left_id": pa.array([], pa.int64()), "right_id": pa.array([], pa.int64())})
    assert len(partition(run(tables(rows), pairs=none))) == 2
    one = pa.table({"left_id": [record_id("2")], "right_id": [record_id("1")]})
    assert len(partition(run(tables(rows), pairs=one))) == 1


def test_the_report_counts_what_each_rule_did(tables: Any) -> None:
    result = run(
        tables([{"key": "1", "email": "x@y.de", "given": "eva"}, {"key": "2", "email": "x@y.de", "given": "eva"}])
    )
    by_rule = {rule.rule: rule for rule in result.report.rules if rule.kind == "person"}
    assert by_rule["identifier"].keys >= 1
    assert by_rule["family_name.sound + given_name.sound"].pairs == 0


NAMES = st.sampled_from(["ivan", "iwan", "anna", "ana", "olga"])
FAMILIES = st.sampled_from(["sidorov", "sidorof", "li", "berg", None])
BORN = st.sampled_from(["1980-05-01", "1980-01-05", "1981-05-01", None])
EMAILS = st.sampled_from(["a@x.ru", "b@x.ru", None])
INNS = st.sampled_from(["500100732259", "526317984689", None, None])
PEOPLE = st.lists(
    st.fixed_dictionaries({"given": NAMES, "family": FAMILIES, "born": BORN, "email": EMAILS, "inn": INNS}),
    max_size=14,
)


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=PEOPLE, data=st.data())
def test_the_partition_does_not_depend_on_the_order_of_rows(
    people: list[dict[str, Any]], data: Any, tables: Any
) -> None:
    records, identifiers = tables([{"key": f"{n:02d}", **person} for n, person in enumerate(people)])
    first = resolve(records, identifiers, None, MODEL, SETTINGS)
    rows = data.draw(st.permutations(range(records.num_rows)))
    values = data.draw(st.permutations(range(identifiers.num_rows)))
    second = resolve(
        records.take(pa.array(rows, pa.int64())),
        identifiers.take(pa.array(values, pa.int64())),
        None,
        MODEL,
        SETTINGS,
    )
    assert first.labels.equals(second.labels)
    assert first.pairs.equals(second.pairs)
    assert first.cases.equals(second.cases)


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=PEOPLE)
def test_what_is_said_of_one_component_does_not_touch_another(people: list[dict[str, Any]], tables: Any) -> None:
    mine = [{"key": f"{n:02d}", **person} for n, person in enumerate(people)]
    others = [
        {"key": f"x{n}", "source": "erp", "given": "zoe", "family": f"quartz{n}", "email": f"q{n}@z.com"}
        for n in range(3)
    ]
    alone = partition(run(tables(mine)))
    together = partition(run(tables([*mine, *others])))
    assert alone <= together


@pytest.fixture(scope="module")
def crowd() -> list[dict[str, Any]]:
    import random

    draw = random.Random(7)
    rows = []
    for person in range(700):
        base = {
            "given": draw.choice(["ivan", "anna", "olga", "petr", "maria"]),
            "family": "".join(draw.choice(["ba", "ki", "ro", "su", "te", "lo", "mi", "ge"]) for _ in range(4)),
            "born": f"19{draw.randrange(50, 99)}-0{draw.randrange(1, 9)}-1{draw.randrange(9)}",
            "postcode": str(draw.randrange(100000, 100600)),
        }
        for copy in range(draw.randrange(1, 4)):
            row = {**base, "key": f"{person:04d}-{copy}"}
            if draw.random() < 0.4:
                row["family"] = row["family"][:-2] + row["family"][-1]
            if draw.random() < 0.3:
                row["born"] = None
            rows.append(row)
    return rows


def test_one_thread_and_two_give_the_same_bits(
    crowd: list[dict[str, Any]], tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from identity import parallel
    from identity.comparison import similarity

    results = []
    # However little there is to do, it is done in threads here.
    monkeypatch.setattr(parallel, "SMALL", 0)
    monkeypatch.setattr(similarity, "SMALL", 0)
    for threads in (1, 2):
        monkeypatch.setattr(parallel, "threads", lambda threads=threads: threads)
        monkeypatch.setattr(similarity, "WORKERS", threads)
        results.append(run(tables(crowd)))
    one, two = results
    assert one.labels.equals(two.labels)
    assert one.pairs.equals(two.pairs)
    assert one.cases.equals(two.cases)
    assert one.keys.equals(two.keys)
    assert 660 < one.report.clusters < 750


def test_all_outputs_have_their_declared_shape(crowd: list[dict[str, Any]], tables: Any) -> None:
    from identity.clustering.cases import CASE
    from identity.resolve import LABEL
    from identity.schema import BLOCKING_KEY, PAIR

    result = run(tables(crowd))
    assert result.labels.schema == LABEL
    assert result.keys.schema == BLOCKING_KEY
    assert result.pairs.schema == PAIR
    assert result.cases.schema == CASE
    keys = list(zip(result.keys["key"].to_pylist(), result.keys["record_id"].to_pylist(), strict=True))
    assert len(keys) == len(set(keys))
