"""The `onefold` of tests that has imported everything already: nothing of a killed caller stays."""

from __future__ import annotations

import os
import socket
import time

import psutil
import pytest

from tests.support.database import own_prefix
from tests.support.ready import programs


@pytest.mark.parametrize("sends_streams", [False, True])
def test_a_caller_that_is_killed_before_it_has_said_all_leaves_no_process(sends_streams: bool) -> None:
    folder = programs()
    assert folder.name.startswith(own_prefix()), "the next run of tests removes it where this one is killed"
    (waiting,) = [one for one in psutil.Process().children() if str(folder / "waiting") in one.cmdline()]
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(folder / "waiting"))
        if sends_streams:
            socket.send_fds(caller, [(100).to_bytes(4, "big")], [0, 1, 2])
            caller.sendall(b"[[")
        until = time.monotonic() + 10
        while not waiting.children():
            assert time.monotonic() < until, "nothing answers"
            os.sched_yield()
    while waiting.children():
        assert time.monotonic() < until, "what answered goes on for nobody"
        time.sleep(0.02)
