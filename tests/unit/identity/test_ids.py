"""Client ids: invariant 5 of the architecture."""

from __future__ import annotations

from hashlib import blake2b
from uuid import UUID, uuid5

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.hashing import digest_uuids
from identity.ids import NAMESPACE, Assignment, LedgerEntry, assign_ids, client_id
from identity.minting import mint_all
from identity.resolve import LABEL
from identity.schema import CROSSWALK

Groups = list[list[int]]
State = tuple[dict[int, str], dict[str, LedgerEntry]]
EMPTY: State = ({}, {})


def labels_of(groups: Groups) -> pa.Table:
    rows = [
        {"record_id": record, "label": min(group), "natural_key": f"crm:s:{record:03d}"}
        for group in groups
        for record in group
    ]
    return pa.Table.from_pylist(rows, schema=LABEL)


def step(state: State, groups: Groups) -> tuple[State, Assignment]:
    """One resolution of everything on top of a state."""
    crosswalk, ledger = state
    old = pa.table({"record_id": list(crosswalk), "client_id": list(crosswalk.values())}, schema=CROSSWALK)
    found = assign_ids(labels_of(groups), old, list(ledger.values()))
    new = dict(zip(found.crosswalk["record_id"].to_pylist(), found.crosswalk["client_id"].to_pylist(), strict=True))
    return (new, ledger | {event.entry.client_id: event.entry for event in found.events}), found


def kinds(found: Assignment) -> list[str]:
    return sorted(event.event for event in found.events)


def test_an_id_is_the_uuid5_of_founding_key_and_mint_number() -> None:
    assert client_id("crm:s:1", 2) == str(uuid5(NAMESPACE, "crm:s:1#2"))
    assert UUID(client_id("crm:s:1", 1)).version == 5


def test_new_clusters_get_new_ids() -> None:
    (crosswalk, _), found = step(EMPTY, [[1, 2], [3]])
    assert kinds(found) == ["mint", "mint"]
    assert crosswalk == {
        1: client_id("crm:s:001", 1),
        2: client_id("crm:s:001", 1),
        3: client_id("crm:s:003", 1),
    }


def test_nothing_happens_when_nothing_changed() -> None:
    state, _ = step(EMPTY, [[1, 2], [3]])
    again, found = step(state, [[1, 2], [3]])
    assert found.events == ()
    assert again == state


def test_a_merge_keeps_the_id_with_more_records_and_redirects_the_other() -> None:
    state, _ = step(EMPTY, [[1], [2, 3]])
    (crosswalk, ledger), found = step(state, [[1, 2, 3]])
    survivor, gone = client_id("crm:s:002", 1), client_id("crm:s:001", 1)
    assert set(crosswalk.values()) == {survivor}
    assert kinds(found) == ["redirect"]
    assert ledger[gone].target == survivor
    assert ledger[gone].last_records == {1}


def test_merge_then_undo_revives_both_ids() -> None:
    for groups in ([[1], [2]], [[1], [2, 3]], [[1, 2], [3, 4]], [[5], [1, 2, 3, 4]]):
        state, _ = step(EMPTY, groups)
        merged, _ = step(state, [sorted(record for group in groups for record in group)])
        undone, _ = step(merged, groups)
        assert undone[0] == state[0]
        assert {entry.status for entry in undone[1].values()} == {"active"}


def test_a_split_leaves_the_id_with_the_larger_part() -> None:
    state, _ = step(EMPTY, [[1, 2, 3]])
    (crosswalk, _), found = step(state, [[1], [2, 3]])
    assert crosswalk[2] == crosswalk[3] == client_id("crm:s:001", 1)
    assert crosswalk[1] == client_id("crm:s:001", 2)
    assert kinds(found) == ["mint"]


def test_a_client_without_records_retires_and_comes_back_with_them() -> None:
    state, _ = step(EMPTY, [[1], [2]])
    gone, found = step(state, [[2]])
    assert kinds(found) == ["retire"]
    back, found = step(gone, [[1], [2]])
    assert kinds(found) == ["revive"]
    assert back[0] == state[0]


def test_a_redirect_follows_its_records() -> None:
    state, _ = step(EMPTY, [[1], [2, 3], [4, 5, 6]])
    state, _ = step(state, [[1, 2, 3], [4, 5, 6]])
    state, found = step(state, [[1, 2, 3, 4, 5, 6]])
    first = state[1][client_id("crm:s:001", 1)]
    assert first.target == client_id("crm:s:002", 1) or first.target == client_id("crm:s:004", 1)
    assert state[1][first.target or ""].status == "active"
    assert kinds(found)[0] == "redirect"


PARTITIONS = st.lists(st.lists(st.integers(0, 4), min_size=9, max_size=9), min_size=1, max_size=6)


def groups_of(numbers: list[int]) -> Groups:
    """Record r in group numbers[r]; group 0 is deleted."""
    return [[r for r, group in enumerate(numbers) if group == g] for g in sorted(set(numbers) - {0})]


@settings(max_examples=200, deadline=None)
@given(history=PARTITIONS)
def test_ids_are_stable_unique_and_never_given_to_other_records(history: list[list[int]]) -> None:
    state: State = EMPTY
    ever: dict[str, set[int]] = {}
    for numbers in history:
        groups = groups_of(numbers)
        before = state
        state, found = step(state, groups)
        crosswalk, ledger = state
        assert set(crosswalk) == {record for group in groups for record in group}
        # One id per cluster, one cluster per id.
        assert all(len({crosswalk[record] for record in group}) == 1 for group in groups)
        assert len(set(crosswalk.values())) == len(groups)
        for group in groups:
            client = crosswalk[group[0]]
            # An id meets again at least one record that it once held, or is new.
            assert client not in ever or ever[client] & set(group)
            assert ledger[client].status == "active"
        for client in set(before[0].values()):
            held = {record for record, of in before[0].items() if of == client}
            majority = [group for group in groups if 2 * len(held & set(group)) > len(held)]
            taken = [c for c in set(before[0].values()) if c != client]
            if majority and not any(
                2 * len({r for r, of in before[0].items() if of == other} & set(majority[0])) > 0 for other in taken
            ):
                assert crosswalk[majority[0][0]] == client
        for entry in ledger.values():
            if entry.status == "redirected":
                assert ledger[entry.target or ""].status == "active"
        for client in set(crosswalk.values()):
            ever.setdefault(client, set()).update(record for record, of in crosswalk.items() if of == client)
        assert step(state, groups)[1].events == ()
        shuffled = labels_of(groups[::-1])
        old = pa.table(
            {"record_id": list(before[0])[::-1], "client_id": list(before[0].values())[::-1]},
            schema=CROSSWALK,
        )
        again = assign_ids(shuffled, old, list(before[1].values())[::-1])
        assert again.events == found.events


@settings(max_examples=100)
@given(groups=st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=4), max_size=12), salt=st.sampled_from("аz-:"))
def test_ids_for_a_new_register_are_the_same_whole_columns_at_a_time(groups: Groups, salt: str) -> None:
    seen: set[int] = set()
    apart = [
        mine for group in groups if (mine := [r for r in dict.fromkeys(group) if r not in seen and not seen.add(r)])
    ]
    rows = [
        {"record_id": record, "label": min(group), "natural_key": f"crm{salt * (record % 3)}:s:{record}"}
        for group in apart
        for record in group
    ]
    labels = pa.Table.from_pylist(rows, schema=LABEL)
    minted, assigned = mint_all(labels), assign_ids(labels, CROSSWALK.empty_table(), [])
    assert minted.crosswalk.equals(assigned.crosswalk)
    one_by_one = [(e.entry.client_id, e.entry.founding_key, e.entry.mint_number) for e in assigned.events]
    assert [tuple(row.values()) for row in minted.mints.to_pylist()] == one_by_one


@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5))
def test_digests_of_whole_columns_are_those_of_each_text(texts: list[str]) -> None:
    one_by_one = [str(UUID(bytes=blake2b(text.encode(), digest_size=16).digest())) for text in texts]
    assert digest_uuids(pa.array(texts, pa.string())).to_pylist() == one_by_one
