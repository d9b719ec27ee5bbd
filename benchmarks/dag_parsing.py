"""How long Airflow takes to parse each DAG file: in a process forked from one that has Airflow loaded, as the DAG
processor does it. The first parse after the configuration was edited (of the shipped company: five sources) reads and
validates all of it; the others take what that one kept."""

from __future__ import annotations

import logging
import os
import statistics
import sys
import time
from pathlib import Path

from common import Benchmark, parser
from services import scratch

from dags.kept import NAME

CHECKOUT = Path(__file__).resolve().parent.parent
SECONDS = 1.0


def main() -> int:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--times", type=int, default=5, help="how often each file is parsed; the slowest counts")
    given = options.parse_args()
    times = 3 if given.small else given.times
    benchmark = Benchmark("dag_parsing")
    with scratch("dags") as folder:
        # Airflow reads its settings when it is imported.
        os.environ |= {
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "ONEFOLD_CONFIG": str(CHECKOUT / "config"),
        }
        import airflow.dag_processing.processor  # noqa: F401 - what the DAG processor has loaded when it forks

        logging.disable(logging.CRITICAL)
        for file in sorted((CHECKOUT / "dags").glob("onefold_*.py")):
            benchmark.progress(file.name)
            for state, runs in (
                ("configuration edited", [anew(file, folder / NAME) for _ in range(times)]),
                ("configuration kept", [parsed(file) for _ in range(times)]),
            ):
                what = f"parse {file.name}, {state}"
                slowest = max(one[0] for one in runs)
                benchmark.add(f"{what}, slowest of {times}", round(slowest, 3), "s", target=SECONDS, at_least=False)
                for measure, place in (("median", 0), ("processor time, median", 1)):
                    middle = statistics.median(one[place] for one in runs)
                    benchmark.add(f"{what}, {measure}", round(middle, 3), "s", at_least=False)
    return benchmark.finish(given)


def anew(file: Path, kept: Path) -> tuple[float, float]:
    """The same of a parse that finds nothing kept of the configuration."""
    kept.unlink(missing_ok=True)
    return parsed(file)


def parsed(file: Path) -> tuple[float, float]:
    """Seconds, and seconds of the processor, of one parse in a process of its own. RuntimeError where it fails."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        from airflow.dag_processing.dagbag import DagBag

        started, worked = time.perf_counter(), time.process_time()
        bag = DagBag(file)
        is_good = bool(bag.dags) and not bag.import_errors
        said = f"{time.perf_counter() - started} {time.process_time() - worked} {int(is_good)}"
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        seconds, work, is_good = answer.read().split()
    os.waitpid(child, 0)
    if is_good != "1":
        raise RuntimeError(f"{file.name} cannot be parsed")
    return float(seconds), float(work)


if __name__ == "__main__":
    sys.exit(main())
