"""The one form of all benchmarks: options, rows, a table for people, one JSON line for machines.

A benchmark is a script that runs by itself (`python benchmarks/NAME.py`); its neighbours in this folder are
found because Python puts a script's folder first on `sys.path`. The form is

    {"benchmark": NAME, "machine": {...},
     "rows": [{"what", "value", "unit", "rival", "rival_value", "target", "at_least"}]}

`at_least` says which way is better: true when the value should reach the target, false when it should stay
below.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
"""Rivals' environments and throw-away databases; on the disk of the checkout, so that fsync is a real one."""

Number = int | float


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, beside its rival's in the same run where there is one."""

    what: str
    value: Number | str | None
    unit: str
    rival: str | None = None
    rival_value: Number | str | None = None
    target: Number | None = None
    at_least: bool = True

    @property
    def is_met(self) -> bool | None:
        """Whether the target is reached; None where there is no target or no figure."""
        if self.target is None or not isinstance(self.value, int | float):
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target


@dataclass
class Benchmark:
    """Collects rows and prints them; progress goes to standard error, so that the output stays clean."""

    name: str
    postgres: str | None = None
    """Version of the server that was measured on."""
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    load_at_start: Sequence[float] = field(default_factory=os.getloadavg)

    def add(
        self,
        what: str,
        value: Number | str | None,
        unit: str,
        *,
        rival: str | None = None,
        rival_value: Number | str | None = None,
        target: Number | None = None,
        at_least: bool = True,
    ) -> None:
        """One more figure."""
        self.rows.append(Row(what, value, unit, rival, rival_value, target, at_least))

    def note(self, text: str) -> None:
        """A sentence below the table: what was left out, or how a figure is meant."""
        self.notes.append(text)

    def progress(self, text: str) -> None:
        """Say what is being measured."""
        print(f"{self.name}: {text}", file=sys.stderr, flush=True)

    def as_dict(self) -> dict[str, object]:
        """The one JSON object."""
        return {
            "benchmark": self.name,
            "machine": machine(self.postgres, self.load_at_start),
            "rows": [asdict(row) for row in self.rows],
            "notes": self.notes,
        }

    def finish(self, options: argparse.Namespace) -> int:
        """Print the table and with `--json` the line; 1 only with `--strict` and a missed target."""
        print(table(self))
        if options.json:
            print(json.dumps(self.as_dict(), ensure_ascii=False))
        missed = [row for row in self.rows if row.is_met is False]
        return 1 if options.strict and missed else 0


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that all benchmarks take."""
    made = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    made.add_argument("--json", action="store_true", help="end with one line, one JSON object")
    made.add_argument("--strict", action="store_true", help="exit with 1 when a target is missed")
    made.add_argument(
        "--small",
        action="store_true",
        help="a small size for a quick look; targets are meant for the full one",
    )
    made.add_argument("--no-rivals", action="store_true", help="measure Onefold only")
    return made


def machine(postgres: str | None, load_at_start: Sequence[float]) -> dict[str, object]:
    """What the figures were measured on; the load average tells how much else was running."""
    return {
        "cpu": _first_value("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_mib": _kib("/proc/meminfo", "MemTotal"),
        "load_average": {
            "at_start": [round(value, 2) for value in load_at_start],
            "at_end": [round(value, 2) for value in os.getloadavg()],
        },
        "python": platform.python_version(),
        "postgres": postgres,
    }


def table(benchmark: Benchmark) -> str:
    """The rows for people."""
    heads = ("what", "value", "unit", "rival", "rival's", "target", "")
    body = [
        (
            row.what,
            shown(row.value),
            row.unit,
            row.rival or "",
            shown(row.rival_value),
            "" if row.target is None else f"{'>=' if row.at_least else '<='} {shown(row.target)}",
            {True: "met", False: "MISSED", None: ""}[row.is_met],
        )
        for row in benchmark.rows
    ]
    widths = [max(len(line[i]) for line in (heads, *body)) for i in range(len(heads))]
    right = {1, 4, 5}
    lines = [
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (heads, tuple("-" * width for width in widths), *body)
    ]
    where = machine(benchmark.postgres, benchmark.load_at_start)
    load = where["load_average"]
    foot = f"{where['cpu']}, {where['cores']} cores, {where['memory_mib']} MiB, Python {where['python']}"
    foot += f", PostgreSQL {benchmark.postgres}" if benchmark.postgres else ""
    assert isinstance(load, dict)
    foot += f"; load average {load['at_start'][0]} at start, {load['at_end'][0]} at end"
    return "\n".join([f"\n{benchmark.name}", *lines, foot, *benchmark.notes])


def shown(value: Number | str | None) -> str:
    """A figure as people read it: 18,500 but 0.916."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.4f}".rstrip("0").rstrip(".")


def _first_value(path: str, name: str) -> str | None:
    try:
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            if line.startswith(name):
                return line.partition(":")[2].strip()
    except OSError:
        return None
    return None


def _kib(path: str, name: str) -> int | None:
    found = _first_value(path, name)
    return int(found.split()[0]) // 1024 if found else None
