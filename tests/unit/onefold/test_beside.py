"""Processes beside this one: several kinds of work one after the other, and copies that end with what they are of."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest

from onefold.steps.beside import copies, team

COPIED = """
import os, signal, sys
from onefold.steps.beside import copies
from tests.unit.onefold.test_beside import dividing, whose
assert "numpy" not in sys.modules
print("written once")
with copies(2) as helpers:
    assert len(helpers) == 2
    held = [helpers.begin(whose, "s", 0.3) for _ in range(2)]
    pids = {one.result()[0] for one in held}
    assert len(pids) == 2 and os.getpid() not in pids
    assert list(helpers.each(dividing, 2, range(9), joining=True)) == [n / 2 for n in range(9)]
    print(*pids, flush=True)
    if sys.argv[1:] == ["killed"]:
        os.kill(os.getpid(), signal.SIGKILL)
print("ended once", flush=True)
"""


@contextmanager
def dividing(by: int) -> Iterator[Callable[[int], float]]:
    """Numbers divided."""
    yield lambda number: number / by


@contextmanager
def whose(setup: str) -> Iterator[Callable[[float], tuple[int, str]]]:
    """Which process it is, after so many seconds."""

    def work(seconds: float) -> tuple[int, str]:
        time.sleep(seconds)
        return os.getpid(), setup

    yield work


def test_a_team_stays_for_other_work_also_after_an_error() -> None:
    with team(1) as one:
        assert list(one.each(dividing, 2, range(5))) == [n / 2 for n in range(5)]
        with pytest.raises(ZeroDivisionError):
            list(one.each(dividing, 0, range(5)))
        (pid, setup) = one.begin(whose, "a", 0).result()
        assert (pid != os.getpid(), setup) == (True, "a")
        assert one.begin(whose, "b", 0).result() == (pid, "b")
        with pytest.raises(ZeroDivisionError):
            list(one.each(dividing, 0, range(9), joining=True))
        assert list(one.each(dividing, 4, range(9), joining=True)) == [n / 4 for n in range(9)]


def test_a_team_of_none_works_here() -> None:
    with team(0) as nobody:
        assert {pid for pid, _ in nobody.each(whose, "", [0, 0], joining=True)} == {os.getpid()}


@pytest.mark.skipif(sys.platform != "linux", reason="copies are made on Linux")
@pytest.mark.parametrize("end", ["killed", "done"])
def test_copies_of_a_process_work_and_end_with_it(end: str) -> None:
    done = subprocess.run([sys.executable, "-c", COPIED, end], check=False, timeout=60, capture_output=True, text=True)
    said = done.stdout.split("\n")
    # Killed in the midst it had not yet written what it held back.
    assert said[-2 if end == "killed" else -3].replace(" ", "").isdigit(), done.stderr
    assert done.stdout.count("written once") == 1
    assert done.stdout.count("ended once") == (end == "done")
    pids = [int(pid) for line in said if line.replace(" ", "").isdigit() for pid in line.split()]
    deadline = time.monotonic() + 20
    while any(map(_is_there, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(pids) == 2
    assert not any(map(_is_there, pids))


@pytest.mark.skipif(sys.platform != "linux", reason="copies are made on Linux")
@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_no_copy_is_made_where_a_standard_stream_is_closed(closed: str) -> None:
    asked = "from onefold.steps.beside import copies\nwith copies(1) as helpers: raise SystemExit(len(helpers))"
    command = ["sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, asked]
    assert subprocess.run(command, check=False, timeout=60).returncode == 0


def _is_there(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_no_copy_is_made_of_a_process_with_another_thread() -> None:
    import threading

    wait = threading.Event()
    thread = threading.Thread(target=wait.wait)
    thread.start()
    try:
        with copies(1) as helpers:
            assert len(helpers) == 0
    finally:
        wait.set()
        thread.join()
