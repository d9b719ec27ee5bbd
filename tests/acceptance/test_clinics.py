"""A company that has nothing in common with the demo: veterinary clinics, of configuration alone."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import psycopg
import pytest

from onefold.steps.mirror import look_into_mirror
from tests.support.cli import onefold
from tests.support.clinics import write_clinics
from tests.support.hub import Hub
from warehouse import mirror
from warehouse.mirror import Measured

CONFIG = Path(__file__).parents[2] / "docs" / "examples" / "clinics" / "config"


@pytest.mark.timeout(900)
def test_clinics_needs_are_recovered_and_the_mirror_shows_how_segments_are_served(hub: Hub) -> None:
    shutil.rmtree(hub.folder / "config")
    shutil.copytree(CONFIG, hub.folder / "config")
    truth = write_clinics(hub.folder / "data")
    hub.run()
    assert hub.query("SELECT count(*) FROM onefold_v1.dim_client WHERE NOT is_deleted") == [(len(truth),)]
    served = dict(
        hub.query(
            "SELECT x.source_key, b.segment FROM onefold_v1.bridge_client_segment b"
            " JOIN onefold_v1.xref_client_record x USING (client_id)"
            " WHERE b.is_current AND x.source = 'reception' AND x.stream = 'owners'"
        )
    )
    assigned = {card: segment for card, segment in served.items() if segment is not None}
    assert sum(truth[card] == segment for card, segment in assigned.items()) / len(assigned) >= 0.9
    assert len(assigned) >= 0.7 * sum(need is not None for need in truth.values())

    with hub.context() as context:
        look_into_mirror(context)
    told = onefold(*hub.place, "segments", "mirror", "--last", "--json").json["findings"]
    found = {(one["segment"], one["outcome"]): one for one in told}
    # What no department does has no line.
    assert {outcome for _, outcome in found} == {"result_time", "senior", "reminders"}
    differ = {key for key, one in found.items() if one["verdict"] in ("as_promised", "opposite", "without_policy")}
    assert differ == {("nightly", "result_time"), ("calculating", "reminders")}
    assert {key for key, one in found.items() if one["is_promised"]} == {
        ("nightly", "result_time"),
        ("timid", "senior"),
    }
    assert found["timid", "senior"]["verdict"] == "decorative" and not found["timid", "senior"]["meets_promise"]
    faster, oftener = found["nightly", "result_time"], found["calculating", "reminders"]
    assert -0.5 < faster["difference"] < -0.35 and faster["typical"] < faster["typical_elsewhere"]
    assert faster["verdict"] == "as_promised" and faster["meets_promise"]
    assert oftener["difference"] > 0.7 and oftener["verdict"] == "without_policy"
    # All reminders by all years: of the segment, and of those of none with whom it is compared.
    for segment, typical in (("calculating", oftener["typical"]), (None, oftener["typical_elsewhere"])):
        assert typical == pytest.approx(reminders_a_year(hub, segment), abs=1e-3), segment
    # Nobody comes more often for it.
    assert {faster["effect"], oftener["effect"]} <= {"no_effect", "cannot_tell"}
    assert {one["effect"] for key, one in found.items() if key not in differ} == {None}
    what_a_client_sends_ends_nothing(hub)


def reminders_a_year(hub: Hub, segment: str | None) -> float:
    """What the clients of a segment (None: surely of none) got from their first own dealing on, by their years."""
    ((told,),) = hub.query(
        "WITH looked AS (SELECT since_on AS begin_on, since_on + 730 AS end_on FROM onefold_v1.segment_mirror LIMIT 1),"
        " own AS (SELECT i.client_id, min(i.occurred_on) AS first_on,"
        "  bool_or(i.occurred_on >= begin_on AND i.occurred_on < end_on) AS is_there"
        "  FROM onefold_v1.fct_interaction i CROSS JOIN looked"
        "  WHERE i.type IN ('appointment', 'lab_order', 'shop_sale') GROUP BY 1)"
        " SELECT (sum(n) / sum((end_on - greatest(begin_on, first_on)) / 365.25))::float8"
        " FROM own CROSS JOIN looked JOIN onefold_v1.bridge_client_segment b USING (client_id)"
        " CROSS JOIN LATERAL (SELECT count(*) AS n FROM onefold_v1.fct_interaction r WHERE r.client_id = own.client_id"
        "  AND r.type = 'reminder' AND r.occurred_on >= greatest(begin_on, first_on) AND r.occurred_on < end_on) r"
        " WHERE is_there AND b.is_current AND b.entered_reason NOT IN ('few', 'close')"
        f" AND b.segment IS NOT DISTINCT FROM {'NULL' if segment is None else repr(segment)}"
    )
    return float(told)


def what_a_client_sends_ends_nothing(hub: Hub) -> None:
    """A dealing that came in is no end of another, unless such dealings always come in."""
    measured = Measured("days", ["lab_order"], (), ["lab_result"], None)
    with hub.context() as context, context.connection("test") as conn, conn.transaction(force_rollback=True):
        mirror.begin(conn, "by_care", most=1000)
        assert ended(conn, measured) > 0
        conn.execute("UPDATE core.interaction SET direction = 'inbound' WHERE type = 'lab_result'")
        assert ended(conn, measured) == 0
        conn.execute("UPDATE core.interaction_type SET direction = 'inbound' WHERE code = 'lab_result'")
        assert ended(conn, measured) > 0


def ended(conn: psycopg.Connection, measured: Measured) -> int:
    return mirror.outcome(conn, measured, date(2020, 1, 1), date(2030, 1, 1)).num_rows
