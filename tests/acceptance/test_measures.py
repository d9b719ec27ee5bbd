"""Metrics from both sides: equal to what is counted in the registers, the same whether clients are looked at one by one or all at once."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from psycopg.errors import InsufficientPrivilege, QueryCanceled, ReadOnlySqlTransaction

from onefold.configuration.errors import ConfigurationError
from onefold.demo.society import STORY
from onefold.demo.world import read_truth
from onefold.errors import UsageError
from onefold.steps import measures, measures_told
from onefold.steps.as_client import as_client
from onefold.steps.erase import erase
from tests.support.cli import onefold
from tests.support.demo import Demo, demo
from tests.support.hub import ERP, Hub
from warehouse.connect import connect
from warehouse.dump import row_versions
from warehouse.roles import ensure_roles, grant_served, role_names
from warehouse.served_sql import as_reader, reading_role

TODAY = "2026-03-01"
OWN = """
metrics:
  big_orders:
    labels: {en: Big orders, ru: Крупные заказы}
    perspective: enterprise
    unit: share
    direction: up
    kind: share
    types: sales_order
    sql: SELECT client_id, occurred_on, amount > 50 AS value FROM onefold_v1.fct_interaction WHERE type = 'sales_order' AND summary NOT LIKE '%x%'
  cost_share:
    labels: Cost
    perspective: enterprise
    unit: share
    direction: down
    kind: ratio
    types: sales_order
    sql: SELECT client_id, occurred_on, 1 AS value, amount AS weight FROM onefold_v1.fct_interaction WHERE type = 'sales_order' AND NOT is_deleted
  divides:
    labels: Divides
    perspective: client
    unit: count
    direction: none
    kind: total
    types: sales_order
    sql: SELECT client_id, occurred_on, 1 / (amount - amount) AS value FROM onefold_v1.fct_interaction WHERE type = 'sales_order'
  payment_delay: null
"""
WORKING = (
    OWN.replace("divides:", "far:").replace("1 / (amount - amount) AS value", "1 / (amount - 77777) AS value")
    + """
  big_sum:
    labels: Big
    perspective: enterprise
    unit: count
    direction: none
    kind: total
    types: sales_order
    sql: |
      SELECT client_id, occurred_on, amount AS value FROM onefold_v1.fct_interaction WHERE type = 'sales_order';
"""
)
UNAVAILABLE = "SELECT metric FROM core.metric WHERE starts_with(why_en, 'PostgreSQL refuses') ORDER BY 1"
STORED = (
    "SELECT * FROM core.client_metric_month ORDER BY client_id, metric, month",
    "SELECT * FROM core.metric_value ORDER BY metric, place",
    "SELECT metric, is_available FROM core.metric ORDER BY metric",
)


@pytest.mark.timeout(600)
def test_what_is_measured_of_the_demo_is_what_its_registers_say(tmp_path: Path, database_url: str) -> None:
    with demo(tmp_path, database_url, scale=0.2) as company, company.context() as context:
        found = measures_told.report(context)
        of = {row["metric"]: row for row in (*found["client"], *found["enterprise"])}
        promised, kept, waited, days = deliveries(company)
        assert (of["on_time_delivery"]["observations"], float(of["on_time_delivery"]["value"])) == (
            promised, pytest.approx(kept / promised, abs=1e-6),
        )  # fmt: skip
        assert of["waiting_time"]["observations"] == waited
        assert float(of["waiting_time"]["value"]) == pytest.approx(days, abs=1e-6)
        tickets, complaints = (entries(company, name) for name in ("tickets", "complaints"))
        asked = [*tickets, *complaints]
        assert of["days_without_answer"]["observations"] == len(asked)
        assert of["complaints_open"]["value"] == sum(one["closed_at"] is None for one in complaints)
        assert of["complaints_resolved"]["observations"] == len(complaints)
        # A deal in the CRM and its delivery tell one promise: what is over are deals that no order was linked to.
        told = of["promises_kept"]["observations"] - promised - len(asked)
        assert 0 <= told <= 0.03 * promised
        assert float(of["revenue"]["value"]) == pytest.approx(sum_in_roubles(context), abs=0.01)
        assert of["on_time_delivery"]["low"] < of["on_time_delivery"]["value"] < of["on_time_delivery"]["high"]

        # What is not observed is not nought, and says why.
        for name in ("margin", "reopenings", "invoice_disputes"):
            assert (of[name]["value"], of[name]["is_available"]) == (None, False) and of[name]["why_ru"]
        assert not found["is_one_sided"] and found["note"] is None
        assert measures_told.report(context, ["revenue", "retention"])["is_one_sided"]
        # A client-side metric that tells nothing makes no report two-sided.
        assert measures_told.report(context, ["revenue", "reopenings"])["note"]["ru"]
        assert {row["verdict"] for row in measures_told.loyalty(context)} <= {
            "cannot tell",
            "not available",
            "no effect",
        }
        assert all(row["problem"] is None for row in measures_told.check(context))

        truth = read_truth(company.hub.world.folder)
        mine = {name.rpartition(":")[2] for name, entity in truth.items() if entity == STORY and name.startswith("erp:customers:")}  # fmt: skip
        story = as_client(context, next(name for name, entity in truth.items() if entity == STORY))
        promised, kept, waited, _ = deliveries(company, mine)
        (told_,) = (row for row in story.promises if row["type"] == "delivery")
        assert (told_["kept"], told_["kept"] + told_["missed"] + told_["overdue"]) == (kept, promised)
        assert next(row["times"] for row in story.waits if row["type"] == "delivery") == waited
        assert [one["ended"] for one in story.complaints].count("open") == 0 and story.complaints
        assert {row["department"] for row in story.departments} >= {"sales", "logistics", "accounting", "service"}


def deliveries(company: Demo, customers: set[str] | None = None) -> tuple[int, int, int, float]:
    """Of the ERP's deliveries those that fell due and those on time; how many came, and after how many days."""
    with closing(sqlite3.connect(company.hub.world.folder / "erp.sqlite")) as erp:
        rows = erp.execute(
            "SELECT d.customer_no, substr(d.promised_on, 1, 10), substr(d.delivered_on, 1, 10),"
            " julianday(substr(d.delivered_on, 1, 10)) - julianday(substr(o.ordered_at, 1, 10))"
            " FROM deliveries AS d JOIN orders AS o USING (order_no) WHERE d.delivered_on IS NOT NULL OR d.promised_on < date()"
        ).fetchall()
    mine = [row for row in rows if customers is None or row[0] in customers]
    came = [row for row in mine if row[2] is not None]
    kept = sum(row[2] <= row[1] for row in came)
    return len(mine), kept, len(came), sum(row[3] for row in came) / max(len(came), 1)


def entries(company: Demo, name: str) -> list[dict[str, Any]]:
    file = company.hub.world.folder / "service_desk" / f"{name}.jsonl"
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def sum_in_roubles(context: Any) -> float:
    with context.connection("test") as conn:
        row = conn.execute(
            "SELECT sum(r.reporting_amount) FROM onefold_v1.fct_revenue AS r JOIN onefold_v1.dim_client AS c USING (client_id)"
            " WHERE r.measure IN ('ordered', 'invoiced') AND NOT r.is_deleted AND NOT c.is_deleted"
        ).fetchone()
    return float(row[0])


def fill(hub: Hub, own: str = OWN) -> random.Random:
    """Clients with orders, each of which promises a day."""
    promised = "document_number: no\n    summary: text\n    promise: {kind: delivery_date, due: due, actual: came}"
    hub.configure("erp", ERP.replace("document_number: no", promised))
    (hub.folder / "config" / "metrics.yaml").write_text(own, encoding="utf-8")
    rng = random.Random(4)
    for client in range(30):
        hub.registers["erp_customers"].append(
            {"code": f"C{client}", "kind": "person", "person": f"Имя{client} Фамилия{client}", "mail": f"a{client}@ex{client}.example"}
        )  # fmt: skip
        hub.registers["erp_orders"] += [order(rng, f"N{client}-{n}", client) for n in range(rng.randint(1, 9))]
    for name in ("erp_customers", "erp_orders"):
        hub.write(name)
    return rng


def order(rng: random.Random, number: str, client: int) -> dict[str, Any]:
    day = f"2025-{rng.randint(1, 12):02d}-{rng.randint(10, 19)}"
    came = f"{day[:8]}{rng.randint(20, 28)}"
    return {"no": number, "customer": f"C{client}", "date": day, "total": rng.randint(1, 99), "text": "Насос", "due": f"{day[:8]}24", "came": came}  # fmt: skip


def stored(hub: Hub) -> list[Any]:
    return [hub.query(query) for query in STORED]


def look_at_all(hub: Hub) -> measures.MeasuresReport:
    hub.query("UPDATE ops.definition SET fingerprint = gen_random_uuid() WHERE kind = 'metrics' AND name = 'rules' RETURNING 1")  # fmt: skip
    with hub.context() as context, context.connection("test") as conn:
        return measures.find_metrics(context, conn)


def test_clients_with_news_are_measured_anew_with_the_outcome_of_measuring_all(hub: Hub) -> None:
    rng = fill(hub)
    hub.run()
    orders = hub.registers["erp_orders"]
    ((observations, value),) = hub.query(
        "SELECT observations, value FROM onefold_v1.metric_value WHERE metric = 'promises_kept' AND scope = 'hub'"
    )
    assert observations == len(orders)
    assert float(value) == pytest.approx(sum(one["came"] <= one["due"] for one in orders) / len(orders), abs=1e-6)
    assert hub.query("SELECT value FROM core.metric_value WHERE metric = 'cost_share' AND place = 'hub'")[0][
        0
    ] == round(hub.query("SELECT count(*) / sum(amount) FROM core.interaction WHERE type = 'sales_order'")[0][0], 6)
    # Below the minimum a month has its sample and no value, and a client is not there.
    months = hub.query("SELECT observations, clients, value FROM core.metric_value WHERE metric = 'promises_kept' AND scope = 'month'")  # fmt: skip
    assert months and all((value is None) == (n < 20 or m < 5) for n, m, value in months)
    per_client = hub.query("SELECT observations, value, low, high FROM onefold_v1.client_metric WHERE metric = 'promises_kept'")  # fmt: skip
    assert per_client and all(n >= 5 and low <= value <= high for n, value, low, high in per_client)
    # One that PostgreSQL refuses stops no other, says no value of a row, and one that is taken away is not there.
    of = dict(hub.query("SELECT metric, why_en FROM onefold_v1.metric"))
    assert "division by zero" in of["divides"] and "payment_delay" not in of
    assert of["on_time_delivery"] == "No source gives delivery."
    (hub.folder / "config" / "metrics.yaml").write_text(WORKING, encoding="utf-8")
    hub.run()

    with connect(hub.database_url, application_name="test") as conn:
        before = row_versions(conn)
        hub.run()
        assert row_versions(conn) == before

    orders[3]["came"] = orders[3]["due"]
    orders[40]["customer"] = "C2"
    del orders[7:12]
    orders += [order(rng, f"M{n}", n) for n in range(4)]
    hub.write("erp_orders")
    hub.run()
    some = stored(hub)
    report = look_at_all(hub)
    assert (report.clients, report.rows, report.failed) == (None, 0, ())
    assert stored(hub) == some

    # One that failed for a row of one client is asked of all again, and so is one whose numbers have no end.
    for total, failing in ((77777, "far"), ("1" + "0" * 23, "big_sum")):
        usual, orders[0]["total"] = orders[0]["total"], total
        hub.write("erp_orders")
        hub.run()
        assert failing in [name for (name,) in hub.query(UNAVAILABLE)]
        assert hub.query("SELECT FROM core.client_metric_month WHERE metric = %s", [failing]) == []
        orders[0]["total"] = usual
        hub.write("erp_orders")
        hub.run()
        assert stored(hub) == some
    assert look_at_all(hub).rows == 0

    (hub.folder / "config" / "metrics.yaml").unlink()
    hub.run()
    assert stored(hub) == [[], [], []]
    hub.has_nothing_to_do()


def test_a_definition_that_does_more_than_read_served_views_is_refused_with_its_line(hub: Hub) -> None:
    for text, why in (
        ("DELETE FROM onefold_v1.fct_interaction", "one SELECT"),
        ("SELECT client_id FROM core.client", "reads core.client"),
        ("SELECT pg_read_file('/etc/passwd')", "pg_read_file"),
        ("SELECT 1; DROP TABLE core.client", "2 statements"),
        ("SELECT * FROM ts_stat('SELECT 1')", "ts_stat"),
        ("SELECT set_config('role', 'postgres', true)", "set_config"),
    ):
        fill(hub, OWN.replace("sql: SELECT client_id, occurred_on, 1 / (amount - amount) AS value FROM onefold_v1.fct_interaction WHERE type = 'sales_order'", f"sql: {text}"))  # fmt: skip
        with pytest.raises(ConfigurationError, match=why) as refused:
            hub.run()
        assert "metrics.yaml:26" in str(refused.value) or "metrics.yaml" in str(refused.value)


def test_the_command_line_tells_both_sides_and_when_one_is_missing(hub: Hub) -> None:
    fill(hub)
    hub.run()
    checked = onefold(*hub.place, "--json", "measures", "check")
    assert checked.code == 0, checked.said
    told = onefold(*hub.place, "measures", "report", "--metrics", "big_orders,revenue")
    assert told.code == 0 and "nothing here says what clients lived through" in told.said.replace("\n", " ")
    both = onefold(*hub.place, "--json", "measures", "report", "--metrics", "big_orders,promises_kept").json
    assert not both["is_one_sided"] and [one["metric"] for one in both["client"]] == ["promises_kept"]
    unknown = onefold(*hub.place, "measures", "show", "promise_kept")
    assert unknown.code == 2 and "promises_kept" in unknown.said
    with hub.context() as context, pytest.raises(UsageError, match="no metric `x`"):
        measures_told.report(context, ["x"])


def test_definitions_run_as_the_reader_or_where_readers_are_held_to_departments_as_the_steward(hub: Hub) -> None:
    fill(hub)
    with connect(hub.database_url, application_name="test") as conn:
        ensure_roles(conn)
        grant_served(conn)
        names = role_names(conn.info.dbname)
    hub.run()
    before = stored(hub)
    assert dict(hub.query("SELECT metric, value FROM core.metric_value WHERE place = 'hub'"))["promises_kept"] > 0
    with connect(hub.database_url, application_name="test") as conn:
        assert reading_role(conn) == names.reader
        # Past the reading of its SQL a definition still can neither write nor read what is not served.
        for statement in ("SELECT 1 FROM core.client", "DELETE FROM core.metric", "CREATE TABLE onefold_v1.x ()"):
            with (
                pytest.raises((InsufficientPrivilege, ReadOnlySqlTransaction)),
                as_reader(conn, names.reader, seconds=5),
            ):
                conn.execute(statement.encode())
        with pytest.raises(QueryCanceled), as_reader(conn, names.reader, seconds=0.2):
            conn.execute("SELECT pg_sleep(5)")
    (hub.folder / "config" / "hub.yaml").write_text("row_security: true\n", encoding="utf-8")
    hub.run()
    look_at_all(hub)
    with connect(hub.database_url, application_name="test") as conn:
        assert reading_role(conn) == names.steward
    assert stored(hub) == before


def test_an_erased_client_is_measured_no_more(hub: Hub) -> None:
    fill(hub)
    hub.run()
    client = hub.client_of("erp:customers:C3")
    many = hub.query("SELECT count(*) FROM core.client_metric_month WHERE client_id = %s", [client])
    assert many[0][0] > 0
    with hub.context() as context:
        erase(context, client, reason="request of 2026-03-01", by="ada")
    assert hub.query("SELECT * FROM core.client_metric_month WHERE client_id = %s", [client]) == []
    some = stored(hub)
    assert look_at_all(hub).rows == 0 and stored(hub) == some
