"""Programs made by others, each in an environment of its own below .cache/, kept between runs."""

from __future__ import annotations

import shutil
import subprocess
import venv
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache" / "live"


def environment(name: str, *requirements: str) -> Path:
    """The folder of the programs that `requirements` install, made if it is not there."""
    folder = CACHE / name
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        install = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *requirements], check=True, timeout=300)
        (folder / "ready").touch()
    return folder / "bin"
