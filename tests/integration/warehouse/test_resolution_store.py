"""Crosswalk, history, ledger, judgements and cases: written by difference, and without overlap."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity.blocking.lists import key_lists
from identity.resolve import POINT
from identity.schema import BLOCKING_KEY, CROSSWALK, JUDGEMENT, PAIR
from tests.integration.warehouse.hub_rows import NOW, assign, client, digest, review_case
from warehouse import evidence, judgements, match_models, queue, resolution
from warehouse.dump import canonical_dump, row_versions
from warehouse.standing import standing

A, B, C = client(1), client(2), client(3)


def crosswalk(conn: psycopg.Connection) -> dict[int, str]:
    table = resolution.load_crosswalk(conn, CROSSWALK)
    return dict(zip(table.column("record_id").to_pylist(), table.column("client_id").to_pylist(), strict=True))


def assert_history_is_sound(conn: psycopg.Connection) -> None:
    """No two links of a record overlap, the open ones are the crosswalk, and the number of clients is that of its."""
    overlaps = conn.execute(
        "SELECT 1 FROM identity.crosswalk_history a JOIN identity.crosswalk_history b USING (record_id)"
        " WHERE a.valid_from < b.valid_from AND (a.valid_to IS NULL OR a.valid_to > b.valid_from)"
    ).fetchall()
    assert overlaps == []
    opened = conn.execute("SELECT record_id, client_id::text FROM identity.crosswalk_history WHERE valid_to IS NULL")
    assert dict(opened.fetchall()) == crosswalk(conn)
    assert standing(conn)[0] == len(set(crosswalk(conn).values()))


def test_links_move_and_their_history_closes_and_opens_at_one_time(conn: psycopg.Connection) -> None:
    applied = assign(conn, {1: A, 2: B, 3: B}, ("mint", A, None), ("mint", B, None))
    assert (applied.linked, applied.moved, applied.removed) == (3, 0, 0)
    assert dict(applied.events) == {"mint": 2}
    queue.done(conn, queue.read(conn, "publish"))
    applied = assign(conn, {1: A, 2: A, 3: None}, ("redirect", B, A))
    assert (applied.linked, applied.moved, applied.removed) == (0, 1, 1)
    assert crosswalk(conn) == {1: A, 2: A}
    assert sorted(queue.read(conn, "publish").record_ids) == [2, 3]
    seam = conn.execute(
        "SELECT a.valid_to = b.valid_from FROM identity.crosswalk_history a JOIN identity.crosswalk_history b"
        " USING (record_id) WHERE record_id = 2 AND a.valid_to IS NOT NULL AND b.valid_to IS NULL"
    ).fetchone()
    assert seam == (True,)
    assert_history_is_sound(conn)


def test_an_unchanged_assignment_writes_nothing_and_makes_no_event(conn: psycopg.Connection) -> None:
    case = review_case([1, 2], 5000, {"name": 1})
    assign(conn, {1: A, 2: B}, cases=[case])
    before, events = row_versions(conn), conn.execute("SELECT count(*) FROM ops.change_event").fetchone()
    waiting = queue.size(conn, "publish")
    assert assign(conn, {1: A, 2: B}, cases=[case]) == resolution.Applied()
    assert row_versions(conn) == before
    assert conn.execute("SELECT count(*) FROM ops.change_event").fetchone() == events
    assert queue.size(conn, "publish") == waiting
    assign(conn, {1: A}, changed=[1], cases=[case])
    assert row_versions(conn) == before
    assert queue.size(conn, "publish") == waiting + 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.dictionaries(st.integers(1, 5), st.sampled_from([A, B, C, None]), min_size=1), max_size=6))
def test_any_sequence_of_assignments_leaves_a_sound_history(
    conn: psycopg.Connection, steps: list[dict[int, str | None]]
) -> None:
    conn.execute("TRUNCATE identity.crosswalk, identity.crosswalk_history, ops.pending, ops.change_event")
    conn.execute("UPDATE ops.hub_clock SET clients = NULL")
    wanted: dict[int, str] = {}
    for step in steps:
        assign(conn, step)
        wanted = {r: c for r, c in {**wanted, **step}.items() if c is not None}
        assert crosswalk(conn) == wanted
        assert_history_is_sound(conn)


def test_one_record_has_one_open_link(conn: psycopg.Connection) -> None:
    assign(conn, {1: A})
    with pytest.raises(psycopg.errors.UniqueViolation):
        conn.execute(
            "INSERT INTO identity.crosswalk_history (record_id, valid_from, client_id) VALUES (1, now(), %s)",
            [B],
        )


def test_the_ledger_tells_an_id_s_state_and_the_records_it_held_last(conn: psycopg.Connection) -> None:
    assign(conn, {1: A, 2: B, 3: B, 4: B}, ("mint", A, None), ("mint", B, None))
    assign(conn, {4: None})
    assign(conn, {1: A, 2: A, 3: A}, ("redirect", B, A))
    facts = {fact.client_id: fact for fact in resolution.load_ledger(conn)}
    assert (facts[A].state, facts[A].last_records) == ("mint", frozenset())
    assert (facts[B].state, facts[B].target_client_id) == ("redirect", A)
    assert facts[B].last_records == {2, 3}
    assert {f.client_id for f in resolution.load_ledger(conn, record_ids=[4])} == {B}
    assert {f.client_id for f in resolution.load_ledger(conn, [A])} == {A, B}
    assert [f.client_id for f in resolution.load_ledger(conn, founding_keys=[facts[B].founding_key])] == [B]
    assign(conn, {2: B, 3: B}, ("revive", B, None))
    facts = {fact.client_id: fact for fact in resolution.load_ledger(conn)}
    assert (facts[B].state, facts[B].target_client_id, facts[B].last_records) == ("revive", None, frozenset())
    assert resolution.members_of(conn, [B]) == [2, 3]


def test_cases_open_once_change_close_and_open_again(conn: psycopg.Connection) -> None:
    def case(weight: int = 100) -> dict[str, Any]:
        return review_case([1, 2], weight, {"w": weight})

    assert assign(conn, {1: A, 2: B}, cases=[case()]).cases_opened == 1
    assert assign(conn, {1: A, 2: B}, cases=[case(200)]).cases_opened == 0
    assert conn.execute("SELECT weight, status FROM identity.review_case").fetchone() == (200, "open")
    assert assign(conn, {9: C}).cases_closed == 0
    assert assign(conn, {2: B}).cases_closed == 1
    assert assign(conn, {1: A, 2: B}, cases=[case()]).cases_opened == 1
    number = judgements.add(conn, judgements.Judgement("cannot_tell", [1], [2]), by="ada", at=NOW, case=digest("q"))
    assert assign(conn, {1: A, 2: B}, cases=[case()]).cases_opened == 0
    assert conn.execute("SELECT status, judgement_id FROM identity.review_case").fetchone() == (
        "decided",
        number,
    )
    judgements.lift(conn, number, reason=None, by="ada", at=NOW)
    assert assign(conn, {1: A, 2: B}, cases=[case()]).cases_opened == 1


def test_a_judgement_is_in_force_until_it_is_lifted_and_nothing_is_erased(conn: psycopg.Connection) -> None:
    first = judgements.add(conn, judgements.Judgement("same", [2, 1], [3], reason="one firm"), by="ada", at=NOW)
    pin = judgements.Judgement("pin", [1], attribute="city", value="Клин", policy="pin")
    second = judgements.add(conn, pin, by="bob", at=NOW + timedelta(hours=1))
    table = judgements.load_judgements(conn, JUDGEMENT)
    assert table.to_pylist() == [{"judgement_id": first, "verdict": "same", "left_ids": [1, 2], "right_ids": [3]}]
    assert judgements.load_judgements(conn, JUDGEMENT, [3]).num_rows == 1
    assert judgements.load_judgements(conn, JUDGEMENT, [4]).num_rows == 0
    (found,) = judgements.in_force(conn, ["pin"])
    assert (found.judgement_id, found.value, found.decided_by) == (second, "Клин", "bob")
    assert judgements.lift(conn, first, reason="no", by="bob", at=NOW).left_ids == [1, 2]
    assert judgements.load_judgements(conn, JUDGEMENT).num_rows == 0
    with pytest.raises(judgements.JudgementNotFoundError, match=str(first)):
        judgements.lift(conn, first, reason="no", by="bob", at=NOW)
    assert conn.execute("SELECT count(*) FROM identity.judgement").fetchone() == (3,)


def test_keys_and_pairs_are_replaced_by_difference(conn: psycopg.Connection) -> None:
    def keys(*pairs: tuple[int, int]) -> pa.Table:
        return pa.table({"key": [k for k, _ in pairs], "record_id": [r for _, r in pairs]}, BLOCKING_KEY)

    assert evidence.replace_keys(conn, keys((10, 1), (10, 2), (11, 2))) == 3
    before = row_versions(conn)
    assert evidence.replace_keys(conn, keys((10, 1), (10, 2), (11, 2))) == 0
    assert row_versions(conn) == before
    lists = key_lists(keys((10, 1), (10, 2), (11, 2)))
    assert evidence.replace_key_lists(conn, lists) == 2
    assert evidence.load_keys(conn, BLOCKING_KEY, [2]).equals(keys((10, 2), (11, 2)))
    before = row_versions(conn)
    assert evidence.replace_key_lists(conn, lists) == 0
    assert row_versions(conn) == before
    evidence.change_keys(conn, keys((11, 2), (10, 1)), keys((12, 2)), key_lists(keys((10, 2), (12, 2))))
    assert evidence.load_keys(conn, BLOCKING_KEY).equals(keys((10, 2), (12, 2)))
    assert evidence.load_keys(conn, BLOCKING_KEY, [1, 2]).equals(keys((10, 2), (12, 2)))
    assert evidence.replace_keys(conn, keys((12, 2))) == 1

    def pairs(*entries: tuple[int, int, int]) -> pa.Table:
        entries = tuple((left, right, weight, 1) for left, right, weight in entries)
        return (
            pa.table(dict(zip(PAIR.names, zip(*entries, strict=True), strict=True)), PAIR)
            if entries
            else PAIR.empty_table()
        )

    assert evidence.replace_pairs(conn, pairs((1, 2, 5), (2, 3, 5), (4, 5, 5))) == 3
    before, of_two = row_versions(conn), evidence.load_pairs(conn, PAIR, [2])
    assert evidence.change_pairs(conn, of_two, pairs((1, 2, 5), (2, 3, 5))) == 0
    assert row_versions(conn) == before
    assert evidence.change_pairs(conn, of_two, pairs((1, 2, 6), (2, 6, 7))) == 3
    assert evidence.load_pairs(conn, PAIR).equals(pairs((1, 2, 6), (2, 6, 7), (4, 5, 5)))
    assert evidence.load_pairs(conn, PAIR, [5]).num_rows == 1
    assert evidence.replace_pairs(conn, pairs()) == 3


def test_points_change_where_they_differ_one_that_stands_alone_has_no_fingerprint(conn: psycopg.Connection) -> None:
    def points(*rows: tuple[int, int | None, int]) -> pa.Table:
        return pa.table([list(column) for column in zip(*rows, strict=True)], schema=POINT)

    assert evidence.replace_points(conn, points((1, 7, 1), (2, 7, 1), (3, None, 3), (4, 9, 4))) == 4
    before = evidence.load_points(conn, POINT, [1, 2, 3])
    assert evidence.change_points(conn, before, points((1, 7, 1), (2, None, 2), (5, 7, 1))) == 3
    found = evidence.load_points(conn, POINT, [1, 2, 3, 4, 5])
    assert found.equals(points((1, 7, 1), (2, None, 2), (4, 9, 4), (5, 7, 1)))


def test_a_large_first_assignment_equals_a_small_one(conn: psycopg.Connection) -> None:
    count = 120_000
    assign(conn, {n: client(n // 2) for n in range(count)})
    assert conn.execute("SELECT count(*), count(DISTINCT client_id) FROM identity.crosswalk").fetchone() == (
        count,
        count // 2,
    )
    assert_history_is_sound(conn)


def test_the_same_model_is_stored_once_and_one_is_current(conn: psycopg.Connection) -> None:
    assert match_models.current(conn) is None
    first = match_models.save(conn, "prior", {"weights": [1, 2]}, at=NOW)
    assert match_models.save(conn, "prior", {"weights": [1, 2]}, at=NOW) == first
    second = match_models.save(conn, "em", {"weights": [3]}, at=NOW)
    match_models.use(conn, first)
    match_models.use(conn, second)
    before = canonical_dump(conn)["identity.model"]
    match_models.use(conn, second)
    found = match_models.current(conn)
    assert found is not None
    assert (found.version, found.kind, found.body) == (second, "em", {"weights": [3]})
    assert [m.version for m in match_models.saved(conn)] == [first, second]
    assert canonical_dump(conn)["identity.model"] == before
