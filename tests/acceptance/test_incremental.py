"""Resolving what changed leaves the hub exactly as resolving everything does: partition, ids, evidence, cases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.errors import OnefoldError
from onefold.steps.judge import judge, judgements, lift
from onefold.steps.publish import publish
from onefold.steps.reading import readers
from onefold.steps.resolve import current_model, resolve
from onefold.steps.resolve_changes import resolve_changes
from tests.acceptance.conftest import FreshDatabases
from tests.support.drills import examples
from tests.support.hub import CRM, Hub
from warehouse.clock import one_view

RULES = """
block_cap: 3
generic_names: 2
"""
FIRMS = 100
"""Keys from here on are companies."""
Step = tuple[list[dict[str, Any]], tuple[str, int, int] | None]
NAMES = [("Иван", "Петров"), ("Иван", "Петрова"), ("Anna", "Schmidt"), ("Anna", "Smirnova"), ("Olga", "Smirnova")]
COMPARED = (
    "identity.blocking_key",
    "identity.key_list",
    "identity.pair",
    "identity.point",
    "identity.refused_block",
    "identity.generic_value",
    "identity.generic_holder",
    "identity.accepted_value",
    "identity.crosswalk",
    "identity.client_id_ledger",
    "identity.review_case",
    "identity.judged_record",
)


@pytest.fixture(autouse=True, scope="module")
def reads_in_halves() -> Iterator[None]:
    """As large registers are read, on two connections."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("onefold.steps.reading.FEW", 2)
        yield


@st.composite
def contact(draw: st.DrawFn, key: int) -> dict[str, Any]:
    first, last = draw(st.sampled_from(NAMES))
    return {
        "id": str(key),
        "first": first,
        "last": last,
        "born": draw(st.sampled_from(["1980-01-02", "1985-07-30", None])),
        "emails": draw(st.sampled_from([None, "a@mail.example.ru", "b@mail.example.ru", "info@firm.example.ru"])),
        "phone": draw(st.sampled_from([None, "+7 916 555-00-01", "+7 916 555-00-02"])),
    }


@st.composite
def company(draw: st.DrawFn, key: int) -> dict[str, Any]:
    return {
        "id": str(key),
        "name": draw(st.sampled_from(["ООО Ромашка", "ООО Василёк", "ООО Лютик", "ООО Пион"])),
        "inn": draw(st.sampled_from([None, None, "7707083893", "7736050003"])),
        "street": draw(st.sampled_from([None, "ул. Мира", "ул. Мира", "ул. Садовая"])),
        "house": "5",
        "postcode": "101000",
    }


@st.composite
def story(draw: st.DrawFn) -> list[Step]:
    """Registers one after the other, few records changed between them, and what a person says in between."""
    register = {key: draw(contact(key)) for key in range(draw(st.integers(3, 12)))}
    register |= {key: draw(company(key)) for key in range(FIRMS, FIRMS + draw(st.integers(0, 6)))}
    steps: list[Step] = [(list(register.values()), None)]
    for _ in range(draw(st.integers(1, 5))):
        for _ in range(draw(st.integers(0, 3))):
            key = draw(st.integers(0, 14) | st.integers(FIRMS, FIRMS + 7))
            if key in register and draw(st.integers(0, 2)) == 0:
                del register[key]
            else:
                register[key] = draw(contact(key) if key < FIRMS else company(key))
        keys = st.integers(0, 14) | st.integers(FIRMS, FIRMS + 7)
        word = draw(st.none() | st.tuples(st.sampled_from(["same", "not_same", "undo"]), keys, keys))
        steps.append((draw(st.permutations(list(register.values()))), word))
    return steps


def versions(hub: Hub) -> dict[str, list[Any]]:
    return {table: sorted(hub.query(f"SELECT ctid::text, t::text FROM {table} AS t")) for table in COMPARED}


def everything_anew_writes_nothing(hub: Hub) -> None:
    """What stands is what comparing and publishing all of it leaves, down to the versions of the rows."""
    before = versions(hub)
    with hub.context() as context:
        resolve(context, everything=True)
        publish(context)
    assert versions(hub) == before


def configure(hub: Hub) -> None:
    """Registers that may shrink at will, and companies with addresses."""
    limited = CRM.replace("    key: id\n", "    key: id\n    limits: {deleted: 1.0}\n")
    hub.configure(
        "crm", limited.replace("domain: site}", "domain: site, street: street, house: house, postcode: postcode}")
    )
    (hub.folder / "config" / "matching.yaml").write_text(RULES, encoding="utf-8")


def write(hub: Hub, register: list[dict[str, Any]]) -> None:
    """The contacts and the companies of a register."""
    hub.write("crm_contacts", [card for card in register if int(card["id"]) < FIRMS])
    hub.write("crm_companies", [card for card in register if int(card["id"]) >= FIRMS])


def say(hub: Hub, verdict: str, left: int, right: int) -> None:
    """A person's word, where it opposes none and the records are known."""
    names = [f"crm:{'contacts' if key < FIRMS else 'companies'}:{key}" for key in (left, right)]
    with hub.context() as context:
        try:
            if verdict != "undo":
                judge(context, verdict, [names[0]], [names[1]], reason="a test says so", by="test")
            elif said := judgements(context):
                lift(context, said[-1]["judgement_id"], reason="a test says so", by="test")
        except OnefoldError:
            return


@pytest.mark.timeout(900)
@pytest.mark.searches
@settings(max_examples=examples(3, 24), deadline=None, suppress_health_check=list(HealthCheck))
@given(story())
def test_resolving_what_changed_leaves_nothing_for_resolving_everything_to_write(
    tmp_path_factory: pytest.TempPathFactory,
    fresh_databases: FreshDatabases,
    story: list[Step],
) -> None:
    with fresh_databases() as url:
        hub = Hub(Path(tmp_path_factory.mktemp("hub")), url)
        configure(hub)
        for register, word in story:
            write(hub, register)
            hub.run()
            if word is not None:
                say(hub, *word)
            everything_anew_writes_nothing(hub)


def test_a_resolution_whose_queue_another_has_just_emptied_changes_nothing(hub: Hub) -> None:
    hub.write("crm_contacts", [{"id": "1", "first": "Anna", "last": "Schmidt"}])
    hub.run()
    before = versions(hub)
    with (
        hub.context() as context,
        context.connection() as conn,
        one_view(conn),
        readers(context, conn, is_unwritten=True) as two,
    ):
        changes = resolve_changes(context, two, current_model(context, conn), [])
    assert (list(changes.record_ids), changes.found.labels.num_rows, changes.candidate_pairs) == ([], 0, 0)
    assert versions(hub) == before


def test_changes_with_which_most_of_the_register_hangs_together_are_compared_with_all_of_it(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(hub)
    register: list[dict[str, Any]] = [
        {"id": str(n), "first": "Иван", "last": "Петров", "born": "1980-01-02", "phone": f"+7 916 555-00-0{n // 2}"}
        for n in range(12)
    ] + [{"id": str(FIRMS), "name": "ООО Ромашка", "inn": "7707083893"}]
    write(hub, register)
    everybody = hub.run().resolve.records
    register[3]["phone"] = "+7 916 555-00-09"
    write(hub, register)
    few = hub.run().resolve.compared
    assert 1 < few < everybody
    monkeypatch.setattr("onefold.steps.resolve_changes.FEW_TOUCHED", few - 1)
    monkeypatch.setattr("onefold.steps.resolve_changes.SHARE_TOUCHED", 0.0)
    register[3]["phone"] = "+7 916 555-00-01"
    write(hub, register)
    assert hub.run().resolve.compared == everybody
    everything_anew_writes_nothing(hub)
