"""Run a command and measure it: seconds, processor time, peak memory; that of its child processes by what they are."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

_EVERY: Final = 0.2
"""Seconds between two looks at all child processes."""


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
    children_mib: Mapping[str, float] = field(default_factory=dict)
    """Of each kind of child process that was watched the largest one's peak."""
    together_mib: float = 0.0
    """Of the process and all its children the resident memory at one moment at most, as far as looked at; pages that
    several of them share count for each. 0: nothing was watched."""

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
    children: Mapping[str, str] | None = None,
) -> Measured:
    """Run to the end; CommandFailedError on another exit code than `codes` or after `timeout` seconds.

    `children`: kinds of child processes whose memory is watched, and what stands on their command lines.
    """
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
        memory, family = _Memory(process.pid), _Family(process.pid, children or {})
        watches = [_Watch(memory.look, 0.02)]
        if children:
            watches.append(_Watch(family.look, _EVERY))
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
            for watch in watches:
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
        peak_mib=_peak_mib(usage.ru_maxrss, memory.high_water_kib),
        code=code,
        out=texts[0],
        err=texts[1],
        children_mib={name: kib >> 10 for name, kib in family.peaks_kib.items()},
        together_mib=family.together_kib >> 10,
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


class _Watch:
    """Looks from a thread of its own until it is stopped, or there is nothing left to see."""

    def __init__(self, look: Callable[[], bool], every: float) -> None:
        self._look, self._every = look, every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while self._look() and not self._ended.wait(self._every):
            pass


@dataclass
class _Memory:
    """VmHWM of a process; it only grows, so the last sample is the peak but for the last moment."""

    pid: int
    high_water_kib: int = 0

    def look(self) -> bool:
        found = _kib_of(self.pid, "VmHWM")
        self.high_water_kib = max(self.high_water_kib, found or 0)
        return found is not None


class _Family:
    """The memory of a process and of all that it started, by what stands on their command lines."""

    def __init__(self, pid: int, kinds: Mapping[str, str]) -> None:
        self.peaks_kib = dict.fromkeys(kinds, 0)
        self.together_kib = 0
        self._pid, self._kinds = pid, kinds

    def look(self) -> bool:
        together = _kib_of(self._pid, "VmRSS") or 0
        try:
            children = psutil.Process(self._pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return False
        for child in children:
            together += _kib_of(child.pid, "VmRSS") or 0
            peak = _kib_of(child.pid, "VmHWM") or 0
            for name in self._kinds_of(child):
                self.peaks_kib[name] = max(self.peaks_kib[name], peak)
        self.together_kib = max(self.together_kib, together)
        return True

    def _kinds_of(self, child: psutil.Process) -> list[str]:
        try:
            command = " ".join(child.cmdline())
        except psutil.Error:  # ended meanwhile
            return []
        return [name for name, words in self._kinds.items() if words in command]


def _kib_of(pid: int, what: str) -> int | None:
    """A figure of /proc/PID/status; None: the process has ended, or this is not Linux."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1])
    except (OSError, ValueError):
        pass
    return None
