"""A whole run by one engine, in a process of its own: `kernel_scale.py ENGINE FOLDER OUT.parquet`.

ENGINE is memory, parts:MIB (in parts, with so much memory) or a Spark master. FOLDER holds what `kernel_resolve.py
prepare` wrote. Writes record_id and cluster; prints one JSON line with seconds by stage, shuffle bytes and counts.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from identity.generic import GENERIC
from identity.model import prior_model
from identity.population import Rules
from identity.resolve import Resolution, resolve
from identity.schema import JUDGEMENT
from identity.settings import load_settings
from identity.staged.calculator import Calculator
from identity.staged.cards import cards_of
from identity.staged.run import CARDS, resolve_cards

_AT_ONCE = 50_000


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stage, self._since = "start", time.perf_counter()

    def begin(self, stage: str) -> None:
        """The stage before has ended."""
        now = time.perf_counter()
        self.seconds[self._stage] = round(now - self._since, 2)
        self._stage, self._since = stage, now


def run(engine: str, folder: Path, target: Path) -> dict[str, Any]:
    """Resolve with the shipped weights."""
    records, identifiers = (
        pa.ipc.open_file(pa.memory_map(str(folder / f"{name}.arrow"))).read_all() for name in ("records", "identifiers")
    )
    settings = load_settings()
    rules = Rules(prior_model(settings), settings, JUDGEMENT.empty_table(), (), GENERIC.empty_table())
    told: dict[str, Any] = {"engine": engine}
    if engine == "memory":
        clock = Clock()
        clock.begin("resolve")
        found = resolve(records, identifiers, None, rules.model, settings, by_rule=False)
    else:
        work = folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        (work / CARDS).mkdir(parents=True)
        cards = cards_of(records, identifiers)
        for number, begin in enumerate(range(0, cards.num_rows, _AT_ONCE)):
            pq.write_table(cards.slice(begin, _AT_ONCE), work / CARDS / f"{number:05}.parquet")
        del records, identifiers, cards
        clock = Clock()
        found = _in_stages(engine, work, rules, clock, told)
        shutil.rmtree(work)
    clock.begin("end")
    pq.write_table(found.labels.select(["record_id", "label"]), target)
    report = found.report
    counts = {"candidate_pairs": report.candidate_pairs, "plausible_pairs": report.plausible_pairs}
    return {**told, "seconds": clock.seconds, **counts, "clusters": report.clusters}


def _in_stages(engine: str, work: Path, rules: Rules, clock: Clock, told: dict[str, Any]) -> Resolution:
    def resolved(calculator: Calculator) -> Resolution:
        found = resolve_cards(calculator, rules, clock.begin)
        clock.begin("stop")
        return found

    if engine.startswith("parts:"):
        from identity.staged.spilled import SpillingCalculator

        with SpillingCalculator(work, int(engine.removeprefix("parts:")) << 20) as calculator:
            return resolved(calculator)
    from identity.spark.calculator import SparkCalculator
    from identity.spark.session import Cluster, application, cost

    with application(Cluster(engine, {"spark.executor.memory": "2g"})) as session:
        found = resolved(SparkCalculator(session, work))
        told["shuffle_bytes"] = cost(session).shuffle_bytes
        return found


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))))
