"""The demo company's hub of a former release is upgraded: what it knew it knows, and it goes on working."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from onefold.context import open_context
from onefold.demo.hub import prepare
from onefold.steps.publish import publish
from onefold.steps.resolve import resolve
from onefold.steps.standardise import standardise
from tests.support.cli import onefold
from tests.support.contract import breaks
from tests.support.first_version import DEMO, restore, served_columns
from warehouse.catalogue import catalogue, differences
from warehouse.connect import connect
from warehouse.dump import row_versions

ANSWERS = (
    "SELECT client_id, kind, role, display_name, inn, emails, record_count, is_deleted FROM {s}.dim_party",
    "SELECT record_id, client_id, source, stream, source_key FROM {s}.xref_client_record WHERE NOT is_deleted",
    "SELECT record_id, client_id, type, occurred_on, amount, currency FROM {s}.fct_interaction WHERE NOT is_deleted",
    "SELECT record_id, position, item_code, quantity, amount FROM {s}.fct_interaction_line WHERE NOT is_deleted",
    "SELECT from_client_id, to_client_id, type FROM {s}.bridge_relationship WHERE NOT is_deleted",
)


def answers(url: str, schema: str = "onefold_v1", setting: str | None = None) -> list[list[tuple[Any, ...]]]:
    with connect(url, application_name="test") as conn:
        if setting is not None:
            conn.execute("SELECT set_config('onefold.as_of_seq', %s, false)", [setting])
        return [sorted(conn.execute(query.format(s=schema).encode()).fetchall(), key=str) for query in ANSWERS]


def test_a_hub_of_a_former_release_is_upgraded_and_goes_on(
    tmp_path: Path, database_url: str, empty_database_url: str
) -> None:
    url = empty_database_url
    restore(url, DEMO)
    made = prepare(tmp_path / "demo", seed=7, scale=0.02, database_url=url)
    place = ("--home", made.settings.home, "--config", made.settings.config, "--database", url)
    with connect(url, application_name="test") as conn, connect(database_url, application_name="test") as fresh:
        promised, before = served_columns(conn), answers(url)
        assert all(before)
        (last,) = conn.execute("SELECT max(id) FROM ops.change_event").fetchone() or (0,)
        checked = onefold(*place, "--json", "version", "--check")
        assert (checked.code, checked.json["state"], checked.json["installed"][:4]) == (8, "behind", "0008")
        migrated = onefold(*place, "db", "migrate")
        assert migrated.out.strip() == "Migrated.", migrated.err
        assert onefold(*place, "version", "--check").code == 0
        # Served views grow by the demo's attributes and types, rights name the database's own roles.
        differing = [one for one in differences(catalogue(fresh), catalogue(conn)) if "onefold_v1" not in one]
        assert [one for one in differing if one.startswith(("columns ", "indexes ", "constraints "))] == []
        assert breaks(promised, served_columns(conn)) == []
        assert answers(url) == before
        with open_context(made.settings, environ={}) as context:
            assert standardise(context).records > 0
            resolve(context)
            publish(context)
            kept = row_versions(conn)
            for step in (standardise, resolve, publish):
                step(context)
            assert row_versions(conn) == kept
        # Whoever holds the same records has the same id; what was known before the upgrade is still answered.
        groups = "SELECT array_agg(record_id ORDER BY record_id), client_id FROM {} GROUP BY client_id"
        rows = conn.execute(groups.format("identity.crosswalk").encode()).fetchall()
        now = {tuple(records): client for records, client in rows}
        then: dict[Any, list[Any]] = {}
        for record, client, *_ in before[1]:
            then.setdefault(client, []).append(record)
        same = {client: now.get(tuple(sorted(records))) for client, records in then.items()}
        assert sum(found is not None for found in same.values()) > 0.9 * len(same)
        assert all(found in (None, client) for client, found in same.items())
        assert answers(url, "onefold_v1_asof", str(last)) == before
        assert conn.execute("SELECT count(*) FROM onefold_v1.fct_revenue").fetchone() != (0,)
        assert conn.execute("SELECT count(*) FROM onefold_v1.fct_interaction WHERE chain_id IS NULL").fetchone() == (0,)
