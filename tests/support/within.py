"""A run in a process of its own: `python -m tests.support.within FOLDER MIB`; 0 MiB: in memory.

FOLDER holds cards. Prints one line: peak memory in MiB before the run and after it, how many clients there are, and how
many records hung together at most where that was more than may be settled at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from identity.model import prior_model
from identity.resolve import resolve
from identity.settings import load_settings
from identity.staged.cards import tables_of
from identity.staged.run import CARDS, resolve_cards
from identity.staged.spilled import SpillingCalculator
from tests.support.engines import rules_of

STATUS: Final = Path("/proc/self/status")


def peak() -> int:
    """MiB at most, so far, of this program: what the system tells of a process (`ru_maxrss`) begins with the peak of
    the one that started it, here of the tests."""
    [line] = [line for line in STATUS.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) >> 10


def main(folder: Path, mebibytes: int) -> None:
    """Run, and tell."""
    settings = load_settings()
    model, before = prior_model(settings), peak()
    if mebibytes:
        with SpillingCalculator(folder, mebibytes << 20) as engine:
            found = resolve_cards(engine, rules_of(model, settings, None))
    else:
        found = resolve(*tables_of(pq.read_table(folder / CARDS)), None, model, settings, by_rule=False)
    largest = max((split.size for split in found.report.split), default=0)
    sys.stdout.write(f"{before} {peak()} {found.report.clusters} {largest}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
