"""Which engine compares a whole register: memory, parts of it on disk, or Spark. The outcome is the same."""

from __future__ import annotations

import fcntl
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from onefold.errors import EngineFailed, EngineMissing, UsageError

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

    from identity.model import MatchModel
    from identity.resolve import Resolution
    from identity.spark.session import Cluster
    from identity.staged.calculator import Calculator
    from onefold.configuration.hub import HubConfiguration
    from onefold.context import Context

Engine = Literal["local", "spark"]

_AT_ONCE: Final = 50_000
"""Records that are read and written as cards at a time."""
_UNITS: Final = {"MB": 1 << 20, "GB": 1 << 30}


def on_engine(context: Context, engine: Engine | None, master: str | None) -> Context:
    """The context with another engine than hub.yaml names. UsageError: a master without Spark; EngineMissing."""
    hub = context.configuration.hub
    chosen = engine or hub.engine
    if master is not None and chosen != "spark":
        raise UsageError("--master names a Spark cluster, and the engine is local.", "Add --engine spark.")
    if engine == "spark":
        check_spark()
    spark = hub.spark if master is None else hub.spark.model_copy(update={"master": master})
    changed = hub.model_copy(update={"engine": chosen, "spark": spark})
    return replace(context, configuration=replace(context.configuration, hub=changed))


def check_spark() -> None:
    """EngineMissing unless Spark can be started here."""
    from identity.spark.session import SparkMissing, check

    try:
        check()
    except SparkMissing as error:
        raise EngineMissing(
            str(error),
            "Install it with `pip install 'onefold[spark]'` (Java 17 or newer beside it), "
            "or say `engine: local` in hub.yaml (`--engine local`).",
        ) from None


def bytes_of(memory: str | None) -> int | None:
    """`4GB` as bytes; None: no bound."""
    return None if memory is None else int(memory[:-2]) * _UNITS[memory[-2:]]


def is_staged(hub: HubConfiguration, records: int) -> bool:
    """Whether so many records are compared in parts, not all in memory."""
    from identity.staged.spilled import needed

    bound = bytes_of(hub.memory)
    return hub.engine == "spark" or (bound is not None and needed(records) > bound)


def most_in_memory(hub: HubConfiguration) -> int:
    """How many records may be held and compared in memory at once."""
    bound = bytes_of(hub.memory)
    if bound is None or hub.engine == "spark":
        return sys.maxsize
    from identity.staged.spilled import fitting

    return fitting(bound)


def resolve_in_parts(
    context: Context, conn: psycopg.Connection, model: MatchModel, judgements: pa.Table, apart: list[str]
) -> Resolution:
    """The whole register compared part by part, as the transaction of `conn` sees it. EngineMissing, EngineFailed.

    What lies on disk meanwhile, client records among it, is removed at the end, and by the next run after a kill.
    """
    from identity.generic import GENERIC
    from identity.population import Rules
    from identity.staged.run import resolve_cards

    hub = context.configuration.hub
    if hub.engine == "spark":
        check_spark()
    rules = Rules(model, context.configuration.matching, judgements, apart, GENERIC.empty_table())
    with work_folder(context) as folder:
        write_cards(conn, folder, rules.settings.open_attributes)
        with calculator(hub, folder) as engine:
            return resolve_cards(engine, rules)


@contextmanager
def work_folder(context: Context) -> Iterator[Path]:
    """A folder for one run or training, removed at the end; those of processes that were killed are removed too."""
    spark = context.configuration.hub.spark
    is_shared = context.configuration.hub.engine == "spark" and spark.folder is not None
    home = Path(spark.folder) if is_shared and spark.folder else context.settings.home / "resolving"
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        with _locked(home / "lock", waits=True):
            for left in home.glob("run-*"):
                with suppress(BlockingIOError), _locked(_lock_of(left)):
                    _remove(left)
            folder = Path(tempfile.mkdtemp(prefix="run-", dir=home)).resolve()
            held.enter_context(_locked(_lock_of(folder)))
        try:
            yield folder
        finally:
            _remove(folder)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name.replace("run-", "lock-", 1))


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _lock_of(folder).unlink(missing_ok=True)


@contextmanager
def _locked(file: Path, *, waits: bool = False) -> Iterator[None]:
    """Hold a lock that ends with this process; where the file system has none, nobody else is taken to be at work.
    BlockingIOError: another process holds it."""
    with file.open("w", encoding="utf-8") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            pass
        yield


def write_cards(conn: psycopg.Connection, folder: Path, attributes: tuple[str, ...]) -> None:
    import pyarrow.parquet as pq

    from identity.schema import IDENTIFIER, RECORD
    from identity.staged.cards import CARD, cards_of
    from identity.staged.run import CARDS
    from warehouse import resolution

    ids = resolution.record_ids(conn)
    (folder / CARDS).mkdir()
    for number, begin in enumerate(range(0, max(len(ids), 1), _AT_ONCE)):
        some = ids[begin : begin + _AT_ONCE]
        records = resolution.load_records(conn, RECORD, some, attributes, in_order=False)
        cards = cards_of(records, resolution.load_identifiers(conn, IDENTIFIER, some))
        pq.write_table(cards.cast(CARD), folder / CARDS / f"{number:05}.parquet")


def cluster_of(hub: HubConfiguration, folder: Path) -> Cluster:
    """Where Spark computes. Executors on this machine spill, client records among it, into the run's folder."""
    from identity.spark.session import Cluster

    cluster = Cluster(hub.spark.master, hub.spark.settings)
    if not cluster.is_here:
        return cluster
    return replace(cluster, settings={"spark.local.dir": str(folder / "spilled"), **cluster.settings})


@contextmanager
def calculator(hub: HubConfiguration, folder: Path) -> Iterator[Calculator]:
    """What brings the cards of a folder together. EngineFailed: Spark gave up."""
    if hub.engine == "local":
        from identity.staged.spilled import SpillingCalculator

        with SpillingCalculator(folder, bytes_of(hub.memory) or 0) as engine:
            yield engine
        return
    from identity.spark.calculator import SparkCalculator, per_part_of
    from identity.spark.session import SparkFailed, application

    try:
        with application(cluster_of(hub, folder)) as session:
            yield SparkCalculator(session, folder, per_part_of(bytes_of(hub.memory)))
    except SparkFailed as error:
        raise EngineFailed(
            str(error), "Nothing was changed: do it again, or compare on this machine with `--engine local`."
        ) from error
