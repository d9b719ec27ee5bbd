"""Two hubs on one server: at work at the same time they share nothing, wait for nobody, and one that goes leaves the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import database as databases
from tests.support import kill_scenes as scenes
from tests.support.hub import Hub
from tests.support.warm import Working
from warehouse import runs
from warehouse.clock import hub_lock
from warehouse.connect import connect, database_name, with_database
from warehouse.dump import canonical_dump

pytestmark = [pytest.mark.scale, pytest.mark.timeout(600)]


def roles(server_url: str, *names: str) -> set[str]:
    with connect(with_database(server_url, "postgres"), application_name="drill") as conn:
        found = {row[0] for row in conn.execute("SELECT rolname FROM pg_roles")}
    return {role for role in found if role.startswith(names)}


@pytest.fixture
def two(server_url: str, tmp_path: Path) -> Iterator[tuple[Hub, Hub]]:
    """Two hubs over the same registers, on databases that the hubs themselves set up."""
    with ExitStack() as stack:
        hubs = []
        for name in ("one", "other"):
            url = stack.enter_context(databases.database(server_url, None))
            hubs.append(Hub(tmp_path / name, url))
            with hubs[-1].context():  # makes tables and roles
                scenes.registers(hubs[-1])
        yield hubs[0], hubs[1]


def test_two_hubs_run_at_the_same_time_and_share_nothing(two: tuple[Hub, Hub], server_url: str) -> None:
    one, other = two
    names = [database_name(hub.database_url) for hub in two]
    of_each = [{role.removeprefix(f"{name}_") for role in roles(server_url, f"{name}_")} for name in names]
    assert of_each[0] == of_each[1] == {"owner", "reader", "steward", "writer"}
    with connect(one.database_url, application_name="drill") as conn, conn.transaction():
        # Whatever one hub holds, the other does not wait for.
        hub_lock(conn)
        assert runs.try_source_lock(conn, "crm") and runs.try_schedule_lock(conn) and runs.try_plan_lock(conn)
        ended = Working(scenes.perform, "first run", other.folder, other.database_url).end()
        assert ended.exit_code == 0, ended.error
        assert one.query("SELECT count(*) FROM raw.record") == [(0,)]
    for _ in range(3):
        scenes.registers(one, changed=True)
        scenes.registers(other)
        working = [Working(scenes.perform, "first run", hub.folder, hub.database_url) for hub in two]
        assert [each.end().exit_code for each in working] == [0, 0]
        scenes.registers(one)
        scenes.registers(other, changed=True)
        working = [Working(scenes.perform, "apply", hub.folder, hub.database_url) for hub in two]
        assert [each.end().exit_code for each in working] == [0, 0]
    one.run()
    one.has_nothing_to_do()


def test_a_hub_that_is_dropped_leaves_the_other_with_its_roles_and_rights(
    two: tuple[Hub, Hub], server_url: str
) -> None:
    one, other = two
    for hub in two:
        hub.run()
    with connect(other.database_url, application_name="drill") as conn:
        before = canonical_dump(conn)
    from warehouse.connect import drop_database

    drop_database(one.database_url)
    databases._drop_roles(server_url, database_name(one.database_url))
    assert roles(server_url, f"{database_name(one.database_url)}_") == set()
    reader = f"{database_name(other.database_url)}_reader"
    with connect(other.database_url, application_name="drill") as conn:
        assert canonical_dump(conn) == before
        conn.execute(f'SET ROLE "{reader}"')
        assert conn.execute("SELECT count(*) > 0 FROM onefold_v1.dim_client").fetchone() == (True,)
    scenes.registers(other, changed=True)
    assert other.run().status == "done"
    other.has_nothing_to_do()
