"""A staged run on a Spark cluster of two executor processes is the run in memory, whoever is killed meanwhile."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pyarrow as pa
import pytest

from identity.model import prior_model, to_json
from identity.resolve import resolve
from identity.settings import load_settings
from identity.spark.calculator import SparkCalculator
from identity.spark.session import Cluster, application, cost
from identity.staged.calculator import Work, read
from identity.staged.run import CARDS, resolve_cards
from identity.staged.training import train_cards
from identity.training.train import train
from tests.support.engines import differences, febrl, messy_rows, rules_of, write_cards
from tests.support.spark import EXECUTORS, clean_up

pytestmark = [
    pytest.mark.scale,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java"),
    # Spark closes its sockets and processes when they are collected.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
SETTINGS = load_settings({"block_cap": 6, "generic_names": 3, "component_bound": 12})
MODEL = prior_model(SETTINGS)
SHIPPED = load_settings()


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """Two executors, processes of their own with a core and 1 GiB each."""
    pytest.importorskip("pyspark")
    with application(Cluster(EXECUTORS, {"spark.executor.memory": "1g"})) as found:
        name = found.sparkContext.applicationId
        yield found
    clean_up(name)


@pytest.mark.parametrize("seed", [1, 2])
def test_executors_find_what_the_local_engine_finds(
    session: Any, tables: Any, judgements: Any, tmp_path: Path, seed: int
) -> None:
    records, identifiers = tables(messy_rows(seed, 160))
    ids = records["record_id"].to_pylist()
    said = judgements(("same", ids[:2], []), ("not_same", [ids[2]], ids[3:6]), ("same", [ids[1]], [ids[7], 12345]))
    local = resolve(records, identifiers, said, MODEL, SETTINGS, distinct_sources=["list"], by_rule=False)
    engine = SparkCalculator(session, write_cards(tmp_path, (records, identifiers)), per_part=40)
    assert differences(local, resolve_cards(engine, rules_of(MODEL, SETTINGS, said, ["list"]))) == []
    assert local.pairs.num_rows > 50 and local.refused.num_rows > 3


def test_a_model_is_learnt_on_executors_as_in_memory(session: Any, tables: Any, tmp_path: Path) -> None:
    register = tables(messy_rows(5, 600))
    whole = train(*register, SETTINGS, MODEL, 3, distinct_sources=["list"])
    engine = SparkCalculator(session, write_cards(tmp_path, register), per_part=300)
    assert to_json(train_cards(engine, SETTINGS, MODEL, 3, ["list"])[0]) == to_json(whole)
    assert whole.person != MODEL.person and whole.organisation != MODEL.organisation


def test_a_part_of_cards_without_pairs_is_worked_with_an_empty_table(session: Any, tables: Any, tmp_path: Path) -> None:
    parts = [0, 1, 1, 2, 3, 3, 4]
    register = tables([{"key": str(number), "given": str(part)} for number, part in enumerate(parts)])
    engine = SparkCalculator(session, write_cards(tmp_path, register), per_part=4)
    engine.begin(CARDS)
    counted = pa.schema([("pairs", pa.int64()), ("cards", pa.int64())])

    def count_both(pairs: pa.Table, cards: pa.Table) -> pa.Table:
        return pa.table([[pairs.num_rows], [cards.num_rows]], schema=counted)

    pairs = "SELECT * FROM (VALUES (1, 2, 1), (3, 4, 3)) AS t(left_id, right_id, part)"
    cards = "SELECT c.*, CAST(given_name AS int) AS part FROM cards c"
    engine.cogrouped("counted", pairs, cards, count_both, counted)
    found = read(tmp_path, "counted", counted)
    assert sorted(zip(*found.to_pydict().values(), strict=True)) == [(0, 1), (0, 1), (0, 1), (1, 2), (1, 2)]


@pytest.mark.parametrize(("number", "clients"), [(1, 503), (2, 4_003), (3, 2_013), (4, 5_028)])
def test_public_registers_give_the_same_clients(session: Any, tmp_path: Path, number: int, clients: int) -> None:
    tables = febrl(number)
    model = prior_model(SHIPPED)
    local = resolve(*tables, None, model, SHIPPED, by_rule=False)
    engine = SparkCalculator(session, write_cards(tmp_path, tables), per_part=tables[0].num_rows // 3)
    assert differences(local, resolve_cards(engine, rules_of(model, SHIPPED, None))) == []
    assert local.report.clusters == clients


@pytest.mark.parametrize(
    ("stage", "job", "victims"),
    [
        ("compare", 1, "CoarseGrainedExecutorBackend"),
        ("compare", 1, "pyspark.daemon"),
        ("settle", 2, "CoarseGrainedExecutorBackend"),  # its first job deals cards out
    ],
)
def test_killed_executors_or_their_pythons_lose_nothing(
    session: Any, tables: Any, tmp_path: Path, stage: str, job: int, victims: str
) -> None:
    register = tables(messy_rows(3, 400))
    local = resolve(*register, None, MODEL, SETTINGS, by_rule=False)
    engine = Slow(session, write_cards(tmp_path, register), per_part=60)
    before, at_work, tracker = cost(session), list[int](), session.sparkContext.statusTracker()
    kill = killing(stage, job, victims, tracker, at_work)
    found = resolve_cards(engine, rules_of(MODEL, SETTINGS, None), kill)
    assert differences(local, found) == []
    assert (cost(session).lost > before.lost) == (victims == "CoarseGrainedExecutorBackend")
    assert sum(tracker.getStageInfo(number).numFailedTasks for number in at_work) > 0, "one was at work"


class Slow(SparkCalculator):
    """Clients are settled so slowly that one who is killed meanwhile has not done yet."""

    def grouped(self, name: str, of: str, rows: str, work: Work, schema: pa.Schema) -> None:
        def slowly(table: pa.Table) -> pa.Table:
            time.sleep(0.5)
            return work(table)

        super().grouped(name, of, rows, slowly if name == "settled" else work, schema)


def killing(stage: str, job: int, victims: str, tracker: Any, at_work: list[int]) -> Callable[[str], None]:
    """What kills all processes with `victims` in their command with SIGKILL while tasks of a stage's first, second ...
    job run. `at_work` is told Spark's numbers of these jobs' stages."""

    def kill() -> None:
        seen, running, until = set[int](), list[int](), time.monotonic() + 300
        while not (len(seen) >= job and running) and time.monotonic() < until:
            time.sleep(0.005)
            active = [info for number in tracker.getActiveStageIds() if (info := tracker.getStageInfo(number))]
            seen |= {info.stageId for info in active}
            running = [info.stageId for info in active if info.numActiveTasks]
        at_work.extend(running)
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # workers of Spark's Python come and go
                if victims in " ".join(process.cmdline()):
                    process.kill()

    def begins(name: str) -> None:
        if name == stage:
            Thread(target=kill, daemon=True).start()

    return begins
