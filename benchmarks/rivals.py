"""Other engines, each in an environment of its own, because their pins conflict.

`python benchmarks/rivals.py` makes them all beforehand; a benchmark makes the one it needs when it is not
there.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from common import CACHE

REQUIREMENTS = Path(__file__).with_name("rivals.txt")
SCRIPTS = Path(__file__).with_name("rival_scripts")


def requirements(name: str) -> list[str]:
    """What an environment holds, from rivals.txt; KeyError for an unknown name."""
    for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines():
        head, colon, rest = line.partition(":")
        if colon and not line.startswith("#") and head.strip() == name:
            return rest.split()
    raise KeyError(name)


def python_of(name: str) -> Path:
    """The interpreter of a rival's environment, made if it is not there; a changed pin makes a new one."""
    wanted = requirements(name)
    mark = hashlib.blake2b(" ".join([*wanted, sys.version]).encode(), digest_size=4).hexdigest()
    folder = CACHE / "rivals" / f"{name}-{mark}"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if ready.exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    print(f"rivals: making an environment for {' '.join(wanted)}", file=sys.stderr, flush=True)
    uv = shutil.which("uv")
    if uv:
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
        _run([uv, "pip", "install", "--quiet", "--python", str(python), *wanted])
    else:
        venv.create(folder, with_pip=True)
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted])
    ready.touch()
    return python


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, timeout=900, stdout=sys.stderr)


if __name__ == "__main__":
    for text in REQUIREMENTS.read_text(encoding="utf-8").splitlines():
        if text and not text.startswith("#"):
            print(python_of(text.partition(":")[0]))
