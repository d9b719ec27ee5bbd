"""Systems that are read from their files, from `onefold source add` to one client's story, and the next delivery."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from tests.support.desk import Desk, empty_desk

DELIVERIES = Path(__file__).parents[1] / "unit" / "connectors" / "catalogue" / "files"
SOURCES = {"books": "onec_exchange", "shop": "commerceml", "tax": "datev"}


def deliver(desk: Desk, delivery: str) -> None:
    for source, connector in SOURCES.items():
        shutil.copytree(DELIVERIES / connector / delivery, desk.folder / "in" / source, dirs_exist_ok=True)


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Desk:
    made = empty_desk(tmp_path, database_url)
    deliver(made, "first")
    for source, connector in SOURCES.items():
        made.run("source", "add", source, "--connector", connector, "--set", f"path={tmp_path / 'in' / source}")
    return made


def bookings(desk: Desk) -> list[tuple[str, str, Decimal, str]]:
    """What is on the timelines of DATEV's clients: number, type, amount and day."""
    query = """
        SELECT document_number, type, amount, occurred_on::text FROM onefold_v1.fct_interaction
        WHERE source = 'tax' AND client_id IS NOT NULL AND NOT is_deleted
    """
    with psycopg.connect(desk.url) as conn:
        return sorted(conn.execute(query).fetchall())


def test_exchange_files_and_exports_become_clients_with_their_orders_invoices_and_payments(desk: Desk) -> None:
    report = desk.run("run")
    assert all(stream["status"] == "done" for one in report["syncs"] for stream in one["streams"]), report
    # The same INN in 1C's messages and in the shop's orders.
    (client,) = {
        desk.run("client", name)["client_id"]
        for name in ("books:counterparties:00000001-0001-11ee-8000-00155d010203", "shop:clients:vymysel")
    }
    timeline = {
        (one["source"], one["type"], one["document_number"]) for one in desk.run("client", client)["interactions"]
    }
    assert timeline == {
        ("books", "sales_order", "УТ-000011"), ("books", "invoice", "УТ-000021"), ("books", "return", "УТ-000026"),
        ("books", "payment", "УТ-000031"), ("books", "payment", "УТ-000041"),
        ("books", "payment", "УТ-000032"), ("books", "payment", "УТ-000042"),
        ("shop", "sales_order", "101"), ("shop", "payment", "103"), ("shop", "invoice", "104"),
    }  # fmt: skip
    assert bookings(desk) == [
        ("GS-7", "credit_note", Decimal("119.00"), "2026-03-21"),
        ("RE-1", "invoice", Decimal("1190.00"), "2026-03-05"),
        ("RE-1", "payment", Decimal("500.00"), "2026-03-20"),
        ("RE-1", "payment", Decimal("690.00"), "2026-03-30"),
        ("RE-2", "invoice", Decimal("2380.00"), "2026-04-02"),
    ]
    with psycopg.connect(desk.url) as conn:
        names = conn.execute("SELECT display_name FROM onefold_v1.dim_client").fetchall()
    assert {("Müller & Söhne GmbH",), ("Änne Größe",), ("Примеров Иван Петрович",)} <= set(names), names


def test_the_next_delivery_changes_and_deletes_what_it_says_and_a_third_run_nothing(desk: Desk) -> None:
    from warehouse.connect import connect
    from warehouse.dump import row_versions

    desk.run("run")
    deliver(desk, "later")
    desk.run("run")
    gone = {f"{source}:{stream}:{key}" for source, stream in (("books", "counterparties"), ("books", "orders"),
            ("shop", "documents"), ("tax", "accounts")) for key, is_gone in desk.rows(source, stream) if is_gone}  # fmt: skip
    assert gone == {
        "books:counterparties:00000003-0001-11ee-8000-00155d010203", "books:orders:0000000c-0001-11ee-8000-00155d010203",
        "shop:documents:102", "tax:accounts:29098/55003|10002",
    }  # fmt: skip
    assert sum(is_gone for _, is_gone in desk.rows("tax", "bookings")) == 1
    assert ("RE-1", "payment", Decimal("510.00"), "2026-03-20") in (now := bookings(desk)) and len(now) == 3, (
        "the second client is no longer a debtor"
    )
    with psycopg.connect(desk.url) as conn:
        query = "SELECT type, amount FROM onefold_v1.fct_interaction WHERE source = 'shop' AND document_number = '107'"
        assert conn.execute(query).fetchall() == [("payment", Decimal("-105.00"))]
    with connect(desk.url, application_name="test") as conn:
        before = row_versions(conn)
        desk.run("run")
        assert row_versions(conn) == before
