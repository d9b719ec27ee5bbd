"""The change feed is kept for those who are registered and for a time; who comes too late is told so, and the past still answers."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

from tests.support.cli import Done, onefold
from tests.support.hub import Hub
from warehouse import feed_retention
from warehouse.connect import connect

ASOF = ("SELECT display_name, changed_seq FROM onefold_v1_asof.dim_client ORDER BY 1, 2",
        "SELECT source_key, amount, changed_seq FROM onefold_v1_asof.fct_interaction ORDER BY 1")  # fmt: skip


def command(hub: Hub, *arguments: str) -> Done:
    return onefold(*hub.place, *arguments)


def keep(hub: Hub, retention: str) -> int:
    """Run `maintain` by the wall clock, which is months behind the hub's events; how many events went."""
    (hub.folder / "config" / "hub.yaml").write_text(f"retention: {retention}\n")
    done = command(hub, "--json", "maintain")
    assert done.code == 0, done.err
    return int(done.json["deleted"]["change_events"])


def past(hub: Hub, moment: Any) -> list[list[tuple[Any, ...]]]:
    with connect(hub.database_url, application_name="test") as conn:
        conn.execute("SELECT set_config('onefold.as_of', %s, false)", [str(moment)])
        return [conn.execute(query.encode()).fetchall() for query in ASOF]


def moved(hub: Hub, total: str) -> None:
    hub.registers["erp_orders"][0]["total"] = total
    hub.registers["crm_contacts"][1]["city"] = f"Город {total}"
    for name in ("erp_orders", "crm_contacts"):
        hub.write(name)
    hub.run()


def test_nothing_is_cleared_that_a_registered_reader_has_not_read(ready_hub: Hub) -> None:
    hub = ready_hub
    moved(hub, "10.00")
    before = [json.loads(line) for line in command(hub, "--json", "changes", "--after", "0").out.splitlines()]
    last = before[-1]["changed_seq"]
    moments = [row[0] for row in hub.query("SELECT DISTINCT at FROM ops.change_event ORDER BY 1")]
    moments = [moments[0] - timedelta(seconds=1), *moments]
    known = [past(hub, moment) for moment in moments]
    read = [json.loads(line) for line in
            command(hub, "--json", "changes", "--reader", "bi", "--limit", "3").out.splitlines()]  # fmt: skip
    assert read == before[:3]
    assert keep(hub, "{change_events: 1d}") > 0
    rest = [json.loads(line) for line in command(hub, "--json", "changes", "--reader", "bi").out.splitlines()]
    assert read + rest == before
    (reader,) = command(hub, "--json", "changes", "--readers").json
    assert (reader["name"], reader["read_seq"], reader["behind"], reader["is_too_late"]) == ("bi", last, 0, False)

    # Now all have read everything: what is left are moments, and what comes from now on.
    keep(hub, "{change_events: 1d}")
    assert hub.query("SELECT count(*) FROM onefold_v1.change_feed") == [(0,)]
    assert hub.query("SELECT first_seq FROM onefold_v1.meta_dataset WHERE dataset = 'change_feed'") == [(last + 1,)]
    assert [past(hub, moment) for moment in moments] == known
    late = command(hub, "--json", "changes", "--after", "3")
    assert late.code == 10
    told = json.loads(late.err)
    assert told["error"] == "TooLate" and f"those up to {last} are no longer kept" in told["message"]
    assert f"onefold changes --follow --after {last}" in told["message"]
    assert command(hub, "changes", "--follow", "--after", "3").code == 10

    moved(hub, "11.00")
    came = [json.loads(line) for line in command(hub, "--json", "changes", "--reader", "bi").out.splitlines()]
    assert came and came[0]["changed_seq"] == last + 1
    assert [past(hub, moment) for moment in moments] == known
    hub.has_nothing_to_do()


def test_an_age_bound_clears_what_nobody_has_fetched_and_a_forgotten_reader_keeps_nothing(ready_hub: Hub) -> None:
    hub = ready_hub
    (last,) = hub.query("SELECT max(changed_seq) FROM onefold_v1.change_feed")[0]
    assert command(hub, "changes", "--reader", "dead", "--read", "2").code == 0
    assert command(hub, "changes", "--reader", "sql", "--read", str(last)).code == 0
    keep(hub, "{change_events: 1d}")
    assert hub.query("SELECT min(changed_seq) FROM onefold_v1.change_feed") == [(3,)]
    keep(hub, "{change_events: 1d, unread_change_events: 2d}")
    assert hub.query("SELECT count(*) FROM onefold_v1.change_feed") == [(0,)]
    late = command(hub, "changes", "--reader", "dead")
    assert late.code == 10 and "You have read up to change 2" in late.err
    rows = {one["name"]: one["is_too_late"] for one in command(hub, "--json", "changes", "--readers").json}
    assert rows == {"dead": True, "sql": False}
    assert command(hub, "changes", "--forget", "dead").code == 0
    assert command(hub, "changes", "--forget", "dead").code == 4
    assert command(hub, "changes", "--read", "1").code == 2


def test_clearing_goes_in_batches_and_goes_on_where_it_was_stopped(ready_hub: Hub) -> None:
    hub = ready_hub
    (count, last), = hub.query("SELECT count(*), max(id) FROM ops.change_event")  # fmt: skip
    (moments,) = hub.query("SELECT count(DISTINCT at) FROM ops.change_event")[0]
    told: list[int] = []

    def stop(rows: int) -> None:
        told.append(rows)
        raise KeyboardInterrupt

    with connect(hub.database_url, application_name="test") as conn:
        ever = hub.clock() + timedelta(days=9000)
        with suppress(KeyboardInterrupt):
            feed_retention.clear(conn, ever, batch=2, advance=stop)
        # The floor stands already: nobody sees half of it.
        assert hub.query("SELECT count(*) FROM onefold_v1.change_feed") == [(0,)]
        assert hub.query("SELECT count(*) FROM ops.change_event")[0][0] > moments
        feed_retention.clear(conn, None, batch=2)
        assert hub.query("SELECT count(*), max(id) FROM ops.change_event") == [(moments, last)]
        assert feed_retention.clear(conn, ever) == 0
    assert count > moments


def test_a_reader_cannot_have_read_what_has_not_happened(ready_hub: Hub) -> None:
    refused = command(ready_hub, "changes", "--reader", "bi", "--read", "1000000")
    assert refused.code == 2 and "has come to change" in refused.err
    assert command(ready_hub, "--json", "changes", "--readers").json == []
