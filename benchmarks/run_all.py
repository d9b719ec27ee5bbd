"""Runs all benchmarks, small unless `--full` is given: what `make bench` does.

Every option that is not known here goes to each of them (`--json`, `--no-rivals`, `--strict`). With
`--json` the last line is one JSON array of their objects.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ALL = (
    "startup",
    "dag_parsing",
    "ingest",
    "run_cold",
    "incremental",
    "lookup",
    "publish",
    "documents",
    "mirror",
    "needs",
    "real_purchases",
    "serve",
    "api",
    "console",
    "export",
    "resolve",
    "scale",
    "accuracy",
    "joint",
    "try",
)
SHARED_DATA = HERE.parent.parent / "shared" / "data"


def main() -> int:
    """One after the other, so that they do not disturb each other; the worst exit code."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("names", nargs="*", help=f"which ones; all if none is named: {', '.join(ALL)}")
    options.add_argument("--full", action="store_true", help="the full sizes, for which the targets are meant")
    options.add_argument("--json", action="store_true", help="end with one line, one JSON array")
    options.add_argument("--data", type=Path, default=SHARED_DATA, help="labelled data sets for accuracy")
    given, passed = options.parse_known_args()
    worst, documents = 0, []
    for name in given.names or ALL:
        command = [sys.executable, str(HERE / f"{name}.py"), "--json", *passed]
        command += [] if given.full else ["--small"]
        if name in ("accuracy", "try") and given.data.is_dir():
            command += ["--data", str(given.data)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        *shown, last = done.stdout.splitlines() or [""]
        if last.startswith("{"):
            documents.append(json.loads(last))
        else:
            shown.append(last)
            print(f"{name} ended with {done.returncode}", file=sys.stderr)
        print("\n".join(shown), flush=True)
        worst = max(worst, abs(done.returncode))
    if given.json:
        print(json.dumps(documents, ensure_ascii=False))
    return worst


if __name__ == "__main__":
    sys.exit(main())
