"""Readers held to their departments see exactly the rows of these: through every served view, through search, and with
a function in WHERE that tells on what it is given. Off, nothing is different."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from onefold.steps.backup import backup, restore
from onefold.steps.erase import erase
from onefold.steps.grant import grant, grants, revoke
from onefold.steps.judge import judge
from onefold.steps.overlap import overlap
from onefold.steps.reconcile import reconcile
from tests.support.cli import onefold
from tests.support.hub import ERP, Hub
from warehouse import client_scopes, row_security
from warehouse.connect import connect, unit_of_work
from warehouse.roles import ensure_roles, grant_served, role_names

VIEWS = "SELECT schemaname, viewname FROM pg_views WHERE schemaname IN ('onefold_v1', 'onefold_v1_asof') ORDER BY 1, 2"
CLIENT_COLUMNS = {"client_id", "from_client_id", "to_client_id", "old_client_id"}
WITHOUT_CLIENTS = {
    "dim_exchange_rate", "dim_interaction_type", "report_department_coverage", "meta_column", "meta_dataset", "report_reconciliation", "report_register_overlap",
    "report_register_combination",
}  # fmt: skip
"""Views that hold no row of a client."""


def switch(hub: Hub, on: bool) -> None:
    """hub.yaml, and a run."""
    (hub.folder / "config" / "hub.yaml").write_text(f"row_security: {str(on).lower()}\n", "utf-8")
    hub.run()


@contextmanager
def reading(hub: Hub, role: str) -> Iterator[psycopg.Connection[Any]]:
    """A session of a role of this hub."""
    with connect(hub.database_url, application_name="test") as conn:
        conn.execute(SQL("SET SESSION AUTHORIZATION {}").format(Identifier(f"{conn.info.dbname}_{role}")))
        yield conn


@pytest.fixture
def held(filled_hub: Hub) -> Hub:
    """The hub with row security on; role `sales` sees sales, `ops` sees logistics, `nobody` nothing. A merge was made
    and undone, a client has gone, and both reports were counted."""
    hub = filled_hub
    hub.configure("erp", ERP.replace("type: sales_order", "type: delivery").replace("operations", "logistics"))
    with connect(hub.database_url, application_name="test") as conn:
        ensure_roles(conn)
        grant_served(conn)
        for role in ("sales", "ops", "nobody"):
            name = Identifier(f"{conn.info.dbname}_{role}")
            conn.execute(SQL("CREATE ROLE {} LOGIN").format(name))
            conn.execute(SQL("GRANT {} TO {}").format(Identifier(role_names(conn.info.dbname).reader), name))
        prefix = conn.info.dbname
    with hub.context() as context:
        judge(context, "same", ["crm:contacts:2"], ["crm:contacts:3"], reason="test", by="ada")
    hub.registers["erp_customers"].append({"code": "C7", "kind": "person", "person": "Новиков Иван"})
    hub.write("erp_customers")
    hub.run(full=True)
    hub.registers["erp_customers"].pop()
    hub.write("erp_customers")
    hub.run(full=True)
    with hub.context() as context:
        overlap(context, refresh=True)
        reconcile(context)
    switch(hub, on=True)
    with hub.context() as context:
        grant(context, f"{prefix}_sales", ["sales"])
        grant(context, f"{prefix}_ops", ["logistics"])
    return hub


def allowed_clients(hub: Hub, source: str, types: set[str]) -> set[str]:
    """Clients that have, or if they are gone had, a record of the source, or an interaction of the types."""
    rows = hub.query(
        "SELECT h.client_id::text FROM identity.crosswalk_history h JOIN core.client c USING (client_id)"
        " JOIN raw.record w ON w.record_id = h.record_id WHERE w.source = %s AND (h.valid_to IS NULL OR c.is_deleted)"
        " UNION SELECT client_id::text FROM core.interaction WHERE type = ANY (%s) AND NOT is_deleted"
        " AND client_id IS NOT NULL",
        (source, list(types)),
    )
    return {client for (client,) in rows}


def rows_of(conn: psycopg.Connection[Any], schema: str, view: str) -> list[dict[str, Any]]:
    """All rows of a view as the session sees them."""
    return [row for (row,) in conn.execute(SQL("SELECT to_jsonb(v) FROM {} AS v").format(Identifier(schema, view)))]


def test_every_served_view_shows_the_rows_of_the_readers_departments_and_no_other(held: Hub) -> None:
    types = {"sales": "SELECT code FROM core.interaction_type WHERE department = 'sales'",
             "ops": "SELECT code FROM core.interaction_type WHERE department = 'logistics'"}  # fmt: skip
    views = held.query(VIEWS)
    everything = {}
    with connect(held.database_url, application_name="test") as conn:
        everything = {view: rows_of(conn, *view) for view in views}
    assert len(everything["onefold_v1", "dim_party"]) >= 6
    for role, source in (("sales", "crm"), ("ops", "erp")):
        codes = {code for (code,) in held.query(types[role])}
        allowed = allowed_clients(held, source, codes)
        assert allowed
        with reading(held, role) as conn:
            for schema, view in views:
                seen, of_all = rows_of(conn, schema, view), everything[schema, view]
                for row in seen:
                    told = {str(row[name]) for name in CLIENT_COLUMNS & row.keys() if row[name] is not None}
                    assert told <= allowed or view == "xref_client_redirect", (role, view, row)
                    if "type" in row and view.startswith("fct_"):
                        assert row["type"] in codes, (role, view, row)
                    assert told or view.startswith(("fct_", "report_")) or view in WITHOUT_CLIENTS, (role, view, row)
                if view in ("dim_party", "dim_client_history", "xref_client_record", "client_field_lineage"):
                    wanted = [row for row in of_all if str(row["client_id"]) in allowed]
                    assert len(seen) == len(wanted), (role, view)
                if view == "fct_interaction":
                    assert len(seen) == sum(row["type"] in codes for row in of_all), role
                if view == "change_feed":
                    wanted = [row for row in of_all if str(row["client_id"]) in allowed]
                    assert sorted(row["changed_seq"] for row in seen) == sorted(row["changed_seq"] for row in wanted)


def test_without_a_department_nothing_of_a_client_is_seen_and_with_both_everything(held: Hub) -> None:
    views = held.query(VIEWS)
    with reading(held, "nobody") as conn:
        for schema, view in views:
            assert rows_of(conn, schema, view) == [] or view in WITHOUT_CLIENTS, view
            # Counts of what is in scope, a row for each department that there is.
            if view.startswith("report_") and view != "report_department_coverage":
                assert rows_of(conn, schema, view) == []
    parties = len(held.query("SELECT FROM onefold_v1.dim_party"))
    with held.context() as context:
        prefix = held.query("SELECT current_database()")[0][0]
        grant(context, f"{prefix}_nobody", ["sales", "logistics"])
        assert grants(context).roles[f"{prefix}_nobody"] == ["logistics", "sales"]
        with reading(held, "nobody") as conn:
            assert len(rows_of(conn, "onefold_v1", "dim_party")) == parties
        revoke(context, f"{prefix}_nobody", ["sales"])
    with reading(held, "nobody") as conn:
        assert 0 < len(rows_of(conn, "onefold_v1", "dim_party")) < parties


MEASURED = """
metrics:
  of_sales: &total
    labels: Deals
    perspective: enterprise
    unit: count
    direction: none
    kind: total
    types: sales_deal
    minimum: 1
    minimum_per_client: 1
    sql: SELECT client_id, occurred_on, 1 AS value FROM onefold_v1.fct_interaction WHERE type = 'sales_deal'
  of_logistics:
    <<: *total
    types: delivery
    sql: SELECT client_id, occurred_on, 1 AS value FROM onefold_v1.fct_interaction WHERE type = 'delivery'
  of_both:
    <<: *total
    types: [sales_deal, delivery]
    sql: SELECT client_id, occurred_on, 1 AS value FROM onefold_v1.fct_interaction
"""


def test_what_is_measured_of_other_departments_dealings_is_not_told(held: Hub) -> None:
    (held.folder / "config" / "metrics.yaml").write_text(MEASURED, "utf-8")
    held.run()
    own = "SELECT DISTINCT metric FROM onefold_v1.{} WHERE starts_with(metric, 'of_') ORDER BY 1"
    everything = [("of_both",), ("of_logistics",), ("of_sales",)]
    for view in ("metric_value", "client_metric"):
        assert held.query(own.format(view)) == everything
        for role, seen in (("sales", [("of_sales",)]), ("ops", [("of_logistics",)]), ("nobody", [])):
            with reading(held, role) as conn:
                assert conn.execute(own.format(view).encode()).fetchall() == seen, (view, role)
    # A month of fewer than five clients has its sample, and no value.
    months = held.query(
        "SELECT clients, value FROM core.metric_value WHERE scope = 'month' AND starts_with(metric, 'of_')"
    )
    assert months and all((value is None) == (clients < 5) for clients, value in months)


def worry(name: str, said: str, at: str) -> str:
    """A concern that is raised by any dealing of a type, and calm without."""
    return f"""
  {name}:
    question: {name}?
    {said}
    examples:
      raised: [{{interactions: [{{type: {at}, days_ago: 9}}]}}]
      calm: [{{interactions: [{{type: call, days_ago: 9}}]}}]
"""


def test_what_worries_about_other_departments_dealings_is_not_told(held: Hub) -> None:
    any_of = "more_than: {{count: 0, within: 3000d, of: {{types: {}}}}}".format
    none_of = "none_of: {{within: 1d, since: 3000d, after: {{types: {}}}, of: {{types: {}}}}}".format
    asked = (
        worry("in_sales", any_of("sales_deal"), "sales_deal"),
        worry("in_logistics", any_of("delivery"), "delivery"),
        worry("not_delivered", none_of("sales_deal", "delivery"), "sales_deal"),
        worry("in_sql", "sql: SELECT i.client_id, i.summary AS note FROM onefold_v1.fct_interaction AS i WHERE i.type <> 'call'", "delivery"),
    )  # fmt: skip
    (held.folder / "config" / "concerns.yaml").write_text("shipped: false\nconcerns:" + "".join(asked), "utf-8")
    held.run()
    everything = [("in_logistics",), ("in_sales",), ("in_sql",), ("not_delivered",)]
    clients = dict(held.query("SELECT concern, count(DISTINCT client_id) FROM core.concern_row GROUP BY 1"))
    assert clients.keys() == {name for (name,) in everything} and min(clients.values()) > 0
    for view in ("concern", "concern_raise", "concern_row"):
        names = f"SELECT DISTINCT concern FROM onefold_v1.{view} ORDER BY 1"
        assert held.query(names) == everything, view
        for role, seen in (("sales", [("in_sales",)]), ("ops", [("in_logistics",)]), ("nobody", [])):
            with reading(held, role) as conn:
                assert conn.execute(names.encode()).fetchall() == seen, (view, role)
    with reading(held, "sales") as conn:
        rows = conn.execute("SELECT type, client_id IS NOT NULL FROM onefold_v1.concern_row").fetchall()
        assert {type_ for type_, _ in rows} == {"sales_deal"}
        # The command and the pages read the tables, which no reader may.
        for table in ("concern", "concern_row", "concern_raise"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(f"SELECT * FROM core.{table}".encode())


def test_search_finds_what_is_in_scope_only_and_nobody_asks_in_anothers_name(held: Hub) -> None:
    find = "SELECT display_name FROM onefold_v1.search_client(%s)"
    with reading(held, "sales") as conn:
        assert conn.execute(find, ["Чайк"]).fetchone() is not None
        assert conn.execute(find, ["müller"]).fetchall() == []
        assert conn.execute(find, ["%"]).fetchall() == []
        owner = held.query("SELECT current_user")[0][0]
        for forged in (
            f"SELECT * FROM core.search_client('müller', 9, '{owner}')",
            "SELECT core.client_in_scope(gen_random_uuid(), ARRAY['erp'], '{}')",
            f"SET ROLE {owner}",
            "SELECT * FROM core.client",
            "SELECT * FROM ops.reader_scope",
            "SELECT * FROM raw.record",
            "INSERT INTO ops.reader_scope VALUES (current_user, 'logistics')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(forged)
    with reading(held, "ops") as conn:
        assert conn.execute(find, ["müller"]).fetchall() == [("GmbH Müller & Söhne",)]
    assert held.query("SELECT display_name FROM onefold_v1.search_client('müller')") == [("GmbH Müller & Söhne",)]


def test_a_function_in_where_is_given_no_row_that_the_reader_may_not_see(held: Hub) -> None:
    leak = (
        "CREATE FUNCTION pg_temp.tell(said text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
        " $$BEGIN RAISE NOTICE 'told %', said; RETURN true; END$$"
    )
    told: list[str] = []
    with reading(held, "sales") as conn:
        conn.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        conn.execute(leak)
        for schema, view in held.query(VIEWS):
            name = Identifier(schema, view)
            conn.execute(SQL("SELECT count(*) FROM {} AS v WHERE pg_temp.tell(v::text)").format(name))
            for column in ("display_name", "source_key", "document_number", "payload", "lineage"):
                if (column,) in held.query(
                    "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass(%s)", (f"{schema}.{view}",)
                ):
                    tell = SQL("SELECT count(*) FROM {} AS v WHERE pg_temp.tell(v.{}::text)")
                    conn.execute(tell.format(name, Identifier(column)))
    assert any("Керн" in one for one in told)
    # The ERP's own client, its order about nobody, and who came and went there.
    assert [one for one in told if "Müller" in one or "SO-3" in one or "Новиков" in one] == []


def test_new_attributes_types_and_migrations_leave_no_hole(held: Hub) -> None:
    config = held.folder / "config"
    (config / "attributes.yaml").write_text(
        "attributes:\n  colour: {kind: both, type: text, labels: {en: Colour, ru: Цвет}}\n", "utf-8"
    )
    (config / "interactions.yaml").write_text(
        "interactions:\n  tasting: {department: logistics, labels: {en: Tasting, ru: Дегустация}}\n", "utf-8"
    )
    held.run()
    with connect(held.database_url, application_name="test") as conn:
        assert row_security.is_as_wanted(conn, True, {"crm": "sales", "erp": "logistics"})
        unbarred = conn.execute(
            "SELECT viewname, viewowner FROM pg_views JOIN pg_class c ON c.oid = format('%I.%I', schemaname, viewname)::regclass"
            " WHERE schemaname IN ('onefold_v1', 'core')"
            " AND (NOT coalesce(c.reloptions, '{}') @> '{security_barrier=true}' OR viewowner NOT LIKE '%%\\_owner')"
        ).fetchall()
        assert unbarred == []
        conn.execute("CREATE VIEW onefold_v1.dim_new AS SELECT * FROM core.client")
    with reading(held, "sales") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("SELECT * FROM onefold_v1.dim_new")
    held.run()
    with reading(held, "sales") as conn:
        assert 0 < len(rows_of(conn, "onefold_v1", "dim_new")) < len(held.query("SELECT FROM core.client"))
    with connect(held.database_url, application_name="test") as conn:
        conn.execute("DROP VIEW onefold_v1.dim_new")


def test_the_hub_works_on_and_off_again_everybody_sees_everything(held: Hub) -> None:
    held.registers["crm_contacts"][0]["city"] = "Тверь"
    held.write("crm_contacts")
    held.run(full=True)
    held.has_nothing_to_do()
    parties = held.query("SELECT count(*) FROM onefold_v1.dim_party")
    switch(held, on=False)
    with reading(held, "nobody") as conn:
        assert conn.execute("SELECT count(*) FROM onefold_v1.dim_party").fetchall() == parties
        assert conn.execute("SELECT count(*) FROM onefold_v1.search_client('')").fetchone() != (0,)
    assert held.query("SELECT count(*) FROM pg_policy") == [(0,)]
    left = (
        "SELECT count(*) FROM pg_class WHERE relnamespace::regnamespace::text !~ '^pg_|information'"
        " AND (relrowsecurity OR reloptions::text ~ 'barrier')"
    )
    assert held.query(left) == [(0,)]


def test_scopes_that_publish_keeps_up_are_those_that_would_be_found_anew(held: Hub) -> None:
    kept = "SELECT client_id, display_name, scope FROM core.client_scope ORDER BY client_id"
    at_first = held.query(kept)
    with held.context() as context:
        judge(context, "same", ["crm:contacts:2"], ["crm:contacts:3"], reason="test", by="ada")
    held.registers["erp_customers"][0]["code"] = "C99"
    held.registers["erp_orders"].pop(0)
    held.registers["crm_contacts"].pop()
    for register in ("erp_customers", "erp_orders", "crm_contacts"):
        held.write(register)
    held.run(full=True)
    now = held.query(kept)
    assert now != at_first
    assert {row[0] for row in now} == {row[0] for row in held.query("SELECT client_id FROM core.client")}
    with connect(held.database_url, application_name="test") as conn, unit_of_work(conn):
        client_scopes.fill(conn)
    assert held.query(kept) == now


def test_grants_by_the_command_line(held: Hub) -> None:
    prefix = held.query("SELECT current_database()")[0][0]
    assert f"{prefix}_sales" in onefold("db", "grants", *held.place).out.replace("\n", "")
    assert onefold("db", "grant", f"{prefix}_nobody", "--department", "sales", *held.place).code == 0
    assert onefold("db", "revoke", f"{prefix}_nobody", "--department", "sales", *held.place).code == 0
    assert onefold("db", "revoke", f"{prefix}_nobody", "--department", "sales", *held.place).code == 4
    assert onefold("db", "grant", f"{prefix}_nobody", "--department", "astronomy", *held.place).code == 4
    assert onefold("db", "grant", "no_such_role_here", "--department", "sales", *held.place).code == 4


def test_a_restored_hub_holds_its_readers_as_the_one_that_was_saved(held: Hub, tmp_path: Path) -> None:
    """Also one in which an erasure is done again, which publishes before anybody reads."""

    def seen(role: str) -> dict[tuple[str, str], list[str]]:
        with reading(held, role) as conn:
            return {view: sorted(map(str, rows_of(conn, *view))) for view in views if view[1] not in WITHOUT_CLIENTS}

    views = held.query(VIEWS)
    file = tmp_path / "hub.onefold"
    before = {role: seen(role) for role in ("sales", "ops", "nobody")}
    backup(held.settings, file)
    restore(held.settings, file, replace_hub=True)
    assert {role: seen(role) for role in before} == before
    assert before["sales"] != before["ops"] and not any(before["nobody"].values())
    gone = held.client_of("erp:customers:C2")
    with held.context() as context:
        erase(context, gone, reason="request", by="ada")
    after = {role: seen(role) for role in before}
    assert restore(held.settings, file, replace_hub=True).erased == 1
    for role in before:
        clients = {str(row) for row in seen(role)["onefold_v1", "dim_client"]}
        assert len(clients) == len(after[role]["onefold_v1", "dim_client"])
        assert not any("Чайковск" in row for rows in seen(role).values() for row in rows)
    with connect(held.database_url, application_name="test") as conn:
        assert row_security.is_on(conn) and not row_security._leaky_views(conn)
        for table, shown in conn.execute(
            "SELECT c.relname, c.relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname IN ('raw', 'identity', 'core', 'ops') AND c.relkind = 'r'"
        ):
            assert shown, table


def test_a_reader_of_a_hub_restored_under_another_name_sees_no_more_than_before(
    held: Hub, empty_database_url: str, tmp_path: Path
) -> None:
    with held.context() as context, context.connection() as conn:
        reader = role_names(conn.info.dbname).reader
        grant(context, reader, ["sales"])
    with reading(held, "reader") as conn:
        before = len(rows_of(conn, "onefold_v1", "dim_client"))
    backup(held.settings, tmp_path / "hub.onefold")
    restore(held.settings, tmp_path / "hub.onefold", into=empty_database_url)
    with connect(empty_database_url, application_name="test") as conn:
        other = role_names(conn.info.dbname).reader
        assert other != reader and row_security.is_on(conn)
        conn.execute(SQL("SET SESSION AUTHORIZATION {}").format(Identifier(other)))
        assert len(rows_of(conn, "onefold_v1", "dim_client")) == before > 0
        conn.execute("RESET SESSION AUTHORIZATION")
        conn.execute(SQL("SET SESSION AUTHORIZATION {}").format(Identifier(reader)))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows_of(conn, "onefold_v1", "dim_client")
