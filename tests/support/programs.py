"""Programs made by others that a live test starts: on loopback, bounded in time, ended with all their children."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

import httpx

CACHE = Path(__file__).parents[2] / ".cache" / "live"
"""What is installed once and used again."""
LONGEST = 900
"""Seconds after which a program ends, whatever becomes of the test."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def installed(name: str, wanted: Sequence[str], install: Sequence[str]) -> Path:
    """A folder that the command `install` has filled, `{}` being the folder; made anew when `wanted` changes."""
    mark = blake2b("\n".join([*wanted, sys.version]).encode(), digest_size=4).hexdigest()
    folder = CACHE / f"{name}-{mark}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        command = [part.replace("{}", str(folder)) for part in install]
        subprocess.run(command, check=True, timeout=600, stdout=sys.stderr, cwd=folder)
        (folder / "ready").touch()
    return folder


def python_package(name: str, requirement: str) -> Path:
    """The `bin` folder of a virtual environment that holds one package."""
    mark = blake2b(f"{requirement}\n{sys.version}".encode(), digest_size=4).hexdigest()
    folder = CACHE / f"{name}-{mark}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        uv = shutil.which("uv")
        if uv:
            _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
            _run([uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), requirement])
        else:
            venv.create(folder, with_pip=True)
            _run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", requirement])
        (folder / "ready").touch()
    return folder / "bin"


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, timeout=600, stdout=sys.stderr)


@contextmanager
def running(
    command: Sequence[str], url: str, *, folder: Path, environ: Mapping[str, str] | None = None
) -> Iterator[None]:
    """The program, once `url` answers; its words are in `folder/program.log`. Ended with all that it started."""
    bounded = ["timeout", "--signal=KILL", str(LONGEST), *command] if shutil.which("timeout") else list(command)
    with (folder / "program.log").open("wb") as log:
        process = subprocess.Popen(
            bounded, cwd=folder, env={**os.environ, **(environ or {})}, stdout=log, stderr=log, start_new_session=True
        )
        try:
            _wait_for(url, process, folder / "program.log")
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        with suppress(httpx.TransportError):
            httpx.get(url, timeout=5)
            return
        time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer; the program said:\n{log.read_text(errors='replace')[-2000:]}")
