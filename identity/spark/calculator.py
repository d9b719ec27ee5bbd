"""Spark as the calculator of a staged run: parts are worked by executors, and worked again where one is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from identity.blocking.keys import sql
from identity.population import Rules
from identity.schema import PAIR
from identity.staged.calculator import PairWork, Work, count
from identity.staged.work import compared

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_PER_PART: Final = 50_000
"""Records of a part: some 100 MiB on an executor while its pairs are compared."""


class SparkCalculator:
    """A `Calculator`. The driver and every executor see `folder` under this name."""

    def __init__(self, session: SparkSession, folder: Path, per_part: int = _PER_PART) -> None:
        self.session, self.folder, self.per_part = session, folder.resolve(), per_part
        self.cores: int = session.sparkContext.defaultParallelism
        session.conf.set("spark.sql.shuffle.partitions", str(2 * self.cores))

    def begin(self, cards: str) -> None:
        """As `Calculator`."""
        self.known(cards)

    def known(self, name: str) -> None:
        """As `Calculator`."""
        self.session.read.parquet(self._address(name)).createOrReplaceTempView(name)

    def view(self, name: str, statement: str) -> None:
        """As `Calculator`."""
        self.session.sql(statement).createOrReplaceTempView(name)

    def query(self, name: str, statement: str) -> None:
        """As `Calculator`."""
        self._write(name, self.session.sql(statement))

    def each(self, name: str, rows: str, work: Work, schema: pa.Schema) -> None:
        """As `Calculator`."""

        def of_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                yield from work(pa.Table.from_batches([batch])).combine_chunks().to_batches()

        self._write(name, self.session.table(rows).mapInArrow(of_batches, _of_spark(schema)))

    def grouped(self, name: str, rows: str, work: Work, schema: pa.Schema) -> None:
        """As `Calculator`."""

        # Spark reads the hints of a plain function, to tell that it takes tables and not batches.
        def of_part(here: pa.Table) -> pa.Table:
            return work(here)

        self._write(name, self.session.sql(rows).groupBy("part").applyInArrow(of_part, _of_spark(schema)))

    def cogrouped(self, name: str, pairs: str, cards: str, work: PairWork, schema: pa.Schema) -> None:
        """As `Calculator`."""

        def of_part(one: pa.Table, other: pa.Table) -> pa.Table:
            return work(one, other)

        left = self.session.sql(pairs).groupBy("part")
        right = self.session.sql(cards).withColumnRenamed("part", "place").groupBy("place")
        self._write(name, left.cogroup(right).applyInArrow(of_part, _of_spark(schema)))

    def compare(self, rules: Rules) -> int:
        """As `Calculator`: candidate pairs meet the cards of both sides, in parts by their left records."""
        self.view("dirty", sql("staged/dirty"))
        for name in ("candidate_pairs", "refused_blocks", "first_of_blocks"):
            self.query(name, sql(name))
        pairs, cards = sql("staged/candidates_in_parts"), sql("staged/cards_of_candidates")
        self.view("parted", pairs)
        self.cogrouped("pairs", pairs, cards, partial(compared, rules), PAIR)
        return count(self.folder, "candidate_pairs")

    def _write(self, name: str, rows: DataFrame) -> None:
        rows.write.mode("overwrite").parquet(self._address(name))
        self.known(name)

    def _address(self, name: str) -> str:
        return (self.folder / name).as_uri()


def _of_spark(schema: pa.Schema) -> Any:
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema, prefer_timestamp_ntz=False)
