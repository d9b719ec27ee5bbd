"""A filled hub of the first version is brought up migration by migration, and what analysts hung on it stays alive."""

from __future__ import annotations

import psycopg

from tests.support.contract import breaks
from tests.support.first_version import migrations, restore, served_columns
from warehouse import migrate
from warehouse.connect import connect

DEPENDENTS = """
CREATE SCHEMA analyst;
CREATE VIEW analyst.everything AS SELECT * FROM onefold_v1.dim_client;
CREATE VIEW analyst.orders AS
    SELECT c.display_name, i.document_number, i.amount, t.label_en
    FROM onefold_v1.fct_interaction AS i
    JOIN onefold_v1.dim_client AS c USING (client_id)
    JOIN onefold_v1.dim_interaction_type AS t USING (type)
    WHERE NOT i.is_deleted;
CREATE VIEW analyst.on_top AS SELECT display_name, sum(amount) AS amount FROM analyst.orders GROUP BY 1;
CREATE MATERIALIZED VIEW analyst.kept AS
    SELECT x.*, l.attribute, l.value, f.changed_at
    FROM onefold_v1.xref_client_record AS x
    JOIN onefold_v1.client_field_lineage AS l USING (client_id)
    LEFT JOIN onefold_v1.change_feed AS f ON f.changed_seq = x.changed_seq;
CREATE INDEX ON analyst.kept (record_id);
"""


def answers(conn: psycopg.Connection) -> list[list[tuple[object, ...]]]:
    """What the analysts' objects say, the materialised one made anew."""
    conn.execute("REFRESH MATERIALIZED VIEW analyst.kept")
    names = ("everything", "orders", "on_top", "kept")
    return [sorted(conn.execute(f"SELECT * FROM analyst.{name}").fetchall(), key=str) for name in names]


def test_what_hangs_on_the_served_views_survives_each_migration_of_a_filled_hub(empty_database_url: str) -> None:
    restore(empty_database_url)
    with connect(empty_database_url, application_name="test") as conn:
        conn.execute(DEPENDENTS)
        promised = served_columns(conn)
        before = answers(conn)
        assert all(before), "each of them says something"
        done = []
        for revision in migrations(empty_database_url):
            done.append(revision)
            assert answers(conn) == before, revision
            assert breaks(promised, served_columns(conn)) == [], revision
        assert done[0] == "0002" and done[-1] == "definitions"
        assert migrate.is_current(empty_database_url)
        rows = conn.execute("SELECT count(*) FROM onefold_v1.meta_dataset WHERE rows IS NULL").fetchone()
        assert rows == (0,)
