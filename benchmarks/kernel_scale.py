"""A whole run by one engine, in a process of its own: `kernel_scale.py ENGINE FOLDER OUT [OPTIONS]`.

ENGINE is memory, parts:MIB (in parts, with so much memory) or a Spark master. FOLDER holds what `kernel_resolve.py
prepare` wrote, and cards that `kernel_scale.py cards FOLDER` made of it, as a hub hands them over: without what nobody
compares. OPTIONS are a JSON object with `per_part` (records that a part may hold, where memory would allow more),
`distinct` (registers that hold each client once) and `tables` (what of the outcome is written to the folder OUT besides
its labels: pairs, cases). Prints one JSON line with seconds and processor seconds by stage, the peak of memory until
each one's end, shuffle bytes and counts.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
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
    """What each stage took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.processor_seconds: dict[str, float] = {}
        self.peak_mib: dict[str, int] = {}  # of the process so far
        self._stage, self._since, self._used = "start", time.perf_counter(), 0.0

    def begin(self, stage: str) -> None:
        """The stage before has ended."""
        now, usage = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        used = usage.ru_utime + usage.ru_stime
        self.seconds[self._stage] = round(now - self._since, 2)
        self.processor_seconds[self._stage] = round(used - self._used, 2)
        self.peak_mib[self._stage] = usage.ru_maxrss >> 10
        self._stage, self._since, self._used = stage, now, used


def make_cards(folder: Path) -> None:
    """Cards of the standard forms, in a folder of them."""
    records, identifiers = _prepared(folder)
    compared = pc.match_substring_regex(records["attributes"], f'"({"|".join(load_settings().open_attributes)})":')
    at, kept = records.schema.get_field_index("attributes"), pc.if_else(compared, records["attributes"], "{}")
    records = records.set_column(at, records.schema.field(at), kept)
    for name, nothing in (("role", ""), ("content_hash", ""), ("source_updated_at", None)):
        field = records.schema.field(name)
        empty = pa.repeat(pa.scalar(nothing, field.type), records.num_rows)
        records = records.set_column(records.schema.get_field_index(name), field, empty)
    cards = cards_of(records, identifiers)
    shutil.rmtree(folder / CARDS, ignore_errors=True)
    (folder / CARDS).mkdir()
    for number, begin in enumerate(range(0, cards.num_rows, _AT_ONCE)):
        pq.write_table(cards.slice(begin, _AT_ONCE), folder / CARDS / f"{number:05}.parquet")


def _prepared(folder: Path) -> list[pa.Table]:
    return [
        pa.ipc.open_file(pa.memory_map(str(folder / f"{name}.arrow"))).read_all() for name in ("records", "identifiers")
    ]


def run(engine: str, folder: Path, target: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Resolve with the shipped weights."""
    settings, apart = load_settings(), tuple(options.get("distinct", ()))
    rules = Rules(prior_model(settings), settings, JUDGEMENT.empty_table(), apart, GENERIC.empty_table())
    told: dict[str, Any] = {"engine": engine}
    clock = Clock()
    if engine == "memory":
        records, identifiers = _prepared(folder)
        clock.begin("resolve")
        found = resolve(records, identifiers, None, rules.model, settings, distinct_sources=apart, by_rule=False)
    else:
        work = folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(folder / CARDS, work / CARDS)
        found = _in_stages(engine, work, rules, clock, told, options.get("per_part"))
        shutil.rmtree(work)
    clock.begin("end")
    target.mkdir()
    pq.write_table(found.labels.select(["record_id", "label"]), target / "labels.parquet")
    for name in options.get("tables", ()):
        pq.write_table(getattr(found, name), target / f"{name}.parquet")
    report = found.report
    counts = {"candidate_pairs": report.candidate_pairs, "plausible_pairs": report.plausible_pairs}
    cost = {
        "seconds": clock.seconds, "processor_seconds": clock.processor_seconds, "peak_mib_so_far": clock.peak_mib,
    }  # fmt: skip
    return {**told, **cost, **counts, "clusters": report.clusters}


def _in_stages(
    engine: str, work: Path, rules: Rules, clock: Clock, told: dict[str, Any], per_part: int | None
) -> Resolution:
    def resolved(calculator: Calculator) -> Resolution:
        found = resolve_cards(calculator, rules, clock.begin)
        clock.begin("stop")
        return found

    if engine.startswith("parts:"):
        from identity.staged.spilled import SpillingCalculator

        with SpillingCalculator(work, int(engine.removeprefix("parts:")) << 20) as calculator:
            calculator.per_part = per_part or calculator.per_part
            return resolved(calculator)
    from identity.spark.calculator import PER_PART, SparkCalculator
    from identity.spark.session import Cluster, application, cost

    with application(Cluster(engine, {"spark.executor.memory": "2g"})) as session:
        found = resolved(SparkCalculator(session, work, per_part or PER_PART))
        told["shuffle_bytes"] = cost(session).shuffle_bytes
        return found


if __name__ == "__main__":
    if sys.argv[1] == "cards":
        make_cards(Path(sys.argv[2]))
    else:
        engine, folder, target, *given = sys.argv[1:]
        print(json.dumps(run(engine, Path(folder), Path(target), json.loads(given[0]) if given else {})))
