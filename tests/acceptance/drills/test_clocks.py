"""A machine whose clock jumps: what was known when stays in order, and schedules neither storm nor starve."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from onefold.context import open_context
from onefold.steps.due import run_due
from onefold.steps.report import DueReport
from onefold.steps.schedule import due_sources
from tests.acceptance.conftest import fill
from tests.support.hub import Hub

NOON = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
IN_ORDER = "SELECT count(*) FROM (SELECT at, lag(at) OVER (ORDER BY id) AS before FROM ops.change_event) AS e WHERE at < before"


class Clocked:
    """A hub on a machine whose clock is set by hand; both sources are due at each full hour."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.now = hub, NOON
        self._edits = 0
        fill(hub)

    def clock(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def due(self) -> list[str]:
        """What would be read now."""
        with open_context(self.hub.settings, environ={}, clock=self.clock) as context, context.connection() as conn:
            return [one.source for one in due_sources(context, conn) if one.due_since is not None]

    def run(self) -> DueReport:
        """`onefold run --due`, with news in one register."""
        self._edits += 1
        self.hub.registers["crm_contacts"][1]["city"] = f"Город {self._edits}"
        self.hub.write("crm_contacts")
        with open_context(self.hub.settings, environ={}, clock=self.clock) as context:
            return run_due(context)

    def moments(self) -> list[datetime]:
        """The last moment of the hub's own clock, and all at which something changed."""
        ((last,),) = self.hub.query("SELECT last_as_of FROM ops.hub_clock")
        return [last, *(row[0] for row in self.hub.query("SELECT at FROM ops.change_event ORDER BY id DESC"))]


@pytest.fixture
def clocked(hub: Hub) -> Clocked:
    return Clocked(hub)


@pytest.mark.parametrize("back", [timedelta(seconds=5), timedelta(hours=3), timedelta(days=400)])
def test_a_clock_that_is_set_back_stops_no_schedule_and_no_history(clocked: Clocked, back: timedelta) -> None:
    clocked.run()
    before = clocked.moments()[0]
    clocked.now -= back
    # What ran last began later than now: nobody can say how long ago that was, so it is read once, ...
    first = clocked.due()
    assert first == (["crm", "erp"] if back > timedelta(minutes=1) else [])
    clocked.run()
    assert clocked.moments()[0] > before or not first
    # ... and then as the schedule says.
    assert clocked.due() == []
    clocked.now += timedelta(minutes=10)
    assert clocked.due() == []
    clocked.now += timedelta(hours=1)
    assert clocked.due() == ["crm", "erp"]
    clocked.run()
    assert clocked.due() == []
    assert clocked.hub.query(IN_ORDER) == [(0,)]
    assert clocked.moments()[0] > before
    overlaps = (
        "SELECT count(*) FROM core.client_history AS a JOIN core.client_history AS b USING (client_id)"
        " WHERE a.valid_from < b.valid_from AND coalesce(a.valid_to, 'infinity') > b.valid_from"
    )
    assert clocked.hub.query(overlaps) == [(0,)]


@pytest.mark.scale
def test_a_clock_that_jumps_ahead_reads_once_and_comes_back_without_a_storm(clocked: Clocked) -> None:
    clocked.run()
    clocked.now += timedelta(days=500)
    assert clocked.due() == ["crm", "erp"]
    clocked.run()
    assert clocked.due() == []
    ahead = clocked.moments()[0]
    clocked.now -= timedelta(days=500)
    assert clocked.due() == ["crm", "erp"]
    clocked.run()
    assert clocked.due() == []
    # The hub's own clock waits for the machine's, a microsecond for each moment.
    assert timedelta(0) < clocked.moments()[0] - ahead < timedelta(seconds=1)
    read = 0
    for _ in range(12):
        clocked.now += timedelta(minutes=10)
        read += len(clocked.due()) // 2
        if clocked.due():
            clocked.run()
    assert read == 2, "two full hours in two hours"
    assert clocked.hub.query(IN_ORDER) == [(0,)]
