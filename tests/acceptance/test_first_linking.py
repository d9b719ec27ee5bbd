"""The first facts of a large hub are written once, with their events, and indexed afterwards: the outcome is that of a
small one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from onefold.steps import publish
from tests.acceptance.conftest import FreshDatabases, fill
from tests.support.hub import Hub
from warehouse import client_scopes, facts
from warehouse.connect import connect
from warehouse.dump import canonical_dump

INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'core' ORDER BY 1"
EVENTS = "SELECT source_key, event_id, is_counted, counted_by FROM onefold_v1.fct_interaction ORDER BY 1"
LEFT = ("document_link", "document_place", "interaction WHERE event_id IS NOT NULL")
FEED = "SELECT id, kind, payload FROM ops.change_event ORDER BY 1"
REGISTERS_OF_FACTS = ("crm_deals", "erp_orders")
TABLES = (
    "core.client", "core.client_history", "core.interaction", "core.document_link", "core.document_place",
    "core.relationship", "identity.crosswalk",
)  # fmt: skip


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Whatever waits is taken for a large first load."""
    monkeypatch.setattr(publish, "FIRST_LOAD", 1)
    monkeypatch.setattr(facts, "_MANY", 1)
    return monkeypatch


def at_once(hub: Hub) -> None:
    """All registers come together."""
    fill(hub)
    hub.run()


def facts_later(hub: Hub) -> None:
    """Clients are published before anything that happened with them is known; then more of both comes."""
    fill(hub)
    facts = {name: hub.registers.pop(name) for name in REGISTERS_OF_FACTS}
    for name in facts:
        hub.registers[name] = []
        hub.write(name)
    hub.run()
    hub.registers.update(facts)
    hub.registers["erp_customers"].append({"code": "C9", "kind": "company", "name": "Neu GmbH"})
    for name in (*facts, "erp_customers"):
        hub.write(name)
    hub.run()


def dumped(hub: Hub) -> dict[str, list[str]]:
    with connect(hub.database_url, application_name="test") as conn:
        dump = canonical_dump(conn)
    return {table: dump[table] for table in TABLES}


@pytest.mark.parametrize("story", [at_once, facts_later])
def test_large_and_small_first_publications_end_alike(
    story: Callable[[Hub], None],
    tmp_path_factory: pytest.TempPathFactory,
    fresh_databases: FreshDatabases,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = []
    with fresh_databases() as small_url, fresh_databases() as large_url:
        for url in (small_url, large_url):
            hub = Hub(Path(tmp_path_factory.mktemp("hub")), url)
            before = hub.query(INDEXES)
            story(hub)
            assert hub.query(INDEXES) == before
            ended.append((dumped(hub), hub.query(EVENTS)))
            hub.has_nothing_to_do()
            monkeypatch.setattr(publish, "FIRST_LOAD", 1)
            monkeypatch.setattr(facts, "_MANY", 1)
    assert ended[0] == ended[1]
    assert ended[0][0]["core.document_link"] and any(row[1] is not None for row in ended[0][1])


def test_facts_that_another_publish_has_published_meanwhile_find_their_clients(
    hub: Hub, large: pytest.MonkeyPatch
) -> None:
    """It knew nothing of the links that were published with the parties before."""
    asked: list[bool] = []

    def new_at_first(conn: Any) -> bool:
        asked.append(True)
        return len(asked) < 3  # as a whole; at once; the parties' only chunk

    def published(conn: Any) -> bool:
        return new_at_first(conn) and are_facts_new(conn)

    are_facts_new = facts.are_new
    large.setattr(facts, "are_new", published)
    facts_later(hub)
    assert len(asked) >= 3
    rows = hub.query("SELECT source_key, client_id IS NULL FROM onefold_v1.fct_interaction ORDER BY 1")
    assert rows and not any(row[1] for row in rows)
    hub.has_nothing_to_do()


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("is_read", [False, True])
def test_facts_are_published_with_their_events_by_one_change_event_also_beside_a_reader(
    hub: Hub, is_read: bool
) -> None:
    fill(hub)
    before = hub.query(INDEXES)
    with ExitStack() as stack:
        if is_read:
            reader = stack.enter_context(connect(hub.database_url, application_name="reader"))
            stack.enter_context(reader.transaction())
            reader.execute("SELECT count(*) FROM core.interaction")
        hub.run()
    assert hub.query(INDEXES) == before
    assert any(row[1] is not None for row in hub.query(EVENTS))
    facts = [row[2] for row in hub.query(FEED) if row[1] == "facts"]
    assert [event["interactions"] for event in facts if event["interactions"]] == [len(hub.query(EVENTS))]
    hub.has_nothing_to_do()


def test_a_hub_without_documents_has_no_event_of_them(hub: Hub) -> None:
    hub.run()
    events: list[tuple[Any, ...]] = hub.query(FEED)
    assert events == []


def test_first_links_that_stay_behind_without_events_are_made_anew(hub: Hub, large: pytest.MonkeyPatch) -> None:
    fill(hub)

    def stopped(conn: object) -> None:
        raise RuntimeError("stopped")

    with large.context() as patch:
        patch.setattr(client_scopes, "keep_up", stopped)
        with pytest.raises(RuntimeError, match="stopped"):
            hub.run()
    links, places, events = (f"SELECT count(*) > 0 FROM core.{name}" for name in LEFT)
    assert [hub.query(query) for query in (links, places, events)] == [[(True,)], [(False,)], [(False,)]]
    hub.run()
    assert [hub.query(query) for query in (links, places, events)] == [[(True,)]] * 3
    hub.has_nothing_to_do()
