"""What monitoring reads: every figure is documented, named by the conventions, true, and holds no client's value."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from onefold.metrics import registry
from tests.acceptance.conftest import fill
from tests.support import database as databases
from tests.support.cli import CHECKOUT, Done, onefold
from tests.support.hub import Hub
from warehouse import figures
from warehouse.models.enums import STEPS

UNITS = ("_seconds", "_bytes", "_bits", "_ratio", "_info")
COUNTS = ("clients", "pairs", "open", "entries", "unanswered", "up", "freshness", "status")


@pytest.fixture(scope="module")
def watched(server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub that has run, with a reject; ERP's orders wait to be standardised."""
    with databases.database(server_url, template) as url:
        hub = Hub(tmp_path_factory.mktemp("watched"), url)
        fill(hub)
        hub.registers["crm_contacts"].append({"id": None, "first": "Nobody"})
        hub.write("crm_contacts")
        hub.run()
        with hub.context() as context:
            from onefold.steps.sync import sync

            hub.registers["erp_orders"].append({"no": "SO-4", "customer": "C1", "date": "2026-02-09", "total": "5"})
            hub.write("erp_orders")
            sync(context, "erp")
        yield hub


def asked(hub: Hub, *arguments: str | Path) -> Done:
    """`onefold metrics` on the hub."""
    return onefold(*hub.place, "metrics", *arguments)


def values(families: dict[str, Metric], name: str) -> dict[tuple[str, ...], float]:
    """The values of a family by their labels' values, in the order of the labels' names."""
    return {tuple(v for _, v in sorted(one.labels.items())): one.value for one in families[name].samples}


@pytest.fixture(scope="module")
def told(watched: Hub) -> dict[str, Metric]:
    """What the command says, read by the library's own parser."""
    done = asked(watched)
    assert done.code == 0, done.said
    return {family.name: family for family in openmetrics(done.out)}


def test_the_figures_are_those_of_the_hub(watched: Hub, told: dict[str, Metric]) -> None:
    assert values(told, "onefold_up") == {(): 1}
    assert values(told, "onefold_clients")[()] == len(watched.partition())
    assert values(told, "onefold_queue_entries")[("standardise",)] == 1
    assert values(told, "onefold_queue_entries")[("resolve",)] == 0
    assert values(told, "onefold_rejects_open") == {("crm", "contacts"): 1}
    assert values(told, "onefold_stream_freshness")[("erp", "fresh", "orders")] == 1
    assert values(told, "onefold_stream_freshness")[("erp", "stale", "orders")] == 0
    # Synced at 8:00 by the test's clock, by a schedule that comes every hour.
    assert values(told, "onefold_source_overdue_seconds")[("erp",)] > 3600
    assert values(told, "onefold_run_last_status")[("erp", "done", "sync")] == 1
    assert values(told, "onefold_run_last_duration_seconds")[("", "publish")] > 0
    kinds = {kind for (kind,) in values(told, "onefold_match_pairs")}
    assert kinds == {"organisation", "person"}
    assert all(0 <= share <= 1 for share in values(told, "onefold_match_review_ratio").values())
    ((events,),) = watched.query("SELECT last_event_id FROM ops.hub_clock")
    assert values(told, "onefold_change_events") == {(): events}


def test_every_queue_is_watched() -> None:
    assert figures.QUEUES == STEPS


def test_names_follow_the_conventions_and_are_documented_with_their_labels(told: dict[str, Metric]) -> None:
    """What `promtool check metrics` asks for, and the table of the manual."""
    page = (CHECKOUT / "docs" / "observability.md").read_text("utf-8")
    documented = {
        name: tuple(sorted(re.findall(r"`(\w+)`", labels)))
        for name, labels in re.findall(r"^\| `(onefold_\w+)` \|([^|]*)\|", page, re.MULTILINE)
    }
    for name, family in told.items():
        full = {"counter": f"{name}_total", "info": f"{name}_info"}.get(family.type, name)
        assert re.fullmatch(r"onefold(_[a-z]+)+", name), name
        assert family.documentation and not family.documentation.endswith("."), name
        assert family.type in ("gauge", "counter", "info")
        assert full.endswith((*UNITS, *COUNTS, "_total")), name
        assert not name.endswith(("_total", "_count", "_sum", "_bucket")), name
        assert full in documented, f"docs/observability.md does not tell of {full}"
        for sample in family.samples:
            assert tuple(sorted(sample.labels)) == documented[full], full
    assert len(documented) == len(told) + 2, "the two figures of the disk are told of the embedded server only"


def test_no_label_is_a_client_s_value(watched: Hub, told: dict[str, Metric]) -> None:
    labels = {value for family in told.values() for one in family.samples for value in one.labels.values()}
    planted = {row[0] for row in watched.query("SELECT value FROM identity.identifier")}
    planted |= {row[0] for row in watched.query("SELECT full_name FROM identity.standard_record")} - {None}
    assert planted and not {label.casefold() for label in labels} & planted


def test_the_file_of_the_textfile_collector_is_replaced_at_once(watched: Hub, tmp_path: Path) -> None:
    file = tmp_path / "onefold.prom"
    file.write_text("half a li")
    done = asked(watched, "--out", file)
    assert done.code == 0, done.said
    assert list(tmp_path.iterdir()) == [file]
    names = {family.name for family in plain(file.read_text("utf-8"))}
    assert {"onefold_up", "onefold_change_events", "onefold_queue_entries"} <= names
    assert asked(watched, "--out", tmp_path / "onefold.txt").code == 2
    assert asked(watched, "--out", file, "--serve", "9464").code == 2
    assert asked(watched, "--serve", "nowhere").code == 2


def test_a_database_that_does_not_answer_is_told_as_such(watched: Hub) -> None:
    with watched.context() as context:
        gone = replace(context, database_url="postgresql://onefold@127.0.0.1:9/hub")
        families = {family.name: family for family in openmetrics(generate_latest(registry(gone)).decode())}
    assert values(families, "onefold_up") == {(): 0}
    assert set(families) == {"onefold_up", "onefold_scrape_duration_seconds"}


def test_it_is_served_on_loopback_until_it_is_stopped(watched: Hub) -> None:
    words = [*watched.place, "metrics", "--serve", "127.0.0.1:0", "--log-format", "text"]
    with subprocess.Popen([sys.executable, "-m", "onefold", *words], stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            where = re.search(r"http://127\.0\.0\.1:\d+/metrics", process.stderr.readline())
            assert where is not None
            request = urllib.request.Request(
                where[0], headers={"Accept": "application/openmetrics-text; version=1.0.0"}
            )
            for _ in range(2):
                with urllib.request.urlopen(request, timeout=20) as answer:
                    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
                    families = {family.name: family for family in openmetrics(answer.read().decode())}
                assert values(families, "onefold_up") == {(): 1}
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_what_is_asked_often_is_answered_by_indexes(watched: Hub) -> None:
    """Each question of the figures, on tables that seem large to the planner."""
    from warehouse.sql import sql

    with psycopg.connect(watched.database_url) as conn:
        conn.execute("SET enable_seqscan = off")
        for name, index in {
            "rejects": "ix_reject_open", "cases": "ix_review_case_", "writes": "ix_write_receipt_unanswered",
        }.items():  # fmt: skip
            lines = conn.execute(b"EXPLAIN " + sql(f"figures.{name}").as_bytes(conn)).fetchall()
            assert index in "\n".join(line for (line,) in lines), name
