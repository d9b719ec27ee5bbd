"""A real Python that has what Onefold needs and none of its extras: the packages of the core, linked from this environment,
and nothing else on its path."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.cli import CHECKOUT


def core_packages() -> set[str]:
    """Names of the distributions that `pip install onefold` brings."""
    found: set[str] = set()
    waiting: list[tuple[str, frozenset[str]]] = [("onefold", frozenset())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        try:
            needs = distribution(name).requires or ()
        except PackageNotFoundError:  # for another system
            continue
        found.add(name)
        for need in map(Requirement, needs):
            if any(need.marker is None or need.marker.evaluate({"extra": extra}) for extra in extras or ("",)):
                waiting.append((canonicalize_name(need.name), frozenset(need.extras)))
    return found


def core_environment(folder: Path, packages: Iterable[str]) -> dict[str, str]:
    """Link the packages into `folder`; the environment in which `python -S` sees them, and them alone."""
    folder.mkdir()
    for name in packages:
        found = distribution(name)
        for top in {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")}:
            link = folder / top
            if not link.exists() and not top.endswith(".pth"):
                link.symlink_to(Path(str(found.locate_file(top))))
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ONEFOLD_", "PYTHON"))}
    return {**ours, "PYTHONPATH": f"{folder}{os.pathsep}{CHECKOUT}"}


def core_python(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """What this Python says and how it ends."""
    return subprocess.run(
        [sys.executable, "-S", *arguments],
        env=environment, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
