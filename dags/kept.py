"""What was read of the configuration last, for the next parse: to validate it takes most of a second, to compare its
files takes none of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

NAME: Final = "onefold-plan.json"


def kept(folder: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `make` makes of the YAML files of `folder`; asked again only where one of them, or Onefold, changed.

    Kept in AIRFLOW_HOME. Where nothing can be written there, it is made each time; an error is never kept.
    """
    file = Path(os.environ.get("AIRFLOW_HOME") or Path.home() / "airflow") / NAME
    key = fingerprint(folder)
    with suppress(OSError, ValueError):
        found = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(found, dict) and found.get("key") == key:
            return dict(found["made"])
    made = make()
    with suppress(OSError):
        partial = file.with_name(f".{NAME}.{os.getpid()}")
        partial.write_text(json.dumps({"key": key, "made": made}), encoding="utf-8")
        partial.replace(file)
    return made


def fingerprint(folder: Path) -> str:
    """Names and contents of the configuration's files, and the version of Onefold."""
    digest = blake2b(f"{version('onefold')} {folder.resolve()}".encode(), digest_size=16)
    # What is read, and as it is found there: `sources` may be a link, which rglob does not follow.
    found = (*folder.glob("*"), *(folder / "sources").glob("*"))
    for file in sorted(one for one in found if one.suffix in (".yaml", ".yml") and one.is_file()):
        content = file.read_bytes()
        digest.update(f"\n{file.relative_to(folder)} {len(content)}\n".encode() + content)
    return digest.hexdigest()
