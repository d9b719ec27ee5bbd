"""Large loads take shorter ways to the same end: one transaction, overlapping chunks, steps that are not loaded."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from onefold.context import Context
from onefold.steps import idle, publish, run, standardise
from onefold.steps.ahead import ahead
from onefold.steps.beside import beside
from onefold.steps.report import StandardiseReport, SyncReport
from onefold.steps.sync import sync
from tests.acceptance.conftest import FreshDatabases, fill
from tests.support.hub import Hub
from warehouse import first_links, related
from warehouse.connect import connect
from warehouse.dump import canonical_dump


def dump_after_run(hub: Hub) -> dict[str, list[str]]:
    """What a hub of its own knows after its first run, but for the times of its files."""
    fill(hub)
    hub.run()
    with connect(hub.database_url, application_name="test") as conn:
        dump = canonical_dump(conn)
    assert dump["core.client_history"]
    return {table: rows for table, rows in dump.items() if table != "ops.checkpoint"}


def test_a_first_publish_as_a_whole_and_chunk_by_chunk_end_alike(
    tmp_path_factory: pytest.TempPathFactory, fresh_databases: FreshDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fresh_databases() as whole_url, fresh_databases() as url, fresh_databases() as small_url:
        plain = dump_after_run(Hub(Path(tmp_path_factory.mktemp("plain")), url))
        with monkeypatch.context() as patch:
            patch.setattr(publish, "FIRST_LOAD", 1)
            patch.setattr(publish, "FIRST_LOAD_RECORDS", 3)
            patch.setattr(standardise, "CHUNK", 3)
            whole = dump_after_run(Hub(Path(tmp_path_factory.mktemp("whole")), whole_url))
        with monkeypatch.context() as patch:
            patch.setattr(publish, "CHUNK", 3)
            small = dump_after_run(Hub(Path(tmp_path_factory.mktemp("small")), small_url))
    assert whole == plain
    # Chunks of their own have event numbers of their own; the golden records are the same.
    assert small["core.client"] == plain["core.client"]
    assert small["core.client_history"] == plain["core.client_history"]


def test_first_links_by_copy_and_by_difference_end_alike(
    tmp_path_factory: pytest.TempPathFactory, fresh_databases: FreshDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nobody looked whether any number relates before all numbers were read."""
    with fresh_databases() as first_url, fresh_databases() as url:
        copied = dump_after_run(Hub(Path(tmp_path_factory.mktemp("copied")), first_url))
        monkeypatch.setattr(first_links, "are_first", lambda _: False)
        monkeypatch.setattr(related, "_MANY", 0)
        assert dump_after_run(Hub(Path(tmp_path_factory.mktemp("compared")), url)) == copied
    assert copied["identity.crosswalk"]


def test_indexes_are_all_there_after_a_first_publish_as_a_whole(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    indexes = "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid::regclass::text LIKE 'core.client%%'"
    before = sorted(hub.query(indexes))
    monkeypatch.setattr(publish, "FIRST_LOAD", 1)
    fill(hub)
    hub.run()
    assert sorted(hub.query(indexes)) == before


def test_a_step_with_nothing_to_do_is_told_without_arrow(filled_hub: Hub) -> None:
    with filled_hub.context() as context, context.connection() as conn:
        reports = [tell(context, conn) for tell in (idle.idle_standardise, idle.idle_resolve, idle.idle_publish)]
        assert all(report is not None and report.run_id is None for report in reports)
    script = "import sys, onefold.steps.idle, onefold.steps.run; print({'pyarrow', 'numpy'} & sys.modules.keys())"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("file", "text", "step"),
    [
        ("matching.yaml", "person:\n  link_at: 0.9999\n", "resolve"),
        ("survivorship.yaml", "fields:\n  birth_date: [trust, recent]\n", "publish"),
        ("attributes.yaml", "attributes:\n  shoe_size: {type: number, labels: {en: Shoe size}}\n", "standardise"),
    ],
)
def test_edited_rules_are_something_to_do(filled_hub: Hub, file: str, text: str, step: str) -> None:
    (filled_hub.folder / "config" / file).write_text(text, encoding="utf-8")
    with filled_hub.context() as context, context.connection() as conn:
        assert getattr(idle, f"idle_{step}")(context, conn) is None
    filled_hub.run()
    with filled_hub.context() as context, context.connection() as conn:
        assert getattr(idle, f"idle_{step}")(context, conn) is not None


def test_items_ahead_come_in_order_and_an_error_after_what_was_made() -> None:
    closed = threading.Event()

    def items() -> Generator[int]:
        try:
            yield 1
            yield 2
            raise ValueError("third")
        finally:
            closed.set()

    seen: list[int] = []
    with pytest.raises(ValueError, match="third"):
        seen.extend(ahead(items()))
    assert seen == [1, 2]
    assert closed.is_set()


def test_chunks_prepared_in_other_processes_end_as_those_prepared_here(
    tmp_path_factory: pytest.TempPathFactory, fresh_databases: FreshDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fresh_databases() as url, fresh_databases() as beside_url:
        here = dump_after_run(Hub(Path(tmp_path_factory.mktemp("here")), url))
        monkeypatch.setattr(standardise, "BESIDE", 1)
        monkeypatch.setattr(standardise, "CHUNK", 3)
        monkeypatch.setattr(standardise, "threads", lambda: 2)
        used: list[int] = []

        def counted(*arguments: Any) -> Generator[Any]:
            used.append(1)
            return beside(*arguments)

        monkeypatch.setattr(standardise, "beside", counted)
        there = dump_after_run(Hub(Path(tmp_path_factory.mktemp("there")), beside_url))
    assert used
    assert there == here


def test_records_standardised_while_the_sources_are_read_end_as_those_after(
    tmp_path_factory: pytest.TempPathFactory, fresh_databases: FreshDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fresh_databases() as after_url, fresh_databases() as meanwhile_url:
        after = dump_after_run(Hub(Path(tmp_path_factory.mktemp("after")), after_url))
        monkeypatch.setattr(run, "LOOK", 0.001)
        monkeypatch.setattr(run, "FOLLOWED", 1)
        monkeypatch.setattr(standardise, "CHUNK", 3)
        asked: list[bool] = []
        step = standardise.standardise

        def followed(context: Context, more: Callable[[], bool] = lambda: False) -> StandardiseReport:
            asked.append(more())
            return step(context, more)

        monkeypatch.setattr(standardise, "standardise", followed)
        meanwhile = dump_after_run(Hub(Path(tmp_path_factory.mktemp("meanwhile")), meanwhile_url))
    assert asked[0]
    assert meanwhile == after


def test_a_run_that_is_broken_off_standardises_no_further(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(hub)
    monkeypatch.setattr(run, "LOOK", 0.001)
    monkeypatch.setattr(run, "FOLLOWED", 1)
    begun = threading.Event()

    def step(context: Context, more: Callable[[], bool]) -> StandardiseReport:
        begun.set()
        while more():
            time.sleep(0.001)
        raise AssertionError("it was told that the sync has ended well")

    def broken_off(*arguments: Any, **options: Any) -> SyncReport:
        sync(*arguments, **options)
        assert begun.wait(30)
        raise KeyboardInterrupt

    monkeypatch.setattr(standardise, "standardise", step)
    monkeypatch.setattr(run, "sync_or_say", broken_off)
    with hub.context() as context, pytest.raises(KeyboardInterrupt):
        run.run(context)


@contextmanager
def _halving(by: int) -> Iterator[Callable[[int], float]]:
    yield lambda number: number / by


def test_work_in_other_processes_comes_in_order_and_an_error_after_what_was_made() -> None:
    assert list(beside(_halving, 2, range(9), 2)) == [n / 2 for n in range(9)]
    made: list[float] = []
    with pytest.raises(ZeroDivisionError):
        made.extend(beside(_halving, 0, range(9), 2))
    with closing(beside(_halving, 2, range(9), 2)) as found:
        assert next(found) == 0


def test_processes_end_with_the_one_that_started_them() -> None:
    script = (
        "import os, signal\n"
        "from onefold.steps.beside import beside\n"
        "from tests.acceptance.test_bulk_steps import _halving\n"
        "found = beside(_halving, 2, range(9), 2)\n"
        "next(found)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    before = _workers()
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert done.returncode < 0
    deadline = time.monotonic() + 20
    while (left := _workers() - before) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left


def _workers() -> set[int]:
    return {p.pid for p in psutil.process_iter(["cmdline"]) if "onefold.steps.beside" in (p.info["cmdline"] or ())}
