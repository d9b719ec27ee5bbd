"""A company that has nothing in common with the demo: veterinary clinics, of configuration alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from onefold.steps.mirror import look_into_mirror
from tests.support.cli import onefold
from tests.support.clinics import write_clinics
from tests.support.hub import Hub

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
    # Nobody comes more often for it.
    assert {faster["effect"], oftener["effect"]} <= {"no_effect", "cannot_tell"}
    assert {one["effect"] for key, one in found.items() if key not in differ} == {None}
