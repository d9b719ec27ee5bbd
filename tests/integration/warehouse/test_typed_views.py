"""fct_<type>: a view for every type of the registry, its detail in typed columns that are only ever appended."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.integration.warehouse.hub_rows import interaction, rows
from tests.integration.warehouse.test_golden_store import refresh
from warehouse import shapes, standard
from warehouse.dump import row_versions
from warehouse.interaction_types import store_interaction_types
from warehouse.migrate import upgrade
from warehouse.typed_views import ViewNameTaken, reserved_codes


def inspection(**fields: Any) -> dict[str, Any]:
    """A type of a company's own."""
    return {
        "code": "inspection",
        "label_en": "Inspection",
        "label_ru": "Осмотр",
        "has_lines": True,
        "detail_schema": {name: {"type": type_, "labels": {"en": name.title()}} for name, type_ in fields.items()},
    }


def columns(conn: psycopg.Connection, view: str) -> dict[str, str]:
    return dict(
        conn.execute(
            "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
            [f"onefold_v1.{view}"],
        ).fetchall()
    )


def happened(conn: psycopg.Connection, key: str, detail: dict[str, Any]) -> int:
    entry = interaction(key, None, type="inspection", detail=json.dumps(detail))
    line = {"record_id": entry["record_id"], "position": 1, "item_code": "P-1", "quantity": "2.500", "unit": "h"}
    standard.store_interactions(conn, rows(shapes.INTERACTION, [entry]), rows(shapes.INTERACTION_LINE, [line]), None)
    refresh(conn, int(entry["record_id"]))
    return int(entry["record_id"])


def test_detail_is_columns_of_its_types_and_lines_have_a_view(conn: psycopg.Connection) -> None:
    store_interaction_types(
        conn,
        [
            inspection(
                verdict="text", score="number", passed="boolean", next_on="date", signed_at="timestamp", parts="list",
                device="object",
            ),
            {"code": "call", "label_en": "Call"},
        ],
    )  # fmt: skip
    detail = {
        "verdict": "worn", "score": 12.50, "passed": False, "next_on": "2026-04-30",
        "signed_at": "2026-03-01T09:30:15.250000+00:00", "parts": ["seal", "rotor"], "device": {"no": "7"},
    }  # fmt: skip
    happened(conn, "i1", detail)
    happened(conn, "i2", {"score": "much", "passed": "perhaps", "next_on": "soon", "signed_at": "2026-02-31T99:00:00Z"})
    found = conn.execute(
        "SELECT verdict, score, passed, next_on, signed_at, parts, device, type, amount, detail ->> 'verdict'"
        " FROM onefold_v1.fct_inspection ORDER BY source_key"
    ).fetchall()
    assert found == [
        ("worn", Decimal("12.5"), False, date(2026, 4, 30), datetime(2026, 3, 1, 9, 30, 15, 250000, UTC),
         ["seal", "rotor"], {"no": "7"}, "inspection", Decimal("10.50"), "worn"),
        (None, None, None, None, None, None, None, "inspection", Decimal("10.50"), None),
    ]  # fmt: skip
    assert (
        conn.execute(
            "SELECT item_code, quantity, unit FROM onefold_v1.fct_inspection_line WHERE position = 1"
        ).fetchall()
        == [("P-1", Decimal("2.500"), "h")] * 2
    )
    assert conn.execute("SELECT count(*) FROM onefold_v1.fct_call").fetchone() == (0,)
    views = conn.execute("SELECT type, view_name, line_view_name FROM onefold_v1.dim_interaction_type ORDER BY 1")
    assert views.fetchall() == [("call", "fct_call", None), ("inspection", "fct_inspection", "fct_inspection_line")]


def test_view_and_columns_say_what_they_are(conn: psycopg.Connection) -> None:
    store_interaction_types(conn, [inspection(verdict="text", kind="text")])
    comments = dict(
        conn.execute(
            "SELECT attname::text, col_description(attrelid, attnum) FROM pg_attribute"
            " WHERE attrelid = 'onefold_v1.fct_inspection'::regclass AND attnum > 0"
        ).fetchall()
    )
    # `kind` means something else in dim_client, and here what the registry says.
    assert (comments["verdict"], comments["kind"], comments["currency"]) == ("Verdict", "Kind", "Currency, ISO 4217")
    assert None not in comments.values()
    assert conn.execute("SELECT obj_description('onefold_v1.fct_inspection'::regclass)").fetchone() == ("Inspection",)


def test_columns_are_only_appended_whatever_becomes_of_the_fields(conn: psycopg.Connection, database_url: str) -> None:
    store_interaction_types(conn, [inspection(score="number", verdict="text", amount="number")])
    before = columns(conn, "fct_inspection")
    assert (before["detail_amount"], before["amount"]) == ("numeric", "numeric")
    conn.execute("CREATE SCHEMA analyst; CREATE VIEW analyst.v AS SELECT * FROM onefold_v1.fct_inspection")
    happened(conn, "i1", {"score": "high", "verdict": "worn", "amount": 3, "grade": "A"})
    store_interaction_types(conn, [inspection(score="text", amount="number", grade="text")])
    conn.execute("UPDATE ops.definition SET fingerprint = gen_random_uuid() WHERE kind = 'sql'")
    upgrade(database_url)
    after = columns(conn, "fct_inspection")
    assert list(after.items())[: len(before)] == list(before.items())
    assert set(after) - set(before) == {"score_text", "grade"}
    row = conn.execute(
        "SELECT score, score_text, verdict, detail_amount, amount, grade FROM onefold_v1.fct_inspection"
    ).fetchone()
    assert row == (None, "high", None, Decimal(3), Decimal("10.50"), "A")
    store_interaction_types(conn, [inspection(score="number", verdict="text", amount="number")])
    assert columns(conn, "fct_inspection") == after
    assert conn.execute("SELECT verdict FROM analyst.v").fetchone() == ("worn",)


def test_a_registry_without_news_touches_no_view(conn: psycopg.Connection) -> None:
    store_interaction_types(conn, [inspection(score="number")])
    before, versions = row_versions(conn), conn.execute("SELECT xmin::text FROM pg_class ORDER BY oid").fetchall()
    store_interaction_types(conn, [{**inspection(score="number"), "has_lines": False}])
    assert row_versions(conn) == before
    assert conn.execute("SELECT xmin::text FROM pg_class ORDER BY oid").fetchall() == versions


@pytest.mark.parametrize("code", ["interaction", "promise", "interaction_line", "a" * 60])
def test_a_type_cannot_take_the_name_of_a_served_view(conn: psycopg.Connection, code: str) -> None:
    with pytest.raises(ViewNameTaken, match="give it another code"):
        store_interaction_types(conn, [{"code": code, "label_en": "Mine"}])
    assert conn.execute("SELECT count(*) FROM core.interaction_type").fetchone() == (0,)


def test_a_type_cannot_take_the_name_of_another_types_lines(conn: psycopg.Connection) -> None:
    with pytest.raises(ViewNameTaken, match="the lines of inspection"):
        store_interaction_types(conn, [inspection(), {"code": "inspection_line", "label_en": "Mine"}])


def test_shipped_types_and_served_views_keep_out_of_each_others_way() -> None:
    from onefold.configuration.shipped import shipped_interactions

    assert not reserved_codes() & set(shipped_interactions())
