"""Invariant 3: kill it anywhere; the next run ends in the state an undisturbed run would have reached."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.conftest import FreshDatabases, fill
from tests.support.drills import examples
from tests.support.hub import Hub
from tests.support.kill_scenes import dump_after_kills

KILLS = examples(4, 24)


def big_registers(hub: Hub) -> None:
    """Enough records that a kill lands in mid-work."""
    fill(hub)
    rng = random.Random(3)
    for number in range(100, 1600):
        twin = number - 700 if number > 1200 else number
        hub.registers["crm_contacts"].append(
            {"id": str(number), "first": "Иван", "last": f"Петров{twin}", "born": f"19{rng.randint(50, 99)}-01-01",
             "emails": f"p{twin}@example.ru", "phone": None}
        )  # fmt: skip
        hub.registers["erp_orders"].append(
            {"no": f"SO-{number}", "customer": "C1", "date": "2026-02-02", "total": f"{number}.10"}
        )
    for name in hub.registers:
        hub.write(name)


def run_command(hub: Hub) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "ONEFOLD_DATABASE_URL": hub.database_url}
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "onefold",
            "--home",
            str(hub.folder / "var"),
            "--config",
            str(hub.folder / "config"),
            "run",
        ],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.timeout(600)
@pytest.mark.searches
def test_runs_killed_at_random_moments_end_as_one_undisturbed_run(
    tmp_path_factory: pytest.TempPathFactory, fresh_databases: FreshDatabases
) -> None:
    rng = random.Random(11)
    with fresh_databases() as quiet_url, fresh_databases() as url:
        quiet = Hub(Path(tmp_path_factory.mktemp("quiet")), quiet_url)
        big_registers(quiet)
        started = time.monotonic()
        process = run_command(quiet)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
        duration = time.monotonic() - started

        disturbed = Hub(Path(tmp_path_factory.mktemp("disturbed")), url)
        # The very same files, times included: checkpoints remember them.
        shutil.copytree(quiet.folder / "data", disturbed.folder / "data", dirs_exist_ok=True)
        killed = 0
        for _ in range(KILLS):
            process = run_command(disturbed)
            time.sleep(rng.uniform(0.3, duration))
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                killed += 1
            process.communicate()
        process = run_command(disturbed)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors.decode()
        assert killed > 0
        assert dump_after_kills(url) == dump_after_kills(quiet_url)
