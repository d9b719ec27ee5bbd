"""How soon the command line answers, and what the sync path has in memory before the first row.

`onefold --help` is measured as a whole process, as a shell starts it: interpreter, imports, printing. The
sync path is measured in one process per connector that does what `onefold sync` does up to the first page:
reads the configuration, opens the database, the source and its checkpoint.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
from pathlib import Path
from typing import Any

from common import Benchmark, parser
from hub import contacts_source, persons_source, write_configuration
from processes import measure
from services import migrated_database, scratch, throwaway_postgres

HEAVY = ("pyarrow", "numpy", "alembic", "sqlmodel")
HELP_SECONDS = 0.4
SYNC_MIB = 119
PROBE = Path(__file__).with_name("sync_path_probe.py")


def sources(folder: Path) -> dict[str, dict[str, Any]]:
    """One source of each built-in kind; none of them is read."""
    folder.mkdir()
    (folder / "persons.csv").write_text("record_id,given_name\n1,Anna\n", encoding="utf-8")
    with sqlite3.connect(folder / "erp.db") as conn:
        conn.execute("CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT)")
    conn.close()
    customers = {
        "as": "organisation",
        "key": "id",
        "options": {"table": "customer"},
        "fields": {"legal_name": "name"},
    }
    return {
        "rest": contacts_source("http://127.0.0.1:9"),
        "files": persons_source(folder / "persons.csv"),
        "sql": {
            "connector": "sql",
            "settings": {"url": f"sqlite:///{folder / 'erp.db'}"},
            "streams": {"customers": customers},
        },
    }


def main() -> int:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--times", type=int, default=10, help="how often --help is started; the median counts")
    given = options.parse_args()
    times = 3 if given.small else given.times
    benchmark = Benchmark("startup")
    script = Path(sys.executable).with_name("onefold")
    command = [str(script), "--help"] if script.exists() else [sys.executable, "-m", "onefold", "--help"]

    benchmark.progress("onefold --help")
    measure(command, timeout=60)  # compiles what was never imported
    runs = [measure(command, timeout=60) for _ in range(times)]
    bare = [measure([sys.executable, "-c", "pass"], timeout=60).seconds for _ in range(times)]
    benchmark.add(
        f"onefold --help, median of {times}",
        round(statistics.median(run.seconds for run in runs), 3),
        "s",
        rival="python -c pass",
        rival_value=round(statistics.median(bare), 3),
        target=HELP_SECONDS,
        at_least=False,
    )
    processor = statistics.median(run.cpu_seconds for run in runs)
    benchmark.add("onefold --help, processor time", round(processor, 3), "s", at_least=False)
    benchmark.add("onefold --help, peak memory", max(run.peak_mib for run in runs), "MiB", at_least=False)
    with scratch("startup") as folder, throwaway_postgres(folder, benchmark) as url:
        database = migrated_database(url, "hub")
        for name, source in sources(folder / "data").items():
            benchmark.progress(f"the sync path with the connector {name}")
            config = write_configuration(folder / name / "config", {name: source})
            probe = [sys.executable, str(PROBE), str(config), name, *HEAVY]
            found = measure(probe, timeout=60, env={"ONEFOLD_DATABASE_URL": database}).last_json()
            what = f"sync path before the first row, {name}"
            benchmark.add(what, round(found["mib"], 1), "MiB", target=SYNC_MIB, at_least=False)
            what = f"of {', '.join(HEAVY)} loaded by it"
            benchmark.add(what, len(found["heavy"]), "packages", target=0, at_least=False)
            if found["heavy"]:
                benchmark.note(f"{name} loads {', '.join(found['heavy'])}")
    return benchmark.finish(given)


if __name__ == "__main__":
    sys.exit(main())
