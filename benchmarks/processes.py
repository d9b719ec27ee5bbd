"""Run a command and measure it: wall time, processor time, peak resident memory."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Measured:
    """What a finished command took and said."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    """Peak resident memory of the process or of its largest child, whichever is larger; not their sum."""
    code: int
    out: str
    err: str

    def last_json(self) -> Any:
        """The JSON of the last line that holds an object; raises RuntimeError with the end of the output."""
        for line in reversed(self.out.splitlines()):
            if line.startswith("{"):
                return json.loads(line)
        raise RuntimeError(f"no JSON in the output (exit code {self.code}): {self.out[-500:]} {self.err[-2000:]}")


class CommandFailedError(RuntimeError):
    """A measured command ended with an error; holds the end of its output."""


def measure(
    command: Sequence[str | Path],
    *,
    timeout: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    codes: Sequence[int] = (0,),
) -> Measured:
    """Run to the end; CommandFailedError on another exit code than `codes` or after `timeout` seconds."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=out,
            stderr=err,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )
        watch = _MemoryWatch(process.pid)
        # Not process.kill: it would poll, and so reap what wait4 is waiting for.
        killer = threading.Timer(timeout, os.kill, (process.pid, signal.SIGKILL))
        killer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        finally:
            seconds = time.perf_counter() - started
            killer.cancel()
            watch.stop()
        # The process is reaped already; tell Popen, so that it waits for nothing.
        process.returncode = code = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        texts = [stream.read().decode("utf-8", "replace") for stream in (out, err)]
    if code not in codes:
        over = f" (stopped after {timeout:.0f} s)" if seconds >= timeout else ""
        tail = f"{texts[0][-1000:]}\n{texts[1][-3000:]}"
        raise CommandFailedError(f"{Path(str(command[0])).name} ended with {code}{over}: {tail}")
    return Measured(
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_mib=_peak_mib(usage.ru_maxrss, watch.high_water_kib),
        code=code,
        out=texts[0],
        err=texts[1],
    )


def _peak_mib(reported_kib: int, sampled_kib: int) -> float:
    """The kernel's figure, unless it is our own.

    Between fork and exec a child counts the pages of its parent, so a figure at or below ours says nothing;
    then the sampled high-water mark of the child's own address space counts.
    """
    own_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak = reported_kib if reported_kib > own_kib or not sampled_kib else sampled_kib
    return round(peak / 1024, 1)


def processor_seconds(*roots: int) -> float:
    """Of these processes, their children and those that these have waited for, until now."""
    times: dict[int, tuple[int, float]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name stands in brackets, and may hold anything.
            fields = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:  # ended meanwhile
            continue
        ticks = sum(int(one) for one in fields[11:15])
        times[int(stat.parent.name)] = (int(fields[1]), ticks / os.sysconf("SC_CLK_TCK"))
    found, wanted = 0.0, set(roots)
    while wanted:
        found += sum(times[one][1] for one in wanted if one in times)
        wanted = {one for one, (parent, _) in times.items() if parent in wanted}
    return found


class _MemoryWatch:
    """Samples VmHWM of a process; it only grows, so the last sample is the peak but for the last moment."""

    def __init__(self, pid: int) -> None:
        self.high_water_kib = 0
        self._path = Path(f"/proc/{pid}/status")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                for line in self._path.read_text(encoding="ascii", errors="replace").splitlines():
                    if line.startswith("VmHWM:"):
                        self.high_water_kib = max(self.high_water_kib, int(line.split()[1]))
            except (OSError, ValueError):  # ended, or not Linux
                return
            if self._ended.wait(0.02):
                return
