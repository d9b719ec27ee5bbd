"""Search before create: one record looked up in a hub that holds a million; p50 and p99 of a lookup.

Nine tenths of the generated persons are in the hub; the others are asked for one by one on one connection, as a
service would, with the evidence of each match. The first hundred lookups warm the caches and are not counted.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from common import Benchmark, parser
from generate import persons, scattered
from hub import onefold, persons_source, write_configuration
from pyarrow import csv
from services import migrated_database, scratch, throwaway_postgres

WARM = 100
LOOKUPS = 2_000


def measured(config: Path, database: str, cards: list[dict[str, Any]]) -> tuple[list[float], list[dict[str, Any]]]:
    """Seconds and answer of each lookup."""
    from onefold.context import open_context
    from onefold.settings import Settings
    from onefold.steps.lookup import Lookup, values_of

    options = {"home": str(config.parent / "home"), "config": str(config), "database_url": database}
    seconds, answers = [], []
    with open_context(Settings.from_environment({}, options), environ={}) as context, context.connection() as conn:
        search = Lookup(context, conn)
        for number, card in enumerate(cards):
            values = values_of({name: value for name, value in card.items() if name != "record_id"})
            started = time.perf_counter()
            answer = search.match("person", values)
            if number >= WARM:
                seconds.append(time.perf_counter() - started)
                answers.append(answer)
    return seconds, answers


def main() -> int:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--records", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--train", action="store_true", help="train on the records before the lookups")
    options.add_argument("--timeout", type=float, default=3_600, help="seconds that one command may take")
    given = options.parse_args()
    count = 20_000 if given.small else given.records
    benchmark = Benchmark("lookup")
    with scratch("lookup") as folder, throwaway_postgres(folder, benchmark) as url:
        benchmark.progress(f"generating {count:,} records")
        generated, held = scattered(persons(count, given.seed).records, given.seed), count * 9 // 10
        csv.write_csv(generated.slice(0, held), folder / "clients.csv")
        config = write_configuration(folder / "config", {"clients": persons_source(folder / "clients.csv")})
        database = migrated_database(url, "hub")
        benchmark.progress("the run that fills the hub")
        onefold(config, database, "run", timeout=given.timeout)
        if given.train:
            benchmark.progress("training")
            onefold(config, database, "train", "--use", timeout=given.timeout)
        cards = generated.slice(held, LOOKUPS + WARM).to_pylist()
        benchmark.progress(f"{len(cards):,} lookups")
        seconds, answers = measured(config, database, cards)
    cuts = statistics.quantiles(seconds, n=100)
    benchmark.add("lookup, p50", round(1000 * cuts[49], 1), "ms", at_least=False)
    benchmark.add("lookup, p99", round(1000 * cuts[98], 1), "ms", target=25, at_least=False)
    compared = [answer["compared"] for answer in answers]
    benchmark.add("records compared, mean", round(statistics.mean(compared), 1), "records", at_least=False)
    benchmark.add("records compared, most", max(compared), "records", at_least=False)
    truncated = sum(answer["truncated"] for answer in answers)
    benchmark.add("lookups that were truncated", truncated, "lookups", at_least=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    benchmark.add("peak memory of the process, generator included", peak, "MiB", at_least=False)
    found = sum(any(match["verdict"] == "link" for match in answer["matches"]) for answer in answers)
    benchmark.add("lookups that found a client", round(100 * found / len(answers), 1), "%")
    benchmark.note(f"{held:,} persons in the hub, seed {given.seed}; {'trained' if given.train else 'shipped weights'}")
    return benchmark.finish(given)


if __name__ == "__main__":
    sys.exit(main())
