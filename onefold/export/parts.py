"""Files that are there whole or not at all, and the state of an export that goes on by what changed.

    DIR/VIEW/VIEW-000000000000-000000004711.parquet   rows whose last change is in (0, 4711]
    DIR/VIEW/state.json                               how far it has come, and the parts in order

A part is written under a temporary name, brought to the disk and renamed; the state is written last. After a kill the
next export removes what is half written and takes over a part that is whole and not in the state yet.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from onefold.errors import HubBusy, UsageError
from warehouse.export import BEGINNING, Span

EXCEL_ROWS: Final = 1_048_576
"""Rows of a sheet of Excel, the header among them: a larger export is cut into more."""
STATE: Final = "state.json"
_TEMPORARY: Final = ".part.tmp"
_LOCK: Final = ".lock"


@dataclass(frozen=True, slots=True)
class State:
    """How far the export of one view has come."""

    view: str
    format: str
    excel_ru: bool = False
    changed_seq: int = BEGINNING
    """Every change up to this one is in the parts."""
    role: str | None = None
    """Whose eyes it was read with; None: the hub's own."""
    replace_by: tuple[str, ...] = ()
    """Columns by whose values a reader replaces rows, part by part in order."""
    parts: tuple[str, ...] = field(default=())


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; at the end of the block it is on the disk and takes the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}{_TEMPORARY}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def opened_state(folder: Path, wanted: State) -> Iterator[State]:
    """The state of the export in `folder`, mended after a kill; nobody else exports there meanwhile.

    `wanted` is what it begins with. Raises HubBusy; UsageError when the folder holds another format or role.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HubBusy(f"Another export is writing to {folder}.", "Wait for its end.") from None
        for left in folder.glob(f".*{_TEMPORARY}"):
            left.unlink()
        state = _read(folder, wanted)
        if (state.format, state.excel_ru) != (wanted.format, wanted.excel_ru):
            raise UsageError(
                f"{folder} holds {state.format} since its first export.", "Export other formats to another folder."
            )
        if state.role != wanted.role:
            raise UsageError(
                f"{folder} was read as {state.role or 'the hub itself'} since its first export.",
                "Another role sees other rows: export for it to another folder.",
            )
        yield _adopted(folder, replace(state, replace_by=wanted.replace_by))


def part_name(view: str, span: Span, form: str) -> str:
    """A part's file; names in order are parts in order."""
    return f"{view}-{max(span.after, 0):012}-{span.upto:012}.{form}"


def save(folder: Path, state: State) -> None:
    """Write the state down, whole or not at all."""
    with whole_file(folder / STATE) as path:
        path.write_text(json.dumps(asdict(state), indent=1) + "\n", encoding="utf-8")


def _read(folder: Path, wanted: State) -> State:
    path = folder / STATE
    if not path.exists():
        return wanted
    found = json.loads(path.read_text("utf-8"))
    return State(**{**found, "replace_by": tuple(found["replace_by"]), "parts": tuple(found["parts"])})


def _adopted(folder: Path, state: State) -> State:
    """The state with the parts that a killed export had finished and not yet written down."""
    pattern = re.compile(rf"{re.escape(state.view)}-(\d{{12}})-(\d{{12}})\.{re.escape(state.format)}")
    for path in sorted(folder.iterdir()):
        found = pattern.fullmatch(path.name)
        if found and path.name not in state.parts and int(found[1]) == max(state.changed_seq, 0):
            state = replace(state, changed_seq=int(found[2]), parts=(*state.parts, path.name))
            save(folder, state)
    return state


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
