"""What is kept only for a time goes when that is over, and nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from onefold.steps.maintain import maintain
from tests.support.cli import onefold
from tests.support.hub import Hub
from warehouse.connect import connect
from warehouse.retention import apply

KEPT = "retention: {raw_versions: 30d, rejects: 10d, runs: 20d, access_log: 5d}\n"


def counts(hub: Hub) -> tuple[int, ...]:
    return hub.query(
        "SELECT (SELECT count(*) FROM raw.record_version), (SELECT count(*) FROM ops.reject),"
        " (SELECT count(*) FROM ops.run), (SELECT count(*) FROM ops.access_log)"
    )[0]


def aged(hub: Hub) -> None:
    """Versions, rejects and looks of which some are old."""
    for city in ("Тверь", "Псков"):
        hub.registers["crm_contacts"][0]["city"] = city
        hub.write("crm_contacts")
        hub.run()
    hub.query(
        "INSERT INTO ops.reject (fingerprint, source, stream, step, reason, detail, place, payload, run_id, first_at, is_open, closed_at)"
        " SELECT gen_random_uuid(), 'crm', 'contacts', 'sync', 'x', 'x', n::text, '', 1, '2026-01-01', n = 1,"
        " CASE WHEN n = 2 THEN '2026-01-02'::timestamptz WHEN n = 3 THEN '2026-02-28' END FROM generate_series(1, 3) n RETURNING 1"
    )
    hub.query(
        "INSERT INTO ops.access_log (at, who, how) SELECT at::timestamptz, 'ada', 'find'"
        " FROM unnest(ARRAY['2026-01-01', '2026-02-28']) AS at RETURNING 1"
    )
    hub.query(
        "UPDATE raw.record_version SET superseded_at = '2026-01-01' WHERE version_key = (SELECT min(version_key) FROM raw.record_version) RETURNING 1"
    )
    hub.query("UPDATE ops.run SET finished_at = '2026-01-01' RETURNING 1")


def test_without_a_word_everything_is_kept(ready_hub: Hub) -> None:
    aged(ready_hub)
    before = counts(ready_hub)
    with ready_hub.context() as context:
        assert maintain(context).deleted == {}
    assert counts(ready_hub) == before


def test_what_is_too_old_goes_and_the_rest_stays(ready_hub: Hub) -> None:
    aged(ready_hub)
    (ready_hub.folder / "config" / "hub.yaml").write_text(KEPT)
    versions, rejects, runs, looks = counts(ready_hub)
    with ready_hub.context() as context:
        done = maintain(context)
        assert maintain(context).deleted == dict.fromkeys(done.deleted, 0)
    assert done.deleted == {"raw_versions": 1, "rejects": 1, "runs": done.deleted["runs"], "access_log": 1}
    assert counts(ready_hub) == (versions - 1, rejects - 1, runs - done.deleted["runs"], looks - 1)
    # The last run of each step and source is still known, and what is refused still.
    assert ready_hub.query("SELECT count(DISTINCT (command, source)) FROM ops.run") == [(runs - done.deleted["runs"],)]
    assert ready_hub.query("SELECT count(*) FROM ops.reject WHERE is_open") == [(1,)]
    ready_hub.has_nothing_to_do()


def test_it_goes_in_batches_and_by_the_command_line(ready_hub: Hub) -> None:
    aged(ready_hub)
    told: list[int] = []
    with connect(ready_hub.database_url, application_name="test") as conn:
        moment = datetime.now(UTC) + timedelta(days=1)
        done = apply(conn, {"raw_versions": moment}, batch=1, advance=told.append)
    assert done == {"raw_versions": len(told)} and set(told) == {1} and len(told) >= 2
    assert "everything is kept" in onefold(*ready_hub.place, "maintain").out
    (ready_hub.folder / "config" / "hub.yaml").write_text(KEPT)
    assert onefold(*ready_hub.place, "--json", "maintain").json["deleted"]["access_log"] == 2
