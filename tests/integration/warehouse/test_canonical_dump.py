"""The dump leaves out clocks and run ids, and nothing else."""

from __future__ import annotations

import psycopg

from tests.integration.warehouse.hub_rows import assign, client, golden_row, party, rid, store_parties
from tests.integration.warehouse.test_golden_store import publish
from warehouse.connect import connect
from warehouse.dump import LEFT_OUT, canonical_dump, row_versions
from warehouse.migrate import upgrade
from warehouse.models import metadata


def test_every_table_is_dumped_or_left_out_on_purpose(conn: psycopg.Connection) -> None:
    assert set(canonical_dump(conn)) | set(LEFT_OUT) == set(metadata.tables) | {"ops.alembic_version"}
    assert set(row_versions(conn)) == {name for name in metadata.tables if not name.startswith("ops.")}


def test_two_hubs_of_the_same_input_are_equal_though_ids_and_times_differ(
    conn: psycopg.Connection, empty_database_url: str
) -> None:
    upgrade(empty_database_url)
    with connect(empty_database_url, application_name="test") as other:
        other.execute("SELECT setval('ops.run_run_id_seq', 100), setval('ops.pending_id_seq', 77)")
        other.execute("INSERT INTO ops.hub_clock (last_as_of, last_event_id) VALUES ('2030-01-01', 40)")
        for hub in (conn, other):
            store_parties(hub, [party("1"), party("2")])
            assign(hub, {rid("1"): client(1), rid("2"): client(2)}, ("mint", client(1), None))
            publish(hub, [golden_row(client(1))], [client(1)])
            publish(hub, [golden_row(client(1), "Anne")], [client(1)])
        assert canonical_dump(conn) == canonical_dump(other)
        before = canonical_dump(other)
        publish(other, [golden_row(client(1), "Anna")], [client(1)])
        changed = {t for t, lines in canonical_dump(other).items() if lines != before[t]}
        assert changed == {"core.client", "core.client_history", "ops.change_event"}
