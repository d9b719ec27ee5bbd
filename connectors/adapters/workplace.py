"""A folder for one run of a package: its settings, catalogue and state as files that nobody else can read."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any


class Workplace:
    """Files of mode 0600 in a folder of mode 0700."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, value: Any) -> str:
        """`value` as JSON in a file of its own; gives the path."""
        path = self.folder / name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=False, default=str)
        return str(path)

    def read(self, name: str) -> Any:
        """What stands in a file now; None when it is gone or no JSON any more."""
        try:
            return json.loads((self.folder / name).read_text("utf-8"))
        except (OSError, ValueError):
            return None


@contextmanager
def workplace(cache: Path) -> Iterator[Workplace]:
    """A workplace for the length of the block. What a killed hub left behind is removed on the way in."""
    runs = cache.resolve() / "runs"
    runs.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as stack:
        with (runs / ".lock").open("w") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            _sweep(runs)
            folder = Path(tempfile.mkdtemp(prefix="run-", dir=runs))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            # This lock lives as long as the process; a folder that nobody holds is a killed hub's.
            fcntl.flock(stack.enter_context((folder / ".lock").open("w")), fcntl.LOCK_EX)
        yield Workplace(folder)


def _sweep(runs: Path) -> None:
    for folder in runs.glob("run-*"):
        with suppress(OSError), (folder / ".lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
