"""A hub is migrated while others use it: nobody waits long, nobody is disturbed, and what fails leaves everything as it was."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from onefold.steps.run import run
from tests.support.cli import onefold
from tests.support.hub import Hub
from tests.support.next_release import ADDS, NextRelease
from warehouse.catalogue import catalogue, differences
from warehouse.connect import connect
from warehouse.dump import canonical_dump
from warehouse.prepare import before

BOUND = 10.0
"""Seconds that no read may take, on a machine that has much else to do; alone it is the tenth of that."""
READS = (
    "SELECT count(client_id) FROM onefold_v1.dim_client",
    "SELECT count(record_id), sum(amount) FROM onefold_v1.fct_interaction WHERE NOT is_deleted",
    "SELECT max(changed_seq) FROM onefold_v1.change_feed",
)


@contextmanager
def beside(*works: Callable[[Callable[[], bool]], None]) -> Iterator[None]:
    """The works in threads of their own until the block ends; each is asked whether it is over. Their errors are raised."""
    over, failures = threading.Event(), []

    def work(one: Callable[[Callable[[], bool]], None]) -> None:
        try:
            one(over.is_set)
        except BaseException as exc:
            failures.append(exc)

    threads = [threading.Thread(target=work, args=(one,)) for one in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(120)
    assert failures == []


def reader(url: str, took: list[float]) -> Callable[[Callable[[], bool]], None]:
    """Reads the served views again and again, several in one transaction, and notes how long each time took."""

    def read(is_over: Callable[[], bool]) -> None:
        with connect(url, application_name="a reader") as conn:
            while not is_over():
                started = time.monotonic()
                with conn.transaction():
                    for statement in READS:
                        conn.execute(statement)
                took.append(time.monotonic() - started)

    return read


def writer(hub: Hub, rounds: list[int]) -> Callable[[Callable[[], bool]], None]:
    """The older version, open all the time: registers change and are synced, resolved and published."""

    def write(is_over: Callable[[], bool]) -> None:
        with hub.context() as context:
            while not is_over():
                rounds.append(len(rounds))
                hub.registers["erp_orders"][0]["total"] = f"{len(rounds)}.50"
                hub.registers["crm_contacts"][1]["city"] = ("Тверь", "Псков")[len(rounds) % 2]
                hub.write("erp_orders")
                hub.write("crm_contacts")
                assert run(context).status == "done"

    return write


def state(hub: Hub) -> tuple[Any, Any]:
    with connect(hub.database_url, application_name="test") as conn:
        return catalogue(conn), canonical_dump(conn)


def test_what_fails_midway_leaves_tables_views_and_data_to_the_older_version(ready_hub: Hub, tmp_path: Path) -> None:
    hub = ready_hub
    before_it, rows = state(hub)
    release = NextRelease.make(tmp_path / "next", ADDS, ("op.execute(\"SELECT 'x'::text::integer\")",))
    code, said = release.migrate(hub.database_url)
    assert code == 1 and "22P02" in said
    after, same_rows = state(hub)
    assert differences(before_it, after) == [] and same_rows == rows
    hub.registers["erp_orders"][0]["total"] = "77.70"
    hub.write("erp_orders")
    assert hub.run().status == "done"
    assert hub.query("SELECT amount FROM onefold_v1.fct_interaction WHERE source_key = 'SO-1'")[0][0] == Decimal(
        "77.70"
    )
    hub.has_nothing_to_do()
    assert onefold(*hub.place, "version", "--check").code == 0
    assert onefold(*hub.place, "db", "migrate").out.strip() == "It was up to date."


def test_readers_syncs_and_publishes_go_on_while_a_filled_hub_is_migrated(ready_hub: Hub, tmp_path: Path) -> None:
    hub, took, rounds = ready_hub, list[float](), list[int]()
    release = NextRelease.make(tmp_path / "next", ADDS)
    with beside(reader(hub.database_url, took), reader(hub.database_url, took), writer(hub, rounds)):
        while len(rounds) < 1:
            time.sleep(0.05)
        code, said = release.migrate(hub.database_url, "--patience", "60")
        assert code == 0, said
        done = len(rounds)
        while len(rounds) < done + 1:
            time.sleep(0.05)
    assert max(took) < BOUND and len(took) > 20
    assert hub.query("SELECT count(*) FROM onefold_v1.dim_next")[0][0] > 0
    # It was open before; a command of the older version that comes now is told what to do.
    refused = onefold(*hub.place, "run")
    assert refused.code == 6 and "a newer version has migrated it. Upgrade Onefold here" in refused.err
    checked = onefold(*hub.place, "--json", "version", "--check")
    assert checked.code == 9 and checked.json["state"] == "newer"


def test_who_is_in_the_way_is_named_and_nobody_else_waits_for_it(ready_hub: Hub, tmp_path: Path) -> None:
    hub, took = ready_hub, list[float]()
    release = NextRelease.make(tmp_path / "next", ADDS)
    before_it, rows = state(hub)
    with connect(hub.database_url, application_name="slow report") as slow:
        with slow.transaction():
            slow.execute("SELECT count(*) FROM onefold_v1.dim_client")
            with beside(reader(hub.database_url, took)):
                code, said = release.migrate(hub.database_url, "--patience", "3")
            assert code == 75, said
            assert f"slow report (process {slow.info.backend_pid}" in said and "and idle" in said
            assert f"SELECT pg_terminate_backend({slow.info.backend_pid}); then run: onefold db migrate" in said
            assert max(took) < BOUND and len(took) > 20
            after, same_rows = state(hub)
            assert differences(before_it, after) == [] and same_rows == rows
        code, said = release.migrate(hub.database_url)
        assert code == 0, said


def test_a_migration_that_would_keep_everybody_waiting_is_taken_back(ready_hub: Hub, tmp_path: Path) -> None:
    before_it, _ = state(ready_hub)
    release = NextRelease.make(tmp_path / "next", (*ADDS, 'op.execute("SELECT pg_sleep(60)")'))
    took: list[float] = []
    with beside(reader(ready_hub.database_url, took)):
        code, said = release.migrate(ready_hub.database_url, "--hold", "1", "--patience", "90")
    assert code == 1, said
    assert "When nobody reads, run: onefold db migrate --hold 3600" in said
    assert 0.3 < max(took) < BOUND
    assert differences(before_it, state(ready_hub)[0]) == []


def test_indexes_of_large_tables_are_built_before_the_migration_beside_writers(hub: Hub, tmp_path: Path) -> None:
    pending = [
        "ALTER TABLE core.interaction ADD COLUMN mood TEXT",
        "CREATE INDEX ix_interaction_mood ON core.interaction (mood)",
        "ALTER TABLE core.promise ADD COLUMN mood TEXT",
        "CREATE INDEX ix_promise_mood ON core.promise (mood)",
        "CREATE INDEX ix_passing ON core.interaction (type)",
        "DROP INDEX core.ix_passing",
        "UPDATE core.interaction SET mood = 'fair'",
    ]
    assert before(pending, "core.interaction".__eq__) == [
        "ALTER TABLE core.interaction ADD COLUMN IF NOT EXISTS mood TEXT",
        "CREATE INDEX ix_interaction_mood ON core.interaction (mood)",
    ]
    hub.query(
        "INSERT INTO core.interaction (record_id, source, stream, source_key, type, party_record_id, occurred_at,"
        " occurred_on, precision, detail, content_hash)"
        " SELECT n, 'erp', 'orders', n::text, 'sales_order', 1, now(), '2026-01-01', 'day', '{}', gen_random_uuid()"
        " FROM generate_series(1, 200000) AS n RETURNING 1"
    )
    hub.query("SELECT 1 FROM pg_stat_force_next_flush()")
    release = NextRelease.make(tmp_path / "next", (*ADDS, 'op.execute("SELECT 1 / 0")'))
    code, _ = release.migrate(hub.database_url)
    assert code == 1
    # What was prepared stays and serves the next attempt; the rest was taken back.
    found = hub.query("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('core.ix_interaction_mood')")
    assert found == [(True,)]
    assert hub.query("SELECT to_regclass('ops.omen')") == [(None,)]
    third = NextRelease.make(tmp_path / "mended", ADDS)
    assert third.migrate(hub.database_url)[0] == 0
    assert hub.query("SELECT col_description('core.interaction'::regclass, attnum) FROM pg_attribute"
                     " WHERE attrelid = 'core.interaction'::regclass AND attname = 'mood'") == [("Mood",)]  # fmt: skip


def test_the_version_says_what_the_next_command_will_do(hub: Hub, empty_database_url: str) -> None:
    place = ("--home", hub.folder / "var", "--config", hub.folder / "config", "--database", empty_database_url)
    found = onefold(*place, "--json", "version", "--check")
    assert found.code == 8 and json.loads(found.out)["state"] == "empty"
    assert onefold(*place, "db", "migrate").out.strip() == "Migrated."
    assert onefold(*place, "version", "--check").code == 0
    assert onefold("version").code == 0
