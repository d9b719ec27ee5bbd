"""Two processes at once lose no update: one sync a source, turns under the hub lock, queues that keep late entries."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from onefold.errors import HubBusy, OnefoldError
from onefold.steps.judge import OpposingJudgements, judge, judgements
from onefold.steps.publish import publish
from onefold.steps.resolve import resolve
from onefold.steps.run import run
from onefold.steps.standardise import standardise
from onefold.steps.sync import sync
from tests.acceptance.conftest import FreshDatabases, fill
from tests.support.cli import CHECKOUT, onefold
from tests.support.http_source import Asked, Reply, http_source, records
from tests.support.hub import Hub
from tests.support.messy import HTTP_SOURCE, PEOPLE, write_source
from warehouse.connect import connect
from warehouse.dump import canonical_dump

ROUNDS = 6
PERSONS = 120


def dump(url: str) -> dict[str, list[str]]:
    with connect(url, application_name="test") as conn:
        return canonical_dump(conn)


SEEN = "core.interaction_version"


def assert_same(left: dict[str, list[str]], right: dict[str, list[str]]) -> None:
    """Equal dumps; the first difference by table, since whole dumps are unreadable. But for what readers saw in between:
    where one process publishes facts and another links their documents, there was more to be seen."""
    left, right = ({table: rows for table, rows in one.items() if table != SEEN} for one in (left, right))
    for table in left:
        assert sorted(set(left[table]) ^ set(right[table]))[:4] == [], table
    assert left == right


@contextmanager
def working(*tasks: Callable[[], Any]) -> Iterator[list[Any]]:
    """The tasks side by side during the block; their results (or errors, raised) at its end."""
    results: list[Any] = []
    with ThreadPoolExecutor(len(tasks)) as pool:
        futures = [pool.submit(task) for task in tasks]
        yield results
        results += [future.result(timeout=120) for future in futures]


def test_a_second_sync_of_a_source_is_refused_at_once_and_the_first_ends_well(hub: Hub) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def held(request: Asked) -> Reply:
        asked.set()
        assert go_on.wait(60)
        begin = (int(request.params["page"]) - 1) * 2
        return records({"items": PEOPLE[begin : begin + 2]})

    with http_source() as server:
        server.answers["/shop"] = held
        write_source(hub.folder, "shop", HTTP_SOURCE.format(name="shop", url=server.url).replace("300ms", "60s"))
        environ = {"HTTP_TOKEN": "t"}

        def first() -> Any:
            with hub.context() as context:
                object.__setattr__(context, "environ", environ)
                return sync(context, "shop")

        with working(first) as done:
            try:
                assert asked.wait(60)
                with hub.context() as context, pytest.raises(HubBusy, match="shop is being synced by another process"):
                    sync(context, "shop")
                refused = onefold(*hub.place, "sync", "shop", environ=environ)
                assert refused.code == 75
                assert "Try again" in refused.err
                # Another source is nobody's business; a whole run leaves the busy one for later.
                passed_over = onefold(*hub.place, "--json", "run", environ=environ)
                assert passed_over.code == 75, passed_over.err
                states = {one["source"]: one["streams"][0]["status"] for one in passed_over.json["syncs"]}
                assert states == {"crm": "done", "erp": "done", "shop": "deferred"}
            finally:
                go_on.set()
    (report,) = done
    assert report.status == "done"
    assert report.rows == len(PEOPLE)
    assert hub.query("SELECT count(*) FROM raw.record WHERE source = 'shop'") == [(len(PEOPLE),)]


def test_a_source_s_lock_ends_with_its_session(hub: Hub) -> None:
    from warehouse import runs

    with connect(hub.database_url, application_name="test") as conn:
        assert runs.try_source_lock(conn, "crm")
        with hub.context() as context, pytest.raises(HubBusy):
            sync(context, "crm")
    with hub.context() as context:
        assert sync(context, "crm").status == "done"


STANDARDISE_UNTIL_STOPPED = """
import sys, time
from pathlib import Path
from onefold.context import open_context
from onefold.settings import Settings
from onefold.steps.standardise import standardise

settings = Settings.from_environment({}, {"home": sys.argv[1], "config": sys.argv[2], "database_url": sys.argv[3]})
ready, stop = Path(sys.argv[4]), Path(sys.argv[5])
seen = 0
with open_context(settings, environ={}) as context:
    while True:
        last = stop.exists()
        seen += standardise(context).records
        ready.write_text(str(seen))
        if last:
            break
        time.sleep(0.01)
"""


def unlimited(folder: Path, url: str) -> Hub:
    """A hub in which every record may change at once, as each round does."""
    hub = Hub(folder, url)
    (folder / "config" / "hub.yaml").write_text("limits: {changed: null, merged: null, deleted: null}\n", "utf-8")
    return hub


def write_round(hub: Hub, number: int) -> None:
    """Every person's record as it stands in this round; some come and some go.

    An order that is gone in the end keeps the values that were last standardised, which depend on when that was;
    so of orders only the values change.
    """
    fill(hub)
    for person in range(PERSONS):
        if (person + number) % 7:
            hub.registers["crm_contacts"].append(
                {"id": str(1000 + person), "first": "Иван", "last": f"Петров{person}",
                 "emails": f"p{person}.{number}@example.ru"}
            )  # fmt: skip
        hub.registers["erp_orders"].append(
            {"no": f"SO-{1000 + person}", "customer": "C1", "date": "2026-02-02", "total": f"{person + number}.10"}
        )
    for name in hub.registers:
        hub.write(name)


@pytest.mark.timeout(240)
def test_two_processes_that_standardise_while_sync_lands_changes_lose_no_update(
    tmp_path_factory: pytest.TempPathFactory, fresh_databases: FreshDatabases
) -> None:
    with fresh_databases() as quiet_url, fresh_databases() as url, ExitStack() as stack:
        quiet = unlimited(tmp_path_factory.mktemp("quiet"), quiet_url)
        busy = unlimited(tmp_path_factory.mktemp("busy"), url)
        signs = tmp_path_factory.mktemp("signs")
        stop = signs / "stop"
        processes = []
        for number in range(2):
            process = subprocess.Popen(
                [sys.executable, "-c", STANDARDISE_UNTIL_STOPPED, str(busy.folder / "var"), str(busy.folder / "config"), url,
                 str(signs / f"ready{number}"), str(stop)],
                env={**os.environ, "PYTHONPATH": str(CHECKOUT)}, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            stack.callback(process.kill)
            processes.append(process)
        deadline = time.monotonic() + 90
        while not all((signs / f"ready{number}").exists() for number in range(2)):
            assert time.monotonic() < deadline, "the processes do not come up"
            assert all(process.poll() is None for process in processes), processes[0].stderr
            time.sleep(0.05)
        for number in range(ROUNDS):
            write_round(quiet, number)
            # The very same files, times included: checkpoints remember them.
            shutil.copytree(quiet.folder / "data", busy.folder / "data", dirs_exist_ok=True)
            for hub in (quiet, busy):
                with hub.context() as context:
                    for source in ("crm", "erp"):
                        assert sync(context, source).status == "done"
        stop.touch()
        for process in processes:
            _, errors = process.communicate(timeout=90)
            assert process.returncode == 0, errors
        shares = [int((signs / f"ready{number}").read_text()) for number in range(2)]
        # A record that changed again before anybody looked is standardised once.
        assert sum(shares) >= PERSONS, shares
        assert busy.query("SELECT count(*) FROM ops.pending WHERE step = 'standardise'") == [(0,)]
        for hub in (quiet, busy):
            with hub.context() as context:
                standardise(context)
                resolve(context)
                publish(context)
        assert_same(dump(url), dump(quiet_url))


def test_resolve_and_a_judgement_at_once_end_as_one_after_the_other(
    tmp_path_factory: pytest.TempPathFactory, fresh_databases: FreshDatabases
) -> None:
    """The records that change and the records that are judged are different clients, so the order must not show."""
    with fresh_databases() as quiet_url, fresh_databases() as url:
        quiet = unlimited(tmp_path_factory.mktemp("quiet"), quiet_url)
        write_round(quiet, 0)
        busy = unlimited(tmp_path_factory.mktemp("busy"), url)
        shutil.copytree(quiet.folder / "data", busy.folder / "data", dirs_exist_ok=True)
        quiet.run()
        busy.run()
        write_round(quiet, 1)
        shutil.copytree(quiet.folder / "data", busy.folder / "data", dirs_exist_ok=True)

        def say(hub: Hub) -> Any:
            with hub.context() as context:
                return judge(
                    context, "not_same", ["crm:contacts:1"], ["erp:customers:C2"], reason="father and son", by="ada"
                )

        def follow(hub: Hub) -> Any:
            with hub.context() as context:
                return run(context)

        follow(quiet)
        say(quiet)
        barrier = threading.Barrier(3)

        def at_once(work: Callable[[Hub], Any]) -> Callable[[], Any]:
            def task() -> Any:
                barrier.wait(30)
                return work(busy)

            return task

        with working(at_once(follow), at_once(say), at_once(follow_resolve(busy))):
            pass
        busy.run()
        assert busy.client_of("crm:contacts:1") != busy.client_of("erp:customers:C2")
        assert busy.query("SELECT count(*) FROM ops.pending") == [(0,)]
        assert busy.partition() == quiet.partition()
        assert_same(dump(url), dump(quiet_url))


def follow_resolve(_busy: Hub) -> Callable[[Hub], Any]:
    """Another scheduler that resolves and publishes again and again meanwhile."""

    def work(hub: Hub) -> None:
        with hub.context() as context:
            for _ in range(6):
                resolve(context)
                publish(context)

    return work


def test_of_two_opposing_judgements_at_once_one_stands_and_the_other_is_told(ready_hub: Hub) -> None:
    barrier = threading.Barrier(2)

    def say(verdict: str) -> Callable[[], str]:
        def task() -> str:
            with ready_hub.context() as context:
                barrier.wait(30)
                try:
                    judge(context, verdict, ["crm:companies:10"], ["crm:companies:11"], reason=verdict, by="ada")
                except OpposingJudgements as error:
                    return f"refused: {error}"
                return verdict

        return task

    with working(say("same"), say("not_same")) as answers:
        pass
    refused = [answer for answer in answers if answer.startswith("refused")]
    (stands,) = [answer for answer in answers if not answer.startswith("refused")]
    assert len(refused) == 1
    assert "contradicts judgement" in refused[0]
    with ready_hub.context() as context:
        assert [row["verdict"] for row in judgements(context)] == [stands]
    together = ready_hub.client_of("crm:companies:10") == ready_hub.client_of("crm:companies:11")
    assert together == (stands == "same")


def test_many_judgements_at_once_all_stand_and_time_never_goes_back(ready_hub: Hub) -> None:
    pairs = [
        ("same", "crm:contacts:2", "crm:contacts:3"),
        ("same", "crm:companies:11", "erp:customers:C3"),
        ("not_same", "crm:contacts:1", "erp:customers:C2"),
        ("not_same", "crm:companies:10", "erp:customers:C1"),
    ]

    def say(verdict: str, left: str, right: str) -> Callable[[], Any]:
        def task() -> Any:
            with ready_hub.context() as context:
                return judge(context, verdict, [left], [right], reason="at once", by="ada").judgement_id

        return task

    with working(*(say(*pair) for pair in pairs)) as numbers:
        pass
    assert len(set(numbers)) == len(pairs)
    for verdict, left, right in pairs:
        assert (ready_hub.client_of(left) == ready_hub.client_of(right)) == (verdict == "same"), (left, right)
    for (backwards,) in ready_hub.query("SELECT count(*) FROM core.client_history WHERE valid_to <= valid_from"):
        assert backwards == 0
    overlapping = ready_hub.query(
        "SELECT a.record_id FROM identity.crosswalk_history a JOIN identity.crosswalk_history b USING (record_id)"
        " WHERE a.valid_from < b.valid_from AND coalesce(a.valid_to, 'infinity') > b.valid_from"
    )
    assert overlapping == []
    events = ready_hub.query("SELECT id, at FROM ops.change_event ORDER BY id")
    assert [at for _, at in events] == sorted(at for _, at in events)
    assert [number for number, _ in events] == list(range(events[0][0], events[0][0] + len(events)))


def test_two_whole_runs_at_once_end_as_one(
    tmp_path_factory: pytest.TempPathFactory, fresh_databases: FreshDatabases
) -> None:
    with fresh_databases() as quiet_url, fresh_databases() as url:
        quiet = unlimited(tmp_path_factory.mktemp("quiet"), quiet_url)
        write_round(quiet, 0)
        busy = unlimited(tmp_path_factory.mktemp("busy"), url)
        shutil.copytree(quiet.folder / "data", busy.folder / "data", dirs_exist_ok=True)
        quiet.run()

        def task() -> Any:
            with busy.context() as context:
                return run(context)

        with working(task, task) as reports:
            pass
        assert {report.status for report in reports} <= {"done", "deferred"}
        busy.run()
        assert_same(dump(url), dump(quiet_url))


def test_a_judgement_about_a_record_that_is_not_there_stores_nothing(ready_hub: Hub) -> None:
    with ready_hub.context() as context:
        with pytest.raises(OnefoldError, match="No such record"):
            judge(context, "same", ["crm:contacts:1"], ["crm:contacts:404"], reason="?", by="ada")
        assert judgements(context) == []
