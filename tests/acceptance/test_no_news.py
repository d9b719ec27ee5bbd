"""Invariant 2: a run that changes nothing writes nothing."""

from __future__ import annotations

from tests.support.hub import Hub
from warehouse.connect import connect
from warehouse.dump import row_versions


def test_a_second_run_without_news_touches_no_row_and_makes_no_change_event(ready_hub: Hub) -> None:
    with connect(ready_hub.database_url, application_name="test") as conn:
        before = row_versions(conn)
    events = ready_hub.query("SELECT count(*), max(id) FROM ops.change_event")
    report = ready_hub.run()
    with connect(ready_hub.database_url, application_name="test") as conn:
        after = row_versions(conn)
    assert before
    assert after == before
    assert ready_hub.query("SELECT count(*), max(id) FROM ops.change_event") == events
    assert report.publish.change_events == 0
    assert sum(sync.changed for sync in report.syncs) == 0


def test_files_touched_but_not_changed_are_no_news(ready_hub: Hub) -> None:
    with connect(ready_hub.database_url, application_name="test") as conn:
        before = row_versions(conn)
    for name in ready_hub.registers:
        ready_hub.write(name)
    ready_hub.run(full=True)
    with connect(ready_hub.database_url, application_name="test") as conn:
        assert row_versions(conn) == before
