"""dbt on the generated sources: all tests pass on the demo, and incremental models equal their full refresh."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from onefold.demo.identifiers import inn_organisation
from onefold.steps.docs import docs
from onefold.steps.judge import judge
from tests.support.dbt import Dbt, incremental
from tests.support.demo import demo
from tests.support.first_version import migrations, restore
from tests.support.hub import ERP, Hub
from warehouse.connect import connect
from warehouse.contract import ServedView, describe

pytestmark = pytest.mark.timeout(1200)


def views_by_change(hub_url: str) -> list[ServedView]:
    """The served views that can be read on by what changed, with the key by which a reader replaces rows."""
    with connect(hub_url, application_name="test") as conn:
        found = describe(conn).views
    return [view for view in found if view.is_incremental and (view.replace_by or view.key)]


def project(folder: Path, url: str, described: Path, views: list[ServedView]) -> Dbt:
    """A project with an incremental model on each of the views, and views on top."""
    made = Dbt(folder, url)
    models = {f"inc_{view.name}": incremental(view.name, view.replace_by or view.key) for view in views}
    models["spoken_to"] = (
        "{{ config(materialized='view') }} select c.display_name, i.* from {{ source('onefold', 'dim_client') }} as c"
        " join {{ source('onefold', 'fct_interaction') }} as i using (client_id)"
    )
    made.prepare(described / "dbt/models/onefold/sources.yml", models)
    return made


def test_all_tests_that_are_generated_pass_on_the_demo(database_url: str, tmp_path: Path) -> None:
    with demo(tmp_path / "demo", database_url, scale=0.1) as company, company.context() as context:
        docs(context, tmp_path / "described")
        dbt = project(tmp_path / "dbt", database_url, tmp_path / "described", views_by_change(database_url))
        results = dbt.run("build")
    tests = [one for one in results if one["unique_id"].startswith("test.")]
    assert len(tests) > 150
    assert [(one["unique_id"], one["message"]) for one in tests if one["status"] not in ("pass", "warn")] == []
    warned = [one["unique_id"] for one in tests if one["status"] == "warn"]
    assert all("relationships" in name and "record_id" in name for name in warned), (
        "only for records that may still come"
    )
    fresh = dbt.run("source", "freshness")
    assert fresh and {one["status"] for one in fresh} == {"pass"}


WITH_LINES = ERP.replace(
    "    document_number: no\n",
    "    document_number: no\n"
    '    lines: {each: "items[]", item_code: sku, quantity: qty, amount: sum}\n'
    "    promise: {kind: delivery_date, due: due, actual: came}\n",
)


class Company:
    """A company of two registers whose records merge, split, go and come late at random."""

    def __init__(self, hub: Hub, seed: int) -> None:
        self.hub, self.rng, self.number = hub, Random(seed), 0
        self.inns = [inn_organisation(self.rng, "77") for _ in range(150)]
        for at, inn in enumerate(self.inns):
            hub.registers["crm_companies"].append({"id": str(at), "name": f"ООО Ель{at}", "inn": inn})
            hub.registers["erp_customers"].append(
                {"code": f"C{at}", "kind": "company", "name": f"Ель{at} ООО", "inn": inn if at % 2 else None}
            )
        for _ in range(300):
            self.order(late=False)
        self.write()

    def order(self, *, late: bool) -> None:
        """A new order of anybody; a late one is of long ago."""
        self.number += 1
        day = f"{2020 if late else 2026}-02-{self.rng.randint(1, 28):02}"
        self.hub.registers["erp_orders"].append(
            {"no": f"SO-{self.number}", "customer": f"C{self.rng.randrange(160)}", "date": day, "due": day, "came": day,
             "total": str(self.rng.randint(1, 999)), "items": self.items()}
        )  # fmt: skip

    def items(self) -> list[dict[str, object]]:
        """Some lines, or none."""
        return [{"sku": f"A{n}", "qty": n + 1, "sum": "10.50"} for n in range(self.rng.randint(0, 3))]

    def change(self) -> None:
        """One thing of those that happen: a merge or a split, a deletion, a late fact, another customer, other lines."""
        customers, orders = self.hub.registers["erp_customers"], self.hub.registers["erp_orders"]
        what = self.rng.randrange(7)
        if what <= 1:
            self.rng.choice(customers)["inn"] = self.rng.choice(self.inns)
        elif what == 2:
            self.rng.choice(customers)["inn"] = None
        elif what == 3 and len(orders) > 50:
            orders.remove(self.rng.choice(orders))
        elif what == 4:
            self.order(late=True)
        elif what == 5:
            self.rng.choice(orders)["customer"] = f"C{self.rng.randrange(160)}"
        else:
            self.rng.choice(orders)["items"] = self.items()
        if self.rng.random() < 0.02 and len(customers) > 80:
            customers.remove(self.rng.choice(customers))

    def decide(self) -> None:
        """A steward joins two clients that have nothing to do with each other."""
        one, other = self.rng.sample(range(150), 2)
        with self.hub.context() as context:
            judge(context, "same", [f"crm:companies:{one}"], [f"crm:companies:{other}"], reason="test", by="test")

    def write(self) -> None:
        """Let the registers say so."""
        for name in self.hub.registers:
            self.hub.write(name)


def test_incremental_models_equal_their_full_refresh_after_a_thousand_changes(
    database_url: str, tmp_path: Path
) -> None:
    hub = Hub(tmp_path / "hub", database_url)
    hub.configure("erp", WITH_LINES)
    limits = "limits: {deleted: null, emptied: null, changed: null, merged: null}\n"
    (hub.folder / "config" / "hub.yaml").write_text(limits, encoding="utf-8")
    company = Company(hub, seed=5)
    hub.run()
    with hub.context() as context:
        docs(context, tmp_path / "described")
    views = views_by_change(database_url)
    assert {"dim_party", "dim_client", "fct_interaction", "fct_sales_order", "xref_client_record"} <= {
        v.name for v in views
    }
    dbt = project(tmp_path / "dbt", database_url, tmp_path / "described", views)
    dbt.run("run")
    for round_ in range(4):
        for _ in range(250):
            company.change()
        company.write()
        assert hub.run().status == "done"
        company.decide()
        if round_ % 2:
            dbt.run("run")
    told = {view.name for view in views if hub.query(f"SELECT 1 FROM analytics.inc_{view.name} LIMIT 1")}
    assert {"fct_interaction_line", "fct_promise", "client_field_lineage", "fct_sales_order_line"} <= told
    assert hub.query("SELECT 1 FROM analytics.inc_fct_interaction WHERE is_deleted LIMIT 1")
    differing = {}
    for view in views:
        ((wrong,),) = hub.query(
            f"SELECT count(*) FROM (SELECT t::text FROM onefold_v1.{view.name} AS t EXCEPT SELECT t::text FROM"
            f" analytics.inc_{view.name} AS t) AS missing"
        )
        ((stale,),) = hub.query(
            f"SELECT count(*) FROM (SELECT t::text FROM analytics.inc_{view.name} AS t EXCEPT SELECT t::text FROM"
            f" onefold_v1.{view.name} AS t) AS left_over"
        )
        if wrong or stale:
            differing[view.name] = (wrong, stale)
    assert differing == {}


def test_a_project_stays_alive_through_every_migration_of_a_filled_hub(empty_database_url: str, tmp_path: Path) -> None:
    restore(empty_database_url)
    dbt = Dbt(tmp_path / "dbt", empty_database_url)
    (tmp_path / "sources.yml").write_text(
        "version: 2\nsources:\n  - name: onefold\n    schema: onefold_v1\n    tables:\n"
        "      - {name: dim_client, columns: [{name: client_id, data_tests: [unique, not_null]}]}\n"
        "      - {name: fct_interaction}\n"
    )
    dbt.prepare(
        tmp_path / "sources.yml",
        {
            "clients": incremental("dim_client", ("client_id",)),
            "facts": incremental("fct_interaction", ("record_id",)),
            "spoken_to": "{{ config(materialized='view') }} select c.display_name, i.amount from"
            " {{ source('onefold', 'dim_client') }} as c join {{ source('onefold', 'fct_interaction') }} as i using (client_id)",
            "kept": "{{ config(materialized='materialized_view') }} select * from {{ source('onefold', 'dim_client') }}",
        },
    )
    dbt.run("build")
    with connect(empty_database_url, application_name="test") as conn:
        before = sorted(conn.execute("SELECT * FROM analytics.spoken_to").fetchall())
        for revision in migrations(empty_database_url):
            conn.execute("REFRESH MATERIALIZED VIEW analytics.kept")
            assert sorted(conn.execute("SELECT * FROM analytics.spoken_to").fetchall()) == before, revision
        clients = conn.execute("SELECT count(*) FROM analytics.clients").fetchone()
        dbt.run("build")
        assert conn.execute("SELECT count(*) FROM analytics.clients").fetchone() == clients
