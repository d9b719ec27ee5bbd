"""What compares a register, memory, parts of it or Spark, changes nothing of what is found; without Spark all else works."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from onefold.configuration.hub import HubConfiguration
from onefold.steps.engine import cluster_of, work_folder
from onefold.steps.resolve import resolve
from tests.acceptance.conftest import FreshDatabases
from tests.acceptance.test_incremental import COMPARED, configure, say, write
from tests.support.cli import CHECKOUT, environment, onefold
from tests.support.database import database
from tests.support.hub import Hub
from tests.support.spark import EXECUTORS, events, hide_spark, on_spark, settings_of
from warehouse.connect import connect
from warehouse.dump import canonical_dump

FIRST = ["Anna", "Иван", "Olga"]
LAST = ["Schmidt", "Петров", "Smirnova", "Kern"]
FIRMS = ["ООО Ромашка", "ООО Василёк", "Nord GmbH"]


def register() -> list[dict[str, Any]]:
    """Contacts and companies of few names, with blocks over the limit of three and addresses of many."""
    contacts = [
        {
            "id": str(n), "first": FIRST[n % 3], "last": LAST[n // 3 % 4], "born": f"198{n % 5}-01-02" if n % 4 else None,
            "emails": f"a{n % 7}@mail.example.ru", "phone": f"+7 916 555-00-{n % 9:02}",
        }
        for n in range(40)
    ]  # fmt: skip
    companies = [
        {
            "id": str(100 + n), "name": FIRMS[n % 3], "inn": [None, "7707083893", "7736050003"][n // 3 % 3],
            "street": "ул. Мира", "house": "5", "postcode": "101000",
        }
        for n in range(18)
    ]  # fmt: skip
    return [*contacts, *companies]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, server_url: str, template: str) -> Iterator[Hub]:
    """A hub that was resolved in memory, with judgements of people."""
    with database(server_url, template) as url:
        made = Hub(Path(tmp_path_factory.mktemp("hub")), url)
        configure(made)
        write(made, register())
        made.run()
        say(made, "same", 100, 104)
        say(made, "not_same", 1, 13)
        yield made


def settle(hub: Hub, engine: str) -> tuple[Any, Any]:
    """The tables before and after everything is compared again under this line of hub.yaml."""
    (hub.folder / "config" / "hub.yaml").write_text(engine, encoding="utf-8")
    before = rows(hub)
    with hub.context() as context:
        report = resolve(context, everything=True)
    assert report.compared == 58
    assert (report.moved, report.events) == (0, {})
    assert not list((hub.folder / "var").glob("*/run-*"))
    return before, rows(hub)


def rows(hub: Hub) -> dict[str, list[Any]]:
    """Every row of what resolving writes, with its place: one that is written again has another."""
    return {table: sorted(hub.query(f"SELECT ctid::text, t::text FROM {table} AS t")) for table in COMPARED}


def test_a_bound_on_memory_changes_no_row(hub: Hub) -> None:
    before, after = settle(hub, "memory: 1MB\n")
    assert after == before
    assert len(before["identity.pair"]) > 20 and before["identity.refused_block"] and before["identity.generic_value"]


@on_spark
def test_spark_instead_of_the_local_engine_changes_no_row(hub: Hub, tmp_path: Path) -> None:
    before, after = settle(hub, on_executors(tmp_path, engine="spark", master=EXECUTORS))
    assert after == before
    was_used(tmp_path)
    before, after = settle(hub, "engine: local\n")
    assert after == before


@on_spark
def test_options_of_resolve_name_the_cluster(hub: Hub, tmp_path: Path) -> None:
    (hub.folder / "config" / "hub.yaml").write_text(on_executors(tmp_path), encoding="utf-8")
    before = rows(hub)
    done = onefold(*hub.place, "--json", "resolve", "--all", "--engine", "spark", "--master", EXECUTORS)
    assert done.code == 0, done.err
    assert (done.json["compared"], done.json["moved"]) == (58, 0)
    assert rows(hub) == before
    was_used(tmp_path)


@on_spark
def test_a_first_run_on_executors_leaves_the_hub_that_memory_leaves(
    tmp_path: Path, fresh_databases: FreshDatabases
) -> None:
    with fresh_databases() as one, fresh_databases() as other:
        local, spark = first_load(tmp_path / "local", one), first_load(tmp_path / "spark", other)
        (spark.folder / "config" / "hub.yaml").write_text(on_executors(tmp_path), encoding="utf-8")
        for hub, options in (local, ()), (spark, ("--engine", "spark", "--master", EXECUTORS)):
            done = onefold(*hub.place, "--json", "run", *options)
            assert done.code == 0, done.err
            assert done.json["resolve"]["compared"] == 58
        assert dump(spark) == dump(local)
        assert len(spark.partition()) > 10
    was_used(tmp_path)


@on_spark
@pytest.mark.parametrize("victim", ["Java of the driver", "onefold"])
def test_a_lost_driver_stores_nothing_and_leaves_nothing_running(
    tmp_path: Path, fresh_databases: FreshDatabases, victim: str
) -> None:
    with fresh_databases() as one, fresh_databases() as other:
        whole, hub = first_load(tmp_path / "whole", one), first_load(tmp_path / "lost", other)
        for each in whole, hub:
            assert onefold(*each.place, "sync", "crm").code == 0
            assert onefold(*each.place, "standardise").code == 0
        (hub.folder / "config" / "hub.yaml").write_text(on_executors(tmp_path), encoding="utf-8")
        before, queued = rows(hub), hub.query("SELECT * FROM ops.pending ORDER BY id")
        code, said = lost(hub, victim)
        assert rows(hub) == before
        assert hub.query("SELECT * FROM ops.pending ORDER BY id") == queued != []
        if victim == "onefold":
            assert code == -signal.SIGKILL
        else:
            assert code == 1 and "gave up" in said and "Nothing was changed" in said
            assert not list((hub.folder / "var").glob("*/run-*"))
        (hub.folder / "config" / "hub.yaml").write_text("memory: 1MB\n", encoding="utf-8")
        for each in whole, hub:
            assert onefold(*each.place, "run").code == 0
        assert dump(hub) == dump(whole)
        assert not list((hub.folder / "var").glob("*/run-*"))


def first_load(folder: Path, url: str) -> Hub:
    """A hub of the same register that has not run."""
    folder.mkdir()
    made = Hub(folder, url)
    configure(made)
    write(made, register())
    return made


def dump(hub: Hub) -> dict[str, list[str]]:
    """What the hub knows, but for the times of its files."""
    with connect(hub.database_url, application_name="test") as conn:
        return {table: rows for table, rows in canonical_dump(conn).items() if table != "ops.checkpoint"}


def on_executors(folder: Path, **spark: str) -> str:
    """hub.yaml with Spark's settings, which write down what it does; with `engine`, that too."""
    engine = spark.pop("engine", "local")
    return f"engine: {engine}\nspark: {json.dumps({'settings': settings_of(folder / 'events'), **spark})}\n"


def was_used(folder: Path) -> None:
    """Two executors worked."""
    found = events(folder / "events")
    assert found["ExecutorAdded"] == 2 and found["TaskEnd"] > 12 and found["ApplicationEnd"] == 1, found


def lost(hub: Hub, victim: str) -> tuple[int, str]:
    """How `onefold resolve` on executors ends when the driver or its Java is killed while they work."""
    command = [sys.executable, "-m", "onefold", *hub.place, "resolve", "--engine", "spark", "--master", EXECUTORS]
    driver = subprocess.Popen(command, cwd=CHECKOUT, env=environment(), stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 300
    while not list((hub.folder / "var").glob("*/run-*/keyed/*")):
        assert driver.poll() is None and time.monotonic() < until
        time.sleep(0.05)
    children = psutil.Process(driver.pid).children(recursive=True)
    if victim == "onefold":
        driver.kill()
    else:
        [java] = [child for child in children if "org.apache.spark.deploy.SparkSubmit" in " ".join(words_of(child))]
        java.kill()
    _, said = driver.communicate(timeout=300)
    assert psutil.wait_procs(children, timeout=120)[1] == []
    return driver.returncode, said


def words_of(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):  # workers of Spark's Python come and go
        return process.cmdline()
    return []


def test_what_killed_processes_left_goes_and_nothing_of_those_at_work(hub: Hub) -> None:
    (hub.folder / "config" / "hub.yaml").write_text("engine: local\n", encoding="utf-8")
    with hub.context() as context, work_folder(context) as one:
        left = one.with_name("run-left")
        left.mkdir()
        (left / "cards").touch()
        with work_folder(context) as other:
            assert one.is_dir() and other.is_dir() and not left.exists()
        assert one.is_dir() and not other.exists()
    assert [file.name for file in one.parent.iterdir()] == ["lock"]


def test_executors_of_this_machine_spill_into_the_folder_of_the_run(tmp_path: Path) -> None:
    def settings(**spark: Any) -> Mapping[str, str]:
        return cluster_of(HubConfiguration.model_validate({"engine": "spark", "spark": spark}), tmp_path).settings

    assert settings() == {"spark.local.dir": str(tmp_path / "spilled")}
    assert settings(master="local[2]", settings={"spark.local.dir": "/scratch"}) == {"spark.local.dir": "/scratch"}
    assert settings(master="spark://cluster:7077") == {}


def test_without_the_extra_the_error_names_it_and_nothing_is_written(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hide_spark(monkeypatch)
    (hub.folder / "config" / "hub.yaml").write_text("engine: spark\n", encoding="utf-8")
    before = rows(hub)
    done = onefold(*hub.place, "resolve", "--all")
    assert (done.code, done.out) == (3, "")
    assert "the extra `spark` is missing" in done.err and "onefold[spark]" in done.err
    assert rows(hub) == before


@pytest.mark.scale
def test_without_java_the_error_names_it_and_nothing_is_written(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyspark")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    (hub.folder / "config" / "hub.yaml").write_text("engine: spark\n", encoding="utf-8")
    before, nowhere = rows(hub), {"PATH": str(tmp_path)}
    for command in ("resolve", "--all"), ("run", "--engine", "spark"), ("train",):
        done = onefold(*hub.place, *command, environ=nowhere)
        assert (done.code, done.out) == (3, "")
        assert "no `java` on PATH" in done.err and "Java 17 or newer" in done.err
    assert rows(hub) == before
    assert onefold(*hub.place, "resolve", "--all", "--engine", "local", environ=nowhere).code == 0


@pytest.mark.scale
def test_without_the_extra_a_run_is_refused_and_all_else_works(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hide_spark(monkeypatch)
    (hub.folder / "config" / "hub.yaml").write_text("engine: spark\n", encoding="utf-8")
    before = rows(hub)
    assert onefold(*hub.place, "run", "--engine", "spark").code == 3
    assert onefold(*hub.place, "train").code == 3
    assert "too few to learn from" in onefold(*hub.place, "train", "--engine", "local").err
    for command in ("run",), ("resolve", "--all", "--engine", "local"), ("status",), ("doctor",):
        done = onefold(*hub.place, *command)
        assert done.code == 0, done.said
    assert rows(hub) == before


def test_only_the_engine_knows_of_spark() -> None:
    """What else commands do can need neither the extra nor Java (test_cli runs them without)."""
    named = {
        path.relative_to(CHECKOUT).as_posix()
        for room in ("connectors", "identity", "warehouse", "onefold", "dags")
        for path in (CHECKOUT / room).rglob("*.py")
        if any(name in path.read_text(encoding="utf-8") for name in ("pyspark", "py4j", "identity.spark"))
    }
    assert {name for name in named if not name.startswith("identity/spark/")} == {"onefold/steps/engine.py"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--master", "local[2]", "--engine", "local"), "--master names a Spark cluster"),
        (("--engine", "flink"), "no engine 'flink'"),
    ],
)
def test_options_that_do_not_fit_are_refused(hub: Hub, options: tuple[str, ...], said: str) -> None:
    for command in ("resolve", "train"):
        done = onefold(*hub.place, command, *options)
        assert done.code == 2
        assert said in done.err


def test_a_bound_that_is_no_amount_of_memory_is_refused(hub: Hub) -> None:
    (hub.folder / "config" / "hub.yaml").write_text("memory: much\n", encoding="utf-8")
    done = onefold(*hub.place, "resolve")
    assert done.code == 3
    assert "hub.yaml:1" in done.err
