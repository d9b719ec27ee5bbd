"""The first linking of a large hub builds the indexes of the facts afterwards: the outcome is that of a small one."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest

from tests.acceptance.conftest import fill
from tests.support.hub import Hub
from warehouse import documents
from warehouse.connect import connect

INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'core' ORDER BY 1"
EVENTS = "SELECT source_key, event_id, is_counted, counted_by FROM onefold_v1.fct_interaction ORDER BY 1"
LEFT = ("document_link", "document_place", "interaction WHERE event_id IS NOT NULL")
FEED = "SELECT id, kind, payload FROM ops.change_event ORDER BY 1"


@pytest.mark.parametrize("is_read", [False, True])
def test_a_large_first_linking_ends_as_a_small_one_also_beside_a_reader(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, is_read: bool
) -> None:
    fill(hub)
    before = hub.query(INDEXES)
    monkeypatch.setattr(documents, "_BULK_ROWS", 1)
    with ExitStack() as stack:
        if is_read:
            reader = stack.enter_context(connect(hub.database_url, application_name="reader"))
            stack.enter_context(reader.transaction())
            reader.execute("SELECT count(*) FROM core.interaction")
        hub.run()
    large = [hub.query(query) for query in (INDEXES, EVENTS, FEED)]
    assert large[0] == before and any(row[1] is not None for row in large[1])
    assert [row[2] for row in large[2] if "documents" in row[2]] == [{"documents": len(large[1])}]
    monkeypatch.undo()
    hub.has_nothing_to_do()


def test_a_hub_without_documents_has_no_event_of_them(hub: Hub) -> None:
    hub.run()
    events: list[tuple[Any, ...]] = hub.query(FEED)
    assert events == []


def test_first_links_that_stay_behind_without_events_are_made_anew(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(hub)

    def stopped(conn: object) -> None:
        raise RuntimeError("stopped")

    monkeypatch.setattr(documents, "forget_queue", stopped)
    with pytest.raises(RuntimeError, match="stopped"):
        hub.run()
    monkeypatch.undo()
    links, places, events = (f"SELECT count(*) > 0 FROM core.{name}" for name in LEFT)
    assert [hub.query(query) for query in (links, places, events)] == [[(True,)], [(False,)], [(False,)]]
    hub.run()
    assert [hub.query(query) for query in (links, places, events)] == [[(True,)]] * 3
    hub.has_nothing_to_do()
