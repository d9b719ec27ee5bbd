"""The demo's hub in a folder of its own: registers, configuration, and the CRM that serves them."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from onefold.demo.generate import generate
from onefold.demo.world import World
from onefold.errors import OnefoldError
from onefold.settings import Settings

CRM_LIFETIME = 3600
"""Seconds for which the demo's CRM stays up after the demo, so that `onefold run` can be tried by hand."""
_PID = "crm.pid"


@dataclass(frozen=True)
class DemoHub:
    """Where the demo lives: `config/`, `data/`, `.env`, `var/` under one folder."""

    folder: Path
    world: World

    @property
    def settings(self) -> Settings:
        """The hub's settings: what `onefold` finds when it is called in the folder."""
        return Settings.from_environment(
            {},
            {
                "home": str(self.folder / "var"),
                "config": str(self.folder / "config"),
                "database_url": self.database_url,
            },
        )

    database_url: str | None = None


def shipped_configuration() -> Path:
    """The example company's configuration: `config/` of the checkout."""
    found = Path(__file__).parents[2] / "config"
    if not (found / "hub.yaml").is_file():
        raise OnefoldError(
            "The demo's company stands in a checkout's config/ folder.", "Run `make demo` in a checkout."
        )
    return found


def prepare(folder: Path, *, seed: int, scale: float, database_url: str | None = None) -> DemoHub:
    """Generate the registers under `folder` and put the configuration beside them; what an earlier demo left goes."""
    stop_crm(folder)
    for name in ("data", "config"):
        shutil.rmtree(folder / name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(shipped_configuration(), folder / "config", ignore=shutil.ignore_patterns("__pycache__"))
    world = generate(folder / "data", seed=seed, scale=scale)
    return DemoHub(folder, world, database_url)


def start_crm(folder: Path) -> str:
    """Serve the generated CRM from a process of its own, and write `.env` for those who come later; the address."""
    token = secrets.token_urlsafe(24)
    process = subprocess.Popen(
        [sys.executable, "-m", "onefold.demo.crm_server", "--folder", str(folder / "data"),
         "--port", str(_free_port()), "--lifetime", str(CRM_LIFETIME)],
        env={**os.environ, "ONEFOLD_DEMO_CRM_TOKEN": token},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    process.stdout.close()
    (folder / _PID).write_text(str(process.pid), encoding="ascii")
    environment = folder / ".env"
    environment.touch(mode=0o600)
    environment.write_text(
        f"ONEFOLD_DEMO_CRM_URL={url}\n"
        f"ONEFOLD_DEMO_CRM_TOKEN={token}\n"
        f"ONEFOLD_DEMO_DATA={(folder / 'data').resolve()}\n",
        encoding="utf-8",
    )
    return url


def stop_crm(folder: Path) -> None:
    """End the CRM that an earlier demo left running in this folder."""
    path = folder / _PID
    with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError, PermissionError):
        pid = int(path.read_text(encoding="ascii"))
        if b"onefold.demo.crm_server" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGTERM)
    path.unlink(missing_ok=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
