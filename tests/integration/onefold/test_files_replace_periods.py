"""A restated month in the warehouse: deletions within it, their limit, and rejects that it mends."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from onefold.steps.hold import release
from onefold.steps.report import StreamReport
from onefold.steps.sync import sync
from tests.support.hub import Hub
from tests.support.messy import write_source

SOURCE = """
    source: shop
    connector: files
    settings: {path: "data/sales_*.csv", mode: {replaces: period, name: 'sales_(\\d{4}-\\d{2})'}}
    streams:
      sales: {key: no, limits: {deleted: 0.2, at_least: 2}}
"""


def write(folder: Path, month: str, numbers: Iterable[int], more: str = "") -> None:
    rows = "".join(f"{month}/{number:03};{number}\n" for number in numbers)
    (folder / "data" / f"sales_{month}.csv").write_text("no;sum\n" + rows + more)


def synced(hub: Hub, *, accept: bool = False) -> StreamReport:
    with hub.context() as context:
        (report,) = sync(context, "shop", accept_deletions=accept).streams
    return report


def alive(hub: Hub) -> set[str]:
    with hub.context() as context, context.connection("look") as conn:
        found = conn.execute("SELECT source_key FROM raw.record WHERE source = 'shop' AND NOT is_deleted").fetchall()
    return {row[0] for row in found}


def open_rejects(hub: Hub) -> int:
    with hub.context() as context, context.connection("look") as conn:
        row = conn.execute("SELECT count(*) FROM ops.reject WHERE source = 'shop' AND is_open").fetchone()
    assert row is not None
    return int(row[0])


def test_a_restated_month_deletes_within_its_limit_and_nothing_outside(tmp_path: Path, database_url: str) -> None:
    hub = Hub(tmp_path, database_url)
    write_source(hub.folder, "shop", SOURCE)
    (hub.folder / "data").mkdir(exist_ok=True)
    write(hub.folder, "2026-02", range(100), ";broken;row\n")
    write(hub.folder, "2026-03", range(20), ";;x\n")
    first = synced(hub)
    assert (first.status, first.inserted, first.deleted) == ("done", 120, 0)
    assert open_rejects(hub) == 2
    write(hub.folder, "2026-03", range(2, 22))
    second = synced(hub)
    assert (second.status, second.inserted, second.unchanged, second.deleted) == ("done", 2, 18, 2)
    kept = {f"2026-02/{number:03}" for number in range(100)} | {f"2026-03/{number:03}" for number in range(2, 22)}
    assert alive(hub) == kept
    assert open_rejects(hub) == 1, "the other month's reject stays, its own is mended"
    # Half of the month is gone: a small part of all sales, but too much of this one.
    write(hub.folder, "2026-03", range(2, 12))
    third = synced(hub)
    assert (third.status, third.error_class) == ("held", "Held")
    assert "10 of 20 records would be deleted" in str(third.error)
    assert alive(hub) == kept
    with hub.context() as context:
        assert release(context, 3, by="test").records == 10
    assert len(alive(hub)) == 110
    write(hub.folder, "2026-03", range(2, 7))
    fourth = synced(hub, accept=True)
    assert (fourth.status, fourth.deleted) == ("done", 5)
    nothing = synced(hub)
    assert (nothing.status, nothing.pages) == ("done", 0)
