"""`onefold` that has imported everything already: each call is a process of its own, forked from one that waits.

A cold interpreter spends more than a second on imports before a command begins. Where a test is about what commands do
one after the other, `programs` gives it a folder with an `onefold` that differs from the installed one in that only:
arguments, folder, environment, the three streams and the exit code are the caller's. A call that is killed ends its
command; the one that waits ends with the process that asked for it.
"""

from __future__ import annotations

import array
import atexit
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from tests.support.cli import CHECKOUT, environment
from tests.support.database import own_prefix
from tests.support.warm import IMPORTED

LONGEST = 280
"""Seconds after which a command is killed."""
_CALLER = f"""#!{sys.executable} -IS
import array, json, os, socket, sys
its = socket.socket(socket.AF_UNIX)
its.connect(os.path.join(os.path.dirname(os.path.abspath(__file__)), "waiting"))
said = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode("utf-8", "surrogateescape")
streams = array.array("i", [0, 1, 2])
its.sendmsg([len(said).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
its.sendall(said)
code = its.recv(1)
os._exit(code[0] if code else 70)
"""


@cache
def programs() -> Path:
    """A folder for the front of PATH; what waits behind its `onefold` is started once, and ends with this process."""
    folder = Path(tempfile.mkdtemp(prefix=own_prefix()))
    caller = folder / "onefold"
    caller.write_text(_CALLER, "utf-8")
    caller.chmod(0o755)
    waiting = subprocess.Popen(
        [sys.executable, "-m", __name__, str(folder / "waiting")],
        cwd=CHECKOUT, env=environment(PYTHONPATH=str(CHECKOUT)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert waiting.stdout is not None
    assert waiting.stdout.readline() == b"waiting\n"
    atexit.register(_end, waiting, folder)
    return folder


def _end(waiting: subprocess.Popen[bytes], folder: Path) -> None:
    waiting.communicate(timeout=30)
    for left in folder.iterdir():
        left.unlink()
    folder.rmdir()


def _wait(path: str) -> None:
    """Fork one process for each call, until standard input is closed."""
    import importlib

    from onefold.cli.app import _register

    _register()
    for name in IMPORTED:
        importlib.import_module(name)
    if threading.active_count() > 1:
        raise RuntimeError(f"what waits cannot be forked safely: {threading.enumerate()}")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(16)
        os.write(1, b"waiting\n")
        while listener in select.select([listener, 0], [], [])[0]:
            called, _ = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                _answer(called)
            called.close()


def _answer(called: socket.socket) -> None:
    """Perform one call in a child and tell its exit code; whoever hangs up has been killed, and the child is too."""
    length, ancillary, _, _ = called.recvmsg(4, socket.CMSG_SPACE(3 * 4))
    if not ancillary:
        os._exit(70)
    streams = array.array("i", ancillary[0][2])
    said = b""
    while len(said) < int.from_bytes(length, "big"):
        part = called.recv(1 << 16)
        if not part:
            os._exit(70)
        said += part
    child = os.fork()
    if child == 0:
        called.close()
        os._exit(_perform(streams, *json.loads(said.decode("utf-8", "surrogateescape"))))
    for stream in streams:
        os.close(stream)
    its = os.pidfd_open(child)
    # From now on the caller says nothing: it hears the exit code, or is gone.
    if its not in select.select([its, called], [], [], LONGEST)[0]:
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with suppress(OSError):
        called.sendall(bytes([code if code >= 0 else 128 - code]))
    os._exit(0)


def _perform(streams: array.array[int], arguments: list[str], folder: str, environ: dict[str, str]) -> int:
    """In the child: become the caller, and run the command line."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    time.tzset()
    sys.argv = ["onefold", *arguments]
    sys.modules["__main__"].__package__ = None  # a script, as the command line's messages call it
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8")
    sys.stdout = _writing(1, "strict")
    sys.stderr = _writing(2, "backslashreplace")
    return _run()


def _writing(number: int, errors: str) -> io.TextIOWrapper:
    is_line = os.isatty(number) or number == 2
    file = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
    return io.TextIOWrapper(file, encoding="utf-8", errors=errors, line_buffering=is_line)


def _run() -> int:
    """What the interpreter does around a program: its exit code, its last traceback, its threads and its buffers."""
    from onefold.cli.app import main

    code: object = 0
    try:
        main()
    except SystemExit as stop:
        code = stop.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    if code is not None and not isinstance(code, int):
        sys.stderr.write(f"{code}\n")
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = code or 120
    return int(code or 0)


if __name__ == "__main__":
    _wait(sys.argv[1])
