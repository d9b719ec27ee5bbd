"""What compares a register, memory, parts of it or Spark, changes nothing of what is found; without Spark all else works."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from onefold.configuration.hub import HubConfiguration
from onefold.steps.engine import cluster_of, work_folder
from onefold.steps.resolve import resolve
from tests.acceptance.test_incremental import COMPARED, configure, say, write
from tests.support.cli import onefold
from tests.support.database import database
from tests.support.hub import Hub

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


@pytest.mark.scale
@pytest.mark.timeout(900)
@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_spark_instead_of_the_local_engine_changes_no_row(hub: Hub) -> None:
    pyspark = pytest.importorskip("pyspark")
    spark = '{master: "local-cluster[2,1,2048]", settings: {spark.executor.memory: 1g}}'
    before, after = settle(hub, f"engine: spark\nspark: {spark}\n")
    shutil.rmtree(Path(pyspark.__file__).parent / "work", ignore_errors=True)
    assert after == before
    before, after = settle(hub, "engine: local\n")
    assert after == before


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
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    (hub.folder / "config" / "hub.yaml").write_text("engine: spark\n", encoding="utf-8")
    before = rows(hub)
    done = onefold(*hub.place, "resolve", "--all")
    assert (done.code, done.out) == (3, "")
    assert "the extra `spark` is missing" in done.err and "onefold[spark]" in done.err
    assert rows(hub) == before


@pytest.mark.scale
def test_without_the_extra_a_run_is_refused_and_all_else_works(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    (hub.folder / "config" / "hub.yaml").write_text("engine: spark\n", encoding="utf-8")
    before = rows(hub)
    assert onefold(*hub.place, "run", "--engine", "spark").code == 3
    assert onefold(*hub.place, "resolve", "--all", "--engine", "local").code == 0
    assert onefold(*hub.place, "status").code == 0
    assert rows(hub) == before


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
