"""What `onefold init` writes: a small commented folder that passes `onefold doctor` and runs as it is."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

_FILES: Final = (
    "config/hub.yaml",
    "config/attributes.yaml",
    "config/interactions.yaml",
    "config/sources/customers.yaml",
    "config/sources/shop.yaml",
    "data/customers.csv",
    "data/shop_clients.csv",
    "data/shop_orders.csv",
    ".env.example",
)


class FolderNotEmpty(FileExistsError):
    """The folder holds a file that the starter would overwrite; nothing was written."""

    exit_code = 2


def write_starter(folder: Path) -> list[Path]:
    """Write the starter into `folder` and give its files. Raises FolderNotEmpty, and then writes nothing."""
    targets = [folder / name for name in _FILES]
    for target in targets:
        if target.exists():
            raise FolderNotEmpty(f"{target} exists already; nothing was written. Choose an empty folder.")
    shipped = files("onefold.configuration").joinpath("data", "starter")
    for name, target in zip(_FILES, targets, strict=True):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(shipped.joinpath(*name.removeprefix(".").split("/")).read_bytes())
    return targets
