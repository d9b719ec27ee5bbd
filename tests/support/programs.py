"""Programs made by others that a live test starts: on loopback, bounded in time, ended with all their children."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
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


def bounded(command: Sequence[str | Path], seconds: int) -> list[str | Path]:
    """The command as one that ends after so long, whatever becomes of who started it."""
    return ["timeout", "--signal=KILL", str(seconds), *command] if shutil.which("timeout") else list(command)


def installed(name: str, wanted: Sequence[str], *commands: Sequence[str]) -> Path:
    """A folder that `commands` have filled, `{}` being the folder; made anew when `wanted` changes."""
    mark = blake2b("\n".join([*wanted, sys.version]).encode(), digest_size=4).hexdigest()
    folder = CACHE / f"{name}-{mark}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for command in commands:
            made = [part.replace("{}", str(folder)) for part in command]
            subprocess.run(made, check=True, timeout=600, stdout=sys.stderr, cwd=folder)
        (folder / "ready").touch()
    return folder


def python_package(name: str, *requirements: str) -> Path:
    """The `bin` folder of a virtual environment that holds these packages."""
    uv, python = shutil.which("uv"), "{}/bin/python"
    make = [uv, "venv", "--quiet", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
    install = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
    return installed(name, requirements, [*make, "{}"], [*install, "--quiet", *requirements]) / "bin"


@contextmanager
def running(
    command: Sequence[str], url: str, *, folder: Path, environ: Mapping[str, str] | None = None
) -> Iterator[None]:
    """The program, once `url` answers; its words are in `folder/program.log`. Ended with all that it started."""
    with (folder / "program.log").open("wb") as log:
        process = subprocess.Popen(
            bounded(command, LONGEST),
            cwd=folder, env={**os.environ, **(environ or {})}, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
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
