"""The container file of the manual: linted, small in what it takes, and not run by root."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.support.cli import CHECKOUT

FILE = CHECKOUT / "docs" / "container" / "Dockerfile"


def test_hadolint_has_nothing_to_say() -> None:
    program = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([program, FILE], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


def test_it_is_not_run_by_root_and_its_base_has_a_name_and_a_health() -> None:
    lines = [line for line in FILE.read_text("utf-8").splitlines() if line and line[0].isupper()]
    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert len(bases) == 2 and len(set(bases)) == 1 and bases[0].rpartition(":")[2] not in ("", "latest")
    last = lines[[number for number, line in enumerate(lines) if line.startswith("FROM ")][-1] :]
    users = [line.split()[1] for line in last if line.startswith("USER ")]
    assert users == ["10001:10001"]
    assert any(line.startswith("HEALTHCHECK") for line in last)


def test_what_it_is_made_of_is_what_the_wheel_is_made_of() -> None:
    ignored = FILE.with_name("Dockerfile.dockerignore").read_text("utf-8").split()
    taken = {line[1:] for line in ignored if line.startswith("!")}
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    needed = {
        *packages,
        project["project"]["readme"],
        *project["project"]["license-files"],
        "pyproject.toml",
        "constraints.txt",
    }
    assert taken == needed
    assert all((CHECKOUT / name).exists() for name in taken)
